//! The skill format: parse, validate, discover, pack, unpack, hash.
//!
//! A skill is a folder with a `SKILL.md`. [`Content`] holds its files in memory, [`pack`] gives them their one byte form
//! and digest, [`discover`] finds skills in a tree, [`inspect`] reads what a skill says, [`unpack_tree`] unpacks an
//! archive to a folder, [`unpack_held`] into memory. Every input is foreign: all reading is bounded in time and memory,
//! nothing is executed and no link is followed.

mod archive;
mod canonical;
mod content;
mod directory;
mod discover;
mod error;
mod facts;
mod finding;
mod fingerprint;
mod front_matter;
mod ignore_rules;
mod inspect;
mod license;
mod limits;
mod look_alike;
mod manifest;
mod names;
mod path;
mod prose;
mod spec;
mod splice;
mod yaml;

pub use archive::{ArchiveKind, HeldTree, Unpacked, unpack_held, unpack_tree};
pub use canonical::{FileEntry, Package, pack};
pub use content::{Content, LeftOut, LeftOutReason};
pub use discover::{Discovered, Discovery, DiscoveryLimits, discover, discover_paths};
pub use error::Error;
pub use facts::{DerivedField, Facts, Sizes};
pub use finding::{Finding, Severity};
pub use fingerprint::fingerprint;
pub use front_matter::body_of;
pub use ignore_rules::IGNORE_FILES;
pub use inspect::{Inspection, inspect};
pub use license::License;
pub use limits::{ArchiveLimits, Limits, human_bytes};
pub use look_alike::{LookAlike, confusable_with, is_invisible, skeleton};
pub use manifest::{
    ByteSize, Dependencies, Kind, MANIFEST_FILE, Manifest, NetworkGrant, Packages, Permissions, PinnedPackage,
    RunLimits, Tool, UnitError, WallTime,
};
pub use path::{
    LEFT_OUT_NAMES, MAX_NAME_BYTES, MAX_PATH_BYTES, PathRule, check_path, is_left_out, is_left_out_name,
    is_skill_file_name,
};
pub use splice::{ARCHIVE_END, Composer, Listed, directory_start, listed, with_file_behind};
