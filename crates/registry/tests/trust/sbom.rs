//! What a version is made of.

use kontor_package::Content;
use kontor_registry::{Found, Import, Publish};
use kontor_types::Viewer;
use rstest::rstest;
use serde_json::{Value, json};

use crate::hub::{Hub, On, files, handle, reference};
use crate::samples::clean;

/// A skill that asks for packages in every way there is.
pub fn laden() -> Content {
    let text = "---\nname: laden\ndescription: Carries \"much\".\nlicense: Apache-2.0\n---\nRun `npx -y @acme/tool@2.1.0 .` first.\n";
    let manifest = "[requires]\n\"@acme/pdf\" = \"^1.4\"\n\n[dependencies]\npip = [{ name = \"rich\", version = \"14.0.0\", \
                    hashes = [\"sha256:0f7b1ba1cd37bda3d7eb1c1c0f5d0fb26b5b9d76eb1fa5c05dd5b0d2cbcf0dfd\"] }]\n";
    files(&[
        ("SKILL.md", text),
        ("kontor.toml", manifest),
        ("scripts/run.py", "# /// script\n# dependencies = [\"pypdf==5.0.0\"]\n# ///\nprint(1)\n"),
        ("scripts/requirements.txt", "pypdf==5.0.0\nopenpyxl>=3\n"),
        ("web/package.json", "{\"dependencies\": {\"left pad/ü\": \"1.3.0\", \"react\": \"^18\"}}"),
    ])
}

/// The same, imported from a repository and with a licence in words.
pub fn foreign() -> (Content, Value) {
    let text = "---\nname: foreign\ndescription: From afar.\nlicense: see LICENSE.txt\n---\nRead it.\n";
    let origin = json!({"kind": "git", "url": "https://git.example.com/team/skills.git", "commit": "a".repeat(40), "path": "x y"});
    (files(&[("SKILL.md", text), ("a file, with \"signs\" & ü.txt", "x")]), origin)
}

async fn found(hub: &Hub, name: &str) -> Found {
    hub.registry.version(&Viewer::hub(), &reference(name)).await.unwrap()
}

/// Bills of versions of all kinds.
pub async fn bills(hub: &Hub) -> Vec<(String, Vec<u8>)> {
    hub.publish(clean("pdf")).await.unwrap();
    hub.publish(laden()).await.unwrap();
    let (content, origin) = foreign();
    let mut import = Import::new(handle("acme"), "git:team", "foreign", content);
    import.origin = Some(origin);
    hub.bring(&hub.administrator(), import).await.unwrap();
    let mut bills = Vec::new();
    for name in ["@acme/pdf", "@acme/laden", "@acme/foreign"] {
        let found = found(hub, &format!("{name}@0.1.0")).await;
        bills.push((name.to_owned(), hub.registry.sbom(&found).await.unwrap()));
    }
    bills
}

fn component<'b>(bill: &'b Value, name: &str) -> &'b Value {
    let mut components = bill["components"].as_array().unwrap().iter();
    components.find(|component| component["name"] == name).unwrap_or(&Value::Null)
}

#[rstest]
#[tokio::test]
async fn a_bill_lists_the_skill_its_files_and_what_it_asks_for(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let bills = bills(&hub).await;
    let bill: Value = serde_json::from_slice(&bills[1].1).unwrap();
    let found = found(&hub, "@acme/laden@0.1.0").await;
    let skill = &bill["metadata"]["component"];
    assert_eq!(skill["hashes"], json!([{"alg": "SHA-256", "content": found.version.digest.hex()}]));
    assert_eq!((&skill["group"], &skill["licenses"]), (&json!("@acme"), &json!([{"expression": "Apache-2.0"}])));
    let expected = format!("pkg:generic/%40acme/laden@0.1.0?checksum=sha256:{}", found.version.digest.hex());
    assert_eq!(skill["purl"], expected);
    let content = laden();
    for (path, bytes) in content.files() {
        let hash = kontor_types::Digest::of(bytes).hex();
        assert_eq!(component(&bill, path)["hashes"][0]["content"], hash, "{path}");
    }
    let purls: Vec<&str> =
        bill["components"].as_array().unwrap().iter().filter_map(|component| component["purl"].as_str()).collect();
    let expected = [
        "pkg:generic/%40acme/pdf",
        "pkg:npm/%40acme/tool@2.1.0",
        "pkg:npm/react",
        "pkg:pypi/openpyxl",
        "pkg:pypi/pypdf@5.0.0",
        "pkg:pypi/rich@14.0.0",
    ];
    assert_eq!(purls, expected);
    let places: Vec<&Value> =
        component(&bill, "pypdf")["properties"].as_array().unwrap().iter().map(|place| &place["value"]).collect();
    assert_eq!(places, ["list scripts/requirements.txt:1", "list scripts/run.py:2"]);
    assert_eq!(component(&bill, "left pad/ü")["version"], "1.3.0", "no registry has such a name");
    assert_eq!(component(&bill, "rich")["hashes"][0]["alg"], "SHA-256");
    assert_eq!(component(&bill, "pdf")["properties"][0]["value"], "^1.4");
    let foreign: Value = serde_json::from_slice(&bills[2].1).unwrap();
    let skill = &foreign["metadata"]["component"];
    assert_eq!(skill["licenses"], json!([{"license": {"name": "see LICENSE.txt"}}]));
    assert_eq!(skill["externalReferences"][0]["type"], "vcs");
    assert!(skill["externalReferences"][0]["comment"].as_str().unwrap().contains("path x y"), "{skill}");
}

#[rstest]
#[tokio::test]
async fn the_same_version_gives_the_same_bytes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.release(&hub.ada(), Publish::new(handle("acme"), laden())).await.unwrap();
    let found = found(&hub, "@acme/laden@0.1.0").await;
    let first = hub.registry.sbom(&found).await.unwrap();
    hub.pass(3600);
    assert_eq!(hub.elsewhere().sbom(&found).await.unwrap(), first);
}
