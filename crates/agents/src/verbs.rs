//! Asking for an errand, looking at it, answering it and ending it.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use kontor_access::Caller;
use kontor_commerce::MandateState;
use kontor_types::{Currency, Cursor, MandateId, Page, PageSize, Scope, Timestamp, WorkflowId};
use kontor_workflow::{Entry, OpenQuestion, Owner, Start, Workflow, WorkflowState};
use serde_json::Value;

use crate::agents::KIND;
use crate::order::{Bought, Order};
use crate::words::Say;
use crate::{Agents, Error, Language};

/// The longest request, in characters.
const LONGEST: usize = 1_000;
/// The longest address, in characters.
const ADDRESS: usize = 300;
/// The longest key.
const KEY: usize = 200;
/// Entries that one errand shows.
const ENTRIES: u32 = 500;

/// What somebody asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewErrand {
    /// In their own words.
    pub request: String,
    /// The language of the answers; that of the request unless given.
    pub language: Option<Language>,
    /// The mandate within which it may buy without asking.
    pub mandate: Option<MandateId>,
    /// Where to, when the request does not say.
    pub deliver_to: Option<String>,
    /// The model that reads the request.
    pub model: Option<String>,
}

/// An errand, as people are told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Errand {
    /// Its workflow.
    pub workflow: Workflow,
    /// What was asked for.
    pub request: String,
    /// The language in which it is told.
    pub language: Language,
    /// What happened, in sentences.
    pub steps: Vec<Told>,
    /// What it asks now.
    pub question: Option<OpenQuestion>,
    /// What was bought.
    pub bought: Option<Bought>,
    /// Why it ended without, in a sentence.
    pub error: Option<String>,
}

/// One entry of the journal in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The entry's number.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// `step`, `chosen`, `told`, `asked` …
    pub kind: String,
    /// The step's name.
    pub name: String,
    /// In sentences; empty for what people need not see.
    pub lines: Vec<String>,
}

impl Agents {
    /// Accepts an errand: when this returns, it is on disk and will be done. The same key asks for the same errand once.
    ///
    /// # Errors
    /// [`Error::Access`] without scope `run`, or for a token that is bound to publishers; [`Error::NoModel`], [`Error::Mandate`], [`Error::Invalid`]; of the workflow when the
    /// key stands for another request.
    pub async fn ask(&self, caller: &Caller, key: &str, new: &NewErrand) -> Result<WorkflowId, Error> {
        caller.require(Scope::Run)?;
        let person = caller.require_person()?;
        if caller.publishers.is_some() {
            // It would act and spend beyond what the token is bound to.
            return Err(kontor_access::Error::Bound.into());
        }
        let request = bounded("the request", &new.request, LONGEST)?;
        if request.is_empty() {
            return Err(Error::invalid("say what you want, for example: order me a milk tea under ¥20 to the office"));
        }
        if key.is_empty() || key.len() > KEY {
            return Err(Error::invalid(format!("a key has 1 to {KEY} bytes")));
        }
        let deliver_to = new.deliver_to.as_deref().map(|text| bounded("the address", text, ADDRESS)).transpose()?;
        let handle =
            caller.person.as_ref().map(|(_, handle)| handle.clone()).ok_or(kontor_access::Error::Unauthenticated)?;
        if let Some(id) = new.mandate {
            let mandate = self.means.commerce.mandate(person, id).await?;
            if mandate.state != MandateState::Active {
                return Err(Error::Mandate { id: id.to_string(), state: word(&mandate.state) });
            }
        }
        let order = Order {
            language: new.language.unwrap_or_else(|| Language::of(&request)),
            model: self.model(new.model.as_deref())?,
            person: handle,
            mandate: new.mandate,
            deliver_to: deliver_to.filter(|text| !text.is_empty()),
            currency: self.currency()?,
            request,
        };
        let input = serde_json::to_value(&order).map_err(|error| Error::invalid(error.to_string()))?;
        let start = Start {
            key: key.to_owned(),
            kind: KIND.to_owned(),
            owner: Owner { person, publisher: None },
            title: order.request.chars().take(100).collect(),
            input,
        };
        Ok(self.workflows.start(start).await?.id)
    }

    fn model(&self, named: Option<&str>) -> Result<String, Error> {
        let wanted = named.map(str::to_owned).or_else(|| self.means.settings.model.clone());
        match wanted {
            Some(model) if self.means.gateway.model(&model).is_some() => Ok(model),
            Some(model) => Err(Error::ModelUnknown { model }),
            None => self.means.gateway.models().into_iter().next().map(|card| card.id).ok_or(Error::NoModel),
        }
    }

