//! `bench scan-quality`: what the scanner finds in labelled samples, source by source, and what it flags among ordinary skills.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use kontor_package::{DiscoveryLimits, discover};
use kontor_scan::{Report, RulePack, Scanner, Severity};

const LEAST_RECALL: f64 = 0.80;
const MOST_HIGH: f64 = 2.0;
const MOST_MEDIUM: f64 = 5.0;
/// Sources with fewer malicious samples are printed and not judged.
const ENOUGH: usize = 10;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder with one folder a sample, unpacked
    #[arg(long)]
    samples: Option<PathBuf>,
    /// Table of the samples: id, label, kind, categories, source
    #[arg(long)]
    labels: Option<PathBuf>,
    /// Table of program files that were taken out of the samples; what they belonged to is counted apart
    #[arg(long)]
    left_out: Option<PathBuf>,
    /// Folders of ordinary skills, unpacked, each its own source
    #[arg(long)]
    ordinary: Vec<PathBuf>,
    /// A folder with a rule pack to judge instead of the embedded one
    #[arg(long)]
    rules: Option<PathBuf>,
    /// Print each sample that was missed and each ordinary skill that was flagged
    #[arg(long)]
    list: bool,
    /// With --list: only this source
    #[arg(long)]
    source: Option<String>,
}

#[derive(Default)]
struct Tally {
    samples: usize,
    high: usize,
    medium: usize,
    absent: usize,
    incomplete: usize,
}

impl Tally {
    fn add(&mut self, report: &Report) {
        self.samples += 1;
        self.high += usize::from(report.severity >= Severity::High);
        self.medium += usize::from(report.severity >= Severity::Medium);
        self.incomplete += usize::from(!report.complete);
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of samples are small")]
    fn share(&self, part: usize) -> f64 {
        part as f64 / self.samples.max(1) as f64
    }
}

/// Prints one line a source and label; fails when a source misses its goal.
pub fn run(options: &Options) -> Result<()> {
    let scanner = match &options.rules {
        Some(folder) => Scanner::with_rules(RulePack::from_folder(folder)?)?,
        None => Scanner::new()?,
    };
    println!("rule pack {}", scanner.pack().digest.hex());
    let mut missed = Vec::new();
    if let (Some(samples), Some(labels)) = (&options.samples, &options.labels) {
        println!("{:<34} {:<11} {:>5} {:>8} {:>8}", "source", "label", "n", "high", "medium");
        for ((source, label), tally) in labelled(&scanner, samples, labels, options)? {
            let recall = tally.share(tally.high);
            let medium = tally.share(tally.medium);
            println!(
                "{source:<34} {label:<11} {:>5} {recall:>8.3} {medium:>8.3}  ({} without their programs)",
                tally.samples, tally.absent
            );
            if label == "malicious" && tally.samples >= ENOUGH && recall < LEAST_RECALL {
                missed.push(format!("{source}: recall {recall:.3}"));
            }
        }
    }
    for folder in &options.ordinary {
        let tally = ordinary(&scanner, folder, options)?;
        let (high, medium) = (100.0 * tally.share(tally.high), 100.0 * tally.share(tally.medium));
        println!(
            "{:<46} {:>5} skills: {high:.2} % high (limit {MOST_HIGH}), {medium:.2} % medium (limit {MOST_MEDIUM}), {} incomplete",
            folder.display(),
            tally.samples,
            tally.incomplete
        );
        if high > MOST_HIGH || medium > MOST_MEDIUM {
            missed.push(format!("{}: {high:.2} % high, {medium:.2} % medium", folder.display()));
        }
    }
    if !missed.is_empty() {
        bail!("not reached: {}", missed.join("; "));
    }
    Ok(())
}

fn labelled(
    scanner: &Scanner,
    samples: &Path,
    labels: &Path,
    options: &Options,
) -> Result<BTreeMap<(String, String), Tally>> {
    let table = fs::read_to_string(labels).with_context(|| format!("cannot read {}", labels.display()))?;
    let maimed = options.left_out.as_deref().map(fs::read_to_string).transpose()?.unwrap_or_default();
    let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [id, label, kind, _, source, ..] = fields[..] else { continue };
        let tally = tallies.entry((source.to_owned(), label.to_owned())).or_default();
        let folder = samples.join(id);
        if !folder.is_dir() || maimed.contains(&format!("/{id}/")) {
            tally.absent += 1;
            continue;
        }
        let report = scanner.scan_path(&folder)?;
        tally.add(&report);
        let wrong = (label == "malicious") != (report.severity >= Severity::High);
        if options.list && wrong && options.source.as_deref().is_none_or(|wanted| source.contains(wanted)) {
            println!("  {id} {label} {kind}: {} {}", report.severity, brief(&report));
        }
    }
    Ok(tallies)
}

fn ordinary(scanner: &Scanner, folder: &Path, options: &Options) -> Result<Tally> {
    let found = discover(folder, &DiscoveryLimits::default())
        .with_context(|| format!("cannot look through {}", folder.display()))?;
    let mut tally = Tally::default();
    for skill in found.skills {
        let report = scanner.scan_path(&folder.join(&skill.path))?;
        tally.add(&report);
        if options.list && (report.severity >= Severity::Medium || !report.complete) {
            println!("  {}: {} {}", skill.path, report.severity, brief(&report));
        }
    }
    Ok(tally)
}

/// The findings that decided, in one line.
fn brief(report: &Report) -> String {
    let counted = report.findings.iter().filter(|finding| finding.severity >= Severity::Medium);
    let mut parts: Vec<String> = counted
        .take(4)
        .map(|finding| {
            format!(
                "{} {}:{} {:?}",
                finding.rule,
                finding.file,
                finding.line,
                finding.excerpt.chars().take(100).collect::<String>()
            )
        })
        .collect();
    parts.extend(
        report.unexamined.iter().take(2).map(|missing| format!("unexamined {}: {}", missing.file, missing.reason)),
    );
    parts.join(" | ")
}
