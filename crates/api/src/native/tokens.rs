//! The caller's access tokens.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_access::Lifetime;
use kontor_types::TokenId;
use kontor_wire::{IssuedToken, NewToken, TokenList};
use utoipa_axum::routes;

use super::shapes;
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes, Once};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(create))
        .add(Class::Write, routes!(revoke))
}

/// The caller's tokens, newest first, ended ones included.
#[utoipa::path(get, path = "/tokens", tag = "tokens", responses((status = 200, body = TokenList)))]
async fn list(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<TokenList>, Failure> {
    let tokens = hub.app.access.tokens(&caller).await?;
    Ok(Json(TokenList { items: tokens.into_iter().map(shapes::token).collect() }))
}

/// Makes a token that may do no more than what the caller shows. Its secret is in this answer only.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = IssuedToken)))]
async fn create(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(new): Json<NewToken>,
) -> Result<Once<IssuedToken>, Failure> {
    let issued = hub.app.access.create_token(&caller, wanted(new)?).await?;
    Ok(Once(shapes::issued(issued)))
}

/// Ends a token at once.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", params(("id" = String, Path)),
    responses((status = 204)))]
async fn revoke(State(hub): State<Hub>, Asker(caller): Asker, Path(id): Path<TokenId>) -> Result<StatusCode, Failure> {
    hub.app.access.revoke_token(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A wish for a token as the service takes it.
pub(super) fn wanted(new: NewToken) -> Result<kontor_access::NewToken, Failure> {
    let lifetime = match (new.days, new.no_expiry) {
        (Some(_), true) => return Err(Failure::invalid("give either `days` or `no_expiry`, not both")),
        (Some(days), false) => Lifetime::Days(days),
        (None, true) => Lifetime::Endless,
        (None, false) => Lifetime::Usual,
    };
    let label = if new.label.trim().is_empty() { "unnamed".to_owned() } else { new.label };
    let (scopes, publishers) = (new.scopes, new.publishers);
    Ok(kontor_access::NewToken { label, scopes, publishers, lifetime })
}
