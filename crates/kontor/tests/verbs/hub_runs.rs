//! `kontor run --on hub`, `kontor runs` and `kontor worker`: the hub does the work, also when it is killed meanwhile.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use serde_json::Value;

use crate::hub::{Hub, said, write_skill};

/// A hub that has a skill of some scripts.
fn hub(arguments: &[&str]) -> Hub {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start_with(folder, &[&["--no-starter"], arguments].concat(), &[]);
    let root = hub.folder.path().join("skills");
    write_skill(&root, "tools", "tools", "Run them.");
    let scripts = root.join("tools/scripts");
    fs::create_dir_all(&scripts).unwrap();
    fs::write(scripts.join("made.sh"), "echo \"told $1\"; printf '\\033[31m'; mkdir -p a; echo words > a/made.txt")
        .unwrap();
    // The number of times that it was started, on a hub whose runs share nothing, is in its receipt.
    fs::write(scripts.join("slow.sh"), "echo \"begun $1\"; sleep 3; echo ended").unwrap();
    fs::write(scripts.join("long.sh"), "echo \"begun $1\"; sleep 600").unwrap();
    hub.json(&["publish", root.join("tools").to_str().unwrap(), "--publisher", "admin"], 0);
    hub
}

const RUN: [&str; 4] = ["run", "@admin/tools", "--on", "hub"];

fn started(hub: &Hub, script: &str, word: &str) -> String {
    let path = format!("scripts/{script}.sh");
    let run = hub.json(&[&RUN[..], &["--script", &path, "--detach", "--json", "--", word]].concat(), 0);
    run["id"].as_str().unwrap().to_owned()
}

fn show(hub: &Hub, run: &str) -> Value {
    hub.json(&["runs", "show", run], 0)
}

/// Waits until a program has said something.
fn until_it_speaks(hub: &Hub, run: &str) {
    while show(hub, run)["state"] != "running" {
        std::thread::yield_now();
    }
}

/// Whether a process of this machine was started with a word.
fn is_there(word: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.into_iter().any(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|part| part == word.as_bytes())
    })
}

#[test]
fn a_run_on_the_hub_is_followed_and_leaves_files_and_a_receipt_that_holds() {
    let hub = hub(&[]);
    let out = hub.folder.path().join("out");
    let arguments = [&RUN[..], &["--script", "scripts/made.sh", "--out", out.to_str().unwrap(), "--", "you"]].concat();
    let output = hub.command(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(output.stdout.starts_with(b"told you\n"), "{output:?}");
    assert_eq!(fs::read_to_string(out.join("a/made.txt")).unwrap(), "words\n");

    let listed = hub.json(&["runs", "list", "--state", "finished"], 0);
    let run = listed["items"][0]["id"].as_str().unwrap();
    let checked = hub.json(&["receipt", "verify", run, "--with", out.join("a/made.txt").to_str().unwrap()], 0);
    assert_eq!(checked["holds"], true, "{checked:#}");
    let told = hub.command(&["explain", run]).output().unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("scripts/made.sh"), "{told:?}");

    let proof = hub.folder.path().join("run.proof.json");
    hub.json(&["receipt", "proof", run, "-o", proof.to_str().unwrap()], 0);
    let proven = hub.json(&["receipt", "verify", proof.to_str().unwrap()], 0);
    assert_eq!((&proven["holds"], &proven["log"]["holds"]), (&true.into(), &true.into()), "{proven:#}");
    let mut file: Value = serde_json::from_slice(&fs::read(&proof).unwrap()).unwrap();
    file["statements"][0]["salt"] = format!("{}=", "A".repeat(43)).into();
    fs::write(&proof, file.to_string()).unwrap();
    let broken = hub.json(&["receipt", "verify", proof.to_str().unwrap()], 1);
    assert_eq!(broken["holds"], false);

    let again = hub.json(&["runs", "retry", run], 0);
    assert_eq!(again["retry_of"].as_str(), Some(run));
    let ended = hub.json(&["runs", "log", again["id"].as_str().unwrap()], 0);
    assert_eq!(ended["state"], "finished");
    let (code, text) = hub.complaint(Path::new("."), &[&RUN[..], &["--script", "scripts/none.sh"]].concat());
    assert!(code != 0 && text.contains("scripts/made.sh"), "{code} {text}");
}

