//! Webhooks: addresses that are told of events.

use kontor_types::{PersonId, PublisherId, Timestamp, Viewer, WebhookId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// One webhook.
    pub struct Webhook {
        /// Its id.
        pub id: WebhookId,
        /// Whose events it is told of; `None` for those of the whole hub.
        pub publisher_id: Option<PublisherId>,
        /// Where the events go.
        pub url: String,
        /// Which kinds of events.
        pub events: Vec<String>,
        /// Who made it.
        pub created_by: PersonId,
        /// When.
        pub created_at: Timestamp,
        /// When it was switched off.
        pub disabled_at: Option<Timestamp>,
        /// The HTTP status of the last delivery, 0 when there was no answer.
        pub last_status: Option<i64>,
        /// When the last delivery was tried.
        pub last_at: Option<Timestamp>,
    }
}

/// A webhook to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose events it is told of.
    pub publisher_id: Option<PublisherId>,
    /// Where the events go.
    pub url: String,
    /// Which kinds of events.
    pub events: Vec<String>,
    /// Who makes it.
    pub created_by: PersonId,
    /// When.
    pub now: Timestamp,
}

const SELECT: &str = "select id, publisher_id, url, events, created_by, created_at, disabled_at, last_status, last_at
    from webhook where ";

/// The webhooks of a publisher, or of the whole hub with `None`, the oldest first.
pub async fn list(conn: &mut Conn, viewer: &Viewer, publisher: Option<PublisherId>) -> Result<Vec<Webhook>, Error> {
    if !may_manage(viewer, publisher) {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(SELECT);
    match publisher {
        Some(publisher) => sql.push("publisher_id = ").value(publisher),
        None => sql.push("publisher_id is null"),
    };
    sql.push(" order by id");
    sql.all(conn).await
}

fn may_manage(viewer: &Viewer, publisher: Option<PublisherId>) -> bool {
    let maintains = |publisher| viewer.maintainer_of().any(|own| own == publisher);
    viewer.is_administrator() || publisher.is_some_and(maintains)
}

/// One webhook that the viewer may manage.
pub async fn find(conn: &mut Conn, viewer: &Viewer, id: WebhookId) -> Result<Option<Webhook>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("id = ").value(id).push(" and ");
    let publishers: Vec<PublisherId> = viewer.maintainer_of().collect();
    if viewer.is_administrator() {
        sql.push("(true)");
    } else if publishers.is_empty() {
        sql.push("(false)");
    } else {
        sql.push("publisher_id in ").list(publishers);
    }
    sql.optional(conn).await
}

/// The webhooks that are told of a publisher's events: its own and those of the whole hub.
pub async fn listening(conn: &mut Conn, publisher: PublisherId) -> Result<Vec<Webhook>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("disabled_at is null and (publisher_id = ").value(publisher);
    sql.push(" or publisher_id is null) order by id");
    sql.all(conn).await
}

/// Makes a webhook.
pub async fn insert(tx: &mut Tx, webhook: &NewWebhook) -> Result<(), Error> {
    const SQL: &str = "insert into webhook (id, publisher_id, url, events, created_by, created_at)
        values ($1, $2, $3, $4, $5, $6)";
    Sql::new(SQL)
        .bind(webhook.id)
        .bind(webhook.publisher_id)
        .bind(&webhook.url)
        .bind(&webhook.events)
        .bind(webhook.created_by)
        .bind(webhook.now)
        .run(tx)
        .await
}

/// Notes how a delivery went.
pub async fn note_delivery(tx: &mut Tx, id: WebhookId, status: i64, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "update webhook set last_status = $2, last_at = $3 where id = $1";
    Sql::new(SQL).bind(id).bind(status).bind(now).run(tx).await
}

/// Switches a webhook off, or on again with `None`.
pub async fn set_disabled(tx: &mut Tx, id: WebhookId, at: Option<Timestamp>) -> Result<(), Error> {
    Sql::new("update webhook set disabled_at = $2 where id = $1").bind(id).bind(at).run(tx).await
}

/// Removes a webhook; `false` when there was none.
pub async fn remove(tx: &mut Tx, id: WebhookId) -> Result<bool, Error> {
    Sql::new("delete from webhook where id = $1").bind(id).changed(tx).await
}
