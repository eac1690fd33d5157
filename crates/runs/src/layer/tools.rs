//! What the user's own settings say of registries: addresses, certificates, folders.

use std::collections::BTreeSet;
use std::net::ToSocketAddrs as _;
use std::path::{Path, PathBuf};

use kontor_sandbox::{Destination, Permissions, Shown};
use url::Url;

use crate::Error;
use crate::program::is_system;

/// Adds a registry: its host may be reached, at the address that it has now. The operator has chosen it, so a private address
/// is no reason to refuse it.
pub fn reach(permissions: &mut Permissions, tool: &'static str, address: &str) -> Result<(), Error> {
    let refused = |reason: String| Error::Layer { tool, reason };
    // An address may hold a password: what is told of it is the host.
    let url =
        Url::parse(address).map_err(|_| refused("one of its registries has no address that can be read".into()))?;
    let host = url.host_str().ok_or_else(|| refused("the address of one of its registries names no host".into()))?;
    let refused = |reason: &str| refused(format!("its registry `{}` {reason}", clip(host)));
    let port = url.port_or_known_default().ok_or_else(|| refused("names no port"))?;
    let plain = format!("{host}:{port}");
    let found = plain.to_socket_addrs().ok().and_then(|mut found| found.next());
    let found = found.ok_or_else(|| refused("cannot be found; is there a network?"))?;
    let is_address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    let text = if is_address { plain } else { format!("{plain}={}", found.ip()) };
    let destination: Destination = text.parse().map_err(|_| refused("cannot be granted"))?;
    if !permissions.network.contains(&destination) {
        permissions.network.push(destination);
    }
    Ok(())
}

fn clip(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(120).collect()
}

/// Shows a file or folder of this machine in its own place, unless every sandbox has it.
pub fn show(permissions: &mut Permissions, path: &Path) {
    let shown = Shown::in_place(path);
    if path.is_absolute() && path.exists() && !is_system(path) && !permissions.read.contains(&shown) {
        permissions.read.push(shown);
    }
}

/// Shows folders in their places.
pub fn show_all(permissions: &mut Permissions, folders: &[PathBuf]) {
    for folder in folders {
        show(permissions, folder);
    }
}

/// Whether an address holds what signs in there.
pub fn signs_in(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
}

/// The words of a setting with several values.
pub fn words(text: &str) -> BTreeSet<String> {
    text.split([' ', '\n', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
