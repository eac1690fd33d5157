//! Consents: what a person lets a version have whenever their agents run it, and the questions that lead to them.

use kontor_types::{ConsentId, Digest, PersonId, SkillId, Timestamp, TokenId, VersionId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// What a person lets a version have.
    pub struct Consent {
        /// Its id.
        pub id: ConsentId,
        /// The version.
        pub version_id: VersionId,
        /// The version's full name then.
        pub skill: String,
        /// Everything that it may have, in one spelling.
        pub asked: String,
        /// The token with which it ends.
        pub token_id: Option<TokenId>,
        /// When it was given.
        pub created_at: Timestamp,
        /// When it ends by itself.
        pub expires_at: Option<Timestamp>,
    }
}

/// A question to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The digest of what comes back with the answer.
    pub id: Digest,
    /// Who is asked.
    pub person: PersonId,
    /// The digest of the call that it is about.
    pub about: Digest,
    /// Until when it may be answered.
    pub expires_at: Timestamp,
}

/// Gives a consent, in place of what the person had said about the same.
pub async fn put(tx: &mut Tx, person: PersonId, consent: &Consent) -> Result<(), Error> {
    const SQL: &str = "insert into consent (id, person_id, version_id, skill, asked, token_id, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let mut before = Sql::new("delete from consent where person_id = ");
    before.value(person).push(" and version_id = ").value(consent.version_id);
    before.push(" and asked = ").value(&consent.asked);
    match consent.token_id {
        Some(token) => before.push(" and token_id = ").value(token),
        None => before.push(" and token_id is null"),
    };
    before.run(tx).await?;
    Sql::new(SQL)
        .bind(consent.id)
        .bind(person)
        .bind(consent.version_id)
        .bind(&consent.skill)
        .bind(&consent.asked)
        .bind(consent.token_id)
        .bind(consent.created_at)
        .bind(consent.expires_at)
        .run(tx)
        .await
}

/// Whether a person lets a version have exactly this now, through this token.
pub async fn holds(
    conn: &mut Conn,
    person: PersonId,
    version: VersionId,
    asked: &str,
    token: Option<TokenId>,
    now: Timestamp,
) -> Result<bool, Error> {
    let mut sql = Sql::new("select count(*) from consent where person_id = ");
    sql.value(person).push(" and version_id = ").value(version).push(" and asked = ").value(asked);
    sql.push(" and (expires_at is null or expires_at > ").value(now).push(") and (token_id is null");
    if let Some(token) = token {
        sql.push(" or token_id = ").value(token);
    }
    sql.push(")");
    Ok(sql.cell::<i64>(conn).await? > 0)
}

/// What a person lets a version have now, through this token.
pub async fn in_force(
    conn: &mut Conn,
    person: PersonId,
    version: VersionId,
    token: Option<TokenId>,
    now: Timestamp,
) -> Result<Vec<Consent>, Error> {
    let mut sql = Sql::new(
        "select id, version_id, skill, asked, token_id, created_at, expires_at from consent where person_id = ",
    );
    sql.value(person).push(" and version_id = ").value(version);
    sql.push(" and (expires_at is null or expires_at > ").value(now).push(") and (token_id is null");
    if let Some(token) = token {
        sql.push(" or token_id = ").value(token);
    }
    sql.push(") order by id");
    sql.all(conn).await
}

/// What a person has consented to and what has not ended, the newest first.
pub async fn of(conn: &mut Conn, person: PersonId, now: Timestamp) -> Result<Vec<Consent>, Error> {
    const SQL: &str = "select id, version_id, skill, asked, token_id, created_at, expires_at from consent
        where person_id = $1 and (expires_at is null or expires_at > $2) order by id desc";
    Sql::new(SQL).bind(person).bind(now).all(conn).await
}

/// Takes a consent back; `false` when the person has given none of this id.
pub async fn remove(tx: &mut Tx, person: PersonId, id: ConsentId) -> Result<bool, Error> {
    const SQL: &str = "delete from consent where id = $1 and person_id = $2";
    Sql::new(SQL).bind(id).bind(person).changed(tx).await
}

/// Takes back every consent of a person about a skill; how many there were.
pub async fn remove_of_skill(tx: &mut Tx, person: PersonId, skill: SkillId) -> Result<u64, Error> {
    const SQL: &str = "delete from consent where person_id = $1
        and version_id in (select id from version where skill_id = $2)";
    Sql::new(SQL).bind(person).bind(skill).execute(tx).await
}

/// Puts a question, and forgets those of the person that nobody may answer any more, and the oldest of too many.
pub async fn ask(tx: &mut Tx, question: &Question, most: u32, now: Timestamp) -> Result<(), Error> {
    const OLD: &str = "delete from consent_question where person_id = $1 and (expires_at <= $2 or id not in
        (select id from consent_question where person_id = $1 order by expires_at desc, id limit $3))";
    const NEW: &str = "insert into consent_question (id, person_id, about, expires_at) values ($1, $2, $3, $4)";
    const ENDED: &str = "delete from consent where person_id = $1 and expires_at <= $2";
    Sql::new(OLD).bind(question.person).bind(now).bind(most).run(tx).await?;
    Sql::new(ENDED).bind(question.person).bind(now).run(tx).await?;
    let sql = Sql::new(NEW).bind(question.id).bind(question.person);
    sql.bind(question.about).bind(question.expires_at).run(tx).await
}

/// Takes a question away; `true` when the person was asked exactly this and may still answer. It is answered once.
pub async fn answer(tx: &mut Tx, id: &Digest, person: PersonId, about: &Digest, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "delete from consent_question
        where id = $1 and person_id = $2 and about = $3 and expires_at > $4";
    Sql::new(SQL).bind(id).bind(person).bind(about).bind(now).changed(tx).await
}
