use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::Class;
use crate::policy::Policy;

/// Finds the addresses of a host name.
pub trait Names: Send + Sync + 'static {
    /// All addresses of the name, in the order in which they should be tried.
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// What this machine's resolver says.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

impl Names for SystemNames {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Resolves for the HTTP client, and gives it only addresses that the policy allows.
///
/// The client connects to exactly these, so there is no second lookup that could answer otherwise.
pub(crate) struct CheckedNames {
    pub(crate) names: Arc<dyn Names>,
    pub(crate) policy: Arc<Policy>,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let found = self.names.resolve(&host);
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            let addresses = found.await.map_err(|source| NameError::Unresolved { host: host.clone(), source })?;
            // One forbidden address among good ones is enough: which of them is used is not ours to choose.
            for address in &addresses {
                if let Some(class) = policy.refuses(&host, *address) {
                    return Err(NameError::Refused { host, address: *address, class }.into());
                }
            }
            if addresses.is_empty() {
                let source = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                return Err(NameError::Unresolved { host, source }.into());
            }
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Travels through the HTTP client as the cause of a failed connection.
#[derive(Debug)]
pub(crate) enum NameError {
    Refused { host: String, address: IpAddr, class: Class },
    Unresolved { host: String, source: io::Error },
}

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { host, .. } => write!(formatter, "{host} may not be reached"),
            Self::Unresolved { host, .. } => write!(formatter, "{host} cannot be resolved"),
        }
    }
}

impl StdError for NameError {}

impl NameError {
    /// Finds one among the causes of an error.
    pub(crate) fn among<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
    }
}
