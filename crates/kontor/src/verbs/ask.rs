//! `kontor ask`: what is wanted is said in a sentence, and its steps are shown as they happen. Nothing is spent before somebody
//! says yes, or has said yes in a mandate.

mod words;

use std::time::Duration;

use kontor_agents::DETAIL;
use kontor_client::{Client, Error, RunEvent};
use kontor_types::{MandateId, WorkflowId};
use kontor_wire::{Checkout, Errand, ErrandAnswer, ErrandLanguage, ErrandQuestion, ErrandState, ErrandStep, NewErrand};
use serde_json::{Value, json};

use crate::exit::{Exit, UsageError};
use crate::session::{Session, mandate_keys};
use crate::terminal::{Terminal, plain};
use crate::verbs::id;
use words::Words;

/// How long to wait before a stream that broke off is asked for again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a stream may break off without news.
const BREAKS: u32 = 30;

/// Say what you want found, compared, ordered and paid for
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What you want: `order me a milk tea under ¥20 to the office`
    #[arg(required = true, num_args = 1.., value_name = "WORDS")]
    request: Vec<String>,
    /// Buy within this mandate without asking; `kontor mandate new` makes one
    #[arg(long, value_name = "ID", value_parser = id::<MandateId>)]
    mandate: Option<MandateId>,
    /// Where it goes, when your words do not say
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Let skills run without asking; money is spent only within `--mandate`
    #[arg(long)]
    yes: bool,
    /// Speak this language: en or zh; else that of your words, or of your locale
    #[arg(long, value_name = "LANG", value_parser = language)]
    lang: Option<ErrandLanguage>,
    /// The model that reads your words; the hub's own choice unless told
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Print the errand's id and leave it to the hub; `kontor errand resume` comes back to it
    #[arg(long)]
    detach: bool,
}

pub(super) fn language(text: &str) -> Result<ErrandLanguage, String> {
    known_language(text).ok_or_else(|| "use en or zh".to_owned())
}

fn known_language(text: &str) -> Option<ErrandLanguage> {
    match text.to_ascii_lowercase().split(['-', '_', '.']).next() {
        Some("en") => Some(ErrandLanguage::En),
        Some("zh") => Some(ErrandLanguage::Zh),
        _ => None,
    }
}

/// The language of the words, or of the locale.
fn spoken(request: &str) -> ErrandLanguage {
    if request.chars().any(|char| matches!(char, '\u{3400}'..='\u{9fff}')) {
        return ErrandLanguage::Zh;
    }
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    set.as_deref().and_then(known_language).unwrap_or(ErrandLanguage::En)
}

/// Asks, follows and answers.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let request = args.request.join(" ");
    let language = args.lang.unwrap_or_else(|| spoken(&request));
    let client = session.client()?;
    let new = NewErrand {
        request,
        language: Some(language),
        mandate: args.mandate,
        deliver_to: args.to,
        model: args.model,
        wait: None,
    };
    let errand = client.start_errand(&new).await?;
    if args.detach {
        if session.terminal.json {
            session.terminal.json(&errand);
        } else {
            session.terminal.data(&errand.id.to_string());
            session.terminal.note(&Words(language).comes_back(errand.id));
        }
        return Ok(Exit::Done);
    }
    follow(&client, errand.id, session, args.yes, true).await
}

/// Shows an errand's steps until it is over, and puts its questions. With `owned`, an interrupt cancels it.
pub(super) async fn follow(
    client: &Client,
    id: WorkflowId,
    session: &Session,
    yes: bool,
    owned: bool,
) -> anyhow::Result<Exit> {
    let mut followed = Followed { client, session, id, last: 0, cancelled: false, owned };
    loop {
        let errand = followed.until_it_asks_or_ends().await?;
        if errand.state.is_over() || errand.state == ErrandState::Stalled {
            return Ok(finish(&errand, session));
        }
        let Some(question) = &errand.question else { continue };
        if !question.may_answer {
            let hint = "only the person for whom it is done can answer";
            return Err(Error::refused(plain(&question.text), hint).into());
        }
        let said = tokio::select! {
            said = answer(client, session, &errand, question, yes) => said?,
            _ = tokio::signal::ctrl_c() => {
                followed.cancel().await?;
                continue;
            }
        };
        let Some(value) = said else {
            // Nobody is here who could answer: nothing stays half done.
            client.cancel_errand(id).await?;
            let words = Words(errand.language);
            return Err(
                Error::refused(words.nobody_to_ask(&plain(&question.text)), words.how_to_answer(question)).into()
            );
        };
        let answer = ErrandAnswer { question: question.name.clone(), value };
        client.answer_errand(id, &answer).await?;
    }
}

struct Followed<'a> {
    client: &'a Client,
    session: &'a Session,
    id: WorkflowId,
    last: u64,
    cancelled: bool,
    owned: bool,
}

