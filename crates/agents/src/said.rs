//! What a person said, as far as rules can tell: numbers, currencies, amounts. A model's reading of a request is held to it.

use std::collections::BTreeSet;

use kontor_types::{Currency, Money};
use unicode_normalization::UnicodeNormalization as _;

/// Marks of currencies, the longer ones first where one holds another.
const MARKS: &[(&str, &str)] = &[
    ("jp¥", "JPY"),
    ("cn¥", "CNY"),
    ("hk$", "HKD"),
    ("us$", "USD"),
    ("人民币", "CNY"),
    ("港元", "HKD"),
    ("港币", "HKD"),
    ("美元", "USD"),
    ("欧元", "EUR"),
    ("英镑", "GBP"),
    ("日元", "JPY"),
    ("yuan", "CNY"),
    ("euro", "EUR"),
    ("dollar", "USD"),
    ("rmb", "CNY"),
    ("cny", "CNY"),
    ("usd", "USD"),
    ("eur", "EUR"),
    ("gbp", "GBP"),
    ("jpy", "JPY"),
    ("hkd", "HKD"),
    ("yen", "JPY"),
    ("元", "CNY"),
    ("块", "CNY"),
    ("¥", "CNY"),
    ("$", "USD"),
    ("€", "EUR"),
    ("£", "GBP"),
];

const WORDS: &[(&str, u64)] = &[
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("fifteen", 15),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("hundred", 100),
    ("dozen", 12),
    ("couple", 2),
];

/// What a text says in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    text: String,
    /// Every number, in its shortest spelling.
    pub numbers: BTreeSet<String>,
    /// Every currency that is marked.
    pub currencies: BTreeSet<Currency>,
    /// Every number that stands beside the mark of a currency.
    pub amounts: Vec<Money>,
}

impl Said {
    /// Reads a text.
    pub fn of(text: &str) -> Self {
        let text = fold(text);
        let mut said = Self { currencies: currencies(&text), ..Self::default() };
        for (start, end, number) in numbers(&text) {
            if let Some(money) = amount(&text, start, end, &number) {
                said.amounts.push(money);
            }
            said.numbers.insert(number);
        }
        said.text = text;
        said
    }

    /// Whether the text has these words, whatever their case, width and spaces.
    pub fn has(&self, words: &str) -> bool {
        let bare = |text: &str| text.chars().filter(|char| char.is_alphanumeric()).collect::<String>();
        let words = bare(&fold(words));
        !words.is_empty() && bare(&self.text).contains(&words)
    }

    /// Whether the text has this number, in digits or in words.
    pub fn has_number(&self, number: &str) -> bool {
        shortest(number).is_some_and(|number| self.numbers.contains(&number))
    }
}

fn fold(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase()
}

/// Whether a mark that stands here is one: names of currencies are whole words, in singular or plural.
fn stands(text: &str, at: usize, mark: &str) -> bool {
    if !mark.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return true;
    }
    let letter = |char: char| char.is_ascii_alphabetic();
    let after = text.get(at + mark.len()..).unwrap_or_default();
    let after = after.strip_prefix('s').unwrap_or(after);
    !text.get(..at).unwrap_or_default().ends_with(letter) && !after.starts_with(letter)
}

fn currencies(text: &str) -> BTreeSet<Currency> {
    let mut left = text.to_owned();
    let mut found = BTreeSet::new();
    for (mark, code) in MARKS {
        if left.match_indices(mark).any(|(at, _)| stands(&left, at, mark))
            && let Ok(currency) = code.parse()
        {
            found.insert(currency);
            left = left.replace(mark, " ");
        }
    }
    found
}

/// The numbers of a text with their places: in digits, in Chinese, in English words.
fn numbers(text: &str) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(part) = text.get(rest..).filter(|part| !part.is_empty()) {
        let run = |is: fn(char) -> bool| part.find(|char| !is(char)).unwrap_or(part.len());
        let (digits, han, word) = (run(is_digit), run(is_han), run(|char| char.is_ascii_alphabetic()));
        let (length, number) = if digits > 0 && part.starts_with(|char: char| char.is_ascii_digit()) {
            let kept = part[..digits].trim_end_matches(['.', ',']).len();
            (kept, shortest(&part[..kept].replace(',', "")))
        } else if han > 0 {
            (han, chinese(&part[..han]).map(|number| number.to_string()))
        } else if word > 0 {
            let known = WORDS.iter().find(|(name, _)| *name == &part[..word]);
            (word, known.map(|(_, number)| number.to_string()))
        } else {
            (part.chars().next().map_or(1, char::len_utf8), None)
        };
        if let Some(number) = number {
            found.push((rest, rest + length, number));
        }
        rest += length;
    }
    found
}

const fn is_digit(char: char) -> bool {
    char.is_ascii_digit() || matches!(char, '.' | ',')
}

const fn is_han(char: char) -> bool {
    matches!(
        char,
        '零' | '〇'
            | '一'
            | '二'
            | '两'
            | '三'
            | '四'
            | '五'
            | '六'
            | '七'
            | '八'
            | '九'
            | '十'
            | '百'
            | '千'
            | '万'
    )
}

fn chinese(text: &str) -> Option<u64> {
    let (mut whole, mut part, mut digit): (u64, u64, Option<u64>) = (0, 0, None);
    for char in text.chars() {
        let unit = match char {
            '十' => 10,
            '百' => 100,
            '千' => 1_000,
            '万' => {
                whole = whole.checked_add(part.checked_add(digit.take().unwrap_or(0))?)?.checked_mul(10_000)?;
                part = 0;
                continue;
            }
            other => {
                let value = "零一二三四五六七八九".chars().position(|known| known == other);
                let value = value.or(match other {
                    '两' => Some(2),
                    '〇' => Some(0),
                    _ => None,
                });
                digit = Some(u64::try_from(value?).ok()?);
                continue;
            }
        };
        part = part.checked_add(digit.take().unwrap_or(1).checked_mul(unit)?)?;
    }
    whole.checked_add(part)?.checked_add(digit.unwrap_or(0))
}

/// `020.50` as `20.5`; nothing for what is no plain number.
fn shortest(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || text.len() > 20 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let (whole, fraction) = (if whole.is_empty() { "0" } else { whole }, fraction.trim_end_matches('0'));
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

fn amount(text: &str, start: usize, end: usize, number: &str) -> Option<Money> {
    let (before, after) = (text.get(..start)?.trim_end(), text.get(end..)?);
    let begins = text.len() - after.trim_start().len();
    let beside = |(mark, _): &&(&str, &str)| {
        let in_front = before.ends_with(mark) && stands(text, before.len() - mark.len(), mark);
        in_front || (text[begins..].starts_with(mark) && stands(text, begins, mark))
    };
    let (_, code) = MARKS.iter().find(beside)?;
    code.parse::<Currency>().ok()?.parse_amount(number).ok()
}
