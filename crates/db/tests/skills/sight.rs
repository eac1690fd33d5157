//! Who sees what: the predicate in SQL and the rule in `Viewer` say the same, for every read.

use kontor_db::skills::{Filter, Sort};
use kontor_db::versions::VersionState;
use kontor_db::{skill_names, skills, tags, version_files, versions};
use kontor_types::{PageSize, Role, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, handle, number, slug};
use crate::support::On;

/// Everybody who may look, with a name for messages.
fn viewers(world: &World) -> Vec<(String, Viewer)> {
    let mut all = vec![
        ("anonymous".to_owned(), Viewer::anonymous()),
        ("stranger".to_owned(), world.stranger()),
        ("hub".to_owned(), Viewer::hub()),
    ];
    for role in Role::ALL {
        let memberships = vec![(world.other, Role::Owner), (world.acme, *role)];
        all.push((role.to_string(), Viewer::person(world.bob, memberships)));
    }
    all
}

#[rstest]
#[tokio::test]
async fn every_read_agrees_with_the_rule(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let mut conn = world.conn().await;
    for visibility in Visibility::ALL.iter().copied() {
        let name = visibility.as_str();
        let id = world.skill(world.acme, name, visibility).await;
        let version = versions::by_number(&mut conn, &Viewer::hub(), id, &number("1.0.0")).await.unwrap().unwrap();
        for (who, viewer) in viewers(&world) {
            let opens = viewer.may_open(world.acme, visibility);
            let lists = viewer.may_list(world.acme, visibility);
            let case = format!("{who} looks at a skill that is {name}");
            let found = skills::find(&mut conn, &viewer, id).await.unwrap();
            assert_eq!(found.is_some(), opens, "find: {case}");
            let found = skill_names::resolve(&mut conn, &viewer, &handle("acme"), &slug(name)).await.unwrap();
            assert_eq!(found, opens.then_some(id), "resolve: {case}");
            let found = skill_names::resolve_bare(&mut conn, &viewer, &slug(name), NOW, 10).await.unwrap();
            assert_eq!(found.len(), usize::from(opens), "resolve_bare: {case}");
            let found = skills::find_many(&mut conn, &viewer, &[id]).await.unwrap();
            assert_eq!(found.len(), usize::from(opens), "find_many: {case}");
            let found = skills::listed(&mut conn, &viewer, &[id]).await.unwrap();
            assert_eq!(found.len(), usize::from(lists), "listed: {case}");
            let filter = Filter { prefix: Some(name.to_owned()), ..Filter::default() };
            let found = skills::list(&mut conn, &viewer, &filter, Sort::Updated, PageSize::default(), None);
            assert_eq!(found.await.unwrap().unwrap().items.len(), usize::from(lists), "list: {case}");
            let found = skills::count(&mut conn, &viewer, &filter).await.unwrap();
            assert_eq!(found, u64::from(lists), "count: {case}");
            let found = versions::find(&mut conn, &viewer, version.id).await.unwrap();
            assert_eq!(found.is_some(), opens, "version: {case}");
            let found = versions::by_number(&mut conn, &viewer, id, &version.number).await.unwrap();
            assert_eq!(found.is_some(), opens, "version by number: {case}");
            let found = versions::list(&mut conn, &viewer, id, PageSize::default(), None).await.unwrap().unwrap();
            assert_eq!(found.items.len(), usize::from(opens), "versions: {case}");
            let found = versions::candidates(&mut conn, &viewer, id).await.unwrap();
            assert_eq!(found.len(), usize::from(opens), "candidates: {case}");
            let found = versions::by_fingerprint(&mut conn, &viewer, id, &version.fingerprint).await.unwrap();
            assert_eq!(found.len(), usize::from(opens), "by fingerprint: {case}");
            let found = versions::by_digest(&mut conn, &viewer, &version.digest, 10).await.unwrap();
            let found = found.iter().filter(|version| version.skill_id == id).count();
            assert_eq!(found, usize::from(opens), "by digest: {case}");
            let found = versions::reading(&mut conn, &viewer, version.id).await.unwrap();
            assert_eq!(found.is_some(), opens, "reading: {case}");
            let found = tags::list(&mut conn, &viewer, id).await.unwrap();
            assert_eq!(found.len(), usize::from(opens), "tags: {case}");
            let found = version_files::list(&mut conn, &viewer, version.id).await.unwrap();
            assert!(found.is_empty(), "this version has no files");
        }
    }
}

/// What was done to a public skill, and who opens and lists it afterwards: anonymous, member, maintainer, hub.
#[rstest]
#[case::nothing("", [true; 4], [true; 4])]
#[case::hidden("hidden", [false, false, true, true], [false; 4])]
#[case::deleted("deleted", [false; 4], [false; 4])]
#[case::held("held", [false, false, true, true], [false; 4])]
#[case::version_hidden("version_hidden", [false, false, true, true], [false; 4])]
#[case::yanked("yanked", [true; 4], [false; 4])]
#[tokio::test]
async fn states_hide_a_public_skill(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] done: &str,
    #[case] opens: [bool; 4],
    #[case] lists: [bool; 4],
) {
    let Some(world) = World::new(on).await else { return };
    let id = world.skill(world.acme, "pdf", Visibility::Public).await;
    let mut conn = world.conn().await;
    let version = versions::by_number(&mut conn, &Viewer::hub(), id, &number("1.0.0")).await.unwrap().unwrap().id;
    let done = done.to_owned();
    write!(world.db(), |tx| async {
        match done.as_str() {
            "hidden" => return skills::set_hidden(tx, id, Some((NOW, "spam"))).await,
            "deleted" => return skills::set_deleted(tx, id, Some(NOW)).await,
            "held" => versions::set_state(tx, version, VersionState::Held).await?,
            "version_hidden" => versions::set_hidden(tx, version, Some((NOW, "oops"))).await?,
            "yanked" => versions::set_yanked(tx, version, Some((NOW, "broken"))).await?,
            _ => return Ok(()),
        }
        skills::set_latest(tx, id, None).await
    });
    let maintainer = Viewer::person(world.bob, vec![(world.acme, Role::Maintainer)]);
    for (place, viewer) in [Viewer::anonymous(), world.member(), maintainer, Viewer::hub()].iter().enumerate() {
        assert_eq!(skills::find(&mut conn, viewer, id).await.unwrap().is_some(), opens[place], "open {place}");
        assert_eq!(skills::listed(&mut conn, viewer, &[id]).await.unwrap().len(), usize::from(lists[place]), "{place}");
        let seen = versions::find(&mut conn, viewer, version).await.unwrap().is_some();
        assert_eq!(seen, opens[place], "version {place}");
    }
}
