use std::path::Path;

use serde_json::Value;

use crate::hub::{Hub, kontor, said, write_skill};

/// A hub with `@acme/hello@1.0.0`, and its source.
fn published() -> (Hub, tempfile::TempDir) {
    let (hub, source) = (Hub::start(), tempfile::tempdir().unwrap());
    write_skill(source.path(), "hello", "hello", "Say hello.");
    let folder = source.path().join("hello");
    hub.json(&["publisher", "create", "acme"], 0);
    hub.json(&["publish", folder.to_str().unwrap(), "--publisher", "acme", "--version", "1.0.0"], 0);
    (hub, source)
}

/// Checks a file where nobody knows a hub; the report and the exit code.
fn verify(arguments: &[&str], settings: Option<&Path>) -> (i32, Value) {
    let mut command = kontor();
    if let Some(settings) = settings {
        command.env("KONTOR_CONFIG_HOME", settings);
    }
    let output = command.arg("verify").args(arguments).arg("--json").output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| Value::String(said(&output)));
    (output.status.code().unwrap(), report)
}

fn outcome<'r>(report: &'r Value, name: &str) -> &'r str {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()["outcome"].as_str().unwrap()
}

#[test]
fn a_proof_is_checked_without_the_hub_and_says_what_it_could_not_check() {
    let (hub, source) = published();
    let proof = source.path().join("hello.proof.json");
    let file = proof.to_str().unwrap();
    assert_eq!(hub.json(&["proof", "@acme/hello", "-o", file], 0)["statements"], 3);
    let keys = hub.folder.path().join("settings/hubs.json");
    assert!(!keys.exists());
    let settings = hub.folder.path().join("settings");
    hub.json_in(source.path(), &["install", "@acme/hello"], 0);
    let folder = hub.stop();
    assert!(keys.exists() || folder.path().join("settings/hubs.json").exists());

    let (code, report) = verify(&[file], None);
    assert_eq!((code, &report["holds"]), (0, &Value::Bool(true)), "{report:#}");
    assert_eq!(outcome(&report, "log_key"), "not_checked");
    assert_eq!(outcome(&report, "bytes"), "not_checked");
    assert_eq!(outcome(&report, "later_statements"), "not_checked");
    assert_eq!(report["keys_known"], false);
    let shown = kontor().args(["verify", file]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("nobody vouches for the keys") && !shown.contains("proven;"), "{shown}");
    let nothing = source.path().join("nothing");
    for arguments in [&[nothing.to_str().unwrap()][..], &[file, "--bytes", nothing.to_str().unwrap()]] {
        assert_eq!(verify(arguments, None).0, 2, "{arguments:?}");
    }
    let hello = source.path().join("hello");
    let (code, report) = verify(&[file, "--bytes", hello.to_str().unwrap()], Some(&settings));
    assert_eq!(code, 0, "{report:#}");
    for name in ["log_key", "statement_key", "signature", "checkpoint", "inclusion", "subject", "bytes"] {
        assert_eq!(outcome(&report, name), "passed", "{name}: {report:#}");
    }
    assert_eq!(report["keys_known"], true);

    std::fs::write(hello.join("SKILL.md"), "---\nname: hello\ndescription: Other.\n---\nOther.\n").unwrap();
    let (code, report) = verify(&[file, "--bytes", hello.to_str().unwrap()], Some(&settings));
    assert_eq!((code, outcome(&report, "bytes")), (1, "failed"), "{report:#}");
    let text = std::fs::read_to_string(&proof).unwrap();
    std::fs::write(&proof, text.replacen("index 0", "index 1", 1)).unwrap();
    let (code, report) = verify(&[file], None);
    assert_eq!((code, outcome(&report, "inclusion")), (1, "failed"), "{report:#}");
}

#[test]
fn an_install_without_a_proof_changes_nothing() {
    let (hub, source) = published();
    hub.json_in(source.path(), &["install", "@acme/hello"], 0);
    hub.json_in(source.path(), &["remove", "@acme/hello"], 0);
    write_skill(source.path(), "other", "other", "Say something else.");
    let other = source.path().join("other");
    hub.json(&["publish", other.to_str().unwrap(), "--publisher", "acme", "--version", "1.0.0"], 0);
    hub.json(&["proof", "@acme/other", "-o", source.path().join("other.json").to_str().unwrap()], 0);
    // The published hashes are gone, so no proof can be made.
    std::fs::remove_dir_all(hub.data.join("log/1/tile")).unwrap();
    let (code, text) = hub.complaint(source.path(), &["install", "@acme/hello"]);
    assert_ne!(code, 0, "{text}");
    assert!(!source.path().join(".agents/skills/hello").exists());
    let (code, text) = hub.complaint(source.path(), &["install", "@acme/hello", "--no-verify"]);
    assert!(code == 0 && text.contains("nothing is checked"), "{text}");
    assert!(source.path().join(".agents/skills/hello").exists());
}

