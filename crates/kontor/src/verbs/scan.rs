//! `kontor scan`: what a skill says and does, before anybody uses it.

mod compare;
mod copies;
mod detonate;
mod installed;

use std::fs;
use std::path::{Path, PathBuf};

use kontor_package::{DiscoveryLimits, discover};
use kontor_scan::{Advisories, Finding, KnownBad, Report, Scanner, Severity, Verdict, Waivers, sarif};

use crate::amounts;
use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::terminal::{Style, Terminal, plain};

/// Scan skills for harm, offline
///
/// PATH is one unit: a folder, an archive or a file, with or without a SKILL.md; with --detonate also @PUBLISHER/SKILL of a hub.
/// Nothing of it is run, unless --detonate is given, and nothing is sent.
/// Ends with 0 when nothing reaches medium, with 1 when something does, with 2 when something could not be scanned.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// What to scan, each one unit
    #[arg(value_name = "PATH", required_unless_present_any = ["each", "installed", "compare"])]
    paths: Vec<PathBuf>,
    /// Scan every folder with a SKILL.md below DIR, hidden ones too, each as one unit
    #[arg(long, value_name = "DIR")]
    each: Vec<PathBuf>,
    /// Scan the skills, settings and tool servers of the agents on this machine
    #[arg(long)]
    installed: bool,
    /// Print one SARIF 2.1.0 document
    #[arg(long, conflicts_with = "json")]
    sarif: bool,
    /// Findings that were decided to be no harm: a TOML file of rule, path, reason, approver, expires
    #[arg(long, value_name = "FILE")]
    waivers: Option<PathBuf>,
    /// Files known to be harmful: a line `SHA-256 reason` each
    #[arg(long, value_name = "FILE")]
    known_bad: Option<PathBuf>,
    /// Advisories about packages: a folder, a ZIP archive or a file in the OSV format, downloaded before
    #[arg(long, value_name = "FILE")]
    osv: Option<PathBuf>,
    /// Say what the second unit can do and what is found in it that was not in the first
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["paths", "each", "installed", "sarif", "copies"])]
    compare: Vec<PathBuf>,
    /// Also name units that are copies of one another, or almost
    #[arg(long, conflicts_with = "sarif")]
    copies: bool,
    /// Also run its scripts in a sandbox, with made-up secrets and a made-up network, and tell what they do
    #[arg(long, conflicts_with_all = ["compare", "installed"])]
    detonate: bool,
    /// Say what was found and end with 0 all the same
    #[arg(long)]
    shadow: bool,
    /// Show findings below medium too, and what the skill can do
    #[arg(long)]
    all: bool,
}

/// Scans every unit and tells the worst.
pub async fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let terminal = &session.terminal;
    let scanner = scanner(args)?;
    let waivers = waivers(args, terminal)?;
    let today = jiff::Zoned::now().date();
    if let [old, new] = args.compare.as_slice() {
        return compare::run(terminal, &scanner, &waivers, (old.as_path(), new.as_path()), args.shadow);
    }
    let mut failed = false;
    let mut reports = Vec::new();
    let mut worst = Severity::None;
    let mut count = [0usize; 4];
    let units = units(args)?;
    let detonator = args.detonate.then(detonate::detonator).transpose()?;
    for path in &units {
        let judged = match &detonator {
            None => scanner.scan_path(path).map_err(anyhow::Error::from),
            Some(detonator) => detonate::scan(detonator, &scanner, path, session).await,
        };
        match judged {
            Ok(mut report) => {
                if report.files == 0 && report.unexamined.is_empty() && !args.installed {
                    failed = true;
                    let message = format!("there are no files in {}, so nothing was scanned", plain(&report.path));
                    terminal.error("not_scanned", &message, None);
                    continue;
                }
                waivers.apply(&mut report, today);
                worst = worst.max(report.severity);
                count[report.verdict as usize] += 1;
                if terminal.json {
                    terminal.data(&serde_json::to_string(&report)?);
                } else if args.sarif {
                    reports.push(report);
                } else {
                    show(terminal, &report, args.all);
                }
            }
            Err(error) => {
                failed = true;
                terminal.error("not_scanned", &format!("{error:#}"), None);
            }
        }
    }
    if args.sarif {
        let run = if args.detonate { kontor_detonate::rules() } else { Vec::new() };
        terminal.data(&serde_json::to_string_pretty(&sarif(
            &reports,
            scanner.pack(),
            &run,
            env!("CARGO_PKG_VERSION"),
        ))?);
    } else if !terminal.json {
        let [clean, incomplete, suspicious, malicious] = count;
        let all = clean + incomplete + suspicious + malicious;
        if all > 1 {
            terminal.data(&format!(
                "{all} units: {malicious} malicious, {suspicious} suspicious, {incomplete} incomplete, {clean} clean"
            ));
        }
    }
    if args.copies {
        copies::show(terminal, &units);
    }
    Ok(match () {
        () if failed => Exit::Usage,
        () if worst >= Severity::Medium && !args.shadow => Exit::Failed,
        () => Exit::Done,
    })
}

