use kontor_db::workflows::{self, Entry, EntryKind, NewQuestion};
use kontor_types::{PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Journal, Place};
use crate::Stop;

/// What people are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The question, in plain words.
    pub text: String,
    /// The JSON Schema of an answer.
    pub form: Value,
    /// Who may answer.
    pub who: AnsweredBy,
    /// Until when an answer counts; without one it is waited for as long as it takes.
    pub deadline: Option<Timestamp>,
    /// What is shown beside.
    pub detail: Value,
}

/// Who may answer a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// The person for whom the workflow works.
    Owner,
    /// They, and the admins of the publisher in whose name it does.
    Publisher,
    /// These persons; they see the workflow from then on.
    Persons(Vec<PersonId>),
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Who answered; nobody did in time when it is empty.
    pub by: Option<PersonId>,
    /// The answer, which fits the form.
    pub value: Option<Value>,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Answered {
    of: i64,
    #[serde(flatten)]
    answer: Answer,
}

#[derive(Serialize, Deserialize)]
struct Timer {
    at: i64,
}

impl Journal {
    /// Asks somebody, and waits as long as it takes; no worker is held meanwhile. The answer is used once.
    ///
    /// # Errors
    /// Why the workflow cannot go on; [`Stop::Cancelled`] also while nobody has answered.
    pub async fn ask(&self, name: &str, question: &Question) -> Result<Answer, Stop> {
        let input = self.digest_of(question)?;
        let place = self.place(name, Some(input))?;
        if !self.core.claim_question(name) {
            return Err(Stop::invalid(format!("two open questions are called `{name}`")));
        }
        let answered = match self.journaled(&place, EntryKind::Asked)? {
            Some(entry) => self.look_for_answer(entry, question).await,
            None => self.put(&place, question).await,
        };
        self.core.free_question(name);
        answered
    }

    async fn put(&self, place: &Place, question: &Question) -> Result<Answer, Stop> {
        self.go_on().await?;
        let (who, persons) = match &question.who {
            AnsweredBy::Owner => (workflows::Who::Owner, Vec::new()),
            AnsweredBy::Publisher => (workflows::Who::Publisher, Vec::new()),
            AnsweredBy::Persons(persons) => (workflows::Who::Persons, persons.clone()),
        };
        if let Err(error) = jsonschema::validator_for(&question.form) {
            return Err(Stop::invalid(format!("the form of `{}` is no JSON Schema: {error}", place.name)));
        }
        let data = json!({
            "text": question.text, "form": question.form, "who": question.who, "detail": question.detail,
            "deadline": question.deadline,
        });
        let new = NewQuestion {
            workflow: self.core.id,
            number: 0,
            name: place.name.clone(),
            text: question.text.clone(),
            form: question.form.to_string(),
            detail: question.detail.to_string(),
            who,
            persons,
            asked_at: self.core.now(),
            deadline: question.deadline,
        };
        self.core.push_question(self.line(EntryKind::Asked, place, data.to_string()), new);
        Err(self.core.wait(question.deadline).await)
    }

    async fn look_for_answer(&self, asked: &Entry, question: &Question) -> Result<Answer, Stop> {
        if let Some(entry) = self.core.journaled.answer(asked.number) {
            let answered: Answered = serde_json::from_str(&entry.data)
                .map_err(|error| Stop::invalid(format!("entry {} cannot be read: {error}", entry.number)))?;
            return Ok(answered.answer);
        }
        self.go_on().await?;
        let busy = self.core.busy();
        let found = self.find_answer(asked.number, question.deadline).await;
        drop(busy);
        let Some(answer) = found.map_err(|error| unavailable(&error))? else {
            return Err(self.core.wait(question.deadline).await);
        };
        let data = serde_json::to_string(&Answered { of: asked.number, answer: answer.clone() })
            .map_err(|error| Stop::invalid(error.to_string()))?;
        self.core.push(self.core.line(EntryKind::Answered, &self.branch.name, None, &asked.name, None, data));
        Ok(answer)
    }

    /// The answer that is there, or none when the time for one is over.
    async fn find_answer(&self, number: i64, deadline: Option<Timestamp>) -> Result<Option<Answer>, kontor_db::Error> {
        let (id, now) = (self.core.id, self.core.now());
        let is_over = deadline.is_some_and(|deadline| deadline <= now);
        if is_over {
            // From here on nobody can answer, so that what is found now is what counts.
            self.core.db.write(move |tx| Box::pin(async move { workflows::close(tx, id, number, now).await })).await?;
        }
        let row = workflows::find_question(&mut self.core.db.read().await?, id, number).await?;
        Ok(row.and_then(|row| match (row.answered_at, row.closed_at) {
            (Some(at), _) => {
                let value = row.answer.and_then(|text| serde_json::from_str(&text).ok());
                Some(Answer { by: row.answered_by, value, at })
            }
            (None, Some(at)) => Some(Answer { by: None, value: None, at }),
            (None, None) => None,
        }))
    }

    /// Waits until a moment, which must be the same whenever the definition is run; no worker is held meanwhile.
    ///
    /// # Errors
    /// Why the workflow cannot go on.
    pub async fn wait_until(&self, name: &str, time: Timestamp) -> Result<(), Stop> {
        let place = self.place(name, None)?;
        let until = if let Some(entry) = self.journaled(&place, EntryKind::Timer)? {
            serde_json::from_str::<Timer>(&entry.data).map_or(time, |timer| timer.at.into())
        } else {
            self.go_on().await?;
            self.core.push(self.line(EntryKind::Timer, &place, json!({ "at": time.micros() }).to_string()));
            time
        };
        if self.core.now() >= until {
            return Ok(());
        }
        self.go_on().await?;
        Err(self.core.wait(Some(until)).await)
    }
}

pub(super) fn unavailable(error: &kontor_db::Error) -> Stop {
    Stop::Unavailable { message: crate::recorder::chain(error) }
}
