//! A user makes a key, publishes, proves and verifies without a network.

use serde_json::Value;

use crate::hub::{Hub, kontor, said, write_skill};

fn check<'r>(report: &'r Value, name: &str) -> &'r Value {
    report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

#[test]
fn what_is_published_is_signed_and_anybody_checks_it_offline() {
    let (hub, source) = (Hub::start(), tempfile::tempdir().unwrap());
    hub.json(&["publisher", "create", "acme"], 0);
    let made = hub.json(&["key", "new", "--publisher", "acme"], 0);
    let secret = made["file"].as_str().unwrap().to_owned();
    let permissions = std::fs::metadata(&secret).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777, 0o600);
    let public = made["key"]["public_key"].as_str().unwrap().to_owned();
    assert_eq!(hub.json(&["key", "show", "acme"], 0)["public_key"], public.as_str());
    let (code, text) = hub.complaint(source.path(), &["key", "new", "--publisher", "acme"]);
    assert!(code == 2 && text.contains("kontor key rotate"), "{text}");

    // The number comes from the hub, and is signed all the same.
    write_skill(source.path(), "hello", "hello", "Say hello.");
    let folder = source.path().join("hello");
    let folder = folder.to_str().unwrap();
    let published = hub.json(&["publish", folder, "--publisher", "acme"], 0);
    assert_eq!(published["version"], "0.1.0");
    let info = hub.json(&["info", "@acme/hello"], 0);
    assert_eq!(info["version"]["signer"]["publisher"], "acme");
    assert_eq!(
        (&info["version"]["signer"]["public_key"], &info["version"]["signer"]["valid"]),
        (&made["key"]["public_key"], &Value::Bool(true))
    );
    let shown = hub.command(&["info", "@acme/hello"]).output().unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("@acme with the key"));
    hub.json_in(source.path(), &["install", "@acme/hello"], 0);

    let proof = source.path().join("hello.proof.json");
    let proof = proof.to_str().unwrap();
    assert_eq!(hub.json(&["proof", "@acme/hello", "-o", proof], 0)["statements"], 5);
    hub.json(&["key", "rotate", "--publisher", "acme"], 0);
    write_skill(source.path(), "hello", "hello", "Say hello, twice.");
    hub.json(&["publish", folder, "--publisher", "acme"], 0);
    write_skill(source.path(), "hello", "hello", "Say hello, three times.");
    hub.json(&["publish", folder, "--publisher", "acme", "--no-sign"], 0);
    assert_eq!(hub.json(&["info", "@acme/hello"], 0)["version"]["signer"], Value::Null);
    let second = source.path().join("second.proof.json");
    let second = second.to_str().unwrap();
    hub.json(&["proof", "@acme/hello@0.1.1", "-o", second], 0);

    let keys = hub.json(&["key", "list", "acme"], 0);
    assert!(keys["items"][0]["retired_at"].is_string());
    assert_eq!(keys["items"][1]["endorsed_by"], keys["items"][0]["key_id"]);
    let settings = hub.folder.path().join("settings");
    let verify = |arguments: &[&str], own: bool| {
        let mut command = kontor();
        if own {
            command.env("KONTOR_CONFIG_HOME", &settings);
        }
        let output = command.arg("verify").args(arguments).arg("--json").output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| Value::String(said(&output)));
        (output.status.code().unwrap(), report)
    };
    let (code, report) = verify(&[proof], false);
    assert_eq!((code, &check(&report, "publisher_key")["outcome"]), (0, &Value::from("not_checked")), "{report:#}");
    assert!(report.to_string().contains("@acme signed @acme/hello@0.1.0"), "{report:#}");
    for (file, own, key) in [(proof, true, None), (proof, false, Some(&public)), (second, false, Some(&public))] {
        let mut arguments = vec![file];
        arguments.extend(key.iter().flat_map(|key| ["--publisher-key", key.as_str()]));
        let (code, report) = verify(&arguments, own);
        assert_eq!((code, &check(&report, "publisher_key")["outcome"]), (0, &Value::from("passed")), "{report:#}");
    }
    let other = "publisher:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let (code, report) = verify(&[proof, "--publisher-key", other], false);
    assert_eq!((code, &check(&report, "publisher_key")["outcome"]), (1, &Value::from("failed")), "{report:#}");

    // A revoked key signs no more, and what it signed since then is no longer believed.
    let revoked =
        hub.json(&["key", "revoke", "--publisher", "acme", "--from", "2020-01-01T00:00:00Z", "-m", "lost", "--yes"], 0);
    assert!(revoked["revoked_at"].is_string());
    hub.json(&["proof", "@acme/hello@0.1.1", "-o", second], 0);
    let (code, report) = verify(&[second], false);
    assert_eq!((code, &check(&report, "revocation")["outcome"]), (1, &Value::from("failed")), "{report:#}");
    let (code, text) = hub.complaint(source.path(), &["key", "show", "acme"]);
    assert!(code == 2 && text.contains("kontor key new"), "{text}");
    hub.json(&["publisher", "set", "acme", "--require-signature", "true"], 0);
    write_skill(source.path(), "hello", "hello", "Say hello, once more.");
    let (code, text) = hub.complaint(source.path(), &["publish", folder, "--publisher", "acme"]);
    assert!(code == 2 && text.contains("was revoked") && text.contains("--no-sign"), "{text}");
    let (code, text) = hub.complaint(source.path(), &["publish", folder, "--publisher", "acme", "--no-sign"]);
    assert!(code == 6 && text.contains("takes only signed versions"), "{text}");
    hub.json(&["key", "new", "--publisher", "acme"], 0);
    hub.json(&["publish", folder, "--publisher", "acme"], 0);
}

