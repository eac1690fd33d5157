//! What runs were seen to do returns to the version, to those who may see it.

use kontor_access::Caller;
use kontor_dispatch::StartRun;
use kontor_registry::observed::Behaved;
use kontor_testkit::On;
use kontor_translog::{ProofFile, Trust, verify};
use kontor_types::Handle;
use rstest::rstest;

use crate::stage::{Stage, script, skill};

/// A name that stands in no file of the skill, and that only who ran it may see.
const PRIVATE: &str = "SECRET_CUSTOMER_KEY";

async fn want(stage: &Stage) {
    let start = StartRun { arguments: vec!["smith".to_owned()], ..script("want") };
    stage.start(&stage.mia, &start).await.unwrap();
    stage.work().await;
}

async fn seen(stage: &Stage, caller: &Caller) -> Behaved {
    let app = &stage.hub.hub.app;
    let found = app.registry.version(caller.viewer(), &skill()).await.unwrap();
    app.registry.behaved(caller.viewer(), &found).await.unwrap()
}

fn listed(behaved: &Behaved) -> Vec<String> {
    behaved.items.iter().map(|one| format!("{} {} {}", one.kind, one.name, one.runs)).collect()
}

/// The proof that this caller is given, and what its statements about observed behaviour say.
async fn said(stage: &Stage, caller: &Caller) -> (ProofFile, Vec<String>) {
    let app = &stage.hub.hub.app;
    app.publish_log().await.unwrap();
    let found = app.registry.version(caller.viewer(), &skill()).await.unwrap();
    let proof = app.registry.proof_for(caller.viewer(), &found).await.unwrap();
    let told = proof.said().into_iter().flatten().filter(|one| one.predicate_type.contains("observed"));
    let told = told.map(|one| one.predicate.to_string()).collect();
    (proof, told)
}

#[rstest]
#[tokio::test]
async fn what_a_run_did_is_told_to_who_may_see_it_and_said_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let app = &stage.hub.hub.app;
    want(&stage).await;
    want(&stage).await;
    want(&stage).await;
    let own = seen(&stage, &stage.mia).await;
    assert_eq!((own.runs, own.declared.network.len()), (3, 1));
    let expected = [
        "ended done 3",
        "started bash scripts/want.sh 3",
        "wanted_variable PROJECT_API_KEY 3",
        "wanted_variable SECRET_CUSTOMER_KEY 3",
        "wrote *.txt 3",
        "wrote report.txt 3",
    ];
    assert_eq!(listed(&own), expected);
    let (proof, told) = said(&stage, &stage.mia).await;
    assert_eq!(told.len(), 2, "said at the first and the second run; the third is only counted");
    assert!(told.iter().all(|one| one.contains(PRIVATE) && !one.contains("mia") && !one.contains("smith")), "{told:?}");
    let log_keys = app.notary.log_keys(&app.notary.log().histories().await.unwrap());
    let trust = Trust { log_keys, statement_keys: app.notary.statement_keys(), ..Trust::default() };
    assert!(verify(&proof, &trust).holds(), "{:?}", verify(&proof, &trust));

    // Somebody else who sees the version is told nothing: not by the hub, the log, nor the file for auditors.
    assert_eq!(listed(&seen(&stage, &stage.sam).await), Vec::<String>::new());
    assert_eq!(said(&stage, &stage.sam).await.1, Vec::<String>::new());
    let found = app.registry.version(stage.sam.viewer(), &skill()).await.unwrap();
    for (caller, tells) in [(&stage.sam, false), (&stage.mia, true)] {
        let file = app.registry.evidence(caller, &found).await.unwrap();
        assert_eq!(file.windows(PRIVATE.len()).any(|window| window == PRIVATE.as_bytes()), tells);
        let trust = Trust { receipt_keys: app.notary.receipt_keys(), ..trust.clone() };
        let checked = kontor_registry::check_evidence(&file, &trust);
        assert!(checked.report.holds(), "{:?}", checked.report);
        let evidence = checked.evidence.unwrap();
        assert_eq!(evidence.runs.len(), if tells { 3 } else { 0 }, "the receipts of runs that the reader may see");
        assert_eq!(checked.stories.iter().filter(|story| story.kind == "run").count(), evidence.runs.len());
        for run in evidence.runs {
            assert_eq!((run.runner["person"].as_str(), run.decision["by"].as_str()), (Some("mia"), Some("hub")));
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_is_shared_has_only_words_of_the_skill_itself(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let app = &stage.hub.hub.app;
    let mia: Handle = "mia".parse().unwrap();
    let owner = app.access.in_the_name_of(&mia).await.unwrap();
    assert!(app.registry.share_behaviour(&stage.sam, &mia, true).await.is_err(), "only who administers it");
    app.registry.share_behaviour(&owner, &mia, true).await.unwrap();
    want(&stage).await;
    let others = seen(&stage, &stage.sam).await;
    let expected = [
        "ended done 1",
        "started bash scripts/want.sh 1",
        "wanted_variable  1",
        "wanted_variable PROJECT_API_KEY 1",
        "wrote *.txt 1",
        "wrote report.txt 1",
    ];
    assert_eq!(listed(&others), expected);
    let (_, told) = said(&stage, &stage.sam).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("PROJECT_API_KEY") && !told[0].contains(PRIVATE), "{told:?}");
    assert!(!told[0].contains("smith") && !told[0].contains("mia"), "{told:?}");
    app.registry.share_behaviour(&owner, &mia, false).await.unwrap();
    assert_eq!(seen(&stage, &stage.sam).await.runs, 0);
}
