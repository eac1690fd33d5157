use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::json;

use crate::hub::{Hub, kontor, said};

#[test]
fn a_token_is_kept_for_its_owner_and_its_hub_only() {
    let hub = Hub::start();
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| kontor().args(arguments).env("KONTOR_CONFIG_HOME", home.path()).output().unwrap();
    let token_file = hub.data.join("admin.token");
    let output = run(&["login", "--registry", &hub.url, "--token-file", token_file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let login = home.path().join("login.toml");
    assert_eq!(login.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let who: serde_json::Value = serde_json::from_slice(&run(&["whoami", "--json"]).stdout).unwrap();
    assert_eq!(who["handle"], "admin");
    let elsewhere = run(&["whoami", "--registry", "http://127.0.0.1:1"]);
    assert_eq!(elsewhere.status.code(), Some(4), "no token is sent to another hub: {}", said(&elsewhere));
    assert!(run(&["logout"]).status.success());
    assert_eq!(run(&["whoami", "--registry", &hub.url]).status.code(), Some(4));
    assert_eq!(run(&["login", "approve", "ABCD-EFGH", "--yes", "--registry", &hub.url]).status.code(), Some(4));
}

#[test]
fn a_wrong_token_is_not_kept() {
    let hub = Hub::start();
    let home = tempfile::tempdir().unwrap();
    let output = kontor()
        .args(["login", "--registry", &hub.url, "--token", "wrong"])
        .env("KONTOR_CONFIG_HOME", home.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("the hub does not know this token (from --token)"), "{}", said(&output));
    assert!(!home.path().join("login.toml").exists());
    let mut search = hub.command(&["search", "pdf"]);
    let output = search.env("KONTOR_TOKEN", "wrong").output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let text = said(&output);
    assert!(
        text.contains("(from KONTOR_TOKEN)") && text.contains("hint: set KONTOR_TOKEN to one that holds"),
        "{text}"
    );
}

#[test]
fn a_device_signs_in_when_somebody_approves_its_code() {
    let hub = Hub::start();
    let home = tempfile::tempdir().unwrap();
    // What is named is added to what the one before may, or to the usual.
    for (more, expected) in [
        (&[][..], json!(["read", "publish"])),
        (&["--scope", "review"], json!(["read", "publish", "review"])),
        (&["--scope", "run"], json!(["read", "publish", "run", "review"])),
    ] {
        let mut device = kontor()
            .args(["login", "--registry", &hub.url])
            .args(more)
            .env("KONTOR_CONFIG_HOME", home.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(device.stderr.take().unwrap()).lines();
        let code = said.find_map(|line| Some(line.unwrap().split_once("login approve ")?.1.trim().to_owned())).unwrap();
        let output = hub.command(&["login", "approve", &code, "--yes"]).output().unwrap();
        assert!(output.status.success(), "{}", crate::hub::said(&output));
        assert!(device.wait().unwrap().success());
        let output = kontor().args(["whoami", "--json"]).env("KONTOR_CONFIG_HOME", home.path()).output().unwrap();
        let who: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&who["handle"], &who["scopes"]), (&json!("admin"), &expected), "{more:?}");
    }
}

#[test]
fn an_administrator_lets_a_colleague_in() {
    let hub = Hub::start();
    hub.json(&["person", "add", "bea"], 0);
    hub.json(&["person", "create", "carl"], 0);
    let issued = hub.json(&["person", "token", "bea", "--days", "7"], 0);
    assert_eq!((&issued["scopes"], &issued["label"]), (&json!(["read", "publish"]), &json!("first sign-in")));
    let secret = issued["secret"].as_str().unwrap();
    assert_eq!(hub.json(&["whoami", "--token", secret], 0)["handle"], "bea");
    hub.json(&["person", "token", "carl", "--token", secret], 4);
    hub.json(&["person", "token", "nobody"], 5);

    let output = hub.command(&["person", "token", "carl"]).output().unwrap();
    let (shown, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(shown.starts_with("kontor_") && !told.contains(shown.trim()), "{shown} {told}");
    assert!(told.contains(&format!("kontor login --prompt --registry {}", hub.url)), "{told}");
}

#[test]
fn tokens_members_and_the_audit_trail() {
    let hub = Hub::start();
    let issued = hub.json(&["token", "new", "--label", "for tests", "--scope", "read,publish", "--days", "3"], 0);
    assert_eq!(issued["scopes"], json!(["read", "publish"]));
    let secret = issued["secret"].as_str().unwrap();
    let who = hub.json(&["whoami", "--token", secret], 0);
    assert_eq!(who["scopes"], json!(["read", "publish"]));
    hub.json(&["token", "revoke", issued["id"].as_str().unwrap()], 0);
    hub.json(&["whoami", "--token", secret], 4);

    hub.json(&["person", "create", "bea", "--name", "Bea"], 0);
    hub.json(&["publisher", "create", "acme"], 0);
    let members = hub.json(&["publisher", "members", "acme", "--set", "bea", "--role", "maintainer"], 0);
    let roles: Vec<_> =
        members["items"].as_array().unwrap().iter().map(|member| (&member["person"], &member["role"])).collect();
    assert_eq!(roles, [(&json!("admin"), &json!("owner")), (&json!("bea"), &json!("maintainer"))]);
    let trail = hub.json(&["audit", "--publisher", "acme"], 0);
    let actions: Vec<&str> =
        trail["items"].as_array().unwrap().iter().filter_map(|item| item["action"].as_str()).collect();
    assert!(actions.contains(&"publisher.create"), "{actions:?}");
}

#[test]
fn browsers_are_listed_and_signed_out() {
    let hub = Hub::start();
    let sign_in = || {
        let link = hub.json(&["login", "--web"], 0)["url"].as_str().unwrap().to_owned();
        let form = format!("code={}", link.split_once("code=").unwrap().1);
        let host = hub.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "POST /login HTTP/1.1\r\nhost: {host}\r\nuser-agent: Firefox/140.0 (Linux)\r\nconnection: close\r\n\
            content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    };
    sign_in();
    sign_in();
    let listed = hub.json(&["login", "sessions"], 0);
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{listed}");
    assert_eq!(items[0]["client"], "Firefox, Linux");
    let id = items[0]["id"].as_str().unwrap();
    hub.json(&["login", "end", id], 0);
    let output = hub.command(&["login", "sessions"]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("Firefox, Linux") && !table.contains(id), "{table}");
    assert_eq!(hub.json(&["login", "end", "--all"], 0), json!({"ended": 1}));
    assert_eq!(hub.json(&["login", "sessions"], 0), json!({"items": []}));
    hub.json(&["login", "end"], 2);
}

#[test]
fn a_password_is_set_by_a_link_of_an_administrator_and_changed_by_its_owner() {
    let hub = Hub::start();
    hub.json(&["person", "add", "bea"], 0);
    let link = hub.json(&["person", "link", "bea"], 0)["url"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (first, second) = (file("first", "correct horse battery\n"), file("second", "another good one"));
    let set = ["login", "password", "--link", &link, "--file", &first];
    assert_eq!(hub.json(&set, 0), json!({"ended": 0}));
    hub.json(&set, 5);
    let secret = hub.json(&["person", "token", "bea"], 0)["secret"].as_str().unwrap().to_owned();
    hub.json(&["login", "password", "--current", &second, "--file", &second, "--token", &secret], 4);
    hub.json(&["login", "password", "--file", &second, "--token", &secret], 2);
    hub.json(&["login", "password", "--forgotten", "--file", &second, "--token", &secret], 4);
    let done = hub.json(&["login", "password", "--current", &first, "--file", &second, "--token", &secret], 0);
    assert_eq!(done, json!({"ended": 0}));
    // The administrator's token may do everything, so it is proof enough.
    assert_eq!(hub.json(&["login", "password", "--file", &first], 0), json!({"ended": 0}));
    assert_eq!(hub.json(&["login", "password", "--forgotten", "--file", &second], 0), json!({"ended": 0}));
}
