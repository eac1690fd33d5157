//! Lists of skills: the home, what a search found, what a publisher has.

use kontor_types::{Handle, Slug, Timestamp, Version};
use maud::{Markup, html};

use crate::Language;
use crate::words::day;

/// One skill of a list.
#[derive(Debug, Clone)]
pub struct Line {
    /// The owner.
    pub publisher: Handle,
    /// The name.
    pub slug: Slug,
    /// The name for people.
    pub name: String,
    /// What it does, in full or in part.
    pub description: String,
    /// The newest version and when it was published.
    pub newest: Option<(Version, Timestamp)>,
    /// Downloads and stars.
    pub counts: [u64; 2],
    /// Whether it should no longer be used.
    pub is_deprecated: bool,
    /// How many copies of it it stands for.
    pub copies: u64,
}

/// A list and, when more follows, the address of the next page.
pub fn lines(language: Language, items: &[Line], next: Option<&str>) -> Markup {
    let words = language.words();
    html! {
        ul.skills { @for item in items { li { (item.shown(language)) } } }
        @if let Some(next) = next { p { a href=(next) rel="next" { (words.more) } } }
    }
}

/// Skills side by side; `more` says for each how many others of its publisher it stands for.
pub fn cards(language: Language, items: &[Line], more: &[u64]) -> Markup {
    html! {
        ul.cards { @for (place, item) in items.iter().enumerate() {
            li {
                a.title href={ "/@" (item.publisher) "/" (item.slug) } { (item.name) }
                p { (shortened(&item.description)) }
                div.meta.faint.small {
                    a href={ "/@" (item.publisher) } { "@" (item.publisher) }
                    @for fact in item.facts(language) { " · " (fact) }
                    @if let Some(others) = more.get(place).filter(|others| **others > 0) {
                        br; a href={ "/@" (item.publisher) } { (language.others_of(*others)) }
                    }
                }
            }
        } }
    }
}

impl Line {
    fn shown(&self, language: Language) -> Markup {
        html! {
            a.title href={ "/@" (self.publisher) "/" (self.slug) } { (self.name) }
            " " span.faint { "@" (self.publisher) @if self.name != self.slug.as_str() { "/" (self.slug) } }
            p { (shortened(&self.description)) }
            span.faint { (self.facts(language).join(" · ")) }
        }
    }

    /// What is worth a word: nothing that never happened.
    fn facts(&self, language: Language) -> Vec<String> {
        let [downloads, stars] = self.counts;
        let mut facts = Vec::new();
        facts.extend(self.is_deprecated.then(|| language.words().is_deprecated.to_owned()));
        facts.extend(self.newest.as_ref().map(|(number, at)| format!("{number}, {}", day(*at))));
        facts.extend((downloads > 0).then(|| language.downloads(downloads)));
        facts.extend((stars > 0).then(|| language.stars(stars)));
        facts.extend((self.copies > 0).then(|| language.copies(self.copies)));
        facts
    }
}

/// The first characters of a description, whole words.
fn shortened(text: &str) -> String {
    const MOST: usize = 280;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let head: String = text.chars().take(MOST).collect();
    let end = head.rfind(char::is_whitespace).unwrap_or(head.len());
    format!("{}…", head.get(..end).unwrap_or_default())
}
