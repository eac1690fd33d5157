//! Checkouts: quotes, payments under mandates, refunds, receipts. Every write needs an `Idempotency-Key`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kontor_commerce::Decision;
use kontor_types::{CheckoutId, Code};
use kontor_wire::{
    Checkout, CheckoutDecision, CheckoutList, Completion, NewCheckout, NewRefund, OrderFate, UndecidedCheckout,
    UndecidedList,
};
use utoipa_axum::routes;

use super::money_shapes::{checkout, key, owner, spender, wanted};
use crate::extract::{Json, MaybeJson, Path};
use crate::foreign::{self, Keeping};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// The newest checkouts that are listed.
const MOST: u32 = 200;

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(open))
        .add(Class::Read, routes!(undecided))
        .add(Class::Read, routes!(show))
        .add(Class::Write, routes!(complete))
        .add(Class::Write, routes!(cancel))
        .add(Class::Write, routes!(requote))
        .add(Class::Write, routes!(refund))
        .add(Class::Write, routes!(decide))
        .add(Class::Read, routes!(receipt))
        .add(Class::Read, routes!(proof))
}

/// The caller's newest checkouts.
#[utoipa::path(get, path = "/checkouts", tag = "checkouts", responses((status = 200, body = CheckoutList)))]
async fn list(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<CheckoutList>, Failure> {
    let (person, _) = owner(&caller)?;
    let items = hub.app.commerce.checkouts(person, MOST).await?;
    Ok(Json(CheckoutList { items: items.into_iter().map(checkout).collect() }))
}

/// Asks a merchant for a signed quote and checks it; nothing is held or paid.
#[utoipa::path(post, path = "/checkouts", tag = "checkouts", request_body = NewCheckout,
    responses((status = 201, body = Checkout)))]
async fn open(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    headers: HeaderMap,
    Json(new): Json<NewCheckout>,
) -> Result<(StatusCode, Json<Checkout>), Failure> {
    let (person, _) = spender(&caller)?;
    let quoted = hub.app.commerce.quote(person, &key(&headers)?, wanted(new)).await?;
    Ok((StatusCode::CREATED, Json(checkout(quoted))))
}

/// One checkout of the caller's.
#[utoipa::path(get, path = "/checkouts/{id}", tag = "checkouts", params(("id" = String, Path)),
    responses((status = 200, body = Checkout)))]
async fn show(State(hub): State<Hub>, Asker(caller): Asker, Path(id): Path<String>) -> Result<Json<Checkout>, Failure> {
    let (person, _) = owner(&caller)?;
    Ok(Json(checkout(hub.app.commerce.checkout(person, identified(&id)?).await?)))
}

/// Pays a checkout under a mandate: holds the money, has the merchant take the order, and moves the money or frees it. While the
/// merchant has not said how it ended the answer is 409 with `Retry-After`: ask again with the same key.
#[utoipa::path(post, path = "/checkouts/{id}/complete", tag = "checkouts", params(("id" = String, Path)),
    request_body = Completion, responses((status = 200, body = Checkout)))]
async fn complete(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(completion): Json<Completion>,
) -> Result<Json<Checkout>, Failure> {
    let (person, _) = spender(&caller)?;
    let key = key(&headers)?;
    let done = hub.app.commerce.purchase_once(person, &key, identified(&id)?, completion.mandate).await?;
    Ok(Json(checkout(done)))
}

/// Ends a checkout for which no money is held.
#[utoipa::path(post, path = "/checkouts/{id}/cancel", tag = "checkouts", params(("id" = String, Path)),
    responses((status = 200, body = Checkout)))]
async fn cancel(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<Checkout>, Failure> {
    let (person, _) = spender(&caller)?;
    Ok(Json(checkout(hub.app.commerce.cancel(person, identified(&id)?).await?)))
}

/// Asks for another quote when the one there is has ended.
#[utoipa::path(post, path = "/checkouts/{id}/requote", tag = "checkouts", params(("id" = String, Path)),
    responses((status = 200, body = Checkout)))]
