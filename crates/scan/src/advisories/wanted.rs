//! What a range of versions allows at most, in the ways of both registries: `^1.2`, `~1.2.3`, `1.x`, `>=1,<2`, `~=1.4.2`.

use std::cmp::Ordering;

use super::version::compare;

/// The upper end of a range. What a resolver picks is the newest version below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Top {
    /// Everything less than this version.
    Below(String),
    /// This version and everything less.
    UpTo(String),
}

impl Top {
    /// Reads a range of npm; nothing when it is open at its upper end or is no range.
    pub fn npm(spec: &str) -> Option<Self> {
        let ends = spec.split("||").take(16).map(|part| npm_part(part.trim()));
        ends.collect::<Option<Vec<_>>>()?.into_iter().reduce(Self::higher)
    }

    /// Reads a specifier of Python's packages; nothing when it is open at its upper end.
    pub fn python(spec: &str) -> Option<Self> {
        let parts = spec.trim_matches(['(', ')', ' ']).split(',').take(16).map(str::trim);
        parts.filter_map(python_part).reduce(Self::lower)
    }

    fn version(&self) -> &str {
        match self {
            Self::Below(version) | Self::UpTo(version) => version,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let reach = |top: &Self| u8::from(matches!(top, Self::UpTo(_)));
        compare(self.version(), other.version()).then(reach(self).cmp(&reach(other)))
    }

    fn higher(self, other: Self) -> Self {
        if self.order(&other).is_lt() { other } else { self }
    }

    fn lower(self, other: Self) -> Self {
        if self.order(&other).is_gt() { other } else { self }
    }

    /// Whether the newest versions that are allowed lie in what begins with `introduced` and ends before `fixed` or with `last`.
    pub fn lies_in(&self, introduced: Option<&str>, fixed: Option<&str>, last: Option<&str>) -> bool {
        let above = introduced.is_none_or(|from| match self {
            _ if from == "0" => true,
            Self::Below(version) => compare(version, from).is_gt(),
            Self::UpTo(version) => compare(version, from).is_ge(),
        });
        let before = fixed.is_none_or(|fixed| match self {
            Self::Below(version) => compare(version, fixed).is_le(),
            Self::UpTo(version) => compare(version, fixed).is_lt(),
        });
        above && before && last.is_none_or(|last| compare(self.version(), last).is_le())
    }
}

/// The numbers of a version that may stop early or have an `x`; nothing when it is no version.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let plain = version.trim().trim_start_matches(['v', '=', ' ']);
    let plain = plain.split(['-', '+']).next()?;
    let parts: Vec<&str> = plain.split('.').take(8).take_while(|part| !matches!(*part, "x" | "X" | "*")).collect();
    if plain.is_empty() {
        return None;
    }
    parts.iter().map(|part| part.parse().ok()).collect()
}

/// The version whose number at `place` is one more, and the first of its kind.
fn next(numbers: &[u64], place: usize) -> String {
    let mut up: Vec<u64> = numbers.iter().copied().take(place + 1).collect();
    up.resize(place + 1, 0);
    if let Some(last) = up.last_mut() {
        *last = last.saturating_add(1);
    }
    up.resize(up.len().max(3), 0);
    up.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

fn npm_part(part: &str) -> Option<Top> {
    if let Some((_, to)) = part.split_once(" - ") {
        let to = numbers(to)?;
        return Some(if to.len() < 3 {
            Top::Below(next(&to, to.len().checked_sub(1)?))
        } else {
            Top::UpTo(joined(&to))
        });
    }
    let joined_up = part.replace("< ", "<").replace("= ", "=").replace("^ ", "^").replace("~ ", "~");
    joined_up.split_whitespace().take(16).filter_map(npm_comparator).reduce(Top::lower)
}

fn joined(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

fn npm_comparator(word: &str) -> Option<Top> {
    if let Some(version) = word.strip_prefix("<=") {
        let version = numbers(version)?;
        return Some(if version.len() < 3 {
            Top::Below(next(&version, version.len().checked_sub(1)?))
        } else {
            Top::UpTo(joined(&version))
        });
    }
    if let Some(version) = word.strip_prefix('<') {
        return numbers(version).filter(|version| !version.is_empty()).map(|_| Top::Below(version.to_owned()));
    }
    if word.starts_with('>') {
        return None;
    }
    if let Some(version) = word.strip_prefix('^') {
        let version = numbers(version)?;
        let place = version.iter().position(|number| *number > 0).unwrap_or(version.len().saturating_sub(1));
        return (!version.is_empty()).then(|| Top::Below(next(&version, place)));
    }
    if let Some(version) = word.strip_prefix('~') {
        let version = numbers(version.trim_start_matches('>'))?;
        return (!version.is_empty()).then(|| Top::Below(next(&version, version.len().min(2) - 1)));
    }
    let version = numbers(word)?;
    (1..3).contains(&version.len()).then(|| Top::Below(next(&version, version.len() - 1)))
}

fn python_part(part: &str) -> Option<Top> {
    if let Some(version) = part.strip_prefix("<=") {
        return Some(Top::UpTo(version.trim().to_owned()));
    }
    if let Some(version) = part.strip_prefix('<') {
        return Some(Top::Below(version.trim().to_owned()));
    }
    if let Some(version) = part.strip_prefix("~=") {
        let version = numbers(version)?;
        return Some(Top::Below(next(&version, version.len().checked_sub(2)?)));
    }
    let version = part.strip_prefix("==")?.strip_suffix(".*")?;
    let version = numbers(version)?;
    Some(Top::Below(next(&version, version.len().checked_sub(1)?)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn shown(top: Option<Top>) -> String {
        match top {
            Some(Top::Below(version)) => format!("<{version}"),
            Some(Top::UpTo(version)) => format!("<={version}"),
            None => "open".to_owned(),
        }
    }

    #[rstest]
    #[case("^1.2.3", "<2.0.0")]
    #[case("^0.2.3", "<0.3.0")]
    #[case("^0.0.3", "<0.0.4")]
    #[case("~1.2.3", "<1.3.0")]
    #[case("~1", "<2.0.0")]
    #[case("1.x", "<2.0.0")]
    #[case("1.2", "<1.3.0")]
    #[case(">=1.2.0 <1.4.0", "<1.4.0")]
    #[case("1.0.0 - 2.3.4", "<=2.3.4")]
    #[case("^1.0.0 || ^2.0.0", "<3.0.0")]
    #[case(">=1.0.0", "open")]
    #[case("*", "open")]
    #[case("latest", "open")]
    #[case("git+ssh://host/x", "open")]
    fn ranges_of_npm_have_an_upper_end(#[case] spec: &str, #[case] expected: &str) {
        assert_eq!(shown(Top::npm(spec)), expected);
    }

    #[rstest]
    #[case(">=1.0,<2.20", "<2.20")]
    #[case("<=5.3", "<=5.3")]
    #[case("~=1.4.2", "<1.5.0")]
    #[case("~=2.2", "<3.0.0")]
    #[case("==1.4.*", "<1.5.0")]
    #[case("<3,<2.5", "<2.5")]
    #[case(">=5.0", "open")]
    #[case("!=1.5", "open")]
    fn specifiers_of_python_have_an_upper_end(#[case] spec: &str, #[case] expected: &str) {
        assert_eq!(shown(Top::python(spec)), expected);
    }
}
