//! What is known of a version, in short lines beside its text.

use kontor_package::Finding;
use kontor_registry::Signature;
use maud::{Markup, html};

use super::{Shown, SkillPage};
use crate::words::day;
use crate::{Language, Words};

/// The most findings that are shown; the command line lists all.
const MOST_FINDINGS: usize = 12;

impl SkillPage {
    /// Number, licence, use, form, what it asks for and where it came from.
    pub(super) fn about(&self, language: Language, shown: &Shown) -> Markup {
        let words = language.words();
        html! {
            h2 { (words.about) }
            dl.facts {
                dt { (words.number) }
                dd { (shown.number) }
                dt { (words.published) }
                dd { time datetime=(shown.at) { (day(shown.at)) } }
                dt { (words.licence) }
                dd { bdi { (self.license.as_deref().unwrap_or(words.no_licence)) } }
                dt { (words.use_of_it) }
                dd { (self.counted(language)) }
                dt { (words.size) }
                dd { (language.size_of(shown.size, shown.file_count)) }
                dt { (words.form) }
                dd { (form(words, shown)) }
                (asks(words, shown))
                @if !self.keywords.is_empty() { dt { (words.keywords) } dd { @for (place, word) in self.keywords.iter().enumerate() { @if place > 0 { ", " } bdi { (word) } } } }
                @if let Some(origin) = &shown.origin { dt { (words.origin) } dd { bdi { (origin) } } }
                @if let Some(signature) = &shown.signature { dt { (words.signed) } dd { (signer(words, signature)) } }
                @if let Some(original) = &shown.copy_of {
                    dt { (words.copy_of) }
                    dd { a href={ "/" (original) } { (original) } }
                }
                dt { (words.digest) }
                dd { code { "sha256:" (shown.digest) } }
            }
        }
    }

    /// How often it was installed, downloaded and starred, without what never happened.
    pub(super) fn counted(&self, language: Language) -> String {
        let [downloads, installs, stars] = self.counts;
        let mut told = vec![language.downloads(downloads)];
        told.extend((installs > 0).then(|| language.installs(installs)));
        told.extend((stars > 0).then(|| language.stars(stars)));
        told.join(" · ")
    }
}

/// Whose key signed it, and whether that counts.
fn signer(words: &Words, signature: &Signature) -> Markup {
    html! {
        @if signature.counts() {
            "@" (signature.publisher) " " code { (signature.key_id) }
        } @else {
            b { (words.signer_revoked) } " " code { (signature.key_id) }
        }
    }
}

/// Whether it is valid by the open format, and what is not.
fn form(words: &Words, shown: &Shown) -> Markup {
    let told: Vec<&Finding> = shown.findings.iter().take(MOST_FINDINGS).collect();
    html! {
        @if shown.spec_valid { (words.valid) } @else { (words.accepted) }
        @if !told.is_empty() {
            details {
                summary { (words.noticed) }
                ul lang="en" { @for finding in told { li { (place(finding)) bdi { (finding.message) } } } }
            }
        }
    }
}

fn place(finding: &Finding) -> String {
    match (finding.file.as_str(), finding.line) {
        ("", _) => String::new(),
        (file, 0) => format!("{file}: "),
        (file, line) => format!("{file}:{line}: "),
    }
}

/// Other skills that it needs.
fn asks(words: &Words, shown: &Shown) -> Markup {
    let manifest = &shown.manifest;
    html! {
        @if !manifest.requires.is_empty() {
            dt { (words.needs) }
            dd {
                @for (place, (name, range)) in manifest.requires.iter().enumerate() {
                    @if place > 0 { br; }
                    a href={ "/" (name) } { (name) } " " (range)
                }
            }
        }
    }
}
