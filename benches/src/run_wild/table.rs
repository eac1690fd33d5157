//! Which scripts do not answer, and why.

use serde_json::json;

use super::Outcome;
use super::judge::Class;
use crate::report::Report;

/// Prints one line for each script that does not answer.
pub fn print(outcomes: &[Outcome]) {
    for outcome in outcomes {
        for (script, judged) in &outcome.scripts {
            if judged.class != Class::Answers {
                println!("{:<18} {}: {script}: {}", judged.class.word(), outcome.skill, judged.detail);
            }
        }
    }
}

/// Prints figures and every script as one JSON document.
pub fn print_json(report: &Report, outcomes: &[Outcome]) {
    let mut document = report.json();
    let scripts = outcomes.iter().flat_map(|outcome| {
        outcome.scripts.iter().map(|(script, judged)| {
            json!({
                "skill": outcome.skill,
                "script": script,
                "class": judged.class.word(),
                "eligible": judged.class.is_eligible(),
                "detail": judged.detail,
            })
        })
    });
    document["scripts"] = scripts.collect();
    println!("{document}");
}
