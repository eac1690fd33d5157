//! Publishers' signatures in a proof file: whose they are, and whether the key is to be believed.

use kontor_crypto::{
    Endorsement, Envelope, History, KeyRecord, Purpose, SIGNATURE_TYPE, SignedVersion, Statement, VerifyingKey,
};
use kontor_types::{Digest, Handle, Outcome, Timestamp};
use serde::Deserialize;

use crate::verify::Report;
use crate::{ProofFile, ProvenStatement};

/// The hub's statements that a publisher holds a key, and that a key is not to be believed.
const KEY: &str = "urn:kontor:statement:key:v1";
const KEY_REVOKE: &str = "urn:kontor:statement:key_revoke:v1";
/// The predicate of how the bytes came about.
pub(crate) const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// What the hub says of a key.
#[derive(Debug, Clone, Deserialize)]
struct Held {
    publisher: Handle,
    public_key: VerifyingKey,
    #[serde(default)]
    created_at: Option<Timestamp>,
    #[serde(default)]
    endorsed_by: Option<String>,
    #[serde(default)]
    endorsement: Option<String>,
    /// When the hub said so.
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    from: Option<Timestamp>,
    #[serde(default)]
    reason: Option<String>,
}

/// What a file's statements of the hub say of publishers' keys.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    held: Vec<Held>,
    revoked: Vec<Held>,
    /// When the hub took the version.
    taken: Option<Timestamp>,
    /// Under which name.
    named: Option<String>,
}

/// Whether a statement is a publisher's own, by what it says it is; then its signature is not the hub's.
pub(crate) fn is_publishers(proven: &ProvenStatement) -> bool {
    let read = Envelope::parse(proven.statement.as_bytes()).and_then(|envelope| Statement::parse(&envelope.payload()?));
    read.is_ok_and(|said| said.predicate_type == SIGNATURE_TYPE)
}

/// Whether a statement is about a key, not about bytes; whether it says so of the right one.
pub(crate) fn about_key(said: &Statement) -> Option<Result<(), String>> {
    if said.predicate_type != KEY && said.predicate_type != KEY_REVOKE {
        return None;
    }
    let held: Option<Held> = serde_json::from_value(said.predicate.clone()).ok();
    let fits = held.is_some_and(|held| said.is_about(&Digest::of(held.public_key.to_string().as_bytes())));
    Some(if fits { Ok(()) } else { Err("it is not about the key that it names".to_owned()) })
}

impl Keys {
    /// Reads what those statements say that one of the hub's keys signed.
    pub fn read(file: &ProofFile, hub: &[VerifyingKey]) -> Self {
        let mut keys = Self::default();
        for proven in &file.statements {
            let read = || -> Result<Statement, kontor_crypto::Error> {
                let envelope = Envelope::parse(proven.statement.as_bytes())?;
                Statement::parse(&envelope.verify(hub)?.payload)
            };
            let Ok(said) = read() else { continue };
            let held = || serde_json::from_value::<Held>(said.predicate.clone()).ok();
            match said.predicate_type.as_str() {
                KEY => keys.held.extend(held()),
                KEY_REVOKE => keys.revoked.extend(held()),
                PROVENANCE => {
                    let finished = said.predicate.pointer("/runDetails/metadata/finishedOn").cloned();
                    keys.taken = finished.and_then(|at| serde_json::from_value(at).ok());
                    keys.named = said.subject.first().map(|subject| subject.name.clone());
                }
                _ => {}
            }
        }
        keys
    }

    /// Checks a publisher's own statement. `known` are keys that the one who checks has from elsewhere.
    pub fn check(
        &self,
        number: usize,
        proven: &ProvenStatement,
        known: &[VerifyingKey],
        report: &mut Report,
    ) -> Option<Statement> {
        let opened = self.open(proven, known);
        let (said, key) = report.settle(
            "signature",
            number,
            |(said, key): &(SignedVersion, VerifyingKey)| {
                let publisher = said.name.publisher.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("@{publisher} signed {} with the key {}", said.name, key.id())
            },
            opened,
        )?;
        self.check_key(number, &said, &key, known, report);
        self.check_revocation(number, &key, report);
        let envelope = Envelope::parse(proven.statement.as_bytes()).ok()?;
        Statement::parse(&envelope.payload().ok()?).ok()
    }

