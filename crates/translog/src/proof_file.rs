use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kontor_crypto::{Envelope, NoteVerifier, Statement, VerifyingKey};
use kontor_types::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;
use crate::checkpoint::{decimal, hash};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
const FORMAT: &str = "kontor-proof/v1";
/// A tree with more levels has more leaves than can be counted.
const LONGEST_PATH: usize = 64;
const LARGEST: usize = 64 * 1024 * 1024;
const MOST_STATEMENTS: usize = 10_000;

/// Everything that a stranger needs to check what a hub said about a version, without asking the hub.
///
/// The keys in it are only a convenience: whoever checks the file should have them from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofFile {
    format: String,
    /// The digest that the statements are about, when they are about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Digest>,
    /// The keys of the log, as its notes name them.
    #[serde(with = "keys")]
    pub log_keys: Vec<NoteVerifier>,
    /// The keys that sign statements.
    #[serde(with = "keys")]
    pub statement_keys: Vec<VerifyingKey>,
    /// The statements with their proofs.
    pub statements: Vec<ProvenStatement>,
}

/// A signed statement, what hides it in the log, and the proof that it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenStatement {
    /// The DSSE envelope as JSON, byte for byte as it was logged.
    pub statement: String,
    /// What was hashed before it.
    #[serde(with = "base64_bytes")]
    pub salt: Vec<u8>,
    /// The proof in C2SP's form.
    #[serde(with = "one_text")]
    pub proof: LogProof,
}

/// A C2SP tlog-proof: a leaf's place, the path from it to the root, and the signed checkpoint with that root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// The leaf's place, from 0.
    pub index: u64,
    /// The hashes on the way to the root, the leaf's sibling first.
    pub path: Vec<Digest>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

impl ProofFile {
    /// A file of these statements.
    pub fn new(
        subject: Option<Digest>,
        log_keys: Vec<NoteVerifier>,
        statement_keys: Vec<VerifyingKey>,
        statements: Vec<ProvenStatement>,
    ) -> Self {
        Self { format: FORMAT.to_owned(), subject, log_keys, statement_keys, statements }
    }

    /// Reads a file; what is in it counts only after [`crate::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let broken = |reason: String| Error::malformed("proof file", reason);
        if bytes.len() > LARGEST {
            return Err(broken(format!("it is longer than {LARGEST} bytes")));
        }
        let file: Self = serde_json::from_slice(bytes).map_err(|error| broken(error.to_string()))?;
        if file.format != FORMAT {
            return Err(broken(format!("its format is not {FORMAT}")));
        }
        if file.statements.len() > MOST_STATEMENTS {
            return Err(broken(format!("it has more than {MOST_STATEMENTS} statements")));
        }
        Ok(file)
    }

    /// What the statements say, in their order, whoever signed them: believe it after [`crate::verify`].
    pub fn said(&self) -> Vec<Option<Statement>> {
        let read = |proven: &ProvenStatement| {
            let envelope = Envelope::parse(proven.statement.as_bytes()).ok()?;
            Statement::parse(&envelope.payload().ok()?).ok()
        };
        self.statements.iter().map(read).collect()
    }

    /// The file as JSON.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self).map_err(|error| Error::malformed("proof file", error.to_string()))
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{FIRST_LINE}\nindex {}", self.index)?;
        for hash in &self.path {
            writeln!(formatter, "{}", BASE64.encode(hash.as_bytes()))?;
        }
        write!(formatter, "\n{}", self.checkpoint)
    }
}

impl FromStr for LogProof {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let broken = |reason: &str| Error::malformed("tlog-proof", reason);
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(|| broken("it has no checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(broken("its first line does not say so"));
        }
        // Nothing vouches for what others add here.
        lines.next_if(|line| line.starts_with("extra "));
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or_else(|| broken("it has no index"))?;
        let path: Option<Vec<_>> = lines.by_ref().take(LONGEST_PATH).map(hash).collect();
        let path = path.filter(|_| lines.next().is_none()).ok_or_else(|| broken("its path is no list of hashes"))?;
        Ok(Self { index, path, checkpoint: checkpoint.to_owned() })
    }
}

mod one_text {
    use serde::de::Error as _;

    use super::{Deserialize as _, Deserializer, LogProof, Serializer};

    pub fn serialize<S: Serializer>(proof: &LogProof, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(proof)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LogProof, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

mod keys {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;

    use super::{Deserialize as _, Deserializer, Serializer};

    /// More keys than a log or a hub can have had; each costs time to read.
    const MOST: usize = 100;

    pub fn serialize<K: Display, S: Serializer>(keys: &[K], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(keys.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, K, D>(deserializer: D) -> Result<Vec<K>, D::Error>
    where
        K: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(deserializer)?;
        if texts.len() > MOST {
            return Err(D::Error::custom(format!("more than {MOST} keys")));
        }
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

mod base64_bytes {
    use serde::de::Error as _;

    use super::{BASE64, Deserialize as _, Deserializer, Serializer};
    use base64::Engine as _;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        BASE64.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
