//! Is the request meant for this hub, and may the page that sends it do so? Guards against DNS rebinding and forged forms.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};
use kontor_types::Code;
use url::{Host, Url};

use crate::{Config, Failure};

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which page sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// No browser, or one that says nothing.
    Unknown,
    /// A page of this hub.
    Ours,
    /// A page of another site.
    Foreign,
}

/// Refuses a request that names another host. A name that somebody else controls may point here (DNS rebinding); a bare
/// address cannot, so addresses pass.
pub fn check_host(config: &Config, parts: &Parts, by_proxy: bool) -> Result<(), Failure> {
    let headers = &parts.headers;
    let forwarded = by_proxy.then(|| headers.get(FORWARDED_HOST)).flatten();
    let named = forwarded.or_else(|| headers.get(HOST)).and_then(|value| value.to_str().ok());
    let Some(named) = named.or_else(|| parts.uri.authority().map(axum::http::uri::Authority::as_str)) else {
        return Ok(());
    };
    let name = without_port(named);
    let public = config.public_url.host_str().unwrap_or_default();
    let known = std::iter::once(public).chain(config.hosts.iter().map(String::as_str));
    if is_address(name) || is_loopback_name(name) || known.into_iter().any(|host| host.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(Failure::new(Code::WrongOrigin, "the request names a host that is not this hub")
        .hint("use the hub's public address, or let its operator add the name to `hosts`"))
}

/// Which page sent the request, as far as the browser says.
pub fn sender(config: &Config, headers: &HeaderMap) -> Sender {
    if let Some(origin) = headers.get(ORIGIN) {
        let ours = origin.to_str().is_ok_and(|origin| is_ours(config, headers, origin));
        return if ours { Sender::Ours } else { Sender::Foreign };
    }
    match headers.get(FETCH_SITE).map(axum::http::HeaderValue::as_bytes) {
        Some(b"same-origin") => Sender::Ours,
        // `none`: typed by the person, or opened by another program.
        Some(b"none") | None => Sender::Unknown,
        Some(_) => Sender::Foreign,
    }
}

/// Refuses what a page of another site may not do. It may lead people here by a link, and read what everybody may read,
/// but its scripts may not use anybody's credentials, and it may change nothing.
pub fn check_sender(sender: Sender, method: &Method, headers: &HeaderMap, credentials: bool) -> Result<(), Failure> {
    // Only a script's request names its origin when it reads; a link does not.
    let harmless = is_safe(method) && !(credentials && headers.contains_key(ORIGIN));
    if sender == Sender::Foreign && !harmless {
        return Err(Failure::new(Code::WrongOrigin, "a page of another site may not do this"));
    }
    Ok(())
}

/// Whether a method changes nothing.
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_ours(config: &Config, headers: &HeaderMap, origin: &str) -> bool {
    let Ok(origin) = Url::parse(origin) else { return false };
    if origin.origin() == config.public_url.origin() {
        return true;
    }
    // A hub on this machine is reached by several names; they are one when the page came from the host now asked.
    let asked = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let same_host = origin.host_str().is_some_and(|host| host.eq_ignore_ascii_case(without_port(asked)));
    let same_port = origin.port_or_known_default() == config.public_url.port_or_known_default();
    same_host && same_port && origin.host_str().is_some_and(is_loopback_name) && is_loopback_url(&config.public_url)
}

fn is_loopback_url(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_loopback_name(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_address(name: &str) -> bool {
    name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
}

fn is_loopback_name(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A host without its port; an IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    let end = host.rfind(']').map_or(0, |bracket| bracket + 1);
    host[end..].find(':').map_or(host, |colon| &host[..end + colon])
}
