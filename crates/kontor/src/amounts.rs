//! Numbers as people read them.

use kontor_types::Timestamp;

/// A number and its noun: `1 file`, `2 files`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// An amount of bytes with three significant digits: `512 bytes`, `1.5 KiB`, `42.0 MiB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return count(bytes, "byte");
    }
    let mut tenths = u128::from(bytes) * 10;
    let mut units = ["KiB", "MiB", "GiB", "TiB"].into_iter();
    let mut unit = "";
    while tenths >= 10_240
        && let Some(next) = units.next()
    {
        unit = next;
        tenths = (tenths + 512) / 1024;
    }
    if tenths >= 1000 {
        format!("{} {unit}", (tenths + 5) / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// A moment to the second: `2026-03-01 09:30:00Z`.
pub fn moment(moment: Timestamp) -> String {
    let text = moment.to_string();
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(time)) => format!("{day} {time}Z"),
        _ => text,
    }
}

/// Reads a moment, or the beginning of a day in UTC.
pub fn since(text: &str) -> Result<Timestamp, String> {
    let moment = text.parse().or_else(|_| format!("{text}T00:00:00Z").parse());
    moment.map_err(|_| "write a day as 2026-03-01 or a moment as 2026-03-01T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{count, moment, size};

    #[test]
    fn amounts_read_naturally() {
        assert_eq!((count(1, "star"), count(0, "star")), ("1 star".to_owned(), "0 stars".to_owned()));
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (168_640, "165 KiB"),
            (7_792_090, "7.4 MiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_moment_is_told_to_the_second() -> Result<(), Box<dyn std::error::Error>> {
        assert_eq!(moment("2026-03-01T09:30:00.123456Z".parse()?), "2026-03-01 09:30:00Z");
        Ok(())
    }
}
