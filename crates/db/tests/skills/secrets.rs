//! Secrets: numbers go on, values go away, releases name a skill and its bytes.

use kontor_db::secrets::{self, NewRelease, SealedSecret};
use kontor_types::{Digest, PublisherId, SkillId};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

fn sealed(publisher: PublisherId, name: &str, version: u64, bytes: &[u8]) -> SealedSecret {
    SealedSecret { publisher_id: publisher, name: name.to_owned(), version, sealed: Some(bytes.to_vec()) }
}

#[rstest]
#[tokio::test]
async fn a_number_is_never_given_twice(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (acme, ada) = (world.acme, Some(world.ada));
    assert_eq!(secrets::number(&mut world.conn().await, acme, "TOKEN").await.unwrap(), None);
    let first = sealed(acme, "TOKEN", 1, b"one");
    write!(world.db(), |tx| secrets::put(tx, &first, ada, NOW));
    let second = sealed(acme, "TOKEN", 2, b"two");
    write!(world.db(), |tx| secrets::put(tx, &second, ada, later(1)));
    let second = sealed(acme, "TOKEN", 2, b"two");
    let late = sealed(acme, "TOKEN", 1, b"late");
    let same = sealed(acme, "TOKEN", 2, b"as fast");
    let put = write!(world.db(), |tx| secrets::put(tx, &same, ada, later(1)));
    assert!(!put, "of two who set it at once one is told");
    let moved = write!(world.db(), |tx| secrets::reseal(tx, &late));
    assert!(!moved, "what was set anew is not sealed with the value of before");
    let kept = secrets::sealed(&mut world.conn().await, acme, "TOKEN").await.unwrap();
    assert_eq!(kept, Some(second));
    let listed = secrets::list(&mut world.conn().await, acme).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|one| (one.name.as_str(), one.version, one.set_at)).collect();
    assert_eq!(listed, [("TOKEN", 2, later(1))]);

    let removed = write!(world.db(), |tx| secrets::remove(tx, acme, "TOKEN", ada, later(2)));
    let again = write!(world.db(), |tx| secrets::remove(tx, acme, "TOKEN", ada, later(3)));
    assert_eq!((removed, again), (true, false));
    let mut conn = world.conn().await;
    assert_eq!(secrets::sealed(&mut conn, acme, "TOKEN").await.unwrap(), None);
    assert!(secrets::list(&mut conn, acme).await.unwrap().is_empty());
    assert_eq!(secrets::number(&mut conn, acme, "TOKEN").await.unwrap(), Some(2), "a new value begins behind it");
}

#[rstest]
#[tokio::test]
async fn releases_end_with_their_secret(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (acme, ada, skill) = (world.acme, Some(world.ada), SkillId::new(NOW));
    for name in ["A", "B"] {
        let secret = sealed(acme, name, 1, name.as_bytes());
        write!(world.db(), |tx| secrets::put(tx, &secret, ada, NOW));
    }
    let release = |name: &str, bytes: &[u8]| NewRelease {
        publisher: acme,
        name: name.to_owned(),
        skill,
        digest: Digest::of(bytes),
        reference: "@acme/pdf@1.0.0".to_owned(),
        by: ada,
        now: NOW,
    };
    for (name, bytes, new) in [("A", b"one", true), ("A", b"one", false), ("A", b"two", true), ("B", b"one", true)] {
        let release = release(name, bytes);
        let made = write!(world.db(), |tx| secrets::grant(tx, &release));
        assert_eq!(made, new);
    }
    let digest = Digest::of(b"two");
    let gone = write!(world.db(), |tx| secrets::revoke(tx, acme, "A", skill, &digest));
    assert!(gone);
    let left = secrets::released_to(&mut world.conn().await, acme, "A", skill).await.unwrap();
    assert_eq!(left, [Digest::of(b"one")]);
    write!(world.db(), |tx| secrets::remove(tx, acme, "A", ada, later(1)));
    let left = secrets::releases(&mut world.conn().await, acme).await.unwrap();
    assert_eq!(left.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["B"]);
    let every = secrets::every(&mut world.conn().await, None, 10).await.unwrap();
    assert_eq!(every.len(), 1);
    let after = secrets::every(&mut world.conn().await, Some((acme, "B")), 10).await.unwrap();
    assert!(after.is_empty());
}
