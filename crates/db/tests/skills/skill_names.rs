//! Names: redirects, reservations, and what a slug without a publisher means.

use std::time::Duration;

use kontor_db::skill_names::{self, Name, NameKind};
use kontor_db::skills;
use kontor_types::{Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, handle, later, slug};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_name_is_unique_within_its_publisher(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (first, second) = (
        world.skill(world.acme, "pdf", Visibility::Public).await,
        world.skill(world.acme, "doc", Visibility::Public).await,
    );
    let taken =
        Name { publisher_id: world.acme, slug: slug("pdf"), skill_id: second, kind: NameKind::Current, until: None };
    let again = taken.clone();
    let refused = world.db().write(move |tx| Box::pin(async move { skill_names::insert(tx, &again, NOW).await })).await;
    assert!(refused.unwrap_err().is_duplicate());
    let mut conn = world.conn().await;
    assert_eq!(skill_names::get(&mut conn, world.acme, &slug("pdf")).await.unwrap().unwrap().skill_id, first);
    assert_eq!(skill_names::get(&mut conn, world.other, &slug("pdf")).await.unwrap(), None);
    let moved = taken.clone();
    write!(world.db(), |tx| skill_names::put(tx, &moved, NOW));
    assert_eq!(skill_names::get(&mut conn, world.acme, &slug("pdf")).await.unwrap(), Some(taken));
    let acme = world.acme;
    assert!(write!(world.db(), |tx| skill_names::remove(tx, acme, &slug("pdf"))));
    assert!(!write!(world.db(), |tx| skill_names::remove(tx, acme, &slug("pdf"))));
}

#[rstest]
#[tokio::test]
async fn former_names_lead_on_and_merged_ones_to_their_target(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (pdf, doc) = (
        world.skill(world.acme, "pdf", Visibility::Public).await,
        world.skill(world.acme, "doc", Visibility::Public).await,
    );
    let acme = world.acme;
    write!(world.db(), |tx| async {
        let old =
            Name { publisher_id: acme, slug: slug("old-pdf"), skill_id: pdf, kind: NameKind::Redirect, until: None };
        skill_names::insert(tx, &old, NOW).await?;
        assert_eq!(skill_names::redirect_all(tx, pdf, doc).await?, 2);
        skills::set_deleted(tx, pdf, Some(NOW)).await
    });
    let mut conn = world.conn().await;
    for name in ["doc", "pdf", "old-pdf"] {
        let found = skill_names::resolve(&mut conn, &Viewer::anonymous(), &handle("acme"), &slug(name)).await.unwrap();
        assert_eq!(found, Some(doc), "{name}");
    }
    let kinds: Vec<_> = skill_names::of_skill(&mut conn, doc)
        .await
        .unwrap()
        .into_iter()
        .map(|name| (name.slug.to_string(), name.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("doc".to_owned(), NameKind::Current),
            ("old-pdf".to_owned(), NameKind::Redirect),
            ("pdf".to_owned(), NameKind::Redirect)
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_deleted_skill_holds_its_names_back_and_gets_them_again(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let (acme, until) = (world.acme, NOW.after(Duration::from_mins(1)));
    write!(world.db(), |tx| async {
        let old = Name { publisher_id: acme, slug: slug("old"), skill_id: pdf, kind: NameKind::Redirect, until: None };
        skill_names::insert(tx, &old, NOW).await?;
        skills::set_deleted(tx, pdf, Some(NOW)).await?;
        skill_names::reserve_all(tx, pdf, until).await
    });
    let mut conn = world.conn().await;
    let (anonymous, owner) = (Viewer::anonymous(), world.owner());
    assert_eq!(skill_names::resolve(&mut conn, &Viewer::hub(), &handle("acme"), &slug("pdf")).await.unwrap(), None);
    assert_eq!(
        skill_names::resolve_reserved(&mut conn, &owner, &handle("acme"), &slug("pdf")).await.unwrap(),
        Some(pdf)
    );
    assert_eq!(
        skill_names::resolve_reserved(&mut conn, &anonymous, &handle("acme"), &slug("pdf")).await.unwrap(),
        None
    );
    assert_eq!(skill_names::expired(&mut conn, until, 10).await.unwrap(), [pdf]);
    assert!(skill_names::expired(&mut conn, later(59), 10).await.unwrap().is_empty());
    write!(world.db(), |tx| async {
        skills::set_deleted(tx, pdf, None).await?;
        skill_names::restore_all(tx, pdf).await
    });
    let names = skill_names::of_skill(&mut conn, pdf).await.unwrap();
    let kinds: Vec<_> = names.iter().map(|name| (name.slug.as_str(), name.kind, name.until)).collect();
    assert_eq!(kinds, [("old", NameKind::Redirect, None), ("pdf", NameKind::Current, None)]);
}

/// Who holds the slug `pdf`, and whom a bare `pdf` may mean to a stranger.
#[rstest]
#[case::one(&[("acme", NameKind::Current, Visibility::Public)], &["acme current"])]
#[case::two(&[("acme", NameKind::Current, Visibility::Public), ("other", NameKind::Current, Visibility::Public)],
    &["acme current", "other current"])]
#[case::former_name_counts(&[("acme", NameKind::Redirect, Visibility::Public), ("other", NameKind::Current, Visibility::Public)],
    &["acme redirect", "other current"])]
#[case::hidden_from_them(&[("acme", NameKind::Current, Visibility::Private), ("other", NameKind::Current, Visibility::Public)],
    &["other current"])]
#[case::deleted_blocks(&[("acme", NameKind::Reserved, Visibility::Public), ("other", NameKind::Current, Visibility::Public)],
    &["acme reserved", "other current"])]
#[case::deleted_private_does_not_block(
    &[("acme", NameKind::Reserved, Visibility::Private), ("other", NameKind::Current, Visibility::Public)],
    &["other current"])]
#[tokio::test]
async fn what_a_bare_slug_means(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] held: &'static [(&'static str, NameKind, Visibility)],
    #[case] expected: &'static [&'static str],
) {
    let Some(world) = World::new(on).await else { return };
    for (publisher, kind, visibility) in held {
        let publisher = if *publisher == "acme" { world.acme } else { world.other };
        let skill = world.skill(publisher, "pdf", *visibility).await;
        write!(world.db(), |tx| async {
            match kind {
                NameKind::Current => Ok(()),
                NameKind::Redirect => {
                    skills::set_name(tx, skill, publisher, &slug("renamed"), "renamed").await?;
                    let name =
                        Name { publisher_id: publisher, slug: slug("pdf"), skill_id: skill, kind: *kind, until: None };
                    skill_names::put(tx, &name, NOW).await
                }
                NameKind::Reserved => {
                    skills::set_deleted(tx, skill, Some(NOW)).await?;
                    skill_names::reserve_all(tx, skill, later(60)).await.map(|_| ())
                }
            }
        });
    }
    let mut conn = world.conn().await;
    let found = skill_names::resolve_bare(&mut conn, &Viewer::anonymous(), &slug("pdf"), NOW, 10).await.unwrap();
    let found: Vec<String> = found.iter().map(|one| format!("{} {}", one.publisher, one.kind)).collect();
    assert_eq!(found, expected);
    let after = skill_names::resolve_bare(&mut conn, &Viewer::anonymous(), &slug("pdf"), later(61), 10).await.unwrap();
    assert!(after.iter().all(|one| one.kind != NameKind::Reserved), "a reservation ends");
}
