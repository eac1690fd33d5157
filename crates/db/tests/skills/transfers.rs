//! Offers: seen by both sides, decided once.

use kontor_db::transfers::{self, NewTransfer, Side, TransferState};
use kontor_types::{TransferId, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, handle, later, slug};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn both_sides_see_an_offer_until_it_is_decided(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Private).await;
    let offer = NewTransfer {
        id: TransferId::new(NOW),
        skill_id: pdf,
        from_publisher: world.acme,
        to_publisher: world.other,
        message: "it is yours".to_owned(),
        state: TransferState::Pending,
        created_by: world.ada,
        now: NOW,
    };
    let (id, by) = (offer.id, world.eve);
    write!(world.db(), |tx| transfers::insert(tx, &offer));
    let mut conn = world.conn().await;
    for (viewer, incoming, outgoing) in [
        (Viewer::anonymous(), 0, 0),
        (world.member(), 0, 0),
        (world.owner(), 0, 1),
        (world.stranger(), 1, 0),
        (Viewer::hub(), 1, 1),
    ] {
        assert_eq!(transfers::pending(&mut conn, &viewer, Side::Incoming, 10).await.unwrap().len(), incoming);
        assert_eq!(transfers::pending(&mut conn, &viewer, Side::Outgoing, 10).await.unwrap().len(), outgoing);
        let seen = transfers::of_skill(&mut conn, &viewer, pdf).await.unwrap();
        assert_eq!(seen.is_some(), incoming + outgoing > 0);
        assert_eq!(transfers::find(&mut conn, &viewer, id).await.unwrap(), seen);
        let named = transfers::incoming_named(&mut conn, &viewer, Some(&handle("acme")), &slug("pdf")).await.unwrap();
        assert_eq!(named.len(), incoming);
    }
    let offer = transfers::of_skill(&mut conn, &world.stranger(), pdf).await.unwrap().unwrap();
    assert_eq!(
        (offer.from_handle.as_str(), offer.to_handle.as_str(), offer.message.as_str()),
        ("acme", "other", "it is yours")
    );
    assert!(write!(world.db(), |tx| transfers::decide(tx, id, TransferState::Accepted, Some(by), later(1))));
    assert!(!write!(world.db(), |tx| transfers::decide(tx, id, TransferState::Rejected, Some(by), later(1))));
    assert_eq!(transfers::of_skill(&mut conn, &Viewer::hub(), pdf).await.unwrap(), None);
    assert_eq!(write!(world.db(), |tx| transfers::cancel_all(tx, pdf, None, later(2))), 0);
}
