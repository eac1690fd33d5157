//! A sentence as a row of known words, with the places where clauses end.

use super::lexicon::{Class, Entry, Form, Lexicon};

/// A word, or a phrase that counts as one.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// Where it begins in the flat text.
    pub start: usize,
    /// What it can be.
    pub classes: u128,
    /// The form, for verbs.
    pub form: Form,
    /// What stands before it: nothing, a comma, the end of a clause.
    pub gap: Gap,
    /// Whether a quotation begins with it.
    pub quoted: bool,
}

/// How two words are parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// By a blank.
    Blank,
    /// By a comma or a bracket.
    Comma,
    /// By a colon, a semicolon or a dash.
    Break,
}

impl Token {
    /// Whether it is of this class.
    pub const fn is(&self, class: Class) -> bool {
        self.classes & class.bit() != 0
    }

    /// Whether it is of one of these classes.
    pub const fn any(&self, classes: u128) -> bool {
        self.classes & classes != 0
    }
}

/// How many words of a sentence are read together.
const LONGEST: usize = 160;

/// What is longer is no word.
const LONGEST_WORD: usize = 1_000;

/// Shorter than this is no number of an account.
const SHORTEST_ACCOUNT: usize = 26;

/// Reads a sentence into `tokens`, or as many of its words as are read together, and tells where the next ones begin; `lower` is
/// the text in lower case. `own` says whether an address belongs to what the text is about.
pub fn read(
    lexicon: &Lexicon,
    lower: &str,
    (start, end): (usize, usize),
    own: impl Fn(&str) -> bool,
    tokens: &mut Vec<Token>,
) -> usize {
    tokens.clear();
    let mut at = start;
    let mut gap = Gap::Break;
    let mut quoted = false;
    let text = |from: usize, to: usize| lower.get(from..to).unwrap_or_default();
    while at < end && tokens.len() < LONGEST {
        let rest = text(at, end);
        let Some(first) = rest.chars().next() else { break };
        if !starts_word(first) {
            gap = worse(gap, first);
            quoted |= matches!(first, '"' | '“' | '「');
            at += first.len_utf8();
            continue;
        }
        if is_unspaced(first) {
            let (length, classes) = lexicon.unspaced(rest).unwrap_or((first.len_utf8(), 0));
            if classes != 0 {
                tokens.push(Token { start: at, classes, form: Form::Order, gap, quoted: std::mem::take(&mut quoted) });
                gap = Gap::Blank;
            }
            at += length;
            continue;
        }
        if let Some(length) = common(rest) {
            let (entry, length) = known(lexicon, lower, at, length, end, text(at, at + length));
            tokens.push(Token {
                start: at,
                classes: entry.classes,
                form: entry.form,
                gap,
                quoted: std::mem::take(&mut quoted),
            });
            gap = Gap::Blank;
            at += length;
            continue;
        }
        let length = length_of_word(rest);
        if length >= LONGEST_WORD {
            at += length; // No word of a language, and no address.
            gap = Gap::Break;
            continue;
        }
        let word = text(at, at + length);
        if let Some(classes) = literal(lexicon, word, &own) {
            tokens.push(Token {
                start: at,
                classes: classes | lexicon.word(word).map_or(0, |entry| entry.classes),
                form: Form::Base,
                gap,
                quoted: std::mem::take(&mut quoted),
            });
            gap = Gap::Blank;
            at += length;
            continue;
        }
        let length = plain(word).len();
        if length == 0 {
            at += first.len_utf8(); // A sign that is no word.
            continue;
        }
        let word = text(at, at + length);
        let (entry, length) = known(lexicon, lower, at, length, end, word);
        tokens.push(Token {
            start: at,
            classes: entry.classes,
            form: entry.form,
            gap,
            quoted: std::mem::take(&mut quoted),
        });
        gap = Gap::Blank;
        at += length;
    }
    at
}

const fn starts_word(char: char) -> bool {
    char.is_ascii_alphanumeric()
        || matches!(char, '.' | '~' | '/' | '$' | '_' | '@')
        || !char.is_ascii() && !is_stop(char)
}

const fn is_stop(char: char) -> bool {
    matches!(char, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{2000}'..='\u{206f}' | '\u{a0}'..='\u{bf}' | '❌' | '✅')
}

const fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{3041}'..='\u{9fff}')
}

const fn worse(gap: Gap, char: char) -> Gap {
    match char {
        ':' | ';' | '.' | '!' | '?' | '—' | '–' | '。' | '；' | '：' => Gap::Break,
        ',' | '|' | '(' | ')' | '[' | ']' | '，' | '、' | '（' | '）' if matches!(gap, Gap::Blank) => Gap::Comma,
        _ => gap,
    }
}

/// The length of a word of a few plain letters between blanks or marks, as most words are: neither an address nor a path.
fn common(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let length = bytes.iter().take(SHORTEST_ACCOUNT).position(|byte| !byte.is_ascii_lowercase());
    let length = length.unwrap_or(bytes.len().min(SHORTEST_ACCOUNT));
    let ends = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
    let apart = match bytes.get(length) {
        Some(b'.' | b':' | b'!' | b'?') => ends(bytes.get(length + 1)),
        Some(b',' | b';' | b'"' | b'`' | b'(' | b')' | b'[' | b']') => true,
        other => ends(other),
    };
    (apart && (1..SHORTEST_ACCOUNT).contains(&length)).then_some(length)
}

