use kontor_registry::secrets::SecretRef;
use kontor_runs::{Decision, Granted, OverlayRef};
use serde::{Deserialize, Serialize};

/// What a worker needs to know of a run beside its row: written down when the run is accepted, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Whether the entry is a tool; else it is a script.
    pub tool: bool,
    pub arguments: Vec<String>,
    /// Whether something is given on its standard input.
    pub input: bool,
    pub granted: Granted,
    /// The settings of secrets that were there when the run was accepted: it gets these or none.
    #[serde(default)]
    pub secrets: Vec<SecretRef>,
    /// Packages that the caller consented to although only imports speak of them.
    pub packages: Vec<String>,
    pub decision: Decision,
    pub overlay: Option<OverlayRef>,
}

/// The name under which what is read on standard input lies among the files that go in: no file has such a name.
pub(crate) const INPUT: &str = "/input";