fn scanner(args: &Args) -> anyhow::Result<Scanner> {
    let mut scanner = Scanner::new()?;
    if let Some(path) = &args.known_bad {
        let known = KnownBad::parse(&text_of(path)?).map_err(|error| UsageError(error.to_string()))?;
        scanner = scanner.with_known_bad(known);
    }
    if let Some(path) = &args.osv {
        let cause = |error: kontor_scan::Error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            UsageError(format!("{error}{cause}"))
        };
        scanner = scanner.with_advisories(Advisories::open(path).map_err(cause)?);
    }
    Ok(scanner)
}

fn waivers(args: &Args, terminal: &Terminal) -> anyhow::Result<Waivers> {
    let Some(path) = &args.waivers else { return Ok(Waivers::default()) };
    let waivers = Waivers::parse(&text_of(path)?).map_err(|error| UsageError(error.to_string()))?;
    for waiver in waivers.expired(jiff::Zoned::now().date()) {
        terminal.warn(&format!(
            "the waiver of {} at {} ended on {}; it counts no more",
            plain(&waiver.rule),
            plain(&waiver.path),
            waiver.expires
        ));
    }
    Ok(waivers)
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    Ok(fs::read_to_string(path).map_err(|error| UsageError(format!("cannot read {}: {error}", path.display())))?)
}

/// What is to be scanned, in the order of the command line.
fn units(args: &Args) -> anyhow::Result<Vec<PathBuf>> {
    let mut units = args.paths.clone();
    for folder in &args.each {
        let found = discover(folder, &DiscoveryLimits::default())
            .map_err(|error| UsageError(format!("cannot look through it: {:#}", anyhow::Error::from(error))))?;
        if found.skills.is_empty() {
            let text = format!("there is no skill below {}: no folder in it has a SKILL.md", folder.display());
            return Err(UsageError(text).into());
        }
        units.extend(
            found
                .skills
                .iter()
                .map(|skill| if skill.path.is_empty() { folder.clone() } else { folder.join(&skill.path) }),
        );
    }
    if args.installed {
        units.extend(installed::places());
    }
    Ok(units)
}

/// The report for people: the verdict, then each finding with its place, its text, the reason and what to do.
fn show(terminal: &Terminal, report: &Report, all: bool) {
    let style = match report.verdict {
        Verdict::Clean => Style::Green,
        Verdict::Malicious => Style::Red,
        Verdict::Incomplete | Verdict::Suspicious => Style::Yellow,
    };
    let verdict = terminal.paint(style, report.verdict.word());
    terminal.data(&format!(
        "{}: {verdict} ({}, worst finding: {})",
        plain(&report.path),
        amounts::count(report.files as u64, "file"),
        report.severity
    ));
    let least = if all { Severity::Info } else { Severity::Medium };
    for finding in report.findings.iter().filter(|finding| finding.severity >= least) {
        show_finding(terminal, finding);
    }
    let lesser = report.findings.iter().filter(|finding| finding.severity < least).count();
    if lesser > 0 {
        let lesser = amounts::count(lesser as u64, "lesser finding");
        terminal.data(&format!("  {lesser}; --all shows them"));
    }
    if let Some(detonation) = &report.detonation {
        detonate::show(terminal, detonation, all);
    }
    for repeated in &report.repeated {
        terminal.data(&format!("  {} more places of {}", repeated.more, repeated.rule));
    }
    for missing in &report.unexamined {
        terminal.data(&format!(
            "  {} {}: {}",
            terminal.paint(Style::Yellow, "not examined:"),
            plain(&missing.file),
            plain(&missing.reason)
        ));
    }
    if all {
        for line in report.capabilities.lines() {
            terminal.data(&format!("  {}", plain(&line)));
        }
    }
}

fn show_finding(terminal: &Terminal, finding: &Finding) {
    let style = if finding.severity >= Severity::High { Style::Red } else { Style::Yellow };
    let title = terminal.paint(style, &format!("{}[{}]", finding.severity, finding.rule));
    terminal.data(&format!("  {title}: {}", terminal.paint(Style::Bold, &plain(&finding.message))));
    let place = match (finding.line, finding.column) {
        (0, _) => String::new(),
        (line, 0) => format!(":{line}"),
        (line, column) => format!(":{line}:{column}"),
    };
    let decoded = if finding.decoded.is_empty() {
        String::new()
    } else {
        format!(" (decoded from {})", finding.decoded.join(", "))
    };
    terminal.data(&format!("    {} {}{place}{decoded}", terminal.paint(Style::Cyan, "-->"), plain(&finding.file)));
    if !finding.excerpt.is_empty() {
        terminal.data(&format!("     | {}", plain(&finding.excerpt)));
    }
    let help =
        |word: &str, text: &str| terminal.data(&format!("    {} {}", terminal.paint(Style::Cyan, word), plain(text)));
    help("why:", &finding.why);
    if let Some(softened) = &finding.softened {
        help("context:", softened);
    }
    if let Some(waived) = &finding.waived {
        help("waived:", waived);
    }
    help("help:", &finding.remedy);
}
