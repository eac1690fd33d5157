//! Activations: one version a person and skill, and nobody else's.

use kontor_db::notices::{self, Audience, Message, NoticeKind};
use kontor_db::versions::VersionState;
use kontor_db::{activations, members};
use kontor_types::{Role, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn one_version_of_a_skill_is_live_for_a_person(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let doc = world.skill(world.acme, "doc", Visibility::Public).await;
    let first = world.version(pdf, "2.0.0", VersionState::Visible, NOW).await;
    let second = world.version(pdf, "3.0.0", VersionState::Visible, NOW).await;
    let other = world.version(doc, "2.0.0", VersionState::Visible, NOW).await;
    let (ada, bob) = (world.ada, world.bob);
    for (skill, version, at) in [(pdf, first, 0), (doc, other, 1), (pdf, second, 2)] {
        write!(world.db(), |tx| activations::put(tx, ada, (skill, version), later(at)));
    }
    let live = async |person| {
        let rows = activations::of(&mut world.conn().await, person).await.unwrap();
        rows.into_iter().map(|row| (row.skill_id, row.version_id)).collect::<Vec<_>>()
    };
    assert_eq!(live(ada).await, [(pdf, second), (doc, other)], "in the order in which the skills became live");
    assert_eq!(live(bob).await, []);
    assert_eq!(write!(world.db(), |tx| activations::others(tx, ada, pdf)), 1);
    assert!(!write!(world.db(), |tx| activations::remove(tx, bob, pdf)));
    assert!(write!(world.db(), |tx| activations::remove(tx, ada, pdf)));
    assert_eq!(live(ada).await, [(doc, other)]);
}

#[rstest]
#[tokio::test]
async fn who_has_a_skill_is_counted_and_named_to_those_who_may_know_them(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let first = world.version(pdf, "2.0.0", VersionState::Visible, NOW).await;
    let second = world.version(pdf, "3.0.0", VersionState::Visible, NOW).await;
    let held = world.version(pdf, "4.0.0", VersionState::Held, NOW).await;
    let (acme, ada, bob, eve) = (world.acme, world.ada, world.bob, world.eve);
    for person in [ada, bob] {
        write!(world.db(), |tx| members::put(tx, acme, person, Role::Member, NOW));
    }
    for (person, version) in [(ada, first), (bob, second), (eve, second)] {
        write!(world.db(), |tx| activations::put(tx, person, (pdf, version), NOW));
    }
    let mut conn = world.conn().await;
    let versions = activations::held_versions(&mut conn, pdf).await.unwrap();
    let counted: Vec<_> = versions.iter().map(|one| (one.number.to_string(), one.people)).collect();
    assert_eq!(counted, [("3.0.0".to_owned(), 2), ("2.0.0".to_owned(), 1)]);
    let message = Message { kind: NoticeKind::Rejected, reason: "", text: "refused" };
    write!(world.db(), |tx| async {
        let but_bob = Audience { except: &[bob], ..Audience::default() };
        notices::tell_holders(tx, (pdf, held), &but_bob, &message, later(1)).await
    });
    let id = notices::of_person(&mut conn, ada, None, 10).await.unwrap()[0].id;
    write!(world.db(), |tx| notices::read(tx, ada, &[id], later(2)));
    let known = activations::known(&mut conn, pdf, held).await.unwrap();
    assert_eq!((known.told, known.read), (2, 1));
    let mut named = async |viewer: &Viewer| {
        let holders = activations::holders(&mut conn, viewer, (pdf, held), 10).await.unwrap();
        let shown =
            holders.into_iter().map(|one| (one.person.to_string(), one.told_at.is_some(), one.read_at.is_some()));
        shown.collect::<Vec<_>>()
    };
    let name = |name: &str, told, read| (name.to_owned(), told, read);
    let (of_ada, of_bob) = (name("ada", true, true), name("bob", false, false));
    assert_eq!(named(&Viewer::hub()).await, [of_ada.clone(), of_bob.clone(), name("eve", true, false)]);
    assert_eq!(named(&world.owner()).await, [of_ada, of_bob], "of others only how many they are");
    assert_eq!(named(&Viewer::person(eve, Vec::new())).await, []);
    assert_eq!(named(&Viewer::anonymous()).await, []);
}
