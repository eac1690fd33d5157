//! Setting and trying policies.

use kontor_access::policy::{Policy, preset};
use kontor_registry::{DecisionOutcome, ReviewFilter, VersionState};
use kontor_types::{Code, PageSize, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, code, reference};
use crate::samples::{clean, malicious, suspicious};

#[rstest]
#[tokio::test]
async fn a_preview_says_what_setting_a_policy_then_does(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for content in [clean("clean"), suspicious("odd"), malicious("bad")] {
        hub.publish(content).await.unwrap();
    }
    let open = Policy::load("open", preset("open").unwrap()).unwrap();
    let administrator = hub.administrator();
    let preview = hub.registry.preview_policy(&administrator, &open).await.unwrap();
    assert_eq!((preview.versions, preview.changed), (3, 1));
    assert_eq!(preview.kinds, [(DecisionOutcome::Review, DecisionOutcome::Admit, 1)]);
    assert_eq!(preview.changes[0].reference.to_string(), "@acme/odd@0.1.0");
    assert!(hub.registry.version(&Viewer::anonymous(), &reference("@acme/odd")).await.is_err(), "nothing is changed");
    hub.registry.set_policy(&administrator, "open", preset("open").unwrap()).await.unwrap();
    assert_eq!(hub.registry.rejudge().await.unwrap(), 3);
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/odd").await, "0.1.0");
    let bad = hub.registry.version(hub.ada().viewer(), &reference("@acme/bad@0.1.0")).await.unwrap();
    assert_eq!(bad.version.state, VersionState::Held);
    let queue =
        hub.registry.reviews(&administrator, &ReviewFilter::default(), PageSize::default(), None).await.unwrap();
    let waiting: Vec<String> = queue.items.iter().map(|review| review.slug.to_string()).collect();
    assert_eq!(waiting, ["bad"], "what is settled waits for nobody");
    assert_eq!(hub.elsewhere().policy().await.unwrap().name(), "open", "other processes follow");
}

#[rstest]
#[tokio::test]
async fn a_broken_policy_leaves_the_old_one_in_force(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let administrator = hub.administrator();
    let refused = hub.registry.set_policy(&administrator, "own", "permit (principal,").await.unwrap_err();
    assert_eq!(refused.problem().code, Code::InvalidRequest);
    assert!(refused.problem().detail.contains("line 1"), "{}", refused.problem().detail);
    let not_mine =
        preset("balanced").unwrap().replace("{ principal.administrator };", "{ principal.handle == \"admin\" };");
    assert_eq!(code(hub.registry.set_policy(&administrator, "own", &not_mine).await), Code::InvalidRequest);
    assert_eq!(code(hub.registry.set_policy(&hub.ada(), "open", preset("open").unwrap()).await), Code::Forbidden);
    assert_eq!(hub.registry.policy().await.unwrap().name(), "balanced");
}

#[rstest]
#[tokio::test]
async fn an_explanation_names_policies_and_facts(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(suspicious("odd")).await.unwrap();
    let found = hub.registry.version(hub.ada().viewer(), &reference("@acme/odd@0.1.0")).await.unwrap();
    let told = hub.registry.explain(&hub.ada(), &found).await.unwrap();
    assert_eq!((told.policy.as_str(), told.decided.outcome), ("balanced", DecisionOutcome::Review));
    assert_eq!(told.decided.reasons[0].policy, "review-suspicious");
    assert_eq!((told.facts.verdict.as_str(), told.facts.severity, told.facts.complete), ("suspicious", 3, true));
    assert_eq!((told.actor.handle.as_str(), told.decisions.len()), ("ada", 1));
}

#[rstest]
#[tokio::test]
async fn a_policy_that_the_program_cannot_read_keeps_everything_until_another_is_set(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(clean("meter")).await.unwrap();
    let meter = hub.registry.version(&Viewer::anonymous(), &reference("@acme/meter")).await.unwrap();
    let text = "permit (principal, action == Action::\"of another program\", resource);";
    let row = kontor_db::policies::PolicyRow {
        id: kontor_types::PolicyId::new(crate::hub::START),
        name: "own".to_owned(),
        text: text.to_owned(),
        digest: kontor_types::Digest::of(text.as_bytes()),
        set_by: None,
        created_at: crate::hub::START,
    };
    let written = hub.db.write::<(), kontor_db::Error, _>(move |tx| {
        let row = row.clone();
        Box::pin(async move { kontor_db::policies::insert(tx, &row).await })
    });
    written.await.unwrap();
    assert!(hub.registry.may_install(&hub.eve(), &meter).await.is_ok(), "who knew the old one goes on with it");
    let started = hub.elsewhere();
    assert_eq!(code(started.may_install(&hub.eve(), &meter).await), Code::Unavailable);
    hub.registry
        .publish(&hub.ada(), kontor_registry::Publish::new(crate::hub::handle("acme"), clean("next")))
        .await
        .unwrap();
    assert!(started.assess_waiting().await.is_err(), "nothing is decided");
    let told = started.policy().await.unwrap_err().problem().detail;
    assert!(told.contains("of another program"), "{told}");
    hub.pass(1);
    started.set_policy(&hub.administrator(), "balanced", preset("balanced").unwrap()).await.unwrap();
    assert!(started.may_install(&hub.eve(), &meter).await.is_ok());
}

#[rstest]
#[tokio::test]
async fn a_preview_tells_what_could_no_longer_be_installed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for content in [clean("one"), clean("two"), suspicious("odd")] {
        hub.publish(content).await.unwrap();
    }
    let own = "@id(\"known\") forbid (principal, action == Action::\"install\", resource)\n\
        when { principal.handle == \"\" && resource.skill == \"two\" };";
    let own = Policy::load("own", &format!("{}\n{own}", preset("open").unwrap())).unwrap();
    let preview = hub.registry.preview_policy(&hub.administrator(), &own).await.unwrap();
    assert_eq!((preview.changed, preview.installs_lost, preview.installs_won), (1, 1, 1));
}
