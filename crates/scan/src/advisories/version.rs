//! The order of versions of both registries: numbers first, what comes before a release is less, what comes after is more.

use std::cmp::Ordering;

/// Compares two versions.
pub fn compare(one: &str, two: &str) -> Ordering {
    let (one, two) = (Parts::of(one), Parts::of(two));
    let longest = one.numbers.len().max(two.numbers.len());
    let number = |parts: &Parts, place: usize| parts.numbers.get(place).copied().unwrap_or(0);
    let numbers = (0..longest).map(|place| number(&one, place).cmp(&number(&two, place)));
    let numbers = one.epoch.cmp(&two.epoch).then(numbers.fold(Ordering::Equal, Ordering::then));
    numbers.then_with(|| one.stage.cmp(&two.stage)).then_with(|| one.rest.cmp(&two.rest))
}

struct Parts {
    epoch: u64,
    numbers: Vec<u64>,
    /// Before a release, a release, after it.
    stage: u8,
    rest: Vec<(u8, u64)>,
}

impl Parts {
    fn of(version: &str) -> Self {
        let lower = version.trim().trim_start_matches(['v', '=']).to_ascii_lowercase();
        let lower = lower.split('+').next().unwrap_or("");
        let (epoch, lower) =
            lower.split_once('!').map_or((0, lower), |(epoch, rest)| (epoch.parse().unwrap_or(0), rest));
        let end = lower.find(|char: char| !(char.is_ascii_digit() || char == '.')).unwrap_or(lower.len());
        let (release, rest) = lower.split_at(end);
        let numbers = release.split('.').filter(|part| !part.is_empty()).take(16);
        let numbers = numbers.map(|part| part.parse().unwrap_or(u64::MAX)).collect();
        let word = rest.trim_start_matches(['-', '.', '_']);
        let stage = match word {
            "" => 2,
            _ if word.starts_with("post") || word.starts_with("rev") => 3,
            _ => 1,
        };
        Self { epoch, numbers, stage, rest: ranks(word) }
    }
}

/// Words and numbers behind the release, each comparable: a number less than a word, as in both rules of order.
fn ranks(word: &str) -> Vec<(u8, u64)> {
    let mut found = Vec::new();
    for part in word.split(['.', '-', '_']).filter(|part| !part.is_empty()).take(8) {
        let digits = part.find(|char: char| char.is_ascii_digit()).unwrap_or(part.len());
        let (letters, number) = part.split_at(digits);
        let rank = match letters {
            "" => 0,
            "dev" => 1,
            "a" | "alpha" => 2,
            "b" | "beta" => 3,
            "c" | "rc" | "pre" | "preview" => 4,
            _ => 5,
        };
        found.push((rank, number.parse().unwrap_or(0)));
    }
    found
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1.2.3", "1.2.4", Ordering::Less)]
    #[case("1.10", "1.9", Ordering::Greater)]
    #[case("1.0", "1.0.0", Ordering::Equal)]
    #[case("5.4rc1", "5.4", Ordering::Less)]
    #[case("1.0.0-beta.2", "1.0.0-beta.11", Ordering::Less)]
    #[case("1.0.dev1", "1.0a1", Ordering::Less)]
    #[case("1.0.post1", "1.0", Ordering::Greater)]
    #[case("1!0.1", "2.0", Ordering::Greater)]
    #[case("v1.2.0", "1.2.0+build", Ordering::Equal)]
    fn versions_have_an_order(#[case] one: &str, #[case] two: &str, #[case] order: Ordering) {
        assert_eq!(compare(one, two), order);
        assert_eq!(compare(two, one), order.reverse());
    }
}
