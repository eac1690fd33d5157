//! Webhooks of a publisher.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_access::{Caller, Publisher};
use kontor_registry::webhooks::EventKind;
use kontor_types::{Code, WebhookId};
use kontor_wire::{NewWebhook, Webhook, WebhookEvent, WebhookList};
use utoipa_axum::routes;

use super::names;
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes, Once};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(make))
        .add(Class::Write, routes!(remove))
}

/// The webhooks of a publisher, oldest first.
#[utoipa::path(get, path = "/publishers/{p}/webhooks", tag = "webhooks", params(("p" = String, Path)),
    responses((status = 200, body = WebhookList)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(handle): Path<String>,
) -> Result<Json<WebhookList>, Failure> {
    let publisher = publisher(&hub, &caller, &handle).await?;
    let webhooks = hub.app.webhooks.list(&caller, &publisher).await?;
    Ok(Json(WebhookList { items: webhooks.into_iter().map(|webhook| shape(webhook, None)).collect() }))
}

/// Makes a webhook; its secret is in this answer and never again.
#[utoipa::path(post, path = "/publishers/{p}/webhooks", tag = "webhooks", params(("p" = String, Path)),
    request_body = NewWebhook, responses((status = 201, body = Webhook)))]
async fn make(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(handle): Path<String>,
    Json(new): Json<NewWebhook>,
) -> Result<Once<Webhook>, Failure> {
    let publisher = publisher(&hub, &caller, &handle).await?;
    let events: Vec<EventKind> = new.events.into_iter().map(kind).collect();
    let made = hub.app.webhooks.make(&caller, &publisher, &new.url, &events).await?;
    Ok(Once(shape(made.webhook, Some(made.secret))))
}

/// Removes a webhook.
#[utoipa::path(delete, path = "/publishers/{p}/webhooks/{id}", tag = "webhooks", params(("p" = String, Path),
    ("id" = String, Path)), responses((status = 204)))]
async fn remove(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((handle, id)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let publisher = publisher(&hub, &caller, &handle).await?;
    let id: WebhookId = id.parse().map_err(|_| Failure::new(Code::NotFound, "there is no such webhook"))?;
    hub.app.webhooks.remove(&caller, &publisher, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn publisher(hub: &Hub, caller: &Caller, handle: &str) -> Result<Publisher, Failure> {
    Ok(hub.app.access.publisher(caller.viewer(), &names::publisher(handle)?).await?.publisher)
}

const fn kind(event: WebhookEvent) -> EventKind {
    match event {
        WebhookEvent::Publish => EventKind::Publish,
        WebhookEvent::Yank => EventKind::Yank,
        WebhookEvent::Decision => EventKind::Decision,
    }
}

fn shape(webhook: kontor_registry::webhooks::Webhook, secret: Option<String>) -> Webhook {
    let event = |word: &String| match EventKind::parse(word)? {
        EventKind::Publish => Some(WebhookEvent::Publish),
        EventKind::Yank => Some(WebhookEvent::Yank),
        EventKind::Decision => Some(WebhookEvent::Decision),
    };
    Webhook {
        id: webhook.id,
        url: webhook.url,
        events: webhook.events.iter().filter_map(event).collect(),
        created_at: webhook.created_at,
        last_status: webhook.last_status.and_then(|status| u16::try_from(status).ok()),
        last_at: webhook.last_at,
        secret,
    }
}
