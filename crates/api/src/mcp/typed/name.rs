//! Names of typed tools: made from the hub's own names, so that no skill chooses what its tool is called.

use kontor_types::{Digest, Handle, Slug};

/// The longest name. Clients put the server's name before it and take 64 characters in all.
const LONGEST: usize = 48;
/// Digits of the digest in a name that would be too long.
const DIGITS: usize = 20;

/// The name of a skill's tool: `publisher__skill__tool`, or the end of a digest where that is too long.
///
/// No publisher and no skill has an underscore in its name, so two tools never have one name. A shortened name has none at
/// all, and the hub's own tools have single ones, so the three kinds never meet.
pub(super) fn of(publisher: &Handle, slug: &Slug, tool: &str) -> String {
    let whole = format!("{publisher}__{slug}__{tool}");
    if whole.len() <= LONGEST {
        return whole;
    }
    let digest = Digest::of(whole.as_bytes()).hex();
    let short: String = format!("{slug}-{tool}").replace('_', "-").chars().take(LONGEST - DIGITS - 1).collect();
    format!("{short}-{}", digest.get(..DIGITS).unwrap_or_default())
}

/// Whether a typed tool may have this name.
pub(in crate::mcp) fn is_typed(name: &str) -> bool {
    let word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    if name.len() > LONGEST || !name.chars().all(word) {
        return false;
    }
    let parts = name.splitn(3, "__");
    let digest = name.rsplit_once('-').map_or("", |(_, end)| end);
    parts.count() == 3
        || (!name.contains('_') && digest.len() == DIGITS && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(publisher: &str, slug: &str, tool: &str) -> Result<String, Box<dyn std::error::Error>> {
        Ok(of(&Handle::parse(publisher)?, &Slug::parse(slug)?, tool))
    }

    #[test]
    fn names_are_stable_short_and_apart() -> Result<(), Box<dyn std::error::Error>> {
        assert_eq!(named("anna", "csv", "report")?, "anna__csv__report");
        let long = named("anna", "monthly-financial-reports", "summarise_by_department")?;
        assert_eq!(long, "monthly-financial-reports-s-7c5c18380b5ce665eec2");
        let other = named("anna", "monthly-financial-reports", "summarise_by_division")?;
        assert_ne!(long, other);
        // Underscores of a tool's own cannot make it look like another skill's.
        assert_eq!(named("a", "b", "c__d")?, "a__b__c__d");
        assert_eq!(named("a", "b", "__d")?, "a__b____d");
        for name in ["anna__csv__report", long.as_str(), other.as_str(), "a__b____d"] {
            assert!(name.len() <= 48 && is_typed(name), "{name}");
        }
        Ok(())
    }

    #[test]
    fn the_hubs_own_names_and_foreign_characters_are_none() {
        for name in ["search_skills", "run_skill", "run_anything", "", "a__b", "anna__csv__re\u{200b}port", "x-0123"] {
            assert!(!is_typed(name), "{name}");
        }
    }
}
