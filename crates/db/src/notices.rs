//! What people are told about versions that concern them.

use kontor_types::{Handle, NoticeId, PersonId, SkillId, Slug, Timestamp, Version, VersionId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

words! {
    /// What a notice is about.
    pub enum NoticeKind ("kind of notice") {
        /// Nothing that has a kind; its text says it.
        Told = "told",
        /// A version waits for a review.
        Waits = "waits",
        /// A version was admitted.
        Admitted = "admitted",
        /// A version is held for a review.
        Held = "held",
        /// A version is in quarantine.
        Quarantined = "quarantined",
        /// A version was refused.
        Rejected = "rejected",
        /// A reviewer asks for changes.
        Changes = "changes",
        /// Something was said in a review.
        Comment = "comment",
        /// The publisher asks for another look.
        Appeal = "appeal",
        /// A person accepted the version.
        Approved = "approved",
        /// A version was withdrawn.
        Yanked = "yanked",
        /// The withdrawal of a version was taken back.
        Unyanked = "unyanked",
        /// A skill should no longer be used.
        Deprecated = "deprecated",
    }
}

record! {
    /// Something that one person is told.
    pub struct Notice {
        /// Its id.
        pub id: NoticeId,
        /// Whose version.
        pub publisher: Handle,
        /// Of which skill.
        pub slug: Slug,
        /// Which version.
        pub number: Version,
        /// What it is about.
        pub kind: NoticeKind,
        /// Why, as a person or the policy said it; may be empty.
        pub reason: String,
        /// What they are told.
        pub text: String,
        /// When.
        pub created_at: Timestamp,
        /// When it was read.
        pub read_at: Option<Timestamp>,
    }
}

/// What is told to somebody.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// What it is about.
    pub kind: NoticeKind,
    /// Why; may be empty.
    pub reason: &'a str,
    /// All of it in a sentence.
    pub text: &'a str,
}

/// Who of those who have a skill active is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Audience<'a> {
    /// Only those who have this version active.
    pub version: Option<VersionId>,
    /// Not these, who know already.
    pub except: &'a [PersonId],
}

/// Rows that one statement makes: seven values each, below the 32,766 that SQLite binds.
const ROWS: usize = 2_000;

/// Tells a person something about a version.
pub async fn insert(
    tx: &mut Tx,
    person: PersonId,
    version: VersionId,
    message: &Message<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    insert_all(tx, &[person], version, message, now).await
}

/// Tells everybody who has a skill active and may open it something about a version; says how many that are.
pub async fn tell_holders(
    tx: &mut Tx,
    (skill, version): (SkillId, VersionId),
    audience: &Audience<'_>,
    message: &Message<'_>,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut sql = Sql::new(
        "select a.person_id from activation a join person p on p.id = a.person_id join skill s on s.id = a.skill_id
        where p.disabled_at is null and s.hidden_at is null and s.deleted_at is null
        and (s.visibility in ('public', 'unlisted') or exists (select 1 from publisher_member m
            where m.publisher_id = s.publisher_id and m.person_id = a.person_id
            and (s.visibility = 'organisation' or m.role in ('owner', 'admin', 'maintainer'))))
        and a.skill_id = ",
    );
    sql.value(skill);
    if let Some(version) = audience.version {
        sql.push(" and a.version_id = ").value(version);
    }
    sql.push(" order by a.person_id");
    let mut holders: Vec<PersonId> = sql.column(tx).await?;
    holders.retain(|person| !audience.except.contains(person));
    insert_all(tx, &holders, version, message, now).await?;
    Ok(holders.len() as u64)
}

async fn insert_all(
    tx: &mut Tx,
    people: &[PersonId],
    version: VersionId,
    message: &Message<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    for people in people.chunks(ROWS) {
        let mut sql =
            Sql::new("insert into notice (id, person_id, version_id, kind, reason, text, created_at) values ");
        let mut before = "(";
        for person in people {
            sql.push(before).value(NoticeId::new(now)).push(", ").value(*person).push(", ").value(version);
            sql.push(", ").value(message.kind).push(", ").value(message.reason).push(", ").value(message.text);
            sql.push(", ").value(now).push(")");
            before = ", (";
        }
        sql.run(tx).await?;
    }
    Ok(())
}

/// What a person was told, the newest first; before `before`, when one is named.
pub async fn of_person(
    conn: &mut Conn,
    person: PersonId,
    before: Option<NoticeId>,
    limit: u32,
) -> Result<Vec<Notice>, Error> {
    let mut sql = Sql::new(
        "select n.id, p.handle as publisher, s.slug, v.number, n.kind, n.reason, n.text, n.created_at, n.read_at
        from notice n join version v on v.id = n.version_id join skill s on s.id = v.skill_id
        join publisher p on p.id = s.publisher_id where n.person_id = ",
    );
    sql.value(person);
    if let Some(before) = before {
        sql.push(" and n.id < ").value(before);
    }
    sql.push(" order by n.id desc limit ").value(limit);
    sql.all(conn).await
}

/// How many notices a person has not read.
pub async fn unread(conn: &mut Conn, person: PersonId) -> Result<u64, Error> {
    const SQL: &str = "select count(*) from notice where person_id = $1 and read_at is null";
    Sql::new(SQL).bind(person).cell(conn).await
}

/// Notes that a person has read these; how many were new.
pub async fn read(tx: &mut Tx, person: PersonId, ids: &[NoticeId], now: Timestamp) -> Result<u64, Error> {
    let mut sql = Sql::new("update notice set read_at = ");
    sql.value(now).push(" where read_at is null and person_id = ").value(person);
    sql.push(" and id in ").list(ids.iter().copied());
    sql.execute(tx).await
}

/// Notes that a person has read everything up to this notice; how many were new.
pub async fn read_up_to(tx: &mut Tx, person: PersonId, newest: NoticeId, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "update notice set read_at = $3 where read_at is null and person_id = $1 and id <= $2";
    Sql::new(SQL).bind(person).bind(newest).bind(now).execute(tx).await
}
