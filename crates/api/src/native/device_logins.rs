//! Signing in: devices that a person approves, and links that open a browser.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_access::{DevicePoll as Polled, ExposeSecret as _, SecretString};
use kontor_types::Scope;
use kontor_wire::{
    DeviceAnswer, DeviceLogin, DevicePoll, DeviceRequest, DeviceState, LoginLink, NewDeviceLogin, NewLoginLink,
};
use utoipa_axum::routes;

use crate::extract::{Json, MaybeJson, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes, Once};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::SignIn, routes!(start))
        .add(Class::SignIn, routes!(poll))
        .add(Class::SignIn, routes!(request))
        .add(Class::SignIn, routes!(approve))
        .add(Class::SignIn, routes!(deny))
        .add(Class::SignIn, routes!(link))
}

/// Begins a sign-in that a person approves elsewhere.
#[utoipa::path(post, path = "/device-logins", tag = "sign-in", request_body = NewDeviceLogin,
    responses((status = 201, body = DeviceLogin)))]
async fn start(State(hub): State<Hub>, Json(new): Json<NewDeviceLogin>) -> Result<Once<DeviceLogin>, Failure> {
    let scopes = if new.scopes.is_empty() { vec![Scope::Read, Scope::Publish] } else { new.scopes };
    let label = if new.label.trim().is_empty() { "a device" } else { &new.label };
    let start = hub.app.access.start_device_login(label, scopes).await?;
    Ok(Once(DeviceLogin {
        device_code: start.device_code.expose_secret().to_owned(),
        user_code: start.user_code,
        verification_url: hub.absolute("/device"),
        expires_at: start.expires_at,
        interval: start.interval.as_secs(),
    }))
}

/// Asks whether a sign-in was approved; the token is in the first answer after that only.
#[utoipa::path(post, path = "/device-logins/token", tag = "sign-in", request_body = DevicePoll,
    responses((status = 200, body = DeviceAnswer)))]
async fn poll(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(poll): Json<DevicePoll>,
) -> Result<(StatusCode, Once<DeviceAnswer>), Failure> {
    let polled = hub.app.access.poll_device_login(&SecretString::from(poll.device_code), &caller).await?;
    let (state, secret) = match polled {
        Polled::Pending => (DeviceState::Pending, None),
        Polled::SlowDown(_) => (DeviceState::SlowDown, None),
        Polled::Approved(secret, _) => (DeviceState::Approved, Some(secret.expose_secret().to_owned())),
        Polled::Denied => (DeviceState::Denied, None),
        Polled::Expired => (DeviceState::Expired, None),
    };
    Ok((StatusCode::OK, Once(DeviceAnswer { state, secret })))
}

/// What the device behind a code asks for.
#[utoipa::path(get, path = "/device-logins/{user_code}", tag = "sign-in", params(("user_code" = String, Path)),
    responses((status = 200, body = DeviceRequest)))]
async fn request(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(code): Path<String>,
) -> Result<Json<DeviceRequest>, Failure> {
    let request = hub.app.access.device_request(&caller, &code).await?;
    Ok(Json(DeviceRequest { label: request.label, scopes: request.scopes, expires_at: request.expires_at }))
}

/// Lets the device sign in as the caller.
#[utoipa::path(post, path = "/device-logins/{user_code}/approve", tag = "sign-in",
    params(("user_code" = String, Path)), responses((status = 204)))]
async fn approve(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(code): Path<String>,
) -> Result<StatusCode, Failure> {
    hub.app.access.decide_device_login(&caller, &code, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Turns the device away.
#[utoipa::path(post, path = "/device-logins/{user_code}/deny", tag = "sign-in",
    params(("user_code" = String, Path)), responses((status = 204)))]
async fn deny(State(hub): State<Hub>, Asker(caller): Asker, Path(code): Path<String>) -> Result<StatusCode, Failure> {
    hub.app.access.decide_device_login(&caller, &code, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a one-time address that signs a browser in: the caller's, or for administrators anybody's.
#[utoipa::path(post, path = "/login-links", tag = "sign-in", request_body = Option<NewLoginLink>,
    responses((status = 201, body = LoginLink)))]
async fn link(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    MaybeJson(new): MaybeJson<NewLoginLink>,
) -> Result<Once<LoginLink>, Failure> {
    let link = hub.app.access.create_sign_in_link(&caller, new.person.as_ref()).await?;
    let url = hub.absolute(&format!("/login?code={}", link.code.expose_secret()));
    Ok(Once(LoginLink { url, expires_at: link.expires_at }))
}
