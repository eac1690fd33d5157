//! What a connection asks for, read in the one spelling that is allowed.

use std::fmt::Write as _;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::Destination;

/// The longest head of a request.
const LONGEST: usize = 32 << 10;

/// Headers about one connection only, which are the proxy's to say.
const OURS: &[&str] = &["connection", "keep-alive", "upgrade", "te", "trailer"];

/// The head of a request to the proxy.
#[derive(Debug)]
pub struct Head {
    pub destination: Destination,
    pub ask: Ask,
    /// What was read behind the head.
    pub rest: Vec<u8>,
    /// Method and path, without the query; of a tunnel nothing.
    pub request: Option<String>,
}

/// What is asked for.
#[derive(Debug)]
pub enum Ask {
    /// Bytes both ways.
    Tunnel,
    /// One request in plain HTTP.
    Request {
        /// The head that goes to the host.
        forwarded: Vec<u8>,
        /// How long the body is.
        body: u64,
    },
}

/// Reads a head, and maybe some bytes behind it.
pub async fn read(client: &mut TcpStream) -> Result<Head, String> {
    let mut bytes = Vec::with_capacity(1024);
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > LONGEST {
            return Err("the head of the request is too long".into());
        }
        let mut part = [0; 2048];
        match client.read(&mut part).await {
            Ok(count @ 1..) => bytes.extend_from_slice(part.get(..count).unwrap_or_default()),
            _ => return Err("the connection ended before it asked for anything".into()),
        }
    };
    let rest = bytes.split_off(end + 4);
    bytes.truncate(end);
    parse(&bytes, rest)
}

/// Understands a head.
pub fn parse(head: &[u8], rest: Vec<u8>) -> Result<Head, String> {
    let plain = |byte: &u8| (0x20..0x7f).contains(byte) || matches!(byte, b'\r' | b'\n' | b'\t');
    if !head.iter().all(plain) {
        return Err("the request has characters that no request has".into());
    }
    let text = std::str::from_utf8(head).map_err(|_| "the request is no text")?;
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let parts: Vec<&str> = first.split(' ').collect();
    let [method, target, version] = parts.as_slice() else { return Err("the request line has not three parts".into()) };
    if !matches!(*version, "HTTP/1.1" | "HTTP/1.0") {
        return Err("the request is in another version of HTTP than 1.0 and 1.1".into());
    }
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
        return Err("the request's method is none".into());
    }
    let headers = lines.map(header).collect::<Result<Vec<_>, _>>()?;
    if *method == "CONNECT" {
        let destination = Destination::parse_plain(target).map_err(|error| error.to_string())?;
        return Ok(Head { destination, ask: Ask::Tunnel, rest, request: None });
    }
    plain_request(method, target, &headers, rest)
}

fn header(line: &str) -> Result<(&str, &str), String> {
    let wrong = || "the request has a line that is no header".to_owned();
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) || value.contains(['\r', '\n']) {
        return Err(wrong());
    }
    Ok((name, value.trim_matches([' ', '\t'])))
}

fn plain_request(method: &str, target: &str, headers: &[(&str, &str)], rest: Vec<u8>) -> Result<Head, String> {
    let rest_of_target = target.strip_prefix("http://").ok_or("the request names no `http://` address")?;
    let at = rest_of_target.find(['/', '?', '#']).unwrap_or(rest_of_target.len());
    let (authority, path) = rest_of_target.split_at(at);
    if target.contains('#') {
        return Err("the address has a fragment".into());
    }
    let destination = with_port(authority)?;
    let all = |wanted: &str| -> Vec<&str> {
        headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value).collect()
    };
    match all("host").as_slice() {
        [host] if with_port(host).as_ref() == Ok(&destination) => {}
        _ => return Err("the header `Host` names another host than the address".into()),
    }
    if !all("transfer-encoding").is_empty() {
        return Err("a body must say its length".into());
    }
    let body = match all("content-length").as_slice() {
        [] => 0,
        [length] if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse().map_err(|_| "the body's length is no number")?
        }
        _ => return Err("the body's length is said twice or is no number".into()),
    };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let request = format!("{method} {}", path.split('?').next().unwrap_or_default());
    let mut forwarded = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        if !lower.starts_with("proxy-") && !OURS.contains(&lower.as_str()) {
            let _ = write!(forwarded, "{name}: {value}\r\n");
        }
    }
    forwarded.push_str("Connection: close\r\n\r\n");
    Ok(Head {
        destination,
        ask: Ask::Request { forwarded: forwarded.into_bytes(), body },
        rest,
        request: Some(request),
    })
}

/// Host and port; 80 when no port is said.
fn with_port(authority: &str) -> Result<Destination, String> {
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let text = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    Destination::parse_plain(&text).map_err(|error| error.to_string())
}
