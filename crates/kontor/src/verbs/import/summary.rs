use std::collections::{BTreeMap, HashMap};

use kontor_client::ImportReport;
use kontor_types::Handle;
use kontor_wire::{Assessment, ImportItem, ImportStatus, Outcome, VersionState};
use serde_json::json;

use super::Decided;
use crate::amounts::count;
use crate::session::Session;
use crate::terminal::{Style, Terminal, plain};
use crate::verbs::decided;

/// Refused skills of one kind that a terminal shows; a file or a pipe gets all.
const MOST_ON_A_TERMINAL: usize = 12;

/// Updated skills that are named one by one.
const MOST_UPDATED: usize = 20;

/// Tells what became of each skill: those refused by reason with what to do, those updated, then the sums.
pub(super) fn show(
    report: &ImportReport,
    told: &Decided,
    unknown: bool,
    publisher: Option<&Handle>,
    session: &Session,
) {
    let terminal = &session.terminal;
    let decided = told.new.as_deref();
    let waiting = Decisions::of(&told.unchanged).waiting();
    if terminal.json {
        let known = told.unchanged.iter().chain(decided.unwrap_or_default());
        let known: HashMap<String, &Assessment> = known.map(|item| (decided::named(item).to_string(), item)).collect();
        let items = report.items.iter().map(|item| as_json(item, &known));
        terminal.json(&json!({
            "decisions": decided.map(Decisions::of),
            "decisions_unknown": unknown,
            "unchanged_waiting": waiting,
            "imported": report.imported,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "refused": report.refused,
            "renamed": report.renamed,
            "items": items.collect::<Vec<_>>(),
            "passed_over": report.passed_over,
        }));
        return;
    }
    let mut kinds: BTreeMap<(&str, &str), Vec<&ImportItem>> = BTreeMap::new();
    for item in report.items.iter().filter(|item| item.status == ImportStatus::Refused) {
        let kind = (item.code.as_deref().unwrap_or_default(), item.hint.as_deref().unwrap_or_default());
        kinds.entry(kind).or_default().push(item);
    }
    for ((code, hint), items) in kinds {
        show_refused(code, hint, &items, terminal);
    }
    show_updated(report, terminal);
    for (number, word, style) in [
        (report.imported, "imported", Style::Green),
        (report.updated, "updated", Style::Green),
        (report.unchanged, "unchanged", Style::Dim),
        (report.refused, "refused", if report.refused > 0 { Style::Red } else { Style::Dim }),
    ] {
        terminal.data(&terminal.paint(style, &format!("{number:>8} {word}")));
    }
    if unknown {
        terminal
            .warn("decisions unknown: the hub stopped answering while they were made; `kontor info NAME` tells each");
    }
    if let Some(decided) = decided.filter(|decided| !decided.is_empty()) {
        show_decisions(decided, terminal);
    }
    if waiting > 0 {
        let still = if waiting == 1 { "still waits" } else { "still wait" };
        terminal.note(&format!("{waiting} of the unchanged {still} for a decision: kontor review list"));
    }
    if let Some(example) = report.passed_over.first() {
        let what = count(report.passed_over.len() as u64, "link or unreadable folder");
        terminal.note(&format!("passed over: {what}, for example {}", plain(example)));
    }
    if report.renamed > 0 {
        let what = count(report.renamed, "new skill");
        terminal.note(&format!("{what} got another name, since theirs was taken; --json says which"));
    }
    if let Some(publisher) = publisher.filter(|_| report.imported + report.updated > 0) {
        let hub = session.registry().unwrap_or_default();
        terminal.note(&format!("see them at {}/@{publisher}", hub.trim_end_matches('/')));
    }
    if report.items.is_empty() {
        terminal.warn("there is no skill in it; a skill is a folder with a SKILL.md");
    }
}

fn show_updated(report: &ImportReport, terminal: &Terminal) {
    let updated: Vec<&ImportItem> = report.items.iter().filter(|item| item.status == ImportStatus::Updated).collect();
    for item in updated.iter().take(MOST_UPDATED) {
        let number = item.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let name = item.reference.as_ref().map(ToString::to_string).unwrap_or_default();
        terminal.data(&format!("updated {}{number}", terminal.paint(Style::Bold, &name)));
    }
    if updated.len() > MOST_UPDATED {
        terminal.data(&format!("and {} more; --json lists all", updated.len() - MOST_UPDATED));
    }
}

