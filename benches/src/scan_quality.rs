//! `bench scan-quality`: what the scanner finds in labelled samples, source by source, and what it flags among ordinary skills.

mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use kontor_package::{DiscoveryLimits, discover};
use kontor_scan::{Report, RulePack, Scanner, Severity};

use crate::corpora::{ORDINARY, Shared};

use sources::{Judged, Table};

const LEAST_RECALL: f64 = 0.80;
const MOST_HIGH: f64 = 2.0;
const MOST_MEDIUM: f64 = 5.0;
/// Sources with fewer malicious samples are printed and not judged.
const ENOUGH: usize = 10;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    shared: Shared,
    /// Folder with one folder a sample, unpacked, instead of the development data
    #[arg(long, requires = "labels")]
    samples: Option<PathBuf>,
    /// Table of the samples: id, label, kind, categories, source
    #[arg(long, requires = "samples")]
    labels: Option<PathBuf>,
    /// Table of program files that were taken out of the samples; what they belonged to is marked
    #[arg(long)]
    left_out: Option<PathBuf>,
    /// Do not count samples of which a program is missing
    #[arg(long)]
    whole_only: bool,
    /// Folders of ordinary skills, unpacked, each its own source, instead of the development corpus and four packages
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
    let given = Given::of(options)?;
    if let Some(samples) = &given.samples {
        let table = Table::of(&labelled(&scanner, samples, options)?);
        table.print();
        for ((source, label), count) in &table.sources {
            let recall = count.share(count.high);
            if label == "malicious" && count.samples >= ENOUGH && recall < LEAST_RECALL {
                missed.push(format!("{source}: recall {recall:.3}"));
            }
        }
    }
    for folder in &given.ordinary {
        let tally = ordinary(&scanner, folder, options)?;
        let (high, medium) = (100.0 * tally.share(tally.high), 100.0 * tally.share(tally.medium));
        println!(
            "{:<46} {:>5} skills: {high:.2} % high (limit {MOST_HIGH}), {medium:.2} % medium (limit {MOST_MEDIUM}), {} incomplete",
            folder.file_name().unwrap_or_default().display(),
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

/// Labelled samples on the disk.
struct Samples {
    folder: PathBuf,
    labels: PathBuf,
    left_out: Option<PathBuf>,
}

/// What is judged.
struct Given {
    samples: Option<Samples>,
    ordinary: Vec<PathBuf>,
}

impl Given {
    /// What the caller named; nothing named means all development data and the packages that go with it.
    fn of(options: &Options) -> Result<Self> {
        let left_out = options.left_out.clone();
        if let (Some(folder), Some(labels)) = (options.samples.clone(), options.labels.clone()) {
            let samples = Some(Samples { folder, labels, left_out });
            return Ok(Self { samples, ordinary: options.ordinary.clone() });
        }
        if !options.ordinary.is_empty() {
            return Ok(Self { samples: None, ordinary: options.ordinary.clone() });
        }
        let data = options.shared.unpacked("scanner-dev")?;
        let left_out = left_out.or_else(|| Some(data.join("PROGRAMS_LEFT_OUT.tsv")));
        let samples = Some(Samples { folder: data.join("samples"), labels: data.join("labels.tsv"), left_out });
        let mut ordinary = vec![options.shared.unpacked("skills-dev")?];
        for package in ORDINARY {
            match package.unpacked() {
                Ok(folder) => ordinary.push(folder),
                Err(error) => eprintln!("SKIPPED: {} is not judged: {error:#}", package.name()),
            }
        }
        Ok(Self { samples, ordinary })
    }
}

fn labelled(scanner: &Scanner, samples: &Samples, options: &Options) -> Result<Vec<Judged>> {
    let Samples { folder: samples, labels, left_out } = samples;
    let table = fs::read_to_string(labels).with_context(|| format!("cannot read {}", labels.display()))?;
    let maimed = left_out.as_deref().map(fs::read_to_string).transpose()?.unwrap_or_default();
    let mut judged = Vec::new();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [id, label, kind, _, source, ..] = fields[..] else { continue };
        let folder = samples.join(id);
        let is_maimed = !folder.is_dir() || maimed.contains(&format!("/{id}/"));
        if is_maimed && options.whole_only {
            continue;
        }
        let report = if folder.is_dir() { scanner.scan_path(&folder)? } else { scanner.scan_files(id, []) };
        let wrong = (label == "malicious") != (report.severity >= Severity::High);
        if options.list && wrong && options.source.as_deref().is_none_or(|wanted| source.contains(wanted)) {
            println!("  {id} {label} {kind}: {} {}", report.severity, brief(&report));
        }
        judged.push(Judged::new(source, label, kind, &report, is_maimed));
    }
    Ok(judged)
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
