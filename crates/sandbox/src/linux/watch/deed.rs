//! What a call that was handed over is about.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::FileExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use libc::c_long;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

use super::REFUSED;
use crate::Deed;

/// The longest path that is read of a process.
const LONGEST: usize = 4096;
/// How many words of a command line are kept, and how long each.
const WORDS: usize = 24;
const WORD: usize = 400;

/// One call of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The process, by its number outside.
    pub process: u32,
    /// What it is about.
    pub deed: Deed,
    pub(super) id: u64,
    pub(super) call: c_long,
}

impl Seen {
    pub(super) fn of(call: &libc::seccomp_notif) -> Self {
        let number = c_long::from(call.data.nr);
        let reader = Reader { process: call.pid, arguments: call.data.args };
        let deed = reader.deed(number).unwrap_or(Deed::Other);
        Self { process: call.pid, deed, id: call.id, call: number }
    }

    /// The program that the process runs now.
    pub fn program(&self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/exe", self.process)).ok()
    }

    /// The device and the number by which the file at a path is known, whatever links lead to it.
    pub fn identity(&self, path: &Path) -> Option<(u64, u64)> {
        let root = File::open(format!("/proc/{}/root", self.process)).ok()?;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let inner = path.strip_prefix("/").ok()?;
        let found = openat2(&root, inner, flags, Mode::empty(), ResolveFlags::IN_ROOT).ok()?;
        let stat = rustix::fs::fstat(&found).ok()?;
        Some((stat.st_dev, stat.st_ino))
    }
}

/// Whether a call sends a message, which only sometimes names where to.
pub fn is_message(call: c_long) -> bool {
    matches!(call, libc::SYS_sendto | libc::SYS_sendmsg)
}

/// Reads what a call's arguments point to.
struct Reader {
    process: u32,
    arguments: [u64; 6],
}

impl Reader {
    fn deed(&self, call: c_long) -> io::Result<Deed> {
        let at = |number: usize| self.arguments.get(number).copied().unwrap_or(0);
        if let Some((_, name)) = REFUSED.iter().find(|(refused, _)| *refused == call) {
            return Ok(Deed::Refused { call: name });
        }
        Ok(match call {
            libc::SYS_openat => Deed::Open { path: self.path(at(0), at(1))?, write: writes(at(2)) },
            libc::SYS_execve => Deed::Start { program: self.here(at(0))?, words: self.words(at(1)) },
            libc::SYS_execveat => Deed::Start { program: self.path(at(0), at(1))?, words: self.words(at(2)) },
            libc::SYS_connect => self.address(at(1), at(2))?.map_or(Deed::Other, |to| Deed::Reach { to }),
            libc::SYS_sendto => self.address(at(4), at(5))?.map_or(Deed::Other, |to| Deed::Reach { to }),
            libc::SYS_sendmsg | libc::SYS_sendmmsg => self.message(at(1))?,
            libc::SYS_unlinkat => Deed::Remove { path: self.path(at(0), at(1))? },
            libc::SYS_renameat | libc::SYS_renameat2 | libc::SYS_linkat => {
                Deed::Name { from: self.path(at(0), at(1))?, to: self.path(at(2), at(3))? }
            }
            libc::SYS_symlinkat => Deed::Name { from: self.text(at(0))?.into(), to: self.path(at(1), at(2))? },
            libc::SYS_truncate => Deed::Open { path: self.here(at(0))?, write: true },
            libc::SYS_nanosleep => Deed::Sleep { time: Some(self.time(at(0))?) },
            libc::SYS_clock_nanosleep if at(1) == 0 => Deed::Sleep { time: Some(self.time(at(2))?) },
            libc::SYS_clock_nanosleep => Deed::Sleep { time: self.until(at(0), at(2)) },
            libc::SYS_setsid => Deed::Leave,
            libc::SYS_socket => Deed::Refused { call: "raw socket" },
            _ => self.older(call)?,
        })
    }

