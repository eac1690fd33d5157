//! One range of bytes, as RFC 9110 §14 has it; several at once are answered with everything.

use axum::http::HeaderMap;
use axum::http::header::{IF_RANGE, RANGE};

/// What part of the bytes a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    Everything,
    /// From the first number up to, but without, the second.
    Range(u64, u64),
    /// None that are there.
    Nothing,
}

/// Reads `Range`, and `If-Range` when it carries a tag.
pub fn wanted(request: &HeaderMap, size: u64, etag: &str) -> Wanted {
    let text = |name| request.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let Some(range) = text(RANGE).and_then(|value| value.strip_prefix("bytes=")) else { return Wanted::Everything };
    if range.contains(',') || text(IF_RANGE).is_some_and(|tag| tag != etag) {
        return Wanted::Everything;
    }
    let Some((first, last)) = range.trim().split_once('-') else { return Wanted::Everything };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => within(first, last.saturating_add(1), size),
        (Some(first), None) if last.is_empty() => within(first, size, size),
        (None, Some(length)) if first.is_empty() => match length {
            0 => Wanted::Nothing,
            length => within(size.saturating_sub(length), size, size),
        },
        _ => Wanted::Everything,
    }
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn within(start: u64, end: u64, size: u64) -> Wanted {
    if start < size { Wanted::Range(start, end.min(size)) } else { Wanted::Nothing }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none(None, Wanted::Everything)]
    #[case::first_two(Some("bytes=0-1"), Wanted::Range(0, 2))]
    #[case::from_the_third(Some("bytes=2-"), Wanted::Range(2, 10))]
    #[case::last_three(Some("bytes=-3"), Wanted::Range(7, 10))]
    #[case::more_than_all(Some("bytes=-30"), Wanted::Range(0, 10))]
    #[case::end_behind_the_end(Some("bytes=8-99999999999999999999"), Wanted::Everything)]
    #[case::end_at_the_limit(Some("bytes=8-18446744073709551615"), Wanted::Range(8, 10))]
    #[case::behind_the_end(Some("bytes=10-"), Wanted::Nothing)]
    #[case::the_last_none(Some("bytes=-0"), Wanted::Nothing)]
    #[case::backwards(Some("bytes=5-2"), Wanted::Everything)]
    #[case::two_at_once(Some("bytes=0-1,4-5"), Wanted::Everything)]
    #[case::no_number(Some("bytes=a-b"), Wanted::Everything)]
    #[case::signs(Some("bytes=+1-+2"), Wanted::Everything)]
    #[case::other_unit(Some("items=0-1"), Wanted::Everything)]
    fn a_range_is_read(#[case] range: Option<&'static str>, #[case] expected: Wanted) {
        let range = range.map(|range| (RANGE, HeaderValue::from_static(range)));
        assert_eq!(wanted(&range.into_iter().collect(), 10, "\"tag\""), expected);
    }

    #[rstest]
    #[case::same("\"tag\"", Wanted::Range(0, 2))]
    #[case::other("\"old\"", Wanted::Everything)]
    #[case::weak("W/\"tag\"", Wanted::Everything)]
    fn a_range_of_something_else_is_everything(#[case] tag: &'static str, #[case] expected: Wanted) {
        let headers = [(RANGE, HeaderValue::from_static("bytes=0-1")), (IF_RANGE, HeaderValue::from_static(tag))];
        assert_eq!(wanted(&headers.into_iter().collect(), 10, "\"tag\""), expected);
    }
}
