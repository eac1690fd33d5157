//! `kontor check`: judge skills before they are published.

mod excerpt;

use std::collections::BTreeMap;
use std::path::PathBuf;

use kontor_package::{Content, Finding, Severity, inspect};
use serde::Serialize;

use crate::amounts::count;
use crate::exit::Exit;
use crate::local::{LocalSkill, skills_at};
use crate::session::Session;
use crate::terminal::{Style, Terminal, plain};

/// The most findings of one kind that are shown of a skill.
const MOST_ALIKE: u64 = 5;

/// Check skills
///
/// PATH is a skill's folder, its SKILL.md, an archive, or a folder of skills. Ends with 0 when every skill can be
/// published, with 1 when one cannot; with `--strict` it must also be valid by the open format, as the reference
/// validator judges it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to check
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Ask for validity by the open format, not only for what a hub accepts
    #[arg(long)]
    strict: bool,
}

/// What was found, in the form of `--json`.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    findings: Vec<Finding>,
    skills: Vec<Judged>,
}

/// The verdict on one skill.
#[derive(Debug, Serialize)]
struct Judged {
    path: String,
    name: String,
    accepted: bool,
    spec_valid: bool,
}

/// Checks every skill below the paths.
pub fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let terminal = &session.terminal;
    let mut report = Report { ok: true, findings: Vec::new(), skills: Vec::new() };
    for path in &args.paths {
        for skill in skills_at(path)? {
            let (judged, findings) = judge(&skill);
            report.ok &= if args.strict { judged.spec_valid } else { judged.accepted };
            if !terminal.json {
                show(terminal, &skill, &findings, args.strict);
            }
            report.findings.extend(findings.into_iter().map(|finding| placed(&skill, finding)));
            report.skills.push(judged);
        }
    }
    if terminal.json {
        terminal.json(&report);
    } else {
        conclude(terminal, &report, args.strict);
    }
    Ok(if report.ok { Exit::Done } else { Exit::Failed })
}

fn judge(skill: &LocalSkill) -> (Judged, Vec<Finding>) {
    match &skill.content {
        Ok(content) => {
            let inspection = inspect(content, skill.folder.as_deref());
            let name = inspection.facts.display_name;
            let (accepted, spec_valid) = (inspection.accepted, inspection.spec_valid);
            (Judged { path: skill.path.clone(), name, accepted, spec_valid }, inspection.findings)
        }
        Err(error) => {
            let name = skill.folder.clone().unwrap_or_default();
            (Judged { path: skill.path.clone(), name, accepted: false, spec_valid: false }, vec![error.finding()])
        }
    }
}

/// The finding with a file that the user can open.
fn placed(skill: &LocalSkill, finding: Finding) -> Finding {
    Finding { file: skill.place(&finding.file), ..finding }
}

/// Shows each finding with its line; whether it matters to the wanted verdict decides how loud.
fn show(terminal: &Terminal, skill: &LocalSkill, findings: &[Finding], strict: bool) {
    let empty = Content::default();
    let content = skill.content.as_ref().unwrap_or(&empty);
    let mut told: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in findings {
        let number = told.entry(&finding.code).or_default();
        *number += 1;
        if *number > MOST_ALIKE {
            continue;
        }
        let decides = finding.severity == Severity::Error || (strict && finding.breaks_spec);
        let (word, style) = match finding.severity {
            _ if decides => ("error", Style::Red),
            Severity::Note => ("note", Style::Cyan),
            _ => ("warning", Style::Yellow),
        };
        let title = terminal.paint(style, &format!("{word}[{}]", finding.code));
        terminal.data(&format!("{title}: {}", terminal.paint(Style::Bold, &plain(&finding.message))));
        let place = plain(&skill.place(&finding.file));
        let position = match (finding.line, finding.column) {
            (0, _) => String::new(),
            (line, 0) => format!(":{line}"),
            (line, column) => format!(":{line}:{column}"),
        };
        terminal.data(&format!("  {} {place}{position}", terminal.paint(Style::Cyan, "-->")));
        for line in excerpt::lines(content, finding, |text| terminal.paint(style, text)) {
            terminal.data(&line);
        }
        if !finding.remedy.is_empty() {
            terminal.data(&format!("  {} {}", terminal.paint(Style::Cyan, "help:"), plain(&finding.remedy)));
        }
        terminal.data("");
    }
    for (code, number) in told.into_iter().filter(|(_, number)| *number > MOST_ALIKE) {
        terminal.data(&format!("and {code} {} more; --json lists all\n", count(number - MOST_ALIKE, "time")));
    }
}

fn conclude(terminal: &Terminal, report: &Report, strict: bool) {
    let count = |wanted: fn(&Judged) -> bool| report.skills.iter().filter(|skill| wanted(skill)).count();
    let (all, accepted, valid) = (report.skills.len(), count(|skill| skill.accepted), count(|skill| skill.spec_valid));
    let verdict = match (&report.skills[..], report.ok) {
        ([skill], true) if skill.spec_valid => format!("{}: valid by the open format", plain(&skill.name)),
        ([skill], true) => format!("{}: can be published; not valid by the open format", plain(&skill.name)),
        ([skill], false) if strict && skill.accepted => {
            format!("{}: not valid by the open format; a hub would accept it", plain(&skill.name))
        }
        ([skill], false) => format!("{}: cannot be published", plain(&skill.path)),
        _ => format!("{all} skills: {accepted} can be published, {valid} are valid by the open format"),
    };
    let style = if report.ok { Style::Green } else { Style::Red };
    terminal.data(&terminal.paint(style, &verdict));
}