    /// Calls that newer architectures do not have.
    #[cfg(target_arch = "x86_64")]
    fn older(&self, call: c_long) -> io::Result<Deed> {
        let at = |number: usize| self.arguments.get(number).copied().unwrap_or(0);
        Ok(match call {
            libc::SYS_open => Deed::Open { path: self.here(at(0))?, write: writes(at(1)) },
            libc::SYS_creat => Deed::Open { path: self.here(at(0))?, write: true },
            libc::SYS_unlink => Deed::Remove { path: self.here(at(0))? },
            libc::SYS_rename | libc::SYS_link => Deed::Name { from: self.here(at(0))?, to: self.here(at(1))? },
            libc::SYS_symlink => Deed::Name { from: self.text(at(0))?.into(), to: self.here(at(1))? },
            _ => Deed::Other,
        })
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn older(&self, _: c_long) -> io::Result<Deed> {
        Ok(Deed::Other)
    }

    fn memory(&self, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        File::open(format!("/proc/{}/mem", self.process))?.read_at(bytes, at)
    }

    /// A text that ends with a zero.
    fn text(&self, at: u64) -> io::Result<String> {
        let mut text = Vec::new();
        let memory = File::open(format!("/proc/{}/mem", self.process))?;
        while text.len() < LONGEST {
            let place = at.saturating_add(text.len() as u64);
            // To the end of a page: the next one may not be there.
            let room = 256 - usize::try_from(place % 256).unwrap_or(0);
            let mut part = vec![0; room];
            let read = memory.read_at(&mut part, place)?;
            let part = part.get(..read).unwrap_or_default();
            if let Some(end) = part.iter().position(|byte| *byte == 0) {
                text.extend_from_slice(part.get(..end).unwrap_or_default());
                break;
            }
            if read == 0 {
                break;
            }
            text.extend_from_slice(part);
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// A path beside a descriptor of a folder.
    fn path(&self, folder: u64, at: u64) -> io::Result<PathBuf> {
        let text = self.text(at)?;
        if text.starts_with('/') {
            return Ok(plain(Path::new(&text)));
        }
        // Descriptors are 32 bits wide, whatever stands above.
        #[expect(clippy::cast_possible_truncation, reason = "the kernel looks at these bits only")]
        let folder = (folder as u32).cast_signed();
        let link = if folder == libc::AT_FDCWD { "cwd".to_owned() } else { format!("fd/{folder}") };
        let folder = fs::read_link(format!("/proc/{}/{link}", self.process))?;
        Ok(plain(&folder.join(text)))
    }

    fn here(&self, at: u64) -> io::Result<PathBuf> {
        #[expect(clippy::cast_sign_loss, reason = "the bits are what counts")]
        self.path(libc::AT_FDCWD as u64, at)
    }

    fn words(&self, at: u64) -> Vec<String> {
        let mut words = Vec::new();
        for number in 0..WORDS as u64 {
            let mut pointer = [0; 8];
            if at == 0 || self.memory(at.saturating_add(number * 8), &mut pointer).is_err() {
                break;
            }
            let pointer = u64::from_ne_bytes(pointer);
            if pointer == 0 {
                break;
            }
            let Ok(word) = self.text(pointer) else { break };
            words.push(word.chars().take(WORD).collect());
        }
        words
    }

    /// An address of the internet; nothing for those of other families.
    fn address(&self, at: u64, length: u64) -> io::Result<Option<SocketAddr>> {
        let mut bytes = [0; 28];
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
        let Some(place) = bytes.get_mut(..length) else { return Ok(None) };
        if at == 0 || self.memory(at, place)? < 8 {
            return Ok(None);
        }
        let family = i32::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        let port = u16::from_be_bytes([bytes[2], bytes[3]]);
        let address: IpAddr = match family {
            libc::AF_INET => Ipv4Addr::from([bytes[4], bytes[5], bytes[6], bytes[7]]).into(),
            libc::AF_INET6 => {
                let mut long = [0; 16];
                long.copy_from_slice(bytes.get(8..24).unwrap_or(&[0; 16]));
                Ipv6Addr::from(long).to_canonical()
            }
            _ => return Ok(None),
        };
        Ok(Some(SocketAddr::new(address, port)))
    }

    /// Where a message goes: the first two fields of its header say it.
    fn message(&self, at: u64) -> io::Result<Deed> {
        let mut head = [0; 16];
        if self.memory(at, &mut head)? < head.len() {
            return Ok(Deed::Other);
        }
        let [name, length] = [0, 8].map(|from| {
            let mut field = [0; 8];
            field.copy_from_slice(head.get(from..from + 8).unwrap_or(&[0; 8]));
            u64::from_ne_bytes(field)
        });
        Ok(self.address(name, length & 0xffff_ffff)?.map_or(Deed::Other, |to| Deed::Reach { to }))
    }

    fn time(&self, at: u64) -> io::Result<Duration> {
        let mut bytes = [0; 16];
        self.memory(at, &mut bytes)?;
        let [seconds, rest] = [0, 8].map(|from| {
            let mut field = [0; 8];
            field.copy_from_slice(bytes.get(from..from + 8).unwrap_or(&[0; 8]));
            u64::from_ne_bytes(field)
        });
        Ok(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(rest.min(999_999_999))))
    }

    /// How long it is until a time on one of the two common clocks.
    fn until(&self, clock: u64, at: u64) -> Option<Duration> {
        let clock = match i32::try_from(clock).ok()? {
            libc::CLOCK_REALTIME => rustix::time::ClockId::Realtime,
            libc::CLOCK_MONOTONIC => rustix::time::ClockId::Monotonic,
            _ => return None,
        };
        let now = rustix::time::clock_gettime(clock);
        let now = Duration::new(u64::try_from(now.tv_sec).ok()?, u32::try_from(now.tv_nsec).ok()?);
        Some(self.time(at).ok()?.saturating_sub(now))
    }
}

fn writes(flags: u64) -> bool {
    let flags = i32::try_from(flags & 0x7fff_ffff).unwrap_or(0);
    flags & libc::O_ACCMODE != libc::O_RDONLY || flags & (libc::O_CREAT | libc::O_TRUNC) != 0
}

/// Without `.` and `..`, as far as a text shows that.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::plain;

    #[test]
    fn a_path_is_brought_to_its_plain_form() {
        assert_eq!(plain(Path::new("/a/./b/../../c//d/..")), Path::new("/c"));
        assert_eq!(plain(Path::new("/../../etc")), Path::new("/etc"));
    }
}
