//! A network in which every name and every address answers, and everything that is sent is kept.
//!
//! It lives in the empty network of a sandbox: sockets were made there, and the route of every address leads to them. What is
//! answered is plausible: a web page, data, or a script that gives itself away when somebody runs it.

mod names;
mod tls;
mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::home::HOME;

pub use tls::Authority;

/// The most that is kept of one connection, and of all of a run.
const KEPT: usize = 1 << 20;
const KEPT_IN_ALL: usize = 16 << 20;
/// How many connections of a run are kept.
const CONNECTIONS: usize = 400;
/// How many are served at the same time.
const OPEN: usize = 160;
/// How many names are remembered.
const NAMES: usize = 2000;
/// How long a connection may say nothing.
const SILENCE: Duration = Duration::from_secs(3);
/// How long a client may wait before the server begins to speak.
const FIRST: Duration = Duration::from_millis(400);
/// How long the ends of connections are waited for when a run is over.
const LAST: Duration = Duration::from_secs(1);

/// Something that was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// To which name, or address where no name was asked for.
    pub host: String,
    /// To which port.
    pub port: u16,
    /// How: `dns`, `http`, `https`, `tls`, `tcp`, `udp`.
    pub way: &'static str,
    /// What it was in a few words: a request's first line, a name.
    pub line: String,
    /// The bytes, as far as they were kept.
    pub bytes: Vec<u8>,
    /// How many there were.
    pub total: u64,
}

/// The network of one run.
#[derive(Debug, Clone)]
pub struct Net(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    log: Mutex<Vec<Traffic>>,
    names: Mutex<BTreeMap<IpAddr, String>>,
    ports: Mutex<BTreeSet<(u16, bool)>>,
    authority: Arc<Authority>,
    probe: String,
    tasks: TaskTracker,
    over: CancellationToken,
    handle: Handle,
}

impl Net {
    /// A network that nobody has used; `probe` is a file of the home that only what it sends knows.
    pub fn new(authority: Arc<Authority>, probe: &str) -> Self {
        Self(Arc::new(Shared {
            log: Mutex::default(),
            names: Mutex::default(),
            ports: Mutex::default(),
            authority,
            probe: format!("{HOME}/{probe}"),
            tasks: TaskTracker::new(),
            over: CancellationToken::new(),
            handle: Handle::current(),
        }))
    }

    /// Whether somebody must still listen at a port; from now on somebody does.
    pub fn is_new(&self, port: u16, datagrams: bool) -> bool {
        held(&self.0.ports).insert((port, datagrams))
    }

    /// Serves whoever connects.
    pub fn serve(&self, listener: std::net::TcpListener) {
        let net = self.clone();
        self.0.tasks.spawn_on(async move { net.accept(listener).await }, &self.0.handle);
    }

    /// Serves whoever sends datagrams.
    pub fn receive(&self, socket: std::net::UdpSocket) {
        let net = self.clone();
        self.0.tasks.spawn_on(async move { net.datagrams(socket).await }, &self.0.handle);
    }

    /// The name by which an address was found.
    pub fn name(&self, address: IpAddr) -> String {
        held(&self.0.names).get(&address.to_canonical()).cloned().unwrap_or_else(|| address.to_canonical().to_string())
    }

    /// Waits for the ends of connections, and tells everything that was sent.
    pub async fn finish(self) -> Vec<Traffic> {
        self.0.over.cancel();
        self.0.tasks.close();
        let _ = tokio::time::timeout(LAST, self.0.tasks.wait()).await;
        std::mem::take(&mut *held(&self.0.log))
    }

