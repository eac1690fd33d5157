use kontor_access::Caller;
use kontor_crypto::Purpose;
use kontor_dispatch::{Error, FileWay, GivenFile, Named, RunState, StartRun};
use kontor_runs::Receipt;
use kontor_testkit::On;
use kontor_types::{PageSize, RunId};
use rstest::rstest;

use crate::stage::{Stage, script};

#[rstest]
#[tokio::test]
async fn a_script_is_run_and_leaves_files_a_log_and_a_receipt(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let file = GivenFile { name: "given.txt".to_owned(), bytes: "words".into() };
    let order = StartRun { arguments: vec!["you".to_owned()], files: vec![file], ..script("hello") };
    let accepted = stage.start(&stage.mia, &order).await.unwrap();
    assert_eq!((accepted.state, accepted.skill.as_str()), (RunState::Queued, "@acme/tools@1.0.0"));
    stage.work().await;

    let run = stage.show(accepted.id).await;
    assert_eq!((run.state, run.attempt, run.executions), (RunState::Finished, 1, 1), "{:?}", run.error);
    assert_eq!(stage.states(run.id).await, ["queued", "preparing", "running", "finished"]);
    let said: Vec<_> = stage.told(run.id, 3).await.into_iter().map(|event| event.data["text"].clone()).collect();
    assert_eq!(said[0], "hello you\n", "{said:?}");
    let left = stage.runs().files(&stage.mia, run.id, FileWay::Out).await.unwrap();
    assert_eq!(left.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["left.txt"]);
    let blobs = &stage.hub.hub.app.blobs;
    assert_eq!(blobs.get(&left[0].digest).await.unwrap(), "words");
    let stderr = stage.runs().file(&stage.mia, run.id, FileWay::Said, "stderr").await.unwrap();
    assert_eq!(blobs.get(&stderr.digest).await.unwrap(), "aside\n");

    let receipt = stage.runs().receipt(&stage.mia, run.id).await.unwrap();
    let (receipt, envelope) = Receipt::read(&receipt).unwrap();
    let keys = stage.hub.hub.app.notary.keys().trusted(Purpose::Receipt);
    Receipt::signer(&envelope, &keys).unwrap();
    assert_eq!((receipt.run, receipt.attempt, receipt.skill.digest), (run.id, Some(1), run.digest));
    assert_eq!((receipt.runner.person.as_deref(), receipt.exit.outcome.as_str()), (Some("mia"), "done"));
    assert_eq!((receipt.decision.by.as_str(), receipt.decision.consent.as_str()), ("hub", "declared"));
    let salts: kontor_runs::Salts = serde_json::from_value(run.salts.unwrap()).unwrap();
    let sealed = receipt.outputs.iter().find(|one| one.name == "left.txt").unwrap();
    assert_eq!(salts.opens("out", sealed, &left[0].digest), Some(true));
}

#[rstest]
#[tokio::test]
async fn a_tool_is_held_to_its_schemas(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let tool = |input: &str| StartRun { input: Some(input.to_owned().into()), ..StartRun::default() };
    let run = stage.start(&stage.mia, &tool("{\"n\": 2}")).await.unwrap();
    assert_eq!(run.entry, "double");
    stage.work().await;
    let run = stage.show(run.id).await;
    assert_eq!((run.state, &run.result.unwrap()["answer"]["twice"]), (RunState::Finished, &4.into()));
    for wrong in ["{}", "no json", ""] {
        let refused = stage.start(&stage.mia, &tool(wrong)).await.unwrap_err();
        assert_eq!(refused.problem().code.as_str(), "invalid_request", "{wrong}: {refused}");
    }
    let unknown = StartRun { entry: Named::Tool("triple".to_owned()), ..StartRun::default() };
    assert!(stage.start(&stage.mia, &unknown).await.unwrap_err().to_string().contains("`double`"));
}

#[rstest]
#[tokio::test]
async fn a_program_that_fails_has_a_receipt_too(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("fail").await;
    stage.work().await;
    let run = stage.show(id).await;
    assert_eq!((run.state, run.error_code.as_deref()), (RunState::Failed, Some("failed")));
    assert_eq!(run.error.as_deref(), Some("its program ended with code 3"));
    assert!(run.receipt.is_some());
    let missing = stage.start(&stage.mia, &script("absent")).await.unwrap_err();
    assert!(missing.to_string().contains("scripts/hello.sh"), "{missing}");
}

#[rstest]
#[tokio::test]
async fn a_run_is_seen_by_its_owner_the_publishers_admins_and_administrators(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("hello").await;
    let (runs, size) = (stage.runs(), PageSize::default());
    let listed = async |caller: &Caller| {
        let page = runs.list(caller, None, None, size, None).await.unwrap();
        page.items.into_iter().map(|run| run.id).collect::<Vec<RunId>>()
    };
    for caller in [&stage.mia, &stage.admin] {
        assert_eq!(runs.show(caller, id).await.unwrap().id, id);
        assert_eq!(listed(caller).await, [id]);
    }
    assert!(listed(&stage.sam).await.is_empty());
    for caller in [&stage.sam, &Caller::anonymous()] {
        assert!(matches!(runs.show(caller, id).await, Err(Error::NotFound)));
        assert!(matches!(runs.cancel(caller, id).await, Err(Error::NotFound)));
        assert!(matches!(runs.retry(caller, id).await, Err(Error::Access(_) | Error::NotFound)));
        assert!(matches!(runs.receipt(caller, id).await, Err(Error::NotFound)));
        assert!(matches!(runs.files(caller, id, FileWay::Out).await, Err(Error::NotFound)));
        assert!(runs.watch(caller, id, 0).await.is_err());
    }
    // A token that is bound to other publishers shows nothing of this one.
    let mut bound = stage.mia.clone();
    bound.publishers = Some(Vec::new());
    assert!(matches!(runs.show(&bound, id).await, Err(Error::NotFound)));
    assert!(listed(&bound).await.is_empty());
    assert!(matches!(stage.start(&Caller::anonymous(), &script("hello")).await, Err(Error::Access(_))));
    let mut reader = stage.mia.clone();
    reader.scopes = vec![kontor_types::Scope::Read];
    assert!(matches!(stage.start(&reader, &script("hello")).await, Err(Error::Access(_))));
    assert!(matches!(runs.cancel(&reader, id).await, Err(Error::Access(_))));
}

#[rstest]
#[tokio::test]
async fn what_a_program_leaves_is_taken_without_links_and_shown_as_it_is(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("foreign").await;
    stage.work().await;
    let left = stage.runs().files(&stage.mia, id, FileWay::Out).await.unwrap();
    assert_eq!(left.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["red.txt"]);
    let receipt = stage.runs().receipt(&stage.mia, id).await.unwrap();
    let (receipt, _) = Receipt::read(&receipt).unwrap();
    let behind: Vec<_> = receipt.left_behind.iter().map(|one| one.name.as_str()).collect();
    assert!(behind.contains(&"link.txt") && behind.contains(&"pipe"), "{behind:?}");
    let told = stage.told(id, 0).await;
    let line = serde_json::to_string(&told.iter().map(|event| &event.data).collect::<Vec<_>>()).unwrap();
    assert!(line.contains("text") && !line.contains('\u{1b}') && !line.contains('\u{7}'), "{line}");
}
