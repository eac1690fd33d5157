use std::path::Path;

use serde_json::{Value, json};

use crate::hub::{Hub, write_skill};

/// A hub with `@acme/app`, which needs `@acme/base`, and a source to change them.
struct Shelf {
    hub: Hub,
    source: tempfile::TempDir,
    project: tempfile::TempDir,
}

impl Shelf {
    fn new() -> Self {
        let shelf =
            Self { hub: Hub::start(), source: tempfile::tempdir().unwrap(), project: tempfile::tempdir().unwrap() };
        shelf.write("base", "Base one.", "");
        shelf.write("app", "App one.", "[requires]\n\"@acme/base\" = \"^0.1\"\n");
        shelf.import();
        shelf
    }

    fn write(&self, name: &str, body: &str, manifest: &str) {
        write_skill(self.source.path(), name, name, body);
        std::fs::write(self.source.path().join(name).join("kontor.toml"), manifest).unwrap();
    }

    fn import(&self) {
        let report = self.hub.json(&["import", self.source.path().to_str().unwrap(), "--publisher", "acme"], 0);
        assert_eq!(report["refused"], 0, "{report}");
    }

    fn run(&self, arguments: &[&str], code: i32) -> Value {
        self.hub.json_in(self.project.path(), arguments, code)
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.project.path().join(path)
    }

    fn lock(&self) -> String {
        std::fs::read_to_string(self.path("kontor.lock")).unwrap()
    }
}

fn changes(report: &Value) -> Vec<(&str, &str, &str)> {
    let text = |item: &'_ Value, name: &str| item[name].as_str().unwrap().to_owned();
    let items = report["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| {
            let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
            (leak(text(item, "ref")), leak(text(item, "status")), leak(text(item, "version")))
        })
        .collect()
}

fn body(path: &Path) -> String {
    std::fs::read_to_string(path.join("SKILL.md")).unwrap().lines().last().unwrap().to_owned()
}

