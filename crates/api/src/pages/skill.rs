//! The page of one skill: what it is, how to get it, what is in it.

use kontor_types::{Handle, Slug, Timestamp, Version};
use maud::{Markup, PreEscaped, html};

use super::words::size;
use super::{Language, Words};

/// What the page of a skill shows.
#[derive(Debug, Clone)]
pub struct SkillPage {
    /// The hub's public address, without a slash at its end.
    pub hub: String,
    /// The owner.
    pub publisher: Handle,
    /// The name.
    pub slug: Slug,
    /// The name for people.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Whether the description was taken from the text.
    pub description_derived: bool,
    /// SPDX expression or what the author wrote.
    pub license: Option<String>,
    /// Why it should no longer be used, and what to use instead.
    pub deprecation: Option<(String, Option<String>)>,
    /// Whether only some people see it.
    pub is_hidden_from_others: bool,
    /// Downloads, installs and stars.
    pub counts: [u64; 3],
    /// Free words.
    pub keywords: Vec<String>,
    /// The version that is shown.
    pub shown: Option<Shown>,
    /// The newest versions, newest first.
    pub versions: Vec<VersionLine>,
}

/// The version whose text and files are shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its number.
    pub number: Version,
    /// SHA-256 of its canonical archive.
    pub digest: String,
    /// Where the bytes came from, in a line.
    pub origin: Option<String>,
    /// Its text as safe HTML.
    pub text: String,
    /// Path, bytes and address of each file.
    pub files: Vec<(String, u64, String)>,
    /// How many more files there are.
    pub more_files: u64,
}

/// One line of the list of versions.
#[derive(Debug, Clone)]
pub struct VersionLine {
    /// Its number.
    pub number: Version,
    /// When it was published.
    pub at: Timestamp,
    /// What changed.
    pub changelog: String,
    /// Tags that point to it.
    pub tags: Vec<String>,
    /// Whether it was withdrawn.
    pub is_yanked: bool,
}

impl SkillPage {
    /// The page's body.
    pub fn body(&self, language: Language) -> Markup {
        let words = language.words();
        let [downloads, installs, stars] = self.counts;
        html! {
            h1 { (self.name) }
            p.faint { a href={ "/@" (self.publisher) } { "@" (self.publisher) } "/" (self.slug) }
            p.lead {
                (self.description)
                @if self.description_derived { " " span.faint { (words.derived) } }
            }
            @if let Some((message, successor)) = &self.deprecation {
                p.note {
                    b { (words.deprecated) } " " (message)
                    @if let Some(other) = successor { " " (words.use_instead) " " code { (other) } }
                }
            }
            @if self.is_hidden_from_others { p.note { (words.hidden) } }
            ul.facts {
                @if let Some(shown) = &self.shown { li { (words.version) " " b { (shown.number) } } }
                li { (words.licence) " " b { (self.license.as_deref().unwrap_or(words.no_licence)) } }
                li { (language.downloads(downloads)) }
                li { (language.installs(installs)) }
                li { (language.stars(stars)) }
                @if !self.keywords.is_empty() { li { (self.keywords.join(", ")) } }
            }
            @if let Some(shown) = &self.shown {
                p.note id="security" { (words.unscanned) }
                (self.commands(words))
                h2 { (words.text) }
                div.text { (PreEscaped(&shown.text)) }
                (files(language, shown))
            } @else {
                p.note { (words.no_version) }
            }
            (versions(words, &self.versions))
        }
    }

    fn commands(&self, words: &Words) -> Markup {
        let (hub, name) = (&self.hub, format!("@{}/{}", self.publisher, self.slug));
        let lines = [
            ("kontor", format!("kontor install {name} --registry {hub}")),
            ("clawhub", format!("npx clawhub --registry {hub} install {name}")),
            ("openclaw", format!("OPENCLAW_CLAWHUB_URL={hub} openclaw skills install {name}")),
            ("skills", format!("npx skills add {hub}/{name}")),
        ];
        html! {
            h2 { (words.install) }
            dl.commands {
                @for (client, line) in lines { dt { (client) } dd { pre { code { (line) } } } }
            }
        }
    }
}

fn files(language: Language, shown: &Shown) -> Markup {
    let words = language.words();
    html! {
        h2 { (words.files) }
        table {
            thead { tr { th scope="col" { (words.file) } th.number scope="col" { (words.size) } } }
            tbody {
                @for (path, bytes, address) in &shown.files {
                    tr { td { a href=(address) { (path) } } td.number { (size(*bytes)) } }
                }
            }
        }
        @if shown.more_files > 0 { p.faint { (language.and_more(shown.more_files)) } }
        p.faint {
            (words.content) " " code { "sha256:" (shown.digest) }
            @if let Some(origin) = &shown.origin { " · " (words.origin) " " (origin) }
        }
    }
}

fn versions(words: &Words, lines: &[VersionLine]) -> Markup {
    html! {
        @if !lines.is_empty() {
            h2 { (words.versions) }
            table {
                thead { tr { th scope="col" { (words.number) } th scope="col" { (words.published) } th scope="col" { (words.changes) } } }
                tbody {
                    @for line in lines {
                        tr {
                            td {
                                (line.number)
                                @if !line.tags.is_empty() { " " span.faint { (line.tags.join(", ")) } }
                                @if line.is_yanked { " " span.faint { (words.withdrawn) } }
                            }
                            td { time datetime=(line.at) { (line.at.to_string().get(..10).unwrap_or_default()) } }
                            td { (line.changelog) }
                        }
                    }
                }
            }
        }
    }
}
