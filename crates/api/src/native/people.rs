//! People, for administrators.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_types::Handle;
use kontor_wire::{IssuedToken, NewPerson, NewToken, PageQuery, Person, PersonChange, PersonPage};
use utoipa_axum::routes;

use super::{shapes, tokens};
use crate::extract::{Json, Path, Query, page_size};
use crate::{Asker, Class, Failure, Hub, NativeRoutes, Once};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(create))
        .add(Class::Write, routes!(change))
        .add(Class::Write, routes!(create_token))
}

/// People by handle.
#[utoipa::path(get, path = "/people", tag = "people", params(PageQuery), responses((status = 200, body = PersonPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<PageQuery>,
) -> Result<Json<PersonPage>, Failure> {
    let size = page_size(query.limit);
    let page = hub.app.access.people(&caller, query.cursor.as_ref(), size).await?;
    let items = page.items.into_iter().map(shapes::person).collect();
    Ok(Json(PersonPage { items, next_cursor: page.next }))
}

/// Makes a person and a publisher of the same name that they own.
#[utoipa::path(post, path = "/people", tag = "people", request_body = NewPerson,
    responses((status = 201, body = Person)))]
async fn create(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(new): Json<NewPerson>,
) -> Result<(StatusCode, Json<Person>), Failure> {
    let display_name = new.name.unwrap_or_else(|| new.handle.to_string());
    let new = kontor_access::NewPerson { handle: new.handle, display_name, administrator: new.administrator };
    let person = hub.app.access.create_person(&caller, new).await?;
    Ok((StatusCode::CREATED, Json(shapes::person(person))))
}

/// Changes a person: administrators anything about anyone, people their own name.
#[utoipa::path(patch, path = "/people/{handle}", tag = "people", params(("handle" = String, Path)),
    request_body = PersonChange, responses((status = 200, body = Person)))]
async fn change(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(handle): Path<Handle>,
    Json(change): Json<PersonChange>,
) -> Result<Json<Person>, Failure> {
    let change = kontor_access::PersonChange {
        display_name: change.name,
        administrator: change.administrator,
        disabled: change.disabled,
    };
    let person = hub.app.access.update_person(&caller, &handle, change).await?;
    Ok(Json(shapes::person(person)))
}

/// Makes a token for another person, for example for a service. Its secret is in this answer only.
#[utoipa::path(post, path = "/people/{handle}/tokens", tag = "people", params(("handle" = String, Path)),
    request_body = NewToken, responses((status = 201, body = IssuedToken)))]
async fn create_token(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(handle): Path<Handle>,
    Json(new): Json<NewToken>,
) -> Result<Once<IssuedToken>, Failure> {
    let issued = hub.app.access.create_token_for(&caller, &handle, tokens::wanted(new)?).await?;
    Ok(Once(shapes::issued(issued)))
}