#[test]
fn a_skill_comes_with_what_it_needs_for_several_agents() {
    let shelf = Shelf::new();
    let report = shelf.run(&["install", "@acme/app", "--agent", "claude-code,codex,cursor"], 0);
    let mut done = changes(&report);
    done.sort_unstable();
    assert_eq!(done, [("@acme/app", "installed", "0.1.0"), ("@acme/base", "installed", "0.1.0")]);
    for folder in [".claude/skills/app", ".claude/skills/base", ".agents/skills/app", ".agents/skills/base"] {
        assert!(shelf.path(folder).join("SKILL.md").is_file(), "{folder}");
    }
    let again = shelf.run(&["install", "@acme/app"], 0);
    assert!(changes(&again).iter().all(|change| change.1 == "unchanged"), "{again}");
    let listed = shelf.run(&["list"], 0);
    assert_eq!(listed["items"][0]["agents"], json!(["claude-code", "codex", "cursor"]));
    assert!(shelf.lock().contains("digest = \"sha256:"), "{}", shelf.lock());
    let leftovers: Vec<_> =
        std::fs::read_dir(shelf.path(".claude/skills")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(leftovers.len(), 2, "{leftovers:?}");
}

#[test]
fn an_update_reaches_who_installed_the_old_one_within_the_range() {
    let shelf = Shelf::new();
    shelf.run(&["install", "@acme/app@^0.1"], 0);
    assert_eq!(shelf.run(&["outdated"], 0)["items"], json!([]));
    shelf.write("app", "App two.", "[requires]\n\"@acme/base\" = \"^0.1\"\n");
    shelf.import();
    let outdated = shelf.run(&["outdated", "--exit-code"], 1);
    assert_eq!((&outdated["items"][0]["ref"], &outdated["items"][0]["wanted"]), (&json!("@acme/app"), &json!("0.1.1")));
    let report = shelf.run(&["update"], 0);
    assert!(changes(&report).contains(&("@acme/app", "updated", "0.1.1")), "{report}");
    assert_eq!(body(&shelf.path(".agents/skills/app")), "App two.");

    shelf.write("app", "App three.", "version = \"0.2.0\"\n[requires]\n\"@acme/base\" = \"^0.1\"\n");
    shelf.import();
    let outdated = shelf.run(&["outdated"], 0);
    let item = &outdated["items"][0];
    assert_eq!((&item["wanted"], &item["latest"]), (&json!("0.1.1"), &json!("0.2.0")));
    let report = shelf.run(&["update"], 0);
    assert!(changes(&report).iter().all(|change| change.1 == "unchanged"), "the range is kept: {report}");
    shelf.run(&["install", "@acme/app@^0.2"], 0);
    assert_eq!(body(&shelf.path(".agents/skills/app")), "App three.");
}

#[test]
fn a_lock_file_is_installed_exactly_or_not_at_all() {
    let shelf = Shelf::new();
    shelf.run(&["install", "@acme/app"], 0);
    let lock = shelf.lock();
    shelf.write("base", "Base two.", "");
    shelf.import();
    std::fs::remove_dir_all(shelf.path(".agents")).unwrap();
    let report = shelf.run(&["install", "--frozen"], 0);
    assert_eq!(report["items"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(body(&shelf.path(".agents/skills/base")), "Base one.");
    assert_eq!(shelf.lock(), lock);

    let (code, text) = shelf.hub.complaint(shelf.project.path(), &["install", "--frozen", "--agent", "claude-code"]);
    assert!(code == 6 && text.contains("without --frozen"), "{code} {text}");
    shelf.run(&["install", "--agent", "claude-code"], 0);
    assert_eq!(body(&shelf.path(".claude/skills/base")), "Base one.", "an agent gets what is locked");
    assert_eq!(body(&shelf.path(".agents/skills/base")), "Base one.", "and the others keep it");
    let lock = shelf.lock();
    assert!(lock.contains("claude-code") && lock.contains("universal"), "{lock}");

    let (code, text) = shelf.hub.complaint(shelf.project.path(), &["install", "--frozen", "@acme/app@^0.2"]);
    assert!(code == 6 && text.contains("the lock file has @acme/app@0.1.0"), "{code} {text}");
    let digest = lock.find("sha256:").unwrap();
    let wrong = format!("{}sha256:{}{}", &lock[..digest], "0".repeat(64), &lock[digest + 71..]);
    std::fs::write(shelf.path("kontor.lock"), wrong).unwrap();
    std::fs::remove_dir_all(shelf.path(".agents")).unwrap();
    std::fs::remove_dir_all(shelf.path(".claude")).unwrap();
    let (code, text) = shelf.hub.complaint(shelf.project.path(), &["install", "--frozen"]);
    assert!(code == 6 && text.contains("the hub has other bytes under @acme/app@0.1.0"), "{code} {text}");
    assert!(!shelf.path(".agents/skills/app").exists() && !shelf.path(".agents/skills/base").exists());
}

#[test]
fn local_changes_are_never_lost_by_accident() {
    let shelf = Shelf::new();
    shelf.run(&["install", "@acme/app"], 0);
    let file = shelf.path(".agents/skills/app/SKILL.md");
    std::fs::write(&file, "mine\n").unwrap();
    std::fs::create_dir(shelf.path(".agents/skills/base/__pycache__")).unwrap();
    std::fs::write(shelf.path(".agents/skills/base/__pycache__/x.pyc"), "cache").unwrap();
    let listed = shelf.run(&["list"], 0);
    let states: Vec<&Value> =
        listed["items"].as_array().unwrap().iter().map(|item| &item["folders"][0]["state"]).collect();
    assert_eq!(states, [&json!("changed by hand"), &json!("as installed")]);
    shelf.write("app", "App two.", "");
    shelf.import();
    for arguments in [&["update"][..], &["install", "@acme/app"], &["remove", "app"], &["install", "--frozen"]] {
        let (code, text) = shelf.hub.complaint(shelf.project.path(), arguments);
        assert!(
            code == 6 && text.contains("was changed since") && text.contains("--force"),
            "{arguments:?}: {code} {text}"
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
    }
    shelf.run(&["update", "--force"], 0);
    assert_eq!(body(&shelf.path(".agents/skills/app")), "App two.");
}

#[test]
fn a_folder_that_is_somebody_elses_is_left_alone() {
    let shelf = Shelf::new();
    std::fs::create_dir_all(shelf.path(".agents/skills/base")).unwrap();
    std::fs::write(shelf.path(".agents/skills/base/SKILL.md"), "mine\n").unwrap();
    let (code, text) = shelf.hub.complaint(shelf.project.path(), &["install", "@acme/app"]);
    assert!(code == 6 && text.contains("kontor did not install"), "{code} {text}");
    assert!(!shelf.path(".agents/skills/app").exists() && !shelf.path("kontor.lock").exists());
}

#[test]
fn removing_a_skill_removes_what_only_it_needed() {
    let shelf = Shelf::new();
    shelf.run(&["install", "@acme/app"], 0);
    let (code, text) = shelf.hub.complaint(shelf.project.path(), &["remove", "base"]);
    assert!(code == 6 && text.contains("needed by @acme/app"), "{code} {text}");
    let report = shelf.run(&["remove", "app"], 0);
    assert_eq!(changes(&report).len(), 2, "{report}");
    assert!(!shelf.path(".agents/skills/app").exists() && !shelf.path(".agents/skills/base").exists());
    assert!(!shelf.path("kontor.lock").exists());

    shelf.run(&["install", "@acme/app", "@acme/base"], 0);
    shelf.run(&["remove", "app"], 0);
    assert!(shelf.path(".agents/skills/base").exists(), "it was asked for too");
}

#[test]
fn cycles_and_conflicts_are_explained() {
    let shelf = Shelf::new();
    shelf.write("left", "Left.", "[requires]\n\"@acme/right\" = \"*\"\n");
    shelf.write("right", "Right.", "[requires]\n\"@acme/left\" = \"*\"\n");
    shelf.write("greedy", "Greedy.", "[requires]\n\"@acme/base\" = \"^9\"\n");
    shelf.import();
    let (code, text) = shelf.hub.complaint(shelf.project.path(), &["install", "@acme/left"]);
    assert!(code == 6 && text.contains("@acme/left 0.1.0 → @acme/right 0.1.0 → @acme/left"), "{code} {text}");
    let (code, text) = shelf.hub.complaint(shelf.project.path(), &["install", "@acme/greedy"]);
    assert!(code == 6 && text.contains("@acme/base") && text.contains("^9"), "{code} {text}");
    assert!(!shelf.path("kontor.lock").exists());
}

#[test]
fn an_empty_place_says_so_and_unknown_names_change_nothing() {
    let shelf = Shelf::new();
    for verb in ["outdated", "update", "list"] {
        let (code, text) = shelf.hub.complaint(shelf.project.path(), &[verb]);
        assert!(code == 0 && text.contains("nothing is installed here"), "{verb}: {code} {text}");
    }
    shelf.run(&["install", "@acme/app"], 0);
    let lock = shelf.lock();
    shelf.write("app", "App two.", "");
    shelf.import();
    let (code, text) = shelf.hub.complaint(shelf.project.path(), &["update", "app", "nothing"]);
    assert!(code == 6 && text.contains("`nothing` is not in"), "{code} {text}");
    assert_eq!(shelf.lock(), lock);
}

#[test]
fn a_project_cannot_make_an_install_leave_it() {
    let shelf = Shelf::new();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), shelf.path(".agents")).unwrap();
    let (code, text) = shelf.hub.complaint(shelf.project.path(), &["install", "@acme/base"]);
    assert!(code == 6 && text.contains("leads out of the project"), "{code} {text}");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn global_installs_go_to_the_users_own_folders() {
    let shelf = Shelf::new();
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = shelf.hub.command(arguments);
        command.env("HOME", home.path()).env("KONTOR_CONFIG_HOME", home.path().join("settings"));
        for name in ["CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        command.output().unwrap()
    };
    let output = run(&["install", "@acme/base", "--global", "--agent", "claude-code"]);
    assert!(output.status.success(), "{}", crate::hub::said(&output));
    assert!(home.path().join(".claude/skills/base/SKILL.md").is_file());
    assert!(home.path().join("settings/kontor.lock").is_file());
}

#[test]
fn the_next_command_mends_an_install_that_was_killed_between_its_renames() {
    let shelf = Shelf::new();
    shelf.run(&["install", "@acme/base"], 0);
    let place = shelf.path(".agents/skills/base");
    for command in [&["list"] as &[&str], &["install", "@acme/base"], &["update"], &["outdated"]] {
        let workshop = shelf.path(".agents/skills/.kontor-base-Ab12Cd");
        std::fs::create_dir_all(workshop.join("new")).unwrap();
        let intent = json!({"site": "project", "folder": "base", "comes": format!("sha256:{}", "0".repeat(64))});
        std::fs::write(workshop.join("intent"), intent.to_string()).unwrap();
        std::fs::write(workshop.join("new/SKILL.md"), "half").unwrap();
        std::fs::rename(&place, workshop.join("old")).unwrap();
        std::fs::write(shelf.path(".kontor-lock-Ab12Cd"), "half").unwrap();

        shelf.run(command, 0);
        assert_eq!(body(&place), "Base one.", "{command:?}");
        assert!(!workshop.exists() && !shelf.path(".kontor-lock-Ab12Cd").exists(), "{command:?}");
    }
    assert_eq!(shelf.run(&["list"], 0)["items"][0]["folders"][0]["state"], "as installed");
}
