//! People and organisations that own skills.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_types::{Handle, Role};
use kontor_wire::{NewPublisher, PageQuery, Publisher, PublisherChange, PublisherPage};
use utoipa_axum::routes;

use super::shapes;
use crate::extract::{Json, Path, Query, page_size};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Read, routes!(read))
        .add(Class::Write, routes!(create))
        .add(Class::Write, routes!(change))
}

/// Publishers that the caller may know of, by handle.
#[utoipa::path(get, path = "/publishers", tag = "publishers", params(PageQuery),
    responses((status = 200, body = PublisherPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<PageQuery>,
) -> Result<Json<PublisherPage>, Failure> {
    let size = page_size(query.limit);
    let page = hub.app.access.publishers(caller.viewer(), query.cursor.as_ref(), size).await?;
    let items = page.items.into_iter().map(shapes::publisher).collect();
    Ok(Json(PublisherPage { items, next_cursor: page.next }))
}

/// One publisher.
#[utoipa::path(get, path = "/publishers/{p}", tag = "publishers", params(("p" = String, Path)),
    responses((status = 200, body = Publisher)))]
async fn read(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(handle): Path<Handle>,
) -> Result<Json<Publisher>, Failure> {
    let known = hub.app.access.publisher(caller.viewer(), &handle).await?;
    Ok(Json(shapes::publisher(known)))
}

/// Makes an organisation that the caller owns.
#[utoipa::path(post, path = "/publishers", tag = "publishers", request_body = NewPublisher,
    responses((status = 201, body = Publisher)))]
async fn create(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(new): Json<NewPublisher>,
) -> Result<(StatusCode, Json<Publisher>), Failure> {
    let publisher = hub.app.access.create_organisation(&caller, &new.handle, new.name.as_deref()).await?;
    let known = kontor_access::KnownPublisher { publisher, role: Some(Role::Owner) };
    Ok((StatusCode::CREATED, Json(shapes::publisher(known))))
}

/// Changes the name shown to people, and whether versions must be signed.
#[utoipa::path(patch, path = "/publishers/{p}", tag = "publishers", params(("p" = String, Path)),
    request_body = PublisherChange, responses((status = 200, body = Publisher)))]
async fn change(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(handle): Path<Handle>,
    Json(change): Json<PublisherChange>,
) -> Result<Json<Publisher>, Failure> {
    let known =
        hub.app.access.change_publisher(&caller, &handle, change.name.as_deref(), change.require_signature).await?;
    Ok(Json(shapes::publisher(known)))
}
