//! `kontor scan --compare OLD NEW`: what a newer version can do and says that the older did not.

use std::path::Path;

use kontor_scan::{Comparison, Scanner, Severity, Waivers};

use super::show_finding;
use crate::exit::{Exit, UsageError};
use crate::terminal::{Style, Terminal, plain};

/// Scans both and tells the difference; ends with 1 when something new reaches medium.
pub fn run(
    terminal: &Terminal,
    scanner: &Scanner,
    waivers: &Waivers,
    (old, new): (&Path, &Path),
    shadow: bool,
) -> anyhow::Result<Exit> {
    let today = jiff::Zoned::now().date();
    let scan = |path: &Path| {
        let mut report = scanner.scan_path(path).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            UsageError(format!("{error}{cause}"))
        })?;
        waivers.apply(&mut report, today);
        Ok::<_, UsageError>(report)
    };
    let comparison = Comparison::of(&scan(old)?, &scan(new)?);
    if terminal.json {
        terminal.data(&serde_json::to_string(&comparison)?);
    } else {
        show(terminal, &comparison);
    }
    let counted = comparison.findings.iter().filter(|finding| finding.waived.is_none());
    let worst = counted.map(|finding| finding.severity).max().unwrap_or_default();
    Ok(if worst >= Severity::Medium && !shadow { Exit::Failed } else { Exit::Done })
}

fn show(terminal: &Terminal, comparison: &Comparison) {
    for sentence in comparison.sentences() {
        terminal.data(&terminal.paint(Style::Yellow, &plain(&sentence)));
    }
    for lost in &comparison.lost {
        terminal.data(&format!("no longer: {} {}", lost.part, plain(&lost.what)));
    }
    for finding in comparison.findings.iter().filter(|finding| finding.severity >= Severity::Low) {
        show_finding(terminal, finding);
    }
    if comparison.is_calm() {
        terminal.data(&format!(
            "{} can do nothing that {} could not, and nothing new was found in it",
            plain(&comparison.new),
            plain(&comparison.old)
        ));
    } else {
        terminal.data(&format!("worst finding: {} before, {} now", comparison.old_severity, comparison.new_severity));
    }
}
