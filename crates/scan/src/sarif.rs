//! SARIF 2.1.0, for code hosts and dashboards.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::report::{Finding, Report, Severity};
use crate::rules::{Rule, RulePack};

/// The reports as one SARIF log. Files are named below their unit's path.
///
/// `others` are rules that stand in no pack: those by which something was judged that was run.
pub fn sarif(reports: &[Report], pack: &RulePack, others: &[Rule], version: &str) -> Value {
    let all = || pack.rules.iter().chain(others);
    let places: BTreeMap<&str, usize> = all().enumerate().map(|(place, rule)| (rule.id.as_str(), place)).collect();
    let rules: Vec<Value> = all()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": { "text": rule.title },
                "fullDescription": { "text": rule.why },
                "help": { "text": rule.remedy },
                "defaultConfiguration": { "level": level(rule.severity) },
                "properties": { "tags": rule.taxonomy, "security-severity": score(rule.severity) },
            })
        })
        .collect();
    let results: Vec<Value> = reports
        .iter()
        .flat_map(|report| report.findings.iter().map(|finding| result(report, finding, &places)))
        .collect();
    let notices: Vec<Value> = reports.iter().flat_map(|report| {
        report.unexamined.iter().map(|missing| {
            json!({
                "level": "warning",
                "message": { "text": format!("not examined: {}", missing.reason) },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&report.path, &missing.file) } } }],
            })
        })
    }).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "kontor",
                "version": version,
                "rules": rules,
                "properties": { "rulePack": pack.digest.hex() },
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notices }],
            "results": results,
        }],
    })
}

fn result(report: &Report, finding: &Finding, places: &BTreeMap<&str, usize>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&report.path, &finding.file) } });
    if finding.line > 0 {
        let mut region = json!({ "startLine": finding.line, "snippet": { "text": finding.excerpt } });
        if finding.column > 0 {
            region["startColumn"] = json!(finding.column);
        }
        physical["region"] = region;
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": format!("{}. {}", finding.message, finding.remedy) },
        "locations": [{ "physicalLocation": physical }],
        "partialFingerprints": { "kontor/v1": format!("{}:{}:{}", finding.rule, finding.file, finding.excerpt) },
        "properties": { "severity": finding.severity.word(), "decoded": finding.decoded, "softened": finding.softened },
    });
    if let Some(place) = places.get(finding.rule.as_str()) {
        result["ruleIndex"] = json!(place);
    }
    if let Some(waived) = &finding.waived {
        result["suppressions"] = json!([{ "kind": "external", "justification": waived }]);
    }
    result
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::None => "none",
        Severity::Info | Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}

const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::None => "0.0",
        Severity::Info => "1.0",
        Severity::Low => "3.0",
        Severity::Medium => "5.5",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    }
}

/// A path as a relative URI reference: everything but the plain characters is escaped.
fn uri(unit: &str, file: &str) -> String {
    let path = if file.is_empty() { unit.to_owned() } else { format!("{}/{file}", unit.trim_end_matches('/')) };
    let mut escaped = String::new();
    for byte in path.trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b'!' | b'@') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
