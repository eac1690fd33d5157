use std::sync::LazyLock;

use jieba_rs::Jieba;

use super::Style;

/// The dictionary of Chinese words: 30 MB, loaded when the first Chinese text comes.
static DICTIONARY: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Adds the words of a run of Chinese characters, long words also as the shorter ones within them.
pub fn push_words(run: &str, style: Style, terms: &mut Vec<String>) {
    let words = DICTIONARY.cut_for_search(run, false);
    terms.extend(words.iter().map(|token| token.word.to_owned()));
    if style == Style::Name {
        let singles = words.iter().filter(|token| token.word.chars().nth(1).is_some());
        terms.extend(singles.flat_map(|token| token.word.chars()).map(String::from));
    }
}

/// Whether words of Chinese are written with this character.
pub fn is_chinese(char: char) -> bool {
    matches!(char, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}
