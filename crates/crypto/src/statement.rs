use std::collections::BTreeMap;

use kontor_types::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::key::clip;
use crate::{Envelope, Error, STATEMENT_TYPE, SigningKey};

const TYPE: &str = "https://in-toto.io/Statement/v1";
const LARGEST: usize = 4 * 1024 * 1024;

/// An in-toto statement, version 1: something said about bytes with certain digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// Which kind of thing is said, as a URI.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    #[serde(default)]
    pub predicate: Value,
}

/// One thing that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// Its digests by algorithm, in lower-case hexadecimal.
    pub digest: BTreeMap<String, String>,
}

impl Subject {
    /// A thing with a SHA-256 digest.
    pub fn new(name: impl Into<String>, digest: &Digest) -> Self {
        Self { name: name.into(), digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]) }
    }
}

impl Statement {
    /// Says something about some things.
    pub fn new(subject: Vec<Subject>, predicate_type: impl Into<String>, predicate: Value) -> Self {
        Self { kind: TYPE.to_owned(), subject, predicate_type: predicate_type.into(), predicate }
    }

    /// Reads the payload of an envelope.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let broken = |reason: &str| Error::malformed("in-toto statement", reason);
        if bytes.len() > LARGEST {
            return Err(broken("it is longer than 4 MiB"));
        }
        let statement: Self = serde_json::from_slice(bytes).map_err(|error| broken(&clip(&error.to_string())))?;
        if statement.kind != TYPE {
            return Err(broken(&format!("its type is not {TYPE}")));
        }
        if statement.subject.is_empty() || statement.subject.iter().any(|subject| subject.digest.is_empty()) {
            return Err(broken("it is about nothing with a digest"));
        }
        if statement.predicate_type.is_empty() {
            return Err(broken("it has no predicate type"));
        }
        Ok(statement)
    }

    /// Whether it is about the bytes with this digest.
    pub fn is_about(&self, digest: &Digest) -> bool {
        let hex = digest.hex();
        self.subject.iter().any(|subject| subject.digest.get("sha256").is_some_and(|found| *found == hex))
    }

    /// Signs it into a DSSE envelope.
    pub fn sign(&self, keys: &[&SigningKey]) -> Envelope {
        Envelope::sign(STATEMENT_TYPE, &serde_json::to_vec(self).unwrap_or_default(), keys)
    }
}
