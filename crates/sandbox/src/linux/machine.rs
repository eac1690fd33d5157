//! What this machine can do.

use std::fs;
use std::io;

use serde::Serialize;

use super::groups::Groups;
use crate::{Error, Limits};

/// What this machine gives a sandbox.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Whether the caller can make namespaces; else why not.
    pub namespaces: Result<(), String>,
    /// What limits memory and processes.
    pub limited_by: String,
}

/// Looks at this machine. Makes a group and a process to be sure, so the calling process must have one thread.
pub fn machine() -> Machine {
    let groups = Groups::new(&Limits::default()).map_or("rlimits", |groups| groups.kind);
    let namespaces = match super::system::begin(libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWNET) {
        Ok(None) => super::system::leave(0),
        Ok(Some(process)) => {
            let _ = nix::sys::wait::waitpid(process, None);
            Ok(())
        }
        Err(error) => Err(no_namespaces(&error).to_string()),
    };
    Machine { namespaces, limited_by: groups.to_owned() }
}

/// Why there are no namespaces, and what to do.
pub fn no_namespaces(error: &io::Error) -> Error {
    let setting = |path: &str| fs::read_to_string(format!("/proc/sys/{path}")).unwrap_or_default().trim().to_owned();
    let hint = if setting("kernel/apparmor_restrict_unprivileged_userns") == "1" {
        "AppArmor keeps ordinary users from making them: give this program a profile with `userns,`, or set \
         kernel.apparmor_restrict_unprivileged_userns to 0"
    } else if setting("kernel/unprivileged_userns_clone") == "0" {
        "set kernel.unprivileged_userns_clone to 1"
    } else if setting("user/max_user_namespaces") == "0" {
        "set user.max_user_namespaces to a number above 0"
    } else {
        "in a container, let it make user namespaces (its seccomp profile must allow `clone` and `mount`), or accept a weaker \
         sandbox with --accept-weaker"
    };
    Error::Lacking { feature: format!("user namespaces ({})", super::places::plain(error)), hint: hint.to_owned() }
}