#[test]
fn what_a_run_did_and_who_let_it_run_is_in_info_and_in_the_evidence() {
    let hub = hub(&[]);
    hub.json(&[&RUN[..], &["--script", "scripts/made.sh", "--", "you"]].concat(), 0);
    let observed = hub.json(&["info", "@admin/tools"], 0)["observed"].clone();
    let items = observed["items"].as_array().unwrap().iter().map(|one| format!("{} {}", one["kind"], one["name"]));
    let expected = [r#""ended" "done""#, r#""started" "bash scripts/made.sh""#, r#""wrote" "a/made.txt""#];
    assert_eq!((items.collect::<Vec<_>>(), observed["runs"].as_u64()), (expected.map(str::to_owned).to_vec(), Some(1)));
    let file = hub.folder.path().join("evidence.zip");
    let file = file.to_str().unwrap();
    hub.json(&["evidence", "@admin/tools", "-o", file], 0);
    let checked = hub.json(&["verify", file], 0);
    let told: Vec<_> = checked["statements"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert!(checked["holds"] == true && checked["keys_known"] == true, "{checked:#}");
    assert!(told.contains(&"observed".into()) && told.contains(&"run".into()), "{told:?}");
}

#[test]
fn what_was_confirmed_on_the_hub_is_listed_there_and_taken_back() {
    let hub = hub(&[]);
    let run = [&RUN[..], &["--script", "scripts/made.sh", "--allow-net", "api.example.com:443"]].concat();
    hub.json(&run, 6);
    hub.json(&[&run[..], &["--yes", "--for", "always"]].concat(), 0);
    hub.json(&run, 0);
    let listed = hub.json(&["consent", "list"], 0)["on_hub"].clone();
    assert_eq!((&listed[0]["network"][0], &listed[0]["remember"]), (&"api.example.com:443".into(), &"always".into()));
    hub.json(&["consent", "revoke", listed[0]["id"].as_str().unwrap()], 0);
    assert_eq!(hub.json(&["consent", "list"], 0)["on_hub"], serde_json::json!([]));
    hub.json(&run, 6);
}

#[test]
fn an_accepted_run_survives_a_hub_that_is_killed_before_anybody_takes_it() {
    let mut hub = hub(&["--set", "runs.workers=0"]);
    let run = started(&hub, "made", "early");
    kill(hub.pid(), Signal::SIGKILL).unwrap();
    hub.process.wait().unwrap();
    let folder = std::mem::replace(&mut hub.folder, tempfile::tempdir().unwrap());
    let hub = Hub::start_with(folder, &["--no-starter"], &[]);
    let ended = hub.json(&["runs", "log", &run], 0);
    assert_eq!((&ended["state"], &ended["executions"]), (&"finished".into(), &1.into()), "{ended:#}");
}

#[test]
fn a_hub_that_is_killed_takes_its_programs_with_it_and_the_next_one_goes_on() {
    let mut hub = hub(&[]);
    let finished = started(&hub, "made", "before");
    hub.json(&["runs", "log", &finished], 0);
    let run = started(&hub, "slow", "kontor-test-slow-word");
    until_it_speaks(&hub, &run);
    while !is_there("kontor-test-slow-word") {
        std::thread::yield_now();
    }
    kill(hub.pid(), Signal::SIGKILL).unwrap();
    hub.process.wait().unwrap();
    while is_there("kontor-test-slow-word") {
        std::thread::yield_now();
    }
    let folder = std::mem::replace(&mut hub.folder, tempfile::tempdir().unwrap());
    let hub = Hub::start_with(folder, &["--no-starter"], &[]);
    let ended = hub.json(&["runs", "log", &run], 0);
    assert_eq!((&ended["state"], &ended["executions"]), (&"finished".into(), &2.into()), "{ended:#}");
    assert_eq!(show(&hub, &finished)["executions"], 1, "what was finished is not done again");
    let rooms = hub.data.join("runs/rooms");
    let left: Vec<_> =
        fs::read_dir(rooms).unwrap().flatten().flat_map(|room| fs::read_dir(room.path()).unwrap()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_run_under_way_is_cancelled() {
    let hub = hub(&[]);
    let run = started(&hub, "long", "kontor-test-long-word");
    until_it_speaks(&hub, &run);
    hub.json(&["runs", "cancel", &run], 0);
    assert_eq!(hub.json(&["runs", "log", &run], 0)["state"], "cancelled");
    while is_there("kontor-test-long-word") {
        std::thread::yield_now();
    }
}

#[test]
fn a_worker_wants_a_database_that_several_processes_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let output = crate::hub::kontor().args(["worker", "--data"]).arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(text.contains("SQLite") && text.contains("Postgres"), "{text}");
}
