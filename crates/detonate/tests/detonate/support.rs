//! Skills made of a few files, detonated by root and by an ordinary user.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use kontor_detonate::{Budget, Detonator};
use kontor_package::{Content, Limits};
use kontor_sandbox::Sandbox;
use kontor_scan::{Detonation, Finding, Severity};

/// More than any script of these tests takes.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The ordinary user of these tests.
const USER: &str = "1000";

/// Has a test of root done by an ordinary user too, from the beginning: a process of its own runs it again.
pub fn by_a_user_too() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let thread = std::thread::current();
    let name = thread.name().unwrap();
    let status = Command::new("/usr/bin/setpriv")
        .args(["--reuid", USER, "--regid", USER, "--clear-groups"])
        .arg(shared().join("tests"))
        .args(["--exact", name, "--nocapture"])
        .env("PATH", "/usr/bin:/bin")
        .env_remove("NEXTEST")
        .current_dir("/")
        .status()
        .unwrap();
    assert!(status.success(), "as an ordinary user");
}

/// A folder in which every user finds these tests and the launcher.
fn shared() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let own = std::env::current_exe().unwrap();
        if own.with_file_name("launcher").exists() {
            return own.parent().unwrap().to_owned();
        }
        let folder = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap().keep();
        fs::copy(own, folder.join("tests")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_kontor-detonate-launcher"), folder.join("launcher")).unwrap();
        folder
    })
}

pub fn skill(files: &[(&str, &str)]) -> Content {
    let text = "---\nname: hours\ndescription: Adds up hours.\n---\n\n# Hours\n\nRun the script.\n";
    let mut all = vec![("SKILL.md".to_owned(), text.as_bytes().to_vec())];
    all.retain(|(path, _)| !files.iter().any(|(own, _)| own == path));
    all.extend(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())));
    Content::from_files(all, &Limits::default()).unwrap()
}

pub fn detonate(content: &Content, each: Duration) -> (Detonation, Vec<Finding>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let budget = Budget { each, ..Budget::default() };
    let detonator = Detonator::new(Sandbox::new(shared().join("launcher"), Vec::new())).unwrap().within(budget);
    runtime.block_on(detonator.detonate(content)).unwrap()
}

/// The rules that a skill breaks when it is run, with how grave that is.
pub fn found(files: &[(&str, &str)]) -> Vec<(String, Severity, String)> {
    let (detonation, findings) = detonate(&skill(files), PATIENCE);
    for run in &detonation.runs {
        eprintln!("{run:?}");
    }
    eprintln!("not run: {:?}", detonation.not_run);
    for finding in &findings {
        eprintln!("{} {} {}", finding.severity, finding.rule, finding.excerpt);
    }
    findings.into_iter().map(|finding| (finding.rule, finding.severity, finding.excerpt)).collect()
}
