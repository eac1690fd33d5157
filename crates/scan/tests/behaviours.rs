//! Attacks in our own words, behaviour by behaviour, and honest texts that look like them.

use kontor_scan::{Scanner, Severity};
use serde::Deserialize;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    class: String,
    #[serde(default = "skill")]
    file: String,
    #[serde(default = "high")]
    least: Severity,
    text: String,
}

fn skill() -> String {
    "SKILL.md".to_owned()
}

const fn high() -> Severity {
    Severity::High
}

fn missed(cases: &str) -> Result<Vec<String>> {
    let scanner = Scanner::new()?;
    let cases: Cases = toml::from_str(cases)?;
    let mut missed = Vec::new();
    for case in cases.case {
        let report = scanner.scan_files("unit", [(case.file.as_str(), case.text.as_bytes())]);
        if report.severity < case.least {
            missed.push(format!("{}: {} instead of {}: {:?}", case.class, report.severity, case.least, case.text));
        }
    }
    Ok(missed)
}

#[test]
fn orders_to_do_harm_are_found_however_they_are_worded() -> Result {
    let missed = missed(include_str!("behaviours/prose.toml"))?;
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    Ok(())
}

#[test]
fn harmful_programs_are_found_in_every_language() -> Result {
    let missed = missed(include_str!("behaviours/code.toml"))?;
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    Ok(())
}

#[test]
fn honest_texts_do_not_reach_medium() -> Result {
    let scanner = Scanner::new()?;
    let cases: Cases = toml::from_str(include_str!("behaviours/honest.toml"))?;
    let mut wrong = Vec::new();
    for case in cases.case {
        let report = scanner.scan_files("unit", [(case.file.as_str(), case.text.as_bytes())]);
        for finding in report.findings.iter().filter(|finding| finding.severity > case.least) {
            wrong.push(format!("{} {}: {:?}", finding.rule, finding.severity, case.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
