//! The review queue.

use axum::extract::State;
use kontor_access::Caller;
use kontor_registry::ReviewFilter;
use kontor_types::{Code, ReviewId};
use kontor_wire::{ReviewAct, ReviewDetail, ReviewPage, ReviewQuery};
use utoipa_axum::routes;

use super::trust_shapes as shapes;
use crate::extract::{Json, Path, Query, page_size};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(list)).add(Class::Read, routes!(show)).add(Class::Write, routes!(act))
}

/// Reviews that the caller may take part in, the oldest first.
#[utoipa::path(get, path = "/reviews", tag = "reviews", params(ReviewQuery),
    responses((status = 200, body = ReviewPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<ReviewQuery>,
) -> Result<Json<ReviewPage>, Failure> {
    let filter = ReviewFilter { state: query.state.map(shapes::asked_state), of: query.reference };
    let size = page_size(query.limit);
    let page = hub.app.registry.reviews(&caller, &filter, size, query.cursor.as_ref()).await?;
    Ok(Json(ReviewPage { items: page.items.into_iter().map(shapes::review).collect(), next_cursor: page.next }))
}

/// One review, with what was found and what was said.
#[utoipa::path(get, path = "/reviews/{id}", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = ReviewDetail)))]
async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<ReviewDetail>, Failure> {
    Ok(Json(detail(&hub, &caller, identified(&id)?).await?))
}

/// Does something in a review: claim, release, comment, approve, reject, changes.
#[utoipa::path(post, path = "/reviews/{id}/notes", tag = "reviews", params(("id" = String, Path)),
    request_body = ReviewAct, responses((status = 200, body = ReviewDetail)))]
async fn act(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(act): Json<ReviewAct>,
) -> Result<Json<ReviewDetail>, Failure> {
    let id = identified(&id)?;
    hub.app.registry.act_on_review(&caller, id, shapes::asked_deed(act.kind), &act.text).await?;
    Ok(Json(detail(&hub, &caller, id).await?))
}

fn identified(id: &str) -> Result<ReviewId, Failure> {
    id.parse().map_err(|_| Failure::new(Code::NotFound, "there is no such review"))
}

async fn detail(hub: &Hub, caller: &Caller, id: ReviewId) -> Result<ReviewDetail, Failure> {
    let registry = &hub.app.registry;
    let of = registry.review(caller, id).await?;
    let found = registry.reviewed(caller, id).await?;
    let assessment = shapes::assessment(&found, registry.assessment(&found.version).await?, usize::MAX);
    Ok(ReviewDetail {
        review: shapes::review(of.review),
        assessment,
        notes: of.notes.into_iter().map(shapes::note).collect(),
    })
}
