//! Where no user namespaces can be made: refused by default, and held by the weaker tier when that is asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use kontor_sandbox::{Ended, Error, Job, Shown, Stopped, Tier, Work};

use crate::support::{everybody, probing, run_with, text, without_namespaces};

fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

#[test]
fn a_machine_without_namespaces_runs_nothing_unless_the_weaker_tier_is_asked_for() {
    for who in everybody() {
        let folder = open_folder();
        let mut job = Job::new(["bash", "-c", "echo ran > mark; pwd"]);
        job.work = Work::Folder(folder.path().to_owned());
        let mark = folder.path().join("mark");
        for accept_weaker in [false, true] {
            job.accept_weaker = accept_weaker;
            let error = run_with(&without_namespaces(*who), &job).unwrap_err();
            assert!(matches!(&error, Error::Lacking { feature, .. } if feature.contains("namespaces")), "{error}");
            assert!(error.hint().unwrap().contains("--tier landlock"), "{error:?}");
            assert!(!mark.exists(), "{who:?}: it ran");
        }
        job.tier = Tier::Landlock;
        let finished = run_with(&without_namespaces(*who), &job).unwrap();
        assert_eq!(finished.outcome.ended, Ended::Exit(0), "{who:?}: {}", text(&finished.stderr.bytes));
        assert!(mark.exists(), "{who:?}");
        let held = finished.outcome.in_force;
        assert_eq!(held.tier, Tier::Landlock);
        assert!(held.lacking.contains(&"namespaces".to_owned()) && !held.local_sockets, "{held:?}");
    }
}

#[test]
fn a_fresh_work_folder_is_writable_and_goes_with_the_command() {
    for who in everybody() {
        let mut job = probing(
            "import os\nopen('made', 'w').write('x')\nopen(os.environ['TMPDIR'] + '/t', 'w')\nprint(os.getcwd())",
        );
        job.tier = Tier::Landlock;
        let finished = run_with(&without_namespaces(*who), &job).unwrap();
        assert_eq!(finished.outcome.ended, Ended::Exit(0), "{who:?}: {}", text(&finished.stderr.bytes));
        let place = text(&finished.stdout.bytes);
        assert!(place.ends_with("/work") && !std::path::Path::new(&place).exists(), "{place}");
    }
}

#[test]
fn what_this_tier_cannot_give_is_refused() {
    let refused = |change: &dyn Fn(&mut Job)| {
        let mut job = Job::new(["true"]);
        job.tier = Tier::Landlock;
        change(&mut job);
        run_with(&without_namespaces(everybody()[0]), &job).unwrap_err().to_string()
    };
    assert!(refused(&|job| job.permissions.network.push("example.com:443".parse().unwrap())).contains("no network"));
    let elsewhere = Shown { from: "/usr/share".into(), at: "/data".into() };
    assert!(refused(&|job| job.permissions.read.push(elsewhere.clone())).contains("where it stands outside"));
}

#[test]
fn nothing_outlives_a_command_on_the_machine_s_own_ground() {
    for who in everybody() {
        let script = "trap '' TERM; (setsid bash -c 'trap \"\" TERM; sleep 7431' &) ; (setsid sleep 7431 &); ";
        let mut job = Job::new(["bash", "-c", &format!("{script} exit 3")]);
        job.tier = Tier::Landlock;
        let finished = run_with(&without_namespaces(*who), &job).unwrap();
        assert_eq!(finished.outcome.ended, Ended::Exit(3), "{who:?}");
        job.command = ["bash", "-c", &format!("{script} sleep 7431")].map(Into::into).to_vec();
        job.limits.wall = Duration::from_millis(400);
        let finished = run_with(&without_namespaces(*who), &job).unwrap();
        assert_eq!(finished.outcome.stopped, Some(Stopped::Wall), "{who:?}");
        assert_eq!(crate::limits::alive("7431"), 0, "{who:?}");
    }
}
