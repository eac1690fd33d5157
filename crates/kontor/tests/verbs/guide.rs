//! The guide that goes from a search to a receipt, each of its commands as it is written.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::hub::{Hub, kontor, said};

/// The blocks of commands in a page.
fn blocks(page: &str) -> Vec<String> {
    let parts = page.split("\n```sh\n").skip(1);
    parts.filter_map(|part| part.split_once("\n```").map(|(block, _)| block.to_owned())).collect()
}

#[test]
fn every_command_of_the_guide_works_from_a_fresh_home() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/run.md");
    let blocks = blocks(&fs::read_to_string(page).unwrap());
    assert_eq!(blocks.len(), 6, "{blocks:?}");
    let hub = Hub::start_with(tempfile::tempdir().unwrap(), &[], &[]);
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kontor"), home.path().join("bin/kontor")).unwrap();
    let path = format!("{}/bin:{}", home.path().display(), std::env::var("PATH").unwrap());
    let mut told = String::new();
    for (number, block) in blocks.iter().enumerate() {
        fs::write(home.path().join("block.sh"), block).unwrap();
        fs::write(home.path().join("answers"), "a\n").unwrap();
        // A terminal of its own, at which somebody answers.
        let mut shell = Command::new("script");
        shell.args(["--quiet", "--return", "--command", "sh -e block.sh", "/dev/null"]).current_dir(home.path());
        shell
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", &path)
            .env("KONTOR_REGISTRY", &hub.url)
            .env("TERM", "dumb");
        let output =
            shell.stdin(fs::File::open(home.path().join("answers")).unwrap()).stderr(Stdio::inherit()).output();
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "block {number}: {text}");
        told += &text;
    }
    assert!(told.contains("Let it run [o]nce"), "{told}");
    assert!(told.contains("It connected to nothing."), "{told}");
    let minutes: Value = serde_json::from_slice(&fs::read(home.path().join("minutes.json")).unwrap()).unwrap();
    assert_eq!(minutes["actions"][0]["deadline"]["date"], "2026-03-06");
    assert_eq!(minutes["decisions"].as_array().unwrap().len(), 1);
    assert_eq!(minutes["open_points"][0]["text"], "Who tells the support team?");
    assert!(home.path().join("made/draft.json").is_file());

    // Wrong inputs are told before anybody is asked.
    let complain = |arguments: &[&str], code: i32, part: &str| {
        let mut command = kontor();
        command.args(arguments).env("HOME", home.path()).env_remove("KONTOR_CONFIG_HOME");
        command.env("KONTOR_REGISTRY", &hub.url).current_dir(home.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        let text = said(&output);
        assert!(text.contains(part) && !text.contains("may, when"), "{arguments:?}: {text}");
    };
    let skill = "@kontor/meeting-minutes";
    complain(&["run", skill], 2, "name a tool: extract, render; --describe behind it tells what it takes");
    complain(&["run", skill, "extract"], 2, "reads JSON: give it with --input FILE");
    complain(&["run", skill, "extract", "--input", "meeting.txt"], 6, "meeting.txt is no JSON");
    complain(&["run", skill, "extract", "--input", "meeting.json", "--file", "none"], 1, "cannot read none");
    complain(&["run", skill, "extrac", "--input", "meeting.json"], 5, "its tools are `extract`, `render`");
    complain(&["explain", "last", "--json"], 0, "");
    complain(&["receipt", "verify", "nothing"], 6, "`kontor receipt list` shows");
}
