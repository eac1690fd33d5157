use crate::hub::{Hub, kontor, said, write_skill};

#[test]
fn help_names_every_verb() {
    let output = kontor().arg("--help").env("COLUMNS", "100").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn completions_know_the_verbs() {
    for shell in ["bash", "zsh", "fish"] {
        let output = kontor().args(["completions", shell]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("outdated") && text.contains("publisher-by-top-folder"), "{shell}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_code_2() {
    for arguments in [&["impord"][..], &["import"], &["info", "@acme"], &["install", "--agent", "nobody", "@a/b"]] {
        let output = kontor().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn foreign_text_cannot_steer_the_terminal() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    std::fs::create_dir(source.path().join("evil")).unwrap();
    let text = "---\nname: evil\ndescription: \"red \\x1b[31m alert \\u202e\"\n---\nBody with \u{1b}]0;title\u{7}.\n";
    std::fs::write(source.path().join("evil/SKILL.md"), text).unwrap();
    hub.json(&["import", source.path().to_str().unwrap(), "--publisher", "acme"], 0);
    for arguments in [&["info", "@acme/evil"][..], &["info", "@acme/evil", "--json"]] {
        let output = hub.command(arguments).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("alert") && !shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
    }
}

#[test]
fn publishing_is_checked_before_it_is_sent_and_safe_to_repeat() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    write_skill(source.path(), "hello", "hello", "Say hello.");
    let path = source.path().join("hello");
    let publish = ["publish", path.to_str().unwrap(), "--publisher", "admin", "--version", "1.2.0"];
    let dry = hub.json(&[&publish[..], &["--dry-run"]].concat(), 0);
    assert_eq!(dry["status"], "created");
    hub.json(&["info", "@admin/hello"], 5);
    assert_eq!(hub.json(&publish, 0)["status"], "created");
    assert_eq!(hub.json(&publish, 0)["status"], "unchanged");
    write_skill(source.path(), "hello", "hello", "Say hello again.");
    let (code, text) = hub.complaint(source.path(), &publish);
    assert!(code == 6 && text.contains("hint:"), "{code} {text}");
    std::fs::write(path.join("SKILL.md"), "").unwrap();
    let (code, text) = hub.complaint(source.path(), &publish);
    assert!(code == 6 && text.contains("SKILL.md"), "{code} {text}");
}
