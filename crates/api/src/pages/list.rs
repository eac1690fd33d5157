//! Lists of skills: the home, what a search found, what a publisher has.

use kontor_types::{Handle, Slug};
use maud::{Markup, html};

use super::Language;

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
    /// The newest version and how often the skill was downloaded, where known.
    pub facts: Option<(String, u64)>,
}

/// A list and, when more follows, the address of the next page.
pub fn lines(language: Language, items: &[Line], next: Option<&str>) -> Markup {
    let words = language.words();
    html! {
        ul.skills {
            @for item in items {
                li {
                    a href={ "/@" (item.publisher) "/" (item.slug) } { b { (item.name) } }
                    " " span.faint { "@" (item.publisher) "/" (item.slug) }
                    p { (shortened(&item.description)) }
                    @if let Some((version, downloads)) = &item.facts {
                        span.faint { (words.version) " " (version) " · " (language.downloads(*downloads)) }
                    }
                }
            }
        }
        @if let Some(next) = next { p { a href=(next) rel="next" { (words.more) } } }
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
