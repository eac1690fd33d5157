//! Skills over MCP (SEP-2640, `specification/stable/skills.mdx`): messages as the specification writes them, byte for byte.

use kontor_testkit::{ADMIN, NATIVE, On, TestHub};
use kontor_types::Digest;
use rstest::rstest;
use serde_json::{Value, json};

use crate::client::{ask, ask_modern, publish, skill_text};

const FORM: &[u8] = b"Name: ____\n";
const LATIN: &[u8] = b"caf\xe9 au lait\n";

/// The example of the specification: a skill with references, scripts and templates in folders of their own.
fn pdf_processing() -> String {
    "---\nname: pdf-processing\ndescription: Extract, fill, and assemble PDF documents\nmetadata:\n  version: \"2.1.0\"\n---\n\n\
        # PDF processing\n\nChoose the matching template from `templates/`.\n"
        .to_owned()
}

async fn hub(on: On) -> Option<TestHub> {
    let hub = TestHub::start(on).await?;
    let main = pdf_processing();
    let files: [(&str, &[u8]); 5] = [
        ("SKILL.md", main.as_bytes()),
        ("assets/latin.txt", LATIN),
        ("references/FORMS.md", FORM),
        ("templates/invoice.md", b"Invoice\n"),
        ("templates/regional/eu invoice.md", b"EU\n"),
    ];
    publish(&hub, "@admin/pdf-processing@1.0.0", &files).await;
    Some(hub)
}

fn resource(path: &str, bytes: &[u8]) -> Value {
    json!({
        "uri": format!("skill://admin/pdf-processing/{path}"),
        "digest": format!("sha256:{}", Digest::of(bytes).hex()),
        "size": bytes.len(),
    })
}

/// The entry that the specification asks for. What it says of `_meta` (annotations of intermediaries) is compared apart.
fn entry() -> Value {
    json!({
        "uri": "skill://admin/pdf-processing/SKILL.md",
        "frontmatter": {
            "name": "pdf-processing",
            "description": "Extract, fill, and assemble PDF documents",
            "metadata": {"version": "2.1.0"},
        },
        "resources": [
            resource("SKILL.md", pdf_processing().as_bytes()),
            resource("assets/latin.txt", LATIN),
            resource("references/FORMS.md", FORM),
            resource("templates/invoice.md", b"Invoice\n"),
            resource("templates/regional/eu%20invoice.md", b"EU\n"),
        ],
    })
}

fn without_meta(mut value: Value) -> Value {
    let meta = value.as_object_mut().unwrap().remove("_meta").unwrap();
    assert_eq!(meta["kontor/skill"], "@admin/pdf-processing@1.0.0");
    assert!(meta["kontor/digest"].is_string());
    value
}

#[tokio::test]
async fn the_extension_is_declared_with_what_it_depends_on() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let found = ask_modern(&hub, "server/discover", json!({})).await;
    let capabilities = &found["result"]["capabilities"];
    assert_eq!(capabilities["extensions"], json!({"io.modelcontextprotocol/skills": {"directoryRead": true}}));
    assert!(capabilities["resources"].is_object());
}

#[rstest]
#[tokio::test]
async fn skills_list_and_skills_get_tell_the_same_complete_entry(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = hub(on).await else { return };
    let mut listed = ask_modern(&hub, "skills/list", json!({})).await;
    let one = listed["result"]["skills"][0].take();
    assert_eq!(without_meta(one), entry());
    assert_eq!(
        listed,
        json!({"jsonrpc": "2.0", "id": 1, "result": {
            "resultType": "complete", "skills": [null], "ttlMs": 60_000, "cacheScope": "public",
        }})
    );
    let mut got = ask_modern(&hub, "skills/get", json!({"uri": "skill://admin/pdf-processing/SKILL.md"})).await;
    let one = got["result"]["skill"].take();
    assert_eq!(without_meta(one), entry());
    assert_eq!(
        got,
        json!({"jsonrpc": "2.0", "id": 1, "result": {
            "resultType": "complete", "skill": null, "ttlMs": 60_000, "cacheScope": "public",
        }})
    );
}

