//! Skills: what is stored comes back, lists are ordered and paged, changes change what they say.

use kontor_db::skills::{self, Deprecation, Filter, Shelf, Sort};
use kontor_types::{Cursor, PageSize, Role, SkillId, Timestamp, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, facts, later, slug};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn what_is_stored_comes_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let id = world.skill(world.acme, "pdf", Visibility::Unlisted).await;
    let skill = skills::find(&mut world.conn().await, &Viewer::hub(), id).await.unwrap().unwrap();
    let facts = facts("pdf");
    assert_eq!((skill.publisher.as_str(), skill.slug.as_str()), ("acme", "pdf"));
    assert_eq!((skill.display_name, skill.description), (facts.display_name, facts.description));
    assert_eq!((skill.categories, skill.keywords, skill.license), (facts.categories, facts.keywords, facts.license));
    assert_eq!((skill.visibility, skill.spec_valid), (Visibility::Unlisted, true));
    assert_eq!(skill.latest_number.unwrap().to_string(), "1.0.0");
    assert_eq!(skill.latest_changelog.as_deref(), Some("all about 1.0.0"));
    assert_eq!((skill.stars, skill.downloads, skill.installs, skill.trending), (0, 0, 0, 0));
    assert_eq!((skill.created_at, skill.updated_at, skill.hidden_at), (NOW, NOW, None));
}

#[rstest]
#[tokio::test]
async fn changes_change_what_they_say(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (id, other) = (world.skill(world.acme, "pdf", Visibility::Private).await, world.other);
    let notice =
        Deprecation { at: later(5), message: "use better".to_owned(), successor: Some("@acme/better".to_owned()) };
    write!(world.db(), |tx| async {
        assert!(skills::lock(tx, id).await?);
        skills::touch(tx, id, later(9)).await?;
        skills::set_visibility(tx, id, Visibility::Public).await?;
        skills::set_name(tx, id, other, &slug("papers"), "papers").await?;
        skills::set_deprecation(tx, id, Some(&notice)).await
    });
    let mut conn = world.conn().await;
    let skill = skills::find(&mut conn, &Viewer::anonymous(), id).await.unwrap().unwrap();
    assert_eq!((skill.publisher.as_str(), skill.slug.as_str(), skill.updated_at), ("other", "papers", later(9)));
    assert_eq!((skill.deprecated_at, skill.successor.as_deref()), (Some(later(5)), Some("@acme/better")));
    write!(world.db(), |tx| async {
        skills::set_deprecation(tx, id, None).await?;
        skills::set_hidden(tx, id, Some((NOW, "spam"))).await
    });
    let hidden = skills::find(&mut conn, &Viewer::hub(), id).await.unwrap().unwrap();
    assert_eq!(
        (hidden.deprecation_message, hidden.hidden_at, hidden.hidden_reason.as_deref()),
        (None, Some(NOW), Some("spam"))
    );
    write!(world.db(), |tx| async {
        skills::set_hidden(tx, id, None).await?;
        skills::set_deleted(tx, id, Some(NOW)).await
    });
    assert_eq!(skills::find(&mut conn, &Viewer::hub(), id).await.unwrap(), None);
    let deleted = skills::find_maintained(&mut conn, &world.stranger(), id).await.unwrap();
    assert_eq!(deleted.map(|skill| (skill.deleted_at, skill.hidden_reason)), Some((Some(NOW), None)));
    assert_eq!(skills::find_maintained(&mut conn, &world.owner(), id).await.unwrap(), None, "it is other's now");
}

async fn names(world: &World, viewer: &Viewer, filter: &Filter, sort: Sort) -> Vec<String> {
    let mut conn = world.conn().await;
    let page = skills::list(&mut conn, viewer, filter, sort, PageSize::default(), None).await.unwrap().unwrap();
    page.items.into_iter().map(|skill| skill.slug.to_string()).collect()
}

