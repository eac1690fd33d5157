//! Connections to providers: one pool for each thread, so that an answer never has to wake another one.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::thread::ThreadId;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::Uri;
use http_body_util::Full;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A client over connections that are kept.
pub type Pool = Client<Connector, Full<Bytes>>;

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(30);
/// Kept connections of one thread.
const KEPT: usize = 256;

/// The pools of one provider.
pub struct Pools {
    connector: Connector,
    by_thread: RwLock<HashMap<ThreadId, Pool>>,
}

impl Pools {
    pub fn new(secure: bool, patience: Duration) -> Result<Self, rustls::Error> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(patience));
        let tls = if secure { Some(TlsConnector::from(Arc::new(tls()?))) } else { None };
        Ok(Self { connector: Connector { tcp, tls, patience }, by_thread: RwLock::default() })
    }

    /// The pool of this thread.
    pub fn here(&self) -> Pool {
        let thread = std::thread::current().id();
        if let Some(pool) = self.by_thread.read().unwrap_or_else(PoisonError::into_inner).get(&thread) {
            return pool.clone();
        }
        let pool = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(KEPT)
            .build(self.connector.clone());
        self.by_thread.write().unwrap_or_else(PoisonError::into_inner).entry(thread).or_insert(pool).clone()
    }
}

fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    // Whoever embeds us may have chosen another; theirs stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut config = rustls::ClientConfig::with_platform_verifier()?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Connects, encrypted where the address says so.
#[derive(Clone)]
pub struct Connector {
    tcp: HttpConnector,
    tls: Option<TlsConnector>,
    patience: Duration,
}

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = Failed;
    type Future = BoxFuture<'static, Result<Link, Failed>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (tcp, tls, patience) = (self.tcp.call(uri), self.tls.clone(), self.patience);
        Box::pin(async move {
            let connect = async move {
                let tcp = tcp.await?;
                let Some(tls) = tls else { return Ok(Link::Plain(tcp)) };
                let name = ServerName::try_from(host)?;
                let stream = tls.connect(name, tcp.into_inner()).await?;
                Ok(Link::Secure(TokioIo::new(Box::new(stream))))
            };
            tokio::time::timeout(patience, connect).await?
        })
    }
}

/// A connection.
pub enum Link {
    Plain(TokioIo<TcpStream>),
    Secure(TokioIo<Box<TlsStream<TcpStream>>>),
}

macro_rules! each {
    ($link:expr, $inner:ident => $do:expr) => {
        match $link.get_mut() {
            Link::Plain(inner) => {
                let $inner = Pin::new(inner);
                $do
            }
            Link::Secure(inner) => {
                let $inner = Pin::new(inner);
                $do
            }
        }
    };
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<std::io::Result<()>> {
        each!(self, inner => inner.poll_read(cx, buffer))
    }
}

impl Write for Link {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        each!(self, inner => inner.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        each!(self, inner => inner.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        each!(self, inner => inner.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(inner) => inner.is_write_vectored(),
            Self::Secure(inner) => inner.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        each!(self, inner => inner.poll_write_vectored(cx, parts))
    }
}
