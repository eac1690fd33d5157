//! The audit trail.

use axum::extract::State;
use kontor_access::AuditFilter;
use kontor_wire::{AuditPage, AuditQuery};
use utoipa_axum::routes;

use super::shapes;
use crate::extract::{Json, Query, page_size};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(list))
}

/// What was done, newest first: administrators see all, others their own deeds and those in publishers they administer.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditQuery), responses((status = 200, body = AuditPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditPage>, Failure> {
    let size = page_size(query.limit);
    let filter = AuditFilter {
        person: query.person,
        publisher: query.publisher,
        action: query.action,
        subject: query.subject,
        since: query.since,
        until: query.until,
    };
    let page = hub.app.access.audit(&caller, filter, query.cursor.as_ref(), size).await?;
    Ok(Json(AuditPage { items: page.items.into_iter().map(shapes::audit).collect(), next_cursor: page.next }))
}
