use std::sync::Arc;

use http::Method;
use reqwest::redirect;
use url::{Host, Url};

use crate::error::{Error, Result};
use crate::names::{CheckedNames, Names, SystemNames};
use crate::policy::Policy;
use crate::request::Request;

const LARGEST_HEADERS: u32 = 64 * 1024;

/// The client. Cloning is cheap and shares connections.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: reqwest::Client,
    policy: Arc<Policy>,
}

impl Outbound {
    /// A client that uses this machine's resolver.
    pub fn new(policy: Policy) -> Result<Self> {
        Self::with_names(policy, SystemNames)
    }

    /// A client that asks `names` for addresses.
    pub fn with_names(policy: Policy, names: impl Names) -> Result<Self> {
        let policy = Arc::new(policy);
        let builder = crate::secure::client();
        // A proxy would resolve names itself, out of our sight.
        let builder = if policy.user_proxies { builder } else { builder.no_proxy() };
        let client = builder
            .user_agent(&policy.user_agent)
            .connect_timeout(policy.connect_timeout)
            .redirect(redirect::Policy::none())
            .referer(false)
            .http2_max_header_list_size(LARGEST_HEADERS)
            .dns_resolver(Arc::new(CheckedNames { names: Arc::new(names), policy: Arc::clone(&policy) }))
            .build()
            .map_err(Error::Setup)?;
        Ok(Self { client, policy })
    }

    /// Begins a GET.
    pub fn get(&self, url: &str) -> Result<Request> {
        self.request(Method::GET, url)
    }

    /// Begins a POST.
    pub fn post(&self, url: &str) -> Result<Request> {
        self.request(Method::POST, url)
    }

    /// Begins a request; an address that may not be reached is refused here when the URL shows it.
    pub fn request(&self, method: Method, url: &str) -> Result<Request> {
        let url = Url::parse(url).map_err(|_| Error::Address)?;
        self.admit(&url)?;
        Ok(Request::new(self.clone(), method, url))
    }

    /// Refuses what can be refused without resolving: other schemes, and addresses written as numbers.
    pub(crate) fn admit(&self, url: &Url) -> Result<()> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Scheme { scheme: url.scheme().to_owned() });
        }
        let address = match url.host().ok_or(Error::Address)? {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => address.into(),
            Host::Ipv6(address) => address.into(),
        };
        let host = host(url);
        match self.policy.refuses(&host, address) {
            Some(class) => Err(Error::Refused { host, address, class }),
            None => Ok(()),
        }
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }
}

/// The part of a URL that messages may show.
pub(crate) fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