/// How many were decided how.
#[derive(Debug, Default, serde::Serialize)]
struct Decisions {
    admitted: u64,
    held: u64,
    quarantined: u64,
    rejected: u64,
    pending: u64,
}

impl Decisions {
    /// How many others do not see yet.
    const fn waiting(&self) -> u64 {
        self.held + self.quarantined + self.pending
    }

    fn of(decided: &[Assessment]) -> Self {
        let mut sums = Self::default();
        for item in decided {
            let sum = match (item.state, item.outcome) {
                (VersionState::Visible, _) => &mut sums.admitted,
                (VersionState::Pending, _) => &mut sums.pending,
                (VersionState::Held, Some(Outcome::Quarantine)) => &mut sums.quarantined,
                (VersionState::Held, _) => &mut sums.held,
                (VersionState::Rejected, _) => &mut sums.rejected,
            };
            *sum += 1;
        }
        sums
    }
}

/// Tells what was decided: the sums, and each skill that others do not see with its gravest finding.
fn show_decisions(decided: &[Assessment], terminal: &Terminal) {
    let sums = Decisions::of(decided);
    for (number, word, style) in [
        (sums.admitted, "admitted", Style::Green),
        (sums.held, "held for review", Style::Yellow),
        (sums.quarantined, "in quarantine", Style::Red),
        (sums.rejected, "rejected", Style::Red),
        (sums.pending, "not decided yet", Style::Yellow),
    ] {
        if number > 0 {
            terminal.data(&terminal.paint(style, &format!("{number:>8} {word}")));
        }
    }
    let kept: Vec<&Assessment> = decided.iter().filter(|item| item.state != VersionState::Visible).collect();
    let most = if terminal.columns().is_some() { MOST_ON_A_TERMINAL } else { kept.len() };
    for item in kept.iter().take(most) {
        let (word, style) = decided::standing(item);
        let why = item
            .findings
            .first()
            .map(|finding| format!(": {}:{}: {} [{}]", finding.file, finding.line, finding.message, finding.rule));
        let why = why.or_else(|| item.failure.as_ref().map(|failure| format!(": {failure}")));
        let why = why.or_else(|| item.reasons.first().map(|reason| format!(": {}", reason.text))).unwrap_or_default();
        terminal.data(&format!("  {} {}{}", decided::named(item), terminal.paint(style, word), plain(&why)));
    }
    if kept.len() > most {
        terminal.data(&format!("  and {} more", kept.len() - most));
    }
    if sums.held + sums.quarantined > 0 {
        terminal.note("decide about them with: kontor review list");
    }
}

fn show_refused(code: &str, hint: &str, items: &[&ImportItem], terminal: &Terminal) {
    let title = terminal.paint(Style::Red, &format!("refused[{}]", plain(code)));
    terminal.data(&format!("{title}: {}", terminal.paint(Style::Bold, &count(items.len() as u64, "skill"))));
    let most = if terminal.columns().is_some() { MOST_ON_A_TERMINAL } else { items.len() };
    for item in items.iter().take(most) {
        let place = match (&item.file, item.line) {
            (Some(file), Some(line)) => format!("{}:{line}", joined(&item.path, file)),
            (Some(file), None) => joined(&item.path, file),
            (None, _) => item.path.clone(),
        };
        let why = plain(item.message.as_deref().unwrap_or_default());
        terminal.data(&format!("  {}: {why}", terminal.paint(Style::Cyan, &plain(&place))));
    }
    if items.len() > most {
        terminal.data(&format!("  and {} more; --json lists all", items.len() - most));
    }
    if !hint.is_empty() {
        terminal.data(&format!("  {} {}", terminal.paint(Style::Cyan, "help:"), plain(hint)));
    }
    terminal.data("");
}

fn as_json(item: &ImportItem, known: &HashMap<String, &Assessment>) -> serde_json::Value {
    let told = super::named(item).and_then(|name| known.get(&name.to_string()));
    json!({
        "state": told.map(|told| told.state),
        "outcome": told.and_then(|told| told.outcome),
        "finding": told.and_then(|told| told.findings.first()),
        "path": item.path,
        "ref": item.reference,
        "status": item.status,
        "version": item.version,
        "digest": item.digest,
        "code": item.code,
        "message": item.message,
        "hint": item.hint,
        "file": item.file,
        "line": item.line,
    })
}

fn joined(path: &str, file: &str) -> String {
    if path.is_empty() { file.to_owned() } else { format!("{path}/{file}") }
}
