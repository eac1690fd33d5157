#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! What is read from a skill's text, and what is said about it.

use kontor_package::{Content, DerivedField, Inspection, Limits, Severity, inspect};
use rstest::rstest;

fn inspected(text: &str) -> Inspection {
    bytes_inspected("SKILL.md", text.as_bytes())
}

fn bytes_inspected(file: &str, bytes: &[u8]) -> Inspection {
    let content = Content::from_files([(file.to_owned(), bytes.to_vec())], &Limits::default()).unwrap();
    inspect(&content, Some("pdf-tools"))
}

fn codes(inspection: &Inspection) -> Vec<String> {
    inspection.findings.iter().map(|finding| format!("{}:{}", finding.code, finding.line)).collect()
}

const GOOD: &str = "---\nname: pdf-tools\ndescription: Reads PDF files. Use for PDF.\n---\n# PDF\n\nText.\n";

#[test]
fn a_good_skill_has_no_findings() {
    let inspection = inspected(GOOD);
    assert_eq!(inspection.findings, []);
    assert!(inspection.spec_valid && inspection.accepted);
    assert_eq!(inspection.facts.name.as_deref(), Some("pdf-tools"));
    assert_eq!(inspection.facts.description, "Reads PDF files. Use for PDF.");
    assert_eq!((inspection.facts.body.as_str(), inspection.facts.body_line), ("# PDF\n\nText.", 5));
    assert_eq!(inspection.facts.derived, []);
}

#[rstest]
#[case::no_front_matter("# Title\n\nFirst paragraph.\n", &["front_matter_missing:1"])]
#[case::byte_order_mark("\u{feff}---\nname: pdf-tools\ndescription: d\n---\nx", &["byte_order_mark:1"])]
#[case::unterminated("---\nname: pdf-tools\ndescription: d\n\n# Title\n", &["front_matter_unterminated:1"])]
#[case::unquoted_colon("---\nname: pdf-tools\ndescription: Use this: it helps\n---\nx", &["yaml_broken:3"])]
#[case::list("---\n- a\n---\nx", &["front_matter_not_a_map:1"])]
#[case::unknown_keys("---\nname: pdf-tools\ndescription: d\nversion: 1.2.3\ntags: x\n---\nx", &["key_unknown:4", "key_unknown:5"])]
#[case::flow("---\nname: pdf-tools\ndescription: d\nallowed-tools: [a, b]\n---\nx", &["yaml_flow_style:4"])]
#[case::duplicate("---\nname: pdf-tools\ndescription: d\ndescription: e\n---\nx", &["key_duplicate:4"])]
#[case::other_name("---\nname: other\ndescription: d\n---\nx", &["name_not_folder:2"])]
#[case::bad_name("---\nname: PDF_tools\ndescription: d\n---\nx", &["name_not_lower_case:2", "name_characters:2", "name_not_folder:2"])]
#[case::nothing_needed("---\nother: x\n---\nx", &["name_missing:1", "description_missing:1", "key_unknown:2"])]
#[case::empty_values("---\nname:\ndescription: ''\n---\nx", &["name_missing:2", "description_missing:3"])]
#[case::dashes_inside("---\nname: pdf-tools\ndescription: a --- b\n---\nx", &["front_matter_early_end:3"])]
#[case::odd_version("---\nname: pdf-tools\ndescription: d\nmetadata:\n  version: '1.0'\n---\nx", &["version_not_semantic:5"])]
#[case::anchor("---\nname: pdf-tools\ndescription: &a d\n---\nx", &["yaml_anchor:3"])]
#[case::tab("---\nname: pdf-tools\ndescription:\td\n---\nx", &["yaml_broken:3"])]
fn a_deviation_is_accepted_and_named_with_its_line(#[case] text: &str, #[case] expected: &[&str]) {
    let inspection = inspected(text);
    let without_early_end: Vec<_> = codes(&inspection);
    assert_eq!(without_early_end, expected, "{:#?}", inspection.findings);
    assert!(inspection.accepted);
    assert!(inspection.findings.iter().all(|finding| !finding.remedy.is_empty() && !finding.message.ends_with('.')));
}

#[rstest]
#[case::empty("SKILL.md", b"", "no_text:0")]
#[case::blank("SKILL.md", b" \n\n", "no_text:0")]
#[case::only_a_name("SKILL.md", b"---\nname: pdf-tools\n---\n", "no_text:0")]
#[case::not_utf8("SKILL.md", b"---\nname: a\ndescription: \xFF\n---\n", "not_utf8:3")]
#[case::no_skill_file("README.md", b"text", "skill_file_missing:0")]
fn a_skill_without_readable_text_is_refused(#[case] file: &str, #[case] bytes: &[u8], #[case] expected: &str) {
    let inspection = bytes_inspected(file, bytes);
    assert!(!inspection.accepted && !inspection.spec_valid);
    let errors: Vec<_> = inspection.errors().map(|finding| format!("{}:{}", finding.code, finding.line)).collect();
    assert_eq!(errors, [expected]);
    assert!(inspection.errors().all(|finding| finding.severity == Severity::Error && !finding.remedy.is_empty()));
}

