use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kontor_crypto::{NoteVerifier, open_note};
use kontor_types::Digest;

use crate::Error;

/// What a log says of itself at one size: its name, how many entries it has, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
}

impl Checkpoint {
    /// Reads a signed checkpoint of a log whose key is known.
    ///
    /// # Errors
    /// [`Error::Crypto`] when the key that goes by the origin's name has not signed it, [`Error::Malformed`] when it is
    /// no checkpoint.
    pub fn open(note: &[u8], known: &[NoteVerifier]) -> Result<Self, Error> {
        let note = open_note(note, known)?;
        let checkpoint = Self::parse(&note.text)?;
        if !note.signers.contains(&checkpoint.origin) {
            return Err(kontor_crypto::Error::Unsigned.into());
        }
        Ok(checkpoint)
    }

    /// Reads the text of a checkpoint, whoever signed it; lines after the third are left to others.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let broken = |reason: &str| Error::malformed("checkpoint", reason);
        let mut lines = text.lines();
        let origin = lines.next().filter(|origin| !origin.is_empty()).ok_or_else(|| broken("it has no origin"))?;
        let size = lines.next().and_then(decimal).ok_or_else(|| broken("its second line is no size"))?;
        let root = lines.next().and_then(hash).ok_or_else(|| broken("its third line is no root"))?;
        if lines.any(str::is_empty) {
            return Err(broken("it has an empty line"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n{}\n{}", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }
}

/// A number in the one way of writing it.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash in base64.
pub(crate) fn hash(text: &str) -> Option<Digest> {
    Digest::try_from(BASE64.decode(text).ok()?).ok()
}
