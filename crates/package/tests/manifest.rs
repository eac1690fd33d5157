#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! `kontor.toml`: what is read, and what is said about what cannot be.

use kontor_package::{Content, Kind, Limits, Manifest, Packages, inspect};
use proptest::prelude::*;
use rstest::rstest;

const FULL: &str = r#"
version = "1.2.0"
kind = "workflow"

[permissions]
network = ["api.example.com:443", "*.example.org:8443"]
secrets = ["EXAMPLE_TOKEN"]
read = ["assets/"]

[[tool]]
name = "convert"
description = "Converts"
command = ["python3", "scripts/convert.py"]
input = "schemas/convert.in.json"
output = "schemas/convert.out.json"

[limits]
wall = "30s"
memory = "512MiB"

[requires]
"@acme/pdf" = "^1.4"

[dependencies]
pip = "pep723"
npm = [{ name = "left-pad", version = "1.3.0", hashes = ["sha512-x"] }]
"#;

fn content(manifest: &str) -> Content {
    let files = [
        ("SKILL.md", "---\nname: x\ndescription: d\nmetadata:\n  version: 9.9.9\n---\nbody"),
        ("kontor.toml", manifest),
        ("assets/a", ""),
        ("scripts/convert.py", ""),
        ("schemas/convert.in.json", "{}"),
        ("schemas/convert.out.json", "{}"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    Content::from_files(files, &Limits::default()).unwrap()
}

fn said(manifest: &str) -> Vec<String> {
    let inspection = inspect(&content(manifest), Some("x"));
    assert!(inspection.accepted && inspection.spec_valid);
    let said = inspection.findings.into_iter();
    said.map(|finding| format!("{}:{} {} | {}", finding.line, finding.column, finding.message, finding.remedy))
        .collect()
}

#[test]
fn everything_of_a_full_manifest_is_read() {
    let inspection = inspect(&content(FULL), Some("x"));
    assert_eq!(inspection.findings, []);
    assert_eq!(inspection.facts.version.unwrap().to_string(), "1.2.0");
    let manifest = inspection.manifest.unwrap();
    assert_eq!(manifest.kind, Kind::Workflow);
    assert!(manifest.permissions.network[0].allows("api.example.com", 443));
    assert!(!manifest.permissions.network[0].allows("api.example.com", 80));
    assert_eq!(manifest.tools[0].command, ["python3", "scripts/convert.py"]);
    assert_eq!(manifest.limits.wall.unwrap().duration().as_secs(), 30);
    assert_eq!(manifest.limits.memory.unwrap().bytes(), 512 << 20);
    let (reference, range) = manifest.required().next().unwrap();
    assert_eq!((reference.to_string().as_str(), range.to_string().as_str()), ("@acme/pdf", "^1.4"));
    assert_eq!(manifest.dependencies.pip, Some(Packages::Inline));
    assert!(matches!(&manifest.dependencies.npm, Some(Packages::Pinned(packages)) if packages[0].name == "left-pad"));
    let json = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
}

#[test]
fn without_a_manifest_nothing_is_granted() {
    let (manifest, findings) = Manifest::read("");
    assert_eq!((manifest, findings), (Some(Manifest::default()), Vec::new()));
}

#[rstest]
#[case::misspelt("\nversoin = \"1.0.0\"", "2:1 the key `versoin` is not known | write `version`")]
#[case::misspelt_inside(
    "[permissions]\nnetwrok = []",
    "2:1 the key `netwrok` is not known in [permissions] | write `network`"
)]
#[case::unknown(
    "[limits]\nflavour = 1",
    "2:1 the key `flavour` is not known in [limits] | remove it; known keys are wall, memory"
)]
#[case::version(
    "version = \"1.0\"",
    "1:11 `version` is not used: `1.0` is not a version of the form 1.2.3 (Semantic Versioning) | mend the value"
)]
#[case::kind(
    "kind = \"tool\"",
    "1:8 `kind` is not used: it must be instructions, workflow, agent or model | write it in the form that the message names"
)]
#[case::type_of_value(
    "[permissions]\nnetwork = \"a:1\"",
    "2:11 `network` is not used: it must be a list | write it in the form that the message names"
)]
#[case::grant(
    "[permissions]\nnetwork = [\"a.b:443\", \"http://x\"]",
    "2:23 `network` is not used: write a host and a port, for example api.example.com:443 | mend the value"
)]
#[case::secret(
    "[permissions]\nsecrets = [\"lower\"]",
    "2:12 `secrets` is not used: it must be names of capitals, digits and `_` | write it in the form that the message names"
)]
#[case::path(
    "[permissions]\nread = [\"../x\"]",
    "2:9 `read` is not used: it must be a path inside the skill | write it in the form that the message names"
)]
#[case::missing_file(
    "[permissions]\nread = [\"none/\"]",
    "2:9 `read` names `none/`, which is not in the skill | add it, or mend the path"
)]
#[case::time(
    "[limits]\nwall = \"30\"",
    "2:8 `wall` is not used: write a time from 1ms to 24h, for example 30s | mend the value"
)]
#[case::memory(
    "[limits]\nmemory = \"5 apples\"",
    "2:10 `memory` is not used: write an amount from 1MiB to 1TiB, for example 512MiB | mend the value"
)]
#[case::range(
    "[requires]\n\"@a/b\" = \"one\"",
    "2:10 `@a/b` is not used: `one` is not a version of the form 1.2.3 (Semantic Versioning) | mend the value"
)]
#[case::broken(
    "version = ",
    "1:11 kontor.toml is not used: string values must be quoted, expected literal string | mend the line"
)]
fn what_breaks_a_rule_is_named_with_its_place(#[case] manifest: &str, #[case] expected: &str) {
    assert_eq!(said(manifest), [expected]);
}

