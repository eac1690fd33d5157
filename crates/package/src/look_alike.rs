//! Names that people take for one another.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Why two names are taken for one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookAlike {
    /// They differ only in what the eye does not tell apart: `0` and `o`, `1`, `i` and `l`, `rn` and `m`, hyphens,
    /// letters of another script, marks, invisible characters.
    Appearance,
    /// They differ in one letter that was typed too much, too little, wrongly or in the wrong order.
    OneSlip,
}

/// Names shorter than this differ in one letter too often by chance.
const SHORTEST_FOR_SLIP: usize = 5;

/// Whether two different names are taken for one another.
pub fn confusable_with(left: &str, right: &str) -> Option<LookAlike> {
    if left == right {
        return None;
    }
    let (left_form, right_form) = (skeleton(left), skeleton(right));
    if left_form == right_form {
        return (!left_form.is_empty()).then_some(LookAlike::Appearance);
    }
    let (left, right) = (letters(left), letters(right));
    let shortest = left.chars().count().min(right.chars().count());
    let slip = shortest >= SHORTEST_FOR_SLIP && edits(&left, &right) == 1 && !differ_in_number(&left, &right);
    slip.then_some(LookAlike::OneSlip)
}

/// The form of a name that all names of the same appearance share; good as a key to find them by.
pub fn skeleton(name: &str) -> String {
    let mut form: String = letters(name).chars().map(same_shape).collect();
    for (pair, single) in [("rn", "m"), ("vv", "w")] {
        form = form.replace(pair, single);
    }
    form
}

/// Letters and digits only: compatibility forms folded, marks, separators and invisible characters dropped.
fn letters(name: &str) -> String {
    let folded = name.chars().take(512).nfkd().flat_map(char::to_lowercase);
    let kept = folded.filter(|char| !is_combining_mark(*char) && !is_invisible(*char) && char.is_alphanumeric());
    kept.map(|char| latin_of(char).unwrap_or(char)).collect()
}

/// `gpt-4` and `gpt-5` are meant to differ.
fn differ_in_number(left: &str, right: &str) -> bool {
    let without_digits = |text: &str| text.chars().filter(|char| !char.is_ascii_digit()).collect::<String>();
    without_digits(left) == without_digits(right)
}

fn same_shape(char: char) -> char {
    match char {
        '0' => 'o',
        '1' | 'i' | '|' => 'l',
        '5' => 's',
        _ => char,
    }
}

/// The Latin letter that a small Greek or Cyrillic letter looks like.
fn latin_of(char: char) -> Option<char> {
    Some(match char {
        '\u{430}' | '\u{3b1}' | '\u{251}' => 'a',
        '\u{432}' | '\u{3b2}' => 'b',
        '\u{441}' | '\u{3f2}' => 'c',
        '\u{501}' => 'd',
        '\u{435}' | '\u{454}' | '\u{3b5}' => 'e',
        '\u{261}' => 'g',
        '\u{43d}' | '\u{4bb}' => 'h',
        '\u{456}' | '\u{3b9}' | '\u{131}' | '\u{4cf}' => 'i',
        '\u{458}' | '\u{3f3}' => 'j',
        '\u{43a}' | '\u{3ba}' => 'k',
        '\u{43c}' => 'm',
        '\u{578}' | '\u{3b7}' => 'n',
        '\u{43e}' | '\u{3bf}' | '\u{585}' | '\u{3c3}' => 'o',
        '\u{440}' | '\u{3c1}' => 'p',
        '\u{51b}' => 'q',
        '\u{433}' => 'r',
        '\u{455}' => 's',
        '\u{442}' | '\u{3c4}' => 't',
        '\u{446}' | '\u{3c5}' | '\u{57d}' => 'u',
        '\u{3bd}' | '\u{475}' => 'v',
        '\u{51d}' | '\u{461}' | '\u{3c9}' => 'w',
        '\u{445}' | '\u{3c7}' => 'x',
        '\u{443}' | '\u{4af}' | '\u{3b3}' => 'y',
        _ => return None,
    })
}

/// How many single slips lie between two texts (optimal string alignment): a letter too much, too few, another one, or
/// two neighbours swapped. Texts are compared up to 64 characters.
pub(crate) fn edits(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().take(64).collect();
    let right: Vec<char> = right.chars().take(64).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(a != b);
            let mut fewest = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b {
                fewest = fewest.min(before_last[column - 1] + 1);
            }
            current.push(fewest);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

/// Whether a character shows nothing and so can hide a difference (Unicode `Default_Ignorable_Code_Point`), or turns
/// the direction of text.
pub fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
