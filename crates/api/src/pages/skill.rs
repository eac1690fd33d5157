//! The page of one skill: what it is, how to get it, what is in it.

use kontor_types::{Handle, Slug, Timestamp, Version};
use maud::{Markup, PreEscaped, html};

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
    pub fn body(&self) -> Markup {
        let [downloads, installs, stars] = self.counts;
        html! {
            h1 { (self.name) }
            p.faint { a href={ "/@" (self.publisher) } { "@" (self.publisher) } "/" (self.slug) }
            p.lead {
                (self.description)
                @if self.description_derived { " " span.faint { "(taken from the text: its author wrote none)" } }
            }
            @if let Some((message, successor)) = &self.deprecation {
                p.note { "Deprecated: " (message) @if let Some(other) = successor { " Use " code { (other) } "." } }
            }
            @if self.is_hidden_from_others { p.note { "Only some people see this skill." } }
            ul.facts {
                @if let Some(shown) = &self.shown { li { "version " b { (shown.number) } } }
                li { "licence " b { (self.license.as_deref().unwrap_or("not stated")) } }
                li { b { (downloads) } " downloads" }
                li { b { (installs) } " installs" }
                li { b { (stars) } " stars" }
                @if !self.keywords.is_empty() { li { (self.keywords.join(", ")) } }
            }
            @if let Some(shown) = &self.shown {
                p.note id="security" {
                    "Nobody has scanned this version: this hub has no scanner yet. Read it before you let an agent use it."
                }
                (self.commands())
                h2 { "Text" }
                div.text { (PreEscaped(&shown.text)) }
                (files(shown))
            } @else {
                p.note { "No version of this skill can be had at the moment." }
            }
            (versions(&self.versions))
        }
    }

    fn commands(&self) -> Markup {
        let (hub, name) = (&self.hub, format!("@{}/{}", self.publisher, self.slug));
        let lines = [
            ("kontor", format!("kontor install {name} --registry {hub}")),
            ("clawhub", format!("npx clawhub --registry {hub} install {name}")),
            ("openclaw", format!("OPENCLAW_CLAWHUB_URL={hub} openclaw skills install {name}")),
            ("skills", format!("npx skills add {hub}/{name}")),
        ];
        html! {
            h2 { "Install" }
            dl.commands {
                @for (client, line) in lines { dt { (client) } dd { pre { code { (line) } } } }
            }
        }
    }
}

fn files(shown: &Shown) -> Markup {
    html! {
        h2 { "Files" }
        table {
            thead { tr { th { "file" } th { "bytes" } } }
            tbody {
                @for (path, size, address) in &shown.files {
                    tr { td { a href=(address) { (path) } } td.number { (size) } }
                }
            }
        }
        @if shown.more_files > 0 { p.faint { "and " (shown.more_files) " more" } }
        p.faint {
            "Content " code { "sha256:" (shown.digest) }
            @if let Some(origin) = &shown.origin { ", from " (origin) }
        }
    }
}

fn versions(lines: &[VersionLine]) -> Markup {
    html! {
        @if !lines.is_empty() {
            h2 { "Versions" }
            table {
                thead { tr { th { "version" } th { "published" } th { "what changed" } } }
                tbody {
                    @for line in lines {
                        tr {
                            td {
                                (line.number)
                                @if !line.tags.is_empty() { " " span.faint { (line.tags.join(", ")) } }
                                @if line.is_yanked { " " span.faint { "withdrawn" } }
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
