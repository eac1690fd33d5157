//! How the server presents and protects itself: address, rates, sizes, times.

use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

/// How the HTTP server presents and protects itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address that clients use; every absolute URL in an answer begins with it.
    pub public_url: Url,
    /// More names under which the hub may be addressed, without a port.
    pub hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Host` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How often a token or an address may ask.
    pub rates: Rates,
    /// How large a request may be.
    pub sizes: Sizes,
    /// How long an answer may take to begin.
    pub times: Times,
    /// Whether `/metrics` answers everybody, not only this machine and administrators.
    pub open_metrics: bool,
}

impl Config {
    /// The defaults for a hub under this address.
    pub fn new(public_url: Url) -> Self {
        Self {
            public_url,
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            rates: Rates::default(),
            sizes: Sizes::default(),
            times: Times::default(),
            open_metrics: false,
        }
    }

    /// An absolute URL of a path that begins with `/`.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// Whether clients reach the hub over TLS.
    pub fn is_secure(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

/// How often one token, or one address without a token, may ask: so many requests a minute, so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a minute, on average.
    pub per_minute: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A rate; zero counts as one.
    pub fn new(per_minute: u32, burst: u32) -> Self {
        let positive = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { per_minute: positive(per_minute), burst: positive(burst) }
    }
}

/// The rate of each class of requests; `None` is without limit.
#[derive(Debug, Clone)]
pub struct Rates {
    /// Whatever only reads.
    pub read: Option<Rate>,
    /// Whatever changes something.
    pub write: Option<Rate>,
    /// Uploads of files and packages.
    pub upload: Option<Rate>,
    /// An administrator's bulk import.
    pub import: Option<Rate>,
    /// Calls of models.
    pub model: Option<Rate>,
    /// Steps of signing in, counted by address.
    pub sign_in: Option<Rate>,
    /// Whether requests from this machine itself are limited too.
    pub loopback: bool,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            read: Some(Rate::new(1_200, 300)),
            write: Some(Rate::new(600, 200)),
            upload: Some(Rate::new(1_200, 2_000)),
            import: Some(Rate::new(60_000, 5_000)),
            model: Some(Rate::new(6_000, 1_000)),
            sign_in: Some(Rate::new(60, 30)),
            loopback: false,
        }
    }
}

/// The largest body of each class of requests, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// JSON and forms.
    pub small: usize,
    /// Files and packages.
    pub upload: usize,
    /// Calls of models: what was said so far, with images.
    pub model: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { small: 1024 * 1024, upload: 64 * 1024 * 1024, model: 16 * 1024 * 1024 }
    }
}

/// How long the beginning of an answer may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Of ordinary requests.
    pub answer: Duration,
    /// Of uploads, the time to send the body included.
    pub upload: Duration,
    /// Of calls of models, whose providers have shorter limits of their own.
    pub model: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { answer: Duration::from_secs(30), upload: Duration::from_mins(5), model: Duration::from_hours(1) }
    }
}
