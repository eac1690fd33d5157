//! What is found in labelled samples, source by source and behaviour by behaviour.

use std::collections::{BTreeMap, BTreeSet};

use kontor_scan::{Report, Severity};

/// One labelled sample and what was found in it.
pub struct Judged {
    /// Where it comes from.
    pub source: String,
    /// What its labels say: `malicious`, `benign` and others.
    pub label: String,
    /// The behaviour that its labels name, or how it was made.
    pub class: String,
    /// The worst that was found.
    pub severity: Severity,
    /// The rules that found something at high or worse.
    pub rules: BTreeSet<String>,
    /// Whether a program of it is missing.
    pub maimed: bool,
}

impl Judged {
    /// What a report says of a sample; `kind` is the label's own word, `made:behaviour`.
    pub fn new(source: &str, label: &str, kind: &str, report: &Report, maimed: bool) -> Self {
        let found = report.findings.iter().filter(|finding| finding.severity >= Severity::High);
        Self {
            source: source.to_owned(),
            label: label.to_owned(),
            class: class_of(kind),
            severity: report.severity,
            rules: found.map(|finding| finding.rule.clone()).collect(),
            maimed,
        }
    }
}

/// `adversarial:PINJ-004` speaks of PINJ, `generated:A03` of A03; names of single samples are no behaviour.
fn class_of(kind: &str) -> String {
    let (made, named) = kind.split_once(':').unwrap_or((kind, ""));
    let word = named.split('-').next().unwrap_or("");
    let behaviour = word.starts_with(|char: char| char.is_ascii_uppercase())
        && word.chars().all(|char| char.is_ascii_uppercase() || char.is_ascii_digit());
    if behaviour { word.to_owned() } else { made.to_owned() }
}

/// Counts over some samples.
#[derive(Default, Clone, Copy)]
pub struct Count {
    /// Samples.
    pub samples: usize,
    /// Samples in which something is high or worse.
    pub high: usize,
    /// Samples in which something is medium or worse.
    pub medium: usize,
    /// Samples that are found at high by rules that another source confirms.
    pub confirmed: usize,
    /// Samples of which a program is missing; they are counted in `samples` too.
    pub maimed: usize,
}

impl Count {
    #[expect(clippy::cast_precision_loss, reason = "counts of samples are small")]
    pub fn share(self, part: usize) -> f64 {
        part as f64 / self.samples.max(1) as f64
    }
}

/// The counts of each source and label, and of each class of malicious samples in a source.
#[derive(Default)]
pub struct Table {
    pub sources: BTreeMap<(String, String), Count>,
    pub classes: BTreeMap<(String, String), Count>,
}

impl Table {
    /// Counts all samples. A rule is confirmed for a source when it finds a malicious sample of any other source.
    pub fn of(judged: &[Judged]) -> Self {
        let mut at: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for sample in judged.iter().filter(|sample| sample.label == "malicious") {
            for rule in &sample.rules {
                at.entry(rule).or_default().insert(&sample.source);
            }
        }
        let confirmed = |sample: &Judged| {
            sample.rules.iter().any(|rule| {
                at.get(rule.as_str()).is_some_and(|sources| sources.iter().any(|source| *source != sample.source))
            })
        };
        let mut table = Self::default();
        for sample in judged {
            let source = table.sources.entry((sample.source.clone(), sample.label.clone())).or_default();
            add(source, sample, confirmed(sample));
            if sample.label == "malicious" {
                let class = table.classes.entry((sample.source.clone(), sample.class.clone())).or_default();
                add(class, sample, confirmed(sample));
            }
        }
        table
    }

    /// Prints a line for each source and label, and one for each class.
    pub fn print(&self) {
        println!("{:<34} {:<11} {:>5} {:>8} {:>8} {:>9}", "source", "label", "n", "high", "medium", "left out");
        for ((source, label), count) in &self.sources {
            println!("{source:<34} {label:<11} {}", figures(*count));
        }
        println!(
            "\n{:<34} {:<11} {:>5} {:>8} {:>8} {:>9}",
            "malicious, by behaviour", "class", "n", "high", "medium", "left out"
        );
        for ((source, class), count) in &self.classes {
            println!("{source:<34} {class:<11} {}", figures(*count));
        }
        println!("\nleft out: high, counting only rules that also find a malicious sample of another source\n");
    }
}

fn add(count: &mut Count, sample: &Judged, confirmed: bool) {
    count.samples += 1;
    count.high += usize::from(sample.severity >= Severity::High);
    count.medium += usize::from(sample.severity >= Severity::Medium);
    count.confirmed += usize::from(confirmed);
    count.maimed += usize::from(sample.maimed);
}

fn figures(count: Count) -> String {
    let maimed = if count.maimed > 0 { format!("  ({} without a program)", count.maimed) } else { String::new() };
    format!(
        "{:>5} {:>8.3} {:>8.3} {:>9.3}{maimed}",
        count.samples,
        count.share(count.high),
        count.share(count.medium),
        count.share(count.confirmed)
    )
}
