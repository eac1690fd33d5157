//! Everything that is done to a version is an entry of the log, in the transaction of the deed.

use kontor_crypto::{Envelope, Statement};
use kontor_db::log_entries;
use kontor_package::{Content, Limits};
use kontor_registry::{Examiner, NoteKind, ReviewFilter};
use kontor_scan::Scanner;
use kontor_types::{Digest, PageSize, Viewer, Visibility};
use rstest::rstest;
use serde_json::{Value, json};

use crate::hub::{Hub, On, handle, reference};
use crate::samples::{clean, suspicious};

/// What the log says of a version, oldest first: the last word of each statement's type, and what it says.
async fn said(hub: &Hub, name: &str) -> Vec<(String, Value)> {
    let found = hub.registry.version(&Viewer::hub(), &reference(name)).await.unwrap();
    let mut conn = hub.db.read().await.unwrap();
    let (digest, version) = (found.version.digest, found.version.id);
    let entries = log_entries::about_version(&mut conn, &digest, version, 100).await.unwrap();
    let read = entries.iter().map(|entry| {
        let payload = Envelope::parse(&entry.statement).unwrap().payload().unwrap();
        let statement = Statement::parse(&payload).unwrap();
        assert!(statement.is_about(&digest));
        let kind = statement.predicate_type.trim_end_matches("/v1").trim_end_matches(":v1");
        (kind.rsplit(['/', ':']).next().unwrap().to_owned(), statement.predicate)
    });
    read.collect()
}

fn kinds(said: &[(String, Value)]) -> Vec<&str> {
    said.iter().map(|(kind, _)| kind.as_str()).collect()
}

#[rstest]
#[tokio::test]
async fn every_deed_about_a_whole_skill_is_said_of_each_of_its_versions(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(clean("pdf")).await.unwrap();
    hub.publish(suspicious("pdf")).await.unwrap();
    let (registry, ada, pdf) = (&hub.registry, hub.ada(), reference("@acme/pdf"));
    registry.set_visibility(&ada, &pdf, Visibility::Private).await.unwrap();
    registry.set_visibility(&ada, &pdf, Visibility::Private).await.unwrap();
    registry.hide(&ada, &pdf, "a look at it").await.unwrap();
    registry.unhide(&ada, &pdf).await.unwrap();
    registry.deprecate(&ada, &pdf, "old", None).await.unwrap();
    registry.deprecate(&ada, &pdf, "old", None).await.unwrap();
    registry.undeprecate(&ada, &pdf).await.unwrap();
    registry.delete(&ada, &pdf, "a mistake").await.unwrap();
    registry.undelete(&ada, &pdf).await.unwrap();
    registry.rename(&ada, &pdf, &"papers".parse().unwrap()).await.unwrap();
    let papers = reference("@acme/papers");
    let refused = registry.transfer(&ada, &papers, &handle("other"), "").await.unwrap();
    registry.reject_transfer(&hub.eve(), refused.id).await.unwrap();
    let offer = registry.transfer(&ada, &papers, &handle("other"), "").await.unwrap();
    registry.accept_transfer(&hub.eve(), offer.id).await.unwrap();
    for name in ["@other/papers@0.1.0", "@other/papers@0.1.1"] {
        let said = said(&hub, name).await;
        assert_eq!(kinds(&said)[..3], ["provenance", "scan", "decision"], "{name}");
        let deeds: Vec<String> = said[3..]
            .iter()
            .map(|(kind, deed)| format!("{kind} {} @{}", deed["action"], deed["by"]).replace('"', ""))
            .collect();
        let expected = [
            "skill visibility @ada",
            "skill hide @ada",
            "skill restore @ada",
            "skill deprecate @ada",
            "skill undeprecate @ada",
            "skill delete @ada",
            "skill undelete @ada",
            "skill rename @ada",
            "skill transfer @eve",
        ];
        assert_eq!(deeds, expected, "{name}");
        assert_eq!(said[3].1["detail"], json!({"visibility": "private"}));
        assert_eq!(said[10].1["detail"], json!({"to": "@acme/papers"}));
        assert_eq!(said[11].1["detail"], json!({"from": "acme", "to": "other"}));
    }
}

