//! What becomes of a version by what is found in it.

use kontor_access::Caller;
use kontor_registry::{DecisionOutcome, Publish, Registry, Verdict, VersionState};
use kontor_types::{Code, TagName, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, handle, reference};
use crate::samples::{clean, incomplete, malicious, suspicious};

/// Whether everybody opens, finds and gets the version.
async fn is_seen(hub: &Hub, name: &str) -> [bool; 3] {
    hub.index().await;
    let anonymous = Viewer::anonymous();
    let opened = hub.registry.version(&anonymous, &reference(name)).await.is_ok();
    let found = hub.found_by_index(reference(name).slug.as_str(), &anonymous) > 0;
    let plan = hub.registry.resolve(&Caller::anonymous().viewer, &[reference(name)], &[]).await;
    [opened, found, plan.is_ok()]
}

#[rstest]
#[tokio::test]
async fn a_version_is_there_for_nobody_but_its_maintainers_before_it_is_decided(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = Hub::new(on).await else { return };
    let stable: TagName = "stable".parse().unwrap();
    let publish = Publish { tags: vec![stable.clone()], ..Publish::new(handle("acme"), clean("meter")) };
    let published = hub.registry.publish(&hub.ada(), publish).await.unwrap();
    assert_eq!(published.state, VersionState::Pending);
    assert_eq!(is_seen(&hub, "@acme/meter").await, [false; 3]);
    let own = hub.registry.version(hub.ada().viewer(), &reference("@acme/meter@0.1.0")).await.unwrap();
    assert_eq!(own.version.state, VersionState::Pending);
    assert!(hub.registry.require_admitted(&own).is_err(), "nor do they install it");
    let plan = hub.registry.resolve(hub.ada().viewer(), &[reference("@acme/meter@0.1.0")], &[]).await;
    assert!(plan.is_err());
    assert!(hub.registry.tags(hub.ada().viewer(), own.skill.id).await.unwrap().is_empty(), "tags wait too");
    assert_eq!(hub.decide().await, 1);
    assert_eq!(is_seen(&hub, "@acme/meter").await, [true; 3]);
    let tagged = hub.registry.version(&Viewer::anonymous(), &reference("@acme/meter@stable")).await.unwrap();
    assert_eq!(tagged.version.id, published.version_id);
    assert_eq!(hub.decide().await, 0);
}

#[rstest]
#[case::clean(clean("tool"), VersionState::Visible, DecisionOutcome::Admit, Verdict::Clean)]
#[case::suspicious(suspicious("tool"), VersionState::Held, DecisionOutcome::Review, Verdict::Suspicious)]
#[case::incomplete(incomplete("tool"), VersionState::Held, DecisionOutcome::Review, Verdict::Incomplete)]
#[case::malicious(malicious("tool"), VersionState::Held, DecisionOutcome::Quarantine, Verdict::Malicious)]
#[tokio::test]
async fn the_policy_decides_by_what_was_found(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] content: kontor_package::Content,
    #[case] state: VersionState,
    #[case] outcome: DecisionOutcome,
    #[case] verdict: Verdict,
) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(content).await.unwrap();
    assert_eq!(is_seen(&hub, "@acme/tool").await, [state == VersionState::Visible; 3]);
    let own = hub.registry.version(hub.ada().viewer(), &reference("@acme/tool@0.1.0")).await.unwrap();
    let told = hub.registry.assessment(&own.version).await.unwrap();
    let decision = told.decision.unwrap();
    assert_eq!((own.version.state, decision.outcome, told.scan.unwrap().verdict), (state, outcome, verdict));
    let reasons = decision.reasons.as_array().unwrap();
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| reason["text"].is_string()), "{reasons:?}");
    assert_eq!(decision.facts["verdict"], verdict.as_str());
    let report = told.report.unwrap();
    if verdict == Verdict::Suspicious || verdict == Verdict::Malicious {
        let finding = report.findings.first().unwrap();
        assert_eq!((finding.file.as_str(), finding.line), ("SKILL.md", 5));
    }
    let waiting = hub.registry.waiting(&hub.administrator()).await.unwrap();
    assert_eq!((waiting.pending, waiting.failed.len()), (0, 0));
}

#[rstest]
#[tokio::test]
async fn an_admitted_version_stays_while_the_next_one_is_held(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(clean("tool")).await.unwrap();
    hub.publish(suspicious("tool")).await.unwrap();
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/tool").await, "0.1.0");
    let hidden = hub.registry.version(&Viewer::anonymous(), &reference("@acme/tool@0.1.1")).await.unwrap_err();
    assert_eq!(hidden.problem().code, Code::VersionNotFound);
    hub.publish(clean("tool-2")).await.unwrap();
    assert_eq!(is_seen(&hub, "@acme/tool-2").await, [true; 3]);
}

#[rstest]
#[tokio::test]
async fn many_versions_are_decided_in_batches_and_equal_content_is_scanned_once(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = Hub::new(on).await else { return };
    for number in 0..60 {
        let content = crate::hub::skill(&format!("skill-{number}"), "Read the meter.");
        hub.registry.publish(&hub.ada(), Publish::new(handle("acme"), content)).await.unwrap();
    }
    let copy = crate::hub::skill("skill-7", "Read the meter.");
    hub.registry.publish(&hub.eve(), Publish::new(handle("other"), copy)).await.unwrap();
    let registry: &Registry = &hub.registry;
    assert_eq!(registry.assess_waiting().await.unwrap(), 61);
    assert_eq!(registry.waiting(&hub.administrator()).await.unwrap().pending, 0);
    assert_eq!(hub.latest(&Viewer::anonymous(), "@other/skill-7").await, "0.1.0");
}