#[test]
fn an_unquoted_colon_loses_nothing() {
    let text = "---\nname: pdf-tools\ndescription: Use this: it \"helps\"\n  and more\nlicense: MIT\n---\nBody";
    let facts = inspected(text).facts;
    assert!(facts.front_matter_recovered);
    assert_eq!(facts.name.as_deref(), Some("pdf-tools"));
    assert_eq!(facts.description, "Use this: it \"helps\" and more");
    assert_eq!(facts.license.unwrap().spdx.as_deref(), Some("MIT"));
    assert_eq!(facts.body, "Body");
}

#[test]
fn what_was_not_written_is_derived_and_marked() {
    let facts = inspected(
        "# The *PDF* `kit`\n\n![picture](x.png)\n\n- list\n\nReads **PDF** files,\nsee [this](x.md).\n\nMore.",
    )
    .facts;
    assert_eq!(facts.display_name, "pdf-tools");
    assert_eq!(facts.description, "Reads PDF files, see this.");
    assert_eq!(facts.derived, [DerivedField::Name, DerivedField::Description]);
    let heading_only = inspected("# Only a heading\n\n```\ncode\n```\n").facts;
    assert_eq!(heading_only.description, "Only a heading");
}

#[test]
fn labels_tools_licence_and_version_are_read_wherever_authors_put_them() {
    let text = "---\nname: pdf-tools\ndescription: d\nlicense: Apache 2.0\ncompatibility: needs git\n\
        allowed-tools: Bash(git add:*) Read, Write\ntags: [pdf, \"forms\"]\nauthor:\n  name: A. Uthor\n\
        metadata:\n  version: 1.4.0\n  category: documents\n  keywords: pdf, tables\n  openclaw: {emoji: x}\n---\nx";
    let facts = inspected(text).facts;
    assert_eq!(facts.license.unwrap().spdx.as_deref(), Some("Apache-2.0"));
    assert_eq!(facts.compatibility.as_deref(), Some("needs git"));
    assert_eq!(facts.allowed_tools, ["Bash(git add:*)", "Read", "Write"]);
    assert_eq!(facts.keywords, ["pdf", "forms", "tables"]);
    assert_eq!(facts.categories, ["documents"]);
    assert_eq!(facts.author.as_deref(), Some("A. Uthor"));
    assert_eq!(facts.version.unwrap().to_string(), "1.4.0");
    assert_eq!(facts.metadata.unwrap()["openclaw"]["emoji"], "x");
}

#[test]
fn another_case_of_the_file_name_and_windows_line_ends_are_read() {
    let text = b"---\r\nname: pdf-tools\r\ndescription: d\r\n---\r\nBody\r\n";
    let lower = bytes_inspected("skill.md", text);
    assert_eq!(codes(&lower), ["skill_file_case:0", "carriage_returns:0"]);
    assert!(lower.spec_valid);
    assert_eq!(lower.facts.body, "Body");
    let other = bytes_inspected("Skill.MD", text);
    assert!(!other.spec_valid && other.accepted);
    assert_eq!(other.facts.description, "d");
}

#[test]
fn writing_systems_are_told_apart() {
    assert_eq!(inspected(&GOOD.replace("Text.", "中文说明在这里写得很多很多很多很多")).facts.writing, ["latin", "han"]);
}

fn anchors_that_multiply() -> String {
    let first = "---\nname: pdf-tools\ndescription: d\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let levels = (1..20).map(|level| {
        let below = format!("*a{}", level - 1);
        format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", "))
    });
    std::iter::once(first).chain(levels).chain(["---\nText.\n".to_owned()]).collect()
}

fn one_long_value_many_times() -> String {
    let aliases = "*long, ".repeat(10_000);
    format!("---\nname: pdf-tools\ndescription: d\na: &long {}\nb: [{aliases}]\n---\nText.\n", "x".repeat(64 << 10))
}

fn very_deep() -> String {
    format!("---\nname: pdf-tools\ndescription: d\na: {}\n---\nText.\n", "[".repeat(100_000))
}

#[rstest]
#[case::a16_anchors_that_multiply(anchors_that_multiply())]
#[case::a16_one_long_value_many_times(one_long_value_many_times())]
#[case::a16_very_deep(very_deep())]
#[case::a16_very_many_keys(format!("---\nname: pdf-tools\ndescription: d\n{}---\nText.\n", "k: v\n".repeat(200_000)))]
fn a16_a_front_matter_that_grows_is_broken_and_what_can_be_read_of_it_stays(#[case] text: String) {
    let inspection = inspected(&text);
    assert!(inspection.findings.iter().any(|finding| finding.code == "yaml_broken"), "{:?}", codes(&inspection));
    assert!(inspection.accepted && !inspection.spec_valid);
    assert_eq!(inspection.facts.name.as_deref(), Some("pdf-tools"));
    let kept = serde_json::to_string(&inspection.facts).unwrap().len();
    assert!(kept <= 2 * text.len(), "{kept} bytes were made of {}", text.len());
}
