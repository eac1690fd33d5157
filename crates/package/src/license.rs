use serde::{Deserialize, Serialize};
use spdx::{Expression, ParseMode};

/// A licence as the author wrote it, and what it means where that can be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct License {
    /// As written.
    pub written: String,
    /// The SPDX expression it stands for; none for free text such as "see LICENSE.txt".
    pub spdx: Option<String>,
}

/// Longer texts are no name of a licence.
const MAX_LENGTH: usize = 200;

impl License {
    /// Reads what stands behind `license:`.
    pub fn read(written: &str) -> Self {
        Self { written: written.to_owned(), spdx: expression(written.trim()) }
    }
}

fn expression(text: &str) -> Option<String> {
    if text.is_empty() || text.len() > MAX_LENGTH {
        return None;
    }
    if Expression::parse(text).is_ok() {
        return Some(text.to_owned());
    }
    if let Some((id, length)) = spdx::imprecise_license_id(text) {
        let rest = text.get(length..)?.trim();
        if rest.is_empty() || matches!(rest.to_ascii_lowercase().as_str(), "license" | "licence" | "(see license)") {
            return Some(id.name.to_owned());
        }
    }
    let canonical = Expression::canonicalize(text).ok()??;
    Expression::parse_mode(&canonical, ParseMode::STRICT).ok().map(|_| canonical)
}
