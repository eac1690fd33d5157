//! Workers die at any moment; what is journaled is never done again.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use kontor_db::workflows;
use kontor_workflow::{EntryKind, Journal, StepError, Stop, WorkflowState, define};
use proptest::prelude::*;
use serde_json::Value;
use tokio::sync::Notify;

use crate::stage::{On, Stage, effect};

/// A worker dies at the moments whose numbers are in here, counted over all attempts.
#[derive(Clone)]
struct Fate {
    deaths: Arc<Vec<i64>>,
    moment: Arc<AtomicI64>,
    died: Arc<Notify>,
    done: Arc<Mutex<Vec<String>>>,
}

impl Fate {
    async fn pass(&self) {
        if self.deaths.contains(&self.moment.fetch_add(1, Ordering::SeqCst)) {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn step(&self, stage: &Arc<Stage>, journal: &Journal, name: String) -> Result<String, Stop> {
        let id = journal.workflow();
        let named = name.clone();
        journal
            .step(name.as_str(), &name, move |_| {
                let (fate, stage, name) = (self.clone(), Arc::clone(stage), named.clone());
                async move {
                    let entries = workflows::entries(&mut stage.db.read().await?, id, 0, 1_000).await?;
                    let journaled = |entry: &workflows::Entry| entry.kind == EntryKind::Step && entry.name == name;
                    assert!(!entries.iter().any(journaled), "`{name}` is journaled and runs again");
                    fate.pass().await;
                    fate.done.lock().unwrap().push(name.clone());
                    fate.pass().await;
                    Ok::<_, StepError>(format!("{name} done"))
                }
            })
            .await
    }
}

async fn storm(on: On, deaths: Vec<i64>) {
    let Some(stage) = Stage::with(on, |settings| settings.crashes = 100).await else { return };
    let stage = Arc::new(stage);
    let fate = Fate { deaths: Arc::new(deaths), moment: Arc::default(), died: Arc::default(), done: Arc::default() };
    let (fated, set) = (fate.clone(), Arc::clone(&stage));
    stage.define(define("storm", 1, move |journal: Journal, _: Value| {
        let (fate, stage) = (fated.clone(), Arc::clone(&set));
        async move {
            fate.step(&stage, &journal, "one".to_owned()).await?;
            effect(&journal, "first").await?;
            let (left, right) = (journal.branch("left"), journal.branch("right"));
            let both = futures::join!(
                fate.step(&stage, &left, "two".to_owned()),
                fate.step(&stage, &right, "three".to_owned()),
            );
            both.0?;
            both.1?;
            effect(&journal, "second").await?;
            fate.step(&stage, &journal, "four".to_owned()).await
        }
    }));
    let id = stage.start("storm").await;
    let mut died = 0;
    while stage.show(id).await.state != WorkflowState::Finished {
        tokio::select! {
            worked = stage.flows.run_due() => drop(worked.unwrap()),
            () = fate.died.notified() => died += 1,
        }
        stage.pass();
        assert!(died <= fate.deaths.len());
    }
    assert_eq!(stage.effects().await, ["first", "second"]);
    let done = fate.done.lock().unwrap().clone();
    for name in ["one", "two", "three", "four"] {
        let times = done.iter().filter(|of| *of == name).count();
        assert!((1..=1 + died).contains(&times), "{name}: {times}");
    }
    stage.entries(id).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_is_journaled_is_never_done_again(deaths in prop::collection::vec(0..14_i64, 0..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            storm(On::Sqlite, deaths.clone()).await;
            storm(On::Postgres, deaths).await;
        });
    }
}
