//! A18: names that are taken for one another are told before they are published.

use kontor_package::{LookAlike, confusable_with, skeleton};
use rstest::rstest;

#[rstest]
#[case::the_same("deep-research", "deep-research", None)]
#[case::digit_for_letter("pdf-tools", "pdf-t00ls", Some(LookAlike::Appearance))]
#[case::capital_i_for_l("skill-creator", "skiII-creator", Some(LookAlike::Appearance))]
#[case::one_for_l("skill", "skil1", Some(LookAlike::Appearance))]
#[case::rn_for_m("summarize", "surnrnarize", Some(LookAlike::Appearance))]
#[case::vv_for_w("web-search", "vveb-search", Some(LookAlike::Appearance))]
#[case::hyphen_moved("web-search", "websearch", Some(LookAlike::Appearance))]
#[case::underscore("web-search", "web_search", Some(LookAlike::Appearance))]
#[case::cyrillic("paypal", "p\u{430}yp\u{430}l", Some(LookAlike::Appearance))]
#[case::greek("omega", "\u{3bf}mega", Some(LookAlike::Appearance))]
#[case::full_width("paypal", "\u{ff50}aypal", Some(LookAlike::Appearance))]
#[case::mathematical("paypal", "\u{1d429}aypal", Some(LookAlike::Appearance))]
#[case::accent("resume", "r\u{e9}sum\u{e9}", Some(LookAlike::Appearance))]
#[case::invisible("paypal", "pay\u{200b}pal", Some(LookAlike::Appearance))]
#[case::letter_missing("github", "gihub", Some(LookAlike::OneSlip))]
#[case::letter_doubled("github", "gitthub", Some(LookAlike::OneSlip))]
#[case::letters_swapped("github", "gihtub", Some(LookAlike::OneSlip))]
#[case::other_letter("openai", "openax", Some(LookAlike::OneSlip))]
#[case::plural("pdf-tool", "pdf-tools", Some(LookAlike::OneSlip))]
#[case::too_short_for_slips("pdf", "pdg", None)]
#[case::numbered_series("lesson-11", "lesson-12", None)]
#[case::two_slips("github", "gtihbu", None)]
#[case::different("deep-research", "web-search", None)]
#[case::chinese("\u{7ffb}\u{8bd1}", "\u{7ffb}\u{5199}", None)]
fn look_alikes_are_found_from_both_sides(#[case] left: &str, #[case] right: &str, #[case] expected: Option<LookAlike>) {
    assert_eq!(confusable_with(left, right), expected);
    assert_eq!(confusable_with(right, left), expected);
    assert_eq!(skeleton(left) == skeleton(right), left == right || expected == Some(LookAlike::Appearance));
}

#[test]
fn a_name_of_any_length_is_compared_in_little_time() {
    let long = "ab".repeat(1_000_000);
    assert_eq!(confusable_with(&long, "abcdef"), None);
    assert!(skeleton(&long).len() <= 512);
}
