#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says loudly what it skips"
)]
//! Agreement with the reference validator `skills-ref` 0.1.1: both judge the same folders, and must say the same.
//!
//! The folders are the development corpus, skills in published packages, and odd samples made here. What cannot be
//! had (no Python, no network, no corpus) is skipped, and said so.

use std::fs;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use kontor_package::{ArchiveLimits, Content, DiscoveryLimits, Limits, discover, inspect, unpack_tree};

#[path = "skills_ref/samples.rs"]
mod samples;

const JUDGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/skills_ref/judge.py");

fn skipped(what: &str) {
    eprintln!("SKIPPED: {what}");
}

/// A folder that outlives the test run, so that nothing is fetched twice.
fn kept() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("skills-ref")
}

fn run(program: &Path, arguments: &[&str], folder: &Path) -> bool {
    let status = Command::new(program).args(arguments).current_dir(folder).stdout(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// The Python that has the validator; installed on first use.
fn validator() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let home = kept();
        fs::create_dir_all(&home).unwrap();
        let python = home.join("venv/bin/python");
        // Every test is a process of its own; one of them installs.
        let lock = fs::File::create(home.join("lock")).unwrap();
        lock.lock().unwrap();
        let has_it = |python: &Path| python.exists() && run(python, &["-c", "import skills_ref"], &home);
        if !has_it(&python) {
            run(Path::new("python3"), &["-m", "venv", "venv"], &home);
            run(&python, &["-m", "pip", "install", "--quiet", "skills-ref==0.1.1"], &home);
        }
        has_it(&python).then_some(python)
    });
    if python.is_none() {
        skipped("skills-ref 0.1.1 cannot be installed here, so nothing is compared with it");
    }
    python.as_deref()
}

/// What the validator says about each folder.
fn their_verdicts(python: &Path, folders: &[PathBuf]) -> Vec<String> {
    let mut child = Command::new(python).arg(JUDGE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let list: Vec<_> = folders.iter().map(|folder| folder.to_str().unwrap().to_owned()).collect();
    let writer = std::thread::spawn(move || list.iter().try_for_each(|folder| writeln!(input, "{folder}")));
    let verdicts: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(verdicts.len(), folders.len());
    verdicts
}

fn our_verdict(folder: &Path) -> (bool, bool, String) {
    match Content::from_directory(folder, &Limits::default()) {
        Ok(content) => {
            let inspection = inspect(&content, folder.file_name().and_then(|name| name.to_str()));
            let reasons: Vec<_> = inspection.findings.iter().filter(|finding| finding.breaks_spec).collect();
            (inspection.spec_valid, inspection.accepted, format!("{reasons:?}"))
        }
        Err(refusal) => (false, false, refusal.to_string()),
    }
}

/// Compares both on every folder; how many both accept, and how many we take in at all.
fn compare(folders: &[PathBuf]) -> Option<(usize, usize)> {
    let python = validator()?;
    let (mut valid, mut accepted) = (0, 0);
    let mut differences = Vec::new();
    for (folder, theirs) in folders.iter().zip(their_verdicts(python, folders)) {
        let (ours, taken, reasons) = our_verdict(folder);
        valid += usize::from(ours);
        accepted += usize::from(taken);
        if ours != theirs.starts_with("accept") {
            let text = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
            let text = String::from_utf8_lossy(&fs::read(text).unwrap()).chars().take(400).collect::<String>();
            differences
                .push(format!("{}\n  text:   {text:?}\n  ours:   {reasons}\n  theirs: {theirs}", folder.display()));
        }
    }
    let (count, all) = (differences.len(), folders.len());
    assert!(differences.is_empty(), "{count} of {all} verdicts differ:\n{}", differences[..count.min(10)].join("\n"));
    Some((valid, accepted))
}

fn skill_folders(root: &Path) -> Vec<PathBuf> {
    let found = discover(root, &DiscoveryLimits::default()).unwrap();
    found.skills.iter().map(|skill| root.join(&skill.path)).collect()
}

#[test]
fn odd_samples_are_judged_as_the_reference_validator_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut folders = Vec::new();
    for (number, sample) in samples::all().into_iter().enumerate() {
        let place = folder.path().join(number.to_string()).join(&sample.folder);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join(sample.file), sample.bytes).unwrap();
        folders.push(place);
    }
    assert!(folders.len() > 1_000);
    if let Some((valid, _)) = compare(&folders) {
        assert!(valid > 300 && valid < folders.len() - 300, "{valid} of {} are valid", folders.len());
    }
}

#[test]
fn the_development_corpus_is_judged_alike_and_comes_in() {
    let shared = std::env::var_os("KONTOR_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let Ok(archive) = fs::File::open(shared.join("data/skills-dev.tar.zst")) else {
        return skipped("the development corpus is not here (KONTOR_SHARED)");
    };
    let folder = tempfile::tempdir().unwrap();
    unpack_tree(archive, &folder.path().join("corpus"), &ArchiveLimits::default()).unwrap();
    let folders = skill_folders(folder.path());
    assert!(folders.len() >= 631, "{}", folders.len());
    let taken = folders.iter().filter(|folder| our_verdict(folder).1).count();
    assert!(taken * 100 >= folders.len() * 98, "{taken} of {} come in", folders.len());
    compare(&folders);
}

/// Packages with skills: how they are fetched, the file that arrives, and how many skills it has at least.
const PACKAGES: [(&str, &str, usize); 4] = [
    ("npm", "ecc-universal@2.0.0", 700),
    ("npm", "ai-labs-claude-skills@2.0.1", 25),
    ("pip", "claude-data-skills==3.5.3", 25),
    ("npm", "openclaw@2026.9.6", 60),
];

#[test]
fn skills_in_published_packages_are_judged_alike_and_come_in() {
    for (tool, package, least) in PACKAGES {
        if package.starts_with("openclaw") && std::env::var_os("KONTOR_TEST_LARGE").is_none() {
            skipped("openclaw@2026.9.6 has 95 MB; set KONTOR_TEST_LARGE=1 to compare its skills");
            continue;
        }
        let Some(archive) = fetched(tool, package) else {
            skipped(&format!("{tool} cannot fetch {package}"));
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        unpack_tree(Cursor::new(archive), &folder.path().join("package"), &ArchiveLimits::default()).unwrap();
        let folders = skill_folders(folder.path());
        assert!(folders.len() >= least, "{package} has {}", folders.len());
        if let Some((_, accepted)) = compare(&folders) {
            assert!(accepted * 100 >= folders.len() * 98, "{accepted} of {} come in", folders.len());
        }
    }
}

/// The package's archive, fetched once by the user's own tool.
fn fetched(tool: &str, package: &str) -> Option<Vec<u8>> {
    let folder = kept().join(package.replace(['=', '@'], "-"));
    let archive = || {
        let mut files = fs::read_dir(&folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
        files.find(|path| path.extension().is_some_and(|extension| extension == "tgz" || extension == "whl"))
    };
    if archive().is_none() {
        fs::create_dir_all(&folder).unwrap();
        let arguments: &[&str] = match tool {
            "npm" => &["pack", "--silent", package],
            _ => &["download", "--quiet", "--no-deps", package],
        };
        run(Path::new(tool), arguments, &folder);
    }
    fs::read(archive()?).ok()
}
