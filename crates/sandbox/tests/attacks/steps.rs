//! When a step of the set-up fails, or the launcher dies in it, nothing of the command runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use kontor_sandbox::{Error, Job, Step, Work, collect};

use crate::support::{everybody, run, run_with, sandbox};

/// A command that leaves a mark where it can be seen from outside.
fn marking(folder: &std::path::Path) -> Job {
    let mut job = Job::new(["bash", "-c", "echo ran > /work/mark"]);
    job.work = Work::Folder(folder.to_owned());
    job
}

#[test]
fn nothing_runs_when_a_step_fails() {
    for who in everybody() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let job = marking(folder.path());
        for step in Step::ALL {
            let error = run_with(&sandbox(*who, &["--fail", step.name()]), &job).unwrap_err();
            assert!(matches!(&error, Error::SetUp { step: failed, .. } if failed == step), "{who:?} {step}: {error}");
            let error = run_with(&sandbox(*who, &["--abort", step.name()]), &job).unwrap_err();
            assert!(matches!(error, Error::Launcher { .. } | Error::Lost { .. }), "{who:?} {step}: {error}");
            assert!(!folder.path().join("mark").exists(), "{who:?}: the command ran although `{step}` failed");
        }
        run(*who, &job).unwrap();
        assert!(folder.path().join("mark").exists(), "{who:?}: the command never runs, so the test shows nothing");
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    for who in everybody() {
        let refused = |change: &dyn Fn(&mut Job)| {
            let mut job = Job::new(["true"]);
            change(&mut job);
            run(*who, &job).unwrap_err().to_string()
        };
        assert!(refused(&|job| job.command.clear()).contains("no command"));
        assert!(refused(&|job| job.command = vec!["no-such-program".into()]).contains("no-such-program"));
        assert!(refused(&|job| job.work = Work::Folder("/nonexistent".into())).contains("/nonexistent"));
        for path in ["/", "/proc/1", "/sys", "/dev/null"] {
            let shown = kontor_sandbox::Shown { from: path.into(), at: "/granted".into() };
            assert!(refused(&|job| job.permissions.read.push(shown.clone())).contains("granted"), "{path}");
        }
        for at in ["relative", "/proc/x", "/usr", "/a/../b"] {
            let shown = kontor_sandbox::Shown { from: "/usr/bin".into(), at: at.into() };
            assert!(!refused(&|job| job.permissions.read.push(shown.clone())).is_empty(), "{at}");
        }
        assert!(refused(&|job| job.permissions.environment.set("A=B", "c")).contains("A=B"));
    }
}

#[test]
fn a_granted_folder_is_changed_as_its_owner() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    if crate::support::is_root() {
        run(crate::support::As::Root, &marking(folder.path())).unwrap();
        let mark = fs::metadata(folder.path().join("mark")).unwrap();
        assert_eq!((mark.uid(), mark.mode() & 0o777), (0, 0o644));
    }
}

#[test]
fn what_is_collected_is_what_lies_in_the_work_folder() {
    for who in everybody() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let mut job = marking(folder.path());
        job.command = ["bash", "-c", "mkdir -p a/b; echo one > a/b/one; ln -s /etc/passwd link; ln -s /etc a/etc; mkfifo pipe; echo two > two; ln two three; chmod +x a/b/one"]
            .map(Into::into)
            .to_vec();
        run(*who, &job).unwrap();
        let collected = collect(folder.path(), &kontor_sandbox::CollectLimits::default()).unwrap();
        let names: Vec<_> = collected.files.iter().map(|file| file.path.to_str().unwrap()).collect();
        assert_eq!(names, ["a/b/one"]);
        assert!(collected.files[0].executable && collected.files[0].bytes == b"one\n");
        let left: Vec<_> = collected.left_out.iter().map(|(path, _)| path.to_str().unwrap()).collect();
        assert_eq!(left, ["a/etc", "link", "pipe", "three", "two"]);
    }
}

#[test]
fn a_swap_during_collection_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("file"), "secret").unwrap();
    let (real, link, place) = (folder.path().join("real"), folder.path().join("link"), folder.path().join("place"));
    fs::create_dir(&real).unwrap();
    fs::write(real.join("file"), "fine").unwrap();
    std::os::unix::fs::symlink(secret.path(), &link).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut fine = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for other in [&real, &link] {
                    let _ = fs::rename(other, &place);
                    let _ = fs::rename(&place, other);
                }
            }
        });
        for _ in 0..3000 {
            let collected = collect(folder.path(), &kontor_sandbox::CollectLimits::default()).unwrap_or_default();
            assert!(collected.files.iter().all(|file| file.bytes != b"secret"), "a link was followed");
            fine += usize::from(collected.files.iter().any(|file| file.bytes == b"fine"));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(fine > 0, "nothing was ever collected, so the test shows nothing");
}
