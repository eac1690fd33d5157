//! Secrets on their way into runs, and receipts on their way into the log.

use kontor_access::{AuditFilter, Caller};
use kontor_crypto::Zeroizing;
use kontor_dispatch::{Consent, FileWay, Run, RunState, StartRun};
use kontor_testkit::On;
use kontor_translog::{Trust, verify};
use kontor_types::{Handle, PageSize, SkillRef};
use rstest::rstest;

use crate::stage::{Stage, script};

const VALUE: &str = "correct horse battery staple";

fn mia() -> Handle {
    "mia".parse().unwrap()
}

fn version() -> SkillRef {
    "@acme/tools@1.0.0".parse().unwrap()
}

/// Mia with a token that may do everything, where her runs' token may not.
async fn owner(stage: &Stage) -> Caller {
    stage.hub.hub.app.access.in_the_name_of(&mia()).await.unwrap()
}

async fn set(stage: &Stage, value: &str) {
    let secrets = &stage.hub.hub.app.secrets;
    secrets.set(&owner(stage).await, &mia(), "TEST_TOKEN", Zeroizing::new(value.to_owned())).await.unwrap();
}

async fn grant(stage: &Stage) {
    let secrets = &stage.hub.hub.app.secrets;
    secrets.grant(&owner(stage).await, &mia(), "TEST_TOKEN", &version(), None).await.unwrap();
}

fn asking() -> StartRun {
    let names = vec!["TEST_TOKEN".to_owned()];
    let consent = Consent { secrets: names.clone(), ..Consent::default() };
    StartRun { secrets: names, consent, ..script("secret") }
}

async fn start(stage: &Stage) -> Run {
    stage.start(&stage.mia, &asking()).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_run_is_given_what_was_released_to_its_bytes_and_does_not_tell_it(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(stage) = Stage::set(on).await else { return };
    let app = &stage.hub.hub.app;
    set(&stage, VALUE).await;
    let early = stage.start(&stage.mia, &asking()).await.unwrap_err().problem();
    assert_eq!(early.code.as_str(), "secret_refused", "{}", early.detail);
    grant(&stage).await;
    let run = start(&stage).await;
    assert_eq!(run.asked["secrets"], serde_json::json!([{"name": "TEST_TOKEN", "version": 1}]));
    assert!(!run.asked.to_string().contains(VALUE), "what waits holds no value");
    stage.work().await;

    let run = stage.show(run.id).await;
    assert_eq!(run.state, RunState::Finished, "{:?}", run.error);
    let mut told = String::new();
    for way in [FileWay::Said, FileWay::Out] {
        for file in stage.runs().files(&stage.mia, run.id, way).await.unwrap() {
            told.push_str(&String::from_utf8_lossy(&app.blobs.get(&file.digest).await.unwrap()));
        }
    }
    for event in stage.told(run.id, 0).await {
        told.push_str(&event.data.to_string());
    }
    assert!(told.contains("it is [secret TEST_TOKEN]"), "the program had it: {told}");
    for form in [VALUE, "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ", "636f727265637420686f727365"] {
        assert!(!told.contains(form), "{form} in {told}");
    }
    let trail = app.access.audit(&stage.admin, AuditFilter::default(), None, PageSize::clamped(200)).await.unwrap();
    let given = trail.items.iter().find(|event| event.action == "secret.release").unwrap();
    assert_eq!(given.detail["run"], serde_json::json!(run.id));
    assert!(!format!("{trail:?}").contains(VALUE));
}

#[rstest]
#[case::taken_back("revoke", "is not released to this skill")]
#[case::set_anew("set", "was set anew or removed since the run was accepted")]
#[case::removed("remove", "was set anew or removed since the run was accepted")]
#[tokio::test]
async fn what_is_taken_back_meanwhile_is_not_given(#[case] deed: &str, #[case] why: &str) {
    let Some(stage) = Stage::set(On::Sqlite).await else { return };
    let (secrets, owner) = (&stage.hub.hub.app.secrets, owner(&stage).await);
    set(&stage, VALUE).await;
    grant(&stage).await;
    let run = start(&stage).await;
    match deed {
        "revoke" => secrets.revoke(&owner, &mia(), "TEST_TOKEN", run.digest).await.unwrap(),
        "set" => set(&stage, "a newer value").await,
        _ => secrets.remove(&owner, &mia(), "TEST_TOKEN").await.unwrap(),
    }
    stage.work().await;
    let run = stage.show(run.id).await;
    assert_eq!((run.state, run.executions), (RunState::Failed, 0), "its program was never started");
    assert_eq!(run.error_code.as_deref(), Some("secret_refused"));
    assert!(run.error.as_deref().unwrap().contains(why), "{:?}", run.error);
}

#[rstest]
#[tokio::test]
async fn a_receipt_is_in_the_log_and_proven_to_who_may_see_the_run(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let app = &stage.hub.hub.app;
    let runs = [stage.script("hello").await, stage.script("fail").await];
    stage.work().await;
    app.publish_log().await.unwrap();
    let log_keys = app.notary.log_keys(&app.notary.log().histories().await.unwrap());
    let trust = Trust { log_keys, statement_keys: app.notary.receipt_keys(), ..Trust::default() };
    for run in runs {
        let proof = stage.runs().proof(&stage.mia, run).await.unwrap();
        assert!(verify(&proof, &trust).holds(), "{:?}", verify(&proof, &trust));
        let receipt = stage.runs().receipt(&stage.mia, run).await.unwrap();
        assert_eq!(proof.statements[0].statement.as_bytes(), receipt);
        assert!(stage.runs().proof(&stage.sam, run).await.is_err(), "somebody else's run");
    }
    // Whoever may see the version is told of no run of it.
    let found = app.registry.version(stage.admin.viewer(), &version()).await.unwrap();
    let said = app.notary.proof(&found.version.digest, found.version.id).await.unwrap();
    assert!(said.said().iter().flatten().all(|one| one.predicate_type != kontor_runs::RECEIPT_TYPE));
}
