//! The beginning of a TLS connection: the client's greeting, and the host that it names.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The longest greeting: with post-quantum keys some are several records long.
const LONGEST: usize = 64 << 10;

/// What a client says first.
#[derive(Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The host that it wants.
    pub name: Option<String>,
}

/// Reads until the greeting is complete; `first` holds all bytes that were read.
pub async fn read(client: &mut TcpStream, first: &mut Vec<u8>) -> Result<Greeting, &'static str> {
    loop {
        if let Some(greeting) = parse(first)? {
            return Ok(greeting);
        }
        if first.len() > LONGEST {
            return Err("the TLS greeting is too long");
        }
        let mut part = [0; 4096];
        match client.read(&mut part).await {
            Ok(count @ 1..) => first.extend_from_slice(part.get(..count).unwrap_or_default()),
            _ => return Err("the connection ended before its TLS greeting"),
        }
    }
}

/// Understands a greeting; nothing when bytes are still to come.
pub fn parse(bytes: &[u8]) -> Result<Option<Greeting>, &'static str> {
    const NOT_TLS: &str = "only TLS goes through a tunnel";
    let mut handshake = Vec::new();
    let mut rest = Reader(bytes);
    while !rest.0.is_empty() {
        if rest.0.first() != Some(&0x16) || rest.0.get(1).is_some_and(|major| *major != 3) {
            return Err(NOT_TLS);
        }
        let mut record = rest;
        let _ = record.take(3);
        let Some(fragment) = record.long() else { break };
        if fragment.is_empty() {
            return Err(NOT_TLS);
        }
        handshake.extend_from_slice(fragment);
        rest = record;
    }
    if handshake.first().is_some_and(|kind| *kind != 1) {
        return Err(NOT_TLS);
    }
    let mut message = Reader(&handshake);
    let Some(header) = message.take(4) else { return Ok(None) };
    let length = header.iter().skip(1).fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    let Some(body) = message.take(length) else { return Ok(None) };
    name(Reader(body)).map(|name| Some(Greeting { name })).ok_or("the TLS greeting is broken")
}

/// The host's name among the extensions; the outer nothing when the greeting is broken.
#[expect(clippy::option_option, reason = "a broken greeting is no greeting without a name")]
fn name(mut body: Reader<'_>) -> Option<Option<String>> {
    body.take(34)?;
    body.short()?;
    body.long()?;
    body.short()?;
    if body.0.is_empty() {
        return Some(None);
    }
    let mut extensions = Reader(body.long()?);
    let mut found = None;
    while !extensions.0.is_empty() {
        let kind = extensions.take(2)?;
        let mut content = Reader(extensions.long()?);
        if kind != [0, 0] {
            continue;
        }
        let mut list = Reader(content.long()?);
        let kind = list.take(1)?;
        let host = std::str::from_utf8(list.long()?).ok()?;
        // Two names, or a name of another kind, would let two readers see two hosts.
        if kind != [0] || !list.0.is_empty() || found.is_some() || host.contains('\0') {
            return None;
        }
        found = Some(host.to_owned());
    }
    Some(found)
}

#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Bytes behind a length of one byte.
    fn short(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.take(1)?.first()?);
        self.take(length)
    }

    /// Bytes behind a length of two bytes.
    fn long(&mut self) -> Option<&'a [u8]> {
        let length: [u8; 2] = self.take(2)?.try_into().ok()?;
        self.take(usize::from(u16::from_be_bytes(length)))
    }
}
