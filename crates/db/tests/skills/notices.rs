//! Notices reach one person, and are read once.

use kontor_db::notices;
use kontor_db::versions::VersionState;
use kontor_types::Visibility;
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn notices_reach_one_person(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let version = world.version(pdf, "2.0.0", VersionState::Held, NOW).await;
    let (ada, bob) = (world.ada, world.bob);
    write!(world.db(), |tx| notices::insert(tx, ada, version, "held", later(1)));
    write!(world.db(), |tx| notices::insert(tx, ada, version, "admitted", later(2)));
    let mut conn = world.conn().await;
    let told = notices::of_person(&mut conn, ada, 10).await.unwrap();
    let texts: Vec<&str> = told.iter().map(|notice| notice.text.as_str()).collect();
    assert_eq!(
        (texts, told[0].slug.as_str(), told[0].number.to_string()),
        (vec!["admitted", "held"], "pdf", "2.0.0".to_owned())
    );
    assert!(notices::of_person(&mut conn, bob, 10).await.unwrap().is_empty());
    let read = |person, id, at| {
        world.db().write(move |tx| Box::pin(async move { notices::read(tx, person, &[id], later(at)).await }))
    };
    assert_eq!(read(bob, told[0].id, 3).await.unwrap(), 0, "only whoever it is for");
    assert_eq!((read(ada, told[0].id, 3).await.unwrap(), read(ada, told[0].id, 4).await.unwrap()), (1, 0));
    let read: Vec<_> = notices::of_person(&mut conn, ada, 10).await.unwrap().iter().map(|one| one.read_at).collect();
    assert_eq!(read, [Some(later(3)), None], "what was not shown stays unread");
}
