use kontor_types::{PersonId, Timestamp, WorkflowId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

words! {
    /// Who may answer a question.
    pub enum Who("kind of people") {
        /// The person for whom the workflow works.
        Owner = "owner",
        /// They, and the admins of the publisher in whose name it does.
        Publisher = "publisher",
        /// Persons who are named.
        Persons = "persons",
    }
}

record! {
    /// What a workflow asks people.
    pub struct Question {
        /// The workflow.
        pub workflow_id: WorkflowId,
        /// The journal's entry in which it was asked.
        pub number: i64,
        /// What the definition calls it.
        pub name: String,
        /// What is asked, in plain words.
        pub text: String,
        /// The JSON Schema of an answer.
        pub form: String,
        /// What is shown beside, as JSON.
        pub detail: String,
        /// Who may answer.
        pub who: Who,
        /// When it was asked.
        pub asked_at: Timestamp,
        /// Until when an answer counts.
        pub deadline: Option<Timestamp>,
        /// When it was answered.
        pub answered_at: Option<Timestamp>,
        /// By whom.
        pub answered_by: Option<PersonId>,
        /// The answer, as JSON.
        pub answer: Option<String>,
        /// When it was closed without an answer.
        pub closed_at: Option<Timestamp>,
    }
}

/// A question to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewQuestion {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The journal's entry in which it is asked.
    pub number: i64,
    /// What the definition calls it.
    pub name: String,
    /// What is asked, in plain words.
    pub text: String,
    /// The JSON Schema of an answer.
    pub form: String,
    /// What is shown beside, as JSON.
    pub detail: String,
    /// Who may answer.
    pub who: Who,
    /// The persons who are named.
    pub persons: Vec<PersonId>,
    /// When it is asked.
    pub asked_at: Timestamp,
    /// Until when an answer counts.
    pub deadline: Option<Timestamp>,
}

const SELECT: &str =
    "select workflow_id, number, name, text, form, detail, who, asked_at, deadline, answered_at, answered_by,
    answer, closed_at from workflow_question where ";

/// Writes a question down.
///
/// # Errors
/// [`Error::Duplicate`] while one of the same name is open.
pub async fn add(tx: &mut Tx, question: &NewQuestion) -> Result<(), Error> {
    const SQL: &str =
        "insert into workflow_question (workflow_id, number, name, text, form, detail, who, asked_at, deadline)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    const ASKED: &str = "insert into workflow_asked (workflow_id, number, person_id) values ($1, $2, $3)
        on conflict (workflow_id, number, person_id) do nothing";
    let insert = Sql::new(SQL).bind(question.workflow).bind(question.number).bind(&question.name).bind(&question.text);
    let insert = insert.bind(&question.form).bind(&question.detail).bind(question.who).bind(question.asked_at);
    insert.bind(question.deadline).run(tx).await?;
    for person in &question.persons {
        Sql::new(ASKED).bind(question.workflow).bind(question.number).bind(*person).run(tx).await?;
    }
    Ok(())
}

/// The questions of a workflow that nobody has answered yet.
pub async fn open(conn: &mut Conn, id: WorkflowId) -> Result<Vec<Question>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("workflow_id = ").value(id).push(" and answered_at is null and closed_at is null order by number");
    sql.all(conn).await
}

/// The newest question of this name, answered or not.
pub async fn sought(conn: &mut Conn, id: WorkflowId, name: &str) -> Result<Option<Question>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("workflow_id = ").value(id).push(" and name = ").value(name).push(" order by number desc limit 1");
    sql.optional(conn).await
}

/// The question that was asked in an entry.
pub async fn find_question(conn: &mut Conn, id: WorkflowId, number: i64) -> Result<Option<Question>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("workflow_id = ").value(id).push(" and number = ").value(number);
    sql.optional(conn).await
}

/// Whether a person was asked by name.
pub async fn is_asked(conn: &mut Conn, id: WorkflowId, number: i64, person: PersonId) -> Result<bool, Error> {
    const SQL: &str = "select exists (select 1 from workflow_asked
        where workflow_id = $1 and number = $2 and person_id = $3)";
    Sql::new(SQL).bind(id).bind(number).bind(person).cell(conn).await
}

/// Answers a question; `false` when somebody was faster, it is closed, or its time is over.
pub async fn answer(
    tx: &mut Tx,
    (id, number): (WorkflowId, i64),
    by: PersonId,
    answer: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    const SQL: &str = "update workflow_question set answered_at = $3, answered_by = $4, answer = $5
        where workflow_id = $1 and number = $2 and answered_at is null and closed_at is null
            and (deadline is null or deadline > $3)";
    Sql::new(SQL).bind(id).bind(number).bind(now).bind(by).bind(answer).changed(tx).await
}

/// Closes a question that nobody has answered; `false` when somebody has.
pub async fn close(tx: &mut Tx, id: WorkflowId, number: i64, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update workflow_question set closed_at = coalesce(closed_at, $3)
        where workflow_id = $1 and number = $2 and answered_at is null";
    Sql::new(SQL).bind(id).bind(number).bind(now).changed(tx).await
}

/// Closes every question of workflows that nobody has answered.
pub async fn close_all(tx: &mut Tx, id: WorkflowId, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "update workflow_question set closed_at = $2
        where workflow_id = $1 and answered_at is null and closed_at is null";
    Sql::new(SQL).bind(id).bind(now).run(tx).await
}
