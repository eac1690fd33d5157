//! What runs were seen to do: counted, bounded, and shown to whom it may be.

use kontor_db::observed::{self, Behaviour, Seen};
use kontor_types::{Digest, VersionId, Viewer};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_publishers_runs_are_seen_by_its_admins_until_it_shares(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (digest, acme, other) = (Digest::of(b"bytes"), world.acme, world.other);
    let host = |name: &str| Seen { kind: Behaviour::Connected, name: name.to_owned(), known: false };
    let key = Seen { kind: Behaviour::WantedVariable, name: "ACME_KEY".to_owned(), known: true };
    let others = Seen { kind: Behaviour::Connected, name: String::new(), known: true };
    for (publisher, seen, at) in [
        (acme, vec![host("intern.acme.example:443"), key], NOW),
        (acme, vec![host("intern.acme.example:443")], later(1)),
        (other, vec![host("api.example.com:443"), others], later(2)),
    ] {
        write!(world.db(), |tx| observed::add(tx, &digest, publisher, &seen, at));
    }
    let names = |viewer: Viewer| {
        let world = &world;
        async move {
            let (runs, items) = observed::visible(&mut world.conn().await, &viewer, &digest).await.unwrap();
            (runs, items.into_iter().map(|one| (one.name, one.runs)).collect::<Vec<_>>())
        }
    };
    let acmes = vec![("intern.acme.example:443".to_owned(), 2), ("ACME_KEY".to_owned(), 1)];
    assert_eq!(names(Viewer::anonymous()).await, (0, vec![]));
    assert_eq!(names(world.member()).await, (0, vec![]), "a member may not see all runs of others");
    assert_eq!(names(world.owner()).await, (2, acmes.clone()));
    assert_eq!(names(Viewer::hub()).await.0, 3);

    write!(world.db(), |tx| observed::share(tx, other, true, NOW));
    assert_eq!(names(Viewer::anonymous()).await, (1, vec![(String::new(), 1)]), "a host that the bytes do not hold");
    assert_eq!(names(world.owner()).await, (3, [vec![(String::new(), 1)], acmes].concat()));
    write!(world.db(), |tx| observed::share(tx, other, false, NOW));
    assert_eq!(names(Viewer::anonymous()).await, (0, vec![]));
    let elsewhere = observed::visible(&mut world.conn().await, &Viewer::hub(), &Digest::of(b"others")).await.unwrap();
    assert_eq!(elsewhere, (0, vec![]));
}

#[rstest]
#[tokio::test]
async fn only_what_is_new_is_said_and_no_run_fills_the_table(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (digest, acme, version) = (Digest::of(b"bytes"), world.acme, VersionId::new(NOW));
    write!(world.db(), |tx| observed::add(tx, &digest, acme, &[], NOW));
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    for (said, new) in [(one, true), (one, false), (two, true)] {
        let own = write!(world.db(), |tx| observed::say(tx, &digest, acme, &said));
        let open = write!(world.db(), |tx| observed::say_openly(tx, version, &said));
        assert_eq!((own, open), (new, new));
    }
    let host = |name: String| Seen { kind: Behaviour::WantedHost, name, known: true };
    for round in 0..6 {
        let many: Vec<_> = (0..60).map(|n| host(format!("host-{round}-{n}.example"))).collect();
        write!(world.db(), |tx| observed::add(tx, &digest, acme, &many, NOW));
    }
    let (runs, kept) = observed::of_publisher(&mut world.conn().await, &digest, acme).await.unwrap();
    assert_eq!((runs, kept.len()), (7, 120));
}
