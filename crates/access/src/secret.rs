//! Secrets that the hub makes: random, recognisable, and stored only as hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kontor_types::Digest;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What every token of a Kontor begins with, so that a leaked one is recognised.
pub const TOKEN_PREFIX: &str = "kontor_";

const RANDOM_BYTES: usize = 32;
const CHECK_BYTES: usize = 4;
const TOKEN_LENGTH: usize = TOKEN_PREFIX.len() + (RANDOM_BYTES + CHECK_BYTES) / 3 * 4;
/// Of a sign-in link: 128 bits.
const LINK_BYTES: usize = 16;
/// Letters of a code that people type: no vowels, so no words; nothing that looks like another.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE_LENGTH: usize = 8;

/// A new access token: `kontor_` and 48 characters, of which the last few are a checksum.
pub fn token() -> SecretString {
    let random: [u8; RANDOM_BYTES] = rand::random();
    let mut bytes = random.to_vec();
    bytes.extend_from_slice(&checksum(&random));
    SecretString::from(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Whether a text has the form of our tokens and its checksum is right; says nothing about whether it was ever given out.
pub fn is_token(text: &str) -> bool {
    let Some(body) = text.strip_prefix(TOKEN_PREFIX) else { return false };
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(body) else { return false };
    let Some((random, check)) = bytes.split_at_checked(RANDOM_BYTES) else { return false };
    bool::from(checksum(random).as_slice().ct_eq(check))
}

/// Whether a text is as long as our tokens and begins like them, but was misspelt on the way.
pub(crate) fn is_misspelt_token(text: &str) -> bool {
    text.starts_with(TOKEN_PREFIX) && text.len() == TOKEN_LENGTH && !is_token(text)
}

/// A new secret that only programs carry: a device code or a cookie.
pub(crate) fn opaque() -> SecretString {
    SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; RANDOM_BYTES]>()))
}

/// A new code for a one-time link.
pub(crate) fn link_code() -> SecretString {
    SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; LINK_BYTES]>()))
}

/// A new code for people to type, without separators.
pub(crate) fn user_code() -> String {
    (0..USER_CODE_LENGTH).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())])).collect()
}

/// A user code as it is shown: in two halves.
pub(crate) fn shown_user_code(code: &str) -> String {
    let (first, second) = code.split_at_checked(USER_CODE_LENGTH / 2).unwrap_or((code, ""));
    format!("{first}-{second}")
}

/// A user code as somebody typed it, brought to the stored form.
pub(crate) fn typed_user_code(typed: &str) -> String {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric);
    letters.take(USER_CODE_LENGTH + 1).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// What the database keeps of a secret.
pub(crate) fn hash(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// A value tied to a cookie's secret that a form carries to show that the page came from here.
pub fn form_token(cookie: &SecretString) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"kontor form\0");
    hasher.update(cookie.expose_secret().as_bytes());
    URL_SAFE_NO_PAD.encode(hasher.finalize())
}

/// Whether a form carries the value of this cookie.
pub fn is_form_token(cookie: &SecretString, shown: &str) -> bool {
    form_token(cookie).as_bytes().ct_eq(shown.as_bytes()).into()
}

fn checksum(random: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = Sha256::digest(random);
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&digest[..CHECK_BYTES]);
    check
}
