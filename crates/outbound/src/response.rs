use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::error::{Error, Result};
use crate::outbound::host;
use crate::request::explain;

/// An answer whose body has not been read; reading it stays within the request's time and size.
#[derive(Debug)]
pub struct Response {
    inner: reqwest::Response,
    url: Url,
    deadline: Instant,
    timeout: Duration,
    limit: u64,
    read: u64,
}

impl Response {
    pub(crate) fn new(
        inner: reqwest::Response,
        url: Url,
        deadline: Instant,
        timeout: Duration,
        limit: u64,
    ) -> Result<Self> {
        let response = Self { inner, url, deadline, timeout, limit, read: 0 };
        if response.inner.content_length().is_some_and(|length| length > limit) {
            return Err(response.too_large());
        }
        Ok(response)
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Where the answer came from after redirects.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The next piece of the body, or nothing at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let piece = match timeout_at(self.deadline, self.inner.chunk()).await {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => return Err(explain(&self.url, self.timeout, error)),
            Err(_) => return Err(Error::Timeout { host: host(&self.url), limit: self.timeout }),
        };
        self.read = self.read.saturating_add(piece.as_ref().map_or(0, |piece| piece.len() as u64));
        if self.read > self.limit {
            return Err(self.too_large());
        }
        Ok(piece)
    }

    /// The body in pieces.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes>> + Send {
        stream::try_unfold(
            self,
            |mut response| async move { Ok(response.chunk().await?.map(|piece| (piece, response))) },
        )
    }

    /// The whole body.
    pub async fn bytes(mut self) -> Result<Bytes> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.chunk().await? {
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    /// The whole body as text; what is no UTF-8 is replaced.
    pub async fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned())
    }

    /// The whole body as JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        let host = host(&self.url);
        serde_json::from_slice(&self.bytes().await?).map_err(|source| Error::Json { host, source })
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { host: host(&self.url), limit: self.limit }
    }
}
