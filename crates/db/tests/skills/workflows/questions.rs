//! Questions of workflows: answered once, in time, and closed.

use kontor_db::workflows::{self, NewQuestion, Who};
use kontor_types::WorkflowId;
use rstest::rstest;

use super::journal::a_workflow;
use crate::fixtures::{NOW, World, later};
use crate::support::On;

fn a_question(world: &World, workflow: WorkflowId, number: i64) -> NewQuestion {
    NewQuestion {
        workflow,
        number,
        name: "confirm".to_owned(),
        text: "确认?".to_owned(),
        form: "{}".to_owned(),
        detail: "null".to_owned(),
        who: Who::Persons,
        persons: vec![world.bob, world.bob],
        asked_at: NOW,
        deadline: Some(later(60)),
    }
}

#[rstest]
#[tokio::test]
async fn a_question_is_answered_once_and_in_time(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let row = a_workflow(world.ada, "asks");
    let id = row.id;
    write!(world.db(), |tx| workflows::insert(tx, &[&row], NOW));
    let first = a_question(&world, id, 2);
    write!(world.db(), |tx| workflows::add(tx, &first));
    let same = a_question(&world, id, 3);
    let twice = world.db().write(move |tx| Box::pin(async move { workflows::add(tx, &same).await })).await;
    assert!(twice.unwrap_err().is_duplicate(), "one of a name is open at a time");
    assert!(workflows::is_asked(&mut world.conn().await, id, 2, world.bob).await.unwrap());
    assert!(!workflows::is_asked(&mut world.conn().await, id, 2, world.eve).await.unwrap());

    let bob = world.bob;
    assert!(!write!(world.db(), |tx| workflows::answer(tx, (id, 2), bob, "true", later(60))), "too late");
    assert!(write!(world.db(), |tx| workflows::answer(tx, (id, 2), bob, "true", later(59))));
    assert!(!write!(world.db(), |tx| workflows::answer(tx, (id, 2), bob, "false", later(59))), "answered");
    assert!(!write!(world.db(), |tx| workflows::close(tx, id, 2, later(61))), "answered");
    let answered = workflows::find_question(&mut world.conn().await, id, 2).await.unwrap().unwrap();
    assert_eq!((answered.answer.as_deref(), answered.answered_by), (Some("true"), Some(bob)));

    let second = a_question(&world, id, 5);
    write!(world.db(), |tx| workflows::add(tx, &second));
    assert_eq!(workflows::open(&mut world.conn().await, id).await.unwrap().len(), 1);
    assert_eq!(workflows::sought(&mut world.conn().await, id, "confirm").await.unwrap().unwrap().number, 5);
    assert!(write!(world.db(), |tx| workflows::close(tx, id, 5, later(7))));
    assert!(write!(world.db(), |tx| workflows::close(tx, id, 5, later(8))), "again is no harm");
    assert!(!write!(world.db(), |tx| workflows::answer(tx, (id, 5), bob, "true", later(9))), "closed");
    let third = a_question(&world, id, 8);
    write!(world.db(), |tx| workflows::add(tx, &third));
    write!(world.db(), |tx| workflows::close_all(tx, id, later(10)));
    assert!(workflows::open(&mut world.conn().await, id).await.unwrap().is_empty());
}