#[test]
fn an_installed_copy_gives_way_only_to_what_its_signer_or_a_successor_signed() {
    let (hub, source, project) = (Hub::start(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let publish = |body: &str, more: &[&str]| {
        write_skill(source.path(), "hello", "hello", body);
        let folder = source.path().join("hello");
        let arguments = [&["publish", folder.to_str().unwrap(), "--publisher", "acme"], more].concat();
        hub.json(&arguments, 0)["version"].as_str().unwrap().to_owned()
    };
    let pinned = || {
        let lock = std::fs::read_to_string(project.path().join("kontor.lock")).unwrap();
        let value = |key: &str| {
            let mut lines = lock.lines().rev();
            let line = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            Value::from(line.unwrap_or_default().trim_matches('"'))
        };
        (value("version"), value("key"))
    };
    hub.json(&["publisher", "create", "acme"], 0);
    let first = hub.json(&["key", "new", "--publisher", "acme"], 0)["key"]["public_key"].clone();
    publish("Say hello.", &[]);
    hub.json_in(project.path(), &["install", "@acme/hello", "--agent", "claude-code"], 0);
    assert_eq!(pinned(), (Value::from("0.1.0"), first.clone()));

    let second = hub.json(&["key", "rotate", "--publisher", "acme"], 0)["key"]["public_key"].clone();
    publish("Say hello twice.", &[]);
    hub.json_in(project.path(), &["update"], 0);
    assert_eq!(pinned(), (Value::from("0.1.1"), second.clone()), "the first key vouches for the second");

    publish("Say hello three times.", &["--no-sign"]);
    let (code, text) = hub.complaint(project.path(), &["update"]);
    assert!(code != 0 && text.contains("is not signed") && text.contains("--accept-signer"), "{code} {text}");
    hub.json(&["key", "revoke", "--publisher", "acme", "-m", "stolen", "--yes"], 0);
    let third = hub.json(&["key", "new", "--publisher", "acme"], 0)["key"]["public_key"].clone();
    publish("Say hello to somebody else.", &[]);
    let (code, text) = hub.complaint(project.path(), &["update"]);
    assert!(code != 0 && text.contains("not with the one that the lock file has"), "{code} {text}");
    assert_eq!(pinned(), (Value::from("0.1.1"), second), "nothing was changed");
    hub.json_in(project.path(), &["update", "--accept-signer"], 0);
    assert_eq!(pinned(), (Value::from("0.1.3"), third));
}

#[test]
fn a_key_that_was_revoked_elsewhere_is_replaced_by_one_that_it_does_not_vouch_for() {
    let (hub, source, elsewhere) = (Hub::start(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    hub.json(&["publisher", "create", "acme"], 0);
    write_skill(source.path(), "hello", "hello", "Say hello.");
    let first = hub.json(&["key", "new", "--publisher", "acme"], 0)["key"]["key_id"].as_str().unwrap().to_owned();
    let second = hub.json(&["key", "rotate", "--publisher", "acme"], 0)["key"]["key_id"].as_str().unwrap().to_owned();
    let revoke = |key: &str| {
        let mut command = hub.command(&["key", "revoke", key, "--publisher", "acme", "-m", "stolen", "--yes"]);
        let output = command.env("KONTOR_CONFIG_HOME", elsewhere.path()).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    revoke(&second);
    for verb in [&["key", "rotate"][..], &["publish", "hello"]] {
        let (code, text) = hub.complaint(source.path(), &[verb, &["--publisher", "acme"]].concat());
        assert!(code == 2 && text.contains("kontor key new"), "{verb:?}: {text}");
    }
    let third = hub.json(&["key", "new", "--publisher", "acme"], 0)["key"].clone();
    assert!(third["endorsed_by"].is_null() && third["key_id"] != second.as_str(), "{third}");
    hub.json_in(source.path(), &["publish", "hello", "--publisher", "acme"], 0);
    assert_eq!(hub.json(&["info", "@acme/hello"], 0)["version"]["signer"]["key_id"], third["key_id"]);

    // One that was replaced long ago is marked here too.
    hub.json(&["key", "revoke", &first, "--publisher", "acme", "-m", "old", "--yes"], 0);
    let keys = hub.folder.path().join("settings/keys");
    let ring = std::fs::read_dir(keys).unwrap().flatten().next().unwrap().path().join("acme/history.json");
    let ring: Value = serde_json::from_slice(&std::fs::read(ring).unwrap()).unwrap();
    let revoked: Vec<bool> = ring["keys"].as_array().unwrap().iter().map(|key| key["revoked"].is_object()).collect();
    assert_eq!(revoked, [true, true, false], "{ring:#}");
}
