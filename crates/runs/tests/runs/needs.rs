use kontor_package::{Content, Dependencies, Limits};
use kontor_runs::{
    Entry, Error, Language, Need, Observation, Program, Schema, Wanted, is_python_entry, language, scripts,
};
use rstest::rstest;
use serde_json::json;

fn content(files: &[(&str, &str)]) -> Content {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Content::from_files(files, &Limits::default()).unwrap()
}

fn python() -> Program {
    Program {
        name: "python3".to_owned(),
        path: "/usr/bin/python3".into(),
        arguments: Vec::new(),
        version: None,
        folders: Vec::new(),
        hidden: Vec::new(),
        language: Language::Python,
        modules: ["os", "json", "sys"].map(str::to_owned).into(),
        tag: "test".to_owned(),
    }
}

fn asked(files: &[(&str, &str)]) -> Result<Vec<String>, Error> {
    let wanted = Wanted::of(&content(files), "scripts/x.py", &python(), &Dependencies::default())?;
    Ok(wanted.python.into_iter().map(|asked| asked.text).collect())
}

#[test]
fn the_scripts_own_metadata_is_all_that_counts() {
    let script = "# /// script\n# dependencies = [\"rich>=13\", \"httpx\"]\n# ///\nimport yaml\n";
    let found = asked(&[("scripts/x.py", script), ("requirements.txt", "numpy\n")]).unwrap();
    assert_eq!(found, ["rich>=13", "httpx"]);
}

#[test]
fn a_list_and_the_imports_are_put_together() {
    let files = [
        ("scripts/x.py", "import json, yaml\nfrom near import thing\nfrom PIL import Image\nimport nobody_knows\n"),
        ("scripts/near.py", "import numpy as np\n\ndef thing():\n    import torch\n"),
        ("requirements.txt", "# what it needs\nPillow==10.4.0 \\\n    --hash=sha256:00ff\n-r more.txt\n"),
        ("more.txt", "rich>=13 ; python_version > '3.8'\n"),
    ];
    let found = asked(&files).unwrap();
    let expected = ["Pillow==10.4.0      --hash=sha256:00ff", "rich>=13 ; python_version > '3.8'", "numpy", "pyyaml"];
    assert_eq!(found, expected);
    let wanted = Wanted::of(&content(&files), "scripts/x.py", &python(), &Dependencies::default()).unwrap();
    assert_eq!(
        wanted.unknown.into_iter().collect::<Vec<_>>(),
        ["nobody_knows"],
        "a name is never made a package by itself"
    );
    assert!(wanted.python.iter().filter(|asked| asked.guessed).count() == 2);
}

#[rstest]
#[case("--index-url https://packages.example/simple")]
#[case("--extra-index-url=https://packages.example")]
#[case("-e ./local")]
#[case("git+https://code.example/x.git")]
#[case("thing @ https://packages.example/thing.whl")]
#[case("./wheels/thing.whl")]
#[case("thing --config-settings=x")]
#[case("$(touch x)")]
fn a_skill_names_packages_and_no_places(#[case] line: &str) {
    assert!(matches!(asked(&[("scripts/x.py", "pass"), ("requirements.txt", line)]), Err(Error::Dependency { .. })));
}

#[rstest]
#[case("git+ssh://git@code.example/x.git")]
#[case("file:../x")]
#[case("npm:other@1")]
fn a_package_json_names_versions_and_no_places(#[case] range: &str) {
    let package = json!({"dependencies": {"thing": range}}).to_string();
    let content = content(&[("scripts/x.js", ""), ("package.json", &package)]);
    let node = Program { language: Language::JavaScript, ..python() };
    let wanted = Wanted::of(&content, "scripts/x.js", &node, &Dependencies::default());
    assert!(matches!(wanted, Err(Error::Dependency { .. })), "{wanted:?}");
}

#[rstest]
#[case("x.py", "", Some((Language::Python, "python3")))]
#[case("x", "#!/usr/bin/env -S uv run --script\n", Some((Language::Python, "python3")))]
#[case("x.sh", "#!/bin/sh\n", Some((Language::Shell, "sh")))]
#[case("x.sh", "", Some((Language::Shell, "bash")))]
#[case("x.ts", "#!/usr/bin/env node\n", Some((Language::TypeScript, "node")))]
#[case("x.mjs", "", Some((Language::JavaScript, "node")))]
#[case("x.rb", "", Some((Language::Other, "ruby")))]
#[case("x.md", "", None)]
fn the_first_line_or_the_name_says_what_runs_it(
    #[case] path: &str,
    #[case] text: &str,
    #[case] expected: Option<(Language, &str)>,
) {
    assert_eq!(language(path, text.as_bytes()), expected.map(|(language, name)| (language, name.to_owned())));
}

