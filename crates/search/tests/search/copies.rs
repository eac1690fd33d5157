//! Of several skills with the same text one stands for all.

use kontor_search::{Filters, Mode, Query, Sort};
use kontor_types::{Handle, PageSize, PersonId, Role, SkillId, Timestamp, Viewer, Visibility};
use rstest::rstest;

use crate::world::{World, slugs};

/// A meter of Acme, three copies of it, one of them private, and something else.
fn world() -> World {
    let mut world = World::new();
    let original = world.add("acme", "gas-meter", "reads gas meters").skill;
    for (handle, slug) in [("other", "my-meter"), ("third", "meter-reader"), ("secret", "hidden-meter")] {
        let copy = world.add(handle, slug, "reads gas meters and more");
        copy.copy_of = Some(original);
        if handle == "secret" {
            copy.visibility = Visibility::Private;
        }
    }
    world.add("acme", "water-meter", "reads water meters");
    world
}

fn shown(query: &Query<'_>) -> (Vec<(String, u64)>, u64) {
    let hits = world().index().search(query).unwrap();
    (hits.items.iter().map(|hit| (hit.slug.to_string(), hit.copies)).collect(), hits.total.count)
}

#[rstest]
#[case::relevance(Sort::Relevance)]
#[case::updated(Sort::Updated)]
fn copies_hide_behind_their_original(#[case] sort: Sort) {
    let viewer = Viewer::anonymous();
    let (items, total) = shown(&Query { sort, ..Query::new("reads gas meters", &viewer) });
    assert_eq!(items.iter().find(|(slug, _)| slug == "gas-meter").unwrap().1, 2, "the private one is not counted");
    assert_eq!(total, items.len() as u64);
    assert!(!items.iter().any(|(slug, _)| slug == "my-meter" || slug == "meter-reader"), "{items:?}");
    let (all, total) = shown(&Query { sort, all: true, ..Query::new("reads gas meters", &viewer) });
    assert!(all.iter().any(|(slug, copies)| slug == "my-meter" && *copies == 0) && total == items.len() as u64 + 2);
}

#[test]
fn whoever_may_see_more_copies_counts_more() {
    let mut world = world();
    let secret = world.publisher("secret");
    let viewer = Viewer::person(PersonId::new(Timestamp::from_millis(1)), vec![(secret, Role::Owner)]);
    let hits = world.index().search(&Query::new("gas meters", &viewer)).unwrap();
    assert_eq!(hits.items.iter().map(|hit| hit.copies).max(), Some(3));
}

#[test]
fn the_longest_there_stands_in_for_an_original_that_does_not_answer() {
    let viewer = Viewer::anonymous();
    let (items, _) = shown(&Query::new("more", &viewer));
    assert_eq!(items, [("my-meter".to_owned(), 1)]);
    let mut world = World::new();
    let gone = SkillId::new(Timestamp::from_millis(1));
    for slug in ["one", "two"] {
        world.add("acme", slug, "reads meters").copy_of = Some(gone);
    }
    let hits = world.index().search(&Query::new("meters", &viewer)).unwrap();
    assert_eq!((slugs(&hits), hits.items[0].copies), (vec!["one"], 1));
}

#[rstest]
#[case::name("my-meter", Mode::Words)]
#[case::reference("@other/my-meter", Mode::Words)]
#[case::publisher("other", Mode::Words)]
#[case::beginning("my", Mode::Prefix)]
#[case::exact("my-meter", Mode::Exact)]
fn what_is_named_is_shown(#[case] text: &str, #[case] mode: Mode) {
    let viewer = Viewer::anonymous();
    let (items, _) = shown(&Query { mode, ..Query::new(text, &viewer) });
    assert_eq!(items[0].0, "my-meter", "{items:?}");
}

#[test]
fn filters_and_facets_count_what_is_shown() {
    let viewer = Viewer::anonymous();
    let filters = Filters { publisher: Some(Handle::parse("third").unwrap()), ..Filters::default() };
    let (items, total) = shown(&Query { filters, ..Query::new("meters", &viewer) });
    assert_eq!((items, total), (vec![("meter-reader".to_owned(), 0)], 1));
    let hits = world().index().search(&Query { facets: 9, ..Query::new("meters", &viewer) }).unwrap();
    let publishers = hits.facets.iter().find(|facet| facet.name == "publisher").unwrap();
    let counted: Vec<_> = publishers.values.iter().map(|value| (value.value.as_str(), value.count)).collect();
    assert_eq!(counted, [("acme", 2)]);
}

#[test]
fn pages_show_each_group_once() {
    let viewer = Viewer::anonymous();
    let mut world = World::new();
    for number in 0..30 {
        let original = world.add("acme", &format!("meter-{number}"), "reads meters").skill;
        for copy in 0..3 {
            world.add("other", &format!("copy-{number}-{copy}"), "reads meters").copy_of = Some(original);
        }
    }
    let index = world.index();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let query = Query { page: PageSize::clamped(7), after, ..Query::new("meters", &viewer) };
        let hits = index.search(&query).unwrap();
        assert_eq!(hits.total.count, 30);
        assert!(hits.items.iter().all(|hit| hit.copies == 3));
        seen.extend(hits.items.iter().map(|hit| hit.slug.to_string()));
        after = hits.next;
        if after.is_none() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 30);
}
