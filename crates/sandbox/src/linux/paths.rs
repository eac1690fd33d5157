//! Landlock: what may be done with paths, once more and independently of what is mounted.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

use super::places::DEVICES;
use crate::{Job, WORK};

/// The newest version that these rules were written for; an older kernel enforces what it knows.
const NEWEST: ABI = ABI::V9;

/// The first version that keeps commands from sockets in folders that they may only read.
pub const HOLDS_SOCKETS: i32 = 9;

/// The folders that a job may change.
pub fn writable(job: &Job) -> Vec<PathBuf> {
    let own = ["/tmp", "/dev/shm", WORK].map(PathBuf::from);
    own.into_iter().chain(job.permissions.write.iter().map(|shown| shown.at.clone())).collect()
}

/// Lets the rules hold for this process and all that it starts: read and start everything that `readable` names, change only
/// what `writable` names, make no devices, and reach no abstract socket and no process outside. Says which version of the
/// rules the kernel has, or nothing when it has none.
pub fn restrict(readable: &[PathBuf], writable: &[PathBuf]) -> Result<Option<i32>, RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    let read = AccessFs::from_read(NEWEST) & !AccessFs::ResolveUnix;
    let change = all & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::ResolveUnix);
    let file = AccessFs::from_file(NEWEST);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let granted =
        readable.iter().map(|path| (path.as_path(), read)).chain(writable.iter().map(|path| (path.as_path(), change)));
    for (path, access) in granted {
        // What is not there needs no rule: what no rule names is refused.
        let Ok(descriptor) = PathFd::new(path) else { continue };
        let access = if path.is_dir() { access } else { access & file };
        rules = rules.add_rule(PathBeneath::new(descriptor, access))?;
    }
    for path in DEVICES {
        if let Ok(descriptor) = PathFd::new(path) {
            rules = rules.add_rule(PathBeneath::new(descriptor, AccessFs::ReadFile | AccessFs::WriteFile))?;
        }
    }
    let held = rules.restrict_self()?;
    Ok(match (held.ruleset, held.landlock) {
        (RulesetStatus::NotEnforced, _) | (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => None,
        (_, LandlockStatus::Available { effective_abi, kernel_abi }) => {
            Some(kernel_abi.unwrap_or(effective_abi as i32))
        }
    })
}

/// The kernel's version of Landlock, asked in the way that restricts nothing.
pub fn version() -> Option<i32> {
    super::system::landlock_version()
}

/// What a command reads when it has a root of its own: all that stands in it.
pub fn own_root() -> Vec<PathBuf> {
    vec![Path::new("/").to_owned()]
}
