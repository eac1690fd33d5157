//! What is said of a run afterwards, signed: an in-toto statement in a DSSE envelope.

use std::collections::BTreeMap;

use kontor_crypto::{Envelope, KeyId, Purpose, STATEMENT_TYPE, SigningKey, Statement, Subject, VerifyingKey};
use kontor_types::{Digest, RunId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::lock::{Lock, LockedPackage};
use crate::permissions::Granted;
use crate::redact::Alarm;

/// The predicate of a run receipt.
pub const RECEIPT_TYPE: &str = "urn:kontor:statement:run:v1";
/// The largest receipt that is read.
const LARGEST: usize = 8 << 20;

/// What happened in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Which run.
    pub run: RunId,
    /// Which attempt it was, counted from 1, where a run that is cut off is made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The skill.
    pub skill: RanSkill,
    /// What of it was run.
    pub entry: RanEntry,
    /// Who ran it.
    pub runner: Runner,
    /// When it began.
    pub started_at: Timestamp,
    /// When it had ended.
    pub ended_at: Timestamp,
    /// Who let it run, and why.
    pub decision: Decision,
    /// The operator's overlay that was in force.
    pub overlay: Option<OverlayRef>,
    /// What was granted and what of it was used.
    pub permissions: UsedPermissions,
    /// The packages that were there.
    pub dependencies: DependencyLayers,
    /// What went in, in salted digests.
    pub inputs: Vec<Sealed>,
    /// What came out, in salted digests.
    pub outputs: Vec<Sealed>,
    /// What was not kept of what came out, and why.
    pub left_behind: Vec<LeftBehind>,
    /// What it used.
    pub resources: Resources,
    /// How it ended.
    pub exit: ExitFact,
    /// Every connection, granted or refused; of more than a thousand of either the first.
    pub connections: Vec<Connection>,
    /// All connections by destination, where not every one is listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connection_totals: Vec<ConnectionTotal>,
    /// Secrets that were found where they should not be.
    pub alarms: Vec<Alarm>,
    /// What stood between the program and this machine.
    pub sandbox: SandboxFact,
}

/// The skill of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RanSkill {
    /// Its full name with the version, or the folder's name.
    pub name: String,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// The hub that it is from; nothing for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
}

/// What of a skill was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RanEntry {
    /// The script's path or the tool's name.
    pub name: String,
    /// Whether it is a typed tool.
    pub tool: bool,
    /// The program that ran it.
    pub program: String,
    /// Its version, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_version: Option<String>,
    /// How many arguments the caller gave; they are among the inputs, sealed.
    pub arguments: usize,
}

/// Who ran it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runner {
    /// The person, where a hub knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The program and its version.
    pub program: String,
    /// The machine's operating system and processor.
    pub machine: String,
}

/// Who let it run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// `hub` or `local_scan`.
    pub by: String,
    /// The policy of the hub, or the rules of the scanner.
    pub under: String,
    /// What was found, in the word of the scanner.
    pub verdict: String,
    /// Why, in plain words.
    pub reasons: Vec<String>,
    /// How the caller consented: `stored`, `asked` or `flag`.
    pub consent: String,
    /// What whoever ran it did without, or allowed besides: `no_verify`, `accept_findings`, `install_scripts`,
    /// `accept_weaker`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<String>,
}

/// Which overlay was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlayRef {
    /// The digest of its envelope.
    pub digest: Digest,
    /// Its number in its chain.
    pub number: u32,
}

/// What was granted and what of it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedPermissions {
    /// What was granted.
    pub granted: Granted,
    /// Hosts and ports that it connected to.
    pub network_used: Vec<String>,
}

/// The packages of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DependencyLayers {
    /// What names the layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
    /// Packages for Python.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub python: Vec<LockedPackage>,
    /// Packages for Node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node: Vec<LockedPackage>,
    /// Whether programs that the packages bring ran for their installation, so that what lies there is what those made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub install_scripts: bool,
}

impl DependencyLayers {
    /// What a lock says.
    pub fn of(lock: &Lock) -> Self {
        Self {
            layer: (!lock.is_empty()).then(|| lock.digest()),
            python: lock.python.as_ref().map(|lock| lock.packages.clone()).unwrap_or_default(),
            node: lock.node.as_ref().map(|lock| lock.packages.clone()).unwrap_or_default(),
            install_scripts: lock.install_scripts && !lock.is_empty(),
        }
    }
}

/// Bytes that are named by a digest that tells nothing without its salt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// `arguments`, `input`, `stdout`, `stderr`, or a file's name.
    pub name: String,
    /// How many bytes.
    pub size: u64,
    /// SHA-256 over the salt and the SHA-256 of the bytes.
    pub salted_digest: Digest,
}

