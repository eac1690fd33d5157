//! A worker dies at every entry of the journal, and the next one goes on: one order, one charge, books in order.

use std::time::Duration;

use kontor_agents::NewErrand;
use kontor_testkit::On;
use kontor_types::WorkflowId;
use kontor_workflow::WorkflowState;
use tokio_util::sync::CancellationToken;

use crate::stage::{REQUEST, Stage, service, told, understood, yuan};

/// Entries that an errand within a mandate has, and some more.
const MOST: i64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_entry_a_worker_dies_at_there_is_one_order_and_one_charge() {
    // Its only line is repeated: it is no pick, so that the comparison's advice stands.
    let Some(stage) = Stage::set(On::Sqlite, vec![understood()]).await else { return };
    stage.hub.hub.app.commerce.top_up(stage.person(), "more", yuan(100_000)).await.unwrap();
    let mandate = stage.mandate_over(100_000, 100, &[]).await;
    let mut finished = 0;
    for entry in (1..MOST).step_by(3) {
        let new = NewErrand { request: REQUEST.to_owned(), mandate: Some(mandate), ..NewErrand::default() };
        let id = stage.agents.ask(&stage.ada, &format!("crash at {entry}"), &new).await.unwrap();
        die_at(&stage, id, entry);
        stage.hub.clock.advance(Duration::from_mins(2));
        let (agents, workflows) = service(&stage.hub, &stage.model, &format!("after {entry}"));
        workflows.run_due().await.unwrap();
        let done = agents.show(&stage.ada, id, None).await.unwrap();
        assert_eq!(done.workflow.state, WorkflowState::Finished, "at {entry}: {} {:?}", told(&done), done.error);
        finished += 1;
        assert_eq!(stage.orders(), finished, "at {entry}");
        if done.workflow.entries <= entry {
            break;
        }
    }
    stage.clean().await;
}

/// Works on an errand in a process of its own, which dies when the journal has so many entries.
fn die_at(stage: &Stage, id: WorkflowId, entry: i64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_, workflows) = service(&stage.hub, &stage.model, &format!("dies at {entry}"));
    let (working, ada) = (workflows.clone(), stage.ada.clone());
    runtime.spawn(async move { working.run(1, CancellationToken::new()).await });
    let (sender, done) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        loop {
            let workflow = workflows.show(&ada, id).await.unwrap();
            if workflow.entries >= entry || workflow.state.is_over() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sender.send(()).unwrap();
    });
    // Nothing of it may still read the clock when the clock goes on: it would hold the errand for longer.
    tokio::task::block_in_place(|| {
        done.recv().unwrap();
        runtime.shutdown_timeout(Duration::from_mins(1));
    });
}
