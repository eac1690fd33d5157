use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use http::Request;
use http::request::Builder;
use kontor_access::Caller;
use kontor_app::{App, Settings};
use kontor_front::{Config, Hub, Route, Routes};
use kontor_package::{Content, Limits};
use kontor_registry::Publish;
use kontor_types::{ManualClock, SkillRef, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::{Answer, On, skill};

/// The token of the first administrator, who is called `admin`.
pub const ADMIN: &str = "an-administrators-token-for-tests";
/// The hub's public address.
pub const PUBLIC: &str = "http://127.0.0.1:7878";
/// Where the native API begins.
pub const NATIVE: &str = "/api/kontor/v1";

/// A hub with its first administrator, under a clock that the test moves. Nothing works in the background.
pub struct TestHub {
    /// What handlers work with.
    pub hub: Hub,
    /// The hub's clock.
    pub clock: Arc<ManualClock>,
    router: Router,
    _folder: TempDir,
}

impl TestHub {
    /// Starts a hub; `None`, said loudly, when there is no such database here.
    pub async fn start(on: On) -> Option<Self> {
        Self::with(on, |_| {}).await
    }

    /// Starts a hub whose configuration the test changes first.
    pub async fn with(on: On, change: impl FnOnce(&mut Config)) -> Option<Self> {
        Self::set(on, |_| {}, change).await
    }

    /// Starts a hub whose settings and configuration the test changes first.
    pub async fn set(on: On, set: impl FnOnce(&mut Settings), change: impl FnOnce(&mut Config)) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let database = on.address(folder.path()).await.unwrap()?;
        let clock = Arc::new(ManualClock::starting_at(Timestamp::from_millis(1_700_000_000_000)));
        let mut settings = Settings { database, ..Settings::in_folder(folder.path()) };
        set(&mut settings);
        let app = App::open(settings, clock.clone()).await.unwrap();
        app.access.bootstrap(&"admin".parse().unwrap(), &ADMIN.into()).await.unwrap();
        let mut config = Config::new(PUBLIC.parse().unwrap());
        change(&mut config);
        let hub = Hub::new(app, config);
        hub.health.set_serving();
        let router = kontor_front::router(&hub, routes(), kontor_web::failed);
        Some(Self { router, hub, clock, _folder: folder })
    }

    /// Sends a request; from the loopback address, unless it says otherwise.
    pub async fn send(&self, request: Builder, body: impl Into<Body>) -> Answer {
        let mut request = request.body(body.into()).unwrap();
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        }
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Sends a GET.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.send(with_token(Request::get(path), token), "").await
    }

    /// Sends JSON, or nothing in place of null.
    pub async fn call(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Answer {
        let request = with_token(Request::builder().method(method).uri(path), token);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(request.header("content-type", "application/json"), body).await
    }

    /// Makes a person; their token has these scopes, or all when none is named.
    pub async fn person(&self, handle: &str, scopes: &[&str]) -> String {
        let made = self.call("POST", &format!("{NATIVE}/people"), Some(ADMIN), &json!({"handle": handle})).await;
        assert!(made.status.is_success(), "{}", made.body);
        let all = ["read", "publish", "run", "models", "review", "admin"];
        let scopes = if scopes.is_empty() { &all } else { scopes };
        let wanted = json!({"label": "test", "scopes": scopes});
        let made = self.call("POST", &format!("{NATIVE}/people/{handle}/tokens"), Some(ADMIN), &wanted).await;
        made.json()["secret"].as_str().unwrap().to_owned()
    }

    /// Publishes a skill of one file with this text; `name` is like `@acme/pdf@1.0.0`.
    pub async fn publish(&self, token: &str, name: &str, visibility: &str, text: &str) {
        self.publish_undecided(token, name, visibility, text).await;
        self.decide().await;
    }

    /// The same without scanning and deciding.
    pub async fn publish_undecided(&self, token: &str, name: &str, visibility: &str, text: &str) {
        let name: SkillRef = name.parse().unwrap();
        let (publisher, slug, version) = (name.publisher.unwrap(), name.slug, name.version.unwrap());
        let query = format!("slug={slug}&visibility={visibility}&version={version}");
        let request = Request::post(format!("{NATIVE}/publishers/{publisher}/skills?{query}"));
        let request = with_token(request, Some(token)).header("content-type", "application/zip");
        let answer = self.send(request, skill(slug.as_str(), text).bytes).await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }

    /// Publishes a skill of these files and lets it be decided; `name` is like `@acme/pdf`.
    pub async fn publish_files(&self, name: &str, files: &[(&str, &str)]) {
        let name: SkillRef = name.parse().unwrap();
        let caller = Caller::hub();
        let publisher = name.publisher.unwrap();
        self.hub.app.access.ensure_publisher(&caller, &publisher).await.unwrap();
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        let content = Content::from_files(files, &Limits::default()).unwrap();
        let mut publish = Publish::new(publisher, content);
        publish.slug = Some(name.slug);
        self.hub.app.registry.publish(&caller, publish).await.unwrap();
        self.decide().await;
    }

    /// Scans and decides everything that waits, as the work in the background would.
    pub async fn decide(&self) {
        self.hub.app.registry.assess_waiting().await.unwrap();
    }

    /// Brings decisions, the search index and the published log up to date, as the work in the background would.
    pub async fn catch_up(&self) {
        self.decide().await;
        self.hub.app.publish_log().await.unwrap();
        self.hub.app.registry.catch_up().await.unwrap();
    }
}

/// Every route of a hub, as the binary puts them together.
fn routes() -> Routes {
    kontor_api::routes().and(kontor_web::routes(kontor_api::skill_document))
}

/// Every line of the route table, sorted.
pub fn route_table() -> Vec<Route> {
    routes().table()
}

/// Says who asks.
pub fn with_token(request: Builder, token: Option<&str>) -> Builder {
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}
