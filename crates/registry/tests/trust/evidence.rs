//! One file for an auditor, made by the hub and checked without it.

use std::collections::BTreeMap;

use kontor_crypto::{Envelope, Keyring, PrivateFolder, Purpose};
use kontor_package::{Content, Limits, pack};
use kontor_registry::{NoteKind, ReviewFilter, check_evidence};
use kontor_translog::{Sequencer, Signer, Trust};
use kontor_types::{Outcome, PageSize, Viewer};
use rstest::rstest;
use serde_json::{Value, json};

use crate::hub::{Hub, On, files, handle, reference};
use crate::samples::suspicious;

const NAME: &str = "@acme/odd@0.1.0";

/// A version that was held, talked about, approved, and withdrawn.
async fn told(hub: &Hub) {
    hub.publish(suspicious("odd")).await.unwrap();
    let (registry, administrator) = (&hub.registry, hub.administrator());
    let filter = ReviewFilter { state: None, of: Some(reference(NAME)) };
    let id = registry.reviews(&administrator, &filter, PageSize::default(), None).await.unwrap().items[0].id;
    registry.act_on_review(&administrator, id, NoteKind::Comment, "what is <helper.zip>?").await.unwrap();
    hub.pass(1);
    registry.act_on_review(&administrator, id, NoteKind::Approve, "known to us\u{0}\u{1b}[2J").await.unwrap();
    registry.yank(&hub.ada(), &reference(NAME), "too old").await.unwrap();
}

/// Brings everything that was handed in into the published log.
async fn publish_log(hub: &Hub) {
    let log = hub.registry.log().log();
    log.begin("hub.example/log").await.unwrap();
    let tiles = log.tiles(1);
    let folder = tiles.folder().parent().and_then(std::path::Path::parent).unwrap().join("keys");
    let signing = Keyring::open(&folder).unwrap().signing_key(Purpose::Log).unwrap();
    let signer = Signer::new(PrivateFolder::open(&folder).unwrap(), "hub.example/log", signing).unwrap();
    let mut sequencer = Sequencer::new(log.clone(), signer, Vec::new()).await.unwrap();
    while sequencer.round().await.unwrap().is_some() {}
}

async fn file(hub: &Hub, caller: &kontor_access::Caller) -> Vec<u8> {
    publish_log(hub).await;
    let found = hub.registry.version(caller.viewer(), &reference(NAME)).await.unwrap();
    hub.registry.evidence(caller, &found).await.unwrap()
}

fn parts(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let content = Content::from_canonical(bytes, &Limits::CEILING).unwrap();
    content.files().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect()
}

fn packed(parts: BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    pack(&Content::from_files(parts, &Limits::CEILING).unwrap()).bytes
}

fn failed(bytes: &[u8], trust: &Trust) -> Vec<&'static str> {
    let report = check_evidence(bytes, trust).report;
    report.with(Outcome::Failed).map(|check| check.name).collect()
}

