//! Why this machine cannot hold a command.

use std::fs;
use std::io;

use crate::Error;

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
        "in a container, let it make user namespaces: its seccomp profile must allow `clone` and `mount`"
    };
    let hint = format!("{hint}; or ask for the weaker tier that needs none, with `--tier landlock`");
    Error::Lacking { feature: format!("user namespaces ({})", super::places::plain(error)), hint }
}
