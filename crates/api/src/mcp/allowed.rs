//! Which tools a client may use at all: its owner's choice, which nothing that a skill says can widen.

use super::tools::NAMES;
use super::typed::is_typed;
use crate::Failure;

/// Names that a list may have.
const MOST: usize = 64;

/// The tools that a client may see and call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowed(Option<Vec<String>>);

impl Allowed {
    /// Every tool.
    pub const fn all() -> Self {
        Self(None)
    }

    /// Those that a list names, separated by commas.
    pub fn only(list: &str) -> Result<Self, Failure> {
        let names: Vec<String> =
            list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if names.len() > MOST {
            return Err(Failure::invalid(format!("name at most {MOST} tools")));
        }
        match names.iter().find(|name| !NAMES.contains(&name.as_str()) && !is_typed(name)) {
            None => Ok(Self(Some(names))),
            Some(_) => Err(Failure::invalid("`tools` names a tool that this hub does not have")
                .hint(format!("the tools are {}, and those of active skills", NAMES.join(", ")))),
        }
    }

    /// Whether a tool may be used.
    pub fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.iter().any(|one| one == name))
    }
}