#[test]
fn a_tool_needs_a_name_and_a_command() {
    let said = said(
        "[[tool]]\nname = \"a\"\n[[tool]]\nname = \"b\"\ncommand = [\"x\"]\n[[tool]]\nname = \"b\"\ncommand = [\"y\"]",
    );
    assert_eq!(said.len(), 2);
    assert!(said[0].starts_with("1:1 `tool`") && said[1].starts_with("6:1 `name`"), "{said:?}");
}

#[rstest]
#[case("*.example.com:443", "api.example.com", 443, true)]
#[case("*.example.com:443", "a.b.example.com", 443, true)]
#[case("*.example.com:443", "example.com", 443, false)]
#[case("*.example.com:443", "evilexample.com", 443, false)]
#[case("*.example.com:443", ".example.com", 443, false)]
#[case("Example.com:443", "example.com", 443, true)]
#[case("example.com:443", "example.com.evil", 443, false)]
#[case("[::1]:80", "[::1]", 80, true)]
fn a_grant_covers_what_it_names_and_nothing_else(
    #[case] grant: &str,
    #[case] host: &str,
    #[case] port: u16,
    #[case] allowed: bool,
) {
    assert_eq!(grant.parse::<kontor_package::NetworkGrant>().unwrap().allows(host, port), allowed);
}

#[rstest]
#[case("example.com")]
#[case("example.com:0")]
#[case("example.com:65536")]
#[case(":443")]
#[case("*:443")]
#[case("a.*.b:443")]
#[case("user@example.com:443")]
#[case("example.com\0.evil:443")]
#[case("ex ample:443")]
#[case("[::1:80")]
fn what_is_no_host_and_port_is_no_grant(#[case] grant: &str) {
    assert!(grant.parse::<kontor_package::NetworkGrant>().is_err());
}

proptest! {
    #[test]
    fn times_and_sizes_are_written_as_they_are_read(number in 1_u64..10_000, unit in "(ms|s|m|h)", size in "(MB|MiB|GiB)") {
        if let Ok(time) = format!("{number}{unit}").parse::<kontor_package::WallTime>() {
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
        if let Ok(bytes) = format!("{number}{size}").parse::<kontor_package::ByteSize>() {
            prop_assert_eq!(bytes.to_string().parse(), Ok(bytes));
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "(\\[|\\]|\\{|\\}|=|\"|'|\n|[a-z_.]{1,4}|[0-9]{1,3}|version|tool|permissions| ){0,40}") {
        let _ = Manifest::read(&text);
    }
}
