use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::error::{Error, Result};
use crate::names::NameError;
use crate::outbound::{Outbound, host};
use crate::response::Response;

/// No exchange lasts longer, whatever it asks for.
const LONGEST: Duration = Duration::from_hours(24);

/// What another origin may learn after a redirect; everything else, tokens first, stays behind.
const TRAVELS: &[HeaderName] = &[
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::RANGE,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::USER_AGENT,
];

/// A request that has not been sent.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    outbound: Outbound,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    timeout: Duration,
    limit: u64,
}

impl Request {
    pub(crate) fn new(outbound: Outbound, method: Method, url: Url) -> Self {
        let (timeout, limit) = (outbound.policy().timeout.min(LONGEST), outbound.policy().limit);
        Self { outbound, method, url, headers: HeaderMap::new(), body: None, timeout, limit }
    }

    /// Adds a header; a redirect to another origin does not carry it unless it is harmless.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sends these bytes.
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Some(bytes.into());
        self
    }

    /// The time for everything together: redirects, headers and body; a day at most.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(LONGEST);
        self
    }

    /// The largest answer in bytes.
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// Sends it. Any status is an answer; redirects are followed for GET and HEAD only.
    pub async fn send(mut self) -> Result<Response> {
        let deadline = Instant::now() + self.timeout;
        let first = self.url.clone();
        for _ in 0..=self.outbound.policy().redirects {
            let response = self.once(deadline).await?;
            let Some(next) = self.next(&response)? else {
                return Response::new(response, self.url, deadline, self.timeout, self.limit);
            };
            if next.origin() != self.url.origin() {
                self.forget();
            }
            self.url = next;
        }
        Err(Error::Redirects { host: host(&first), limit: self.outbound.policy().redirects })
    }

    async fn once(&self, deadline: Instant) -> Result<reqwest::Response> {
        let client = self.outbound.client();
        let mut request = client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(explain(&self.url, self.timeout, error)),
            Err(_) => Err(Error::Timeout { host: host(&self.url), limit: self.timeout }),
        }
    }

    /// Where a redirect leads, when it is one that is followed.
    fn next(&self, response: &reqwest::Response) -> Result<Option<Url>> {
        let moved = matches!(
            response.status(),
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        if !moved || !matches!(self.method, Method::GET | Method::HEAD) {
            return Ok(None);
        }
        let Some(location) = response.headers().get(header::LOCATION) else { return Ok(None) };
        let lost = || Error::Redirect { host: host(&self.url) };
        let next = self.url.join(location.to_str().map_err(|_| lost())?).map_err(|_| lost())?;
        if self.url.scheme() == "https" && next.scheme() == "http" {
            return Err(lost());
        }
        self.outbound.admit(&next)?;
        Ok(Some(next))
    }

    fn forget(&mut self) {
        let kept = self.headers.iter().filter(|(name, _)| TRAVELS.contains(name));
        self.headers = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    }
}

/// Finds in an error of the HTTP client what we know to say about it.
pub(crate) fn explain(url: &Url, limit: Duration, error: reqwest::Error) -> Error {
    match NameError::among(&error) {
        Some(NameError::Refused { host, address, class }) => {
            return Error::Refused { host: host.clone(), address: *address, class: *class };
        }
        Some(NameError::Unresolved { host, source }) => {
            let source = std::io::Error::new(source.kind(), source.to_string());
            return Error::Resolve { host: host.clone(), source };
        }
        None => {}
    }
    let host = host(url);
    if error.is_timeout() {
        return Error::Timeout { host, limit };
    }
    Error::Exchange { host, source: error.without_url() }
}
