//! The scanner: what a skill says and does, judged offline by rules that are data.
//!
//! [`Scanner::scan_path`] reads one unit (a folder, an archive, a single file), brings its texts to a normal form, decodes
//! what is encoded, opens what is packed, parses its scripts, and returns a [`Report`]. Nothing is executed, no link is
//! followed, nothing is sent. Reading is bounded; what lies beyond a bound is named in the report, so that no silence is
//! taken for innocence. Equal bytes under an equal rule pack give an equal report.

mod advisories;
mod capability;
mod code;
mod comparison;
mod compiled;
mod container;
mod context;
mod declared;
mod decode;
mod dependencies;
mod document;
mod embedded;
mod error;
mod examine;
mod intent;
mod kind;
mod limits;
mod matcher;
mod media;
mod near;
mod needles;
mod normal;
mod packages;
mod pdf;
mod report;
mod required;
mod rules;
mod sarif;
mod scanner;
mod sent;
mod told;
mod unit;
mod waiver;

pub use advisories::Advisories;
pub use capability::{Capabilities, Gained};
pub use comparison::Comparison;
pub use error::Error;
pub use limits::Limits;
pub use near::{SIZE, Signature, groups, kept_likeness};
pub use packages::{NamedPackage, packages};
pub use report::{Detonated, Detonation, Finding, Repeated, Report, Severity, Unexamined, Verdict};
pub use rules::{PlaceName, Rule, RulePack, Sample, Span, When};
pub use sarif::sarif;
pub use scanner::{KnownBad, Scanner};
pub use waiver::{Waiver, Waivers};
