//! A hub in this process, without a socket, on SQLite in a temporary folder.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use kontor_api::{Config, Hub};
use kontor_app::{App, Settings};
use kontor_types::{Handle, ManualClock, Timestamp};
use tower::ServiceExt as _;

/// The token of the first administrator.
pub const ADMIN: &str = "an-administrators-token-for-tests";
pub const PUBLIC: &str = "http://127.0.0.1:7878";

pub struct TestHub {
    pub hub: Hub,
    pub clock: Arc<ManualClock>,
    router: Router,
    _folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl TestHub {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A hub whose configuration a test changes first.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::starting_at(Timestamp::from_millis(1_700_000_000_000)));
        let app = App::open(Settings::in_folder(folder.path()), clock.clone()).await.unwrap();
        let handle = Handle::parse("admin").unwrap();
        app.access.bootstrap(&handle, &ADMIN.into()).await.unwrap();
        let mut config = Config::new(PUBLIC.parse().unwrap());
        change(&mut config);
        let hub = Hub::new(app, config);
        hub.health.set_serving();
        Self { router: kontor_api::router(&hub), hub, clock, _folder: folder }
    }

    /// Sends a request from the loopback address.
    pub async fn send(&self, request: axum::http::request::Builder, body: impl Into<Body>) -> Answer {
        let mut request = request.body(body.into()).unwrap();
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.send(with_token(Request::get(path), token), "").await
    }
}

pub fn with_token(request: axum::http::request::Builder, token: Option<&str>) -> axum::http::request::Builder {
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
