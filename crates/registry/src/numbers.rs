//! Which number a version gets, and which version `latest` points to.

use kontor_db::versions::Candidate;
use kontor_types::{Digest, Version};

/// What a publisher asks for and what the content says, weighed against the versions that exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    /// The same bytes are there already.
    Same(&'a Candidate),
    /// A new version with this number.
    New(Version),
    /// The number is there with other bytes.
    Taken {
        number: Version,
        /// The next number that is free.
        next: Version,
    },
}

/// Publishing: the number asked for, else the one written in the content, else the next patch of what exists.
pub(crate) fn for_publish<'a>(
    existing: &'a [Candidate],
    digest: &Digest,
    asked: Option<&Version>,
    written: Option<&Version>,
) -> Choice<'a> {
    let Some(number) = asked.or(written) else { return unnumbered(existing, digest) };
    match existing.iter().find(|version| version.number == *number) {
        None => Choice::New(number.clone()),
        Some(version) if version.digest == *digest => Choice::Same(version),
        Some(_) => Choice::Taken { number: number.clone(), next: next_free(existing) },
    }
}

fn unnumbered<'a>(existing: &'a [Candidate], digest: &Digest) -> Choice<'a> {
    match newest(existing) {
        None => Choice::New(Version::first()),
        Some(version) if version.digest == *digest => Choice::Same(version),
        Some(_) => Choice::New(next_free(existing)),
    }
}

/// Importing: the number written in the content when it is higher than every other, else the next patch.
pub(crate) fn for_import<'a>(existing: &'a [Candidate], digest: &Digest, written: Option<&Version>) -> Choice<'a> {
    let Some(newest) = newest(existing) else {
        return Choice::New(written.cloned().unwrap_or_else(Version::first));
    };
    if newest.digest == *digest {
        return Choice::Same(newest);
    }
    match written {
        Some(number) if existing.iter().all(|version| version.number < *number) => Choice::New(number.clone()),
        _ => Choice::New(next_free(existing)),
    }
}

/// The highest release, else the highest pre-release, whatever its state.
fn newest(existing: &[Candidate]) -> Option<&Candidate> {
    highest(existing.iter())
}

/// The patch behind the newest version, or the first behind that which no version has.
fn next_free(existing: &[Candidate]) -> Version {
    let mut next = newest(existing).map_or_else(Version::first, |version| version.number.next_patch());
    while existing.iter().any(|version| version.number == next) {
        next = next.next_patch();
    }
    next
}

/// What `latest` points to: the highest release that everybody who opens the skill may use, a pre-release only when there
/// is no such release.
pub fn latest(versions: &[Candidate]) -> Option<&Candidate> {
    highest(versions.iter().filter(|version| version.is_eligible()))
}

fn highest<'a>(versions: impl Iterator<Item = &'a Candidate>) -> Option<&'a Candidate> {
    versions.max_by_key(|version| (!version.number.is_prerelease(), &version.number))
}

#[cfg(test)]
mod tests {
    use kontor_db::versions::VersionState;
    use kontor_types::{SkillId, Timestamp, VersionId};
    use rstest::rstest;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    /// `1.0.0=a` has content a; a mark at the end says that it is yanked (y), hidden (h) or held (p).
    fn version(text: &str) -> Candidate {
        let (number, rest) = text.split_once('=').unwrap();
        let (content, mark) = rest.split_at(1);
        Candidate {
            id: VersionId::new(NOW),
            skill_id: SkillId::new(NOW),
            number: number.parse().unwrap(),
            digest: Digest::of(content.as_bytes()),
            state: if mark == "p" { VersionState::Held } else { VersionState::Visible },
            yanked_at: (mark == "y").then_some(NOW),
            hidden_at: (mark == "h").then_some(NOW),
        }
    }

    fn versions(texts: &[&str]) -> Vec<Candidate> {
        texts.iter().map(|text| version(text)).collect()
    }

    fn told(choice: &Choice<'_>) -> String {
        match choice {
            Choice::Same(version) => format!("same {}", version.number),
            Choice::New(number) => format!("new {number}"),
            Choice::Taken { number, next } => format!("{number} taken, {next} free"),
        }
    }

