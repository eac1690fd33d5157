use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct From {
    /// The client's address: the socket's peer, or what trusted proxies say.
    pub client: Option<IpAddr>,
    /// Whether the socket's peer is a trusted proxy.
    pub by_proxy: bool,
    /// Whether it came from this very machine, and through no proxy.
    pub is_local: bool,
}

/// Where a request came from; only trusted proxies may speak for others.
pub fn of(parts: &Parts, trusted: &[IpNet]) -> From {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let Some(peer) = peer else { return From { client: None, by_proxy: false, is_local: false } };
    let headers = &parts.headers;
    if !is_trusted(peer, trusted) {
        let forwarded = headers.contains_key(FORWARDED_FOR) || headers.contains_key(FORWARDED);
        return From { client: Some(peer), by_proxy: false, is_local: peer.is_loopback() && !forwarded };
    }
    let client = claimed(headers, trusted).unwrap_or(peer);
    From { client: Some(client), by_proxy: true, is_local: false }
}

/// The last address in the chain that is no trusted proxy itself: everything before it, a client may have made up.
fn claimed(headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let chain: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .collect();
    for link in chain.iter().rev() {
        let address = parse(link.trim())?;
        if !is_trusted(address, trusted) {
            return Some(address);
        }
    }
    None
}

fn parse(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|range| range.contains(&address))
}
