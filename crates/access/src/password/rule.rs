//! Which passwords are accepted: by length alone, and not one's own name.

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;

use crate::{Error, Person};

/// The fewest characters.
const SHORTEST: usize = 12;
/// More bytes are no password.
const LONGEST: usize = 1_024;

/// A password in the form that is hashed: however a keyboard composes its letters, it is one password. `None` for what is
/// too long to be one.
pub fn normal(password: &SecretString) -> Option<SecretString> {
    let text = password.expose_secret();
    (text.len() <= LONGEST).then(|| SecretString::from(text.nfkc().collect::<String>()))
}

/// The password that a person wants, if it may be one.
///
/// # Errors
/// [`Error::Invalid`].
pub fn accepted(password: &SecretString, person: &Person) -> Result<SecretString, Error> {
    let refused = |reason: String| Err(Error::Invalid { reason });
    let Some(password) = normal(password) else {
        return refused(format!("a password has at most {LONGEST} bytes"));
    };
    let text = password.expose_secret();
    if text.chars().take(SHORTEST).count() < SHORTEST {
        return refused(format!("a password has {SHORTEST} or more characters; a few words in a row are good"));
    }
    let bare = letters(text);
    for name in [person.handle.as_str(), &person.display_name] {
        let name = letters(name);
        if !name.is_empty() && bare.replace(&name, "").is_empty() {
            return refused("a password is not your own name".to_owned());
        }
    }
    Ok(password)
}

/// The letters and digits of a text, small.
fn letters(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
