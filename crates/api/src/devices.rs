//! Device sign-in as ClawHub clients speak it: RFC 8628 with JSON bodies. People approve devices on a page.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use kontor_access::{DevicePoll, ExposeSecret as _, SecretString};
use kontor_types::Scope;
use serde::{Deserialize, Serialize};
use serde_json::json;

use kontor_front::DEVICE_PAGE;

use crate::extract::Json;
use crate::{Asker, Class, Failure, Hub, Routes};

/// What a device calls itself when it does not say.
const NAMELESS: &str = "a command-line client";
const LONGEST_LABEL: usize = 100;

pub(crate) fn routes() -> Routes {
    Routes::new().on(&Method::POST, "/api/cli/device/code", Class::SignIn, start).on(
        &Method::POST,
        "/api/cli/device/token",
        Class::SignIn,
        poll,
    )
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Start {
    scope: String,
    label: String,
}

#[derive(Debug, Serialize)]
struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

#[derive(Debug, Deserialize)]
struct Poll {
    device_code: String,
}

/// `POST /api/cli/device/code`
async fn start(State(hub): State<Hub>, Json(start): Json<Start>) -> Result<Json<Started>, Failure> {
    let started = hub.app.access.start_device_login(&label(&start.label), scopes(&start.scope)).await?;
    Ok(Json(Started {
        device_code: started.device_code.expose_secret().to_owned(),
        verification_uri: hub.absolute(DEVICE_PAGE),
        verification_uri_complete: hub.absolute(&format!("{DEVICE_PAGE}?code={}", started.user_code)),
        user_code: started.user_code,
        expires_in: started.expires_in.as_secs(),
        interval: started.interval.as_secs(),
    }))
}

/// `POST /api/cli/device/token`
async fn poll(State(hub): State<Hub>, Asker(caller): Asker, Json(poll): Json<Poll>) -> Result<Response, Failure> {
    let answer = match hub.app.access.poll_device_login(&SecretString::from(poll.device_code), &caller).await? {
        DevicePoll::Approved(secret, granted) => {
            let granted: Vec<&str> = granted.iter().map(|scope| scope.as_str()).collect();
            let token = json!({
                "access_token": secret.expose_secret(), "token_type": "bearer", "scope": granted.join(" "),
            });
            return Ok(axum::Json(token).into_response());
        }
        DevicePoll::Pending => json!({"error": "authorization_pending"}),
        DevicePoll::SlowDown(wait) => json!({"error": "slow_down", "interval": wait.as_secs()}),
        DevicePoll::Denied => json!({"error": "access_denied"}),
        DevicePoll::Expired => json!({"error": "expired_token"}),
    };
    Ok((StatusCode::BAD_REQUEST, axum::Json(answer)).into_response())
}

/// A label in one line of ours, whatever was sent.
fn label(text: &str) -> String {
    let label: String = text.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_LABEL).collect();
    if label.trim().is_empty() { NAMELESS.to_owned() } else { label }
}

/// The clients ask for `read write`; what they mean by writing is publishing. Unknown words ask for nothing.
fn scopes(words: &str) -> Vec<Scope> {
    let known = |word: &str| match word {
        "write" => Some(Scope::Publish),
        other => other.parse().ok(),
    };
    let asked: Vec<Scope> = words.split_whitespace().filter_map(known).collect();
    if asked.is_empty() { vec![Scope::Read, Scope::Publish] } else { asked }
}
