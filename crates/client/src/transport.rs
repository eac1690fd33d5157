use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use kontor_wire::ProblemBody;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::error::{Error, pause};

/// The most bytes of a JSON answer.
const MOST_JSON: u64 = 64 << 20;
/// How often one request is tried.
const TRIES: u32 = 5;
/// How often a connection is tried: nobody who forgot to start the hub should wait long to learn it.
const CONNECT_TRIES: u32 = 3;

/// Sends requests to one hub: keeps connections, tries again when that may help, reads answers bounded.
#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
    registry: String,
    authorization: Option<HeaderValue>,
    sent: AtomicU64,
}

/// One request, before it is sent.
pub(crate) struct Request<'a> {
    method: Method,
    path: &'a [&'a str],
    query: Option<String>,
    body: Option<(Bytes, &'static str)>,
    keyed: bool,
}

impl<'a> Request<'a> {
    pub fn new(method: Method, path: &'a [&'a str]) -> Self {
        let keyed = method != Method::GET;
        Self { method, path, query: None, body: None, keyed }
    }

    pub fn query(mut self, query: &impl Serialize) -> Result<Self, Error> {
        let text = serde_urlencoded(query)?;
        self.query = (!text.is_empty()).then_some(text);
        Ok(self)
    }

    pub fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let text = serde_json::to_vec(body).map_err(|error| Error::Usage(error.to_string()))?;
        self.body = Some((text.into(), "application/json"));
        Ok(self)
    }

    /// Without an idempotency key, which costs the hub two commits: for what does the same thing only once anyway.
    pub fn repeatable(mut self) -> Self {
        self.keyed = false;
        self
    }

    pub fn zip(mut self, body: Bytes) -> Self {
        self.body = Some((body, "application/zip"));
        self
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Writes the fields of a flat structure as a query.
fn serde_urlencoded(query: &impl Serialize) -> Result<String, Error> {
    let value = serde_json::to_value(query).map_err(|error| Error::Usage(error.to_string()))?;
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in value.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::String(value) => text.append_pair(key, value),
            serde_json::Value::Null => &mut text,
            other => text.append_pair(key, &other.to_string()),
        };
    }
    Ok(text.finish())
}

impl Transport {
    pub fn new(registry: &str, token: Option<&str>) -> Result<Self, Error> {
        let refused = || Error::Address { text: registry.chars().take(200).collect() };
        let mut base = Url::parse(registry.trim_end_matches('/')).map_err(|_| refused())?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() || base.cannot_be_a_base() {
            return Err(refused());
        }
        base.set_query(None);
        base.set_fragment(None);
        let authorization = token.map(|token| bearer(token.trim())).transpose()?;
        let builder = kontor_outbound::client();
        // No proxy reaches this machine's own addresses.
        let builder = if is_loopback(&base) { builder.no_proxy() } else { builder };
        let http = builder
            .user_agent(concat!("kontor/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_mins(2))
            .redirect(reqwest::redirect::Policy::custom(follow_within_hub))
            .build()
            .map_err(|source| Error::Connect { registry: base.to_string(), source })?;
        let registry = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, base, registry, authorization, sent: AtomicU64::new(0) })
    }

    pub fn registry(&self) -> &str {
        &self.registry
    }

    pub fn has_token(&self) -> bool {
        self.authorization.is_some()
    }

    /// Sends and reads a JSON answer.
    pub async fn json<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<T, Error> {
        let response = self.send(request).await?;
        let body = self.read(response, MOST_JSON, "the answer").await?;
        serde_json::from_slice(&body).map_err(|source| Error::Decode { registry: self.registry.clone(), source })
    }

    /// Sends where the answer says nothing.
    pub async fn empty(&self, request: Request<'_>) -> Result<(), Error> {
        self.send(request).await.map(drop)
    }

    /// Sends and reads at most `limit` bytes; more are an error.
    pub async fn bytes(&self, request: Request<'_>, limit: u64, what: &str) -> Result<Vec<u8>, Error> {
        let response = self.send(request).await?;
        self.read(response, limit, what).await
    }