async fn requote(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<Checkout>, Failure> {
    let (person, _) = spender(&caller)?;
    Ok(Json(checkout(hub.app.commerce.requote(person, identified(&id)?).await?)))
}

/// Asks the merchant to take an order back, all that is left of it or a part.
#[utoipa::path(post, path = "/checkouts/{id}/refunds", tag = "checkouts", params(("id" = String, Path)),
    request_body = NewRefund, responses((status = 200, body = Checkout)))]
async fn refund(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    headers: HeaderMap,
    MaybeJson(refund): MaybeJson<NewRefund>,
) -> Result<Json<Checkout>, Failure> {
    let (person, _) = spender(&caller)?;
    let back = hub.app.commerce.refund(person, &key(&headers)?, identified(&id)?, refund.amount).await?;
    Ok(Json(checkout(back)))
}

/// Purchases for which money is held and whose merchants have not said how they ended; for administrators.
#[utoipa::path(get, path = "/checkouts/undecided", tag = "checkouts", responses((status = 200, body = UndecidedList)))]
async fn undecided(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<UndecidedList>, Failure> {
    caller.require_administrator()?;
    let found = hub.app.commerce.undecided().await?;
    let items = found.into_iter().map(|one| UndecidedCheckout {
        buyer: one.buyer,
        asked_at: one.asked_at,
        checkout: checkout(one.checkout),
    });
    Ok(Json(UndecidedList { items: items.collect() }))
}

/// Ends a purchase whose merchant does not answer, ten minutes after it was asked first; for administrators. The merchant is asked
/// once more, and what it says then counts. The audit trail says who decided, and why.
#[utoipa::path(post, path = "/checkouts/{id}/decide", tag = "checkouts", params(("id" = String, Path)),
    request_body = CheckoutDecision, responses((status = 200, body = Checkout)))]
async fn decide(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(said): Json<CheckoutDecision>,
) -> Result<Json<Checkout>, Failure> {
    caller.require_administrator()?;
    let decision = match (said.decision, said.order) {
        (OrderFate::NotTaken, None) => Decision::NotTaken,
        (OrderFate::Taken, Some(order)) => Decision::Taken { order },
        _ => return Err(Failure::invalid("an order that was taken has the merchant's name, another one has none")),
    };
    Ok(Json(checkout(hub.app.commerce.decide(&caller, identified(&id)?, decision, &said.reason).await?)))
}

/// The signed receipt of a paid order: a DSSE envelope.
#[utoipa::path(get, path = "/checkouts/{id}/receipt", tag = "checkouts", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/json", body = serde_json::Value)))]
async fn receipt(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let bytes = written(&hub, &caller, &id).await?;
    Ok(foreign::document(&request, "application/json", bytes, Keeping::Nobody))
}

/// The proof that the receipt of an order is in the hub's log.
#[utoipa::path(get, path = "/checkouts/{id}/proof", tag = "checkouts", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/json", body = serde_json::Value)))]
async fn proof(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let bytes = written(&hub, &caller, &id).await?;
    let proof = hub.app.notary.receipt_proof(&bytes).await.map_err(|error| match error {
        kontor_translog::Error::Waiting => Failure::new(Code::Unavailable, error.to_string()),
        error => Failure::new(Code::Internal, "the proof cannot be made").cause(&error),
    })?;
    let text = proof.to_json().map_err(|_| Failure::new(Code::Internal, "the proof cannot be written"))?;
    Ok(foreign::document(&request, "application/json", text.into_bytes(), Keeping::Nobody))
}

/// The receipt of a paid checkout.
async fn written(hub: &Hub, caller: &kontor_access::Caller, id: &str) -> Result<Vec<u8>, Failure> {
    let (person, _) = owner(caller)?;
    let written = hub.app.commerce.receipt(person, identified(id)?).await?;
    let missing = || Failure::new(Code::NotFound, "there is no receipt of this checkout");
    written.ok_or_else(|| missing().hint("it is written when what was bought is paid and the errand at its end"))
}

/// What is no id names nothing, like an id that nobody has.
fn identified(text: &str) -> Result<CheckoutId, Failure> {
    text.parse().map_err(|_| kontor_commerce::Error::unknown_checkout().into())
}