/// Something that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftBehind {
    /// A file or stream.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What a run used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Milliseconds on the clock.
    pub wall_ms: u64,
    /// Milliseconds of processors.
    pub cpu_ms: u64,
    /// The most memory at once, in bytes, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitFact {
    /// `done`, `failed`, `killed`, `time_limit`, `memory_limit`, `disk_limit`, `cancelled`, `output_refused`, or `lost` when the
    /// process that held it was lost, so that how it ended is not known.
    pub outcome: String,
    /// The program's own exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

/// One connection that a run made or tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// The host as the program named it.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The address that the name was pinned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The name in the TLS handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// Method and path, where the request was not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Milliseconds.
    pub duration_ms: u64,
    /// `granted`, or why it was refused.
    pub decision: String,
}

/// The connections to one destination, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionTotal {
    /// Host and port; empty for the rest of too many.
    pub destination: String,
    /// `granted` or `refused`.
    pub decision: String,
    /// How many.
    pub count: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
}

/// What stood between a program and the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxFact {
    /// The name of its tier.
    pub tier: String,
    /// What it was made of, and what the machine could not give.
    pub layers: Vec<String>,
}

/// What opens the salted digests of a run; kept by whoever ran it, never part of the receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salts(BTreeMap<String, String>);

impl Salts {
    /// Names bytes by a digest under a new salt, which is remembered.
    pub fn seal(&mut self, way: &str, name: &str, size: u64, digest: &Digest) -> Sealed {
        let salt: [u8; 16] = rand::random();
        self.0.insert(format!("{way} {name}"), hex::encode(salt));
        Sealed { name: name.to_owned(), size, salted_digest: salted(&salt, digest) }
    }

    /// Whether these bytes are what a receipt names; nothing when its salt is not known.
    pub fn opens(&self, side: &str, sealed: &Sealed, digest: &Digest) -> Option<bool> {
        let salt = hex::decode(self.0.get(&format!("{side} {}", sealed.name))?).ok()?;
        Some(salted(&salt, digest) == sealed.salted_digest)
    }
}

fn salted(salt: &[u8], digest: &Digest) -> Digest {
    let mut bytes = b"kontor run v1\n".to_vec();
    bytes.extend_from_slice(salt);
    bytes.extend_from_slice(digest.as_bytes());
    Digest::of(&bytes)
}

impl Receipt {
    /// Signs it with a key for receipts.
    ///
    /// # Errors
    /// [`Error::Receipt`] for a key of another purpose.
    pub fn sign(&self, key: &SigningKey) -> Result<Envelope, Error> {
        if key.purpose() != Purpose::Receipt {
            return Err(Error::Receipt { reason: format!("a key for {} signs none", key.purpose()) });
        }
        let subject = Subject::new(self.skill.name.clone(), &self.skill.digest);
        let predicate = serde_json::to_value(self).unwrap_or_default();
        Ok(Statement::new(vec![subject], RECEIPT_TYPE, predicate).sign(&[key]))
    }

    /// Reads a receipt, whoever signed it, and which keys its signatures name.
    ///
    /// # Errors
    /// [`Error::Receipt`] for anything else than a receipt.
    pub fn read(bytes: &[u8]) -> Result<(Self, Envelope), Error> {
        let broken = |reason: String| Error::Receipt { reason };
        if bytes.len() > LARGEST {
            return Err(broken("it is larger than 8 MiB".to_owned()));
        }
        let envelope = Envelope::parse(bytes).map_err(|error| broken(error.to_string()))?;
        if envelope.payload_type != STATEMENT_TYPE {
            return Err(broken(format!("its type is not {STATEMENT_TYPE}")));
        }
        let payload = envelope.payload().map_err(|error| broken(error.to_string()))?;
        let statement = Statement::parse(&payload).map_err(|error| broken(error.to_string()))?;
        if statement.predicate_type != RECEIPT_TYPE {
            return Err(broken("it says something else than what happened in a run".to_owned()));
        }
        let receipt: Self =
            serde_json::from_value(statement.predicate.clone()).map_err(|error| broken(error.to_string()))?;
        let about = matches!(statement.subject.as_slice(), [one] if one.name == receipt.skill.name);
        if !about || !statement.is_about(&receipt.skill.digest) {
            return Err(broken("its subject is not the skill that it tells of".to_owned()));
        }
        Ok((receipt, envelope))
    }

    /// The known key for receipts that signed it.
    ///
    /// # Errors
    /// [`Error::Keys`] when none did, or a signature does not fit.
    pub fn signer(envelope: &Envelope, keys: &[VerifyingKey]) -> Result<KeyId, Error> {
        let own: Vec<VerifyingKey> = keys.iter().filter(|key| key.purpose() == Purpose::Receipt).copied().collect();
        let verified = envelope.verify(&own)?;
        verified.signers.first().copied().ok_or(Error::Keys(kontor_crypto::Error::Unsigned))
    }
}
