use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use serde_json::Value;

use crate::hub::{Hub, kontor, said};

#[test]
fn a_first_start_prepares_everything_and_a_second_keeps_it() {
    let hub = Hub::start_with(tempfile::tempdir().unwrap(), &[], &[]);
    let token_file = hub.data.join("admin.token");
    assert_eq!(token_file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let skill = hub.json(&["info", "@kontor/meeting-minutes"], 0);
    assert_eq!(skill["skill"]["spec_valid"], true);
    assert!(hub.log().contains("Kontor 0.1.0 is ready at http://127.0.0.1:"), "{}", hub.log());
    assert!(!hub.log().contains(&hub.token), "the token is shown to terminals only");
    let token = hub.token.clone();
    let folder = hub.stop();

    let again = Hub::start_with(folder, &[], &[]);
    assert_eq!(again.token, token);
    assert_eq!(again.json(&["whoami"], 0)["administrator"], true);
    let versions = again.json(&["info", "@kontor/meeting-minutes", "--versions"], 0);
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn starter_skills_that_were_left_out_stay_out() {
    let folder = Hub::start().stop();
    let hub = Hub::start_with(folder, &[], &[]);
    hub.json(&["info", "@kontor/meeting-minutes"], 5);
}

#[test]
fn a_preset_token_works_and_leaves_the_environment() {
    let preset = "preset-0123456789-0123456789-0123456789";
    let variables = [("KONTOR_ADMIN_TOKEN", preset), ("KONTOR_LOG", "debug")];
    let hub = Hub::start_with(tempfile::tempdir().unwrap(), &["--no-starter"], &variables);
    assert_eq!(hub.token, preset);
    assert_eq!(hub.json(&["whoami"], 0)["handle"], "admin");
    let environment = std::fs::read(format!("/proc/{}/environ", hub.process.id())).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("KONTOR_LOG=debug") && !environment.contains(preset), "{environment}");
    assert!(!hub.log().contains(preset));
}

#[test]
fn an_interrupt_ends_it_cleanly() {
    let mut hub = Hub::start();
    kill(hub.pid(), Signal::SIGINT).unwrap();
    assert!(hub.process.wait().unwrap().success());
    assert!(hub.log().trim_end().ends_with("stopped"), "{}", hub.log());
}

#[test]
fn plain_http_for_others_must_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        kontor().args(["up", "--listen", "0.0.0.0:0", "--data"]).arg(folder.path().join("data")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--insecure-http"), "{}", said(&output));
    assert!(!folder.path().join("data").exists(), "nothing is made before the address is allowed");
}

#[test]
fn a_folder_has_one_hub_at_a_time() {
    let hub = Hub::start();
    let second = |address: &str| {
        let output = kontor().args(["up", "--listen", address, "--data"]).arg(&hub.data).output().unwrap();
        (output.status.code(), said(&output))
    };
    let (code, text) = second("127.0.0.1:0");
    assert!(code == Some(1) && text.contains("runs in") && text.contains("--data"), "{code:?} {text}");
    let (code, text) = second(hub.url.trim_start_matches("http://"));
    assert!(code == Some(1) && text.contains("Address already in use\nhint: perhaps a hub runs"), "{code:?} {text}");
    hub.json(&["whoami"], 0);
    let folder = hub.stop();
    Hub::start_with(folder, &[], &[]).json(&["whoami"], 0);
}

#[test]
fn a_database_that_does_not_answer_is_named_while_it_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = kontor();
    command.args(["up", "--listen", "127.0.0.1:0", "--database", "postgres://me:secret@127.0.0.1:1/hub", "--data"]);
    let mut process = command.arg(folder.path()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let waiting = lines.map_while(Result::ok).find(|line| line.starts_with("waiting for the database"));
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(waiting.unwrap(), "waiting for the database at 127.0.0.1:1/hub, at most 20 seconds");
}

#[test]
fn a_wrong_configuration_says_where_and_what() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kontor.toml"), "listn = \"127.0.0.1:0\"\n").unwrap();
    let output = kontor().args(["up", "--data"]).arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(text.contains("kontor.toml: there is no key `listn`; did you mean `listen`?"), "{text}");

    let output =
        kontor().args(["config", "--json"]).env("KONTOR_LISTEN", "127.0.0.1:9").env("KONTOR_LISTENN", "x").output();
    let output = output.unwrap();
    assert!(said(&output).contains("the variable `KONTOR_LISTENN` sets nothing"), "{}", said(&output));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let value = |key: &str| {
        let item = shown["items"].as_array().unwrap().iter().find(|item| item["key"] == key).unwrap();
        item["value"].as_str().unwrap().to_owned()
    };
    assert_eq!((value("limits.files").as_str(), value("rates.loopback").as_str()), ("2000", "false"));
    let listen = shown["items"].as_array().unwrap().iter().find(|item| item["key"] == "listen").unwrap();
    assert_eq!((&listen["value"], &listen["source"]), (&"127.0.0.1:9".into(), &"KONTOR_LISTEN".into()));
}

