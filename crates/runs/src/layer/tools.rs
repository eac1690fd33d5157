//! What the user's own settings say of registries: addresses, certificates, folders.

use std::collections::BTreeSet;
use std::env;
use std::net::ToSocketAddrs as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kontor_sandbox::{Destination, Permissions, Shown};
use url::Url;

use crate::Error;
use crate::program::is_system;

/// Adds a registry: its host may be reached, at the address that it has now. The operator has chosen it, so a private address
/// is no reason to refuse it.
pub fn reach(permissions: &mut Permissions, tool: &'static str, address: &str) -> Result<(), Error> {
    let refused = |reason: &str| Error::Layer { tool, reason: format!("its registry `{}` {reason}", clip(address)) };
    let url = Url::parse(address).map_err(|_| refused("is no address"))?;
    let host = url.host_str().ok_or_else(|| refused("names no host"))?;
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

/// What one of the user's programs answers.
pub fn ask(command: &mut Command) -> Option<String> {
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KONTOR_")) {
        command.env_remove(name);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The words of a setting with several values.
pub fn words(text: &str) -> BTreeSet<String> {
    text.split([' ', '\n', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
