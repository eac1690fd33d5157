use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::hub::{Hub, said, write_skill};

fn counts(report: &Value) -> [u64; 4] {
    ["imported", "updated", "unchanged", "refused"].map(|name| report[name].as_u64().unwrap())
}

fn item<'a>(report: &'a Value, path: &str) -> &'a Value {
    report["items"].as_array().unwrap().iter().find(|item| item["path"] == path).unwrap()
}

#[test]
fn importing_again_changes_only_what_changed() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    let path = source.path().to_str().unwrap();
    write_skill(source.path(), "one", "one", "First.");
    write_skill(source.path(), "deep/.hidden/skills/two", "two", "Second.");
    let import = ["import", path, "--publisher", "acme"];
    assert_eq!(counts(&hub.json(&import, 0)), [2, 0, 0, 0]);
    assert_eq!(counts(&hub.json(&import, 0)), [0, 0, 2, 0]);

    write_skill(source.path(), "one", "one", "First, mended.");
    let report = hub.json(&import, 0);
    assert_eq!(counts(&report), [0, 1, 1, 0]);
    let changed = item(&report, "one");
    assert_eq!((&changed["ref"], &changed["version"]), (&json!("@acme/one"), &json!("0.1.1")));
    assert_eq!(item(&report, "deep/.hidden/skills/two")["version"], "0.1.0");
}

#[test]
fn a_refused_skill_is_named_with_its_place() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    write_skill(source.path(), "good", "good", "Fine.");
    std::fs::create_dir(source.path().join("bad")).unwrap();
    std::fs::write(source.path().join("bad/SKILL.md"), b"---\nname: bad\n---\n\xff\xfe broken").unwrap();
    let path = source.path().to_str().unwrap();
    let report = hub.json(&["import", path, "--publisher", "acme"], 0);
    assert_eq!(counts(&report), [1, 0, 0, 1]);
    let refused = item(&report, "bad");
    assert_eq!(
        (&refused["code"], &refused["file"], &refused["line"]),
        (&json!("not_utf8"), &json!("SKILL.md"), &json!(4))
    );
    assert!(refused["ref"].is_null());
    let output = hub.command(&["import", path, "--publisher", "acme", "--fail-on-refused"]).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("bad/SKILL.md:4") && text.contains("1 refused"), "{text}");
}

#[test]
fn top_folders_are_publishers_and_names_that_collide_are_refused_or_renamed() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    write_skill(source.path(), "Some_Body/pdf", "pdf", "Theirs.");
    write_skill(source.path(), "acme/.copy/pdf", "pdf", "A hidden copy.");
    write_skill(source.path(), "acme/docs/ja/pdf", "pdf", "A translation.");
    write_skill(source.path(), "acme/pdf", "pdf", "The one.");
    let path = source.path().to_str().unwrap();
    let report = hub.json(&["import", path, "--publisher-by-top-folder"], 0);
    assert_eq!(counts(&report), [2, 0, 0, 2]);
    let paths: Vec<&str> =
        report["items"].as_array().unwrap().iter().filter_map(|item| item["path"].as_str()).collect();
    assert_eq!(paths, ["Some_Body/pdf", "acme/.copy/pdf", "acme/docs/ja/pdf", "acme/pdf"]);
    assert_eq!(item(&report, "Some_Body/pdf")["ref"], "@some-body/pdf");
    assert_eq!(item(&report, "acme/pdf")["ref"], "@acme/pdf");
    let refused = item(&report, "acme/docs/ja/pdf");
    assert_eq!(refused["code"], "import_conflict");
    assert_eq!(refused["message"], "@acme/pdf is there already, made by `acme/pdf` of this source");

    let report = hub.json(&["import", path, "--publisher-by-top-folder", "--on-conflict", "rename"], 0);
    assert_eq!(counts(&report), [2, 0, 2, 0]);
    assert_eq!(item(&report, "acme/docs/ja/pdf")["ref"], "@acme/pdf-2");
    assert_eq!(counts(&hub.json(&["import", path, "--publisher-by-top-folder"], 0)), [0, 0, 4, 0]);
    let again = ["import", path, "--publisher-by-top-folder", "--on-conflict", "rename"];
    assert_eq!(counts(&hub.json(&again, 0)), [0, 0, 4, 0]);
}

