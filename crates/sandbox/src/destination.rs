use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A host and port that may be reached, as in `api.example.com:443`.
///
/// A name is reached only at addresses of the open internet. A private address is reached when the grant names it: as
/// `10.0.0.5:8080`, or as `intern.example:443=10.0.0.5`, which gives the name this address and asks no resolver.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    host: Host,
    port: u16,
    address: Option<IpAddr>,
}

/// A host as a permission names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name in lower case, without a dot at its end.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl Host {
    /// Reads a host in the one spelling that is allowed: letters, digits, hyphens and dots, or an address as everybody writes
    /// it. What could be read in two ways is refused: octal and hexadecimal numbers, users, escapes, other scripts.
    pub fn parse(text: &str) -> Result<Self, DestinationError> {
        let refuse = |reason| Err(DestinationError { text: shown(text), reason });
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let Ok(address) = inner.parse::<Ipv6Addr>() else { return refuse("it is no IPv6 address") };
            if address.to_ipv4_mapped().is_some() {
                return refuse("it hides an IPv4 address in an IPv6 address; write the IPv4 address");
            }
            return Ok(Self::Address(IpAddr::V6(address)));
        }
        if text.is_empty() || text.len() > 253 {
            return refuse("a host has 1 to 253 characters");
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        if text.ends_with('.') {
            return refuse("a host has no dot at its end");
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')) {
            return refuse(
                "a host has only letters, digits, hyphens and dots; write other scripts in their `xn--` form",
            );
        }
        let label = |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
        if !text.split('.').all(label) {
            return refuse("the parts between the dots have 1 to 63 characters and no hyphen at either end");
        }
        let last = text.rsplit('.').next().unwrap_or_default();
        let number = last.strip_prefix("0x").or(last.strip_prefix("0X"));
        let like_number = last.bytes().all(|byte| byte.is_ascii_digit())
            || number.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if like_number {
            return refuse("it looks like an address in an uncommon spelling; write four decimal numbers");
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(formatter, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

impl Destination {
    /// The host.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address that the grant gives its name.
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Reads host and port without an address, as a request names them.
    pub fn parse_plain(text: &str) -> Result<Self, DestinationError> {
        let refuse = |reason| DestinationError { text: shown(text), reason };
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(refuse("it has no port; write for example api.example.com:443"));
        };
        let digits = !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse::<u16>().ok().filter(|port| digits && *port != 0);
        let port = port.ok_or_else(|| refuse("a port is a number from 1 to 65535"))?;
        Ok(Self { host: Host::parse(host)?, port, address: None })
    }
}

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((plain, address)) = text.split_once('=') else { return Self::parse_plain(text) };
        let refuse = |reason| DestinationError { text: shown(text), reason };
        let plain = Self::parse_plain(plain)?;
        if matches!(plain.host, Host::Address(_)) {
            return Err(refuse("an address needs no second one"));
        }
        let address = address.parse().map_err(|_| refuse("what follows `=` is no address"))?;
        Ok(Self { address: Some(address), ..plain })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)?;
        self.address.map_or(Ok(()), |address| write!(formatter, "={address}"))
    }
}

impl Serialize for Destination {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The text names no host and port, or not in the one spelling that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no destination: {reason}")]
pub struct DestinationError {
    text: String,
    reason: &'static str,
}

/// The beginning of a foreign text, harmless to show.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(120).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
