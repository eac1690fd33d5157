use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a command did not run. Whenever there is one, nothing of the command ran; only of [`Error::Lost`] that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Error {
    /// What was asked for makes no sense or may not be granted.
    #[error("{reason}")]
    Refused {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// This machine cannot hold a command.
    #[error("this machine lacks {feature}")]
    Lacking {
        /// What it lacks.
        feature: String,
        /// What to do.
        hint: String,
    },
    /// The set-up failed on the way.
    #[error("the sandbox could not be set up at the step `{step}`: {reason}")]
    SetUp {
        /// Where.
        step: Step,
        /// What the system said.
        reason: String,
    },
    /// The program is not there, or is no program.
    #[error("`{program}` cannot be started inside the sandbox: {reason}")]
    Command {
        /// What was asked for.
        program: String,
        /// What the system said.
        reason: String,
        /// Whether it was not found.
        missing: bool,
    },
    /// The command may have run, and how it ended is not known.
    #[error("the sandbox was lost while the command may have run: {reason}")]
    Lost {
        /// What happened.
        reason: String,
    },
    /// The process that sets sandboxes up did not do its work.
    #[error("the sandbox's launcher failed: {reason}")]
    Launcher {
        /// What happened.
        reason: String,
    },
}

impl Error {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "sandbox_refused",
            Self::Lacking { .. } => "sandbox_lacking",
            Self::SetUp { .. } => "sandbox_set_up",
            Self::Command { .. } => "sandbox_command",
            Self::Lost { .. } => "sandbox_lost",
            Self::Launcher { .. } => "sandbox_launcher",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Lacking { hint, .. } => Some(hint),
            Self::Command { missing: true, .. } => {
                Some("inside are /usr, /bin, /lib and what was granted; grant the folder that has the program")
            }
            _ => None,
        }
    }

    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }

    pub(crate) fn launcher(reason: impl fmt::Display) -> Self {
        Self::Launcher { reason: reason.to_string() }
    }
}

/// The steps of setting a sandbox up, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The folders that were granted are opened.
    Folders,
    /// The groups that limit memory and processes are made.
    Groups,
    /// The list of refused system calls is made ready.
    Filter,
    /// A process in namespaces of its own begins.
    Namespaces,
    /// The users of inside are given users of outside.
    Users,
    /// The process goes into its groups.
    Join,
    /// The network of inside begins.
    Network,
    /// What is shown from this machine is picked up.
    Trees,
    /// The process becomes the user of inside.
    Identity,
    /// The empty root is made.
    Root,
    /// The root of this machine is left behind.
    Pivot,
    /// The root is filled.
    Fill,
    /// The root becomes read-only.
    Seal,
    /// Capabilities are given up.
    Capabilities,
    /// Landlock begins to hold.
    Landlock,
    /// The process for the command begins.
    Fork,
    /// Limits of a process are set.
    Rlimits,
    /// Descriptors are closed.
    Descriptors,
    /// The list of refused system calls begins to hold.
    Seccomp,
}

impl Step {
    /// All steps.
    pub const ALL: &[Self] = &[
        Self::Folders,
        Self::Groups,
        Self::Filter,
        Self::Namespaces,
        Self::Users,
        Self::Join,
        Self::Network,
        Self::Trees,
        Self::Identity,
        Self::Root,
        Self::Pivot,
        Self::Fill,
        Self::Seal,
        Self::Capabilities,
        Self::Landlock,
        Self::Fork,
        Self::Rlimits,
        Self::Descriptors,
        Self::Seccomp,
    ];

    /// Its name, as a fail point has it too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Folders => "folders",
            Self::Groups => "groups",
            Self::Filter => "filter",
            Self::Namespaces => "namespaces",
            Self::Users => "users",
            Self::Join => "join",
            Self::Network => "network",
            Self::Trees => "trees",
            Self::Identity => "identity",
            Self::Root => "root",
            Self::Pivot => "pivot",
            Self::Fill => "fill",
            Self::Seal => "seal",
            Self::Capabilities => "capabilities",
            Self::Fork => "fork",
            Self::Rlimits => "rlimits",
            Self::Descriptors => "descriptors",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