    #[rstest]
    #[case::first(&[], None, None, "new 0.1.0")]
    #[case::written(&[], None, Some("3.1.4"), "new 3.1.4")]
    #[case::asked_outweighs_written(&[], Some("2.0.0"), Some("3.1.4"), "new 2.0.0")]
    #[case::same_again(&["1.0.0=a"], Some("1.0.0"), None, "same 1.0.0")]
    #[case::same_written(&["1.0.0=a"], None, Some("1.0.0"), "same 1.0.0")]
    #[case::same_unnumbered(&["1.0.0=a"], None, None, "same 1.0.0")]
    #[case::taken(&["1.0.0=b", "1.0.1=c"], Some("1.0.0"), None, "1.0.0 taken, 1.0.2 free")]
    #[case::taken_written(&["1.0.0=b"], None, Some("1.0.0"), "1.0.0 taken, 1.0.1 free")]
    #[case::changed(&["1.0.0=b"], None, None, "new 1.0.1")]
    #[case::back_to_old_content(&["1.0.1=b", "1.0.0=a"], None, None, "new 1.0.2")]
    #[case::yanked_numbers_stay_taken(&["1.0.1=by", "1.0.0=c"], None, None, "new 1.0.2")]
    #[case::behind_a_prerelease(&["2.0.0-rc.1=b", "1.0.0=c"], None, None, "new 1.0.1")]
    #[case::only_a_prerelease(&["2.0.0-rc.1=b"], None, None, "new 2.0.0")]
    #[case::older_line(&["2.0.0=b"], Some("1.5.0"), None, "new 1.5.0")]
    fn publishing_chooses(
        #[case] existing: &[&str],
        #[case] asked: Option<&str>,
        #[case] written: Option<&str>,
        #[case] expected: &str,
    ) {
        let parse = |text: &str| text.parse::<Version>().unwrap();
        let (asked, written) = (asked.map(parse), written.map(parse));
        let existing = versions(existing);
        let choice = for_publish(&existing, &Digest::of(b"a"), asked.as_ref(), written.as_ref());
        assert_eq!(told(&choice), expected);
    }

    #[rstest]
    #[case::first(&[], None, "new 0.1.0")]
    #[case::first_written(&[], Some("1.2.0"), "new 1.2.0")]
    #[case::unchanged(&["1.2.0=a"], Some("1.2.0"), "same 1.2.0")]
    #[case::changed(&["1.2.0=b"], None, "new 1.2.1")]
    #[case::changed_without_a_new_number(&["1.2.0=b"], Some("1.2.0"), "new 1.2.1")]
    #[case::number_went_up(&["1.2.0=b"], Some("1.3.0"), "new 1.3.0")]
    #[case::number_went_down(&["1.2.0=b"], Some("1.0.0"), "new 1.2.1")]
    #[case::number_lies_behind_ours(&["1.2.5=b", "1.2.0=c"], Some("1.2.1"), "new 1.2.6")]
    fn importing_chooses(#[case] existing: &[&str], #[case] written: Option<&str>, #[case] expected: &str) {
        let written = written.map(|text| text.parse::<Version>().unwrap());
        let existing = versions(existing);
        assert_eq!(told(&for_import(&existing, &Digest::of(b"a"), written.as_ref())), expected);
    }

    #[rstest]
    #[case::none(&[], None)]
    #[case::highest(&["1.10.0=a", "1.9.0=b"], Some("1.10.0"))]
    #[case::release_before_prerelease(&["2.0.0-rc.1=a", "1.0.0=b"], Some("1.0.0"))]
    #[case::prerelease_alone(&["2.0.0-rc.1=a", "2.0.0-beta=b"], Some("2.0.0-rc.1"))]
    #[case::prerelease_when_the_release_is_yanked(&["2.0.0-rc.1=a", "1.0.0=by"], Some("2.0.0-rc.1"))]
    #[case::not_yanked_hidden_or_held(&["4.0.0=ay", "3.0.0=ah", "2.0.0=ap", "1.0.0=b"], Some("1.0.0"))]
    #[case::nothing_left(&["4.0.0=ay"], None)]
    fn latest_points_to(#[case] existing: &[&str], #[case] expected: Option<&str>) {
        let existing = versions(existing);
        assert_eq!(latest(&existing).map(|version| version.number.to_string()).as_deref(), expected);
    }
}
