//! `bench detonate`: what reading alone finds in scripts that unpack themselves, and what running them finds too.

mod packed;
mod payloads;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use kontor_detonate::{Budget, Detonator};
use kontor_package::{Content, DiscoveryLimits, Limits, discover};
use kontor_runs::scripts;
use kontor_sandbox::Sandbox;
use kontor_scan::{Finding, Scanner, Severity};
use serde_json::json;

use crate::corpora::ORDINARY;
use crate::report::{Limit, Report};
use crate::run_wild::LAUNCHER;

/// Hundredths of the packed samples that must be found when they are run.
const FOUND: f64 = 95.0;
/// Hundredths of real skills that may have a finding of running them.
const REAL: f64 = 5.0;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// A folder with real skills, or with packages that hold some; the packages of the development data unless told
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Only the samples that are made here
    #[arg(long)]
    no_real: bool,
    /// Print data as JSON
    #[arg(long)]
    json: bool,
}

/// What both say of one skill: whether anything reaches medium.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own in the table")]
struct Judged {
    name: String,
    group: String,
    harmful: bool,
    read: bool,
    run: bool,
    rules: Vec<String>,
    complete: bool,
}

/// Prints what is found.
pub fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let program = std::env::current_exe().context("this program has no path")?;
    let sandbox = Sandbox::new(program, vec![LAUNCHER.to_owned()]);
    let detonator = Detonator::new(sandbox)?.within(Budget::default());
    let scanner = Scanner::new()?;
    let mut made = Vec::new();
    for sample in packed::samples()? {
        let judged = runtime.block_on(judge(&scanner, &detonator, &sample.name, &sample.content))?;
        made.push(Judged { group: sample.packing.to_owned(), harmful: sample.harmful, ..judged });
    }
    let mut real = Vec::new();
    if !options.no_real {
        for (name, content) in real_skills(&options.data)? {
            eprintln!("{name}");
            real.push(runtime.block_on(judge(&scanner, &detonator, &name, &content))?);
        }
    }
    let report = summarise(&made, &real);
    if options.json {
        print_json(&report, &made, &real);
        anyhow::ensure!(report.is_met(), "detonate: a limit is missed");
        return Ok(());
    }
    print_table(&made);
    for one in real.iter().filter(|one| one.run) {
        println!("{}: {}", one.name, one.rules.join("; "));
    }
    report.finish(false)
}

async fn judge(scanner: &Scanner, detonator: &Detonator, name: &str, content: &Content) -> Result<Judged> {
    let read = scanner.scan_content(name, content);
    let (detonation, findings) = detonator.detonate(content).await?;
    let counts = |findings: &[Finding]| findings.iter().any(|finding| finding.severity >= Severity::Medium);
    let serious = findings.iter().filter(|finding| finding.severity >= Severity::Medium);
    Ok(Judged {
        name: name.to_owned(),
        group: String::new(),
        harmful: false,
        read: counts(&read.findings),
        run: counts(&findings),
        rules: serious.map(|finding| format!("{} {} {}", finding.severity, finding.rule, finding.excerpt)).collect(),
        complete: detonation.not_run.is_empty(),
    })
}

/// Real skills that have scripts. They are believed to be harmless, and run in the sandbox all the same.
fn real_skills(data: &[PathBuf]) -> Result<Vec<(String, Content)>> {
    let folders = if data.is_empty() {
        ORDINARY.iter().map(|package| package.unpacked()).collect::<Result<_>>()?
    } else {
        data.to_vec()
    };
    let mut skills = Vec::new();
    for folder in &folders {
        let found = discover(folder, &DiscoveryLimits::default())
            .with_context(|| format!("cannot look through {}", folder.display()))?;
        for skill in found.skills {
            let Ok(content) = Content::from_directory(&folder.join(&skill.path), &Limits::default()) else { continue };
            if !skill.path.is_empty() && !scripts(&content).is_empty() {
                skills.push((skill.path, content));
            }
        }
    }
    Ok(skills)
}

#[expect(clippy::cast_precision_loss, reason = "some hundred skills")]
fn share(some: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { 100.0 * some as f64 / all as f64 }
}

fn summarise(made: &[Judged], real: &[Judged]) -> Report {
    let mut report = Report::of("detonate");
    let harmful: Vec<&Judged> = made.iter().filter(|one| one.harmful).collect();
    let controls: Vec<&Judged> = made.iter().filter(|one| !one.harmful).collect();
    let count = |all: &[&Judged], is: fn(&Judged) -> bool| share(all.iter().filter(|one| is(one)).count(), all.len());
    report.figure("packed harm found by reading", count(&harmful, |one| one.read), "%", Limit::None);
    report.figure("packed harm found by running", count(&harmful, |one| one.run), "%", Limit::AtLeast(FOUND));
    report.figure("packed harm found by either", count(&harmful, |one| one.read || one.run), "%", Limit::None);
    report.figure("packed controls flagged by reading", count(&controls, |one| one.read), "%", Limit::None);
    report.figure("packed controls flagged by running", count(&controls, |one| one.run), "%", Limit::AtMost(0.0));
    if !real.is_empty() {
        let all: Vec<&Judged> = real.iter().collect();
        report.figure("real skills flagged by reading", count(&all, |one| one.read), "%", Limit::None);
        report.figure("real skills flagged by running", count(&all, |one| one.run), "%", Limit::AtMost(REAL));
        report.figure("real skills that could be run completely", count(&all, |one| one.complete), "%", Limit::None);
    }
    report.setting(format!(
        "{} packed samples and {} packed controls made here; {} real skills with scripts; flagged means medium or worse",
        harmful.len(),
        controls.len(),
        real.len()
    ));
    report
}

fn print_table(made: &[Judged]) {
    let mut groups: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    for one in made {
        groups.entry(&one.group).or_default().push(one);
    }
    println!("{:<44} {:>8} {:>8} {:>8} {:>16}", "packing", "harmful", "read", "run", "controls r/r");
    for (group, all) in groups {
        let count =
            |harmful: bool, is: fn(&Judged) -> bool| all.iter().filter(|one| one.harmful == harmful && is(one)).count();
        println!(
            "{group:<44} {:>8} {:>8} {:>8} {:>16}",
            count(true, |_| true),
            count(true, |one| one.read),
            count(true, |one| one.run),
            format!("{}/{} of {}", count(false, |one| one.read), count(false, |one| one.run), count(false, |_| true)),
        );
    }
    for one in made.iter().filter(|one| one.harmful != one.run) {
        println!("{} {}: {}", if one.harmful { "missed" } else { "flagged" }, one.name, one.rules.join("; "));
    }
}

fn print_json(report: &Report, made: &[Judged], real: &[Judged]) {
    let list = |all: &[Judged]| -> Vec<serde_json::Value> {
        all.iter()
            .map(|one| json!({ "name": one.name, "harmful": one.harmful, "read": one.read, "run": one.run, "complete": one.complete, "findings": one.rules }))
            .collect()
    };
    let mut document = report.json();
    document["made"] = list(made).into();
    document["real"] = list(real).into();
    println!("{document}");
}
