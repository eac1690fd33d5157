//! Publishers' keys are never removed, and revoked once.

use kontor_db::Error;
use kontor_db::publisher_keys::{self, PublisherKey};
use kontor_types::{PublisherId, Timestamp};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

/// A key that somebody registered.
pub fn key(publisher_id: PublisherId, name: &str, registered_at: Timestamp) -> PublisherKey {
    PublisherKey {
        publisher_id,
        key_id: name.to_owned(),
        public_key: format!("publisher:{name}"),
        created_at: NOW,
        registered_at,
        registered_by: None,
        endorsed_by: None,
        endorsement: None,
        retired_at: None,
        revoked_from: None,
        revoked_at: None,
        revoke_reason: None,
    }
}

#[rstest]
#[tokio::test]
async fn keys_are_kept_for_ever_and_revoked_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (acme, ada) = (world.acme, world.ada);
    let first = PublisherKey { registered_by: Some(ada), ..key(acme, "one", later(1)) };
    let second = PublisherKey {
        endorsed_by: Some("one".into()),
        endorsement: Some("word".into()),
        ..key(acme, "two", later(2))
    };
    for key in [first.clone(), second.clone(), key(world.other, "one", later(3))] {
        write!(world.db(), |tx| publisher_keys::insert(tx, &key));
    }
    let again = first.clone();
    let twice = world.db().write(move |tx| Box::pin(async move { publisher_keys::insert(tx, &again).await })).await;
    assert!(matches!(twice, Err(Error::Duplicate { .. })), "{twice:?}");

    let (retired, revoked, earlier, later_on, unknown) = world
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let revoke = (later(20), "stolen");
                Ok::<_, Error>((
                    publisher_keys::retire(tx, acme, "one", later(10)).await?,
                    publisher_keys::revoke(tx, acme, "two", revoke, later(30)).await?,
                    publisher_keys::revoke(tx, acme, "two", (later(15), "stolen before"), later(31)).await?,
                    publisher_keys::revoke(tx, acme, "two", (later(25), "no"), later(32)).await?,
                    publisher_keys::retire(tx, acme, "three", later(10)).await?,
                ))
            })
        })
        .await
        .unwrap();
    assert_eq!((retired, revoked, earlier, later_on, unknown), (true, true, true, false, false));
    let mut conn = world.conn().await;
    let keys = publisher_keys::of_publisher(&mut conn, acme).await.unwrap();
    let (retired_at, revoked_from, revoked_at) = (Some(later(10)), Some(later(15)), Some(later(31)));
    let expected = [
        PublisherKey { retired_at, ..first },
        PublisherKey { revoked_from, revoked_at, revoke_reason: Some("stolen before".into()), ..second },
    ];
    assert_eq!(keys, expected);
    assert!(keys.iter().all(|key| !key.is_active()));
    let foreign = publisher_keys::find(&mut conn, world.other, "one").await.unwrap().unwrap();
    assert!(foreign.is_active(), "the same key of another publisher is another matter");
    assert_eq!(publisher_keys::find(&mut conn, world.other, "two").await.unwrap(), None);
}