    fn currency(&self) -> Result<Currency, Error> {
        let set = self.means.settings.currency;
        set.map_or_else(|| "CNY".parse().map_err(|_| Error::invalid("no currency")), Ok)
    }

    /// An errand that the caller may see, in sentences.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn show(&self, caller: &Caller, id: WorkflowId, language: Option<Language>) -> Result<Errand, Error> {
        let workflow = self.workflow(caller, id).await?;
        let entries = self.workflows.entries(caller, id, 0, ENTRIES).await?;
        let order = Self::order(&entries);
        let language = language.or(order.as_ref().map(|(_, language)| *language)).unwrap_or_default();
        let question = self.workflows.questions(caller, id).await?.into_iter().next();
        let bought = workflow.output.as_ref().and_then(|text| serde_json::from_str(text).ok());
        let error = workflow
            .error
            .as_ref()
            .map(|message| Say(language).error(workflow.error_code.as_deref().unwrap_or_default(), message));
        Ok(Errand {
            request: order.map_or_else(|| workflow.title.clone(), |(request, _)| request),
            language,
            steps: entries.iter().map(|entry| told(entry, language)).collect(),
            question,
            bought,
            error,
            workflow,
        })
    }

    async fn workflow(&self, caller: &Caller, id: WorkflowId) -> Result<Workflow, Error> {
        let workflow = self.workflows.show(caller, id).await?;
        if workflow.kind == KIND { Ok(workflow) } else { Err(Error::NotFound) }
    }

    /// The request and the language, from the first entry.
    fn order(entries: &[Entry]) -> Option<(String, Language)> {
        let data: Value = serde_json::from_str(&entries.first()?.data).ok()?;
        let input = data.get("input")?;
        let language = input.get("language")?.as_str()?.parse().ok()?;
        Some((input.get("request")?.as_str()?.to_owned(), language))
    }

    /// Errands that the caller may see, the newest first.
    ///
    /// # Errors
    /// [`Error::Access`], and for a foreign cursor.
    pub async fn list(
        &self,
        caller: &Caller,
        state: Option<WorkflowState>,
        size: PageSize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Workflow>, Error> {
        Ok(self.workflows.list(caller, state, Some(KIND), size, cursor).await?)
    }

    /// What happens in an errand after an entry, in sentences, as it happens.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn watch(
        &self,
        caller: &Caller,
        id: WorkflowId,
        after: i64,
        language: Option<Language>,
    ) -> Result<BoxStream<'static, Result<Told, Error>>, Error> {
        let language = match language {
            Some(language) => language,
            None => self.show(caller, id, None).await?.language,
        };
        self.workflow(caller, id).await?;
        let entries = self.workflows.watch(caller, id, after).await?;
        Ok(entries.map(move |entry| entry.map(|entry| told(&entry, language)).map_err(Error::from)).boxed())
    }

    /// The errand when it is over or asks something, or as it is after `patience`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn result(&self, caller: &Caller, id: WorkflowId, patience: Duration) -> Result<Errand, Error> {
        self.workflow(caller, id).await?;
        self.workflows.result(caller, id, patience).await?;
        self.show(caller, id, None).await
    }

    /// Answers what an errand asks, once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; of the workflow when nothing of that name is asked, or the answer does not fit.
    pub async fn answer(&self, caller: &Caller, id: WorkflowId, question: &str, value: Value) -> Result<(), Error> {
        self.workflow(caller, id).await?;
        Ok(self.workflows.answer(caller, id, question, value).await?)
    }

    /// Ends an errand; what was begun is taken back. One that is over stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`]; of the workflow when it is being paid and too late.
    pub async fn cancel(&self, caller: &Caller, id: WorkflowId) -> Result<Workflow, Error> {
        self.workflow(caller, id).await?;
        Ok(self.workflows.cancel(caller, id).await?)
    }
}

fn told(entry: &Entry, language: Language) -> Told {
    let data: Value = serde_json::from_str(&entry.data).unwrap_or_default();
    Told {
        number: entry.number,
        at: entry.at,
        kind: entry.kind.as_str().to_owned(),
        name: entry.name.clone(),
        lines: Say(language).entry(entry.kind.as_str(), &entry.name, &data),
    }
}

/// A state as its surfaces write it.
fn word<T: serde::Serialize>(state: &T) -> String {
    serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn bounded(what: &str, text: &str, most: usize) -> Result<String, Error> {
    let plain: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.chars().count() > most {
        Err(Error::invalid(format!("{what} has at most {most} characters")))
    } else {
        Ok(plain)
    }
}
