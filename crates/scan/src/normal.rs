//! Text as an agent takes it in: nothing invisible, no letters dressed as others.

use kontor_package::is_invisible;
use unicode_normalization::UnicodeNormalization as _;

/// A text in normal form, line for line the original, and what had to be done.
#[derive(Debug, Default)]
pub struct Normal {
    /// The text; line feeds stand where they stood.
    pub text: String,
    /// What invisible tag characters spell, with the line.
    pub hidden: Vec<(u32, String)>,
    /// Lines with characters that turn the direction of text against its order.
    pub turned: Vec<u32>,
    /// Lines with invisible characters inside words.
    pub split_words: Vec<u32>,
    /// Lines with words that mix look-alike letters of several scripts.
    pub dressed: Vec<u32>,
}

/// Bytes as text: UTF-8, UTF-16 with a byte order mark, else each byte as one character.
pub fn text_of(bytes: &[u8]) -> String {
    let wide = |decode: fn([u8; 2]) -> u16| {
        let units = bytes.get(2..).unwrap_or_default().chunks_exact(2).map(|pair| decode([pair[0], pair[1]]));
        char::decode_utf16(units).map(|char| char.unwrap_or('\u{fffd}')).collect()
    };
    if bytes.starts_with(b"\xff\xfe") {
        return wide(u16::from_le_bytes);
    }
    if bytes.starts_with(b"\xfe\xff") {
        return wide(u16::from_be_bytes);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Brings a text to its normal form.
pub fn normalise(text: String) -> Normal {
    if text.is_ascii() {
        let text = if text.contains('\r') { line_feeds(&text) } else { text };
        return Normal { text, ..Normal::default() };
    }
    let mut normal = Normal::default();
    let text = line_feeds(&text);
    normal.text.reserve(text.len());
    for (number, line) in (1u32..).zip(text.split('\n')) {
        if number > 1 {
            normal.text.push('\n');
        }
        if line.is_ascii() {
            normal.text.push_str(line);
        } else {
            normalise_line(&mut normal, number, line);
        }
    }
    normal
}

fn line_feeds(text: &str) -> String {
    let rare = |byte: u8| matches!(byte, b'\r' | 0xb | 0xc);
    if !text.bytes().any(rare) && !text.contains("\u{2028}") && !text.contains("\u{2029}") {
        return text.to_owned();
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.replace(['\u{2028}', '\u{2029}', '\u{b}', '\u{c}'], " ")
}

fn normalise_line(normal: &mut Normal, number: u32, line: &str) {
    let mut hidden = String::new();
    let mut kept = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    let mut before = ' ';
    let mut flag = false;
    while let Some(char) = characters.next() {
        match char {
            // The flag of a region is a black flag with tags behind it: a picture, no hidden text.
            '\u{1f3f4}' => flag = true,
            '\u{e0020}'..='\u{e007e}' if !flag => {
                hidden.extend(char::from_u32(u32::from(char) - 0xe0000));
            }
            '\u{e0000}'..='\u{e0fff}' => flag &= char != '\u{e007f}',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                if matches!(char, '\u{202d}' | '\u{202e}' | '\u{2066}'..='\u{2068}')
                    && normal.turned.last() != Some(&number)
                {
                    normal.turned.push(number);
                }
            }
            _ if is_invisible(char) => {
                let inside = before.is_ascii_alphabetic() && characters.peek().is_some_and(char::is_ascii_alphabetic);
                let joins = matches!(
                    char,
                    '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{180e}' | '\u{2061}'
                        ..='\u{2064}'
                );
                if inside && joins && normal.split_words.last() != Some(&number) {
                    normal.split_words.push(number);
                }
                continue;
            }
            _ => {
                flag = false;
                kept.push(char);
            }
        }
        before = char;
    }
    if !hidden.trim().is_empty() {
        normal.hidden.push((number, hidden));
    }
    let (folded, dressed) = fold(&kept);
    if dressed {
        normal.dressed.push(number);
    }
    normal.text.push_str(&folded);
}

/// Full-width and styled letters become plain ones; in a word that mixes scripts, look-alikes become Latin.
fn fold(line: &str) -> (String, bool) {
    let mut folded = String::with_capacity(line.len());
    let mut dressed = false;
    for piece in line.split_inclusive(|char: char| !char.is_alphanumeric() && char != '-' && char != '_') {
        if piece.is_ascii() {
            folded.push_str(piece);
            continue;
        }
        let styled = piece
            .chars()
            .any(|char| matches!(char, '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}' | '\u{2100}'..='\u{214f}'));
        let plain: String = if styled { piece.nfkc().collect() } else { piece.to_owned() };
        let latin = plain.chars().any(|char| char.is_ascii_alphabetic());
        let other = plain.chars().any(|char| latin_of(char).is_some());
        let all_known =
            plain.chars().filter(|char| char.is_alphabetic()).all(|char| char.is_ascii() || latin_of(char).is_some());
        if latin && other && all_known && plain.chars().filter(|char| char.is_alphabetic()).count() > 2 {
            dressed = true;
            folded.extend(plain.chars().map(|char| latin_of(char).unwrap_or(char)));
        } else {
            folded.push_str(&plain);
        }
    }
    (folded, dressed)
}

/// The Latin letter that a Cyrillic or Greek letter looks exactly like.
fn latin_of(char: char) -> Option<char> {
    Some(match char {
        'а' | 'α' => 'a',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' => 'e',
        'һ' => 'h',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'у' => 'y',
        'ѵ' | 'ν' => 'v',
        'х' | 'χ' => 'x',
        'ԝ' => 'w',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        _ => return None,
    })
}
