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
/// About how long a hub takes for one version when many wait.
const EACH: Duration = Duration::from_millis(3);
/// The shortest and the longest wait between two questions.
const SHORTEST: Duration = Duration::from_millis(40);
const LONGEST: Duration = Duration::from_secs(1);

/// Asks until all of these versions are decided, or nothing has moved for a while; those that are not are still pending.
///
/// A hub takes the oldest first, so the first of them are asked about until they are decided.
pub async fn wait(client: &Client, versions: Vec<SkillRef>, bar: &ProgressBar) -> Result<Vec<Assessment>, Error> {
    let mut waiting = versions;
    let (mut decided, mut stuck) = (Vec::new(), Vec::new());
    let (mut moved, mut idle) = (Instant::now(), 0_u32);
    while !waiting.is_empty() && moved.elapsed() < PATIENCE {
        let later = waiting.split_off(waiting.len().min(AT_ONCE));
        let asked = waiting.len();
        let mut pending = Vec::new();
        for item in client.assessments(waiting).await?.items {
            if item.state != VersionState::Pending {
                bar.inc(1);
                decided.push(item);
            } else if item.failure.is_none() {
                pending.push(named(&item));
            } else {
                stuck.push(named(&item));
            }
        }
        idle = if pending.len() < asked { 0 } else { idle.saturating_add(1) };
        if idle == 0 {
            moved = Instant::now();
        }
        let pause = pause(pending.len(), idle);
        waiting = pending;
        waiting.extend(later);
        tokio::time::sleep(pause).await;
    }
    waiting.extend(stuck);
    decided.extend(ask(client, &waiting).await?);
    Ok(decided)
}

/// How versions stand now, whether they are decided or not.
pub async fn ask(client: &Client, versions: &[SkillRef]) -> Result<Vec<Assessment>, Error> {
    let mut told = Vec::with_capacity(versions.len());
    for some in versions.chunks(AT_ONCE) {
        told.extend(client.assessments(some.to_vec()).await?.items);
    }
    Ok(told)
}

/// How long to wait before so many versions are asked about again, of which nothing was decided the last few times.
fn pause(pending: usize, idle: u32) -> Duration {
    if pending == 0 {
        return Duration::ZERO;
    }
    let usual = EACH.saturating_mul(u32::try_from(pending).unwrap_or(u32::MAX)).max(SHORTEST);
    usual.saturating_mul(1_u32.checked_shl(idle).unwrap_or(u32::MAX)).min(LONGEST)
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
