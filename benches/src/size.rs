//! `bench size`: how large the binary is that people download.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::product::Product;
use crate::report::{Limit, Report};

/// Megabytes.
const LIMIT: f64 = 60.0;

/// The name of a step at which a test lets the hub die; what people run has none.
const FAIL_POINT: &[u8] = b"registry::before_blob";

/// How to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    product: Product,
}

impl Options {
    /// The usual measurement of a binary.
    pub fn usual(product: Product) -> Self {
        Self { product }
    }
}

/// Prints what [`measure`] finds.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.product.json)
}

/// The size of the release binary.
pub fn measure(options: &Options) -> Result<Report> {
    let path = options.product.binary()?;
    let program = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if program.windows(FAIL_POINT.len()).any(|part| part == FAIL_POINT) {
        bail!("the release binary has fail points: build it without the feature `failpoints`");
    }
    let mut report = Report::of("size");
    report.setting("profile `release`, stripped, everything inside: starter skills, dictionary, migrations");
    #[expect(clippy::cast_precision_loss, reason = "some dozen megabytes")]
    report.figure("release binary", program.len() as f64 / 1e6, "MB", Limit::AtMost(LIMIT));
    Ok(report)
}
