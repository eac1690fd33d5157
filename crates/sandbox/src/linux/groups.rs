//! Control groups: they count the memory and the processes of a command together. Three arrangements are common: version 2 alone,
//! version 1 alone, and both side by side. Who may not make groups goes without.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Limits;

/// What our groups' names begin with; then comes the launcher's number.
const PREFIX: &str = "kontor-run-";
/// How long a group may be empty while a command is set up.
const YOUNG: Duration = Duration::from_mins(1);

/// The groups of one command; they go when this goes. The default is none.
#[derive(Debug, Default)]
pub struct Groups {
    /// `cgroup v2`, `cgroup v1` or `rlimits`.
    pub kind: &'static str,
    memory: Option<PathBuf>,
    processors: Option<PathBuf>,
    folders: Vec<PathBuf>,
    version_two: bool,
}

impl Groups {
    /// Makes groups with these limits, if the caller may.
    pub fn new(limits: &Limits) -> io::Result<Self> {
        let arrangement = Arrangement::of_this_process();
        let groups = match Self::version_two(&arrangement, limits)? {
            Some(groups) => groups,
            None => Self::version_one(&arrangement, limits)?,
        };
        Ok(groups)
    }

    /// Whether all memory of the command is counted together.
    pub const fn count_memory(&self) -> bool {
        self.memory.is_some()
    }

    fn version_two(arrangement: &Arrangement, limits: &Limits) -> io::Result<Option<Self>> {
        let Some(parent) = arrangement.version_two.as_ref().and_then(|own| parent_of_groups(own)) else {
            return Ok(None);
        };
        let folder = parent.join(name());
        if fs::create_dir(&folder).is_err() {
            return Ok(None);
        }
        let groups = Self {
            kind: "cgroup v2",
            memory: Some(folder.clone()),
            processors: Some(folder.clone()),
            folders: vec![folder.clone()],
            version_two: true,
        };
        write(&folder, "pids.max", limits.processes)?;
        write(&folder, "memory.max", limits.memory)?;
        // Not every kernel counts swap, and none should be used past the limit.
        let _ = write(&folder, "memory.swap.max", 0);
        sweep(&parent);
        Ok(Some(groups))
    }

    fn version_one(arrangement: &Arrangement, limits: &Limits) -> io::Result<Self> {
        let mut groups = Self::default();
        groups.kind = "rlimits";
        if let Some(folder) = arrangement.memory.as_ref().and_then(|parent| make(parent)) {
            groups.folders.push(folder.clone());
            groups.kind = "cgroup v1";
            write(&folder, "memory.limit_in_bytes", limits.memory)?;
            let _ = write(&folder, "memory.memsw.limit_in_bytes", limits.memory);
            groups.memory = Some(folder);
        }
        if let Some(folder) = arrangement.pids.as_ref().and_then(|parent| make(parent)) {
            groups.folders.push(folder.clone());
            groups.kind = if groups.memory.is_some() { "cgroup v1" } else { "rlimits, processes by cgroup v1" };
            write(&folder, "pids.max", limits.processes)?;
        }
        if let Some(folder) = arrangement.processors.as_ref().and_then(|parent| make(parent)) {
            groups.folders.push(folder.clone());
            groups.processors = Some(folder);
        }
        Ok(groups)
    }

    /// Files into which a process of one thread writes `0` to be in the groups.
    pub fn doors(&self) -> io::Result<Vec<File>> {
        let door = if self.version_two { "cgroup.procs" } else { "tasks" };
        self.folders.iter().map(|folder| OpenOptions::new().write(true).open(folder.join(door))).collect()
    }

    /// Whether the kernel ended something because memory was over.
    pub fn ran_out_of_memory(&self) -> bool {
        let Some(folder) = &self.memory else { return false };
        let file = if self.version_two { "memory.events" } else { "memory.oom_control" };
        let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
        text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
    }

    /// The most memory at once, if it was counted.
    pub fn most_memory(&self) -> Option<u64> {
        let folder = self.memory.as_ref()?;
        let file = if self.version_two { "memory.peak" } else { "memory.max_usage_in_bytes" };
        fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
    }

    /// The time on processors of all that was ever in the groups, if it was counted.
    pub fn time(&self) -> Option<Duration> {
        let folder = self.processors.as_ref()?;
        if !self.version_two {
            return fs::read_to_string(folder.join("cpuacct.usage"))
                .ok()?
                .trim()
                .parse()
                .ok()
                .map(Duration::from_nanos);
        }
        let text = fs::read_to_string(folder.join("cpu.stat")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("usage_usec ")?.parse().ok()).map(Duration::from_micros)
    }

    /// Ends everything in the groups, where the kernel can do that in one go.
    pub fn kill(&self) {
        if self.version_two {
            for folder in &self.folders {
                let _ = fs::write(folder.join("cgroup.kill"), "1");
            }
        }
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for folder in &self.folders {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Where this process is in each hierarchy.
#[derive(Debug, Default)]
struct Arrangement {
    version_two: Option<PathBuf>,
    memory: Option<PathBuf>,
    pids: Option<PathBuf>,
    processors: Option<PathBuf>,
}

impl Arrangement {
    fn of_this_process() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = |controller: &str| {
            let path = groups.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                let (controllers, path) = rest.split_once(':')?;
                controllers.split(',').any(|known| known == controller).then_some(path)
            })?;
            let mount = mounts.lines().find_map(|line| mounted(line, controller))?;
            // In a container the path may be one of outside; then the mount itself is where this process is.
            let folder = mount.join(path.trim_start_matches('/'));
            Some(if folder.is_dir() { folder } else { mount })
        };
        Self { version_two: own(""), memory: own("memory"), pids: own("pids"), processors: own("cpuacct") }
    }
}

/// Where a line of the list of mounts has this controller; version 2 has the empty name.
fn mounted(line: &str, controller: &str) -> Option<PathBuf> {
    let mut fields = line.split(' ').skip(1);
    let (path, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
    let is_it = if controller.is_empty() {
        kind == "cgroup2"
    } else {
        kind == "cgroup" && options.split(',').any(|option| option == controller)
    };
    is_it.then(|| PathBuf::from(path))
}

/// The nearest group of version 2 whose groups may have limits of memory and processes, and in which this process may make some.
fn parent_of_groups(own: &Path) -> Option<PathBuf> {
    own.ancestors().take_while(|folder| folder.join("cgroup.procs").exists()).find_map(|folder| {
        let enabled = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
        let has = |name: &str| enabled.split_whitespace().any(|known| known == name);
        let writable = nix::unistd::access(folder, nix::unistd::AccessFlags::W_OK).is_ok();
        (has("memory") && has("pids") && writable).then(|| folder.to_owned())
    })
}

fn make(parent: &Path) -> Option<PathBuf> {
    let folder = parent.join(name());
    fs::create_dir(&folder).ok()?;
    sweep(parent);
    Some(folder)
}

fn name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Removes the groups of launchers that were killed before they could.
fn sweep(parent: &Path) {
    // One launcher of some does it: what is left is empty and harms nothing.
    if !std::process::id().is_multiple_of(16) {
        return;
    }
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let launcher = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| rest.split('-').next());
        // The launcher of a young group may live where this process cannot see it, in another container.
        let old = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|made| made.elapsed().ok());
        let old = old.is_some_and(|age| age > YOUNG);
        if old && launcher.is_some_and(|number| !Path::new("/proc").join(number).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

fn write(folder: &Path, file: &str, value: u64) -> io::Result<()> {
    fs::write(folder.join(file), value.to_string())
        .map_err(|error| io::Error::new(error.kind(), format!("{file}: {error}")))
}
