//! Names that people would take for the name of a skill which is there already.

use kontor_db::look_alikes::{self, Named, Sought};
use kontor_db::publishers::Publisher;
use kontor_db::{Conn, skill_names};
use kontor_package::{Finding, LookAlike, Severity, confusable_with, skeleton};
use kontor_types::{PublisherId, Slug, Timestamp};

use crate::{Error, Registry};

/// Most look-alikes that are told.
const TOLD: usize = 3;
/// The fewest letters of a name that gets an `s` or an ornament.
const SHORTEST: usize = 3;
/// What makes a name look like the better one of two.
const ORNAMENTS: [&str; 12] = [
    "official", "original", "real", "genuine", "verified", "trusted", "secure", "safe", "pro", "plus", "premium",
    "latest",
];

/// A name that is compared with those that were there before.
pub(crate) struct NewName<'a> {
    /// The name.
    pub slug: &'a Slug,
    /// As the author wrote it.
    pub shown: &'a str,
    /// Whose name it is.
    pub publisher: PublisherId,
    /// Since when it is used.
    pub since: Timestamp,
}

impl Registry {
    /// What is odd about a new name: it is easily taken for that of a skill which everybody may find. A name that the
    /// publisher has already is not odd.
    pub(crate) async fn look_alikes(
        &self,
        publisher: &Publisher,
        slug: &Slug,
        shown: &str,
    ) -> Result<Vec<Finding>, Error> {
        let mut conn = self.read().await?;
        if skill_names::get(&mut conn, publisher.id, slug).await?.is_some() {
            return Ok(Vec::new());
        }
        let name = NewName { slug, shown, publisher: publisher.id, since: self.now() };
        let named = taken_for(&mut conn, &name).await?;
        Ok(named.iter().take(TOLD).map(|named| finding(slug, named)).collect())
    }
}

fn finding(slug: &Slug, other: &Named) -> Finding {
    let message = format!("the name `{slug}` is easily taken for @{}/{}", other.publisher, other.slug);
    let remedy = "choose a name that nobody takes for another, unless it is meant to be the same";
    Finding::new("name_look_alike", Severity::Warning, "", message, remedy)
}

/// The skills of other publishers that a name is easily taken for, the most installed first. Whose publisher has a skill of
/// this very name too tells the two names apart: then the new one is the same name under another publisher, and nothing else.
pub(crate) async fn taken_for(conn: &mut Conn, name: &NewName<'_>) -> Result<Vec<Named>, kontor_db::Error> {
    let (looks, slugs) = forms(name.slug, name.shown);
    let (slug, publisher, since) = (name.slug, name.publisher, name.since);
    let sought = Sought { slug, publisher, looks: &looks, slugs: &slugs, since };
    let mut named = look_alikes::candidates(conn, &sought).await?;
    named.retain(|other| {
        let other = other.slug.as_str();
        !differ_in_counting(slug.as_str(), other)
            && (slugs.iter().any(|slug| slug == other)
                || looks.contains(&skeleton(other))
                || confusable_with(slug.as_str(), other) == Some(LookAlike::OneSlip))
    });
    if !named.is_empty() {
        let publishers: Vec<PublisherId> = named.iter().map(|other| other.publisher_id).collect();
        let same = look_alikes::namesakes(conn, &sought, &publishers).await?;
        named.retain(|other| !same.contains(&other.publisher_id));
    }
    Ok(named)
}

/// Whether two names are one name with other numbers behind it, as an import numbers names that were taken: the digit is read as
/// a number there, never as a letter. `gas-meter` and `gas-meter-5` are, `gas-meters` and `gas-meter-5` are not.
fn differ_in_counting(left: &str, right: &str) -> bool {
    counted(left) == counted(right)
}

/// The name without the number behind it.
fn counted(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((before, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => before,
        _ => name,
    }
}

/// What names look like that a name is taken for, and those names that it only adorns.
fn forms(slug: &Slug, shown: &str) -> (Vec<String>, Vec<String>) {
    let look = skeleton(slug.as_str());
    let mut looks = Vec::new();
    if look.len() >= SHORTEST {
        looks.push(format!("{look}s"));
    }
    if let Some(singular) = look.strip_suffix('s').filter(|one| one.len() >= SHORTEST) {
        looks.push(singular.to_owned());
    }
    // Letters of another script fold to hyphens in the name, and are still what people see.
    if !shown.is_ascii() {
        looks.push(skeleton(shown));
    }
    looks.push(look);
    let slugs = ORNAMENTS.iter().filter_map(|ornament| bare(slug.as_str(), ornament)).collect();
    (looks, slugs)
}

/// The name without its ornament, when enough of it is left.
fn bare(name: &str, ornament: &str) -> Option<String> {
    let after = name.strip_suffix(ornament).and_then(|rest| rest.strip_suffix('-'));
    let before = name.strip_prefix(ornament).and_then(|rest| rest.strip_prefix('-'));
    after.or(before).filter(|rest| rest.len() >= SHORTEST).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use kontor_types::Slug;
    use rstest::rstest;

    use super::{forms, skeleton};

    #[rstest]
    #[case::plural("pdf-tool", "", "pdftools", "")]
    #[case::singular("pdf-tools", "", "pdftool", "")]
    #[case::another_script("p-ypal", "p\u{430}ypal", "paypal", "")]
    #[case::at_the_end("pdf-tools-official", "", "", "pdf-tools")]
    #[case::at_the_beginning("real-pdf", "", "", "pdf")]
    fn names_are_compared_in_several_forms(
        #[case] name: &str,
        #[case] shown: &str,
        #[case] look: &str,
        #[case] slug: &str,
    ) {
        let (looks, slugs) = forms(&Slug::parse(name).unwrap_or_else(|_| unreachable!()), shown);
        let look_of = skeleton(look);
        assert!(look.is_empty() || looks.contains(&look_of), "{looks:?} without {look_of}");
        assert!(slug.is_empty() && slugs.is_empty() || slugs.contains(&slug.to_owned()), "{slugs:?}");
    }
}
