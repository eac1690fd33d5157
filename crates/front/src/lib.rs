//! What every request meets before and after its handler, whichever surface it asks.
//!
//! A surface brings its routes as [`Routes`]; each route has a [`Class`]. Handlers take [`Hub`] as state and [`Asker`] for
//! who asks, and fail with [`Failure`], which looks as its [`Surface`] needs. [`router`] puts the surfaces together.

mod address;
mod asked;
pub mod config;
mod cookie;
mod enter;
pub mod extract;
mod failure;
pub mod foreign;
mod guard;
mod hub;
mod idempotency;
mod lanes;
mod limiter;
pub mod measure;
mod origin;
mod request_id;
mod routes;
mod serve;

pub use asked::{Asked, Asker, COOKIE};
pub use config::Config;
pub use cookie::{clear as clear_session, set as set_session};
pub use failure::{Failure, FailurePage, finding, openai_error};
pub use guard::guard;
pub use hub::{Health, Hub, Inner};
pub use idempotency::{Keyed, Once};
pub use routes::{Class, DEVICE_PAGE, LOGIN_PAGE, MCP_PATH, OPENAI_BASE, Route, Routes, Surface};
pub use serve::serve;

use axum::Router;
use axum::http::header::CACHE_CONTROL;
use axum::http::{Extensions, HeaderMap, StatusCode, Version};
use axum::middleware::from_fn_with_state;
use kontor_types::Code;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

/// Bytes below which compressing costs more than it saves.
const WORTH_COMPRESSING: u64 = 1_024;

/// These routes behind the front; `page` tells people with a browser of failures.
pub fn router(hub: &Hub, routes: Routes, page: FailurePage) -> Router {
    let compressible = SizeAbove::new(WORTH_COMPRESSING)
        .and(NotForContentType::new("application/zip"))
        .and(NotForContentType::new("application/octet-stream"))
        .and(NotForContentType::IMAGES)
        .and(is_public);
    routes
        .router
        .fallback(|| async { Failure::not_found() })
        .method_not_allowed_fallback(|| async { wrong_method() })
        // As one layer: each costs a box and a copy of everything below it, at every request.
        .layer((
            CompressionLayer::new().gzip(true).compress_when(compressible),
            from_fn_with_state((hub.clone(), page), enter::enter),
        ))
        .with_state(hub.clone())
}

/// What holds a secret beside what somebody typed must not be compressed: its length would tell.
fn is_public(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let keeping = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    !keeping.contains("no-store")
}

fn wrong_method() -> (StatusCode, Failure) {
    let failure = Failure::new(Code::MethodNotAllowed, "this address does not answer that method");
    (StatusCode::METHOD_NOT_ALLOWED, failure)
}
