//! What people type: part of a name, a wrong letter, a reference, two words of many.

use kontor_search::{Index, Mode, Query};
use kontor_types::Viewer;
use rstest::rstest;

use crate::world::{World, slugs};

fn index() -> Index {
    let mut world = World::new();
    world.add("acme", "kubernetes-deployer", "Roll out services to a cluster.").downloads = 500;
    world.add("acme", "kubernetes-debug", "Find out why a pod does not start.").downloads = 5;
    world.add("zoo", "docker-compose", "Start several containers together. Not for kubernetes.").body =
        "Kubernetes and kubernetes again.".into();
    world.add("zoo", "invoice-reader", "Extracts amounts from scanned invoices.").display_name =
        "Invoice Reader Pro".into();
    world.add("zoo", "typescript-helper", "Types and generics.").display_name = "TypeScriptHelper".into();
    world.add("acme", "invoice-writer", "Writes reminders.");
    world.index()
}

#[rstest]
#[case::name("kubernetes-debug", "kubernetes-debug")]
#[case::spaced("Kubernetes  Debug", "kubernetes-debug")]
#[case::display_name("invoice reader pro", "invoice-reader")]
#[case::reference("@acme/kubernetes-debug", "kubernetes-debug")]
#[case::reference_without_at("acme/kubernetes-debug", "kubernetes-debug")]
#[case::reference_with_version("@acme/kubernetes-debug@1.2.0", "kubernetes-debug")]
#[case::stems("scan an invoice, extract amount", "invoice-reader")]
#[case::wrong_letter("kubernetis debug", "kubernetes-debug")]
#[case::swapped_letters("invocie reader", "invoice-reader")]
#[case::unfinished("kubern deb", "kubernetes-debug")]
#[case::camel_case("script helper", "typescript-helper")]
#[case::fullwidth("ＫＵＢＥＲＮＥＴＥＳ-debug", "kubernetes-debug")]
#[case::possessive("the cluster's services", "kubernetes-deployer")]
fn the_right_skill_comes_first(#[case] text: &str, #[case] expected: &str) {
    let hits = index().search(&Query::new(text, &Viewer::anonymous())).unwrap();
    assert_eq!(slugs(&hits).first().copied(), Some(expected), "{:?}", slugs(&hits));
}

#[rstest]
#[case("kubernetis", Some("kubernetes"))]
#[case("invocie reader", Some("invoice reader"))]
#[case("kubernetes", None)]
#[case("qqqqqqqqqq", None)]
fn misspelt_words_are_mended(#[case] text: &str, #[case] expected: Option<&str>) {
    let hits = index().search(&Query::new(text, &Viewer::anonymous())).unwrap();
    assert_eq!(hits.did_you_mean.as_deref(), expected);
}

#[rstest]
#[case::exact(Mode::Exact, "Invoice Reader Pro", &["invoice-reader"])]
#[case::exact_slug(Mode::Exact, "invoice-reader", &["invoice-reader"])]
#[case::exact_is_whole(Mode::Exact, "invoice", &[])]
#[case::exact_reference(Mode::Exact, "@zoo/docker-compose", &["docker-compose"])]
#[case::prefix(Mode::Prefix, "kube", &["kubernetes-deployer", "kubernetes-debug"])]
#[case::prefix_of_display_name(Mode::Prefix, "invoice read", &["invoice-reader"])]
#[case::prefix_is_no_word(Mode::Prefix, "compose", &[])]
fn modes_narrow(#[case] mode: Mode, #[case] text: &str, #[case] expected: &[&str]) {
    let viewer = Viewer::anonymous();
    let hits = index().search(&Query { mode, ..Query::new(text, &viewer) }).unwrap();
    assert_eq!(slugs(&hits), expected);
}

#[rstest]
#[case::beginning("kube", &["kubernetes-deployer", "kubernetes-debug"])]
#[case::two_words("kubernetes de", &["kubernetes-deployer", "kubernetes-debug"])]
#[case::later_word("deb", &["kubernetes-debug"])]
#[case::wrong_letter("kubernates", &["kubernetes-deployer", "kubernetes-debug"])]
#[case::of_a_publisher("@zoo/inv", &["invoice-reader"])]
#[case::unknown("zzzz", &[])]
#[case::empty("", &[])]
#[case::punctuation("-- ", &[])]
fn names_are_suggested_while_typing(#[case] typed: &str, #[case] expected: &[&str]) {
    let suggestions = index().suggest(typed, &Viewer::anonymous(), 5).unwrap();
    let found: Vec<&str> = suggestions.iter().map(|suggestion| suggestion.slug.as_str()).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_derived_description_ranks_below_a_written_one() {
    let mut world = World::new();
    for (slug, derived) in [("derived", true), ("written", false)] {
        let document = world.add("acme", slug, "Prune roses in spring.");
        document.description_derived = derived;
        document.body = "Prune roses in spring. Then water them.".to_owned();
    }
    let hits = world.index().search(&Query::new("prune roses", &Viewer::anonymous())).unwrap();
    assert_eq!(slugs(&hits), ["written", "derived"]);
}
