//! Orders, and pages without gaps or duplicates.

use kontor_search::{Document, Error, Index, Mode, Query, Sort};
use kontor_types::{Cursor, PageSize, SkillId, Timestamp, Viewer};
use rstest::rstest;

use crate::world::World;

/// More documents than the second look takes in, many of them equal in every respect but their id.
fn world() -> World {
    let mut world = World::new();
    for place in 0..150_u64 {
        let handle = ["acme", "zoo", "parser"][usize::try_from(place % 3).unwrap()];
        let document = world.add(handle, &format!("parser-{place}"), "Reads log files quickly.");
        document.body = ["Rotate log files.", "Quickly reads.", "Log files of servers."][(place % 3) as usize].into();
        document.downloads = place % 7;
        document.installs = place % 5;
        document.stars = place % 2;
        document.trending = f64::from(u32::try_from(place % 4).unwrap()) / 3.0;
        document.updated = Timestamp::from_millis(i64::try_from(place % 11).unwrap());
    }
    world
}

fn all(index: &Index, query: &Query<'_>) -> Vec<SkillId> {
    let mut query = query.clone();
    let mut found = Vec::new();
    for _ in 0..1_000 {
        let hits = index.search(&query).unwrap();
        assert_eq!(hits.items.len(), hits.items.len().min(query.page.get() as usize));
        found.extend(hits.items.iter().map(|hit| hit.skill));
        match hits.next {
            Some(next) => query.after = Some(next),
            None => return found,
        }
    }
    found
}

#[rstest]
fn pages_hold_every_match_once_and_in_the_same_order(
    #[values(
        Sort::Relevance,
        Sort::Updated,
        Sort::Created,
        Sort::Downloads,
        Sort::Installs,
        Sort::Stars,
        Sort::Trending
    )]
    sort: Sort,
    #[values("", "read log files quickly", "parser", "parser-7")] text: &str,
    #[values(Mode::Words, Mode::Prefix)] mode: Mode,
) {
    let (world, viewer) = (world(), Viewer::anonymous());
    let index = world.index();
    let query = |size| Query { sort, mode, page: PageSize::clamped(size), ..Query::new(text, &viewer) };
    let whole = index.search(&query(200)).unwrap();
    let whole: Vec<SkillId> = whole.items.iter().map(|hit| hit.skill).collect();
    for size in [1, 7, 49, 149] {
        assert_eq!(all(&index, &query(size)), whole, "pages of {size}");
    }
    let mut once = whole.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), whole.len());
    assert_eq!(index.search(&query(1)).unwrap().total.count, whole.len() as u64);
}

#[rstest]
#[case(Sort::Downloads, |document: &Document| document.downloads.cast_signed())]
#[case(Sort::Installs, |document: &Document| document.installs.cast_signed())]
#[case(Sort::Stars, |document: &Document| document.stars.cast_signed())]
#[case(Sort::Updated, |document: &Document| document.updated.micros())]
#[case(Sort::Created, |document: &Document| document.created.micros())]
#[case(Sort::Trending, |document: &Document| document.trending.to_bits().cast_signed())]
fn the_largest_comes_first(#[case] sort: Sort, #[case] value: fn(&Document) -> i64) {
    let (world, viewer) = (world(), Viewer::anonymous());
    let query = Query { sort, page: PageSize::clamped(200), ..Query::new("", &viewer) };
    let hits = world.index().search(&query).unwrap();
    let document = |skill: SkillId| world.documents.iter().find(|document| document.skill == skill).unwrap();
    let values: Vec<i64> = hits.items.iter().map(|hit| value(document(hit.skill))).collect();
    assert_eq!(values.len(), 150);
    assert!(values.is_sorted_by(|left, right| left >= right), "{values:?}");
}

#[rstest]
#[case("")]
#[case("zz")]
#[case("317e327e33")]
fn a_strange_cursor_is_refused(#[case] cursor: &str) {
    let (index, viewer) = (world().index(), Viewer::anonymous());
    let after: Cursor = cursor.parse().unwrap();
    let answer = index.search(&Query { after: Some(after), ..Query::new("log", &viewer) });
    assert!(matches!(answer, Err(Error::Cursor)), "{answer:?}");
}

#[test]
fn scores_fall_and_stay_below_one_unless_named() {
    let (index, viewer) = (world().index(), Viewer::anonymous());
    let hits = index.search(&Query { page: PageSize::clamped(200), ..Query::new("parser-7", &viewer) }).unwrap();
    let scores: Vec<f32> = hits.items.iter().map(|hit| hit.score).collect();
    assert!(scores.is_sorted_by(|left, right| left >= right), "{scores:?}");
    assert!(scores[0] >= 2.0 && scores[1] < 1.0, "{scores:?}");
    let hits = index.search(&Query::new("zoo", &viewer)).unwrap();
    assert!(hits.items.iter().all(|hit| hit.handle.as_str() == "zoo" && hit.score >= 1.0));
}
