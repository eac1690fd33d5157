//! The caller's password.

use axum::extract::State;
use kontor_access::{Proof, SecretString};
use kontor_wire::{EndedSessions, NewPassword, PasswordState};
use utoipa_axum::routes;

use crate::extract::Json;
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(show)).add(Class::SignIn, routes!(set))
}

/// Whether the caller has a password.
#[utoipa::path(get, path = "/me/password", tag = "sessions", responses((status = 200, body = PasswordState)))]
async fn show(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<PasswordState>, Failure> {
    Ok(Json(PasswordState { set_at: hub.app.access.password_set_at(&caller).await? }))
}

/// Sets or changes the caller's password. Their other sessions end, and their one-time links no longer work; tokens stay.
/// Whoever sends a one-time link need not be signed in. An idempotency key is not looked at: the hub keeps nothing that
/// follows from the password but its Argon2id hash.
#[utoipa::path(put, path = "/me/password", tag = "sessions", request_body = NewPassword,
    responses((status = 200, body = EndedSessions)))]
async fn set(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(wanted): Json<NewPassword>,
) -> Result<Json<EndedSessions>, Failure> {
    let new = SecretString::from(wanted.new);
    let proof = match (wanted.current, wanted.link) {
        (Some(_), Some(_)) => return Err(Failure::invalid("give either `current` or `link`, not both")),
        (Some(current), None) => Proof::Current(current.into()),
        (None, Some(link)) => Proof::Link(code_of(&link).into()),
        (None, None) => Proof::Session,
    };
    Ok(Json(EndedSessions { ended: hub.app.access.set_password(&caller, &new, proof).await? }))
}

/// The code in a one-time link's address, or the code itself.
fn code_of(link: &str) -> String {
    link.trim().rsplit("code=").next().unwrap_or_default().to_owned()
}
