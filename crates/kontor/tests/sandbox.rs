#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! `kontor sandbox` at the shell: what passes through, and what it says itself.

use std::fs;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

fn sandbox(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("kontor"));
    command.arg("sandbox").args(arguments).env("KONTOR_TEST_SECRET", "seen").write_stdin(input).output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_command_is_alone_in_what_is_said() {
    let passed = sandbox(&["--", "sh", "-c", "cat; echo why >&2; exit 7"], "in");
    assert_eq!(said(&passed), (Some(7), "in".into(), "why\n".into()));
    let killed = sandbox(&["--", "sh", "-c", "kill -9 $$"], "");
    assert_eq!(said(&killed), (Some(137), String::new(), String::new()));
    let late = sandbox(&["--wall", "200ms", "--", "sleep", "60"], "");
    assert_eq!(said(&late), (Some(124), String::new(), String::new()));
}

#[test]
fn nothing_is_there_that_is_not_granted() {
    let bare = sandbox(&["--", "sh", "-c", "echo $KONTOR_TEST_SECRET; pwd; ls -A; ls -A /tmp"], "");
    assert_eq!(said(&bare).1, "\n/work\n");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in"), "read me").unwrap();
    let place = folder.path().to_str().unwrap();
    let granted = ["--env", "KONTOR_TEST_SECRET", "--read", &format!("{place}:/data"), "--work", place];
    let script = ["--", "sh", "-c", "echo $KONTOR_TEST_SECRET; cat /data/in; echo made > out; echo x > /data/out"];
    let run = sandbox(&[granted.as_slice(), &script].concat(), "");
    assert_eq!(said(&run).1, "seen\nread me", "{:?}", said(&run));
    assert_ne!(run.status.code(), Some(0), "a folder that is granted for reading was changed");
    assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), "made\n");
}

#[test]
fn what_became_of_it_is_written_where_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("outcome.json");
    let read = || serde_json::from_str::<Value>(&fs::read_to_string(&file).unwrap()).unwrap();
    let place = file.to_str().unwrap();
    assert_eq!(sandbox(&["--json", place, "--", "sh", "-c", "exit 3"], "").status.code(), Some(3));
    let told = read();
    assert_eq!((&told["code"], &told["outcome"]["ended"]["exit"]), (&3.into(), &3.into()));
    assert_eq!(told["outcome"]["in_force"]["tier"], "full");
    assert_eq!(sandbox(&["--json", place, "--", "no-such-program"], "").status.code(), Some(127));
    assert_eq!(read()["error"]["code"], "sandbox_command");
}

#[test]
fn what_cannot_be_set_up_says_why_and_runs_nothing() {
    for (arguments, code, word) in [
        (["--work", "/nonexistent", "--", "true"].as_slice(), 125, "sandbox_refused"),
        (&["--read", "/proc/1", "--", "true"], 125, "sandbox_refused"),
        (&["--env", "KONTOR_TEST_NO_SUCH_NAME", "--", "true"], 125, "sandbox_refused"),
        (&["--net", "0177.0.0.1:80", "--", "true"], 125, "no destination"),
        (&["--", "no-such-program"], 127, "sandbox_command"),
        (&["--", "/etc/passwd"], 126, "sandbox_command"),
        (&["--memory", "much", "--", "true"], 125, "512MiB"),
    ] {
        let (got, out, err) = said(&sandbox(arguments, ""));
        assert_eq!((got, out.as_str()), (Some(code), ""), "{arguments:?}: {err}");
        assert!(err.contains(word), "{arguments:?}: {err}");
    }
    let late = Command::new(assert_cmd::cargo::cargo_bin!("kontor"))
        .args(["--quiet", "sandbox", "--", "true"])
        .output()
        .unwrap();
    assert_eq!(late.status.code(), Some(125));
}

#[test]
fn a_report_is_written_through_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let (outside, work) = (folder.path().join("outside"), folder.path().join("work"));
    fs::write(&outside, "mine").unwrap();
    fs::create_dir(&work).unwrap();
    let (report, place) = (work.join("report.json"), work.to_str().unwrap());
    let swap = format!("rm -f report.json; ln -s {} report.json", outside.display());
    let arguments = ["--work", place, "--json", report.to_str().unwrap(), "--", "sh", "-c", &swap];
    assert_eq!(sandbox(&arguments, "").status.code(), Some(0));
    assert!(report.is_symlink(), "the command did not put its link there, so the test shows nothing");
    assert_eq!(sandbox(&arguments, "").status.code(), Some(125), "a link that is there already");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "mine");
}
