//! A server of fixtures for the conformance suite of the Model Context Protocol, behind the hub's own front.
//!
//! The suite asks for tools, prompts and resources that no hub has. Here they are answered through the same front and the
//! same transport as `/mcp`. Nothing of this is part of the product. It prints its address and ends with its input.
//!
//! With `--sessions` the library's transport with sessions stands behind the front in place of ours: scenarios in which a
//! server asks its client something in the middle of a call cannot be played without one before revision 2026-07-28.

mod server;

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, Method};
use kontor_app::{App, Settings};
use kontor_front::{Class, Config, Hub, Routes};
use kontor_types::SystemClock;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use server::Fixtures;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const PATH: &str = "/mcp";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let with_sessions = std::env::args().any(|argument| argument == "--sessions");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let folder = tempfile::tempdir()?;
    let app = App::open(Settings::in_folder(folder.path()), Arc::new(SystemClock)).await?;
    let hub = Hub::new(app, Config::new(address.parse()?));
    hub.health.set_serving();
    let router = if with_sessions { sessions(&hub) } else { without_sessions(&hub) };
    writeln!(std::io::stdout(), "{address}{PATH}")?;
    let stop = CancellationToken::new();
    let ended = stop.clone();
    tokio::spawn(async move {
        let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
        ended.cancel();
    });
    kontor_front::serve(listener, router, stop, Duration::from_secs(1)).await;
    Ok(())
}

/// Each message for itself, exactly as the hub answers.
fn without_sessions(hub: &Hub) -> Router {
    let answer = |headers: HeaderMap, body: Bytes| async move {
        kontor_api::answer_mcp(Fixtures::default(), headers, body).await
    };
    kontor_front::router(hub, Routes::new().on(&Method::POST, PATH, Class::Read, answer), kontor_web::failed)
}

/// The library's own sessions behind the front, which has checked Host and Origin.
fn sessions(hub: &Hub) -> Router {
    let config = StreamableHttpServerConfig::default().disable_allowed_hosts().disable_allowed_origins();
    let make = || Ok(Fixtures::default());
    let service = StreamableHttpService::new(make, Arc::new(LocalSessionManager::default()), config);
    let routes = [Method::POST, Method::GET, Method::DELETE].into_iter().fold(Routes::new(), |routes, method| {
        let service = service.clone();
        let answer = move |request: Request| async move {
            let mut response = service.handle(request).await.map(Body::new);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
            response
        };
        routes.on(&method, PATH, Class::Read, answer)
    });
    kontor_front::router(hub, routes, kontor_web::failed)
}