#[test]
fn a_restored_hub_signs_on_only_in_a_new_history() {
    let (hub, source) = published();
    let file = hub.folder.path().join("hub.backup");
    let (file, data) = (file.to_str().unwrap().to_owned(), hub.data.to_str().unwrap().to_owned());
    let run = |arguments: &[&str]| {
        let output = kontor().args(arguments).env("KONTOR_PASSPHRASE", "four words and more").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    hub.json(&["proof", "@acme/hello", "-o", source.path().join("x").to_str().unwrap()], 0);
    run(&["backup", &file, "--with-keys", "--data", &data]);
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("data");
    run(&["restore", &file, "--data", new.to_str().unwrap()]);
    std::fs::copy(hub.data.join("admin.token"), new.join("admin.token")).unwrap();
    let restored = Hub::start_with(folder, &["--no-starter"], &[]);
    write_skill(source.path(), "later", "later", "Say goodbye.");
    let later = source.path().join("later");
    restored.json(&["publish", later.to_str().unwrap(), "--publisher", "acme", "--version", "1.0.0"], 0);
    let (code, text) = restored.complaint(source.path(), &["proof", "@acme/later", "-o", "-"]);
    assert!(code != 0 && text.contains("not published yet"), "{text}");
    assert!(restored.log().contains("kontor log restart --data"), "the banner names the remedy: {}", restored.log());
    let checked = restored.command(&["doctor"]).output().unwrap();
    let text = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.code() == Some(1) && text.contains("bad  log"), "{text}");
    let figures = restored.json(&["doctor"], 1);
    assert!(figures.to_string().contains("kontor log restart"), "{figures:#}");
    restored.json(&["proof", "@acme/hello", "-o", source.path().join("old").to_str().unwrap()], 0);

    let restart = ["log", "restart", "--data", new.to_str().unwrap()];
    let refused = |arguments: &[&str]| {
        let output = kontor().args(arguments).output().unwrap();
        (output.status.code().unwrap(), said(&output))
    };
    let (code, text) = refused(&[&restart[..], &["--yes"]].concat());
    assert!(code != 0 && text.contains("a hub runs in"), "{code} {text}");
    let folder = restored.stop();
    let (code, text) = refused(&restart);
    assert!(code == 2 && text.contains("--yes"), "{code} {text}");
    assert!(run(&[&restart[..], &["--yes"]].concat()).contains("/log/2"));
    let restarted = Hub::start_with(folder, &["--no-starter"], &[]);
    let proof = source.path().join("later.json");
    restarted.json(&["proof", "@acme/later", "-o", proof.to_str().unwrap()], 0);
    let (code, report) = verify(&[proof.to_str().unwrap()], None);
    assert_eq!(code, 0, "{report:#}");
    assert!(report.to_string().contains("/log/2"), "{report:#}");

    let folder = restarted.stop();
    let data = folder.path().join("data");
    let again = ["log", "restart", "--yes", "--data", data.to_str().unwrap()];
    let (code, text) = refused(&again);
    assert!(code == 6 && text.contains("nothing was lost"), "{code} {text}");
}

#[test]
fn an_auditor_checks_one_file_without_the_hub() {
    let (hub, source) = published();
    let hello = source.path().join("hello");
    hub.json_in(source.path(), &["install", "@acme/hello"], 0);
    let file = source.path().join("hello.evidence.zip");
    let path = file.to_str().unwrap();
    let written = hub.json(&["evidence", "@acme/hello", "-o", path], 0);
    assert_eq!((&written["holds"], &written["statements"]), (&Value::Bool(true), &Value::from(3)), "{written:#}");
    let bill = source.path().join("hello.cdx.json");
    let counted = hub.json(&["sbom", "@acme/hello@1.0.0", "-o", bill.to_str().unwrap()], 0);
    assert_eq!((&counted["files"], &counted["packages"]), (&Value::from(1), &Value::from(0)), "{counted:#}");
    let bill: Value = serde_json::from_slice(&std::fs::read(bill).unwrap()).unwrap();
    assert_eq!(bill["specVersion"], "1.6");
    let settings = hub.folder.path().join("settings");
    let folder = hub.stop();

    let bytes = ["--bytes", hello.to_str().unwrap()];
    let (code, report) = verify(&[&[path][..], &bytes].concat(), Some(&settings));
    assert_eq!((code, &report["holds"], &report["about"]), (0, &Value::Bool(true), &Value::from("@acme/hello@1.0.0")));
    for name in ["log_key", "statement_key", "inclusion", "bytes_at_hand", "page", "decisions", "scan", "policy"] {
        assert_eq!(outcome(&report, name), "passed", "{name}: {report:#}");
    }
    let (code, report) = verify(&[path], None);
    assert_eq!((code, outcome(&report, "log_key")), (0, "not_checked"), "{report:#}");
    assert_eq!((outcome(&report, "bytes_at_hand"), &report["keys_known"]), ("not_checked", &Value::Bool(false)));
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["name"] != "bytes"), "{report:#}");
    let mut command = kontor();
    let output = command.args(["verify", path]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("published as @acme/hello@1.0.0 by @admin; the files were handed to the hub"), "{text}");
    assert!(text.contains("it was admitted") && text.contains("3 statements consistent in itself"), "{text}");

    std::fs::write(hello.join("SKILL.md"), "---\nname: hello\ndescription: Other.\n---\nOther.\n").unwrap();
    let (code, report) = verify(&[&[path][..], &bytes].concat(), None);
    assert_eq!((code, outcome(&report, "bytes_at_hand")), (1, "failed"), "{report:#}");
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["name"] != "bytes"), "{report:#}");
    let notes = source.path().join("notes.txt");
    std::fs::write(&notes, "this proves nothing").unwrap();
    let notes = notes.to_str().unwrap();
    for arguments in [&["verify", notes][..], &["verify", path, "--keys", notes]] {
        let output = kontor().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "nothing was disproven: {}", said(&output));
    }
    let mut whole = std::fs::read(&file).unwrap();
    let middle = whole.len() / 2;
    whole[middle] ^= 1;
    std::fs::write(&file, whole).unwrap();
    let (code, report) = verify(&[path], None);
    assert_eq!((code, outcome(&report, "file")), (1, "failed"), "{report:#}");
    drop(folder);
}
