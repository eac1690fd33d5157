//! Keys and what is made with them: custody in files of their owner, C2SP signed notes, in-toto statements in DSSE
//! envelopes, and sealed secrets.
//!
//! A [`Keyring`] is a folder with one file for each secret key and a public [`History`] of all keys there ever were. Each
//! [`Purpose`] has keys of its own, so that a signature made for one can never be passed off as another's. Secrets are
//! wiped from memory when they are dropped and never printed.

mod envelope;
mod error;
mod folder;
mod history;
mod jws;
mod key;
mod keyring;
mod note;
mod password;
mod seal;
mod sealed_keys;
mod signed_version;
mod statement;

pub use envelope::{Envelope, EnvelopeSignature, STATEMENT_TYPE, Verified};
pub use error::Error;
pub use folder::{MEMORY_SUFFIX, PrivateFolder};
pub use history::{Endorsement, History, KeyRecord, Revocation, vouched_for};
pub use jws::{key_from_jwk, key_to_jwk, open_jws, sign_jws};
pub use key::{KeyId, Purpose, SIGNATURE_LENGTH, SigningKey, VerifyingKey};
pub use keyring::Keyring;
pub use note::{Note, NoteSigner, NoteVerifier, open_note, sign_note};
pub use password::PasswordHash;
pub use seal::{Sealer, Sealing};
pub use sealed_keys::{KeyFiles, SHORTEST_PASSPHRASE};
pub use signed_version::{SIGNATURE_TYPE, SignedVersion};
pub use statement::{Statement, Subject};
pub use zeroize::Zeroizing;
