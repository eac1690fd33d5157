//! A command on the machine's own ground: where no namespaces can be made, in the tier that is named `landlock`.
//!
//! It sees the machine's root, of which Landlock opens to it the system's programs and what was granted. It has no network and
//! no sockets. Its processes are the machine's, so they are found by their parents when they are to end.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::signal::{SIGKILL, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, geteuid, getpid};

use super::places::{Kind, Place, Places, plain};
use crate::{Error, Job, SKILL, WORK, Work};

/// The first version of Landlock that keeps a command from signalling processes outside.
pub const HOLDS_SIGNALS: i32 = 6;

/// Where a command's folders stand.
#[derive(Debug)]
pub struct Ground {
    places: Vec<Place>,
    /// The work folder.
    pub work: PathBuf,
    /// The temporary folder, which is also its home.
    pub temporary: PathBuf,
    skill: Option<PathBuf>,
    own: PathBuf,
}

impl Ground {
    /// Makes the folders, and looks whether the job can be held so at all.
    pub fn of(job: &Job) -> Result<Self, Error> {
        if super::paths::version().is_none_or(|version| version < HOLDS_SIGNALS) {
            return Err(Error::Lacking {
                feature: format!("Landlock {HOLDS_SIGNALS}, which the tier `landlock` is made of"),
                hint: "use Linux 6.12 or newer with `landlock` among its security modules".into(),
            });
        }
        if !job.permissions.network.is_empty() {
            return Err(Error::refused("in the tier `landlock` no network can be granted; leave out --net"));
        }
        for shown in job.permissions.read.iter().chain(&job.permissions.write) {
            if fs::canonicalize(&shown.from).is_ok_and(|real| real != shown.at) {
                let reason = "in the tier `landlock` everything stands where it stands outside; grant it without `:`";
                return Err(Error::refused(format!("{}: {reason}", shown.from.display())));
            }
        }
        let places = Places::of(job)?.mounts;
        let place = |at: &str| places.iter().find(|place| place.at == Path::new(at)).map(|place| place.from.clone());
        let (skill, work) = (place(SKILL), place(WORK));
        let own = new_folder().map_err(|error| Error::refused(format!("no temporary folder: {}", plain(&error))))?;
        let ground =
            Self { work: work.unwrap_or_else(|| own.join("work")), temporary: own.join("tmp"), places, skill, own };
        let made = fs::create_dir(&ground.temporary).and_then(|()| match job.work {
            Work::Fresh => fs::create_dir(&ground.work),
            Work::Folder(_) => Ok(()),
        });
        made.map_err(|error| Error::refused(format!("no temporary folder: {}", plain(&error))))?;
        Ok(ground)
    }

    /// What Landlock opens for reading, and what for changing too.
    pub fn opened(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let granted = |write: bool| {
            let places = self.places.iter().filter(move |place| place.kind != Kind::Device && place.write == write);
            places.map(|place| place.from.clone())
        };
        let links = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"].map(PathBuf::from);
        let own = [self.work.clone(), self.temporary.clone()];
        (granted(false).chain(links).collect(), granted(true).chain(own).collect())
    }

    /// The job as it is here: what names [`WORK`] or [`SKILL`] names where they stand.
    pub fn translate(&self, job: &Job) -> Job {
        let mut job = job.clone();
        job.command = job.command.iter().map(|word| self.place(word)).collect();
        job.directory = self.place(job.directory.as_os_str()).into();
        job
    }

    fn place(&self, word: &OsStr) -> OsString {
        let under = |inside: &str, outside: &Path| {
            let rest = word.as_bytes().strip_prefix(inside.as_bytes())?;
            (rest.is_empty() || rest.starts_with(b"/"))
                .then(|| OsString::from_vec([outside.as_os_str().as_bytes(), rest].concat()))
        };
        let skill = self.skill.as_deref().and_then(|skill| under(SKILL, skill));
        skill.or_else(|| under(WORK, &self.work)).unwrap_or_else(|| word.to_owned())
    }

    /// What this tier does not have.
    pub fn lacking() -> Vec<String> {
        ["namespaces", "a root of its own", "any network", "a limit of all bytes that it writes"]
            .map(str::to_owned)
            .into()
    }
}

impl Ground {
    /// Takes the folders of its own away again.
    pub fn clear(&self) {
        let _ = fs::remove_dir_all(&self.own);
    }
}

fn new_folder() -> io::Result<PathBuf> {
    let mut number = 0_u32;
    loop {
        let folder = std::env::temp_dir().join(format!("kontor-ground-{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            other => return other.map(|()| folder),
        }
    }
}

/// All processes that this one started, and those that these started.
pub fn descendants() -> BTreeSet<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (process, fields) in processes() {
        let parent = fields.get(1).and_then(|parent| parent.parse().ok()).unwrap_or(0);
        children.entry(parent).or_default().push(process);
    }
    let mut found = BTreeSet::new();
    let mut parents = vec![getpid().as_raw()];
    while let Some(parent) = parents.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            if found.insert(child) {
                parents.push(child);
            }
        }
    }
    found
}

/// How many processes and threads the user has now: the kernel's limit counts them all.
pub fn of_the_user() -> u64 {
    let user = geteuid().as_raw();
    let own = |process: i32| fs::metadata(format!("/proc/{process}")).is_ok_and(|metadata| metadata.uid() == user);
    let threads = processes().filter(|(process, _)| own(*process));
    threads.filter_map(|(_, fields)| fields.get(17)?.parse::<u64>().ok()).fold(0, u64::saturating_add)
}

/// Each process, with the fields of its `stat` from the state on.
fn processes() -> impl Iterator<Item = (i32, Vec<String>)> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        Some((number, rest.split_whitespace().map(str::to_owned).collect()))
    })
}

/// Ends whatever this process started, directly or not; returns when nothing of it is left. Orphans must have come to this
/// process, so that it is their parent now.
pub fn end_descendants() {
    loop {
        for process in descendants() {
            let _ = kill(Pid::from_raw(process), SIGKILL);
        }
        match waitpid(None, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