    fn open(&self, proven: &ProvenStatement, known: &[VerifyingKey]) -> Result<(SignedVersion, VerifyingKey), String> {
        let bytes = proven.statement.as_bytes();
        let (said, _) = SignedVersion::read(bytes).map_err(|error| error.to_string())?;
        let publisher = said.name.publisher.as_ref();
        let held = self.held.iter().filter(|held| Some(&held.publisher) == publisher).map(|held| held.public_key);
        let keys: Vec<VerifyingKey> = held.chain(known.iter().copied()).collect();
        let (said, id) = SignedVersion::open(bytes, &keys).map_err(|error| error.to_string())?;
        if let Some(named) = self.named.as_ref().filter(|named| **named != said.name.to_string()) {
            return Err(format!("it was made for {}, not for {named}", said.name));
        }
        let key = keys.into_iter().find(|key| key.id() == id).ok_or_else(|| "its key is not known".to_owned())?;
        Ok((said, key))
    }

    /// Whether the one who checks had the key, or one that leads to it.
    fn check_key(
        &self,
        number: usize,
        said: &SignedVersion,
        key: &VerifyingKey,
        known: &[VerifyingKey],
        report: &mut Report,
    ) {
        let name = "publisher_key";
        let publisher = said.name.publisher.as_ref().map(ToString::to_string).unwrap_or_default();
        let id = key.id();
        if known.contains(key) {
            report.add(name, Some(number), Outcome::Passed, format!("the key {id} was known before"));
        } else if known.iter().any(|before| self.vouches(before, key)) {
            let detail = format!("a key that was known before vouches for {id}");
            report.add(name, Some(number), Outcome::Passed, detail);
        } else if known.is_empty() {
            let detail = format!(
                "only the hub says that the key {id} is held by @{publisher}: get it from @{publisher} by another way"
            );
            report.add(name, Some(number), Outcome::NotChecked, detail);
        } else {
            let detail = format!("{id} is none of the publisher's keys that were known before");
            report.add(name, Some(number), Outcome::Failed, detail);
        }
    }

    fn vouches(&self, before: &VerifyingKey, key: &VerifyingKey) -> bool {
        let record = |key: &VerifyingKey, created_at, endorsement| KeyRecord {
            id: key.id(),
            purpose: Purpose::Publisher,
            public_key: Some(*key),
            created_at,
            retired_at: None,
            revoked: None,
            endorsement,
        };
        let revoked = self.revoked.iter().filter(|held| held.public_key == *before).filter_map(|held| held.from).min();
        // Whoever had the key after it was lost may have vouched with it, and may have dated that back.
        let in_time = |held: &&Held| revoked.is_none_or(|from| held.at.is_some_and(|at| at < from));
        self.held.iter().filter(|held| held.public_key == *key).filter(in_time).any(|held| {
            let word = || {
                let by = held.endorsed_by.as_ref()?.parse().ok().filter(|by| *by == before.id())?;
                Some((held.created_at?, Endorsement { by, signature: held.endorsement.clone()? }))
            };
            word().is_some_and(|(created_at, word)| {
                let keys = vec![record(before, created_at, None), record(key, created_at, Some(word))];
                History { keys }.check().is_ok()
            })
        })
    }

    /// Whether the file itself says that the key was not to be believed when the hub took the version.
    fn check_revocation(&self, number: usize, key: &VerifyingKey, report: &mut Report) {
        let revoked = self.revoked.iter().filter(|held| held.public_key == *key);
        let Some((held, from)) = revoked.filter_map(|held| Some((held, held.from?))).min_by_key(|(_, from)| *from)
        else {
            return;
        };
        let reason = held.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or("without a reason");
        let (outcome, detail) = match self.taken {
            Some(taken) if taken < from => {
                (Outcome::Passed, format!("the key was revoked from {from} on, after the hub took this on {taken}"))
            }
            _ => (Outcome::Failed, format!("@{} revoked the key from {from} on: {reason}", held.publisher)),
        };
        report.add("revocation", Some(number), outcome, detail);
    }
}
