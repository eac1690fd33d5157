//! Overlays: each publisher has its own chain, seen by its members only.

use kontor_db::overlays::{self, NewOverlay};
use kontor_types::{Digest, OverlayId, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, number};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn each_publisher_has_its_own_chain(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let new = |publisher_id, text: &str| NewOverlay {
        id: OverlayId::new(NOW),
        publisher_id,
        skill_id: pdf,
        number: number(text),
        manifest: "kind = \"workflow\"".to_owned(),
        digest: Digest::of(text.as_bytes()),
        created_by: Some(world.eve),
        now: NOW,
    };
    for overlay in [new(world.other, "1.2.0"), new(world.other, "1.10.0"), new(world.acme, "1.2.0")] {
        write!(world.db(), |tx| overlays::insert(tx, &overlay));
    }
    let again = new(world.other, "1.2.0");
    let refused = world.db().write(move |tx| Box::pin(async move { overlays::insert(tx, &again).await })).await;
    assert!(refused.unwrap_err().is_duplicate());
    let mut conn = world.conn().await;
    for (viewer, seen) in [
        (world.stranger(), vec!["1.10.0", "1.2.0"]),
        (Viewer::hub(), vec!["1.10.0", "1.2.0"]),
        (world.owner(), vec![]),
        (Viewer::anonymous(), vec![]),
    ] {
        let rows = overlays::list(&mut conn, &viewer, world.other, pdf).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.number.to_string()).collect::<Vec<_>>(), seen);
        assert!(rows.iter().all(|row| row.publisher.as_str() == "other"));
    }
    let other = world.other;
    assert_eq!(write!(world.db(), |tx| overlays::remove(tx, other, pdf)), 2);
}
