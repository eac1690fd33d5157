//! Which packages a skill asks for.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

use kontor_package::{Content, Limits};
use kontor_scan::{NamedPackage, packages};
use rstest::rstest;

fn named(path: &str, text: &str) -> Vec<NamedPackage> {
    let files = [(path.to_owned(), text.as_bytes().to_vec())];
    packages(&Content::from_files(files, &Limits::default()).unwrap())
}

fn told(found: &[NamedPackage]) -> Vec<String> {
    let version = |one: &NamedPackage| one.version.as_ref().map(|version| format!("@{version}")).unwrap_or_default();
    found.iter().map(|one| format!("{}:{}{} {}", one.ecosystem, one.name, version(one), one.line)).collect()
}

#[rstest]
#[case("requirements.txt", "Flask==3.1.3\n# no\nrequests>=2\n", &["python:flask@3.1.3 1", "python:requests 3"])]
#[case("package.json", "{\n \"dependencies\": {\n  \"left-pad\": \"1.3.0\"}}", &["javascript:left-pad@1.3.0 3"])]
#[case("run.py", "# /// script\n# dependencies = [\"rich==14.0.0\"]\n# ///\n", &["python:rich@14.0.0 2"])]
#[case("run.sh", "npx -y @acme/tool@2.1.0 --out x\n", &["javascript:@acme/tool@2.1.0 1"])]
#[case("run.sh", "npx --package typescript@5.4.5 tsc file\n", &["javascript:typescript@5.4.5 1"])]
#[case("run.sh", "cd x && uvx ruff@0.5.0 check . | cat\n", &["python:ruff@0.5.0 1"])]
#[case("run.sh", "uvx --from httpie http example.org\n", &["python:httpie 1"])]
#[case("run.sh", "python3 -m pip install -r requirements.txt 'pandas==2.2.2' openpyxl # both\n",
    &["python:pandas@2.2.2 1", "python:openpyxl 1"])]
#[case("run.sh", "# npx old\nnpm install\npip install .\nnpm i ./local file://x\n", &[])]
#[case("SKILL.md", "First npx is nice.\nRun `npx serve@14.2.1 .` or:\n```sh\npip install pypdf\n```\nnpx no\n",
    &["javascript:serve@14.2.1 2", "python:pypdf 4"])]
#[case("notes.txt", "pip install requests\n", &[])]
fn packages_are_found_where_they_are_named(#[case] path: &str, #[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(told(&named(path, text)), expected);
}

#[test]
fn a_command_is_told_from_a_list() {
    let found = named("SKILL.md", "`npx serve .`\n");
    assert!(found[0].by_command && found[0].file == "SKILL.md");
    assert!(!named("requirements.txt", "flask\n")[0].by_command);
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_it(text in ".{0,400}", path in "[a-z]{1,5}\\.(md|sh|txt|json|py)") {
        named(&path, &text);
        named(&path, &format!("npx {text}\npip install {text}\n`uvx {text}`"));
    }
}
