//! Who belongs to a publisher.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_types::Handle;
use kontor_wire::{Member, MemberList, MemberRole};
use utoipa_axum::routes;

use super::shapes;
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(put))
        .add(Class::Write, routes!(remove))
}

/// The members of a publisher, for its members.
#[utoipa::path(get, path = "/publishers/{p}/members", tag = "members",
    params(("p" = String, Path)), responses((status = 200, body = MemberList)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(publisher): Path<Handle>,
) -> Result<Json<MemberList>, Failure> {
    let members = hub.app.access.members(&caller, &publisher).await?;
    Ok(Json(MemberList { items: members.into_iter().map(shapes::member).collect() }))
}

/// Makes a person a member, or changes their role.
#[utoipa::path(put, path = "/publishers/{p}/members/{person}", tag = "members",
    params(("p" = String, Path), ("person" = String, Path)), request_body = MemberRole,
    responses((status = 200, body = Member)))]
async fn put(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, person)): Path<(Handle, Handle)>,
    Json(role): Json<MemberRole>,
) -> Result<Json<Member>, Failure> {
    let member = hub.app.access.put_member(&caller, &publisher, &person, role.role).await?;
    Ok(Json(shapes::member(member)))
}

/// Ends a membership; members may leave by themselves.
#[utoipa::path(delete, path = "/publishers/{p}/members/{person}", tag = "members",
    params(("p" = String, Path), ("person" = String, Path)), responses((status = 204)))]
async fn remove(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, person)): Path<(Handle, Handle)>,
) -> Result<StatusCode, Failure> {
    hub.app.access.remove_member(&caller, &publisher, &person).await?;
    Ok(StatusCode::NO_CONTENT)
}
