//! What else must hold, and what is counted.

use kontor_search::{Filters, Query};
use kontor_types::{Handle, Viewer};
use rstest::rstest;

use crate::world::{World, slugs};

fn world() -> World {
    let mut world = World::new();
    for (place, (handle, slug)) in
        [("acme", "pdf-merge"), ("acme", "pdf-split"), ("zoo", "pdf-print"), ("zoo", "tiger")].into_iter().enumerate()
    {
        let document = world.add(handle, slug, "Works on a PDF document.");
        document.keywords = vec!["Documents".to_owned(), format!("k{place}")];
        document.categories = vec![if place < 2 { "Office" } else { "Print" }.to_owned()];
        document.license = (place != 1).then(|| if place == 0 { "MIT" } else { "Apache-2.0" }.to_owned());
        document.spec_valid = place % 2 == 0;
    }
    world
}

#[rstest]
#[case::publisher(Filters { publisher: Some(Handle::parse("acme").unwrap()), ..Filters::default() }, &["pdf-merge", "pdf-split"])]
#[case::category(Filters { category: Some("office".to_owned()), ..Filters::default() }, &["pdf-merge", "pdf-split"])]
#[case::keyword(Filters { keyword: Some(" documents ".to_owned()), ..Filters::default() }, &["pdf-merge", "pdf-print", "pdf-split", "tiger"])]
#[case::license(Filters { license: Some("MIT".to_owned()), ..Filters::default() }, &["pdf-merge"])]
#[case::valid(Filters { spec_valid: Some(true), ..Filters::default() }, &["pdf-merge", "pdf-print"])]
#[case::both(Filters { spec_valid: Some(false), category: Some("Print".to_owned()), ..Filters::default() }, &["tiger"])]
#[case::none(Filters { keyword: Some("unheard-of".to_owned()), ..Filters::default() }, &[])]
fn filters_hold_together(#[case] filters: Filters, #[case] expected: &[&str], #[values("pdf", "")] text: &str) {
    let viewer = Viewer::anonymous();
    let hits = world().index().search(&Query { filters, ..Query::new(text, &viewer) }).unwrap();
    let mut found = slugs(&hits);
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(hits.total.count, expected.len() as u64);
}

#[test]
fn facets_count_all_matches_and_not_only_the_page() {
    let viewer = Viewer::anonymous();
    let query = Query { facets: 1, page: kontor_types::PageSize::clamped(1), ..Query::new("pdf", &viewer) };
    let hits = world().index().search(&query).unwrap();
    let counted: Vec<(&str, &str, u64)> = (hits.facets.iter())
        .flat_map(|facet| facet.values.iter().map(|value| (facet.name, value.value.as_str(), value.count)))
        .collect();
    assert_eq!(
        counted,
        [
            ("publisher", "acme", 2),
            ("category", "office", 2),
            ("keyword", "documents", 4),
            ("license", "Apache-2.0", 2)
        ]
    );
    assert_eq!(world().index().search(&Query::new("pdf", &viewer)).unwrap().facets, []);
}
