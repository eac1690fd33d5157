//! Control groups: they count the memory and the processes of a command together. Three arrangements are common: version 2 alone,
//! version 1 alone, and both side by side. Who may not make groups goes without.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
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

    /// Whether all time on processors is counted together.
    pub const fn count_time(&self) -> bool {
        self.processors.is_some()
    }

    /// What was counted until now.
    pub fn counts(&self) -> Counts {
        Counts { ran_out_of_memory: self.ran_out_of_memory(), memory: self.most_memory(), time: self.time() }
    }

    fn ran_out_of_memory(&self) -> bool {
        let Some(folder) = &self.memory else { return false };
        let file = if self.version_two { "memory.events" } else { "memory.oom_control" };
        let text = read(&folder.join(file)).unwrap_or_default();
        text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
    }

    fn most_memory(&self) -> Option<u64> {
        let folder = self.memory.as_ref()?;
        let file = if self.version_two { "memory.peak" } else { "memory.max_usage_in_bytes" };
        read(&folder.join(file))?.trim().parse().ok()
    }

    /// The time on processors of all that was ever in the groups, if it was counted.
    pub fn time(&self) -> Option<Duration> {
        let folder = self.processors.as_ref()?;
        if !self.version_two {
            return read(&folder.join("cpuacct.usage"))?.trim().parse().ok().map(Duration::from_nanos);
        }
        let text = read(&folder.join("cpu.stat"))?;
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

/// What groups counted.
#[derive(Debug)]
pub struct Counts {
    /// Whether the kernel ended something because memory was over.
    pub ran_out_of_memory: bool,
    /// The most memory at once, if it was counted.
    pub memory: Option<u64>,
    /// The time on processors of all that was ever in the groups, if it was counted.
    pub time: Option<Duration>,
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
        let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
        let mounts = read(Path::new("/proc/self/mounts")).unwrap_or_default();
        Self::of(&groups, &mounts)
    }

    /// From the lists of groups and of mounts.
    fn of(groups: &str, mounts: &str) -> Self {
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

/// Ends what is in the groups of a launcher that is gone, where the kernel can do that in one go, and removes them; says
/// whether none is left.
pub fn clear(launcher: u32) -> bool {
    let arrangement = Arrangement::of_this_process();
    let version_two = arrangement.version_two.as_deref().and_then(parent_of_groups);
    let version_one = [arrangement.memory, arrangement.pids, arrangement.processors].into_iter().flatten();
    let prefix = format!("{PREFIX}{launcher}-");
    version_two.into_iter().chain(version_one).fold(true, |clear, parent| {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let own = entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)));
        own.fold(clear, |clear, entry| {
            // Version 1 has no such file.
            let _ = fs::write(entry.path().join("cgroup.kill"), "1");
            fs::remove_dir(entry.path()).is_ok() && clear
        })
    })
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

/// Reads a file of the kernel, of which nobody knows how long it is, with few calls.
fn read(file: &Path) -> Option<String> {
    let mut text = String::with_capacity(4 << 10);
    File::open(file).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

fn write(folder: &Path, file: &str, value: u64) -> io::Result<()> {
    fs::write(folder.join(file), value.to_string())
        .map_err(|error| io::Error::new(error.kind(), format!("{file}: {error}")))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use rstest::rstest;

    use super::{Arrangement, Groups};
    use crate::Limits;

    /// A group of version 2 with the files that the kernel gives one.
    fn group(folder: &Path, enabled: &str) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("cgroup.procs"), "").unwrap();
        fs::write(folder.join("cgroup.subtree_control"), enabled).unwrap();
    }

    #[rstest]
    #[case::in_a_session(
        "0::/user.slice/app.slice/shell.scope\n",
        "user.slice/app.slice/shell.scope",
        "user.slice/app.slice"
    )]
    #[case::beside_version_one(
        "7:memory:/one\n0::/user.slice/app.slice\n",
        "user.slice/app.slice",
        "user.slice/app.slice"
    )]
    #[case::a_path_of_outside("0::/docker/4f2a\n", "", "")]
    fn version_two_has_its_groups_in_the_nearest_one_that_counts(
        #[case] groups: &str,
        #[case] own: &str,
        #[case] parent: &str,
    ) {
        let top = tempfile::tempdir().unwrap();
        let enabled = |at: &str| if at == parent { "cpu memory pids" } else { "" };
        for at in ["", "user.slice", "user.slice/app.slice", "user.slice/app.slice/shell.scope"] {
            group(&top.path().join(at), enabled(at));
        }
        let mounts = format!("proc /proc proc rw 0 0\ncgroup2 {} cgroup2 rw,nosuid 0 0\n", top.path().display());
        let arrangement = Arrangement::of(groups, &mounts);
        assert_eq!(arrangement.version_two.as_deref(), Some(top.path().join(own).as_path()));

        let limits = Limits { memory: 64 << 20, processes: 7, ..Limits::default() };
        let made = Groups::version_two(&arrangement, &limits).unwrap().unwrap();
        let folder = made.folders.first().unwrap().clone();
        assert_eq!(folder.parent(), Some(top.path().join(parent).as_path()));
        let said = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(
            (said("memory.max"), said("memory.swap.max"), said("pids.max")),
            ("67108864".into(), "0".into(), "7".into())
        );

        // What the kernel would write there.
        fs::write(folder.join("cgroup.procs"), "").unwrap();
        fs::write(folder.join("memory.events"), "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n")
            .unwrap();
        fs::write(folder.join("memory.peak"), "4096\n").unwrap();
        fs::write(folder.join("cpu.stat"), "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n").unwrap();
        let counts = made.counts();
        assert_eq!(
            (counts.ran_out_of_memory, counts.memory, counts.time),
            (true, Some(4096), Some(Duration::from_micros(1500)))
        );
        assert_eq!(made.doors().unwrap().len(), 1);
        made.kill();
        assert_eq!(said("cgroup.kill"), "1");
    }

    #[test]
    fn version_two_without_memory_and_processes_is_not_taken() {
        let top = tempfile::tempdir().unwrap();
        group(top.path(), "hugetlb");
        let arrangement = Arrangement::of("0::/\n", &format!("cgroup2 {} cgroup2 rw 0 0\n", top.path().display()));
        assert!(Groups::version_two(&arrangement, &Limits::default()).unwrap().is_none());
    }
}
