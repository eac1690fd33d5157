use std::io;
use std::path::{Path, PathBuf};

/// Why something was not run, or a receipt could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// What was attempted.
        verb: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The skill has no such file.
    #[error("the skill has no file `{path}`; its scripts are {}", listed(known))]
    NoScript {
        /// What was asked for.
        path: String,
        /// The scripts there are.
        known: Vec<String>,
    },
    /// The skill has no such tool.
    #[error("the skill has no tool `{name}`; its tools are {}", listed(known))]
    NoTool {
        /// What was asked for.
        name: String,
        /// The tools there are.
        known: Vec<String>,
    },
    /// What runs the script is not on this machine.
    #[error(
        "`{program}` is not on this machine, and {wanted_by} needs it: install it, or run the skill on a hub that has it"
    )]
    NoProgram {
        /// The program.
        program: String,
        /// What needs it.
        wanted_by: String,
    },
    /// The program that is here cannot do what is needed.
    #[error("{program} cannot run {what}: {reason}")]
    Program {
        /// The program.
        program: String,
        /// What it should do.
        what: String,
        /// Why it cannot.
        reason: String,
    },
    /// A schema of the skill is of no use.
    #[error("`{path}` is no JSON Schema that can be used: {reason}")]
    Schema {
        /// The schema's file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An input does not fit its schema.
    #[error("the input does not fit `{schema}`: {}", problems.join("; "))]
    Input {
        /// The schema's file.
        schema: String,
        /// What does not fit, the first few.
        problems: Vec<String>,
    },
    /// A secret that cannot be granted.
    #[error("the secret `{name}` cannot be granted: {reason}")]
    Secret {
        /// Its name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A dependency that is not taken.
    #[error("`{text}` in {place} is not taken as a dependency: {reason}")]
    Dependency {
        /// What is written.
        text: String,
        /// Where.
        place: String,
        /// Why not.
        reason: &'static str,
    },
    /// A layer of dependencies could not be built.
    #[error("{tool} could not bring what the skill needs: {reason}")]
    Layer {
        /// The package tool.
        tool: &'static str,
        /// What it said.
        reason: String,
    },
    /// The chain of overlays is broken.
    #[error("the overlays in {} do not hold together: {reason}; remove the folder to confirm anew", folder.display())]
    Overlay {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// What should be a receipt is none.
    #[error("this is no receipt of a run: {reason}")]
    Receipt {
        /// What is wrong with it.
        reason: String,
    },
    /// A file for the run, or one of its outputs, is not taken.
    #[error("`{name}` cannot be given to the run: {reason}")]
    InputFile {
        /// Its name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// Keys or signatures.
    #[error("the keys of this runner cannot be used")]
    Keys(#[from] kontor_crypto::Error),
    /// The sandbox could not be made.
    #[error("the sandbox could not be made, so nothing was run: {reason}")]
    Sandbox {
        /// What the sandbox said.
        reason: String,
    },
}

impl Error {
    /// A word for programs that stays.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::NoScript { .. } => "script_not_found",
            Self::NoTool { .. } => "tool_not_found",
            Self::NoProgram { .. } | Self::Program { .. } => "program_missing",
            Self::Schema { .. } => "schema_broken",
            Self::Input { .. } | Self::InputFile { .. } => "input_refused",
            Self::Secret { .. } => "secret_refused",
            Self::Dependency { .. } | Self::Layer { .. } => "dependencies",
            Self::Overlay { .. } => "overlay_broken",
            Self::Receipt { .. } => "receipt_broken",
            Self::Keys(_) => "keys",
            Self::Sandbox { .. } => "sandbox",
        }
    }
}

fn listed(known: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = known.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if known.len() > SHOWN {
        text = format!("{text} and {} more", known.len() - SHOWN);
    }
    if text.is_empty() { "none".to_owned() } else { text }
}

/// Names what failed on which path.
pub(crate) fn file(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { verb, path, source }
}
