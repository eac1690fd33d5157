//! The answer to whoever started a run is kept with the run.

use kontor_db::idempotency::{self, Claim};
use kontor_dispatch::{Answer, Kept};
use kontor_testkit::On;
use kontor_types::Digest;
use rstest::rstest;

use crate::stage::{Stage, script, skill};

#[rstest]
#[tokio::test]
async fn an_accepted_run_is_answered_again_although_nobody_lived_to_answer(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let (app, person) = (&stage.hub.hub.app, stage.mia.person_id().unwrap());
    let now = app.clock.now();
    let take = || async {
        let claim = app.db.write(move |tx| {
            Box::pin(async move {
                idempotency::claim(
                    tx,
                    person,
                    "key",
                    &Digest::of(b"request"),
                    now,
                    (now.after(std::time::Duration::from_mins(1)), now),
                )
                .await
            })
        });
        claim.await.unwrap()
    };
    assert_eq!(take().await, Claim::Ours);
    let shape = |run: &kontor_dispatch::Run| {
        Some(Answer { status: 202, headers: Vec::new(), body: run.id.to_string().into_bytes() })
    };
    let kept = Kept::new(person, "key".to_owned(), shape);
    let run = stage.runs().start_kept(&stage.mia, &skill(), &script("hello"), Some(&kept)).await.unwrap();
    // The hub dies here, and gives back what nobody answered when it starts again.
    app.db.write(|tx| Box::pin(async move { idempotency::release_unanswered(tx).await })).await.unwrap();
    let Claim::Answered(answer) = take().await else { unreachable!("the run would be started twice") };
    assert_eq!((answer.status, answer.body), (202, run.id.to_string().into_bytes()));

    // A run that is refused keeps nothing.
    let other = Kept::new(person, "other".to_owned(), shape);
    assert!(stage.runs().start_kept(&stage.mia, &skill(), &script("none"), Some(&other)).await.is_err());
}
