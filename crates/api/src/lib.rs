//! HTTP: native, clawhub, well-known, MCP, device sign-in, operations. People's pages are in `kontor-web`.
//!
//! A theme brings its routes as [`Routes`] or, in the native API, as [`NativeRoutes`]; each route has a [`Class`]. Handlers
//! take [`Hub`] as state and [`Asker`] for who asks, and fail with [`Failure`]; all of these are of `kontor-front`.

mod clawhub;
mod devices;
mod log;
mod mcp;
mod native;
mod openai;
mod operations;
mod routes;
mod well_known;

pub use mcp::{MCP_TOOLS, answer as answer_mcp};
pub use native::{openapi, skill_document};
pub use routes::NativeRoutes;

use kontor_front::{Asked, Asker, Class, Failure, Hub, Keyed, Once, Routes, extract, foreign, measure};

/// Every route of the hub but its pages.
pub fn routes() -> Routes {
    native::routes()
        .routes()
        .and(operations::routes())
        .and(log::routes())
        .and(devices::routes())
        .and(mcp::routes())
        .and(openai::routes())
        .and(clawhub::routes())
        .and(well_known::routes())
}
