//! Claiming, retrying, burying and recurring, on both databases, under a clock that the test moves.

#[path = "../../db/tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kontor_db::jobs::{self, Counts, NewJob};
use kontor_db::{Db, Error};
use kontor_jobs::{Failure, Workers};
use kontor_types::{Clock, JobId, ManualClock, Timestamp};
use rstest::rstest;
use serde_json::json;
use support::On;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::starting_at(Timestamp::from_micros(1_700_000_000_000_000)))
}

fn job(kind: &str, key: Option<&str>, now: Timestamp) -> NewJob {
    NewJob { kind: kind.into(), key: key.map(Into::into), payload: json!({"n": 1}), run_at: now, max_attempts: 3 }
}

async fn enqueue(db: &Db, job: NewJob, now: Timestamp) -> Option<JobId> {
    db.write(move |tx| Box::pin(async move { jobs::enqueue(tx, &job, now).await })).await.unwrap_or(None)
}

async fn counts(db: &Db) -> Result<Counts, Error> {
    jobs::counts(&mut db.read().await?).await
}

#[rstest]
#[tokio::test]
async fn a_failing_job_is_retried_later_and_buried_at_last(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let clock = clock();
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = tries.clone();
    let workers = Workers::new(test.db.clone(), clock.clone(), "w").handle("mail", move |job| {
        assert_eq!(job.payload, json!({"n": 1}));
        seen.fetch_add(1, Ordering::SeqCst);
        async { Err(Failure::Retry("the other side is down".into())) }
    });
    let id = enqueue(&test.db, job("mail", None, clock.now()), clock.now()).await.unwrap();
    assert_eq!(workers.run_due().await.unwrap(), 1);
    assert_eq!(workers.run_due().await.unwrap(), 0, "not due before the back-off is over");
    clock.advance(Duration::from_secs(3));
    assert_eq!(workers.run_due().await.unwrap(), 1);
    clock.advance(Duration::from_secs(6));
    assert_eq!(workers.run_due().await.unwrap(), 1);
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    assert_eq!(counts(&test.db).await.unwrap(), Counts { ready: 0, running: 0, dead: 1 });
    let buried = jobs::buried(&mut test.db.read().await.unwrap(), 10).await.unwrap();
    assert_eq!((buried[0].id, buried[0].error.as_str()), (id, "the other side is down"));
    let now = clock.now();
    assert!(test.db.write(move |tx| Box::pin(async move { jobs::revive(tx, id, now).await })).await.unwrap());
    assert_eq!(workers.run_due().await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn a_job_of_a_dead_worker_is_taken_over_and_its_late_outcome_is_void(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let clock = clock();
    enqueue(&test.db, job("mail", None, clock.now()), clock.now()).await.unwrap();
    let claim = |worker: &'static str, now: Timestamp| {
        test.db.write(move |tx| {
            Box::pin(async move { jobs::claim(tx, &["mail"], worker, now, now.after(Duration::from_mins(1))).await })
        })
    };
    let first: Option<jobs::Claimed> = claim("dead", clock.now()).await.unwrap();
    assert_eq!(claim("other", clock.now()).await.unwrap(), None::<jobs::Claimed>, "the lease holds");
    clock.advance(Duration::from_secs(61));
    let second = claim("other", clock.now()).await.unwrap().unwrap();
    assert_eq!(second.attempt, 2);
    let (late, now) = (first.unwrap(), clock.now());
    let accepted = test.db.write(move |tx| Box::pin(async move { jobs::complete(tx, &late, now).await })).await;
    assert!(!accepted.unwrap(), "an attempt that lost its lease must not end the job");
}

#[rstest]
#[tokio::test]
async fn a_key_is_queued_once_and_unknown_kinds_stay(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let clock = clock();
    assert!(enqueue(&test.db, job("mail", Some("a"), clock.now()), clock.now()).await.is_some());
    assert!(enqueue(&test.db, job("mail", Some("a"), clock.now()), clock.now()).await.is_none());
    assert!(enqueue(&test.db, job("other", Some("a"), clock.now()), clock.now()).await.is_some());
    let workers = Workers::new(test.db.clone(), clock.clone(), "w").handle("mail", |_| async { Ok(()) });
    assert_eq!(workers.run_due().await.unwrap(), 1);
    assert!(enqueue(&test.db, job("mail", Some("a"), clock.now()), clock.now()).await.is_some(), "done frees the key");
    assert_eq!(counts(&test.db).await.unwrap().ready, 2);
}

#[rstest]
#[tokio::test]
async fn recurring_work_comes_again_after_its_period(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let clock = clock();
    let hour = Duration::from_hours(1);
    let workers = Workers::new(test.db.clone(), clock.clone(), "w").every("sweep", hour, |_| async { Ok(()) });
    workers.plan_recurring().await;
    workers.plan_recurring().await;
    assert_eq!(workers.run_due().await.unwrap(), 1);
    assert_eq!(workers.run_due().await.unwrap(), 0);
    clock.advance(hour);
    assert_eq!(workers.run_due().await.unwrap(), 1);
}
