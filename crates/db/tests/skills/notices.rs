//! Notices reach one person, and are read once.

use kontor_db::notices::{self, Audience, Message, NoticeKind};
use kontor_db::versions::VersionState;
use kontor_db::{activations, members};
use kontor_types::{Role, Visibility};
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
    for (kind, text, at) in [(NoticeKind::Held, "held", 1), (NoticeKind::Admitted, "admitted", 2)] {
        let message = Message { kind, reason: "because", text };
        write!(world.db(), |tx| notices::insert(tx, ada, version, &message, later(at)));
    }
    let mut conn = world.conn().await;
    let told = notices::of_person(&mut conn, ada, None, 10).await.unwrap();
    let texts: Vec<&str> = told.iter().map(|notice| notice.text.as_str()).collect();
    assert_eq!(
        (texts, told[0].slug.as_str(), told[0].number.to_string()),
        (vec!["admitted", "held"], "pdf", "2.0.0".to_owned())
    );
    assert_eq!((told[0].kind, told[0].reason.as_str()), (NoticeKind::Admitted, "because"));
    let older = notices::of_person(&mut conn, ada, Some(told[0].id), 10).await.unwrap();
    assert_eq!(older.iter().map(|notice| notice.id).collect::<Vec<_>>(), [told[1].id]);
    assert_eq!(notices::unread(&mut conn, ada).await.unwrap(), 2);
    assert_eq!(notices::unread(&mut conn, bob).await.unwrap(), 0);
    assert!(notices::of_person(&mut conn, bob, None, 10).await.unwrap().is_empty());
    let read = |person, id, at| {
        world.db().write(move |tx| Box::pin(async move { notices::read(tx, person, &[id], later(at)).await }))
    };
    assert_eq!(read(bob, told[0].id, 3).await.unwrap(), 0, "only whoever it is for");
    assert_eq!((read(ada, told[0].id, 3).await.unwrap(), read(ada, told[0].id, 4).await.unwrap()), (1, 0));
    let read: Vec<_> =
        notices::of_person(&mut conn, ada, None, 10).await.unwrap().iter().map(|one| one.read_at).collect();
    assert_eq!(read, [Some(later(3)), None], "what was not shown stays unread");
    let newest = told[0].id;
    assert_eq!(write!(world.db(), |tx| notices::read_up_to(tx, bob, newest, later(5))), 0);
    assert_eq!(write!(world.db(), |tx| notices::read_up_to(tx, ada, newest, later(5))), 1);
    assert_eq!(notices::unread(&mut conn, ada).await.unwrap(), 0);
}

#[rstest]
#[case::public(Visibility::Public, &["ada", "bob", "eve"])]
#[case::of_the_organisation(Visibility::Organisation, &["ada", "bob"])]
#[case::private(Visibility::Private, &["ada"])]
#[tokio::test]
async fn those_who_have_a_skill_active_and_may_open_it_are_told(
    #[case] visibility: Visibility,
    #[case] told: &[&str],
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", visibility).await;
    let (old, new) = (
        world.version(pdf, "2.0.0", VersionState::Visible, NOW).await,
        world.version(pdf, "3.0.0", VersionState::Rejected, NOW).await,
    );
    let (acme, ada, bob, eve) = (world.acme, world.ada, world.bob, world.eve);
    write!(world.db(), |tx| members::put(tx, acme, ada, Role::Maintainer, NOW));
    write!(world.db(), |tx| members::put(tx, acme, bob, Role::Member, NOW));
    for person in [ada, bob, eve] {
        write!(world.db(), |tx| activations::put(tx, person, (pdf, old), NOW));
    }
    let message = Message { kind: NoticeKind::Rejected, reason: "", text: "refused" };
    let everybody = Audience::default();
    let sent = write!(world.db(), |tx| notices::tell_holders(tx, (pdf, new), &everybody, &message, later(1)));
    assert_eq!(sent, told.len() as u64);
    let mut reached = Vec::new();
    for (name, person) in [("ada", ada), ("bob", bob), ("eve", eve)] {
        let notices = notices::of_person(&mut world.conn().await, person, None, 10).await.unwrap();
        reached.extend((!notices.is_empty()).then_some(name));
    }
    assert_eq!(reached, told);
    let sent = write!(world.db(), |tx| async {
        let others = Audience { except: &[ada], ..Audience::default() };
        notices::tell_holders(tx, (pdf, new), &others, &message, later(2)).await
    });
    assert_eq!(sent, told.len() as u64 - 1, "who knows already is not told");
    let of_the_new = Audience { version: Some(new), ..Audience::default() };
    let sent = write!(world.db(), |tx| notices::tell_holders(tx, (pdf, new), &of_the_new, &message, later(3)));
    assert_eq!(sent, 0, "nobody has that version");
}