#[test]
fn a_script_that_is_not_there_is_answered_with_those_that_are() {
    let content = content(&[("SKILL.md", "x"), ("scripts/a.py", ""), ("scripts/b.sh", "")]);
    assert_eq!(scripts(&content), ["scripts/a.py", "scripts/b.sh"]);
    let error = Entry::script(&content, "scripts/c.py").unwrap_err();
    assert!(error.to_string().contains("`scripts/a.py`, `scripts/b.sh`"), "{error}");
}

#[rstest]
#[case("def main():\n    pass\n", false)]
#[case("\"\"\"Words.\n\nrun(this)\n\"\"\"\nX = [\n    call(1),\n]\n", false)]
#[case("import sys\nprint(sys.argv)\n", true)]
#[case("def main():\n    pass\n\nif __name__ == '__main__':\n    main()\n", true)]
fn a_file_to_import_is_no_script(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(is_python_entry(text), expected);
}

#[rstest]
#[case("ModuleNotFoundError: No module named 'yaml.nodes'", Need::Module("yaml".to_owned()))]
#[case("Error: Cannot find module '@scope/thing/x'", Need::Module("@scope/thing/x".to_owned()))]
#[case("curl: (6) Could not resolve host: api.example.com", Need::Network(Some("api.example.com".to_owned())))]
#[case("<urlopen error [Errno -2] Name or service not known>", Need::Network(None))]
#[case("KeyError: 'EXAMPLE_API_KEY'", Need::Variable("EXAMPLE_API_KEY".to_owned()))]
#[case("Error: EXAMPLE_TOKEN is not set", Need::Variable("EXAMPLE_TOKEN".to_owned()))]
#[case("run.sh: line 3: frobnicate: command not found", Need::Program("frobnicate".to_owned()))]
#[case("FileNotFoundError: [Errno 2] No such file or directory: 'soffice'", Need::Program("soffice".to_owned()))]
#[case("Error: ffmpeg is not installed", Need::Program("ffmpeg".to_owned()))]
fn a_failure_tells_what_was_missing(#[case] line: &str, #[case] need: Need) {
    assert_eq!(Observation::of(b"", line.as_bytes()).needs.into_iter().collect::<Vec<_>>(), [need]);
}

#[test]
fn a_schema_judges_and_reaches_nothing() {
    let schema = json!({"type": "object", "properties": {"name": {"type": "string", "pattern": "^(a+)+$"}}, "required": ["name"]});
    let remote = json!({"$ref": "https://schemas.example/x.json"});
    let content =
        content(&[("in.json", &schema.to_string()), ("remote.json", &remote.to_string()), ("none.json", "{")]);
    let judge = Schema::of(&content, "in.json").unwrap();
    assert!(judge.check(&json!({"name": "aaa"})).is_ok());
    let evil = format!("{}!", "a".repeat(60));
    let refused = judge.check(&json!({"name": evil})).unwrap_err();
    assert!(refused.to_string().contains("/name"), "{refused}");
    assert!(matches!(Schema::of(&content, "remote.json"), Err(Error::Schema { .. })));
    assert!(matches!(Schema::of(&content, "none.json"), Err(Error::Schema { .. })));
}

#[test]
fn lists_that_name_each_other_are_read_once() {
    let list = |next: &str| format!("-r {next}\n").repeat(400) + "rich\n";
    let (one, two, three) = (list("a.txt"), list("b.txt"), list("requirements.txt"));
    let files = [("scripts/x.py", "pass"), ("requirements.txt", &*one), ("a.txt", &*two), ("b.txt", &*three)];
    assert_eq!(asked(&files).unwrap(), ["rich"; 3]);
}

#[test]
fn more_packages_than_are_taken_are_refused_and_not_dropped() {
    let list: String = (0..300).fold(String::new(), |list, number| list + &format!("thing{number}\n"));
    let refused = asked(&[("scripts/x.py", "pass"), ("requirements.txt", &list)]);
    assert!(matches!(refused, Err(Error::Dependency { .. })), "{refused:?}");
}

