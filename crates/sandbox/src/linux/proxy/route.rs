//! Whether a destination is granted, and the one address by which it is reached.

use std::net::IpAddr;
use std::sync::Arc;

use kontor_outbound::{Class, Names, classify};

use crate::{Destination, Host};

/// What was granted, and who resolves names.
pub struct Routes {
    pub granted: Vec<Destination>,
    pub names: Arc<dyn Names>,
}

/// The way to a destination.
#[derive(Debug)]
pub struct Way {
    /// The permission that covers it.
    pub grant: Destination,
    /// The address: the connection is made to this one, so no second look-up can answer otherwise.
    pub address: IpAddr,
}

impl Routes {
    /// The way, or in words why there is none. No name is looked up that is not granted.
    pub async fn find(&self, asked: &Destination) -> Result<Way, String> {
        let covers = |grant: &&Destination| grant.host() == asked.host() && grant.port() == asked.port();
        let grant = self.granted.iter().find(covers).ok_or("this destination is not granted")?;
        let way = |address| Way { grant: grant.clone(), address };
        let named = grant.address().or(match grant.host() {
            Host::Address(address) => Some(*address),
            Host::Name(_) => None,
        });
        if let Some(address) = named {
            return match classify(address) {
                class @ (Class::Unspecified | Class::Multicast) => {
                    Err(format!("an address that is {class} is no host"))
                }
                _ => Ok(way(address)),
            };
        }
        let host = asked.host().to_string();
        let found = self.names.resolve(&host).await.map_err(|_| "the name cannot be resolved")?;
        // One forbidden address among good ones is enough: which of them is used must not depend on who answered.
        if let Some(class) = found.iter().map(|address| classify(*address)).find(|class| *class != Class::Public) {
            return Err(format!(
                "the name has an address that is {class}; grant it as {host}:{}=ADDRESS",
                asked.port()
            ));
        }
        found.first().map(|address| way(*address)).ok_or_else(|| "the name has no address".to_owned())
    }
}

/// Whether a TLS greeting's name is the host's; addresses are greeted without a name.
pub fn names_host(greeted: Option<&str>, host: &Host) -> bool {
    match (greeted, host) {
        (Some(greeted), Host::Name(name)) => greeted.eq_ignore_ascii_case(name),
        (None, Host::Address(_)) => true,
        _ => false,
    }
}
