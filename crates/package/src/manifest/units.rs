use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A text is no amount or address of the wanted form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write {wanted}")]
pub struct UnitError {
    wanted: &'static str,
}

macro_rules! text_form {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = UnitError;

            fn try_from(text: String) -> Result<Self, UnitError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

text_form!(WallTime);
text_form!(ByteSize);
text_form!(NetworkGrant);

/// A number and the unit behind it.
fn amount(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|char: char| !char.is_ascii_digit())?;
    Some((text[..digits].parse().ok()?, text[digits..].trim_start()))
}

/// Time on the clock, written `500ms`, `30s`, `5m` or `2h`; more than nothing, at most 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WallTime(Duration);

impl WallTime {
    /// The time.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for WallTime {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let refused = UnitError { wanted: "a time from 1ms to 24h, for example 30s" };
        let milliseconds = amount(text.trim()).and_then(|(number, unit)| match unit {
            "ms" => Some(number),
            "s" => number.checked_mul(1_000),
            "m" | "min" => number.checked_mul(60_000),
            "h" => number.checked_mul(3_600_000),
            _ => None,
        });
        match milliseconds {
            Some(number @ 1..=86_400_000) => Ok(Self(Duration::from_millis(number))),
            _ => Err(refused),
        }
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_millis();
        for (size, unit) in [(3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
            if milliseconds.is_multiple_of(size) {
                return write!(formatter, "{}{unit}", milliseconds / size);
            }
        }
        write!(formatter, "{milliseconds}ms")
    }
}

/// An amount of memory, written `512MiB`, `2GiB` or `100MB`; from 1 MiB to 1 TiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(u64);

impl ByteSize {
    /// The bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let refused = UnitError { wanted: "an amount from 1MiB to 1TiB, for example 512MiB" };
        let bytes = amount(text.trim()).and_then(|(number, unit)| {
            let size: u64 = match unit {
                "B" => 1,
                "kB" | "KB" => 1_000,
                "KiB" => 1 << 10,
                "MB" => 1_000_000,
                "MiB" => 1 << 20,
                "GB" => 1_000_000_000,
                "GiB" => 1 << 30,
                "TiB" => 1 << 40,
                _ => return None,
            };
            number.checked_mul(size)
        });
        bytes.filter(|bytes| (1 << 20..=1 << 40).contains(bytes)).map(Self).ok_or(refused)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (size, unit) in [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
            if self.0.is_multiple_of(size) {
                return write!(formatter, "{}{unit}", self.0 / size);
            }
        }
        write!(formatter, "{}B", self.0)
    }
}

/// A host and port that a run may connect to: `api.example.com:443`, or `*.example.com:443` for any name below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NetworkGrant {
    host: String,
    port: u16,
}

impl NetworkGrant {
    /// The host's name in lower case, `*.` before it for any name below; or an address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether a connection to `host` and `port` is granted; `host` must be in lower case and without a final dot.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        let below = |suffix: &str| host.strip_suffix(suffix).is_some_and(|name| name.ends_with('.') && name.len() > 1);
        self.port == port && self.host.strip_prefix("*.").map_or(self.host == host, below)
    }
}

impl FromStr for NetworkGrant {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let refused = || UnitError { wanted: "a host and a port, for example api.example.com:443" };
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let port: u16 = port.parse().map_err(|_| refused())?;
        let host = host.to_ascii_lowercase();
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let known = match address {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_host_name(host.strip_prefix("*.").unwrap_or(&host)),
        };
        if port == 0 || !known { Err(refused()) } else { Ok(Self { host, port }) }
    }
}

/// Labels of letters, digits and inner hyphens (RFC 1123), which IPv4 addresses are too.
fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !label.is_empty() && label.len() <= 63 && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

impl fmt::Display for NetworkGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}
