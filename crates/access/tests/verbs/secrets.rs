//! The form of tokens: recognisable, checkable, never the same.

use kontor_access::{ExposeSecret as _, secret};

#[test]
fn a_token_is_recognised_and_a_misspelt_one_is_not() {
    let token = secret::token();
    let text = token.expose_secret();
    assert!(text.starts_with("kontor_") && text.len() == 55, "{text}");
    assert!(secret::is_token(text));
    assert!(text[7..].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    for at in [7, 20, 54] {
        let mut broken = text.to_owned();
        let other = if &broken[at..=at] == "A" { "Q" } else { "A" };
        broken.replace_range(at..=at, other);
        assert!(!secret::is_token(&broken), "{broken}");
    }
    assert!(!secret::is_token("kontor_"));
    assert_ne!(secret::token().expose_secret(), secret::token().expose_secret());
}

#[test]
fn a_form_belongs_to_its_cookie() {
    let (one, other) = (secret::token(), secret::token());
    let form = secret::form_token(&one);
    assert!(secret::is_form_token(&one, &form));
    assert!(!secret::is_form_token(&other, &form));
    assert!(!form.contains(one.expose_secret()));
}

#[test]
fn secrets_do_not_show_when_they_are_logged() {
    let token = secret::token();
    assert!(!format!("{token:?}").contains(token.expose_secret()));
}
