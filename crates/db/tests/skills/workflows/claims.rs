//! Who has a workflow: leases, what wakes it, and what fences.

use kontor_db::workflows::{self, NewWorkflow, Wanted, WorkflowState};
use kontor_types::WorkflowId;
use rstest::rstest;

use super::journal::{a_workflow, ends, grows, shown};
use crate::fixtures::{NOW, World, later};
use crate::support::On;

fn wanted(seconds: i64, most: u32) -> Wanted {
    let definitions = vec![("errand".to_owned(), 2), ("other".to_owned(), 1)];
    Wanted { definitions, worker: "two".to_owned(), now: later(seconds), until: later(seconds + 15), most }
}

#[rstest]
#[tokio::test]
async fn a_workflow_is_taken_when_it_is_due_and_known(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let queued = NewWorkflow { held: None, ..a_workflow(world.ada, "queued") };
    let newer = NewWorkflow { held: None, version: 3, ..a_workflow(world.ada, "of a newer program") };
    let (held, waits) = (a_workflow(world.ada, "held"), a_workflow(world.ada, "waits"));
    let rows = [queued, newer, held, waits];
    let [queued, _, held, waits] = rows.each_ref().map(|row| row.id);
    write!(world.db(), |tx| workflows::insert(tx, &rows.iter().collect::<Vec<_>>(), NOW));
    let parked = ends(waits, 1, WorkflowState::Waiting);
    write!(world.db(), |tx| workflows::append(tx, &[&parked]));
    let known = wanted(0, 1).definitions;
    assert_eq!(workflows::next_due(&mut world.conn().await, &known).await.unwrap(), Some(NOW));

    let take = async |seconds| {
        let wanted = wanted(seconds, 9);
        write!(world.db(), |tx| workflows::claim(tx, &wanted))
    };
    let ids = |taken: Vec<workflows::Claimed>| taken.into_iter().map(|claimed| claimed.id).collect::<Vec<WorkflowId>>();
    assert_eq!(ids(take(1).await), [queued]);
    assert_eq!(ids(take(14).await), Vec::new());
    let mut dead = take(30).await;
    dead.sort_by_key(|claimed| claimed.id);
    assert_eq!(
        dead.iter().map(|claimed| (claimed.id, claimed.attempt, claimed.crashes)).collect::<Vec<_>>(),
        [(queued, 2, 1), (held, 2, 1)]
    );
    assert!(write!(world.db(), |tx| workflows::append(tx, &[&grows(held, 1, 1)])).is_empty(), "its attempt is over");
    let woken = take(60).await;
    assert!(woken.iter().any(|claimed| (claimed.id, claimed.crashes, claimed.entries) == (waits, 0, 2)));
}

#[rstest]
#[tokio::test]
async fn a_lease_is_kept_and_ended(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let row = a_workflow(world.ada, "held");
    let id = row.id;
    write!(world.db(), |tx| workflows::insert(tx, &[&row], NOW));
    assert_eq!(write!(world.db(), |tx| workflows::keep(tx, &[(id, 1)], later(100))), [id]);
    assert!(write!(world.db(), |tx| workflows::keep(tx, &[(id, 2)], later(100))).is_empty());
    let early = wanted(50, 9);
    assert!(write!(world.db(), |tx| workflows::claim(tx, &early)).is_empty());
    let by = Some(world.bob);
    assert_eq!(write!(world.db(), |tx| workflows::cancel(tx, id, by, NOW)), Some(WorkflowState::Running));
    assert_eq!(workflows::stopping(&mut world.conn().await, "one").await.unwrap(), [id]);
    assert!(workflows::stopping(&mut world.conn().await, "two").await.unwrap().is_empty());
    assert_eq!(write!(world.db(), |tx| workflows::release(tx, later(50))), 1);
    let again = wanted(50, 9);
    assert_eq!(write!(world.db(), |tx| workflows::claim(tx, &again)).len(), 1);
    let standing = workflows::standing(&mut world.conn().await, &[id, WorkflowId::new(NOW)]).await.unwrap();
    assert_eq!(
        standing.iter().map(|row| (row.id, row.attempt, row.cancel_at)).collect::<Vec<_>>(),
        [(id, 2, Some(NOW))]
    );
}

#[rstest]
#[tokio::test]
async fn what_happens_while_a_workflow_is_put_aside_is_not_missed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let rows = ["before", "after", "never"].map(|key| a_workflow(world.ada, key));
    let [before, after, never] = rows.each_ref().map(|row| row.id);
    write!(world.db(), |tx| workflows::insert(tx, &rows.iter().collect::<Vec<_>>(), NOW));
    write!(world.db(), |tx| workflows::signal(tx, &[before], later(2)));
    let parked = [before, after, never].map(|id| ends(id, 1, WorkflowState::Waiting));
    write!(world.db(), |tx| workflows::append(tx, &parked.iter().collect::<Vec<_>>()));
    write!(world.db(), |tx| workflows::signal(tx, &[after], later(3)));
    for (id, state) in
        [(before, WorkflowState::Queued), (after, WorkflowState::Queued), (never, WorkflowState::Waiting)]
    {
        assert_eq!(shown(&world, id).await.state, state);
    }
    let counts = workflows::counts(&mut world.conn().await).await.unwrap();
    assert_eq!((counts.queued, counts.waiting, counts.running, counts.stalled), (2, 1, 0, 0));
    assert_eq!(counts.oldest, Some(NOW));
}

#[rstest]
#[tokio::test]
async fn what_stalled_goes_on_with_the_entry_that_says_so(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let row = a_workflow(world.ada, "stalls");
    let id = row.id;
    write!(world.db(), |tx| workflows::insert(tx, &[&row], NOW));
    let entry = grows(id, 2, 1).entries[0].clone();
    let early = entry.clone();
    assert!(!write!(world.db(), |tx| workflows::revive(tx, id, &early, later(5))), "it goes on by itself");
    let stalls = ends(id, 1, WorkflowState::Stalled);
    write!(world.db(), |tx| workflows::append(tx, &[&stalls]));
    assert!(write!(world.db(), |tx| workflows::revive(tx, id, &entry, later(5))));
    let revived = shown(&world, id).await;
    assert_eq!((revived.state, revived.entries, revived.error, revived.output), (WorkflowState::Queued, 3, None, None));
}
