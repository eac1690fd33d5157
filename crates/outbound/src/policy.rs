use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use crate::address::{Class, classify, embedded};

/// What may be reached, and how long and how much of it.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What may be reached although it is not on the open internet.
    pub exceptions: Vec<Exception>,
    /// The time for a whole exchange with redirects and body, unless a request sets its own.
    pub timeout: Duration,
    /// The time for a connection.
    pub connect_timeout: Duration,
    /// How many redirects are followed.
    pub redirects: usize,
    /// The largest body in bytes, unless a request sets its own.
    pub limit: u64,
    /// Whether the proxies that the environment names are used. They resolve names themselves, so only addresses written
    /// as numbers are judged then: for a person on their own machine, never for a hub.
    pub user_proxies: bool,
    /// Who we say we are.
    pub user_agent: String,
}

impl Default for Policy {
    /// The open internet only, 60 seconds, 5 redirects, 64 MiB.
    fn default() -> Self {
        Self {
            exceptions: Vec::new(),
            timeout: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(10),
            redirects: 5,
            limit: 64 * 1024 * 1024,
            user_proxies: false,
            user_agent: concat!("kontor/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Policy {
    /// Reaches everything: for a person on their own machine who names the address.
    pub fn unrestricted() -> Self {
        let everything = [IpAddr::from([0; 4]), IpAddr::from([0_u16; 8])];
        let exceptions = everything.into_iter().filter_map(|address| IpNet::new(address, 0).ok());
        Self { exceptions: exceptions.map(Exception::Range).collect(), ..Self::default() }
    }

    /// Allows one more address, range or host.
    #[must_use]
    pub fn allow(mut self, exception: Exception) -> Self {
        self.exceptions.push(exception);
        self
    }

    /// The class of an address that this policy refuses under this host name, or nothing when it may be reached.
    pub(crate) fn refuses(&self, host: &str, address: IpAddr) -> Option<Class> {
        let class = classify(address);
        let allowed = class == Class::Public || self.exceptions.iter().any(|exception| exception.covers(host, address));
        (!allowed).then_some(class)
    }
}

/// Something that an operator allows to be reached: an address, a range as in `10.0.0.0/8`, a host name, or all names
/// below one as in `*.example.internal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exception {
    /// Every address of a range.
    Range(IpNet),
    /// A host name, whatever it resolves to.
    Host(String),
    /// Every host name that ends with this, which begins with a dot.
    Below(String),
}

impl Exception {
    fn covers(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Range(range) => range.contains(&plain(address)),
            Self::Host(name) => fold(host) == *name,
            Self::Below(suffix) => fold(host).ends_with(suffix.as_str()),
        }
    }
}

impl FromStr for Exception {
    type Err = ExceptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(range) = text.parse() {
            return Ok(Self::Range(range));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Range(plain(address).into()));
        }
        let name = fold(text);
        let bare = name.strip_prefix("*.").unwrap_or(&name);
        let valid = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let looks_like_address =
            bare.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if bare.len() > 253 || looks_like_address || !bare.split('.').all(valid) {
            return Err(ExceptionError { text: text.chars().take(80).collect() });
        }
        Ok(if bare.len() < name.len() { Self::Below(format!(".{bare}")) } else { Self::Host(name) })
    }
}

/// The text names no address, range or host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address, range or host name; write for example 10.1.2.3, 10.0.0.0/8 or git.example.internal")]
pub struct ExceptionError {
    text: String,
}

/// The address as the network will use it, so that a range of IPv4 covers its IPv6 spellings.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(long) => embedded(long).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn fold(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}
