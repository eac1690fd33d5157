use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kontor_runs::{Error, Redactor};
use proptest::prelude::*;
use rstest::rstest;

fn shown(redactor: &Redactor, parts: &[&[u8]]) -> (String, usize) {
    let mut stream = redactor.stream("stdout");
    let mut all = Vec::new();
    for part in parts {
        all.extend(stream.push(part));
    }
    all.extend(stream.finish());
    (String::from_utf8_lossy(&all).into_owned(), stream.alarms.len())
}

fn written(form: &str, before: &str, value: &str) -> String {
    let whole = format!("{before}{value} and more");
    match form {
        "plain" => whole,
        "base64" => STANDARD.encode(whole),
        "base64url" => URL_SAFE_NO_PAD.encode(whole),
        "hex" => hex::encode(whole),
        "HEX" => hex::encode_upper(whole),
        _ => percent(&whole),
    }
}

fn percent(text: &str) -> String {
    hex::encode_upper(text)
        .as_bytes()
        .chunks(2)
        .flat_map(|pair| ['%', char::from(pair[0]), char::from(pair[1])])
        .collect()
}

/// The longest run of letters of the secret that its neighbours do not share.
fn core(form: &str, value: &str) -> String {
    match form {
        "hex" => hex::encode(value),
        "HEX" => hex::encode_upper(value),
        "url" => percent(value),
        _ => value.to_owned(),
    }
}

proptest! {
    #[test]
    fn no_form_of_a_secret_comes_through_however_it_is_cut(
        value in "[a-zA-Z0-9/+_=-]{8,60}",
        before in "[ a-z]{0,7}",
        form in prop::sample::select(vec!["plain", "base64", "base64url", "hex", "HEX", "url"]),
        cuts in prop::collection::vec(0_usize..400, 0..6),
    ) {
        let redactor = Redactor::new([("A_KEY", value.as_str())]).unwrap();
        let text = written(form, &before, &value);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let parts: Vec<&[u8]> = cuts.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
        let (seen, alarms) = shown(&redactor, &parts);
        prop_assert!(alarms > 0, "{form}: {seen}");
        prop_assert!(seen.contains("[secret A_KEY]"), "{form}: {seen}");
        if !form.starts_with("base64") {
            prop_assert!(!seen.contains(&core(form, &value)), "{form}: {seen}");
        }
    }

    #[test]
    fn other_text_comes_through_unchanged(text in "[ -~]{0,300}", cut in 0_usize..300) {
        let redactor = Redactor::new([("A_KEY", "\u{1}not in any of it\u{2}")]).unwrap();
        let (one, two) = text.as_bytes().split_at(cut.min(text.len()));
        prop_assert_eq!(shown(&redactor, &[one, two]), (text, 0));
    }
}

#[rstest]
#[case::too_short("abc")]
#[case::with_a_zero("abcdefgh\0")]
fn what_cannot_be_kept_out_is_not_granted(#[case] value: &str) {
    assert!(matches!(Redactor::new([("A_KEY", value)]), Err(Error::Secret { .. })));
}

/// As `base64` and `xxd -p` print.
fn broken(text: &str, width: usize, end: &str) -> String {
    let lines: Vec<&str> = text.as_bytes().chunks(width).map(|part| std::str::from_utf8(part).unwrap()).collect();
    lines.join(end) + end
}

const TOKEN: &str = "tok_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-and-a-long-rest-of-it";
const KEY: &str = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEA\n-----END KEY-----\n";

#[rstest]
#[case::base64(broken(&STANDARD.encode(TOKEN), 76, "\n"), TOKEN, "base64")]
#[case::base64_of_windows(broken(&STANDARD.encode(TOKEN), 64, "\r\n"), TOKEN, "base64")]
#[case::base64_in_yaml(broken(&STANDARD.encode(format!("a{TOKEN}")), 40, "\n        "), TOKEN, "base64")]
#[case::base64_in_json(json(&broken(&STANDARD.encode(TOKEN), 76, "\n")), TOKEN, "base64")]
#[case::hex_in_pairs(broken(&hex::encode(TOKEN), 2, " "), TOKEN, "hex")]
#[case::hex_in_lines(broken(&hex::encode(TOKEN), 60, "\n"), TOKEN, "hex")]
#[case::a_key_in_json(json(KEY), KEY, "json")]
#[case::a_line_of_a_key("line 2: MIIEvQIBADANBgkqhkiG9w0".to_owned(), KEY, "plain")]
#[case::cut(format!("<{}>", KEY.trim()), KEY, "plain")]
#[case::letters_in_json(r"p\u00e4ssw\u00f6rter".to_owned(), "pässwörter", "json")]
#[case::slashes_in_json(r"ab\/cd\/ef\/gh".to_owned(), "ab/cd/ef/gh", "json")]
#[case::a_host("tok-a1b2c3d4.evil.example".to_owned(), "TOK-A1b2C3d4", "plain")]
fn programs_write_secrets_in_their_own_ways(#[case] text: String, #[case] value: &str, #[case] form: &str) {
    let redactor = Redactor::new([("A_KEY", value)]).unwrap();
    let whole = format!("before {text} behind");
    let (cleaned, alarms) = redactor.text("stdout", &whole);
    assert!(alarms.iter().any(|alarm| alarm.form == form), "{alarms:?}: {cleaned}");
    assert!(cleaned.starts_with("before ") && cleaned.ends_with(" behind"), "{cleaned}");
    let bytes: Vec<&[u8]> = whole.as_bytes().chunks(7).collect();
    assert_eq!(shown(&redactor, &bytes).0, cleaned, "in parts it is the same");
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn a_stream_of_white_space_is_not_held_back() {
    let redactor = Redactor::new([("A_KEY", TOKEN)]).unwrap();
    let mut stream = redactor.stream("stdout");
    let mut seen = 0;
    for _ in 0..64 {
        seen += stream.push(&[b' '; 4096]).len();
    }
    assert!(seen > 60 * 4096, "{seen}");
}
