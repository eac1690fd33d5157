//! Workflows as people see them: who sees which, newest first.

mod claims;
mod journal;
mod questions;

use kontor_db::workflows::{self, Filter, NewQuestion, NewWorkflow, Who, WorkflowState};
use kontor_types::{PageSize, Role, Viewer};
use rstest::rstest;

use crate::fixtures::{NOW, World};
use crate::support::On;

use journal::{a_workflow, ends};

#[rstest]
#[tokio::test]
async fn a_workflow_is_seen_by_those_whom_it_concerns(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let mine = a_workflow(world.ada, "mine");
    let ours = NewWorkflow { publisher: Some(world.acme), held: None, ..a_workflow(world.ada, "ours") };
    let other = NewWorkflow { kind: "other".to_owned(), ..a_workflow(world.bob, "mine") };
    let rows = [mine, ours, other];
    let [mine, ours, other] = rows.each_ref().map(|row| row.id);
    write!(world.db(), |tx| workflows::insert(tx, &rows.iter().collect::<Vec<_>>(), NOW));
    let question = NewQuestion {
        workflow: other,
        number: 2,
        name: "q".to_owned(),
        text: "?".to_owned(),
        form: "{}".to_owned(),
        detail: "{}".to_owned(),
        who: Who::Persons,
        persons: vec![world.eve],
        asked_at: NOW,
        deadline: None,
    };
    write!(world.db(), |tx| workflows::add(tx, &question));
    let seen = async |viewer: &Viewer, filter: &Filter| {
        let found = workflows::list(&mut world.conn().await, viewer, filter, None, PageSize::default()).await.unwrap();
        found.into_iter().map(|workflow| workflow.id).collect::<Vec<_>>()
    };
    let all = Filter::default();
    assert_eq!(seen(&Viewer::hub(), &all).await, [other, ours, mine]);
    assert_eq!(seen(&Viewer::person(world.ada, Vec::new()), &all).await, [ours, mine]);
    assert_eq!(seen(&Viewer::person(world.bob, vec![(world.acme, Role::Admin)]), &all).await, [other, ours]);
    assert_eq!(seen(&Viewer::person(world.bob, vec![(world.acme, Role::Maintainer)]), &all).await, [other]);
    assert_eq!(seen(&Viewer::person(world.eve, Vec::new()), &all).await, [other], "she was asked");
    assert_eq!(seen(&Viewer::anonymous(), &all).await, Vec::new());
    let bound = Filter { bound: Some(vec![world.acme]), ..Filter::default() };
    assert_eq!(seen(&Viewer::hub(), &bound).await, [ours]);
    assert_eq!(seen(&Viewer::hub(), &Filter { bound: Some(Vec::new()), ..Filter::default() }).await, Vec::new());
    let queued = Filter { state: Some(WorkflowState::Queued), kind: Some("errand".to_owned()), ..Filter::default() };
    assert_eq!(seen(&Viewer::hub(), &queued).await, [ours]);
    let over = ends(mine, 1, WorkflowState::Finished);
    write!(world.db(), |tx| workflows::append(tx, &[&over]));
    let finished = Filter { state: Some(WorkflowState::Finished), ..Filter::default() };
    assert_eq!(seen(&Viewer::hub(), &finished).await, [mine]);
    let ada = Viewer::person(world.ada, Vec::new());
    let size = PageSize::clamped(1);
    let next = workflows::list(&mut world.conn().await, &ada, &all, Some(ours), size).await.unwrap();
    assert_eq!(next.iter().map(|workflow| workflow.id).collect::<Vec<_>>(), [mine]);
    let shown = workflows::find(&mut world.conn().await, &ada, None, mine).await.unwrap().unwrap();
    assert_eq!((shown.person.as_str(), shown.version, shown.result()), ("ada", 2, Some(serde_json::json!([1]))));
    assert!(workflows::find(&mut world.conn().await, &ada, None, other).await.unwrap().is_none());
}
