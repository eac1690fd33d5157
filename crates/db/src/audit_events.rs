//! The audit trail: who wrote what, when, from where; rows are only ever added.

use kontor_types::{AuditId, PageSize, PersonId, PublisherId, Role, SkillRef, Timestamp, TokenId, Viewer};
use serde_json::Value;

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

/// One line of the trail, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Its id.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it; `None` for the hub itself.
    pub person: Option<PersonId>,
    /// With which token; `None` for a browser session or the hub.
    pub token: Option<TokenId>,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// The publisher it concerns.
    pub publisher: Option<PublisherId>,
    /// What it was done to, as people write it.
    pub subject: String,
    /// More facts; never a secret.
    pub detail: Value,
    /// The address the request came from.
    pub address: Option<String>,
    /// The request's id, as in errors and logs.
    pub request_id: Option<String>,
}

/// Adds a line.
pub async fn insert(tx: &mut Tx, event: &NewEvent) -> Result<(), Error> {
    const SQL: &str = "insert into audit_event
            (id, at, person_id, token_id, action, publisher_id, subject, detail, address, request_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    Sql::new(SQL)
        .bind(event.id)
        .bind(event.at)
        .bind(event.person)
        .bind(event.token)
        .bind(&event.action)
        .bind(event.publisher)
        .bind(&event.subject)
        .bind(&event.detail)
        .bind(event.address.as_ref())
        .bind(event.request_id.as_ref())
        .run(tx)
        .await
}

record! {
    /// One line of the trail, as it is read.
    pub struct AuditEvent {
        /// Its id.
        pub id: AuditId,
        /// When it happened.
        pub at: Timestamp,
        /// Who did it; `None` for the hub itself.
        pub person_id: Option<PersonId>,
        /// That person's handle.
        pub person: Option<String>,
        /// With which token.
        pub token_id: Option<TokenId>,
        /// What was done, as `noun.verb`.
        pub action: String,
        /// The handle of the publisher it concerns.
        pub publisher: Option<String>,
        /// What it was done to.
        pub subject: String,
        /// More facts.
        pub detail: Value,
        /// The address the request came from.
        pub address: Option<String>,
        /// The request's id.
        pub request_id: Option<String>,
    }
}

/// Which lines to read; an empty filter reads all that the viewer may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what this person did.
    pub person: Option<PersonId>,
    /// Only what concerns this publisher.
    pub publisher: Option<PublisherId>,
    /// Only this action (`token.revoke`), or all of one noun (`token`).
    pub action: Option<String>,
    /// Only what was done to this subject; of a skill, `@acme/pdf`, also to its versions and under its former names.
    pub subject: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

const COLUMNS: &str = "select e.id, e.at, e.person_id, p.handle as person, e.token_id, e.action, o.handle as publisher,
    e.subject, e.detail, e.address, e.request_id
    from audit_event e left join person p on p.id = e.person_id left join publisher o on o.id = e.publisher_id where ";

/// Most publishers that are looked at one by one; more are looked at in groups.
const GROUPS: usize = 100;

/// Lines that the viewer may see, newest first, before `before`; one more than the page has.
///
/// An administrator sees all; others see what they did and what concerns publishers that they administer.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    filter: &Filter,
    before: Option<(Timestamp, AuditId)>,
    size: PageSize,
) -> Result<Vec<AuditEvent>, Error> {
    let subjects = subjects(conn, filter.subject.as_deref()).await?;
    let page = |sql: &mut Sql| page(sql, filter, &subjects, before, size);
    let mut sql = Sql::new(COLUMNS);
    if viewer.is_administrator() {
        sql.push("true");
        page(&mut sql);
    } else if let Some(person) = viewer.person_id() {
        // A page of each side of the trail, which its own index finds; then the newest among them.
        const SIDE: &str = "select id from (select e.id from audit_event e where ";
        sql.push("e.id in (").push(SIDE).push("e.person_id = ").value(person);
        page(&mut sql);
        let administered = administered(viewer);
        for group in administered.chunks(administered.len().div_ceil(GROUPS).max(1)) {
            sql.push(") side union ").push(SIDE).push("e.publisher_id in ").list(group.iter().copied());
            page(&mut sql);
        }
        sql.push(") side) order by e.at desc, e.id desc limit ").value(size.and_one());
    } else {
        return Ok(Vec::new());
    }
    sql.all(conn).await
}

fn administered(viewer: &Viewer) -> Vec<PublisherId> {
    let administers = |id: &PublisherId| viewer.role_in(*id).is_some_and(|role| role.includes(Role::Admin));
    viewer.member_of().filter(administers).collect()
}

/// As what a subject stands in the trail, each with its versions or not.
type Subjects = Vec<(String, bool)>;

/// Most former names of a skill that are looked for.
const MOST_NAMES: u32 = 64;

/// The subject as it was asked for; of a skill also what it is and was called.
async fn subjects(conn: &mut Conn, asked: Option<&str>) -> Result<Subjects, Error> {
    const NAMES: &str = "select distinct '@' || p.handle || '/' || n.slug from skill_name asked
        join publisher owner on owner.id = asked.publisher_id join skill_name n on n.skill_id = asked.skill_id
        join publisher p on p.id = n.publisher_id where owner.handle = ";
    let Some(asked) = asked else { return Ok(Vec::new()) };
    let Some((publisher, slug, version)) = asked.parse::<SkillRef>().ok().and_then(|reference| {
        let version = reference.version.map(|version| format!("@{version}")).unwrap_or_default();
        Some((reference.publisher?, reference.slug, version))
    }) else {
        return Ok(vec![(asked.to_owned(), false)]);
    };
    let mut sql = Sql::new(NAMES);
    sql.value(&publisher).push(" and asked.slug = ").value(&slug).push(" limit ").value(MOST_NAMES);
    let mut names: Vec<String> = sql.column(conn).await?;
    names.push(format!("@{publisher}/{slug}"));
    let whole = version.is_empty();
    Ok(names.into_iter().map(|name| (format!("{name}{version}"), whole)).collect())
}

fn page(sql: &mut Sql, filter: &Filter, subjects: &Subjects, before: Option<(Timestamp, AuditId)>, size: PageSize) {
    restrict(sql, filter);
    if !subjects.is_empty() {
        sql.push(" and (e.subject in ").list(subjects.iter().map(|(name, _)| name.as_str()));
        for (name, _) in subjects.iter().filter(|(_, whole)| *whole) {
            // No name has a character that stands for others.
            sql.push(" or e.subject like ").value(format!("{name}@%"));
        }
        sql.push(")");
    }
    if let Some((at, id)) = before {
        sql.push(" and (e.at, e.id) < (").value(at).push(", ").value(id).push(")");
    }
    sql.push(" order by e.at desc, e.id desc limit ").value(size.and_one());
}

fn restrict(sql: &mut Sql, filter: &Filter) {
    if let Some(person) = filter.person {
        sql.push(" and e.person_id = ").value(person);
    }
    if let Some(publisher) = filter.publisher {
        sql.push(" and e.publisher_id = ").value(publisher);
    }
    match &filter.action {
        Some(action) if action.contains('.') => {
            sql.push(" and e.action = ").value(action);
        }
        // `/` follows `.`, so this range holds every action of the noun.
        Some(noun) => {
            sql.push(" and e.action >= ").value(format!("{noun}.")).push(" and e.action < ").value(format!("{noun}/"));
        }
        None => {}
    }
    if let Some(since) = filter.since {
        sql.push(" and e.at >= ").value(since);
    }
    if let Some(until) = filter.until {
        sql.push(" and e.at < ").value(until);
    }
}
