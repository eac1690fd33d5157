//! What a benchmark says: figures beside their limits, and the settings they hold for.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::{Value, json};

/// The outcome of one benchmark.
#[derive(Debug, Default)]
pub struct Report {
    /// The benchmark's name on the command line.
    pub claim: &'static str,
    /// What the figures hold for, in short sentences.
    pub settings: Vec<String>,
    /// The figures, in the order to be shown.
    pub figures: Vec<Figure>,
}

/// One figure.
#[derive(Debug)]
pub struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    limit: Limit,
}

/// What a figure has to keep.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// It must not be less.
    AtLeast(f64),
    /// It must not be more.
    AtMost(f64),
    /// It is told, not judged.
    None,
}

impl Limit {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
            Self::None => true,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {} {unit}", short(least)),
            Self::AtMost(most) => format!("≤ {} {unit}", short(most)),
            Self::None => "–".to_owned(),
        }
    }

    fn number(self) -> Option<f64> {
        match self {
            Self::AtLeast(limit) | Self::AtMost(limit) => Some(limit),
            Self::None => None,
        }
    }
}

impl Report {
    /// A report without figures yet.
    pub fn of(claim: &'static str) -> Self {
        Self { claim, ..Self::default() }
    }

    /// Adds a sentence about what the figures hold for.
    pub fn setting(&mut self, text: impl Into<String>) {
        self.settings.push(text.into());
    }

    /// Adds a figure.
    pub fn figure(&mut self, name: impl Into<String>, value: f64, unit: &'static str, limit: Limit) {
        self.figures.push(Figure { name: name.into(), value, unit, limit });
    }

    /// Whether every figure keeps its limit.
    pub fn is_met(&self) -> bool {
        self.figures.iter().all(|figure| figure.limit.is_met(figure.value))
    }

    /// The report as JSON.
    pub fn json(&self) -> Value {
        let figures = self.figures.iter().map(|figure| {
            json!({
                "name": figure.name,
                "value": figure.value,
                "unit": figure.unit,
                "limit": figure.limit.number(),
                "met": figure.limit.is_met(figure.value),
            })
        });
        json!({
            "claim": self.claim,
            "met": self.is_met(),
            "figures": figures.collect::<Vec<_>>(),
            "settings": self.settings,
        })
    }

    /// Prints figures and settings, and fails when a limit is missed.
    pub fn finish(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", self.json());
        } else {
            print!("{}", table(std::slice::from_ref(self)));
            for setting in &self.settings {
                println!("  {setting}");
            }
        }
        if !self.is_met() {
            bail!("{}: a limit is missed", self.claim);
        }
        Ok(())
    }
}

/// The middle one of some values; of an even number, the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (lower, upper) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match (values.get(lower), values.get(upper)) {
        (Some(lower), Some(upper)) => f64::midpoint(*lower, *upper),
        _ => f64::NAN,
    }
}

/// The figures of some reports in one table.
pub fn table(reports: &[Report]) -> String {
    let mut rows = vec![["bench", "figure", "measured", "limit", ""].map(str::to_owned)];
    for report in reports {
        for Figure { name, value, unit, limit } in &report.figures {
            let verdict = match limit {
                Limit::None => "",
                _ if limit.is_met(*value) => "met",
                _ => "MISSED",
            };
            let measured = format!("{} {unit}", short(*value));
            rows.push([report.claim.to_owned(), name.clone(), measured, limit.text(unit), verdict.to_owned()]);
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut table = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(table, "{cell:<width$}  ");
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    }
    table
}

/// Four digits that tell something.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 1_000.0 || size.fract() == 0.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 9.0]) - 3.0).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }
}
