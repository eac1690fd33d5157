//! HTTP: native, clawhub, well-known, MCP, device sign-in, operations.
//!
//! A theme brings its routes as [`Routes`] or, in the native API, as [`NativeRoutes`]; each route has a [`Class`]. Handlers
//! take [`Hub`] as state and [`Asker`] for who asks, and fail with [`Failure`], which looks as its [`Surface`] needs.

mod clawhub;
pub mod config;
pub mod extract;
mod failure;
pub mod foreign;
mod front;
mod hub;
mod lanes;
mod log;
mod mcp;
mod measure;
mod native;
mod openai;
mod operations;
pub mod pages;
mod routes;
mod serve;
mod sign_in;
mod well_known;

pub use config::Config;
pub use failure::Failure;
pub use front::{Asked, Asker, Once};
pub use hub::{Health, Hub, Inner};
pub use mcp::{MCP_TOOLS, answer as answer_mcp};
pub use native::openapi;
pub use routes::{Class, NativeRoutes, Route, Routes, Surface, table};
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

/// Everything the hub answers.
pub fn router(hub: &Hub) -> Router {
    fronted(hub, native::routes().router().merge(others().router))
}

/// Routes of somebody else's making behind the same front: for servers that exist in tests only.
pub fn fronted_routes(hub: &Hub, routes: Routes) -> Router {
    fronted(hub, routes.router)
}

fn fronted(hub: &Hub, routes: Router<Hub>) -> Router {
    let compressible = SizeAbove::new(WORTH_COMPRESSING)
        .and(NotForContentType::new("application/zip"))
        .and(NotForContentType::new("application/octet-stream"))
        .and(NotForContentType::IMAGES)
        .and(is_public);
    routes
        .fallback(|| async { Failure::not_found() })
        .method_not_allowed_fallback(|| async { wrong_method() })
        // As one layer: each costs a box and a copy of everything below it, at every request.
        .layer((
            CompressionLayer::new().gzip(true).compress_when(compressible),
            from_fn_with_state(hub.clone(), front::enter),
        ))
        .with_state(hub.clone())
}

/// What holds a secret beside what somebody typed must not be compressed: its length would tell.
fn is_public(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let keeping = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    !keeping.contains("no-store")
}

/// Every route outside the native API.
fn others() -> Routes {
    operations::routes()
        .and(log::routes())
        .and(sign_in::routes())
        .and(mcp::routes())
        .and(openai::routes())
        .and(clawhub::routes())
        .and(well_known::routes())
        .and(pages::routes())
}

fn wrong_method() -> (StatusCode, Failure) {
    let failure = Failure::new(Code::MethodNotAllowed, "this address does not answer that method");
    (StatusCode::METHOD_NOT_ALLOWED, failure)
}
