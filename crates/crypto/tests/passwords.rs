//! What is kept of a password: it fits that password only, and its form is the one that others read.

use kontor_crypto::PasswordHash;
use rstest::rstest;

#[test]
fn a_hash_fits_the_password_that_it_was_made_of() {
    let hash = PasswordHash::of("correct horse battery").unwrap();
    let kept: PasswordHash = hash.to_string().parse().unwrap();
    assert!(kept.fits("correct horse battery").unwrap());
    for other in ["correct horse batterz", "correct horse", "", "Correct horse battery"] {
        assert!(!kept.fits(other).unwrap(), "{other}");
    }
    assert!(kept.is_current());
    assert_ne!(hash, PasswordHash::of("correct horse battery").unwrap(), "each has its own salt");
    let (text, shown) = (hash.to_string(), format!("{hash:?}"));
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
    assert_eq!(shown, "PasswordHash { .. }");
}

/// Made by another implementation: 256 KiB, two passes, one lane, of `password`.
#[test]
fn what_others_made_is_read() {
    let text = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$yrdGtGIZk/3JHsUHh5gLQUqQppLwvGjf4Z+cJbPLqew";
    let made: PasswordHash = text.parse().unwrap();
    assert!(made.fits("password").unwrap() && !made.fits("Password").unwrap());
    assert!(!made.is_current(), "a guess at it costs less than it should");
    assert_eq!(made.to_string(), text);
}

#[test]
fn nothing_fits_nobodys() {
    let nobody = PasswordHash::nobodys();
    assert!(!nobody.fits("").unwrap());
    assert!(!nobody.to_string().parse::<PasswordHash>().unwrap().fits("x").unwrap());
}

#[rstest]
#[case::empty("")]
#[case::another_algorithm("$2b$10$abcdefghijklmnopqrstuv")]
#[case::argon2i("$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
#[case::too_costly(
    "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)]
#[case::short_salt("$argon2id$v=19$m=19456,t=2,p=1$c29tZQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
#[case::short_hash("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAA")]
fn another_form_is_refused(#[case] text: &str) {
    assert!(text.parse::<PasswordHash>().is_err());
}
