//! Events of a run: counted without gaps within it, read on from any of them.

use kontor_db::runs::{self, EventKind, RunEvent};
use kontor_types::RunId;
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn events_are_read_after_a_number(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let id = world.run(world.ada, world.acme, NOW).await;
    let other = world.run(world.ada, world.acme, NOW).await;
    assert!(runs::events(&mut world.conn().await, id, 0, 10).await.unwrap().is_empty());
    let told = [
        RunEvent { number: 1, at: later(1), kind: EventKind::State, data: json!({"state": "preparing"}) },
        RunEvent { number: 2, at: later(2), kind: EventKind::Stdout, data: json!("grüße\n") },
        RunEvent { number: 3, at: later(2), kind: EventKind::Stderr, data: json!("oh\n") },
    ];
    for event in told.clone() {
        let number = event.number;
        let given = write!(world.db(), |tx| runs::record(tx, id, event.kind, &event.data, event.at));
        assert_eq!(given, number);
    }
    let given = write!(world.db(), |tx| runs::record(tx, other, EventKind::Note, &json!("hello"), NOW));
    assert_eq!(given, 1, "each run counts its own");

    let mut conn = world.conn().await;
    assert_eq!(runs::events(&mut conn, id, 0, 10).await.unwrap(), told);
    assert_eq!(runs::events(&mut conn, id, 1, 10).await.unwrap(), told[1..]);
    assert_eq!(runs::events(&mut conn, id, 1, 1).await.unwrap(), told[1..2]);
    assert!(runs::events(&mut conn, id, 3, 10).await.unwrap().is_empty());
    drop(conn);
    assert_eq!(world.shown(id).await.events, 3);
}

#[rstest]
#[tokio::test]
async fn a_run_that_is_not_there_has_no_events(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let nobody = RunId::new(NOW);
    let written = world.db().write(move |tx| {
        Box::pin(async move { runs::record(tx, nobody, EventKind::Note, &json!("hello"), NOW).await })
    });
    assert!(written.await.is_err());
    assert!(runs::events(&mut world.conn().await, nobody, 0, 10).await.unwrap().is_empty());
}
