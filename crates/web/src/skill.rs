//! The page of one skill: what it is, how to get it, what is in it.

mod about;

use kontor_package::{Finding, Manifest};
use kontor_registry::observed::Behaved;
use kontor_registry::{Signature, Verdict, VersionState};
use kontor_types::{Handle, Slug, Timestamp, Version};
use maud::{Markup, PreEscaped, html};

use crate::words::{day, size};
use crate::{Language, Words};

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
    /// What it does, in the reader's language where the author wrote it.
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
    /// The number that `latest` points to, when that is another one.
    pub latest: Option<Version>,
    /// That it was withdrawn, and why.
    pub withdrawn: Option<String>,
    /// When it was published.
    pub at: Timestamp,
    /// Bytes of its archive.
    pub size: u64,
    /// How many files it has.
    pub file_count: u64,
    /// SHA-256 of its canonical archive.
    pub digest: String,
    /// Who signed it.
    pub signature: Option<Signature>,
    /// Where the bytes came from, in a line.
    pub origin: Option<String>,
    /// The version of another skill whose text it repeats, as the reader may find it.
    pub copy_of: Option<String>,
    /// Whether it agrees with the open format.
    pub spec_valid: bool,
    /// What it says beside the open format.
    pub manifest: Manifest,
    /// What runs of it on this hub were seen to do, as far as the reader may see.
    pub observed: Behaved,
    /// What was noticed about its form.
    pub findings: Vec<Finding>,
    /// What the scanner said of it.
    pub verdict: Option<Verdict>,
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
    /// That it was withdrawn, and why.
    pub withdrawn: Option<String>,
    /// How far it has come; its maintainers see those that were not admitted too.
    pub state: VersionState,
}

impl SkillPage {
    /// The page's body.
    pub fn body(&self, language: Language) -> Markup {
        let words = language.words();
        html! {
            h1 { (self.name) }
            p.faint.name { a href={ "/@" (self.publisher) } { "@" (self.publisher) } "/" (self.slug) }
            p.lead {
                bdi { (self.description) }
                @if self.description_derived { " " span.faint { (words.derived) } }
            }
            (self.warnings(words))
            @if let Some(shown) = &self.shown {
                div.skill {
                    aside {
                        (self.commands(words, shown))
                        (self.about(language, shown))
                    }
                    div.content {
                        h2 { (words.text) }
                        div.text { (PreEscaped(&shown.text)) }
                        (files(language, shown))
                        (self.history(words))
                    }
                }
            } @else {
                p.note { (words.no_version) }
                (self.history(words))
            }
        }
    }

    /// What somebody should know before they use it.
    fn warnings(&self, words: &Words) -> Markup {
        html! {
            @if let Some((message, successor)) = &self.deprecation {
                p.note {
                    b { (words.deprecated) } " " bdi { (message) }
                    @if let Some(other) = successor { br; (words.use_instead) " " a href={ "/" (other) } { bdi { (other) } } }
                }
            }
            @if self.is_hidden_from_others { p.note { (words.hidden) } }
            @if let Some(shown) = &self.shown {
                @if let Some(reason) = &shown.withdrawn {
                    p.note {
                        b { (words.version_withdrawn) }
                        @if !reason.is_empty() { " " bdi { (reason) } }
                        @if let Some(latest) = &shown.latest { br; (words.newest_is) " " (self.link_to(latest)) }
                    }
                } @else if let Some(latest) = &shown.latest {
                    p.note { (words.not_newest) " " (self.link_to(latest)) }
                }
                p.note.good[shown.verdict == Some(Verdict::Clean)] id="security" { (verdict(words, shown.verdict)) }
            }
        }
    }

    fn link_to(&self, latest: &Version) -> Markup {
        html! { a href={ "/@" (self.publisher) "/" (self.slug) } { (latest) } }
    }

    fn commands(&self, words: &Words, shown: &Shown) -> Markup {
        let (hub, name) = (&self.hub, format!("@{}/{}", self.publisher, self.slug));
        let number = shown.latest.as_ref().map(|_| &shown.number);
        let at = number.map(|number| format!("@{number}")).unwrap_or_default();
        let with = number.map(|number| format!(" --version {number}")).unwrap_or_default();
        let others = [
            ("clawhub", format!("npx clawhub --registry {hub} install {name}{with}")),
            ("openclaw", format!("OPENCLAW_CLAWHUB_URL={hub} openclaw skills install {name}{with}")),
            ("skills", format!("npx skills add {hub}/{name}{at}")),
        ];
        html! {
            h2 { (words.install) }
            pre { code { "kontor install " (name) (at) " --registry " (hub) } }
            details {
                summary { (words.other_clients) }
                @for (client, line) in others { p.faint { (client) } pre { code { (line) } } }
            }
        }
    }

    fn history(&self, words: &Words) -> Markup {
        html! {
            @if !self.versions.is_empty() {
                h2 { (words.versions) }
                table {
                    thead { tr {
                        th scope="col" { (words.number) }
                        th scope="col" { (words.published) }
                        th scope="col" { (words.changes) }
                    } }
                    tbody { @for line in &self.versions { (self.version(words, line)) } }
                }
            }
        }
    }

    fn version(&self, words: &Words, line: &VersionLine) -> Markup {
        html! {
            tr {
                td {
                    a href={ "/@" (self.publisher) "/" (self.slug) "@" (line.number) } { (line.number) }
                    @if !line.tags.is_empty() { " " span.faint { (line.tags.join(", ")) } }
                }
                td.day { time datetime=(line.at) { (day(line.at)) } }
                td {
                    @if let Some(state) = state(words, line.state) { b { (state) } br; }
                    @if let Some(reason) = &line.withdrawn {
                        b { (words.withdrawn) } @if !reason.is_empty() { ": " bdi { (reason) } } br;
                    }
                    bdi { (line.changelog) }
                }
            }
        }
    }
}

/// What is to be said of a version that others do not see.
const fn state(words: &Words, state: VersionState) -> Option<&'static str> {
    match state {
        VersionState::Visible => None,
        VersionState::Pending => Some(words.state_pending),
        VersionState::Held => Some(words.state_held),
        VersionState::Rejected => Some(words.state_rejected),
    }
}

const fn verdict(words: &Words, verdict: Option<Verdict>) -> &'static str {
    match verdict {
        None => words.unscanned,
        Some(Verdict::Clean) => words.scanned_clean,
        Some(Verdict::Incomplete) => words.scanned_incomplete,
        Some(Verdict::Suspicious) => words.scanned_suspicious,
        Some(Verdict::Malicious) => words.scanned_malicious,
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
                    tr { td { a href=(address) { bdi { (path) } } } td.number { (size(*bytes)) } }
                }
            }
        }
        @if shown.more_files > 0 { p.faint { (language.and_more(shown.more_files)) } }
    }
}
