use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use kontor_access::SecretString;
use kontor_api::{Config, Hub};
use kontor_app::{App, Settings};
use kontor_types::{Clock, SystemClock};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::On;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A hub that serves on a free port of this machine until it is dropped.
pub struct TestHub {
    /// The services.
    pub app: Arc<App>,
    /// What handlers work with.
    pub hub: Hub,
    /// Where it answers, without a slash at the end.
    pub url: String,
    /// The first administrator's token.
    pub token: String,
    /// Its data folder.
    pub folder: TempDir,
    client: reqwest::Client,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

/// What the hub answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl TestHub {
    /// Starts a hub with the machine's clock; `None` when there is no such database here.
    pub async fn start(on: On) -> Result<Option<Self>> {
        Self::start_with(on, Arc::new(SystemClock), |_, _| ()).await
    }

    /// Starts a hub with a clock and changed settings.
    pub async fn start_with(
        on: On,
        clock: Arc<dyn Clock>,
        change: impl FnOnce(&mut Settings, &mut Config),
    ) -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let Some(database) = on.address(folder.path()).await? else { return Ok(None) };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut settings = Settings { database, ..Settings::in_folder(folder.path()) };
        let mut config = Config::new(Url::parse(&url)?);
        change(&mut settings, &mut config);
        let app = App::open(settings, clock).await?;
        let token = "test-administrator-token-of-40-letters-00";
        app.access.bootstrap(&"root".parse()?, &SecretString::from(token)).await?;
        app.start().await;
        let hub = Hub::new(app.clone(), config);
        hub.health.set_serving();
        let stop = CancellationToken::new();
        let router = kontor_api::router(&hub);
        let serving = tokio::spawn(kontor_api::serve(listener, router, stop.clone(), Duration::from_secs(5)));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Some(Self { app, hub, url, token: token.to_owned(), folder, client, stop, serving }))
    }

    /// The administrator's token as a bearer.
    pub fn administrator(&self) -> Option<&str> {
        Some(&self.token)
    }

    /// Sends a request; redirects are not followed.
    pub async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Body) -> Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request = match body {
            Body::Empty => request,
            Body::Json(value) => request.json(&value),
            Body::Zip(bytes) => request.header("content-type", "application/zip").body(bytes),
        };
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Answer { status, headers, body: answer.bytes().await?.to_vec() })
    }

    /// Sends a GET.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Result<Answer> {
        self.send(Method::GET, path, token, Body::Empty).await
    }

    /// Sends JSON with POST.
    pub async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Result<Answer> {
        self.send(Method::POST, path, token, Body::Json(body)).await
    }

    /// Stops serving and working, and closes the database.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = (&mut self.serving).await;
        self.app.stop().await;
    }
}

impl Drop for TestHub {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
    }
}

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// A ZIP.
    Zip(Vec<u8>),
}