#[rstest]
#[tokio::test]
async fn every_order_is_paged_without_gaps_or_repeats(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Sort::Updated, Sort::Created, Sort::Downloads, Sort::Installs, Sort::Stars, Sort::Trending, Sort::Name)]
    sort: Sort,
) {
    let Some(world) = World::new(on).await else { return };
    for number in 0..7 {
        let id = world.skill(world.acme, &format!("skill-{number}"), Visibility::Public).await;
        // Pairs share a time, so that the id has to break ties.
        write!(world.db(), |tx| skills::touch(tx, id, later(number / 2)));
    }
    let mut conn = world.conn().await;
    let (mut seen, mut after): (Vec<(Timestamp, SkillId)>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = skills::list(
            &mut conn,
            &Viewer::anonymous(),
            &Filter::default(),
            sort,
            PageSize::clamped(3),
            after.as_ref(),
        )
        .await
        .unwrap()
        .unwrap();
        seen.extend(page.items.iter().map(|skill| (skill.updated_at, skill.id)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 7);
    let mut expected = seen.clone();
    expected.sort_unstable();
    if sort != Sort::Name {
        expected.reverse();
    }
    if sort == Sort::Updated {
        assert_eq!(seen, expected);
    }
    expected.dedup();
    assert_eq!(expected.len(), 7);
    let foreign = Cursor::of(&[&"relevance", &1, &2]);
    let (hub, all) = (Viewer::hub(), Filter::default());
    let page = skills::list(&mut conn, &hub, &all, sort, PageSize::default(), Some(&foreign)).await.unwrap();
    assert_eq!(page, None, "a cursor of another list is refused");
}

#[rstest]
#[tokio::test]
async fn filters_choose(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let pdf_tools = world.skill(world.acme, "pdf-tools", Visibility::Public).await;
    let secret = world.skill(world.other, "pdg", Visibility::Private).await;
    let hidden = world.skill(world.acme, "hidden", Visibility::Public).await;
    let deleted = world.skill(world.acme, "deleted", Visibility::Public).await;
    world.bare_skill(world.acme, "empty", Visibility::Public, NOW).await;
    let (ada, mut special) = (world.ada, facts("pdf"));
    special.categories = vec!["law \"&\" order".to_owned(), "网络".to_owned()];
    special.license = None;
    write!(world.db(), |tx| async {
        let latest = skills::find(tx, &Viewer::hub(), pdf_tools).await?.unwrap().latest_version_id.unwrap();
        skills::set_latest(tx, pdf_tools, Some((latest, &special))).await?;
        skills::set_hidden(tx, hidden, Some((NOW, ""))).await?;
        skills::set_deleted(tx, deleted, Some(NOW)).await?;
        kontor_db::stars::add(tx, pdf, ada, NOW).await?;
        kontor_db::stars::add(tx, secret, ada, NOW).await
    });
    let open = Filter::default();
    let with = |change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    let acme = Filter { publisher: Some(world.acme), ..open.clone() };
    let starred = Filter { starred_by: Some(world.ada), ..open.clone() };
    let (anonymous, hub, stranger) = (Viewer::anonymous(), Viewer::hub(), world.stranger());
    let maintainer = Viewer::person(world.bob, vec![(world.acme, Role::Maintainer)]);
    for (case, viewer, filter, expected) in [
        ("all", &anonymous, open.clone(), vec!["pdf", "pdf-tools"]),
        ("all of the stranger", &stranger, open.clone(), vec!["pdf", "pdf-tools", "pdg"]),
        ("publisher", &hub, acme, vec!["pdf", "pdf-tools"]),
        ("starred", &anonymous, starred.clone(), vec!["pdf"]),
        ("starred, by the hub", &hub, starred, vec!["pdf", "pdg"]),
        ("prefix", &hub, with(|filter| filter.prefix = Some("PDF".to_owned())), vec!["pdf", "pdf-tools"]),
        ("prefix with a wildcard", &hub, with(|filter| filter.prefix = Some("%".to_owned())), vec![]),
        ("visibility", &hub, with(|filter| filter.visibility = Some(Visibility::Private)), vec!["pdg"]),
        ("licence", &hub, with(|filter| filter.license = Some("MIT".to_owned())), vec!["pdf", "pdg"]),
        ("category", &hub, with(|filter| filter.category = Some("office".to_owned())), vec!["pdf", "pdg"]),
        ("part of a category", &hub, with(|filter| filter.category = Some("offi".to_owned())), vec![]),
        ("odd category", &hub, with(|filter| filter.category = Some("law \"&\" order".to_owned())), vec!["pdf-tools"]),
        ("Chinese category", &hub, with(|filter| filter.category = Some("网络".to_owned())), vec!["pdf-tools"]),
        ("keyword", &hub, with(|filter| filter.keyword = Some("pdg".to_owned())), vec!["pdg"]),
        ("keyword with wildcards", &hub, with(|filter| filter.keyword = Some("50__off".to_owned())), vec![]),
        ("hidden", &hub, with(|filter| filter.shelf = Shelf::Hidden), vec!["hidden"]),
        ("hidden, to a stranger", &stranger, with(|filter| filter.shelf = Shelf::Hidden), vec![]),
        ("deleted, to a maintainer", &maintainer, with(|filter| filter.shelf = Shelf::Deleted), vec!["deleted"]),
        ("deleted, to anybody", &anonymous, with(|filter| filter.shelf = Shelf::Deleted), vec![]),
        (
            "maintained",
            &maintainer,
            with(|filter| filter.shelf = Shelf::Maintained),
            vec!["empty", "hidden", "pdf", "pdf-tools"],
        ),
    ] {
        assert_eq!(names(&world, viewer, &filter, Sort::Name).await, expected, "{case}");
        let count = skills::count(&mut world.conn().await, viewer, &filter).await.unwrap();
        assert_eq!(count, expected.len() as u64, "{case}");
    }
}

#[rstest]
#[tokio::test]
async fn a_scan_meets_every_skill_that_somebody_may_find(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.push(world.skill(world.acme, &format!("skill-{number}"), Visibility::Private).await);
    }
    let empty = world.bare_skill(world.acme, "empty", Visibility::Public, NOW).await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let rows = skills::scan(&mut world.conn().await, after, 2).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        seen.extend(rows.iter().map(|skill| skill.id));
    }
    expected.sort_unstable();
    assert_eq!(seen, expected);
    expected.push(empty);
    expected.sort_unstable();
    let mut conn = world.conn().await;
    assert_eq!(skills::of_publisher(&mut conn, world.acme).await.unwrap(), expected);
    assert!(skills::of_publisher(&mut conn, world.other).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn the_newest_are_those_published_last_that_may_be_found(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let old = world.skill(world.acme, "old", Visibility::Public).await;
    let new = world.skill(world.other, "new", Visibility::Public).await;
    let secret = world.skill(world.acme, "secret", Visibility::Private).await;
    write!(world.db(), |tx| async {
        skills::touch(tx, old, later(1)).await?;
        skills::touch(tx, new, later(2)).await?;
        skills::touch(tx, secret, later(3)).await
    });
    let mut conn = world.conn().await;
    let all = skills::newest(&mut conn, &Viewer::anonymous(), 9).await.unwrap();
    let found: Vec<_> = all.iter().map(|one| (one.id, one.publisher_id)).collect();
    assert_eq!(found, [(new, world.other), (old, world.acme)]);
    let own = skills::newest(&mut conn, &world.owner(), 1).await.unwrap();
    assert_eq!(own.iter().map(|one| one.id).collect::<Vec<_>>(), [secret]);
}