#[rstest]
#[tokio::test]
async fn an_auditor_gets_everything_in_one_file_that_holds_without_the_hub(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    told(&hub).await;
    let bytes = file(&hub, &hub.administrator()).await;
    assert_eq!(file(&hub, &hub.administrator()).await, bytes, "equal evidence at one time gives equal bytes");
    let checked = check_evidence(&bytes, &Trust::default());
    assert!(checked.report.holds(), "{:#?}", checked.report.with(Outcome::Failed).collect::<Vec<_>>());
    for name in [
        "archive",
        "facts_subject",
        "files",
        "origin",
        "name",
        "scan",
        "decisions",
        "policy",
        "review",
        "withdrawal",
        "sbom",
        "keys",
        "page",
        "inclusion",
        "signature",
    ] {
        assert!(checked.report.with(Outcome::Passed).any(|check| check.name == name), "{name}");
    }
    let unchecked: Vec<_> = checked.report.with(Outcome::NotChecked).map(|check| check.name).collect();
    for name in
        ["log_key", "later_statements", "witnesses", "people", "scanner", "records", "review_notes", "sbom_packages"]
    {
        assert!(unchecked.contains(&name), "{name}: {unchecked:?}");
    }
    let kinds: Vec<&str> = checked.stories.iter().map(|story| story.kind.as_str()).collect();
    assert_eq!(kinds, ["provenance", "scan", "decision", "review", "decision", "yank"]);
    let parts = parts(&bytes);
    assert_eq!(
        parts.keys().map(String::as_str).collect::<Vec<_>>(),
        ["README.md", "archive.zip", "evidence.json", "policy.cedar", "proof.json", "sbom.cdx.json"]
    );
    let page = String::from_utf8(parts["README.md"].clone()).unwrap();
    for words in [
        "Evidence about @acme/odd@0.1.0",
        "@eve, as an administrator of the hub, approved it",
        "known to us",
        "what is \\<helper.zip\\>?",
        "too old",
        "prose.fake-prerequisite",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let facts = String::from_utf8(parts["evidence.json"].clone()).unwrap();
    assert!(facts.contains("known to us") && facts.contains("\"excerpt\""), "{facts}");
}

#[rstest]
#[tokio::test]
async fn nobody_is_told_more_than_they_may_see(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let mut secret = kontor_registry::Publish::new(handle("other"), suspicious("odd"));
    secret.slug = Some("undercover".parse().unwrap());
    secret.visibility = Some(kontor_types::Visibility::Private);
    hub.release(&hub.eve(), secret).await.unwrap();
    told(&hub).await;
    let anybody = kontor_access::Caller::anonymous();
    let bytes = file(&hub, &anybody).await;
    let checked = check_evidence(&bytes, &Trust::default());
    assert!(checked.report.holds(), "{:#?}", checked.report.with(Outcome::Failed).collect::<Vec<_>>());
    let parts = parts(&bytes);
    assert!(!parts.contains_key("policy.cedar"));
    let all: String = parts.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    for word in ["known to us", "helper.zip>", "undercover"] {
        assert!(!all.contains(word), "{word}");
    }
    assert_eq!(checked.report.with(Outcome::NotChecked).filter(|check| check.name == "withheld").count(), 2);
    let maintainer = file(&hub, &hub.ada()).await;
    let facts = String::from_utf8(self::parts(&maintainer)["evidence.json"].clone()).unwrap();
    assert!(facts.contains("known to us") && !facts.contains("undercover"), "{facts}");
}

/// Changes one part of the file as JSON.
fn json(part: &str, change: impl Fn(&mut Value)) -> impl Fn(&mut BTreeMap<String, Vec<u8>>) {
    let part = part.to_owned();
    move |parts| {
        let mut value: Value = serde_json::from_slice(&parts[&part]).unwrap();
        change(&mut value);
        let mut text = serde_json::to_vec_pretty(&value).unwrap();
        text.push(b'\n');
        parts.insert(part.clone(), text);
    }
}

/// Changes what a signed statement says, without the key.
fn forge(parts: &mut BTreeMap<String, Vec<u8>>, from: &str, to: &str) {
    json("proof.json", |proof| {
        for one in proof["statements"].as_array_mut().unwrap() {
            let mut envelope = Envelope::parse(one["statement"].as_str().unwrap().as_bytes()).unwrap();
            let payload = String::from_utf8(envelope.payload().unwrap()).unwrap();
            envelope.payload = base64(payload.replace(from, to).as_bytes());
            one["statement"] = json!(String::from_utf8(envelope.to_json()).unwrap());
        }
    })(parts);
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

type Tampering = Box<dyn Fn(&mut BTreeMap<String, Vec<u8>>)>;

fn tamperings() -> Vec<(&'static str, &'static str, Tampering)> {
    let facts = |change: fn(&mut Value)| -> Tampering { Box::new(json("evidence.json", change)) };
    vec![
        (
            "other bytes",
            "subject",
            Box::new(|parts| {
                parts.insert("archive.zip".to_owned(), pack(&files(&[("SKILL.md", "---\nname: x\n---\n")])).bytes);
            }),
        ),
        (
            "a byte of the archive",
            "archive",
            Box::new(|parts| {
                let archive = parts.get_mut("archive.zip").unwrap();
                let last = archive.len() - 1;
                archive[last] ^= 1;
            }),
        ),
        (
            "an archive with something behind",
            "archive",
            Box::new(|parts| parts.get_mut("archive.zip").unwrap().push(0)),
        ),
        (
            "a part is missing",
            "file",
            Box::new(|parts| {
                parts.remove("proof.json");
            }),
        ),
        (
            "a part too many",
            "file",
            Box::new(|parts| {
                parts.insert("notes.txt".to_owned(), b"trust me".to_vec());
            }),
        ),
        (
            "the page",
            "page",
            Box::new(|parts| {
                let page = String::from_utf8(parts["README.md"].clone()).unwrap().replace("suspicious", "clean");
                parts.insert("README.md".to_owned(), page.into_bytes());
            }),
        ),
        (
            "another policy",
            "policy",
            Box::new(|parts| {
                parts.insert("policy.cedar".to_owned(), b"permit (principal, action, resource);".to_vec());
            }),
        ),
        ("a finding is taken out", "scan", facts(|facts| facts["scan"]["report"]["findings"] = json!([]))),
        ("the verdict", "scan", facts(|facts| facts["scan"]["report"]["verdict"] = json!("clean"))),
        ("other rules", "scan", facts(|facts| facts["scan"]["rules"] = facts["version"]["digest"].clone())),
        ("an outcome", "decisions", facts(|facts| facts["decisions"][0]["outcome"] = json!("admit"))),
        ("a reason", "decisions", facts(|facts| facts["decisions"][0]["reasons"] = json!([]))),
        ("a fact", "decisions", facts(|facts| facts["decisions"][0]["facts"]["verdict"] = json!("clean"))),
        (
            "a decision is left out",
            "decisions",
            facts(|facts| {
                facts["decisions"].as_array_mut().unwrap().remove(0);
            }),
        ),
        ("a policy's text in the facts", "policy", facts(|facts| facts["policies"][0]["text"] = json!("permit();"))),
        ("a reviewer's words", "review", facts(|facts| facts["review"]["notes"][1]["text"] = json!("no idea"))),
        ("a reviewer", "review", facts(|facts| facts["review"]["notes"][1]["by"] = json!("ada"))),
        (
            "a reviewer too many",
            "review",
            facts(|facts| {
                let note = facts["review"]["notes"][1].clone();
                facts["review"]["notes"].as_array_mut().unwrap().push(note);
            }),
        ),
        (
            "no withdrawal",
            "withdrawal",
            facts(|facts| {
                facts["version"].as_object_mut().unwrap().remove("yanked_at");
            }),
        ),
        ("an origin", "origin", facts(|facts| facts["version"]["origin"] = json!({"url": "https://example.org/real"}))),
        ("another name", "name", facts(|facts| facts["version"]["ref"] = json!("@other/odd@0.1.0"))),
        ("another digest", "facts_subject", facts(|facts| facts["version"]["digest"] = facts["scan"]["rules"].clone())),
        ("a file's digest", "files", facts(|facts| facts["files"][0]["digest"] = facts["scan"]["rules"].clone())),
        (
            "a file too many",
            "files",
            facts(|facts| {
                let file = facts["files"][0].clone();
                facts["files"].as_array_mut().unwrap().push(file);
            }),
        ),
        ("the keys' history", "keys", facts(|facts| facts["keys"] = json!([]))),
        ("the facts' format", "facts", facts(|facts| facts["format"] = json!("kontor-evidence/v9"))),
        (
            "facts that are none",
            "facts",
            Box::new(|parts| {
                parts.insert("evidence.json".to_owned(), b"[".repeat(100_000));
            }),
        ),
        (
            "the bill's subject",
            "sbom",
            Box::new(json("sbom.cdx.json", |bill| {
                bill["metadata"]["component"]["hashes"][0]["content"] = json!("00");
            })),
        ),
        ("the bill's files", "sbom", Box::new(json("sbom.cdx.json", |bill| bill["components"] = json!([])))),
        ("a statement's verdict", "signature", Box::new(|parts| forge(parts, "suspicious", "clean"))),
        (
            "a salt",
            "inclusion",
            Box::new(json("proof.json", |proof| {
                proof["statements"][0]["salt"] = proof["statements"][1]["salt"].clone();
            })),
        ),
        (
            "a place in the log",
            "inclusion",
            Box::new(json("proof.json", |proof| {
                let text = proof["statements"][0]["proof"].as_str().unwrap().replacen("index 0", "index 1", 1);
                proof["statements"][0]["proof"] = json!(text);
            })),
        ),
        (
            "a checkpoint",
            "checkpoint",
            Box::new(json("proof.json", |proof| {
                let text = proof["statements"][0]["proof"].as_str().unwrap().replacen("\n6\n", "\n7\n", 1);
                proof["statements"][0]["proof"] = json!(text);
            })),
        ),
        (
            "a statement is left out",
            "withdrawal",
            Box::new(json("proof.json", |proof| {
                proof["statements"].as_array_mut().unwrap().pop();
            })),
        ),
        (
            "proofs that are none",
            "proof",
            Box::new(|parts| {
                parts.insert("proof.json".to_owned(), b"{}".to_vec());
            }),
        ),
    ]
}

#[tokio::test]
async fn what_was_tampered_with_is_refused_at_the_right_place() {
    let hub = Hub::new(On::Sqlite).await.unwrap();
    told(&hub).await;
    let bytes = file(&hub, &hub.administrator()).await;
    let whole = parts(&bytes);
    assert_eq!(failed(&packed(whole.clone()), &Trust::default()), Vec::<&str>::new());
    for (what, check, tamper) in tamperings() {
        let mut parts = whole.clone();
        tamper(&mut parts);
        assert_ne!(parts, whole, "{what}: nothing is changed");
        let failed = failed(&packed(parts), &Trust::default());
        assert!(failed.contains(&check), "{what}: {check} is not among {failed:?}");
    }
    for at in [0, 10, bytes.len() / 2, bytes.len() - 5] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x40;
        assert!(!check_evidence(&flipped, &Trust::default()).report.holds(), "byte {at}");
        assert!(!check_evidence(&bytes[..at], &Trust::default()).report.holds(), "cut at {at}");
    }
    let digest = kontor_types::Digest::of(b"other");
    let trust = Trust { digest: Some(digest), ..Trust::default() };
    assert!(failed(&bytes, &trust).contains(&"bytes_at_hand"));
}

#[tokio::test]
async fn the_keys_of_another_hub_do_not_vouch_for_it() {
    let (hub, other) = (Hub::new(On::Sqlite).await.unwrap(), Hub::new(On::Sqlite).await.unwrap());
    told(&hub).await;
    let bytes = file(&hub, &hub.administrator()).await;
    let keys = |hub: &Hub| hub.registry.log().statement_keys();
    let known = Trust { statement_keys: keys(&hub), ..Trust::default() };
    assert_eq!(failed(&bytes, &known), Vec::<&str>::new());
    let foreign = Trust { statement_keys: keys(&other), ..Trust::default() };
    assert!(failed(&bytes, &foreign).contains(&"signature"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_the_check(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        proptest::prop_assert!(!check_evidence(&bytes, &Trust::default()).report.holds());
    }
}

#[rstest]
#[tokio::test]
async fn what_happened_before_the_log_is_said_once_and_marked(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for number in 0..60 {
        let content =
            files(&[("SKILL.md", &format!("---\nname: s{number}\ndescription: Does {number}.\n---\nText.\n"))]);
        hub.publish(content).await.unwrap();
    }
    told(&hub).await;
    let forget = hub.db.write(|tx| Box::pin(async move { kontor_db::testing::forget_log(tx).await }));
    forget.await.unwrap();
    let registry = &hub.registry;
    hub.pass(3600);
    // 60 versions with three statements each, and one with a review and a withdrawal more.
    assert_eq!(registry.backfill_log().await.unwrap(), 60 * 3 + 5);
    assert_eq!(registry.backfill_log().await.unwrap(), 0);
    assert_eq!(hub.elsewhere().backfill_log().await.unwrap(), 0);
    let bytes = file(&hub, &hub.administrator()).await;
    let checked = check_evidence(&bytes, &Trust::default());
    assert!(checked.report.holds(), "{:#?}", checked.report.with(Outcome::Failed).collect::<Vec<_>>());
    assert!(checked.stories.iter().all(|story| story.backfilled), "{:#?}", checked.stories);
    let found = registry.version(&Viewer::hub(), &reference(NAME)).await.unwrap();
    let at = &checked.stories[0].at;
    assert_eq!(
        at.as_deref(),
        Some(found.version.created_at.to_string().as_str()),
        "when it happened, not when it was said"
    );
}
