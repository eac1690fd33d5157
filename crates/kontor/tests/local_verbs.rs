#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! `new`, `check` and `pack`: what needs no hub.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

fn kontor(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("kontor"));
    command.current_dir(folder).env_clear().env("HOME", folder).args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    folder
}

const GOOD: &str = "---\nname: good\ndescription: d\n---\nbody\n";
const COLON: &str = "---\nname: colon\ndescription: Use this: it helps\n---\nbody\n";

#[test]
fn check_shows_the_place_with_carets_and_what_to_do() {
    let folder = folder(&[("colon/SKILL.md", COLON)]);
    let checked = kontor(folder.path(), &["check", "colon"]);
    assert_eq!(checked.status.code(), Some(0));
    assert_snapshot!(out(&checked), @r"
    warning[yaml_broken]: the front matter is not valid YAML: a `: ` stands inside a value; quote the value
      --> colon/SKILL.md:3:22
       |
     3 | description: Use this: it helps
       |                      ^
      help: put the value in quotes, or write it behind `|` on the next lines

    colon: can be published; not valid by the open format
    ");
    let strict = kontor(folder.path(), &["check", "--strict", "colon/SKILL.md"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(out(&strict).starts_with("error[yaml_broken]"));
}

#[test]
fn check_prints_json_for_programs() {
    let folder = folder(&[("colon/SKILL.md", COLON), ("good/SKILL.md", GOOD)]);
    let one = kontor(&folder.path().join("colon"), &["check", ".", "--strict", "--json"]);
    assert_eq!(one.status.code(), Some(1));
    let report = json(&one);
    assert_eq!(report["ok"], false);
    let finding = &report["findings"][0];
    assert_eq!((&finding["code"], &finding["severity"]), (&"yaml_broken".into(), &"warning".into()));
    assert_eq!((&finding["file"], &finding["line"]), (&"SKILL.md".into(), &3.into()));
    let all = json(&kontor(folder.path(), &["check", ".", "--json"]));
    assert_eq!(all["ok"], true);
    assert_eq!(all["findings"][0]["file"], "colon/SKILL.md");
    assert_eq!(all["skills"].as_array().unwrap().len(), 2);
    let good = json(&kontor(folder.path(), &["check", "good", "--strict", "--json"]));
    assert_eq!((&good["ok"], &good["findings"]), (&true.into(), &Value::Array(Vec::new())));
}

#[test]
fn check_refuses_what_a_hub_refuses() {
    let folder = folder(&[("a/SKILL.md", ""), ("b/README.md", "no skill")]);
    for path in ["a", "b"] {
        let checked = kontor(folder.path(), &["check", path]);
        assert_eq!(checked.status.code(), Some(1), "{}", out(&checked));
        assert!(out(&checked).starts_with("error["));
    }
    assert_eq!(kontor(folder.path(), &["check", "missing"]).status.code(), Some(1));
}

#[test]
fn check_judges_the_named_skill_and_not_those_inside_it() {
    let folder = folder(&[("good/SKILL.md", GOOD), ("good/inner/SKILL.md", "")]);
    assert_eq!(kontor(folder.path(), &["check", "good", "--strict"]).status.code(), Some(0));
    assert_eq!(kontor(folder.path(), &["check", "good/inner"]).status.code(), Some(1));
}

#[test]
fn foreign_text_cannot_steer_the_terminal() {
    let text = "---\nname: good\ndescription: d\nx\u{9b}31m: \"\u{202e}y\"\n---\nbody\n";
    let folder = folder(&[("good/SKILL.md", text)]);
    let shown = out(&kontor(folder.path(), &["check", "good"]));
    assert!(!shown.contains('\u{9b}') && !shown.contains('\u{202e}') && !shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn pack_writes_the_same_bytes_from_folder_and_archive() {
    let folder = folder(&[("good/SKILL.md", GOOD), ("good/scripts/run.py", "print(1)\n")]);
    let packed = kontor(folder.path(), &["pack", "good"]);
    assert_eq!(packed.status.code(), Some(0), "{packed:?}");
    assert_snapshot!(out(&packed), @"sha256:d852285baa1b9dcd22a50b69ee87b714a38a08a8ad1a88aa0f2687f4ab7428fe");
    let bytes = fs::read(folder.path().join("good-0.1.0.zip")).unwrap();
    assert_eq!(out(&packed).trim(), kontor_types::Digest::of(&bytes).to_string());
    let again = json(&kontor(folder.path(), &["pack", "good-0.1.0.zip", "-o", "again.zip", "--json"]));
    assert_eq!(again["digest"].as_str().unwrap(), out(&packed).trim());
    assert_eq!(again["files"][1]["path"], "scripts/run.py");
    assert_eq!(fs::read(folder.path().join("again.zip")).unwrap(), bytes);
    assert_eq!(kontor(folder.path(), &["check", "again.zip", "--strict"]).status.code(), Some(0));
}

#[test]
fn pack_never_writes_over_something_else_unasked() {
    let folder = folder(&[("good/SKILL.md", GOOD), ("mine.zip", "mine")]);
    let refused = kontor(folder.path(), &["pack", "good", "-o", "mine.zip"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(fs::read_to_string(folder.path().join("mine.zip")).unwrap(), "mine");
    assert_eq!(kontor(folder.path(), &["pack", "good", "-o", "mine.zip", "--force"]).status.code(), Some(0));
    assert_eq!(kontor(folder.path(), &["pack", "good", "-o", "mine.zip"]).status.code(), Some(0));
    let bad = kontor(folder.path(), &["pack", "mine.txt"]);
    assert_ne!(bad.status.code(), Some(0));
}

#[test]
fn a_new_skill_is_valid_whatever_its_description() {
    let folder = folder(&[]);
    let descriptions =
        ["Plain words.", "Use this: it \"helps\" \\ and # more", "- 'x' {y} [z] *a* &b !c %d @e", "读 PDF 文件"];
    for (number, description) in descriptions.into_iter().enumerate() {
        let name = format!("skill-{number}");
        let arguments = ["new", &name, "--description", description, "--license", "MIT", "--manifest"];
        let made = kontor(folder.path(), &arguments);
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let checked = json(&kontor(folder.path(), &["check", &name, "--strict", "--json"]));
        assert_eq!((&checked["ok"], &checked["findings"]), (&true.into(), &Value::Array(Vec::new())));
    }
    assert_eq!(kontor(folder.path(), &["new", "true", "--description", "d"]).status.code(), Some(0));
    assert!(fs::read_to_string(folder.path().join("true/SKILL.md")).unwrap().contains("name: \"true\""));
}

#[test]
fn new_refuses_what_would_not_be_valid() {
    let folder = folder(&[("taken/x", "")]);
    for arguments in [
        ["new", "Bad_Name", "--description", "d"],
        ["new", "taken", "--description", "d"],
        ["new", "good", "--description", " "],
        ["new", "good", "--license", "MIT"],
        ["new", "../..", "--description", "d"],
    ] {
        let refused = kontor(folder.path(), &arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?} {refused:?}");
    }
    assert!(!folder.path().join("good").exists());
    let taken = kontor(folder.path(), &["new", "taken"]);
    assert!(
        String::from_utf8_lossy(&taken.stderr).contains("exists already"),
        "nothing else is asked first: {taken:?}"
    );
}

#[test]
fn output_that_is_lost_is_a_failure_and_a_reader_that_went_away_is_none() {
    let folder = folder(&[("good/SKILL.md", GOOD)]);
    let run = |arguments: &[&str], out: std::process::Stdio| {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("kontor"));
        command.current_dir(folder.path()).env_clear().env("HOME", folder.path()).args(arguments);
        let ended = command.stdout(out).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    for arguments in [
        ["check", "good"].as_slice(),
        &["check", "good", "--json"],
        &["scan", "good", "--sarif"],
        &["receipt", "key"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let (code, text) = run(arguments, full.into());
        assert!(
            code == Some(1) && text.contains("cannot write standard output: No space left on device"),
            "{arguments:?}: {code:?} {text}"
        );
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(run(arguments, writer.into()), (Some(0), String::new()), "{arguments:?}");
    }
}