    async fn accept(&self, listener: std::net::TcpListener) {
        let Ok(listener) = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener)) else {
            return;
        };
        loop {
            let next = tokio::select! {
                biased;
                next = listener.accept() => next,
                // Who connected in the last moment is served too.
                () = self.0.over.cancelled() => match tokio::time::timeout(FIRST / 8, listener.accept()).await {
                    Ok(next) => next,
                    Err(_) => return,
                },
            };
            let Ok((stream, _)) = next else { return };
            // Whoever is one too many is hung up on.
            if self.0.tasks.len() > OPEN {
                continue;
            }
            let own = self.clone();
            self.0.tasks.spawn_on(async move { own.connection(stream).await }, &self.0.handle);
        }
    }

    async fn connection(&self, stream: TcpStream) {
        let Ok(local) = stream.local_addr() else { return };
        let mut record = Record::new(self, local, "tcp");
        let mut first = [0; 3];
        let peeked = tokio::time::timeout(FIRST, stream.peek(&mut first)).await;
        match (peeked, first) {
            (Ok(Ok(1..)), [0x16, 0x03, _]) => self.secured(stream, &mut record).await,
            (Ok(Ok(1..)), _) => self.spoken(stream, &mut record).await,
            (Ok(_), _) => {}
            (Err(_), _) => self.silent(stream, &mut record).await,
        }
    }

    /// A connection by TLS: when the client takes our certificate, what is inside is seen.
    async fn secured(&self, stream: TcpStream, record: &mut Record<'_>) {
        record.traffic.way = "tls";
        let acceptor = tokio_rustls::LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
        let Ok(Ok(greeted)) = tokio::time::timeout(SILENCE, acceptor).await else { return };
        let name = greeted.client_hello().server_name().map(str::to_owned);
        if let Some(name) = &name {
            record.traffic.host.clone_from(name);
        }
        let Some(settings) = self.0.authority.settings(name.as_deref().unwrap_or(&record.traffic.host)) else { return };
        let Ok(Ok(stream)) = tokio::time::timeout(SILENCE, greeted.into_stream(settings)).await else {
            "the client did not take the certificate".clone_into(&mut record.traffic.line);
            return;
        };
        self.spoken(stream, record).await;
        if record.traffic.way == "http" {
            record.traffic.way = "https";
        }
    }

    /// The client speaks first.
    async fn spoken<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S, record: &mut Record<'_>) {
        if !record.read(&mut stream).await {
            return;
        }
        if web::is_request(&record.traffic.bytes) {
            record.traffic.way = "http";
            return web::answer(&mut stream, record, &self.0.probe).await;
        }
        while record.read(&mut stream).await {}
    }

    /// The client waits: for a greeting, or for orders.
    async fn silent(&self, mut stream: TcpStream, record: &mut Record<'_>) {
        let greeting = match record.traffic.port {
            21 | 25 | 110 | 143 | 465 | 587 => "220 mail.keller.example ready\r\n".to_owned(),
            22 => "SSH-2.0-OpenSSH_9.6\r\n".to_owned(),
            _ => format!("cat {}\n", self.0.probe),
        };
        if stream.write_all(greeting.as_bytes()).await.is_err() {
            return;
        }
        while record.read(&mut stream).await {
            if greeting.starts_with("220") && stream.write_all(b"250 ok\r\n").await.is_err() {
                return;
            }
        }
    }

    async fn datagrams(&self, socket: std::net::UdpSocket) {
        let Ok(socket) = socket.set_nonblocking(true).and_then(|()| UdpSocket::from_std(socket)) else { return };
        let port = socket.local_addr().map_or(0, |local| local.port());
        let mut bytes = vec![0; 64 << 10];
        loop {
            let next = tokio::select! {
                biased;
                next = socket.recv_from(&mut bytes) => next,
                () = self.0.over.cancelled() => match tokio::time::timeout(FIRST / 8, socket.recv_from(&mut bytes)).await {
                    Ok(next) => next,
                    Err(_) => return,
                },
            };
            let Ok((count, from)) = next else { return };
            let message = bytes.get(..count).unwrap_or_default();
            // Each address is this machine's own, so the sender has the address that it sends to.
            let mut record = Record::new(self, SocketAddr::new(from.ip(), port), "udp");
            record.keep(message);
            if port == 53
                && let Some(asked) = names::Question::read(message)
            {
                let address = asked.address();
                record.traffic.way = "dns";
                record.traffic.host.clone_from(&asked.name);
                record.traffic.line.clone_from(&asked.name);
                self.remember(address.into(), asked.name.clone());
                let _ = socket.send_to(&asked.answer(address), from).await;
            }
        }
    }

    fn remember(&self, address: IpAddr, name: String) {
        let mut names = held(&self.0.names);
        if names.len() < NAMES {
            names.insert(address, name);
        }
    }

    fn note(&self, traffic: Traffic) {
        let mut log = held(&self.0.log);
        if log.len() < CONNECTIONS {
            log.push(traffic);
        }
    }

    fn room(&self) -> usize {
        let kept: usize = held(&self.0.log).iter().map(|traffic| traffic.bytes.len()).sum();
        KEPT_IN_ALL.saturating_sub(kept).min(KEPT)
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What comes of one connection; noted when it is dropped, however it ended.
struct Record<'n> {
    net: &'n Net,
    traffic: Traffic,
    room: usize,
}

impl<'n> Record<'n> {
    fn new(net: &'n Net, to: SocketAddr, way: &'static str) -> Self {
        let traffic = Traffic { host: net.name(to.ip()), port: to.port(), way, ..Traffic::default() };
        Self { net, traffic, room: net.room() }
    }

    /// Reads more; says whether there was something.
    async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> bool {
        let mut bytes = vec![0; 16 << 10];
        match tokio::time::timeout(SILENCE, stream.read(&mut bytes)).await {
            Ok(Ok(count @ 1..)) => {
                self.keep(bytes.get(..count).unwrap_or_default());
                true
            }
            _ => false,
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.traffic.total = self.traffic.total.saturating_add(bytes.len() as u64);
        let room = self.room.saturating_sub(self.traffic.bytes.len()).min(bytes.len());
        self.traffic.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        self.net.note(std::mem::take(&mut self.traffic));
    }
}
