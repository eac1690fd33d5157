//! What an operator lets somebody else's skill do: kept beside the author's bytes, as a chain of signed versions.

use std::path::{Path, PathBuf};

use kontor_crypto::{Envelope, PrivateFolder, Purpose, Statement, Subject};
use kontor_package::{Permissions, RunLimits};
use kontor_types::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::keys::RunnerKeys;
use crate::lock::Lock;
use crate::session::SessionId;

/// The predicate of an operator's statement about what a skill may do.
pub const OVERLAY_TYPE: &str = "urn:kontor:statement:overlay:v1";
/// The most versions of one overlay that are followed.
const MOST: usize = 1_000;

/// How it was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Somebody read it on a terminal and said yes.
    Asked,
    /// A flag of the command line said yes beforehand.
    Flag,
}

/// How long what was confirmed holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// Whenever these bytes run.
    #[default]
    Always,
    /// As long as the session lasts in which it was confirmed.
    Session(SessionId),
    /// For the one run that asked.
    Once,
}

impl Holds {
    /// Whether it still holds for a run that begins now.
    pub fn covers(&self, session: Option<&SessionId>) -> bool {
        match self {
            Self::Always => true,
            Self::Session(own) => session == Some(own),
            Self::Once => false,
        }
    }
}

/// One version of what an operator lets a skill do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// The skill's name, for people.
    pub skill: String,
    /// Counted from 1.
    pub number: u32,
    /// The digest of the version before.
    pub previous: Option<Digest>,
    /// What its programs may do.
    pub permissions: Permissions,
    /// How much they may use.
    pub limits: RunLimits,
    /// What its scripts need, exactly, by the path of the script or the name of the tool.
    pub locks: std::collections::BTreeMap<String, Lock>,
    /// Why each thing is in it, in plain words.
    pub because: Vec<String>,
    /// How it was confirmed.
    pub consent: Consent,
    /// For how long.
    #[serde(default)]
    pub holds: Holds,
    /// When.
    pub confirmed_at: Timestamp,
}

/// A version with what names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The digest of its envelope.
    pub digest: Digest,
    /// What it says.
    pub overlay: Overlay,
}

/// The overlays of this operator, a folder for each skill's digest.
#[derive(Debug, Clone)]
pub struct Overlays {
    folder: PathBuf,
}

impl Overlays {
    /// The overlays in a folder, which is made when the first one is added.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    fn place(&self, skill: &Digest) -> PathBuf {
        self.folder.join(skill.hex())
    }

    /// Every version for a skill, oldest first; each was signed here and names the one before it.
    ///
    /// # Errors
    /// [`Error::Overlay`] when one does not.
    pub fn versions(&self, skill: &Digest, keys: &RunnerKeys) -> Result<Vec<Stored>, Error> {
        let place = self.place(skill);
        if !place.is_dir() {
            return Ok(Vec::new());
        }
        let folder = PrivateFolder::open(&place)?;
        let broken = |reason: String| Error::Overlay { folder: place.clone(), reason };
        let mut versions: Vec<Stored> = Vec::new();
        for number in 1..=MOST {
            let Some(bytes) = folder.read(&file_name(number))? else { break };
            let stored = read(&bytes, skill, keys).map_err(|error| broken(format!("version {number}: {error}")))?;
            let fits = stored.overlay.number as usize == number
                && stored.overlay.previous == versions.last().map(|before| before.digest);
            if !fits {
                return Err(broken(format!("version {number} does not follow the one before it")));
            }
            versions.push(stored);
        }
        Ok(versions)
    }

    /// The newest version for a skill.
    pub fn latest(&self, skill: &Digest, keys: &RunnerKeys) -> Result<Option<Stored>, Error> {
        Ok(self.versions(skill, keys)?.pop())
    }

    /// The newest version for a skill that holds for a run in this session.
    pub fn in_force(
        &self,
        skill: &Digest,
        keys: &RunnerKeys,
        session: Option<&SessionId>,
    ) -> Result<Option<Stored>, Error> {
        let versions = self.versions(skill, keys)?;
        Ok(versions.into_iter().rev().find(|stored| stored.overlay.holds.covers(session)))
    }

    /// The digests of all skills for which something was confirmed.
    pub fn skills(&self) -> Result<Vec<Digest>, Error> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(crate::error::file("list", &self.folder)(error)),
        };
        let named = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut skills: Vec<Digest> = named.filter_map(|name| format!("sha256:{name}").parse().ok()).collect();
        skills.sort();
        Ok(skills)
    }

    /// Signs and keeps another version; number and predecessor are set here.
    pub fn add(&self, skill: &Digest, mut overlay: Overlay, keys: &RunnerKeys) -> Result<Stored, Error> {
        // The folder of all of them has the same mode as each.
        PrivateFolder::open(&self.folder)?;
        let folder = PrivateFolder::open(&self.place(skill))?;
        let _lock = folder.lock()?;
        let before = self.latest(skill, keys)?;
        overlay.number = before.as_ref().map_or(1, |before| before.overlay.number.saturating_add(1));
        overlay.previous = before.map(|before| before.digest);
        let subject = Subject::new(overlay.skill.clone(), skill);
        let predicate = serde_json::to_value(&overlay).unwrap_or_default();
        let envelope = Statement::new(vec![subject], OVERLAY_TYPE, predicate).sign(&[&keys.overlays()?]);
        let bytes = envelope.to_json();
        folder.write(&file_name(overlay.number as usize), &bytes)?;
        Ok(Stored { digest: Digest::of(&bytes), overlay })
    }

    /// Forgets what was confirmed for a skill; tells whether there was something.
    pub fn forget(&self, skill: &Digest) -> Result<bool, Error> {
        let place = self.place(skill);
        if !place.is_dir() {
            return Ok(false);
        }
        std::fs::remove_dir_all(&place).map_err(crate::error::file("remove", &place))?;
        Ok(true)
    }
}

fn file_name(number: usize) -> String {
    format!("{number:04}.json")
}

fn read(bytes: &[u8], skill: &Digest, keys: &RunnerKeys) -> Result<Stored, String> {
    let envelope = Envelope::parse(bytes).map_err(|error| error.to_string())?;
    let verified = envelope.verify(&keys.trusted(Purpose::Attestation)).map_err(|error| error.to_string())?;
    let statement = Statement::parse(&verified.payload).map_err(|error| error.to_string())?;
    if statement.predicate_type != OVERLAY_TYPE || !statement.is_about(skill) {
        return Err("it is about something else".to_owned());
    }
    let overlay: Overlay = serde_json::from_value(statement.predicate).map_err(|error| error.to_string())?;
    Ok(Stored { digest: Digest::of(bytes), overlay })
}
