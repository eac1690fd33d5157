use std::io::Write as _;
use std::path::Path;

use kontor_types::{Digest, Handle, SkillRef, Slug, Version, VersionRange, VersionSelector};
use kontor_wire::{Requirement, Signer};
use serde::{Deserialize, Serialize};

use super::agents::Agent;
use crate::error::Error;

/// The most bytes of a lock file.
const MOST_BYTES: u64 = 32 << 20;

/// What is installed, exactly: the file `kontor.lock`, which belongs under version control.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The form of the file.
    version: u32,
    /// The installed skills, sorted by hub and name.
    #[serde(rename = "skill", default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<LockedSkill>,
}

/// One installed skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedSkill {
    /// The hub it comes from.
    pub registry: String,
    /// The full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The version.
    pub version: Version,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// Who signed it, if anybody did: an update must be signed with the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<LockedSigner>,
    /// What was asked for: a version, a range or a tag; nothing when another skill needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<String>,
    /// The agents whose folders it is in.
    pub agents: Vec<String>,
    /// The skills that it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<LockedRequirement>,
}

/// Who signed an installed version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedSigner {
    /// The publisher whose key it is.
    pub publisher: Handle,
    /// The public half of the key.
    pub key: String,
}

impl From<&Signer> for LockedSigner {
    fn from(signer: &Signer) -> Self {
        Self { publisher: signer.publisher.clone(), key: signer.public_key.clone() }
    }
}

/// A skill that another one needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedRequirement {
    /// The full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// Which versions of it will do.
    pub range: VersionRange,
}

impl From<Requirement> for LockedRequirement {
    fn from(requirement: Requirement) -> Self {
        Self { reference: requirement.reference, range: requirement.range }
    }
}

/// How the names of drafts of the file begin.
pub(super) const DRAFT: &str = ".kontor-lock-";

/// The form that this program writes.
const FORM: u32 = 1;

impl LockedSkill {
    /// Publisher and name.
    pub fn name(&self) -> Result<(&Handle, &Slug), Error> {
        let publisher = self.reference.publisher.as_ref();
        let publisher = publisher
            .ok_or_else(|| Error::Usage(format!("the lock file names `{}` without a publisher", self.reference)))?;
        Ok((publisher, &self.reference.slug))
    }

    /// The agents whose folders it is in; names that this program does not know are passed over.
    pub fn known_agents(&self) -> impl Iterator<Item = &'static Agent> + '_ {
        self.agents.iter().filter_map(|id| Agent::find(id))
    }

    /// The reference to resolve it by: with what was asked for.
    pub fn wish(&self) -> Result<SkillRef, Error> {
        let mut wish = self.reference.clone();
        wish.version = match self.requested.as_deref() {
            None | Some(ANY) => None,
            Some(text) => Some(text.parse().map_err(|error| Error::Usage(format!("the lock file: {error}")))?),
        };
        Ok(wish)
    }

    /// The exact reference.
    pub fn exact(&self) -> SkillRef {
        SkillRef { version: Some(VersionSelector::Exact(self.version.clone())), ..self.reference.clone() }
    }

    /// The range that an update keeps to; none when any version will do.
    pub fn range(&self) -> Option<VersionRange> {
        match self.wish().ok()?.version? {
            VersionSelector::Range(range) => Some(range),
            VersionSelector::Exact(version) => format!("={version}").parse().ok(),
            VersionSelector::Tag(_) => None,
        }
    }
}

/// Stands for a skill asked for without a version.
pub const ANY: &str = "*";

impl Lock {
    /// Reads the file; empty when there is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let size = match std::fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::io("read", path, error)),
        };
        if size > MOST_BYTES {
            return Err(Error::TooLarge { what: path.display().to_string(), limit: MOST_BYTES });
        }
        let text = std::fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
        let lock: Self = toml::from_str(&text).map_err(|error| Error::Refused {
            message: format!("{} is no lock file of this program: {}", path.display(), error.message()),
            hint: Some("restore it from version control, or remove it and install again".to_owned()),
        })?;
        if lock.version > FORM {
            return Err(Error::refused(
                format!("{} was written by a newer version of kontor", path.display()),
                "update kontor",
            ));
        }
        Ok(lock)
    }

    /// Writes the file, or removes it when nothing is installed; never half.
    pub fn write(&mut self, path: &Path) -> Result<(), Error> {
        if self.skills.is_empty() {
            return match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
                _ => Ok(()),
            };
        }
        self.version = FORM;
        self.skills.sort_by_key(|skill| (skill.registry.clone(), skill.reference.to_string()));
        let text = toml::to_string(self).map_err(|error| Error::Usage(error.to_string()))?;
        let text = format!("# Written by kontor: what is installed, exactly. Keep it under version control.\n{text}");
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| Error::io("make", folder, error))?;
        let mut draft = draft_in(folder).map_err(|error| Error::io("write in", folder, error))?;
        draft.write_all(text.as_bytes()).map_err(|error| Error::io("write", path, error))?;
        draft.as_file().sync_all().map_err(|error| Error::io("write", path, error))?;
        draft.persist(path).map_err(|error| Error::io("write", path, error.error))?;
        Ok(())
    }

    /// The entry of a skill.
    pub fn find(&self, registry: &str, reference: &SkillRef) -> Option<&LockedSkill> {
        self.skills.iter().find(|skill| skill.registry == registry && is_same(&skill.reference, reference))
    }

    /// Every hub that something comes from.
    pub fn registries(&self) -> Vec<String> {
        let mut registries: Vec<String> = self.skills.iter().map(|skill| skill.registry.clone()).collect();
        registries.sort();
        registries.dedup();
        registries
    }
}

/// Whether two references name the same skill, whatever version.
pub fn is_same(left: &SkillRef, right: &SkillRef) -> bool {
    left.publisher == right.publisher && left.slug == right.slug
}

/// A temporary file that others may read, as they may the lock file.
fn draft_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(DRAFT);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    let draft = builder.tempfile_in(folder)?;
    // For as long as it is written, nobody takes it for a leftover.
    draft.as_file().lock()?;
    Ok(draft)
}
