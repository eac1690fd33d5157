//! Idempotency keys: one write, one answer, and no key is stuck for ever.

use std::time::Duration;

use futures::future::join_all;
use kontor_db::idempotency::{self, Answer, Claim};
use kontor_db::{Db, Error};
use kontor_types::{Digest, PersonId, Timestamp};
use rstest::rstest;

use crate::fixtures::{NOW, a_person, add_person};
use crate::support::On;

const DAY: Duration = Duration::from_hours(24);
const PATIENCE: Duration = Duration::from_mins(5);

async fn claim(db: &Db, person: PersonId, request: &'static [u8], now: Timestamp) -> Result<Claim, Error> {
    db.write(move |tx| {
        Box::pin(async move {
            let limits = (now.after(DAY), now.before(PATIENCE));
            idempotency::claim(tx, person, "key", &Digest::of(request), now, limits).await
        })
    })
    .await
}

#[rstest]
#[tokio::test]
async fn of_many_equal_requests_one_runs_and_the_rest_hear_its_answer(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let (ada, bob) = (a_person("ada"), a_person("bob"));
    add_person(&test.db, &ada).await.unwrap();
    add_person(&test.db, &bob).await.unwrap();
    let claims = join_all((0..8).map(|_| claim(&test.db, ada.id, b"one", NOW))).await;
    let claims: Vec<Claim> = claims.into_iter().map(Result::unwrap).collect();
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::Ours).count(), 1);
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::Running).count(), 7);
    assert_eq!(claim(&test.db, ada.id, b"two", NOW).await.unwrap(), Claim::Mismatch);
    assert_eq!(claim(&test.db, bob.id, b"two", NOW).await.unwrap(), Claim::Ours, "keys are each person's own");
    let answer = Answer {
        status: 201,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: b"{}".to_vec(),
    };
    let (stored, person) = (answer.clone(), ada.id);
    test.db
        .write(move |tx| Box::pin(async move { idempotency::answer(tx, person, "key", &stored).await }))
        .await
        .unwrap();
    assert_eq!(claim(&test.db, ada.id, b"one", NOW).await.unwrap(), Claim::Answered(answer));
    assert_eq!(claim(&test.db, ada.id, b"two", NOW.after(DAY)).await.unwrap(), Claim::Ours, "the answer expired");
}

#[rstest]
#[tokio::test]
async fn a_key_whose_write_failed_or_was_abandoned_is_free_again(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let ada = a_person("ada");
    add_person(&test.db, &ada).await.unwrap();
    let person = ada.id;
    assert_eq!(claim(&test.db, person, b"one", NOW).await.unwrap(), Claim::Ours);
    test.db.write(move |tx| Box::pin(async move { idempotency::release(tx, person, "key").await })).await.unwrap();
    assert_eq!(claim(&test.db, person, b"two", NOW).await.unwrap(), Claim::Ours);
    assert_eq!(claim(&test.db, person, b"two", NOW.after(PATIENCE)).await.unwrap(), Claim::Running);
    let later = NOW.after(PATIENCE).after(Duration::from_secs(1));
    assert_eq!(claim(&test.db, person, b"two", later).await.unwrap(), Claim::Ours);
    let free = test.db.write(|tx| Box::pin(async move { idempotency::release_unanswered(tx).await })).await.unwrap();
    assert_eq!(free, 1, "whoever took it is dead");
    assert_eq!(claim(&test.db, person, b"three", later).await.unwrap(), Claim::Ours);
    let end = later.after(DAY);
    let gone = test.db.write(move |tx| Box::pin(async move { idempotency::purge(tx, end).await })).await.unwrap();
    assert_eq!(gone, 1);
}
