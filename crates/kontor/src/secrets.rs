//! Secrets that came in the environment.
//!
//! A secret in the environment is inherited by every program started later and stays readable in `/proc/<pid>/environ` for
//! as long as the process lives, even when the variable is unset. So the command hands secrets to itself through a pipe
//! and starts itself anew, under the same process id, with a clean environment.

use std::collections::BTreeMap;

/// Variables whose values are secrets or may hold one.
pub const NAMES: &[&str] = &["KONTOR_TOKEN", "KONTOR_ADMIN_TOKEN", "KONTOR_DATABASE", "KONTOR_PASSPHRASE"];

/// Names the descriptor that the secrets wait in.
const DESCRIPTOR: &str = "KONTOR_SECRETS_DESCRIPTOR";

/// Secrets by the name of their variable.
#[derive(Default, Clone)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// The secret that came as variable `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Takes the secrets out of the environment.
    ///
    /// Does not return when there are any in it: the program starts anew, and then they come from the pipe.
    pub fn take() -> std::io::Result<Self> {
        let found: BTreeMap<String, String> =
            NAMES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
        if found.is_empty() { platform::receive() } else { platform::restart(&found) }
    }
}

#[cfg(unix)]
mod platform {
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io::{Error, Read as _, Result, Write as _};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use nix::fcntl::{FcntlArg, FdFlag, fcntl};

    use super::{DESCRIPTOR, NAMES, Secrets};

    /// More than a pipe holds would block the writer for ever.
    const MOST_BYTES: usize = 32 * 1024;

    pub fn restart(found: &BTreeMap<String, String>) -> Result<Secrets> {
        let text = serde_json::to_vec(found)?;
        if text.len() > MOST_BYTES {
            return Err(Error::other("the secrets in the environment are too long"));
        }
        let (reader, writer) = nix::unistd::pipe()?;
        let mut writer = File::from(writer);
        writer.write_all(&text)?;
        drop(writer);
        fcntl(&reader, FcntlArg::F_SETFD(FdFlag::empty()))?;
        let mut again = Command::new(std::env::current_exe()?);
        again.args(std::env::args_os().skip(1)).env(DESCRIPTOR, reader.as_raw_fd().to_string());
        if let Some(name) = std::env::args_os().next() {
            again.arg0(name);
        }
        for name in NAMES {
            again.env_remove(name);
        }
        Err(again.exec())
    }

    pub fn receive() -> Result<Secrets> {
        let Some(descriptor) = std::env::var(DESCRIPTOR).ok().and_then(|text| text.parse::<i32>().ok()) else {
            return Ok(Secrets::default());
        };
        let mut text = Vec::new();
        let Ok(file) = File::open(format!("/dev/fd/{descriptor}")) else { return Ok(Secrets::default()) };
        file.take(MOST_BYTES as u64).read_to_end(&mut text)?;
        nix::unistd::close(descriptor)?;
        Ok(serde_json::from_slice(&text).map(Secrets).unwrap_or_default())
    }
}

#[cfg(not(unix))]
mod platform {
    use std::collections::BTreeMap;
    use std::io::Result;

    use super::Secrets;

    pub fn restart(found: &BTreeMap<String, String>) -> Result<Secrets> {
        Ok(Secrets(found.clone()))
    }

    pub fn receive() -> Result<Secrets> {
        Ok(Secrets::default())
    }
}
