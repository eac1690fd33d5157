//! What can be told of a Markdown text without rendering it.

use std::cmp::Reverse;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// A derived description has at most as many characters as a written one may have.
const MAX_DERIVED: usize = 1_024;

/// The text of the first heading outside of code.
pub(crate) fn first_heading(body: &str) -> Option<String> {
    lines_outside_code(body).find_map(|line| heading_of(line).map(plain).filter(|text| !text.is_empty()))
}

/// The first paragraph of running text: not a heading, list, table, quote, picture or code.
pub(crate) fn first_paragraph(body: &str) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    for line in lines_outside_code(body) {
        let line = line.trim();
        let runs_on = !line.is_empty() && heading_of(line).is_none() && !is_structure(line);
        if runs_on {
            let text = plain(line);
            if !text.is_empty() {
                words.push(text);
            }
        } else if !words.is_empty() {
            break;
        }
    }
    let text: String = words.join(" ").chars().take(MAX_DERIVED).collect();
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

fn lines_outside_code(body: &str) -> impl Iterator<Item = &str> {
    let mut fence: Option<&str> = None;
    body.lines().filter(move |line| {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => {
                fence = Some(mark);
                false
            }
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                false
            }
            (open, _) => open.is_none(),
        }
    })
}

fn heading_of(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix('#')?.trim_start_matches('#');
    rest.starts_with([' ', '\t']).then(|| rest.trim().trim_end_matches('#').trim_end())
}

fn is_structure(line: &str) -> bool {
    let numbered = line.split_once(['.', ')']).is_some_and(|(number, rest)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with(' ')
    });
    let ruled = line.chars().all(|char| matches!(char, '-' | '=' | '*' | '_' | ' '));
    let starts = ["- ", "* ", "+ ", "|", ">", "<", "![", "[!", "---"];
    numbered || ruled || starts.iter().any(|start| line.starts_with(start))
}

/// The text without the commonest marks of Markdown: emphasis, code and the targets of links.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('[') {
        let Some((label, behind)) = rest[start + 1..].split_once("](") else { break };
        let Some((_, behind)) = behind.split_once(')') else { break };
        text.push_str(&rest[..start]);
        text.push_str(label);
        rest = behind;
    }
    text.push_str(rest);
    text.replace("**", "").replace('`', "").trim().to_owned()
}

/// The writing systems of at least a twentieth of all letters, the most used first.
pub(crate) fn writing_systems<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    let mut letters = 0_usize;
    for char in texts.into_iter().flat_map(|text| text.chars().take(100_000)) {
        let Some(system) = writing_system(char) else { continue };
        letters += 1;
        match counts.iter_mut().find(|(known, _)| *known == system) {
            Some((_, count)) => *count += 1,
            None => counts.push((system, 1)),
        }
    }
    counts.retain(|(_, count)| count * 20 >= letters);
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts.into_iter().map(|(system, _)| system.to_owned()).collect()
}

fn writing_system(char: char) -> Option<&'static str> {
    if char.is_ascii_alphabetic() {
        return Some("latin");
    }
    if char.is_ascii() || char.general_category_group() != GeneralCategoryGroup::Letter {
        return None;
    }
    Some(match u32::from(char) {
        0xaa..=0x2af | 0x1e00..=0x1eff => "latin",
        0x370..=0x3ff | 0x1f00..=0x1fff => "greek",
        0x400..=0x52f => "cyrillic",
        0x590..=0x5ff => "hebrew",
        0x600..=0x77f => "arabic",
        0x900..=0x97f => "devanagari",
        0xe00..=0xe7f => "thai",
        0x1100..=0x11ff | 0xac00..=0xd7af => "hangul",
        0x3040..=0x30ff => "kana",
        0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff => "han",
        _ => "other",
    })
}