#[test]
fn a_mirror_keeps_names_numbers_and_where_things_come_from() {
    let (first, second) = (Hub::start(), Hub::start());
    let source = tempfile::tempdir().unwrap();
    write_skill(source.path(), "acme/pdf", "pdf", "The one.");
    write_skill(source.path(), "acme/docs/pdf", "pdf", "Its double.");
    write_skill(source.path(), "acme/pdf/inner/forms", "forms", "A skill in a skill.");
    let fill = ["import", source.path().to_str().unwrap(), "--publisher-by-top-folder", "--on-conflict", "rename"];
    assert_eq!(counts(&first.json(&fill, 0)), [3, 0, 0, 0]);
    write_skill(source.path(), "acme/docs/pdf", "pdf", "Its double, mended.");
    assert_eq!(counts(&first.json(&fill, 0)), [0, 1, 2, 0]);

    let address = format!("clawhub:{}", first.url);
    let token = source.path().join("token");
    std::fs::write(&token, &first.token).unwrap();
    let mirror = ["import", &address, "--publisher-by-top-folder", "--source-token-file", token.to_str().unwrap()];
    let (code, text) = second.complaint(source.path(), &mirror[..3]);
    assert!(code == 4 && text.contains("hint: make one there"), "{code} {text}");
    let report = second.json(&mirror, 0);
    assert_eq!(counts(&report), [3, 0, 0, 0], "{report}");
    for (name, number) in [("pdf", "0.1.0"), ("pdf-2", "0.1.1"), ("forms", "0.1.0")] {
        let skill = format!("@acme/{name}");
        let (there, here) = (first.json(&["info", &skill], 0), second.json(&["info", &skill], 0));
        assert_eq!(here["version"]["version"], number, "{name}");
        assert_eq!(here["version"]["digest"], there["version"]["digest"], "{name}");
        let origin = &here["version"]["origin"];
        assert_eq!((&origin["kind"], &origin["author"]), (&json!("clawhub"), &json!("acme")), "{name}");
        assert_eq!(origin["before"], there["version"]["origin"]["path"], "{name}");
    }
    assert_eq!(counts(&second.json(&mirror, 0)), [0, 0, 3, 0]);
    write_skill(source.path(), "acme/docs/pdf", "pdf", "Its double, mended again.");
    first.json(&fill, 0);
    let since = [&mirror[..], &["--since", "2020-01-01"]].concat();
    let report = second.json(&since, 0);
    assert_eq!((counts(&report), &item(&report, "acme/pdf-2")["version"]), ([0, 1, 2, 0], &json!("0.1.2")));
    let later = [&mirror[..], &["--since", "2999-01-01"]].concat();
    assert_eq!(counts(&second.json(&later, 0)), [0, 0, 0, 0]);
}

/// Answers each request for `/skills-1.0.tar.gz` with `archive`, and any other with a redirect there under another name.
fn serve(archive: Vec<u8>) -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let mut answer = format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{port}/skills-1.0.tar.gz\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes();
            let line = String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned();
            if line.contains("/skills-1.0.tar.gz") {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", archive.len());
                answer = [head.as_bytes(), &archive].concat();
            }
            let _ = stream.write_all(&answer);
        }
    });
    port
}

#[test]
fn an_archive_is_fetched_from_the_web() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    write_skill(source.path(), "repo-1.0/skills/hello", "hello", "Say hello.");
    let packed = Command::new("tar").args(["-cz", "-C"]).arg(source.path()).arg("repo-1.0").output().unwrap();
    let port = serve(packed.stdout);
    let address = format!("http://me:secret@127.0.0.1:{port}/skills-1.0.tar.gz?key=secret");
    let report = hub.json(&["import", &address, "--publisher", "acme"], 0);
    assert_eq!((counts(&report), &report["items"][0]["path"]), ([1, 0, 0, 0], &json!("skills/hello")));
    assert_eq!(counts(&hub.json(&["import", &address, "--publisher", "acme"], 0)), [0, 0, 1, 0]);
    let origin = hub.json(&["info", "@acme/hello"], 0)["version"]["origin"].clone();
    assert_eq!(origin["url"], format!("http://127.0.0.1:{port}/skills-1.0.tar.gz"));

    let elsewhere = format!("http://localhost:{port}/moved.zip");
    let (code, text) = hub.complaint(source.path(), &["import", &elsewhere, "--publisher", "acme"]);
    assert!(code == 6 && text.contains("may not be reached") && text.contains("it is redirected"), "{code} {text}");
}