impl Followed<'_> {
    /// Shows what happens; the errand as it is when it asks something or is over.
    async fn until_it_asks_or_ends(&mut self) -> anyhow::Result<Errand> {
        let mut breaks = 0;
        loop {
            let (before, mut last, mut ended) = (self.last, self.last, None);
            let terminal = &self.session.terminal;
            let told = |event: RunEvent| {
                last = event.number.unwrap_or(last);
                if event.kind == "result" {
                    ended = serde_json::from_value::<Errand>(event.data).ok();
                    return false;
                }
                let Ok(step) = serde_json::from_value::<ErrandStep>(event.data) else { return true };
                for line in step.lines.iter().filter(|line| step.kind != "asked" && !line.starts_with(DETAIL)) {
                    terminal.tell(&plain(line));
                }
                step.kind != "asked"
            };
            let outcome = tokio::select! {
                outcome = self.client.follow_errand(self.id, before, told) => Some(outcome),
                _ = tokio::signal::ctrl_c(), if self.owned && !self.cancelled => None,
            };
            self.last = last;
            match outcome {
                None => self.cancel().await?,
                Some(Err(error @ Error::Problem(_))) => return Err(error.into()),
                Some(_) => {}
            }
            if let Some(errand) = ended {
                return Ok(errand);
            }
            let errand = self.client.errand(self.id).await?;
            let settled = errand.state.is_over() || errand.state == ErrandState::Stalled;
            if settled || (errand.question.is_some() && !self.cancelled) {
                return Ok(errand);
            }
            breaks = if self.last > before { 0 } else { breaks + 1 };
            if breaks > BREAKS {
                let hint = "the errand goes on; `kontor errand resume` comes back to it";
                return Err(
                    Error::refused(format!("the hub tells nothing more of the errand {}", self.id), hint).into()
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn cancel(&mut self) -> anyhow::Result<()> {
        self.cancelled = true;
        match self.client.cancel_errand(self.id).await {
            Ok(errand) => self.session.terminal.note(&Words(errand.language).cancelling()),
            // Too late: it is being paid, and goes to its end.
            Err(Error::Problem(problem)) => self.session.terminal.warn(&plain(&problem.detail)),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// What the person says to a question; nothing where nobody can be asked.
async fn answer(
    client: &Client,
    session: &Session,
    errand: &Errand,
    question: &ErrandQuestion,
    yes: bool,
) -> anyhow::Result<Option<Value>> {
    let (terminal, text) = (&session.terminal, plain(&question.text));
    match question.detail.get("kind").and_then(Value::as_str) {
        Some("address") => Ok(heard(session, move |terminal| terminal.answer(&text)).await.map(Value::String)),
        Some("skills") if yes => Ok(Some(json!(true))),
        Some("skills") => Ok(heard(session, move |terminal| terminal.ask(&text)).await.map(Value::Bool)),
        Some("purchase") => {
            let needs_mandate = question.detail.get("needs_mandate") != Some(&json!(false));
            if yes && !needs_mandate {
                return Ok(Some(json!({"confirm": true})));
            }
            // A purchase without a mandate is never confirmed by a flag.
            if yes && !terminal.can_ask() {
                return Ok(None);
            }
            match heard(session, move |terminal| terminal.ask(&text)).await {
                None => Ok(None),
                Some(false) => Ok(Some(json!({"confirm": false}))),
                Some(true) if !needs_mandate => Ok(Some(json!({"confirm": true}))),
                Some(true) => signed(client, session, errand, question).await.map(Some),
            }
        }
        _ => {
            Err(UsageError("this kontor does not know what the hub asks: use one as new as the hub".to_owned()).into())
        }
    }
}

/// What somebody types; meanwhile an interrupt is still heard.
async fn heard<T: Send + 'static>(
    session: &Session,
    ask: impl FnOnce(&Terminal) -> Option<T> + Send + 'static,
) -> Option<T> {
    let terminal = session.terminal.clone();
    tokio::task::spawn_blocking(move || ask(&terminal)).await.ok().flatten()
}

/// A mandate for exactly this purchase, signed with the person's own key.
async fn signed(
    client: &Client,
    session: &Session,
    errand: &Errand,
    question: &ErrandQuestion,
) -> anyhow::Result<Value> {
    let checkout = question.detail.get("checkout").cloned().unwrap_or_default();
    let checkout: Checkout = serde_json::from_value(checkout).map_err(|error| {
        Error::refused(format!("the hub's checkout cannot be read: {error}"), "use a kontor as new as the hub")
    })?;
    let envelope = mandate_keys::confirm(session, client, &checkout).await?;
    session.terminal.note(&Words(errand.language).signed());
    Ok(json!({"confirm": true, "envelope": envelope}))
}

/// Says how it ended.
fn finish(errand: &Errand, session: &Session) -> Exit {
    let (terminal, words) = (&session.terminal, Words(errand.language));
    if terminal.json {
        terminal.json(errand);
    } else if let Some(bought) = &errand.bought {
        terminal.data(&plain(&words.bought(bought)));
        terminal.note(&words.look_again(errand.id, &bought.checkout.to_string()));
    } else {
        let why = errand.error.clone().unwrap_or_else(|| words.cancelled().to_owned());
        terminal.error(
            errand.error_code.as_deref().unwrap_or("cancelled"),
            &plain(&why),
            Some(&words.explain(errand.id)),
        );
    }
    match errand.state {
        ErrandState::Finished => Exit::Done,
        ErrandState::Cancelled => Exit::Failed,
        _ => Exit::Refused,
    }
}
