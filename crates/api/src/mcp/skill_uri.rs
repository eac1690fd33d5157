//! Addresses of skills and their files: `skill://PUBLISHER/SKILL/PATH`.
//!
//! The last part before `SKILL.md` must be the name that the skill gives itself. Where the hub's name differs, the skill's
//! own follows it: `skill://PUBLISHER/SKILL/NAME/PATH`. Each file has one address, spelled in one way.

use kontor_types::{Handle, SkillRef, Slug};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const SCHEME: &str = "skill://";
/// Characters of an address that is looked at.
const LONGEST: usize = 4_096;
/// What stands for itself in a part of a path; everything else is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address, taken apart as far as it can be without knowing the skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SkillUri {
    /// The skill.
    pub skill: SkillRef,
    /// What follows its name, unescaped.
    pub rest: String,
}

impl SkillUri {
    /// Takes an address apart; `None` when nothing of ours has it.
    pub fn parse(uri: &str) -> Option<Self> {
        if uri.len() > LONGEST {
            return None;
        }
        let mut parts = uri.strip_prefix(SCHEME)?.splitn(3, '/');
        let (publisher, slug) = (Handle::parse(parts.next()?).ok()?, Slug::parse(parts.next()?).ok()?);
        let rest = percent_decode_str(parts.next().unwrap_or_default()).decode_utf8().ok()?.into_owned();
        Some(Self { skill: SkillRef::new(publisher, slug), rest })
    }
}

/// The address of a skill's folder, without a slash at its end.
pub(super) fn root(publisher: &Handle, slug: &Slug, name: &str) -> String {
    if name == slug.as_str() {
        return format!("{SCHEME}{publisher}/{slug}");
    }
    format!("{SCHEME}{publisher}/{slug}/{}", part(name))
}

/// The address of a file or folder below that of its skill.
pub(super) fn below(root: &str, path: &str) -> String {
    if path.is_empty() {
        return root.to_owned();
    }
    let parts: Vec<String> = path.split('/').map(part).collect();
    format!("{root}/{}", parts.join("/"))
}

fn part(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(uri: &str) -> Option<(String, String)> {
        SkillUri::parse(uri).map(|uri| (uri.skill.to_string(), uri.rest))
    }

    #[test]
    fn addresses_say_what_they_were_made_of() -> Result<(), Box<dyn std::error::Error>> {
        let (publisher, slug) = (Handle::parse("acme")?, Slug::parse("pdf")?);
        let plain = root(&publisher, &slug, "pdf");
        assert_eq!(plain, "skill://acme/pdf");
        assert_eq!(below(&plain, "a b/ü.md"), "skill://acme/pdf/a%20b/%C3%BC.md");
        assert_eq!(parsed("skill://acme/pdf/a%20b/%C3%BC.md"), Some(("@acme/pdf".to_owned(), "a b/ü.md".to_owned())));
        assert_eq!(root(&publisher, &slug, "pdf-tools"), "skill://acme/pdf/pdf-tools");
        Ok(())
    }

    #[test]
    fn what_is_none_of_ours_is_nothing() {
        for uri in [
            "",
            "skill://",
            "skill://acme",
            "http://acme/pdf/SKILL.md",
            "skill://Acme/pdf/SKILL.md",
            "skill://acme/%70df",
        ] {
            assert_eq!(parsed(uri), None, "{uri}");
        }
    }
}