#[tokio::test]
async fn every_listed_file_is_read_with_the_bytes_that_its_digest_is_of() {
    let hub = hub(On::Sqlite).await.unwrap();
    for resource in entry()["resources"].as_array().unwrap() {
        let read = ask_modern(&hub, "resources/read", json!({"uri": resource["uri"]})).await;
        let contents = &read["result"]["contents"][0];
        assert_eq!(contents["uri"], resource["uri"], "{read}");
        let bytes = match contents["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => base64(contents["blob"].as_str().unwrap()),
        };
        assert_eq!(json!(format!("sha256:{}", Digest::of(&bytes).hex())), resource["digest"]);
        assert_eq!(json!(bytes.len()), resource["size"]);
    }
    let mut read = ask_modern(&hub, "resources/read", json!({"uri": "skill://admin/pdf-processing/SKILL.md"})).await;
    let contents = without_meta(read["result"]["contents"][0].take());
    assert_eq!(
        contents,
        json!({"uri": "skill://admin/pdf-processing/SKILL.md", "mimeType": "text/markdown", "text": pdf_processing()})
    );
    assert_eq!(
        read,
        json!({"jsonrpc": "2.0", "id": 1, "result": {
            "resultType": "complete", "contents": [null], "ttlMs": 60_000, "cacheScope": "public",
        }})
    );
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[tokio::test]
async fn a_directory_lists_its_direct_children() {
    let hub = hub(On::Sqlite).await.unwrap();
    let read = async |uri: &str| ask_modern(&hub, "resources/directory/read", json!({"uri": uri})).await;
    let child = |path: &str, name: &str, kind: &str, size: Option<usize>| {
        let mut child = json!({"uri": format!("skill://admin/pdf-processing/{path}"), "name": name, "mimeType": kind});
        if let Some(size) = size {
            child["size"] = json!(size);
        }
        child
    };
    let templates = read("skill://admin/pdf-processing/templates").await;
    assert_eq!(templates["result"]["resultType"], "complete");
    assert_eq!(
        templates["result"]["resources"],
        json!([
            child("templates/invoice.md", "invoice.md", "text/markdown", Some(8)),
            child("templates/regional", "regional", "inode/directory", None),
        ])
    );
    let root = read("skill://admin/pdf-processing").await;
    let names: Vec<_> =
        root["result"]["resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["SKILL.md", "assets", "references", "templates"]);
    for uri in [
        "skill://admin/pdf-processing/SKILL.md",
        "skill://admin/pdf-processing/nothing",
        "skill://admin/pdf-processing/",
    ] {
        let refused = read(uri).await;
        assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32_602), &json!(1)), "{uri}: {refused}");
        assert_eq!(refused["error"]["message"], format!("{uri} is not a directory resource"));
    }
}

#[rstest]
#[case::unknown("skill://admin/chargebacks/SKILL.md")]
#[case::another_file("skill://admin/pdf-processing/references/FORMS.md")]
#[case::another_spelling("skill://admin/pdf%2Dprocessing/SKILL.md")]
#[case::spelled_out("skill://admin/pdf-processing/%53KILL.md")]
#[case::another_scheme("github://admin/pdf-processing/SKILL.md")]
#[case::up("skill://admin/pdf-processing/../pdf-processing/SKILL.md")]
#[tokio::test]
async fn what_is_no_skill_is_a_wrong_parameter(#[case] uri: &str) {
    let hub = hub(On::Sqlite).await.unwrap();
    let refused = ask_modern(&hub, "skills/get", json!({"uri": uri})).await;
    assert_eq!(refused["error"]["code"], -32_602, "{refused}");
    if !uri.ends_with("FORMS.md") {
        let read = ask_modern(&hub, "resources/read", json!({"uri": uri})).await;
        assert_eq!(read["error"]["code"], -32_602, "{read}");
    }
    // Clients of older revisions know a code of its own for what is not there.
    let read = ask(&hub, None, "resources/read", json!({"uri": "skill://admin/nothing/SKILL.md"})).await;
    assert_eq!(read["error"]["code"], -32_002, "{read}");
}

#[tokio::test]
async fn the_address_ends_in_the_name_that_the_skill_gives_itself() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let main = skill_text("refunds", "Process refunds per company policy. Use it for refunds.", "Refund.");
    publish(&hub, "@admin/billing-refunds@1.0.0", &[("SKILL.md", main.as_bytes()), ("examples/email.md", b"Hello\n")])
        .await;
    let listed = ask_modern(&hub, "skills/list", json!({})).await;
    let skill = &listed["result"]["skills"][0];
    assert_eq!(skill["uri"], "skill://admin/billing-refunds/refunds/SKILL.md", "{listed}");
    assert_eq!(skill["resources"][1]["uri"], "skill://admin/billing-refunds/refunds/examples/email.md");
    let read = ask_modern(&hub, "resources/read", json!({"uri": skill["resources"][1]["uri"]})).await;
    assert_eq!(read["result"]["contents"][0]["text"], "Hello\n");
    let wrong =
        ask_modern(&hub, "resources/read", json!({"uri": "skill://admin/billing-refunds/examples/email.md"})).await;
    assert_eq!(wrong["error"]["code"], -32_602, "a file has one address: {wrong}");
}