/// The word with everything that an address or a path may have.
fn length_of_word(rest: &str) -> usize {
    let ends = |char: char| {
        char.is_whitespace()
            || matches!(char, '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '<' | '>' | ',' | ';' | '|' | '*' | '’')
            || is_stop(char)
            || is_unspaced(char)
    };
    let mut most = rest.len().min(LONGEST_WORD + 4);
    while !rest.is_char_boundary(most) {
        most -= 1;
    }
    let rest = rest.get(..most).unwrap_or_default();
    let whole = rest.find(ends).unwrap_or(rest.len());
    let first = rest.chars().next().map_or(1, char::len_utf8);
    rest.get(..whole).unwrap_or_default().trim_end_matches(['.', ':', '!', '?', ',']).len().max(first)
}

/// The first part of a word that is not an address: letters, digits, and what may stand between them.
fn plain(word: &str) -> &str {
    let inner = |char: char| char.is_alphanumeric() || matches!(char, '_');
    let leading = word.len() - word.trim_start_matches(['.', '~', '/', '$', '@', '_']).len();
    let end =
        word.get(leading..).and_then(|rest| rest.find(|char| !inner(char))).map_or(word.len(), |end| leading + end);
    word.get(..end).unwrap_or(word)
}

/// The rest without what may stand between the words of a phrase.
fn without_between(mut rest: &str) -> &str {
    loop {
        rest = match rest.as_bytes() {
            [b' ' | b'-' | b'\'' | b'`' | b'"', ..] => rest.get(1..).unwrap_or_default(),
            [0xe2, 0x80, 0x99, ..] => rest.get(3..).unwrap_or_default(),
            _ => return rest,
        };
    }
}

/// What a word is, or the longest phrase that begins with it.
fn known(lexicon: &Lexicon, lower: &str, at: usize, length: usize, end: usize, word: &str) -> (Entry, usize) {
    let Some(entry) = lexicon.word(word) else {
        return (Entry::default(), contraction(lower, at + length, end) + length);
    };
    if entry.begins {
        let behind = without_between(lower.get(at + length..end).unwrap_or_default()).bytes().next();
        for phrase in lexicon.phrases(word).iter().filter(|phrase| Some(phrase.next) == behind) {
            let mut to = at + length;
            let fits = phrase.others.iter().all(|other| {
                let rest = lower.get(to..end).unwrap_or_default();
                let trimmed = without_between(rest);
                let next = trimmed.strip_prefix(other.as_str());
                let whole =
                    next.filter(|next| !next.chars().next().is_some_and(|char| char.is_alphanumeric() || char == '_'));
                to += rest.len() - whole.map_or(trimmed.len(), str::len);
                whole.is_some()
            });
            if fits {
                return (phrase.entry, to - at);
            }
        }
    }
    (*entry, length)
}

/// How much of `'t`, `'s` and the like follows a word.
fn contraction(lower: &str, from: usize, end: usize) -> usize {
    let rest = lower.get(from..end).unwrap_or_default();
    ["'s", "’s"].iter().find(|tail| rest.starts_with(**tail)).map_or(0, |tail| tail.len())
}

/// What an address, a path or a number of an account is; nothing for plain words.
fn literal(lexicon: &Lexicon, word: &str, own: &impl Fn(&str) -> bool) -> Option<u128> {
    let special = |byte: u8| matches!(byte, b'/' | b'.' | b'@' | b':' | b'_' | b'~');
    if !word.bytes().any(special) && word.len() < SHORTEST_ACCOUNT {
        return None;
    }
    let foreign = |host: &str| if own(host) { Class::Declared.bit() } else { Class::Foreign.bit() };
    if let Some((_, rest)) = word.split_once("://") {
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let listed = lexicon.path(word) & (Class::Public.bit() | Class::Declared.bit());
        let found = if listed & Class::Declared.bit() == 0 { foreign(host) } else { 0 };
        return Some(found | listed);
    }
    if let Some((name, host)) = word.split_once('@')
        && !name.is_empty()
        && host.contains('.')
        && !host.contains('/')
    {
        return Some(foreign(host));
    }
    if is_host(word) {
        return Some(if lexicon.path(word) & Class::Declared.bit() == 0 {
            foreign(word)
        } else {
            Class::Declared.bit()
        });
    }
    let of_account = |byte: u8| byte.is_ascii_alphanumeric();
    if word.len() >= SHORTEST_ACCOUNT && word.starts_with(['0', 'b', '1', '3']) && word.bytes().all(of_account) {
        return Some(Class::Account.bit());
    }
    let harmless = ["example", "sample", "template", ".dist"].iter().any(|part| word.contains(part));
    let classes = if harmless { 0 } else { lexicon.path(word) };
    let is_path =
        word.contains('/') && word.len() > 3 && (word.starts_with(['/', '~', '.', '$']) || word.contains('.'));
    (classes != 0 || is_path).then_some(classes)
}

/// Whether a word is the name of a host: at least one dot, an end that few files have.
fn is_host(word: &str) -> bool {
    const ENDS: &[&str] = &[
        "com", "net", "org", "example", "io", "dev", "cloud", "site", "online", "xyz", "info", "eu", "de", "ru", "cn",
        "ai", "co", "biz", "app", "tech", "link",
    ];
    let host = word.split(['/', ':']).next().unwrap_or_default();
    let Some((name, end)) = host.rsplit_once('.') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    name.len() > 4 && name.contains(['-', '.']) && ENDS.contains(&end) && name.bytes().all(plain)
}
