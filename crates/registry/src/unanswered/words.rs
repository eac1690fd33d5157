//! Which searches are kept: a few plain words, nothing that looks like a secret or names somebody.

use unicode_normalization::UnicodeNormalization as _;

const LONGEST: usize = 80;
const MOST_WORDS: usize = 10;
/// A word of letters and digits together that is this long is rather a key than a word.
const MIXED: usize = 8;
/// So many digits in a row are a number of somebody or something.
const DIGITS: usize = 5;
/// No word of people is longer, where words have spaces between.
const WORD: usize = 24;
/// Whoever writes these may write what follows them.
const GIVEN_AWAY: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "bearer",
    "api key",
    "apikey",
    "密码",
    "口令",
    "密钥",
];
/// What secrets of well-known kinds begin with.
const BEGINNINGS: &[&str] =
    &["sk-", "pk-", "ghp_", "gho_", "github_pat_", "glpat-", "xox", "akia", "eyj", "hf_", "kontor_"];

/// A search as it is kept: in small letters, with single spaces. `None` for what is not kept.
pub fn kept(text: &str) -> Option<String> {
    // Compatibility forms may be eighteen times as long as what was typed.
    if text.len() > 4 * LONGEST {
        return None;
    }
    let folded = text.nfkc().flat_map(char::to_lowercase).collect::<String>();
    let words: Vec<&str> = folded.split_whitespace().collect();
    let folded = words.join(" ");
    let length = folded.chars().count();
    let fits = (2..=LONGEST).contains(&length) && words.len() <= MOST_WORDS;
    let speaks = folded.chars().filter(|letter| letter.is_alphabetic()).count() >= 2;
    (fits && speaks && is_plain(&folded) && words.iter().all(|word| is_word(word))).then_some(folded)
}

/// Whether a text has nothing but letters, digits and the marks of a sentence.
fn is_plain(text: &str) -> bool {
    let plain = |letter: char| letter.is_alphanumeric() || " -'.,!?&+#/()，。！？、（）".contains(letter);
    text.chars().all(plain) && !text.contains("//") && !GIVEN_AWAY.iter().any(|word| text.contains(word))
}

fn is_word(word: &str) -> bool {
    if BEGINNINGS.iter().any(|beginning| word.starts_with(beginning)) {
        return false;
    }
    let ascii = word.is_ascii();
    let has = |kind: fn(char) -> bool| word.chars().any(kind);
    let mixed = has(|letter| letter.is_ascii_digit()) && has(char::is_alphabetic);
    let run = word.split(|letter: char| !letter.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    run < DIGITS && !(ascii && (mixed && word.len() >= MIXED || word.len() > WORD))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::kept;

    #[rstest]
    #[case::spaces_and_capitals("  Turn a   PDF into\tWord ", Some("turn a pdf into word"))]
    #[case::chinese("把会议录音转成纪要", Some("把会议录音转成纪要"))]
    #[case::full_width("ＰＤＦ转换", Some("pdf转换"))]
    #[case::short_names("mp4 to mp3, c++/c# & 7zip", Some("mp4 to mp3, c++/c# & 7zip"))]
    #[case::one_letter("x", None)]
    #[case::no_letters("42", None)]
    #[case::nothing("", None)]
    #[case::long("word word word word word word word word word word word word word word word word word", None)]
    #[case::many_words("a b c d e f g h i j k", None)]
    #[case::address("write to ada@example.org", None)]
    #[case::telephone("call 0172 5550123", None)]
    #[case::link("read https://intranet.example/plan", None)]
    #[case::assignment("key=hunter", None)]
    #[case::password("my password is hunter", None)]
    #[case::password_in_chinese("密码是 hunter", None)]
    #[case::token("sk-proj-abc", None)]
    #[case::a_token_of_ours("kontor_abcdef", None)]
    #[case::mixed("find hunter2hunter", None)]
    #[case::hexadecimal("deadbeefcafe0123", None)]
    #[case::base64("qmFzZSBzaXh0eSBmb3VyIHRleHQ", None)]
    #[case::a_control_character("one\u{1b}[31mtwo", None)]
    fn what_is_kept_of_a_search(#[case] typed: &str, #[case] expected: Option<&str>) {
        assert_eq!(kept(typed).as_deref(), expected);
    }

    #[test]
    fn what_grows_when_folded_is_bounded() {
        assert_eq!(kept(&"\u{fdfa}".repeat(100)), None);
        assert_eq!(kept(&"x".repeat(100_000)), None);
    }
}
