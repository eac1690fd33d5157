//! Who signed a version, and what a key signed.

use kontor_db::version_signatures::{self, VersionSignature};
use kontor_db::versions::{self, VersionState};
use kontor_db::{publisher_keys, purge, skills};
use kontor_types::Visibility;
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::publisher_keys::key;
use crate::support::On;

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
