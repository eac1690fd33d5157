//! C2SP signed notes: a text and Ed25519 signatures below it, readable by people.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use crate::key::clip;
use crate::{Error, Purpose, SIGNATURE_LENGTH, SigningKey, VerifyingKey};

/// The assigned signature type of plain Ed25519.
const ED25519: u8 = 1;
const LARGEST: usize = 1024 * 1024;
const MOST_SIGNATURES: usize = 100;
const DASH: &str = "\u{2014} ";

/// A text that at least one known key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The signed text, with its final newline.
    pub text: String,
    /// The names of the known keys that signed it.
    pub signers: Vec<String>,
    /// How many more signatures there are, by keys that are not known.
    pub unknown: usize,
}

/// Who signs notes: a key and the name it goes by.
#[derive(Debug)]
pub struct NoteSigner {
    verifier: NoteVerifier,
    key: SigningKey,
}

impl NoteSigner {
    /// Gives a key a name; a log's key is named like its origin.
    pub fn new(name: &str, key: SigningKey) -> Result<Self, Error> {
        Ok(Self { verifier: NoteVerifier::new(name, key.verifying_key())?, key })
    }

    /// Whoever has this can check the notes.
    pub const fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }
}

/// Who may have signed a note, written `NAME+ID+BASE64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl NoteVerifier {
    /// The key of this name.
    pub fn new(name: &str, key: VerifyingKey) -> Result<Self, Error> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), id: note_id(name, &key), key })
    }

    /// The name it goes by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(formatter, "{}+{:08x}+{}", self.name, self.id, BASE64.encode(key))
    }
}

impl FromStr for NoteVerifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let broken = |reason: &str| Error::malformed("key of a signed note", format!("{reason} in `{}`", clip(text)));
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(broken("NAME+ID+BASE64 is not"));
        };
        let bytes = BASE64.decode(key).map_err(|_| broken("there is no base64"))?;
        let Some((&ED25519, bytes)) = bytes.split_first() else { return Err(broken("there is no Ed25519 key")) };
        let bytes = bytes.try_into().map_err(|_| broken("there are not 32 bytes"))?;
        let verifier = Self::new(name, VerifyingKey::from_bytes(Purpose::Log, bytes)?)?;
        if id != format!("{:08x}", verifier.id) {
            return Err(broken("the id is not that of the key"));
        }
        Ok(verifier)
    }
}

/// Writes the text with the signature of each signer below it.
///
/// # Errors
/// [`Error::Malformed`] for a text that does not end with a newline or has control characters.
pub fn sign_note(text: &str, signers: &[&NoteSigner]) -> Result<String, Error> {
    check_text(text)?;
    let mut note = format!("{text}\n");
    for NoteSigner { verifier, key } in signers {
        let mut bytes = verifier.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&key.sign(text.as_bytes()));
        note.push_str(DASH);
        note.push_str(&verifier.name);
        note.push(' ');
        note.push_str(&BASE64.encode(bytes));
        note.push('\n');
    }
    Ok(note)
}

/// Reads a note of which at least one known key has signed the text.
///
/// # Errors
/// [`Error::Forged`] when a known key's signature does not fit, [`Error::Unsigned`] when no known key has signed,
/// [`Error::Malformed`] when it is no note.
pub fn open_note(note: &[u8], known: &[NoteVerifier]) -> Result<Note, Error> {
    let broken = |reason: &str| Error::malformed("signed note", reason);
    if note.len() > LARGEST {
        return Err(broken("it is longer than 1 MiB"));
    }
    let note = std::str::from_utf8(note).map_err(|_| broken("it is no UTF-8"))?;
    let middle = note.rfind("\n\n").ok_or_else(|| broken("there are no signatures"))?;
    let (text, signatures) = note.split_at(middle + 1);
    check_text(text)?;
    let signatures = signatures.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
    let lines: Vec<_> = signatures.ok_or_else(|| broken("there are no signatures"))?.split('\n').collect();
    if lines.len() > MOST_SIGNATURES {
        return Err(broken("it has more than 100 signatures"));
    }
    let mut opened = Note { text: text.to_owned(), signers: Vec::new(), unknown: 0 };
    for line in lines {
        let (name, id, signature) = signature_line(line).ok_or_else(|| broken("a signature line is broken"))?;
        match known.iter().find(|verifier| verifier.name == name && verifier.id == id) {
            None => opened.unknown += 1,
            Some(verifier) => {
                let forged = |_| Error::Forged { signer: clip(name) };
                verifier.key.verify(text.as_bytes(), &signature).map_err(forged)?;
                opened.signers.push(name.to_owned());
            }
        }
    }
    if opened.signers.is_empty() { Err(Error::Unsigned) } else { Ok(opened) }
}

fn signature_line(line: &str) -> Option<(&str, u32, Vec<u8>)> {
    let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
    check_name(name).ok()?;
    let bytes = BASE64.decode(encoded).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    let (id, signature) = (u32::from_be_bytes(*id), signature.to_vec());
    // Others' keys may have signatures of other lengths.
    (!signature.is_empty() && signature.len() <= SIGNATURE_LENGTH * 1024).then_some((name, id, signature))
}

fn check_text(text: &str) -> Result<(), Error> {
    if !text.ends_with('\n') || text.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        let reason = "its text must end with a newline and have no other control characters";
        return Err(Error::malformed("signed note", reason));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Error> {
    let usable = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '+';
    if name.is_empty() || name.len() > 512 || !name.chars().all(usable) {
        let reason =
            format!("`{}`; give a name without spaces and plus signs, like skills.example.com/log", clip(name));
        return Err(Error::malformed("name of a signer", reason));
    }
    Ok(())
}

fn note_id(name: &str, key: &VerifyingKey) -> u32 {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let [first, second, third, fourth, ..] = hash;
    u32::from_be_bytes([first, second, third, fourth])
}
