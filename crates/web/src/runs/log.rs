//! What a run said, as it stands when the page is made; a script goes on from there.

use kontor_dispatch::{EventKind, RunEvent};
use maud::{Markup, html};

use crate::Language;

/// Events that the page shows.
pub const MOST: u32 = 400;
/// Letters of them that it shows, the last ones.
const LETTERS: usize = 40_000;

/// What the page shows of a log.
pub struct Log<'e> {
    /// The run.
    pub id: String,
    /// Its newest events.
    pub events: &'e [RunEvent],
    /// Whether there are earlier ones.
    pub earlier: bool,
    /// Whether the run is over.
    pub over: bool,
}

impl Log<'_> {
    /// The log, and where a script goes on.
    pub fn shown(&self, language: Language) -> Markup {
        let (pieces, cut) = self.pieces(language);
        let last = self.events.last().map_or(0, |event| event.number);
        html! {
            @if cut { p.faint.small { (language.pick("This is its end; all of it is among the files when the run is over.", "此处仅为末尾；运行结束后，全文在文件中。")) } }
            pre.log id="log" tabindex="0" role="log" aria-label=(language.pick("What it said", "运行输出"))
                data-run=[(!self.over).then_some(&self.id)] data-after=(last) {
                @for (class, text) in &pieces { span class=(class) { (text) } }
            }
            @if pieces.is_empty() {
                p.faint id="silent" {
                    @if self.over { (language.pick("It said nothing.", "没有输出。")) }
                    @else { (language.pick("It has said nothing yet.", "尚无输出。")) }
                }
            }
        }
    }

    /// The last pieces of what was said, and whether some are left out.
    fn pieces(&self, language: Language) -> (Vec<(&'static str, String)>, bool) {
        let (mut room, mut pieces, mut cut) = (LETTERS, Vec::new(), self.earlier);
        for (class, text) in self.events.iter().rev().filter_map(|event| piece(language, event)) {
            let letters = text.chars().count();
            cut |= letters > room;
            pieces.push((class, text.chars().skip(letters.saturating_sub(room)).collect::<String>()));
            room = room.saturating_sub(letters);
            if cut && room == 0 {
                break;
            }
        }
        pieces.reverse();
        (pieces, cut)
    }
}

/// An event as a piece of the log: its kind and its text.
fn piece(language: Language, event: &RunEvent) -> Option<(&'static str, String)> {
    let text = event.data.get("text").and_then(|text| text.as_str());
    match event.kind {
        EventKind::Stdout => Some(("out", harmless(text?))),
        EventKind::Stderr => Some(("err", harmless(text?))),
        EventKind::Note => {
            let is_cancel = event.data.get("cancel").is_some();
            let said = if is_cancel { language.pick("somebody wants it to end", "有人要求结束") } else { text? };
            Some(("told", format!("{}\n", harmless(said))))
        }
        EventKind::State => None,
    }
}

/// Text without what steers a terminal or turns the text beside it round; lines and tabs stay.
fn harmless(text: &str) -> String {
    let plain = |char: char| match char {
        '\n' | '\t' => char,
        '\r' => '\n',
        char if char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => '\u{fffd}',
        char => char,
    };
    text.replace("\r\n", "\n").chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn what_steers_a_terminal_is_shown_as_something_unreadable() {
        assert_eq!(harmless("a\u{1b}[31mb\u{7}\r\nc\rd\te"), "a\u{fffd}[31mb\u{fffd}\nc\nd\te");
        assert_eq!(harmless("\u{202e}<script>"), "\u{fffd}<script>");
    }
}
