//! Waiting for what the hub decides about published versions, and telling it.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use kontor_client::{Client, Error};
use kontor_types::{SkillRef, VersionSelector};
use kontor_wire::{Assessment, Outcome, Verdict, VersionState};

use crate::terminal::{Style, Terminal, plain};

/// Most versions that are asked about at once.
const AT_ONCE: usize = 200;
/// How long nothing must be decided before the waiting ends.
const PATIENCE: Duration = Duration::from_mins(1);
/// The first wait between two questions; each is longer than the one before, up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(60);
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Asks until all of these versions are decided, or nothing has moved for a while; those that are not are still pending.
pub async fn wait(client: &Client, versions: Vec<SkillRef>, bar: &ProgressBar) -> Result<Vec<Assessment>, Error> {
    let mut waiting = versions;
    let mut decided = Vec::new();
    let mut moved = Instant::now();
    let mut pause = FIRST_WAIT;
    loop {
        let mut pending = Vec::new();
        let mut stuck = Vec::new();
        for some in waiting.chunks(AT_ONCE) {
            for item in client.assessments(some.to_vec()).await?.items {
                let is_pending = item.state == VersionState::Pending;
                if is_pending && item.failure.is_none() {
                    pending.push(named(&item));
                } else if is_pending {
                    stuck.push(item);
                } else {
                    bar.inc(1);
                    decided.push(item);
                }
            }
        }
        if pending.len() < waiting.len() {
            moved = Instant::now();
        }
        if pending.is_empty() || moved.elapsed() > PATIENCE {
            decided.extend(stuck);
            for some in pending.chunks(AT_ONCE) {
                decided.extend(client.assessments(some.to_vec()).await?.items);
            }
            return Ok(decided);
        }
        waiting = pending;
        waiting.extend(stuck.iter().map(named));
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(3).checked_div(2).unwrap_or(LAST_WAIT).min(LAST_WAIT);
    }
}

/// The full name of what was assessed.
pub fn named(item: &Assessment) -> SkillRef {
    SkillRef { version: Some(VersionSelector::Exact(item.version.clone())), ..item.reference.clone() }
}

/// What became of a version, in a word or two.
pub fn standing(item: &Assessment) -> (&'static str, Style) {
    match (item.state, item.outcome) {
        (VersionState::Visible, _) => ("admitted", Style::Green),
        (VersionState::Pending, _) if item.failure.is_some() => ("not scanned", Style::Red),
        (VersionState::Pending, _) => ("not decided yet", Style::Yellow),
        (VersionState::Held, Some(Outcome::Quarantine)) => ("in quarantine", Style::Red),
        (VersionState::Held, _) => ("held for review", Style::Yellow),
        (VersionState::Rejected, _) => ("rejected", Style::Red),
    }
}

/// The scanner's word with the worst finding.
pub fn verdict(item: &Assessment) -> String {
    let word = match item.verdict {
        None => return "not scanned".to_owned(),
        Some(Verdict::Clean) => "clean",
        Some(Verdict::Incomplete) => "incomplete",
        Some(Verdict::Suspicious) => "suspicious",
        Some(Verdict::Malicious) => "malicious",
    };
    match item.severity.as_deref() {
        None | Some("none") => word.to_owned(),
        Some(severity) => format!("{word} (worst finding: {severity})"),
    }
}

/// Tells verdict, findings with file and line, decision and reasons.
pub fn show(item: &Assessment, terminal: &Terminal, least: &[&str]) {
    let (word, style) = standing(item);
    terminal.data(&format!("{:<10} {}", "scan", verdict(item)));
    terminal.data(&format!("{:<10} {}", "decision", terminal.paint(style, word)));
    for reason in &item.reasons {
        terminal.data(&format!("           {} [{}]", plain(&reason.text), plain(&reason.policy)));
    }
    if let Some(failure) = &item.failure {
        terminal.data(&format!("           {}", plain(failure)));
    }
    for finding in item.findings.iter().filter(|finding| !least.contains(&finding.severity.as_str())) {
        let place = match (finding.line, finding.column) {
            (0, _) => plain(&finding.file),
            (line, 0) => format!("{}:{line}", plain(&finding.file)),
            (line, column) => format!("{}:{line}:{column}", plain(&finding.file)),
        };
        let title = format!("{}[{}]", plain(&finding.severity), plain(&finding.rule));
        terminal.data(&format!("  {}: {}", terminal.paint(Style::Yellow, &title), plain(&finding.message)));
        terminal.data(&format!("    {} {place}", terminal.paint(Style::Cyan, "-->")));
        if !finding.excerpt.is_empty() {
            terminal.data(&format!("     | {}", plain(&finding.excerpt)));
        }
        terminal.data(&format!("    {} {}", terminal.paint(Style::Cyan, "help:"), plain(&finding.remedy)));
    }
    for missing in &item.unexamined {
        terminal.data(&format!("  {} {}", terminal.paint(Style::Yellow, "not examined:"), plain(missing)));
    }
}
