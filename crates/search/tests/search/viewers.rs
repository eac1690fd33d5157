//! Nothing that a viewer may not list shows anywhere: not as an item, count, facet, suggestion or mended word.

use kontor_search::{Index, Mode, Query, Sort};
use kontor_types::{PersonId, PublisherId, Role, Timestamp, Viewer, Visibility};
use rstest::rstest;

use crate::world::{World, slugs};

const WORD: &str = "xylophone";

/// One skill of each visibility under `acme`, each the only one with its word.
fn world() -> (World, PublisherId) {
    let mut world = World::new();
    for visibility in Visibility::ALL {
        let slug = format!("{visibility}-{WORD}");
        let document = world.add("acme", &slug, &format!("Play the {WORD}, tune the {visibility}instrument."));
        document.visibility = *visibility;
        document.keywords = vec![format!("keyword-{visibility}")];
    }
    let publisher = world.publisher("acme");
    (world, publisher)
}

fn viewer(kind: &str, publisher: PublisherId) -> Viewer {
    let person = PersonId::new(Timestamp::from_millis(5));
    let other = PublisherId::new(Timestamp::from_millis(77));
    match kind {
        "anonymous" => Viewer::anonymous(),
        "stranger" => Viewer::person(person, vec![(other, Role::Owner)]),
        "administrator" => Viewer::administrator(person, Vec::new()),
        role => Viewer::person(person, vec![(publisher, role.parse().unwrap())]),
    }
}

#[rstest]
fn each_viewer_finds_exactly_what_they_may_list(
    #[values("anonymous", "stranger", "member", "reviewer", "maintainer", "admin", "owner", "administrator")]
    kind: &str,
    #[values(Sort::Relevance, Sort::Updated)] sort: Sort,
    #[values(WORD, "", "acme")] text: &str,
) {
    let (world, publisher) = world();
    let viewer = viewer(kind, publisher);
    let listed: Vec<Visibility> =
        Visibility::ALL.iter().copied().filter(|visibility| viewer.may_list(publisher, *visibility)).collect();
    let mut expected: Vec<String> = listed.iter().map(|visibility| format!("{visibility}-{WORD}")).collect();
    expected.sort();

    let text = if sort == Sort::Updated && text == "acme" { "" } else { text };
    let hits = world.index().search(&Query { sort, facets: 10, ..Query::new(text, &viewer) }).unwrap();
    let mut found: Vec<&str> = slugs(&hits);
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(hits.total.count, expected.len() as u64);
    let keywords = hits.facets.iter().find(|facet| facet.name == "keyword").unwrap();
    assert_eq!(keywords.values.len(), expected.len());
}

#[rstest]
fn suggestions_names_and_mended_words_keep_the_same_secret(
    #[values("anonymous", "stranger", "member", "owner", "administrator")] kind: &str,
) {
    let (world, publisher) = world();
    let (index, viewer) = (world.index(), viewer(kind, publisher));
    for visibility in Visibility::ALL {
        let may = viewer.may_list(publisher, *visibility);
        let slug = format!("{visibility}-{WORD}");
        let typed = &slug[..slug.len() - 2];
        assert_eq!(!index.suggest(typed, &viewer, 5).unwrap().is_empty(), may, "suggest {typed}");
        for mode in [Mode::Exact, Mode::Prefix] {
            let hits = index.search(&Query { mode, ..Query::new(&slug, &viewer) }).unwrap();
            assert_eq!(hits.items.len(), usize::from(may), "{mode:?} {slug}");
        }
        let reference = index.search(&Query::new(&format!("@acme/{slug}"), &viewer)).unwrap();
        assert_eq!(slugs(&reference).contains(&slug.as_str()), may, "reference to {slug}");
        let misspelt = format!("{visibility}instrumemt");
        let mended = index.search(&Query::new(&misspelt, &viewer)).unwrap().did_you_mean;
        assert_eq!(mended, may.then(|| format!("{visibility}instrument")), "{misspelt}");
    }
}

#[rstest]
fn a_change_of_visibility_counts_from_the_next_commit() {
    let (mut world, _) = world();
    let index: Index = world.index();
    let anonymous = Viewer::anonymous();
    assert_eq!(index.search(&Query::new(WORD, &anonymous)).unwrap().total.count, 1);
    for document in &mut world.documents {
        document.visibility = Visibility::Private;
    }
    index.apply(&world.changes(), 2).unwrap();
    let hits = index.search(&Query::new(WORD, &anonymous)).unwrap();
    assert_eq!((hits.items.len(), hits.total.count), (0, 0));
    assert_eq!(index.suggest("public", &anonymous, 5).unwrap(), []);
}
