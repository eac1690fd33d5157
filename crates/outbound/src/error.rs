use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::address::Class;

/// Why nothing was fetched. No text holds more of the URL than its host, since the rest may be secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client could not be set up.
    #[error("the HTTP client could not be set up")]
    Setup(#[source] reqwest::Error),
    /// The text is no absolute URL with a host.
    #[error("this is not an absolute http or https address")]
    Address,
    /// Another scheme than http or https.
    #[error("`{scheme}` addresses are not fetched, use http or https")]
    Scheme {
        /// The scheme that was asked for.
        scheme: String,
    },
    /// The host is not on the open internet and no exception names it.
    #[error("{host} is at {address}, a {class} address that may not be reached from here; the operator can allow it")]
    Refused {
        /// The host as in the URL.
        host: String,
        /// The first address that was refused.
        address: IpAddr,
        /// What kind of address it is.
        class: Class,
    },
    /// The name has no address.
    #[error("the host name {host} cannot be resolved")]
    Resolve {
        /// The host as in the URL.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// One redirect too many.
    #[error("{host} redirects more than {limit} times")]
    Redirects {
        /// The host that was asked first.
        host: String,
        /// How many are followed.
        limit: usize,
    },
    /// A redirect that leads nowhere, or from https to http.
    #[error("{host} redirects to an address that is not followed")]
    Redirect {
        /// The host that redirects.
        host: String,
    },
    /// It took too long.
    #[error("{host} did not answer completely within {} seconds", limit.as_secs_f32())]
    Timeout {
        /// The host.
        host: String,
        /// The time for everything together.
        limit: Duration,
    },
    /// The answer is larger than the limit.
    #[error("{host} sends more than {limit} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The limit.
        limit: u64,
    },
    /// The connection or the protocol failed.
    #[error("the exchange with {host} failed")]
    Exchange {
        /// The host.
        host: String,
        /// What failed.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is no JSON of the expected form.
    #[error("{host} sent something else than the expected JSON")]
    Json {
        /// The host.
        host: String,
        /// Where it differs.
        #[source]
        source: serde_json::Error,
    },
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;
