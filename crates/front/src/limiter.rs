use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use kontor_types::{Code, PersonId, TokenId};

use crate::config::{Rate, Rates};
use crate::{Asked, Class, Failure};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
/// How many requests pass between two looks for keys that can be forgotten.
const TIDY_EVERY: u32 = 4_096;

type Bucket = RateLimiter<Key, DefaultKeyedStateStore<Key>, DefaultClock, StateInformationMiddleware>;

/// Who is counted: a token, a person's browser, or else an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Token(TokenId),
    Person(PersonId),
    Address(IpAddr),
}

/// How often each may ask.
pub struct Limiter {
    read: Option<Buckets>,
    write: Option<Buckets>,
    upload: Option<Buckets>,
    import: Option<Buckets>,
    model: Option<Buckets>,
    sign_in: Option<Buckets>,
    loopback: bool,
}

struct Buckets {
    bucket: Bucket,
    rate: Rate,
    clock: DefaultClock,
    asked: AtomicU32,
}

/// Where somebody stands after a request that was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    limit: u32,
    remaining: u32,
    reset: Duration,
}

impl Limiter {
    /// Counts by these rates.
    pub fn new(rates: &Rates) -> Self {
        let of = |rate: Option<Rate>| rate.map(Buckets::new);
        Self {
            read: of(rates.read),
            write: of(rates.write),
            upload: of(rates.upload),
            import: of(rates.import),
            model: of(rates.model),
            sign_in: of(rates.sign_in),
            loopback: rates.loopback,
        }
    }

    /// Counts a request, or says when the next may come. `None`: nothing limits it.
    pub fn count(&self, class: Class, asked: &Asked) -> Result<Option<Standing>, Failure> {
        if asked.is_local && !self.loopback {
            return Ok(None);
        }
        let buckets = match class {
            Class::Read => &self.read,
            Class::Write => &self.write,
            Class::Import if asked.caller.viewer().is_administrator() => &self.import,
            Class::Upload | Class::Import => &self.upload,
            Class::Model => &self.model,
            Class::SignIn => &self.sign_in,
            Class::Operations => &None,
        };
        let Some(buckets) = buckets else { return Ok(None) };
        buckets.count(key(class, asked)).map(Some)
    }
}

impl Limiter {
    /// Counts a secret that nobody has, by address: guessing gets slow.
    pub fn count_wrong_secret(&self, address: Option<IpAddr>, is_local: bool) -> Result<(), Failure> {
        match &self.sign_in {
            Some(buckets) if !is_local || self.loopback => buckets.count(Key::Address(network(address))).map(|_| ()),
            _ => Ok(()),
        }
    }
}

impl Buckets {
    fn new(rate: Rate) -> Self {
        let quota = Quota::per_minute(rate.per_minute).allow_burst(rate.burst);
        let bucket = RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>();
        Self { bucket, rate, clock: DefaultClock::default(), asked: AtomicU32::new(0) }
    }

    fn count(&self, key: Key) -> Result<Standing, Failure> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.bucket.retain_recent();
        }
        match self.bucket.check_key(&key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = self.rate.burst.get().saturating_sub(remaining);
                let seconds = u64::from(used) * 60 / u64::from(self.rate.per_minute.get()) + 1;
                Ok(Standing { limit: self.rate.burst.get(), remaining, reset: Duration::from_secs(seconds) })
            }
            Err(until) => Err(Failure::new(Code::RateLimited, "too many requests in a short time")
                .hint("wait as long as Retry-After says")
                .retry_after(until.wait_time_from(self.clock.now()))),
        }
    }
}

impl Standing {
    /// Tells the client where it stands.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(self.reset.as_secs()));
    }
}

/// Signing in is counted by address, whoever one claims to be.
fn key(class: Class, asked: &Asked) -> Key {
    match (&asked.caller.token, asked.caller.person_id()) {
        (Some(token), _) if class != Class::SignIn => Key::Token(*token),
        (None, Some(person)) if class != Class::SignIn => Key::Person(person),
        _ => Key::Address(network(asked.address())),
    }
}

/// An address as it is counted. Of IPv6, a network counts as one: its owner has all of it.
fn network(address: Option<IpAddr>) -> IpAddr {
    match address {
        Some(IpAddr::V6(address)) => {
            let mut octets = address.octets();
            octets[8..].fill(0);
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        Some(address) => address,
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}
