//! Names, references and versions as people and foreign packages write them.

use kontor_types::{Digest, Handle, SkillRef, Slug, TagName, Version, VersionRange, VersionSelector};
use proptest::prelude::*;
use rstest::rstest;

#[rstest]
#[case::plain("pdf-tools", true)]
#[case::digits("3d-2", true)]
#[case::upper("Pdf", false)]
#[case::underscore("a_b", false)]
#[case::double_hyphen("a--b", false)]
#[case::leading_hyphen("-a", false)]
#[case::trailing_hyphen("a-", false)]
#[case::empty("", false)]
#[case::foreign("工具", false)]
#[case::longest(&"a".repeat(64), true)]
#[case::too_long(&"a".repeat(65), false)]
fn a_slug_follows_the_rule(#[case] text: &str, #[case] valid: bool) {
    assert_eq!(Slug::parse(text).is_ok(), valid, "{text}");
}

#[rstest]
#[case::spaces("My  PDF Tools!", "my-pdf-tools")]
#[case::full_width("ＰＤＦ２", "pdf2")]
#[case::umlaut("Übung", "bung")]
#[case::hyphens("--a--b--", "a-b")]
#[case::cut(&format!("{}-{}", "a".repeat(63), "b"), &"a".repeat(63))]
#[case::nothing_left("工具", "skill-2c26b46b")]
fn a_foreign_name_folds(#[case] name: &str, #[case] slug: &str) {
    assert_eq!(Slug::fold(name, &Digest::of(b"foo")).as_str(), slug);
}

#[rstest]
#[case("pdf", None, "pdf", None)]
#[case("@acme/pdf", Some("acme"), "pdf", None)]
#[case("@acme/pdf@1.2.0", Some("acme"), "pdf", Some("exact"))]
#[case("@acme/pdf@latest", Some("acme"), "pdf", Some("tag"))]
#[case("@acme/pdf@^1.4", Some("acme"), "pdf", Some("range"))]
#[case("pdf@>=1, <2", None, "pdf", Some("range"))]
fn a_reference_reads_and_writes_back(
    #[case] text: &str,
    #[case] publisher: Option<&str>,
    #[case] slug: &str,
    #[case] selector: Option<&str>,
) {
    let reference: SkillRef = text.parse().unwrap();
    assert_eq!(reference.publisher.as_ref().map(Handle::as_str), publisher);
    assert_eq!(reference.slug.as_str(), slug);
    let kind = reference.version.as_ref().map(|selector| match selector {
        VersionSelector::Exact(_) => "exact",
        VersionSelector::Tag(_) => "tag",
        VersionSelector::Range(_) => "range",
    });
    assert_eq!(kind, selector);
    assert_eq!(reference.to_string(), text);
}

#[rstest]
#[case("@acme")]
#[case("@/pdf")]
#[case("@acme/")]
#[case("pdf@")]
#[case("@acme/pdf@@")]
#[case("a/b")]
fn a_broken_reference_is_refused(#[case] text: &str) {
    assert!(text.parse::<SkillRef>().is_err(), "{text}");
}

#[rstest]
#[case::without_its_mark("acme/pdf", "write @acme/pdf")]
#[case::a_version("acme/pdf@1.2.0", "write @acme/pdf@1.2.0")]
#[case::a_page("http://127.0.0.1:7878/@acme/pdf", "write @acme/pdf")]
#[case::a_page_of_a_version("https://hub.example/skills/@acme/pdf@1.2.0/?tab=files", "write @acme/pdf@1.2.0")]
#[case::a_folder("./skills/pdf", "names no skill: write @publisher/skill")]
fn what_people_paste_is_answered_with_the_name_that_it_means(#[case] text: &str, #[case] expected: &str) {
    let told = text.parse::<SkillRef>().unwrap_err().to_string();
    assert!(told.contains(expected), "{told}");
}

#[rstest]
#[case("1.2.3", "1.2.4")]
#[case("1.2.3-rc.1", "1.2.3")]
#[case("0.1.0+build", "0.1.1")]
fn the_next_patch_follows(#[case] version: &str, #[case] next: &str) {
    assert_eq!(version.parse::<Version>().unwrap().next_patch().to_string(), next);
}

#[test]
fn versions_sort_by_precedence() {
    let mut versions: Vec<Version> =
        ["1.10.0", "1.9.0", "1.0.0", "1.0.0-rc.1", "1.0.0-alpha"].iter().map(|text| text.parse().unwrap()).collect();
    versions.sort();
    let sorted: Vec<String> = versions.iter().map(Version::to_string).collect();
    assert_eq!(sorted, ["1.0.0-alpha", "1.0.0-rc.1", "1.0.0", "1.9.0", "1.10.0"]);
}

#[test]
fn a_range_takes_prereleases_only_when_it_names_one() {
    let range: VersionRange = "^1.4".parse().unwrap();
    assert!(range.contains(&"1.5.0".parse().unwrap()));
    assert!(!range.contains(&"1.5.0-rc.1".parse().unwrap()));
    assert!(!range.contains(&"2.0.0".parse().unwrap()));
}

#[rstest]
#[case("latest", true)]
#[case("v1_x.y-z", true)]
#[case("1.0", false)]
#[case("", false)]
#[case("a b", false)]
fn a_tag_is_never_a_version(#[case] text: &str, #[case] valid: bool) {
    assert_eq!(TagName::parse(text).is_ok(), valid, "{text}");
}

proptest! {
    #[test]
    fn folding_always_gives_a_valid_name(name in ".{0,200}") {
        let slug = Slug::fold(&name, &Digest::of(name.as_bytes()));
        prop_assert!(Slug::parse(slug.as_str()).is_ok());
        let handle = Handle::fold(&name);
        prop_assert!(Handle::parse(handle.as_str()).is_ok());
        prop_assert_eq!(Slug::fold(slug.as_str(), &Digest::of(b"")), slug);
    }

    #[test]
    fn no_text_breaks_the_parsers(text in ".{0,300}") {
        let _ = text.parse::<SkillRef>();
        let _ = text.parse::<Version>();
        let _ = text.parse::<VersionRange>();
        let _ = text.parse::<Digest>();
        let _ = TagName::parse(&text);
    }
}