#[rstest]
#[case::its_own("node_modules/thing", json!({"version": "1.0.0", "resolved": "https://r.example/thing/-/thing-1.0.0.tgz"}), true)]
#[case::a_scope("node_modules/@a/b", json!({"version": "1.0.0", "resolved": "https://r.example/@a/b/-/b-1.0.0.tgz"}), true)]
#[case::another("node_modules/thing", json!({"version": "1.0.0", "resolved": "https://r.example/evil/-/evil-1.0.0.tgz"}), false)]
#[case::another_version("node_modules/thing", json!({"version": "1.0.0", "resolved": "https://r.example/thing/-/thing-9.0.0.tgz"}), false)]
#[case::an_alias("node_modules/thing", json!({"name": "evil", "version": "1.0.0", "resolved": "https://r.example/thing/-/thing-1.0.0.tgz"}), false)]
#[case::a_place("node_modules/thing", json!({"version": "1.0.0", "resolved": "file:../x"}), false)]
fn a_skills_lock_file_counts_when_its_names_are_true(
    #[case] place: &str,
    #[case] entry: serde_json::Value,
    #[case] taken: bool,
) {
    let package = json!({"dependencies": {"thing": "^1"}}).to_string();
    let lock = json!({"lockfileVersion": 3, "packages": {"": {}, place: entry}}).to_string();
    let content = content(&[("scripts/x.js", ""), ("package.json", &package), ("package-lock.json", &lock)]);
    let node = Program { language: Language::JavaScript, ..python() };
    let wanted = Wanted::of(&content, "scripts/x.js", &node, &Dependencies::default()).unwrap();
    assert_eq!(wanted.node_lock.is_some(), taken);
}

fn doubled() -> serde_json::Value {
    let next = |number: usize| json!({"$ref": format!("#/$defs/d{number}")});
    let mut definitions: serde_json::Map<String, serde_json::Value> =
        (0..40).map(|number| (format!("d{number}"), json!({"allOf": [next(number + 1), next(number + 1)]}))).collect();
    definitions.insert("d40".to_owned(), json!({}));
    json!({"$defs": definitions, "$ref": "#/$defs/d0"})
}

#[rstest]
#[case::each_step_doubles(doubled())]
#[case::in_place(json!({"allOf": [{"$ref": "#"}]}))]
#[case::twice_by_one_way(json!({"allOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]}))]
#[case::by_two_ways_that_meet(json!({"properties": {"a": {"$ref": "#"}}, "patternProperties": {"^a": {"$ref": "#"}}}))]
#[case::by_a_longer_way(json!({"properties": {"a": {"allOf": [{"$ref": "#"}, {"properties": {"a": {"$ref": "#"}}}]}}}))]
#[case::lists(json!({"$defs": {"l": {"items": {"$ref": "#/$defs/l"}, "contains": {"$ref": "#/$defs/l"}}}, "$ref": "#/$defs/l"}))]
#[case::another_root(json!({"properties": {"a": {"$id": "other", "$ref": "#/x", "x": {}}}}))]
fn a_schema_whose_work_multiplies_is_refused(#[case] schema: serde_json::Value) {
    let content = content(&[("s.json", &schema.to_string())]);
    assert!(matches!(Schema::of(&content, "s.json"), Err(Error::Schema { .. })));
}

#[rstest]
#[case::a_tree(json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "n": {"type": "integer"}}}))]
#[case::a_list(json!({"$defs": {"n": {"properties": {"below": {"items": {"$ref": "#/$defs/n"}}}}}, "items": {"$ref": "#/$defs/n"}}))]
#[case::used_twice(json!({"$defs": {"n": {"properties": {"a": {"$ref": "#/$defs/n"}}}}, "properties": {"x": {"$ref": "#/$defs/n"}, "y": {"$ref": "#/$defs/n"}}}))]
fn a_schema_that_leads_into_itself_in_one_way_is_taken(#[case] schema: serde_json::Value) {
    let content = content(&[("s.json", &schema.to_string())]);
    let judge = Schema::of(&content, "s.json").unwrap();
    assert!(judge.check(&json!({"left": {"n": 1}, "x": {"a": {}}})).is_ok() || schema.get("items").is_some());
    if schema["properties"].get("n").is_some() {
        assert!(judge.check(&json!({"left": {"right": {"n": "one"}}})).is_err());
    }
}
