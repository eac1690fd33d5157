//! Who the command is: inside always the same ordinary user, outside one who owns nothing.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use nix::sys::signal::{SIGKILL, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getegid, geteuid};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::system;

/// The number of user and group inside.
pub const INSIDE: u32 = 1000;

/// Whom root starts commands as: the number that by convention owns nothing.
const NOBODY: u32 = 65_534;

/// The users of a sandbox.
#[derive(Debug)]
pub struct Users {
    user: u32,
    group: u32,
    root: bool,
    lent: Vec<((u32, u32), OwnedFd)>,
}

impl Users {
    /// The caller's own user; of root, one that owns nothing.
    pub fn of_caller() -> Self {
        let (user, group) = (geteuid().as_raw(), getegid().as_raw());
        let root = user == 0;
        if root {
            Self { user: NOBODY, group: NOBODY, root, lent: Vec::new() }
        } else {
            Self { user, group, root, lent: Vec::new() }
        }
    }

    /// Whether root starts the command.
    pub const fn is_root(&self) -> bool {
        self.root
    }

    /// The number outside.
    pub const fn outside(&self) -> u32 {
        self.user
    }

    /// Gives a process in a new user namespace its user and group.
    pub fn give(&self, process: Pid) -> io::Result<()> {
        let folder = format!("/proc/{process}");
        if !self.root {
            fs::write(format!("{folder}/setgroups"), "deny")?;
        }
        fs::write(format!("{folder}/gid_map"), format!("{INSIDE} {} 1", self.group))?;
        fs::write(format!("{folder}/uid_map"), format!("{INSIDE} {} 1", self.user))
    }

    /// A user namespace by which what `user` and `group` own on disk is the command's, and nothing when it is so already.
    pub fn lend(&mut self, user: u32, group: u32) -> io::Result<Option<&OwnedFd>> {
        if user == self.user && group == self.group {
            return Ok(None);
        }
        let key = (user, group);
        if !self.lent.iter().any(|(known, _)| *known == key) {
            let namespace = namespace(&swap(user, self.user), &swap(group, self.group))?;
            self.lent.push((key, namespace));
        }
        Ok(self.lent.iter().find(|(known, _)| *known == key).map(|(_, namespace)| namespace))
    }
}

/// Maps each number to itself, but `owner` to `borrower`; files of the borrower belong to nobody then.
fn swap(owner: u32, borrower: u32) -> String {
    if owner == borrower {
        return format!("0 0 {}", u32::MAX);
    }
    let (low, high) = (owner.min(borrower), owner.max(borrower));
    let mut lines = vec![(owner, borrower, 1)];
    let keep = |from: u32, until: u32| (from < until).then(|| (from, from, until - from));
    lines.extend([keep(0, low), keep(low + 1, high), keep(high.saturating_add(1), u32::MAX)].into_iter().flatten());
    lines.iter().map(|(from, to, count)| format!("{from} {to} {count}")).collect::<Vec<_>>().join("\n")
}

/// A user namespace with these maps, held by nothing but its descriptor.
fn namespace(users: &str, groups: &str) -> io::Result<OwnedFd> {
    let Some(process) = system::begin(libc::CLONE_NEWUSER)? else {
        if set_parent_process_death_signal(Some(Signal::KILL)).is_err() {
            system::leave(1);
        }
        loop {
            nix::unistd::pause();
        }
    };
    let made = || -> io::Result<OwnedFd> {
        fs::write(format!("/proc/{process}/gid_map"), groups)?;
        fs::write(format!("/proc/{process}/uid_map"), users)?;
        Ok(fs::File::open(format!("/proc/{process}/ns/user"))?.into())
    };
    let made = made();
    kill(process, SIGKILL)?;
    waitpid(process, None)?;
    made
}

#[cfg(test)]
mod tests {
    use super::swap;

    #[test]
    fn lending_moves_one_owner_and_leaves_the_others() {
        assert_eq!(swap(0, 65_534), "0 65534 1\n1 1 65533\n65535 65535 4294901760");
        assert_eq!(swap(70_000, 10), "70000 10 1\n0 0 10\n11 11 69989\n70001 70001 4294897294");
    }
}
