//! The hub as agents' clients reach it: the Model Context Protocol over Streamable HTTP at `/mcp`, without sessions.
//!
//! Each message is answered by itself, in the name of whoever sends it: every tool and every resource asks the same services
//! as the other surfaces, with the caller's rights and the policy of this hub. Only a bearer token says who asks; the front
//! has already checked Host and Origin, and no cookie counts here.

mod allowed;
mod ask;
mod cut;
mod entry;
mod refusal;
mod resources;
mod run;
mod server;
mod skill_uri;
mod tools;
pub(crate) mod typed;
mod untrusted;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Method, Request};
use axum::response::Response;
use http_body_util::Full;
use kontor_registry::Found;
use kontor_types::Code;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde::Deserialize;

use crate::extract::Query;
use crate::{Asker, Class, Failure, Hub, Routes};
use allowed::Allowed;
use server::Server;

/// Where the surface is.
pub(crate) const PATH: &str = kontor_front::MCP_PATH;

/// Messages come with POST alone: nothing is told without being asked, so there is no stream to open and no session to end.
pub(crate) fn routes() -> Routes {
    Routes::new().on(&Method::POST, PATH, Class::Read, message)
}

/// What the address says beside the message.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    /// The tools that the client's owner lets it use, separated by commas; all when left out.
    tools: Option<String>,
}

/// `POST /mcp[?tools=…]`
async fn message(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(options): Query<Options>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let body = body.map_err(|_| Failure::new(Code::TooLarge, "the message is larger than allowed here"))?;
    let allowed = options.tools.as_deref().map_or_else(|| Ok(Allowed::all()), Allowed::only)?;
    answer(Server::new(hub, caller, allowed), headers, body).await
}

/// What the tools of a version are called here, in the order of its manifest.
pub(crate) async fn tool_names(hub: &Hub, found: &Found) -> Result<Vec<String>, Failure> {
    Ok(typed::of(hub, found).await?.iter().map(|typed| typed.tool.name.to_string()).collect())
}

pub(crate) use run::asked;
/// The tools that every hub has.
pub use tools::NAMES as MCP_TOOLS;

/// Answers one message with this server, as `/mcp` does.
///
/// # Errors
/// When what came is no message in JSON.
pub async fn answer<S>(server: S, headers: HeaderMap, body: Bytes) -> Result<Response, Failure>
where
    S: ServerHandler + Clone + Sync,
{
    let request = forwarded(headers, body)?;
    let service =
        StreamableHttpService::new(move || Ok(server.clone()), Arc::new(NeverSessionManager::default()), config());
    let mut response = service.handle(request).await.map(Body::new);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

/// Every message for itself, answered with JSON; a stream only where something is told before the answer.
fn config() -> StreamableHttpServerConfig {
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        // The front has checked both against the public address.
        .disable_allowed_hosts()
        .disable_allowed_origins()
        // The route's class has limited the body.
        .with_max_request_body_bytes(usize::MAX)
}

/// The message with the headers that mean something to the protocol.
fn forwarded(mut headers: HeaderMap, body: Bytes) -> Result<Request<Full<Bytes>>, Failure> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Failure::new(Code::UnsupportedMediaType, "a message is JSON").hint("send application/json"));
    }
    if takes_json(&headers) {
        // What is answered is JSON unless something is told on the way, so who takes JSON is content.
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    }
    for name in [AUTHORIZATION, ORIGIN] {
        headers.remove(name);
    }
    headers.insert(HOST, HeaderValue::from_static("localhost"));
    let mut request = Request::post(PATH)
        .body(Full::new(body))
        .map_err(|error| Failure::new(Code::Internal, "the message cannot be passed on").cause(&error))?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn takes_json(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers.get(ACCEPT) else { return true };
    let accepted = accepted.to_str().unwrap_or_default();
    ["application/json", "application/*", "*/*"].iter().any(|kind| accepted.contains(kind))
}
