use jiff::civil::Date;
use serde::Deserialize;

use crate::error::Error;
use crate::report::Report;

/// A finding that somebody decided to live with, until a day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The rule's id.
    pub rule: String,
    /// The file inside the unit; `*` stands for any characters.
    pub path: String,
    /// Why the finding is no harm here.
    pub reason: String,
    /// Who decided.
    pub approver: String,
    /// The last day on which it holds.
    pub expires: Date,
}

/// All waivers of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waivers {
    /// The waivers, in the order of the file.
    #[serde(default)]
    pub waiver: Vec<Waiver>,
}

impl Waivers {
    /// Reads a waivers file in TOML: a table `[[waiver]]` for each.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let waivers: Self = toml::from_str(text).map_err(|error| Error::Waivers(error.message().to_owned()))?;
        let empty =
            waivers.waiver.iter().find(|waiver| waiver.reason.trim().is_empty() || waiver.approver.trim().is_empty());
        if let Some(waiver) = empty {
            return Err(Error::Waivers(format!(
                "the waiver of {} at {} names no reason or no approver",
                waiver.rule, waiver.path
            )));
        }
        Ok(waivers)
    }

    /// Marks what is waived on this day and draws the verdict again. What was waived stays in the report.
    pub fn apply(&self, report: &mut Report, today: Date) {
        for finding in &mut report.findings {
            let holds = |waiver: &&Waiver| {
                waiver.rule == finding.rule && waiver.expires >= today && matches(&waiver.path, &finding.file)
            };
            if let Some(waiver) = self.waiver.iter().find(holds) {
                finding.waived = Some(format!("{} ({}, until {})", waiver.reason, waiver.approver, waiver.expires));
            }
        }
        report.conclude();
    }

    /// The waivers that hold no longer on this day.
    pub fn expired(&self, today: Date) -> impl Iterator<Item = &Waiver> {
        self.waiver.iter().filter(move |waiver| waiver.expires < today)
    }
}

/// Whether a path fits a pattern in which `*` stands for any characters.
fn matches(pattern: &str, path: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| path.strip_prefix(first)) else { return false };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}