    /// Sends a body once; whatever is answered is read by the caller. Only a connection that was never made is tried again.
    pub async fn once(
        &self,
        path: &[&str],
        query: Option<&str>,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, Error> {
        let url = self.url(path, query)?;
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let sending = self.http.post(url.clone()).headers(headers.clone()).body(body.clone());
            match sending.send().await {
                Ok(response) => return Ok(response),
                Err(error) if error.is_connect() && attempt < CONNECT_TRIES => {
                    tokio::time::sleep(pause(attempt, None)).await;
                }
                Err(source) => return Err(Error::Connect { registry: self.registry.clone(), source }),
            }
        }
    }

    /// Opens a stream of events after one of them.
    pub async fn events(&self, path: &[&str], after: u64) -> Result<Response, Error> {
        let url = self.url(path, None)?;
        let mut asking = self.http.get(url).header(ACCEPT, "text/event-stream").header("last-event-id", after);
        if let Some(authorization) = &self.authorization {
            asking = asking.header(AUTHORIZATION, authorization.clone());
        }
        match asking.send().await {
            Ok(response) if response.status().is_success() => Ok(response),
            Ok(response) => Err(self.failure(response).await),
            Err(source) => Err(Error::Connect { registry: self.registry.clone(), source }),
        }
    }

    /// The absolute address of a path below this hub.
    pub fn url(&self, path: &[&str], query: Option<&str>) -> Result<Url, Error> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Address { text: self.registry.clone() })?
            .pop_if_empty()
            .extend(path.iter().flat_map(|part| part.split('/')));
        url.set_query(query);
        Ok(url)
    }

    /// Sends a request, again where the failure may pass: no connection, 429, 502, 503, 504.
    ///
    /// A write carries a key of its own unless it is repeatable, so that trying again never does a thing twice.
    async fn send(&self, request: Request<'_>) -> Result<Response, Error> {
        let url = self.url(request.path, request.query.as_deref())?;
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json, */*"))]);
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        if request.keyed
            && let Ok(key) = HeaderValue::from_str(&self.fresh_key())
        {
            headers.insert("idempotency-key", key);
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut sending = self.http.request(request.method.clone(), url.clone()).headers(headers.clone());
            if let Some((body, kind)) = &request.body {
                sending = sending.header(CONTENT_TYPE, *kind).body(body.clone());
            }
            let wait = match sending.send().await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) if attempt < TRIES && is_passing(response.status()) => {
                    pause(attempt, retry_after(response.headers()))
                }
                Ok(response) => return Err(self.failure(response).await),
                Err(error) if attempt < if error.is_connect() { CONNECT_TRIES } else { TRIES } => pause(attempt, None),
                Err(source) => return Err(Error::Connect { registry: self.registry.clone(), source }),
            };
            tracing::debug!(attempt, wait_ms = wait.as_millis(), "the hub did not answer well, trying again");
            tokio::time::sleep(wait).await;
        }
    }

    fn fresh_key(&self) -> String {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}", uuid::Uuid::new_v4().simple())
    }

    async fn failure(&self, response: Response) -> Error {
        let status = response.status().as_u16();
        let body = self.read(response, 1 << 20, "the answer").await.unwrap_or_default();
        if let Ok(problem) = serde_json::from_slice::<ProblemBody>(&body) {
            return Error::Problem(Box::new(problem));
        }
        let text = String::from_utf8_lossy(&body).chars().take(300).collect();
        Error::Unexpected { registry: self.registry.clone(), status, text }
    }

    async fn read(&self, response: Response, limit: u64, what: &str) -> Result<Vec<u8>, Error> {
        let announced = response.content_length().unwrap_or(0);
        let too_large = || Error::TooLarge { what: what.to_owned(), limit };
        if announced > limit {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
        let mut stream = response.bytes_stream();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|source| Error::Transfer { registry: self.registry.clone(), source })?;
            if body.len() as u64 + part.len() as u64 > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Error> {
    let refused = |_| Error::Usage("the token holds characters that no token has".to_owned());
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(refused)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A renamed skill leads to its new name; a token never leaves the hub it is for.
fn follow_within_hub(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let origin = attempt.previous().first().map(Url::origin);
    if attempt.previous().len() < 5 && origin == Some(attempt.url().origin()) {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// The seconds that `Retry-After` asks for.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
