//! The audit trail: who wrote what, when, from where; rows are only ever added.

use kontor_types::{AuditId, PageSize, PersonId, PublisherId, Role, Timestamp, TokenId, Viewer};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;

use crate::columns::{NullableId, placeholders};
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
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(event.id.uuid())
            .bind(event.at.micros())
            .bind(event.person.map(PersonId::uuid))
            .bind(event.token.map(TokenId::uuid))
            .bind(&event.action)
            .bind(event.publisher.map(PublisherId::uuid))
            .bind(&event.subject)
            .bind(Json(&event.detail))
            .bind(event.address.as_deref())
            .bind(event.request_id.as_deref())
    )?;
    Ok(())
}

/// One line of the trail, as it is read.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AuditEvent {
    /// Its id.
    #[sqlx(try_from = "uuid::Uuid")]
    pub id: AuditId,
    /// When it happened.
    #[sqlx(try_from = "i64")]
    pub at: Timestamp,
    /// Who did it; `None` for the hub itself.
    #[sqlx(try_from = "NullableId")]
    pub person_id: Option<PersonId>,
    /// That person's handle.
    pub person: Option<String>,
    /// With which token.
    #[sqlx(try_from = "NullableId")]
    pub token_id: Option<TokenId>,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// The handle of the publisher it concerns.
    pub publisher: Option<String>,
    /// What it was done to.
    pub subject: String,
    /// More facts.
    #[sqlx(json)]
    pub detail: Value,
    /// The address the request came from.
    pub address: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
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
    /// Only what was done to this subject.
    pub subject: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

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
    let administered: Vec<uuid::Uuid> =
        viewer.member_of().filter(|id| administers(viewer, *id)).map(PublisherId::uuid).collect();
    let sql = list_sql(viewer, filter, administered.len());
    let (at, id) = before.unwrap_or((Timestamp::from_micros(i64::MAX), AuditId::from(uuid::Uuid::max())));
    Ok(on!(conn, |c| {
        let query = sqlx::query_as(AssertSqlSafe(sql))
            .bind(filter.person.map(PersonId::uuid))
            .bind(filter.publisher.map(PublisherId::uuid))
            .bind(filter.action.as_deref())
            .bind(filter.subject.as_deref())
            .bind(filter.since.map_or(i64::MIN, Timestamp::micros))
            .bind(filter.until.map_or(i64::MAX, Timestamp::micros))
            .bind(at.micros())
            .bind(id.uuid())
            .bind(size.and_one())
            .bind(viewer.person_id().map(PersonId::uuid));
        administered.iter().fold(query, sqlx::query::QueryAs::bind).fetch_all(c)
    })?)
}

fn administers(viewer: &Viewer, publisher: PublisherId) -> bool {
    viewer.role_in(publisher).is_some_and(|role| role.includes(Role::Admin))
}

fn list_sql(viewer: &Viewer, filter: &Filter, administered: usize) -> String {
    let exact_action = filter.action.as_ref().is_some_and(|action| action.contains('.'));
    // One condition without alternatives first: that is what an index can serve.
    let lead = match filter {
        Filter { person: Some(_), .. } => "e.person_id = $1",
        Filter { publisher: Some(_), .. } => "e.publisher_id = $2",
        _ if exact_action => "e.action = $3",
        _ => "true",
    };
    let sight = match administered {
        _ if viewer.is_administrator() => "($10 is null or true)".to_owned(),
        0 => "e.person_id = $10".to_owned(),
        count => format!("(e.person_id = $10 or e.publisher_id in ({}))", placeholders(11, count)),
    };
    format!(
        "select e.id, e.at, e.person_id, p.handle as person, e.token_id, e.action, o.handle as publisher, e.subject,
            e.detail, e.address, e.request_id
        from audit_event e left join person p on p.id = e.person_id left join publisher o on o.id = e.publisher_id
        where {lead} and {sight} and ($1 is null or e.person_id = $1) and ($2 is null or e.publisher_id = $2)
            and ($3 is null or e.action = $3 or substr(e.action, 1, length($3) + 1) = $3 || '.')
            and ($4 is null or e.subject = $4) and e.at >= $5 and e.at < $6 and (e.at, e.id) < ($7, $8)
        order by e.at desc, e.id desc limit $9"
    )
}
