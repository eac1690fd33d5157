//! Every rule matches what it must and leaves alone what it must not.

use kontor_scan::{Report, RulePack, Sample, Scanner, Severity};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn scan(scanner: &Scanner, sample: &Sample) -> Report {
    let hex: Vec<u8> = sample
        .hex
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let bytes = if sample.hex.is_empty() { sample.text.clone().into_bytes() } else { hex };
    scanner.scan_files("sample", [(sample.file.as_str(), bytes.as_slice())])
}

#[test]
fn every_rule_matches_its_examples_and_no_counter_example() -> Result {
    let scanner = Scanner::new()?;
    let mut wrong = Vec::new();
    for rule in &scanner.pack().rules {
        for example in &rule.example {
            let report = scan(&scanner, example);
            let found =
                report.findings.iter().filter(|finding| finding.rule == rule.id).map(|finding| finding.severity).max();
            if found.is_none_or(|severity| severity < rule.severity.min(Severity::Medium)) {
                wrong.push(format!(
                    "{} does not match {:?} (found {found:?}; others: {:?})",
                    rule.id,
                    example,
                    report.findings.iter().map(|finding| &finding.rule).collect::<Vec<_>>()
                ));
            }
        }
        for counter in &rule.counter {
            let report = scan(&scanner, counter);
            let least = rule.severity.min(Severity::Medium);
            if report.findings.iter().any(|finding| finding.rule == rule.id && finding.severity >= least) {
                wrong.push(format!("{} matches {counter:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_rule_says_what_why_and_what_to_do() -> Result {
    let pack = RulePack::embedded()?;
    for rule in &pack.rules {
        for text in [&rule.title, &rule.why, &rule.remedy] {
            assert!(text.len() > 9, "{}: `{text}` says too little", rule.id);
        }
        assert!(!rule.taxonomy.is_empty(), "{} has no reference to a public taxonomy", rule.id);
        assert!(!rule.counter.is_empty(), "{} has no text that it must not match", rule.id);
        // What needs more than one file, or a list from outside, is tested beside the scanner.
        let elsewhere = ["file.known-bad", "file.link-out", "file.pyc", "file.archive"];
        assert!(
            !rule.example.is_empty()
                || elsewhere.contains(&rule.id.as_str())
                || rule.id.starts_with("declared.")
                || matches!(rule.id.as_str(), "package.vulnerable" | "package.malicious"),
            "{} has no text that it must match",
            rule.id
        );
    }
    Ok(())
}

#[test]
fn every_pattern_can_be_read() -> Result {
    Scanner::new()?.check_patterns()?;
    Ok(())
}
