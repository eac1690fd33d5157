//! The hub's client: native API, import sources, installs and the lock file.

mod api;
mod errands;
mod error;
mod import;
mod install;
mod mcp;
mod models;
mod money;
mod people;
mod runs;
mod secrets;
mod source;
mod transport;
mod weigh;
mod workflows;

pub use api::{Client, Name};
pub use error::{Distrust, Error, ErrorKind};
pub use import::{ImportOptions, ImportReport, ImportWatcher, Importer, Ownership};
pub use install::{
    AGENTS, Agent, Change, ChangeStatus, FileChanges, Installer, Judge, Judging, LocalChanges, Lock, LockedRequirement,
    LockedSigner, LockedSkill, Presence, Site, Stray, Surveyed, UserFolders, differences, presence, strays, survey,
};
pub use mcp::AgentMessage;
pub use runs::RunEvent;
pub use source::{Export, Source, Tree};
