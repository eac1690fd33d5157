//! The way out: a proxy in the launcher, outside, that takes connections at a socket inside.
//!
//! The socket is made in the network namespace of inside, which has nothing but loopback, and handed out before the command
//! begins; nothing inside forwards bytes. Each connection is looked at: its destination must be granted, its name is resolved
//! here and only to addresses of the open internet, a TLS greeting must name the granted host, and all of it is written down.

mod greeting;
mod head;
mod record;
mod route;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use kontor_outbound::{Names, SystemNames};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::{Destination, Error};
use greeting::Greeting;
use head::{Ask, Head};
use record::{Record, Records, Written};
use route::Routes;

/// How many connections are open at once.
const AT_ONCE: usize = 64;
/// How long a connection may take to say what it wants, and to be made.
const PATIENCE: Duration = Duration::from_secs(15);

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    records: Records,
}

impl Proxy {
    /// Begins to take connections.
    pub fn start(listener: OwnedFd, granted: &[Destination]) -> Result<Self, Error> {
        Self::with_names(listener, granted, Arc::new(SystemNames))
    }

    fn with_names(listener: OwnedFd, granted: &[Destination], names: Arc<dyn Names>) -> Result<Self, Error> {
        let listener = std::net::TcpListener::from(listener);
        listener.set_nonblocking(true).map_err(Error::launcher)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build();
        let runtime = runtime.map_err(Error::launcher)?;
        let (stop, stopped) = oneshot::channel();
        let records = Records::default();
        let routes = Arc::new(Routes { granted: granted.to_vec(), names });
        let written = records.clone();
        let work = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = take(listener, &routes, &written) => {}
                    _ = stopped => {}
                }
            });
            // A name that is still being looked up is not waited for.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("proxy".into()).spawn(work).map_err(Error::launcher)?;
        Ok(Self { thread, stop, records })
    }

    /// Ends all connections, and says what there was.
    pub fn finish(self) -> Written {
        let _ = self.stop.send(());
        let _ = self.thread.join();
        self.records.take()
    }
}

async fn take(listener: std::net::TcpListener, routes: &Arc<Routes>, records: &Records) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut open = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (routes, record) = (Arc::clone(routes), records.begin());
        open.spawn(async move {
            serve(stream, &routes, record).await;
            drop(permit);
        });
        while open.try_join_next().is_some() {}
    }
}

/// One connection: what it wants, whether it may, and the bytes both ways.
async fn serve(mut client: TcpStream, routes: &Routes, mut record: Record) {
    let head = match tokio::time::timeout(PATIENCE, head::read(&mut client)).await {
        Ok(Ok(head)) => head,
        Ok(Err(refusal)) => return refuse(client, &mut record, 400, &refusal).await,
        Err(_) => return refuse(client, &mut record, 408, "nothing was asked in time").await,
    };
    record.asked(&head);
    let way = match routes.find(&head.destination).await {
        Ok(way) => way,
        Err(refusal) => return refuse(client, &mut record, 403, &refusal).await,
    };
    record.routed(way.grant, way.address);
    let connect = TcpStream::connect((way.address, head.destination.port()));
    let Ok(Ok(server)) = tokio::time::timeout(PATIENCE, connect).await else {
        return refuse(client, &mut record, 502, "the host cannot be reached").await;
    };
    match head.ask {
        Ask::Tunnel => tunnel(client, server, head, record).await,
        Ask::Request { .. } => request(client, server, head, record).await,
    }
}

/// Bytes both ways, after a TLS greeting that names the host.
async fn tunnel(mut client: TcpStream, mut server: TcpStream, head: Head, mut record: Record) {
    if client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_err() {
        return;
    }
    let mut first = head.rest;
    let greeting = match tokio::time::timeout(PATIENCE, greeting::read(&mut client, &mut first)).await {
        Ok(Ok(greeting)) => greeting,
        Ok(Err(refusal)) => return record.refused(refusal),
        Err(_) => return record.refused("no TLS greeting came in time"),
    };
    let Greeting { name } = greeting;
    let same = route::names_host(name.as_deref(), head.destination.host());
    record.greeted(name.as_deref());
    if !same {
        return record.refused("the TLS greeting names another host");
    }
    if server.write_all(&first).await.is_ok() {
        record.sent(first.len());
        exchange(client, server, &record, None).await;
    }
}

/// One request in plain HTTP, and its answer.
async fn request(client: TcpStream, mut server: TcpStream, head: Head, record: Record) {
    let Ask::Request { forwarded, body } = head.ask else { return };
    let now = usize::try_from(body).map_or(head.rest.len(), |body| body.min(head.rest.len()));
    let begin = head.rest.get(..now).unwrap_or_default();
    if server.write_all(&forwarded).await.is_err() || server.write_all(begin).await.is_err() {
        return;
    }
    record.sent(forwarded.len() + begin.len());
    let left = body.saturating_sub(u64::try_from(now).unwrap_or(u64::MAX));
    exchange(client, server, &record, Some(left)).await;
}

/// Copies until both sides ended; from the client no more than `most`, after which only the answer is waited for.
async fn exchange(client: TcpStream, server: TcpStream, record: &Record, most: Option<u64>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut left = most.unwrap_or(u64::MAX);
        let mut bytes = vec![0; 16 << 10];
        while left > 0 {
            let room = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
            let Ok(count @ 1..) = from_client.read(bytes.get_mut(..room).unwrap_or_default()).await else { break };
            if to_server.write_all(bytes.get(..count).unwrap_or_default()).await.is_err() {
                break;
            }
            left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
            record.sent(count);
        }
        // Whoever sends one request may still read; in a tunnel the end of one side is told to the other.
        if most.is_none() {
            let _ = to_server.shutdown().await;
        }
    };
    let down = async {
        let mut bytes = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
            if to_client.write_all(bytes.get(..count).unwrap_or_default()).await.is_err() {
                break;
            }
            record.received(count);
        }
        let _ = to_client.shutdown().await;
    };
    tokio::join!(up, down);
}

async fn refuse(mut client: TcpStream, record: &mut Record, status: u16, why: &str) {
    record.refused(why);
    let reason = match status {
        400 => "Bad Request",
        403 => "Forbidden",
        408 => "Request Timeout",
        _ => "Bad Gateway",
    };
    let body = format!("kontor: {why}\n");
    let answer = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = client.write_all(answer.as_bytes()).await;
    let _ = client.shutdown().await;
}

#[cfg(test)]
mod tests;
