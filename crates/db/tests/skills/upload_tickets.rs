//! Upload tickets: held by one person, used once, for a while.

use kontor_db::upload_tickets::{self, NewTicket, TicketState};
use kontor_types::{Digest, UploadTicketId};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_ticket_is_its_holders_for_a_while_and_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let secret = Digest::of(b"secret");
    let ticket = NewTicket {
        id: UploadTicketId::new(NOW),
        secret_hash: secret,
        person_id: world.ada,
        path: "SKILL.md".to_owned(),
        size: 12,
        digest: Digest::of(b"bytes"),
        now: NOW,
        expires_at: later(60),
    };
    let id = ticket.id;
    write!(world.db(), |tx| upload_tickets::insert(tx, &ticket));
    let mut conn = world.conn().await;
    let found = upload_tickets::find(&mut conn, world.ada, &secret, NOW).await.unwrap().unwrap();
    assert_eq!((found.path.as_str(), found.size, found.state), ("SKILL.md", 12, TicketState::Open));
    for (person, hash, at) in
        [(world.bob, secret, NOW), (world.ada, Digest::of(b"guess"), NOW), (world.ada, secret, later(60))]
    {
        assert_eq!(upload_tickets::find(&mut conn, person, &hash, at).await.unwrap(), None);
    }
    let step = async |from, to| write!(world.db(), |tx| upload_tickets::advance(tx, id, from, to));
    assert!(!step(TicketState::Stored, TicketState::Used).await);
    assert!(step(TicketState::Open, TicketState::Stored).await);
    assert!(!step(TicketState::Open, TicketState::Stored).await);
    assert_eq!(upload_tickets::count_open(&mut conn, world.ada, NOW).await.unwrap(), 1);
    assert!(step(TicketState::Stored, TicketState::Used).await);
    assert_eq!(upload_tickets::count_open(&mut conn, world.ada, NOW).await.unwrap(), 0);
    assert_eq!(write!(world.db(), |tx| upload_tickets::forget_expired(tx, later(60))), 0);
    assert_eq!(write!(world.db(), |tx| upload_tickets::forget_expired(tx, later(61))), 1);
}