#[test]
fn a_backup_brings_the_whole_hub_back() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    crate::hub::write_skill(source.path(), "hello", "hello", "Say hello.");
    hub.json(&["import", source.path().to_str().unwrap(), "--publisher", "acme"], 0);
    let before = hub.json(&["info", "@acme/hello"], 0);
    let file = hub.folder.path().join("hub.backup");
    let written = hub.json(&["backup", file.to_str().unwrap(), "--data", hub.data.to_str().unwrap()], 0);
    assert_eq!(written["blobs"], 1);
    assert_eq!(hub.json(&["fsck", "--deep", "--data", hub.data.to_str().unwrap()], 0)["sound"], true);

    let new = tempfile::tempdir().unwrap();
    let data = new.path().join("data");
    hub.json(&["restore", file.to_str().unwrap(), "--data", data.to_str().unwrap()], 0);
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let (code, text) =
        hub.complaint(new.path(), &["restore", file.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    assert!(code == 1 && text.contains("not empty"), "{text}");
    std::fs::copy(hub.data.join("admin.token"), data.join("admin.token")).unwrap();

    let start = ["up", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let (code, text) = hub.complaint(new.path(), &start);
    assert!(code == 1 && text.contains("put the hub's keys back") && text.contains("kontor log restart"), "{text}");
    assert!(!data.join("keys").exists(), "nothing stands in the way of the keys");
    let lost = hub.command(&["log", "restart", "--data", data.to_str().unwrap()]).output().unwrap();
    assert!(said(&lost).contains("secrets that were sealed stay closed"), "{}", said(&lost));
    hub.json(&["log", "restart", "--yes", "--data", data.to_str().unwrap()], 0);
    let restored = Hub::start_with(new, &[], &[]);
    assert!(!restored.log().contains("takes nothing in"), "{}", restored.log());
    let after = restored.json(&["info", "@acme/hello"], 0);
    assert_eq!(after["version"]["digest"], before["version"]["digest"]);
}

#[test]
fn a_damaged_database_is_named_with_the_way_back() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kontor.db"), "this is no database, whatever it is called\n".repeat(100))
        .unwrap();
    let mut command = kontor();
    let output = command.args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path()).output().unwrap();
    let text = said(&output);
    assert!(text.contains("kontor.db is damaged") && text.contains("kontor restore"), "{text}");
}

#[test]
fn keys_travel_with_a_backup_only_sealed() {
    let hub = Hub::start();
    let key = std::fs::read(hub.data.join("keys/webhooks.key")).unwrap();
    let file = hub.folder.path().join("hub.backup");
    let (file, data) = (file.to_str().unwrap(), hub.data.to_str().unwrap());
    let run = |arguments: &[&str], passphrase: &str| {
        let output = kontor().args(arguments).env("KONTOR_PASSPHRASE", passphrase).output().unwrap();
        (output.status.code().unwrap(), said(&output))
    };
    let (code, text) = run(&["backup", file, "--with-keys", "--data", data], "");
    assert!(code == 2 && text.contains("set KONTOR_PASSPHRASE"), "{text}");
    let (code, text) = run(&["backup", file, "--with-keys", "--data", data], "too short");
    assert!(code == 1 && text.contains("shorter than 12 characters"), "{text}");
    let (code, text) = run(&["backup", file, "--with-keys", "--data", data], "four words and more");
    assert!(code == 0 && text.contains("sealed"), "{text}");

    let new = tempfile::tempdir().unwrap();
    let (wrong, right, none) = (new.path().join("wrong"), new.path().join("right"), new.path().join("none"));
    let (code, text) = run(&["restore", file, "--data", wrong.to_str().unwrap()], "five words and more");
    assert!(code == 1 && text.contains("another one"), "{text}");
    assert!(!wrong.join("keys").exists());
    let (code, text) = run(&["restore", file, "--data", right.to_str().unwrap()], "four words and more");
    assert_eq!(code, 0, "{text}");
    assert_eq!(std::fs::read(right.join("keys/webhooks.key")).unwrap(), key);
    let (code, text) = run(&["restore", file, "--data", none.to_str().unwrap(), "--without-keys"], "");
    assert_eq!(code, 0, "{text}");
    assert!(!none.join("keys").exists());
}
