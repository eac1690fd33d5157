//! Journals: many workflows begun and grown in one commit, each fenced for itself.

use kontor_db::workflows::{self, Append, Entry, EntryKind, Leave, NewWorkflow, Workflow, WorkflowState};
use kontor_types::{Digest, PersonId, WorkflowId};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

pub fn an_entry(number: i64, kind: EntryKind) -> Entry {
    Entry {
        number,
        at: NOW,
        kind,
        branch: String::new(),
        place: Some(number),
        name: "step \u{1f375}".to_owned(),
        input: Some(Digest::of(b"input")),
        data: "{\"b\":1,  \"a\":\"\\u0000\"}".to_owned(),
        digest: Digest::of(&number.to_be_bytes()),
    }
}

pub fn a_workflow(person: PersonId, key: &str) -> NewWorkflow {
    NewWorkflow {
        id: WorkflowId::new(NOW),
        kind: "errand".to_owned(),
        version: 2,
        key: key.to_owned(),
        title: "tea".to_owned(),
        person,
        publisher: None,
        parent: None,
        retry_of: None,
        request: Digest::of(key.as_bytes()),
        held: Some(("one".to_owned(), later(15))),
        first: an_entry(1, EntryKind::Started),
    }
}

pub fn grows(id: WorkflowId, before: i64, count: i64) -> Append {
    let entries: Vec<_> = (1..=count).map(|more| an_entry(before + more, EntryKind::Step)).collect();
    let head = Digest::of(&(before + count).to_be_bytes());
    Append { id, attempt: 1, before, entries, head, seals: false, leave: None }
}

pub fn ends(id: WorkflowId, before: i64, state: WorkflowState) -> Append {
    let leave = Leave {
        state,
        wake_at: (state == WorkflowState::Waiting).then_some(later(60)),
        signals: 0,
        output: Some("[1]".to_owned()),
        error: Some(("code".to_owned(), "a\0b".to_owned())),
        ended_at: state.is_over().then_some(later(1)),
    };
    Append { leave: Some(leave), ..grows(id, before, 1) }
}

pub async fn shown(world: &World, id: WorkflowId) -> Workflow {
    workflows::by_id(&mut world.conn().await, id).await.unwrap().unwrap()
}

#[rstest]
#[tokio::test]
async fn many_are_begun_and_grow_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let mut rows: Vec<_> = (0..75).map(|key| a_workflow(world.ada, &format!("key {key}"))).collect();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    rows.push(a_workflow(world.ada, "key 3"));
    let made = write!(world.db(), |tx| workflows::insert(tx, &rows.iter().collect::<Vec<_>>(), NOW));
    assert_eq!(made.len(), 75, "one key is one workflow");
    let asked =
        [(world.ada, "errand".to_owned(), "key 3".to_owned()), (world.bob, "errand".to_owned(), "key 3".to_owned())];
    let known = workflows::with_keys(&mut world.conn().await, &asked).await.unwrap();
    assert_eq!(known.iter().map(|row| row.3).collect::<Vec<_>>(), [ids[3]]);

    let mut appends: Vec<_> = ids.iter().skip(1).map(|id| grows(*id, 1, 2)).collect();
    appends.push(ends(ids[0], 1, WorkflowState::Finished));
    appends[4].before = 7;
    appends[5].attempt = 2;
    let (stale, other) = (appends[4].id, appends[5].id);
    let held = write!(world.db(), |tx| workflows::append(tx, &appends.iter().collect::<Vec<_>>()));
    assert_eq!(held.len(), 73);
    for (id, entries) in [(ids[1], 3), (ids[0], 2), (stale, 1), (other, 1)] {
        let journal = workflows::entries(&mut world.conn().await, id, 0, 10).await.unwrap();
        assert_eq!((journal.len(), shown(&world, id).await.entries), (entries, i64::try_from(entries).unwrap()));
    }
    let journal = workflows::entries(&mut world.conn().await, ids[1], 2, 10).await.unwrap();
    assert_eq!(journal, [an_entry(3, EntryKind::Step)], "every byte of it");
    let over = shown(&world, ids[0]).await;
    assert_eq!(
        (over.state, over.output.as_deref(), over.ended_at),
        (WorkflowState::Finished, Some("[1]"), Some(later(1)))
    );
    assert_eq!(over.error.as_deref(), Some("a\u{fffd}b"));
    let late = grows(ids[0], 2, 1);
    assert!(write!(world.db(), |tx| workflows::append(tx, &[&late])).is_empty(), "it is over");
}

#[rstest]
#[tokio::test]
async fn a_seal_and_a_cancellation_exclude_each_other(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let rows = [a_workflow(world.ada, "sealed"), a_workflow(world.ada, "cancelled")];
    let (sealed, cancelled) = (rows[0].id, rows[1].id);
    write!(world.db(), |tx| workflows::insert(tx, &rows.iter().collect::<Vec<_>>(), NOW));
    let by = Some(world.ada);
    assert!(write!(world.db(), |tx| workflows::cancel(tx, cancelled, by, NOW)).is_some());
    let seals = [sealed, cancelled].map(|id| Append { seals: true, ..grows(id, 1, 1) });
    assert_eq!(write!(world.db(), |tx| workflows::append(tx, &seals.iter().collect::<Vec<_>>())), [sealed]);
    assert!(write!(world.db(), |tx| workflows::cancel(tx, sealed, by, NOW)).is_none());
    assert!(shown(&world, sealed).await.sealed);
}
