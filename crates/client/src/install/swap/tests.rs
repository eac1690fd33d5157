//! A process that is killed anywhere in a change leaves what the next one finishes or undoes.

use std::fs;

use kontor_package::{Limits, pack};
use rstest::rstest;

use super::super::agents::{AGENTS, Agent};
use super::super::lock::{Lock, LockedSkill};
use super::super::recover::recover;
use super::*;

/// Where in a change the process was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Prepared,
    BetweenTheRenames,
    BetweenTheFolders,
    BeforeTheLock,
    AfterTheLock,
    WhileCleaningUp,
}

use Killed::{AfterTheLock, BeforeTheLock, BetweenTheFolders, BetweenTheRenames, Prepared, WhileCleaningUp};

struct Project {
    folder: TempDir,
    site: Site,
}

/// Two agents with folders of their own.
fn agents() -> [&'static Agent; 2] {
    [Agent::find("claude-code").unwrap(), Agent::find("codex").unwrap()]
}

fn content(text: &str) -> Content {
    let text = format!("---\nname: pdf\ndescription: Reads.\n---\n{text}\n");
    Content::from_files([("SKILL.md".to_owned(), text.into_bytes())], &Limits::default()).unwrap()
}

fn locked(text: &str) -> Lock {
    let mut lock = Lock::default();
    lock.skills.push(LockedSkill {
        registry: "http://127.0.0.1:1".to_owned(),
        reference: "@acme/pdf".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        digest: pack(&content(text)).digest,
        signer: None,
        requested: Some("*".to_owned()),
        agents: agents().iter().map(|agent| agent.id.to_owned()).collect(),
        requires: Vec::new(),
    });
    lock
}

impl Project {
    /// Has the skill with this text, as the lock file says, or nothing.
    fn new(text: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = Self { site: Site::project(folder.path()).unwrap(), folder };
        if let Some(text) = text {
            for place in project.places() {
                fs::create_dir_all(&place).unwrap();
                for (path, bytes) in content(text).files() {
                    fs::write(place.join(path), bytes).unwrap();
                }
            }
            locked(text).write(&project.site.lock).unwrap();
        }
        project
    }

    fn places(&self) -> Vec<PathBuf> {
        agents().iter().map(|agent| self.site.folder(agent).unwrap().join("pdf")).collect()
    }

    /// Changes the skill to this text, or away, and is killed there.
    fn change(&self, text: Option<&str>, killed: Killed) {
        let mut swap = Swap::at(&self.site);
        for place in self.places() {
            match text {
                Some(text) => swap.replace(&place, &content(text), pack(&content(text)).digest).unwrap(),
                None => swap.remove(&place).unwrap(),
            }
        }
        for (number, step) in swap.steps.iter_mut().enumerate() {
            step.workshop.disable_cleanup(true);
            match (killed, number) {
                (Prepared, _) | (BetweenTheFolders | BetweenTheRenames, 1) => {}
                (BetweenTheRenames, _) => {
                    step.swap().unwrap();
                    if text.is_some() {
                        fs::rename(&step.folder, step.workshop.path().join(NEW)).unwrap();
                    }
                }
                _ => step.swap().unwrap(),
            }
        }
        if matches!(killed, AfterTheLock | WhileCleaningUp) {
            text.map(locked).unwrap_or_default().write(&self.site.lock).unwrap();
        }
        if killed == WhileCleaningUp {
            let step = &swap.steps[0];
            step.finish();
            let rest = fs::read_dir(step.workshop.path().join(DONE)).into_iter().flatten().flatten();
            rest.for_each(|entry| fs::remove_file(entry.path()).unwrap());
        }
    }

    fn recover(&self) {
        recover(&self.site, &Lock::read(&self.site.lock).unwrap()).unwrap();
    }

    /// The text that each place has, after making sure that nothing else is there.
    fn texts(&self) -> Vec<Option<String>> {
        let text = |place: &PathBuf| {
            let beside = fs::read_dir(place.parent().unwrap()).unwrap().flatten();
            let others: Vec<_> = beside.map(|entry| entry.file_name()).filter(|name| name != "pdf").collect();
            assert!(others.is_empty(), "left over: {others:?}");
            Some(fs::read_to_string(place.join("SKILL.md")).ok()?.lines().last()?.to_owned())
        };
        self.places().iter().map(text).collect()
    }
}

#[rstest]
fn a_killed_change_is_finished_or_undone(
    #[values(None, Some("one"))] before: Option<&str>,
    #[values(None, Some("two"))] after: Option<&str>,
    #[values(Prepared, BetweenTheRenames, BetweenTheFolders, BeforeTheLock, AfterTheLock, WhileCleaningUp)]
    killed: Killed,
) {
    let project = Project::new(before);
    project.change(after, killed);
    project.recover();
    let expected = if matches!(killed, AfterTheLock | WhileCleaningUp) { after } else { before };
    assert_eq!(project.texts(), [expected.map(str::to_owned), expected.map(str::to_owned)]);
    project.recover();
}

#[test]
fn what_a_person_made_is_put_back_when_it_was_replaced_by_force() {
    let project = Project::new(None);
    for place in project.places() {
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("SKILL.md"), "mine").unwrap();
    }
    project.change(Some("two"), BeforeTheLock);
    project.recover();
    assert_eq!(project.texts(), [Some("mine".to_owned()), Some("mine".to_owned())]);
}

#[test]
fn a_workshop_in_use_is_left_alone() {
    let project = Project::new(Some("one"));
    let mut swap = Swap::at(&project.site);
    for place in project.places() {
        swap.replace(&place, &content("two"), pack(&content("two")).digest).unwrap();
    }
    project.recover();
    swap.commit(|| locked("two").write(&project.site.lock)).unwrap();
    assert_eq!(project.texts(), [Some("two".to_owned()), Some("two".to_owned())]);
}

#[test]
fn what_only_looks_like_a_workshop_is_left_alone() {
    let project = Project::new(Some("one"));
    let skills = project.site.folder(&AGENTS[0]).unwrap();
    let outside = project.folder.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(skills.join(".kontor-pdf-foreign/old")).unwrap();
    let intent = r#"{"site":"project","folder":"../../outside","comes":null}"#;
    for (name, text) in [(".kontor-pdf-outside", intent), (".kontor-pdf-user", &intent.replace("project", "user"))] {
        fs::create_dir_all(skills.join(name)).unwrap();
        fs::write(skills.join(name).join("intent"), text).unwrap();
    }
    project.recover();
    assert!(outside.is_dir());
    for name in [".kontor-pdf-foreign/old", ".kontor-pdf-outside", ".kontor-pdf-user"] {
        assert!(skills.join(name).is_dir(), "{name}");
    }
}
