//! What a version was taken for.

use kontor_db::resemblances::{self, Resemblance};
use kontor_db::{assessments, skills};
use kontor_types::{Version, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn what_a_version_resembles_is_told_while_everybody_may_find_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let original = world.skill(world.acme, "pdf", Visibility::Public).await;
    let copy = world.skill(world.other, "copy", Visibility::Public).await;
    let mut conn = world.conn().await;
    let number: Version = "1.0.0".parse().unwrap();
    let hub = kontor_types::Viewer::hub();
    let of = kontor_db::versions::by_number(&mut conn, &hub, original, &number).await.unwrap().unwrap().id;
    let version = kontor_db::versions::by_number(&mut conn, &hub, copy, &number).await.unwrap().unwrap().id;
    let told = assessments::subjects(&mut conn, &[version]).await.unwrap().remove(0);
    assert_eq!((told.established, told.skill_since, told.looks_like), (true, NOW, None));
    let gained = vec!["talks to evil.example".to_owned()];
    let found =
        Resemblance { copy_of: Some(of), likeness: Some(91), gained: gained.clone(), looks_like: Some(original) };
    write!(world.db(), |tx| resemblances::put(tx, version, &found));
    let told = assessments::subjects(&mut conn, &[version]).await.unwrap().remove(0);
    assert_eq!((told.copy_of.as_deref(), told.likeness), (Some("@acme/pdf@1.0.0"), Some(91)));
    assert_eq!((told.gained, told.looks_like.as_deref()), (Some(gained), Some("@acme/pdf")));
    write!(world.db(), |tx| skills::set_visibility(tx, original, Visibility::Private));
    let told = assessments::subjects(&mut conn, &[version]).await.unwrap().remove(0);
    assert_eq!((told.copy_of, told.looks_like), (None, None));
    write!(world.db(), |tx| resemblances::put(tx, version, &Resemblance::default()));
    let told = assessments::subjects(&mut conn, &[version]).await.unwrap().remove(0);
    assert_eq!((told.likeness, told.gained), (None, None));
}
