use crate::hub::{Hub, kontor, said, write_skill};

#[test]
fn help_names_every_verb_by_what_people_come_for() {
    let output = kontor().arg("--help").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for title in ["Use skills:", "Write skills:", "Sign in:", "Run a hub:", "Options:"] {
        assert!(text.contains(&format!("\n{title}\n")), "{title}: {text}");
    }
    for verb in ["search", "install", "outdated", "new", "publish", "undelete", "login", "token", "up", "person"] {
        assert_eq!(text.matches(&format!("\n  {verb} ")).count(), 1, "{verb}: {text}");
    }
    let verbs = text.split("Options:").next().unwrap();
    assert!(verbs.lines().all(|line| line.chars().count() <= 80), "{verbs}");
    assert!(!text.contains("\n  reference"), "what is for builders only stays hidden: {text}");
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
fn a_misspelt_name_is_answered_with_near_ones() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    write_skill(source.path(), "meeting-minutes", "meeting-minutes", "Write minutes.");
    hub.json(&["import", source.path().to_str().unwrap(), "--publisher", "acme"], 0);
    // The index follows the import a moment later.
    let found = || hub.json(&["search", "meeting minutes"], 0)["items"] != serde_json::json!([]);
    assert!((0..500).any(|_| found()));
    for wrong in ["meeting-minute", "meeting-minutess", "@acne/meeting-minutes"] {
        for verb in ["info", "install"] {
            let (code, text) = hub.complaint(source.path(), &[verb, wrong]);
            assert!(code == 5 && text.contains("did you mean @acme/meeting-minutes?"), "{verb} {wrong}: {code} {text}");
        }
    }
    let (_, text) = hub.complaint(source.path(), &["info", "entirely-else"]);
    assert!(text.contains("kontor search") && !text.contains("did you mean"), "{text}");
}

#[test]
fn refused_skills_are_told_by_reason_with_what_to_do() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    write_skill(source.path(), "a/pdf", "pdf", "One.");
    write_skill(source.path(), "b/pdf", "pdf", "Two.");
    write_skill(source.path(), "c/pdf", "pdf", "Three.");
    let output = hub.command(&["import", source.path().to_str().unwrap(), "--publisher", "acme"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("refused[import_conflict]: 2 skills\n  b/pdf: "), "{text}");
    assert_eq!(text.matches("help: ").count(), 1, "{text}");
    let empty = tempfile::tempdir().unwrap();
    let (code, text) = hub.complaint(empty.path(), &["import", ".", "--publisher", "acme"]);
    assert!(code == 0 && text.contains("there is no skill in it"), "{code} {text}");
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