#[tokio::test]
async fn what_the_extension_cannot_carry_is_left_to_the_tools() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let broken: [(&str, &str); 4] = [
        ("shouting", "---\nname: Shouting Name\ndescription: Has a name that the format forbids.\n---\n\nDo it.\n"),
        ("silent", "---\nname: silent\n---\n\nSays nothing of itself in its front matter.\n"),
        (
            "mixed",
            "---\nname: mixed\ndescription: Has numbers where the format wants text.\nmetadata:\n  order: 1\n---\n\nDo it.\n",
        ),
        ("mended", "---\nname: mended\ndescription: Has: a colon that no YAML takes: here\n---\n\nDo it.\n"),
    ];
    for (name, text) in broken {
        publish(&hub, &format!("@admin/{name}@1.0.0"), &[("SKILL.md", text.as_bytes())]).await;
    }
    let many: Vec<(String, Vec<u8>)> = (0..513).map(|number| (format!("notes/{number}.md"), b"x\n".to_vec())).collect();
    let main = skill_text("many", "Has more files than every host must take.", "Do it.");
    let files: Vec<(&str, &[u8])> = std::iter::once(("SKILL.md", main.as_bytes()))
        .chain(many.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())))
        .collect();
    publish(&hub, "@admin/many@1.0.0", &files).await;
    let listed = ask_modern(&hub, "skills/list", json!({})).await;
    assert_eq!(listed["result"]["skills"], json!([]), "{listed}");
    for name in ["shouting", "silent", "mixed", "mended", "many"] {
        let got = ask_modern(&hub, "skills/get", json!({"uri": format!("skill://admin/{name}/SKILL.md")})).await;
        assert_eq!(got["error"]["code"], -32_602, "{got}");
        let tool = ask(&hub, None, "tools/call", json!({"name": "get_skill", "arguments": {"skill": name}})).await;
        assert_eq!(tool["result"]["isError"], false, "{tool}");
    }
}

#[tokio::test]
async fn a_long_list_comes_in_pages_without_gaps() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    for number in 0..25 {
        hub.publish(ADMIN, &format!("@admin/skill-{number}@1.0.0"), "public", "Read the meter.").await;
    }
    hub.publish(ADMIN, "@admin/secret@1.0.0", "private", "Read the meter.").await;
    for (method, key) in [("skills/list", "skills"), ("resources/list", "resources")] {
        let (mut found, mut params) = (Vec::new(), json!({}));
        loop {
            let page = ask_modern(&hub, method, params).await["result"].clone();
            found.extend(page[key].as_array().unwrap().iter().map(|one| one["uri"].as_str().unwrap().to_owned()));
            let Some(next) = page["nextCursor"].as_str() else { break };
            params = json!({"cursor": next});
        }
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 25, "{method}: {found:?}");
        assert!(!found.iter().any(|uri| uri.contains("secret")));
        let wrong = ask_modern(&hub, method, json!({"cursor": "nonsense"})).await;
        assert_eq!(wrong["error"]["code"], -32_602, "{wrong}");
        let own = ask(&hub, Some(ADMIN), method, json!({})).await["result"].clone();
        assert_eq!(own["cacheScope"], "private", "what somebody sees is theirs alone");
    }
}

#[tokio::test]
async fn a_new_version_changes_the_digests_at_the_same_address() {
    let hub = hub(On::Sqlite).await.unwrap();
    let uri = json!({"uri": "skill://admin/pdf-processing/SKILL.md"});
    let before = ask_modern(&hub, "skills/get", uri.clone()).await;
    let main = pdf_processing().replace("Choose", "Take");
    publish(&hub, "@admin/pdf-processing@1.1.0", &[("SKILL.md", main.as_bytes())]).await;
    let after = ask_modern(&hub, "skills/get", uri.clone()).await;
    assert_ne!(before["result"]["skill"]["resources"], after["result"]["skill"]["resources"]);
    assert_eq!(after["result"]["skill"]["resources"].as_array().unwrap().len(), 1);
    // A former name is another address: approvals are kept by it.
    let renamed = hub
        .call("POST", &format!("{NATIVE}/skills/admin/pdf-processing/rename"), Some(ADMIN), &json!({"slug": "pdf"}))
        .await;
    assert!(renamed.status.is_success(), "{}", renamed.body);
    assert_eq!(ask_modern(&hub, "skills/get", uri).await["error"]["code"], -32_602);
    let now = ask_modern(&hub, "skills/get", json!({"uri": "skill://admin/pdf/pdf-processing/SKILL.md"})).await;
    assert!(now["result"]["skill"].is_object(), "{now}");
}
