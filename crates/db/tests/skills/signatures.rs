//! Publishers' keys, and the versions that were signed with them.

use kontor_db::publisher_keys::{self, PublisherKey};
use kontor_db::version_signatures::{self, VersionSignature};
use kontor_db::versions::{self, VersionState};
use kontor_db::{Error, purge, skills};
use kontor_types::{PublisherId, Timestamp, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

fn key(publisher_id: PublisherId, name: &str, registered_at: Timestamp) -> PublisherKey {
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

#[rstest]
#[tokio::test]
async fn a_version_shows_who_signed_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let acme = world.acme;
    let skill = world.skill(acme, "pdf", Visibility::Public).await;
    let mut signed = Vec::new();
    for (number, taken_at) in [("1.1.0", later(10)), ("1.2.0", later(20))] {
        let version = world.version(skill, number, VersionState::Visible, taken_at).await;
        signed.push(VersionSignature {
            version_id: version,
            publisher_id: acme,
            key_id: "one".into(),
            envelope: vec![0, 159, 146, 150],
            taken_at,
        });
    }
    let rows = signed.clone();
    let one = key(acme, "one", later(1));
    write!(world.db(), |tx| async {
        publisher_keys::insert(tx, &one).await?;
        for row in &rows {
            version_signatures::insert(tx, row).await?;
        }
        publisher_keys::revoke(tx, acme, "one", (later(20), "lost"), later(30)).await
    });
    let mut conn = world.conn().await;
    let viewer = world.stranger();
    let ids: Vec<_> = signed.iter().map(|row| row.version_id).collect();
    let mut shown = versions::find_many(&mut conn, &viewer, &ids).await.unwrap();
    shown.sort_by(|left, right| left.number.cmp(&right.number));
    let seen: Vec<_> = shown.iter().map(|version| version.signature().unwrap()).collect();
    assert_eq!((seen[0].publisher.as_str(), seen[0].key_id.as_str()), ("acme", "one"));
    assert_eq!((seen[0].public_key.as_str(), seen[0].taken_at), ("publisher:one", later(10)));
    assert_eq!(seen.iter().map(versions::Signature::counts).collect::<Vec<_>>(), [true, false]);
    let unsigned = versions::by_number(&mut conn, &viewer, skill, &"1.0.0".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(unsigned.signature(), None);
    let kept = version_signatures::of_version(&mut conn, signed[0].version_id).await.unwrap();
    assert_eq!(kept.as_ref(), Some(&signed[0]));

    let listed = version_signatures::by_key(&mut conn, (acme, "one"), later(10), None, 1).await.unwrap();
    assert_eq!(
        listed.iter().map(|row| (row.version_id, row.skill_id)).collect::<Vec<_>>(),
        [(signed[0].version_id, skill)]
    );
    let rest = version_signatures::by_key(&mut conn, (acme, "one"), later(10), Some(listed[0].version_id), 9).await;
    assert_eq!(rest.unwrap().len(), 1);
    let late = version_signatures::by_key(&mut conn, (acme, "one"), later(11), None, 9).await.unwrap();
    assert_eq!(late.iter().map(|row| row.version_id).collect::<Vec<_>>(), [signed[1].version_id]);
    let foreign = version_signatures::by_key(&mut conn, (world.other, "one"), NOW, None, 9).await.unwrap();
    assert_eq!(foreign, []);

    write!(world.db(), |tx| skills::set_deleted(tx, skill, Some(later(40))));
    write!(world.db(), |tx| purge::remove(tx, skill));
    assert_eq!(version_signatures::of_version(&mut conn, signed[0].version_id).await.unwrap(), None);
}
