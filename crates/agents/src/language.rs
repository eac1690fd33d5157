use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The language in which somebody is told something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese, in simplified characters.
    Zh,
}

impl Language {
    /// The word used in settings and addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language that a text is written in, as far as its characters say.
    pub fn of(text: &str) -> Self {
        let is_han = |char: char| matches!(char, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}');
        if text.chars().any(is_han) { Self::Zh } else { Self::En }
    }

    /// The one of two texts that is in this language.
    pub const fn pick<T: Copy>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

/// A word that names no language here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown language: use en or zh")]
pub struct UnknownLanguage;

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        let text = text.to_ascii_lowercase();
        match text.split(['-', '_', '.']).next() {
            Some("en") => Ok(Self::En),
            Some("zh") => Ok(Self::Zh),
            _ => Err(UnknownLanguage),
        }
    }
}
