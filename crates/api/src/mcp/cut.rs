//! Text cut to what an agent's context can bear.

/// A stretch of a text, cut where characters end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Where it begins in the file.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The text, as it is.
    pub text: String,
}

/// Bytes of a file from `start` on, as text; `None` when they are none.
///
/// A character that the cut goes through is left to the next stretch, one that began before `start` to the one before.
pub(super) fn stretch(bytes: &[u8], start: u64, is_end: bool) -> Option<Stretch> {
    let skipped = if start == 0 { 0 } else { bytes.iter().take(3).take_while(|byte| is_continuation(**byte)).count() };
    let bytes = bytes.get(skipped..)?;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // Only a character that is cut off has no length.
        Err(error) if error.error_len().is_none() && !is_end => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    if text.contains('\0') {
        return None;
    }
    let start = start.saturating_add(skipped as u64);
    Some(Stretch { start, end: start.saturating_add(text.len() as u64), text: text.to_owned() })
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// The beginning of a text in one line, of at most `most` units, with a mark where it was cut. A character outside ASCII
/// counts as four units, since models read it as about so many.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = String::with_capacity(text.len().min(most));
    let mut left = most;
    for char in words.join(" ").chars() {
        let cost = if char.is_ascii() { 1 } else { 4 };
        if cost > left {
            line.push('…');
            return line;
        }
        left -= cost;
        line.push(char);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_never_cut_in_two() {
        let bytes = "技能".as_bytes();
        let first = stretch(&bytes[..5], 0, false);
        assert_eq!(first, Some(Stretch { start: 0, end: 3, text: "技".to_owned() }));
        let second = stretch(&bytes[3..], 3, true);
        assert_eq!(second, Some(Stretch { start: 3, end: 6, text: "能".to_owned() }));
        // Whoever begins in the middle of a character gets the next.
        let inside = stretch(&bytes[1..], 1, true);
        assert_eq!(inside, Some(Stretch { start: 3, end: 6, text: "能".to_owned() }));
    }

    #[test]
    fn what_is_no_text_is_told_apart() {
        assert_eq!(stretch(b"\x89PNG\r\n", 0, false), None);
        assert_eq!(stretch(b"a\0b", 0, true), None);
        assert_eq!(stretch(&"技".as_bytes()[..2], 0, true), None, "a file that ends in the middle of a character");
    }

    #[test]
    fn a_line_is_cut_by_what_it_costs() {
        assert_eq!(one_line("two\n  words", 20), "two words");
        assert_eq!(one_line("two words", 5), "two w…");
        assert_eq!(one_line("会议纪要", 8), "会议…");
    }
}