#[test]
fn a_download_goes_through_the_proxy_that_the_user_has_set() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    write_skill(source.path(), "skills/hello", "hello", "Say hello.");
    let packed = Command::new("tar").args(["-cz", "-C"]).arg(source.path()).arg("skills").output().unwrap();
    let proxy = format!("http://127.0.0.1:{}", serve(packed.stdout));
    // Nobody but the proxy knows this name, and the hub on loopback is asked without it.
    let import = ["import", "http://files.invalid/skills-1.0.tar.gz", "--publisher", "acme", "--json"];
    let output = hub.command(&import).env("HTTP_PROXY", proxy).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!(counts(&report), [1, 0, 0, 0], "{}", said(&output));
}

#[test]
fn an_import_that_may_not_publish_ends_at_once() {
    let hub = Hub::start();
    let folder = tempfile::tempdir().unwrap();
    write_skill(folder.path(), "hello", "hello", "Say hello.");
    let path = folder.path().to_str().unwrap();
    hub.json(&["import", path, "--publisher", "acme"], 0);
    hub.json(&["person", "add", "bob"], 0);
    let token = hub.json(&["person", "token", "bob"], 0)["secret"].as_str().unwrap().to_owned();
    let (code, text) = hub.complaint(folder.path(), &["import", path, "--publisher", "acme", "--token", &token]);
    assert!(code == 4 && text.contains("needs the role `maintainer`"), "{code} {text}");
    let (code, text) = hub.complaint(folder.path(), &["person", "list", "--token", &token]);
    assert!(code == 4 && text.contains("ask an administrator of the hub"), "{code} {text}");
}

#[test]
fn a_repository_is_imported_at_its_commit() {
    let hub = Hub::start();
    let repository = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.email=a@example.com", "-c", "user.name=A", "-c", "init.defaultBranch=main"]);
        let output = command.args(arguments).current_dir(repository.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    write_skill(repository.path(), "skills/hello", "hello", "Say hello.");
    write_hook(repository.path());
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "first"]);
    let commit = git(&["rev-parse", "HEAD"]);
    let address = format!("file://{}", repository.path().display());
    assert_eq!(counts(&hub.json(&["import", &address, "--publisher", "acme"], 0)), [1, 0, 0, 0]);
    let origin = hub.json(&["info", "@acme/hello"], 0)["version"]["origin"].clone();
    assert_eq!(
        (&origin["kind"], &origin["commit"], &origin["path"]),
        (&json!("git"), &json!(commit), &json!("skills/hello"))
    );

    write_skill(repository.path(), "skills/hello", "hello", "Say hello louder.");
    git(&["commit", "--quiet", "--all", "--message", "second"]);
    assert_eq!(counts(&hub.json(&["import", &address, "--publisher", "acme"], 0)), [0, 1, 0, 0]);
}

/// Something that would run at a checkout, if hooks of templates or settings were obeyed.
fn write_hook(repository: &Path) {
    std::fs::write(repository.join(".gitattributes"), "* filter=evil\n").unwrap();
}

#[test]
fn an_archive_is_unpacked_and_imported() {
    let hub = Hub::start();
    let source = tempfile::tempdir().unwrap();
    write_skill(source.path(), "box/hello", "hello", "Say hello.");
    let archive = source.path().join("skills.tar.gz");
    let packed =
        Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(source.path()).arg("box").status().unwrap();
    assert!(packed.success());
    let report = hub.json(&["import", archive.to_str().unwrap(), "--publisher", "acme"], 0);
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    assert_eq!(item(&report, "box/hello")["ref"], "@acme/hello");
}

#[test]
fn what_cannot_run_ends_with_a_code_that_says_why() {
    let hub = Hub::start();
    let folder = tempfile::tempdir().unwrap();
    write_skill(folder.path(), "hello", "hello", "Say hello.");
    let path = folder.path().to_str().unwrap();
    let (code, text) = hub.complaint(folder.path(), &["import", "no-such-thing", "--publisher", "acme"]);
    assert!(code == 2 && text.contains("is no source"), "{code} {text}");
    let (code, text) = hub.complaint(folder.path(), &["import", path, "--publisher", "acme", "--token", "wrong"]);
    assert_eq!(code, 4, "{text}");
    let nowhere = ["import", path, "--publisher", "acme", "--registry", "http://127.0.0.1:1"];
    let (code, text) = hub.complaint(folder.path(), &nowhere);
    assert!(code == 3 && text.contains("hint: start a hub"), "{code} {text}");
}

#[test]
fn a_repository_that_is_not_there_has_a_code_of_its_own() {
    let hub = Hub::start();
    let nothing = format!("{}/nothing.git", hub.url);
    hub.json(&["import", &nothing, "--publisher", "acme"], 5);
    hub.json(&["import", "http://127.0.0.1:9/nothing.git", "--publisher", "acme"], 3);
}