#[rstest]
#[tokio::test]
async fn a_merge_and_a_transfer_at_once_are_said_too(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(clean("pdf")).await.unwrap();
    hub.publish(clean("doc")).await.unwrap();
    let found = hub.registry.version(&Viewer::hub(), &reference("@acme/doc@0.1.0")).await.unwrap();
    hub.registry.transfer(&hub.administrator(), &reference("@acme/pdf"), &handle("other"), "").await.unwrap();
    let said = said(&hub, "@other/pdf@0.1.0").await;
    assert_eq!(said[3].1["detail"], json!({"from": "acme", "to": "other"}));
    hub.publish(clean("docs")).await.unwrap();
    hub.registry.merge(&hub.ada(), &reference("@acme/doc"), &reference("@acme/docs")).await.unwrap();
    let mut conn = hub.db.read().await.unwrap();
    let (digest, version) = (found.version.digest, found.version.id);
    let last = log_entries::newest_of_kind(&mut conn, &digest, version, "skill").await.unwrap().unwrap();
    let text = String::from_utf8(Envelope::parse(&last.statement).unwrap().payload().unwrap()).unwrap();
    assert!(text.contains("\"merge\"") && text.contains("@acme/docs"), "{text}");
}

#[rstest]
#[tokio::test]
async fn who_decided_in_a_review_is_said_and_the_words_only_as_a_digest(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(suspicious("odd")).await.unwrap();
    let (registry, administrator, name) = (&hub.registry, hub.administrator(), reference("@acme/odd@0.1.0"));
    let filter = ReviewFilter { state: None, of: Some(name.clone()) };
    let id = registry.reviews(&administrator, &filter, PageSize::default(), None).await.unwrap().items[0].id;
    registry.act_on_review(&administrator, id, NoteKind::Claim, "").await.unwrap();
    registry.act_on_review(&administrator, id, NoteKind::Comment, "what is helper.zip?").await.unwrap();
    registry.act_on_review(&administrator, id, NoteKind::Changes, "ship the script").await.unwrap();
    hub.pass(1);
    registry.appeal(&hub.ada(), &name, "it is our own server").await.unwrap();
    hub.pass(1);
    let notes = registry.act_on_review(&administrator, id, NoteKind::Approve, "known to us").await.unwrap().notes;
    let said = said(&hub, "@acme/odd@0.1.0").await;
    let expected = ["provenance", "scan", "decision", "review", "review", "decision", "review", "decision"];
    assert_eq!(kinds(&said), expected);
    let reviews: Vec<&Value> = said.iter().filter(|(kind, _)| kind == "review").map(|(_, review)| review).collect();
    let decided: Vec<String> =
        reviews.iter().map(|one| format!("{} {}", one["by"], one["decision"]).replace('"', "")).collect();
    assert_eq!(decided, ["eve changes", "ada appeal", "eve approve"]);
    assert_eq!((&reviews[1]["administrator"], &reviews[2]["administrator"]), (&json!(false), &json!(true)));
    let last = notes.last().unwrap();
    let digest = Digest::of(format!("{}\nknown to us", last.id).as_bytes());
    assert_eq!(reviews[2]["comment"], json!(digest));
    let all = format!("{said:?}");
    assert!(!all.contains("known to us") && !all.contains("our own server"), "{all}");
    assert_eq!(said[2].1["facts"]["review"], "none");
    assert_eq!(said[7].1["facts"]["review"], "approved");
}

/// The scanner under a name of other rules.
fn other_rules(name: &str) -> Examiner {
    let scanner = Scanner::new().unwrap();
    let rules = Digest::of(name.as_bytes());
    Examiner::new(rules, Limits::default(), move |path: &str, content: &Content| {
        let mut report = scanner.scan_content(path, content);
        report.rules = rules.hex();
        report
    })
}

#[rstest]
#[tokio::test]
async fn a_scan_by_other_rules_is_said_once_also_when_the_decision_stays(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(clean("pdf")).await.unwrap();
    let other = hub.elsewhere().with_examiner(other_rules("other"));
    assert_eq!(other.rejudge().await.unwrap(), 1);
    assert_eq!(other.rejudge().await.unwrap(), 0);
    let name = "@acme/pdf@0.1.0";
    let after = said(&hub, name).await;
    assert_eq!(kinds(&after), ["provenance", "scan", "decision", "scan"]);
    assert_eq!(after[3].1["rules"], json!(Digest::of(b"other")));
    assert_ne!(after[1].1["rules"], after[3].1["rules"]);
    let open = kontor_access::policy::preset("open").unwrap();
    other.set_policy(&hub.administrator(), "open", open).await.unwrap();
    other.rejudge().await.unwrap();
    assert_eq!(said(&hub, name).await.len(), 4, "another policy with the same outcome is no other scan");
}

#[rstest]
#[tokio::test]
async fn a_scan_of_the_same_bytes_elsewhere_is_not_betrayed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let content = suspicious("odd");
    let mut secret = kontor_registry::Publish::new(handle("other"), content.clone());
    secret.slug = Some("undercover".parse().unwrap());
    hub.release(&hub.eve(), secret).await.unwrap();
    hub.publish(content).await.unwrap();
    let all = format!("{:?}", said(&hub, "@acme/odd@0.1.0").await);
    assert!(all.contains("fake-prerequisite") && !all.contains("undercover"), "{all}");
}
