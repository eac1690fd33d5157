use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// An amount of bytes, written `10MiB`, `50 MB`, `4GiB` or as a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ByteText", into = "String")]
pub struct Bytes(pub u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum ByteText {
    Number(u64),
    Text(String),
}

/// The text is no amount of bytes.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no amount of bytes: write it like 10MiB, 4GiB or 65536")]
pub struct BytesError(String);

const UNITS: &[(&str, u64)] = &[
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("b", 1),
    ("", 1),
];

impl FromStr for Bytes {
    type Err = BytesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || BytesError(text.chars().take(40).collect());
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.trim_end_matches(|char: char| !char.is_ascii_digit());
        let unit = lower.strip_prefix(digits).unwrap_or_default().trim();
        let scale = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale).ok_or_else(refused)?;
        let number: u64 = digits.parse().map_err(|_| refused())?;
        number.checked_mul(scale).map(Self).ok_or_else(refused)
    }
}

impl TryFrom<ByteText> for Bytes {
    type Error = BytesError;

    fn try_from(text: ByteText) -> Result<Self, Self::Error> {
        match text {
            ByteText::Number(number) => Ok(Self(number)),
            ByteText::Text(text) => text.parse(),
        }
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        bytes.to_string()
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, scale) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if self.0 >= scale && self.0.is_multiple_of(scale) {
                return write!(formatter, "{}{name}", self.0 / scale);
            }
        }
        self.0.fmt(formatter)
    }
}

/// A list, in the environment and on the command line also a text with commas.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::List(items) => items,
        Either::Text(text) => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn amounts_of_bytes_are_read_in_common_units() {
        for (text, bytes) in [("10MiB", 10 << 20), ("4 GiB", 4 << 30), ("50 MB", 50_000_000), ("7", 7), ("1kb", 1000)] {
            assert_eq!(text.parse::<Bytes>().ok(), Some(Bytes(bytes)), "{text}");
        }
        for text in ["", "MiB", "ten", "1.5MiB", "-1", "99999999999999999999", "99999999999GiB"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
        assert_eq!(Bytes(10 << 20).to_string(), "10MiB");
    }
}
