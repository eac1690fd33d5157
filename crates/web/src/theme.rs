//! Light or dark: what the reader chose, else what their machine prefers.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kontor_front::extract::Path;
use kontor_front::{Failure, Hub};

use crate::{Language, choice};

/// The cookie that remembers a choice.
const CHOSEN: &str = "kontor_theme";

/// How bright the pages are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the reader's machine prefers.
    #[default]
    Machine,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Machine, Self::Light, Self::Dark];

    /// What the reader chose.
    pub fn of(headers: &HeaderMap) -> Self {
        choice::made(headers, CHOSEN).and_then(Self::of_word).unwrap_or_default()
    }

    /// What it is called in addresses and cookies, and in the page for its style.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Machine => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What it is called to people.
    pub const fn name(self, language: Language) -> &'static str {
        match self {
            Self::Machine => language.pick("Automatic", "自动"),
            Self::Light => language.pick("Light", "浅色"),
            Self::Dark => language.pick("Dark", "深色"),
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.word() == word)
    }
}

/// `GET /theme/{word}`: remembers the choice for a year, and leads back to the page that it was made on.
pub async fn choose(State(hub): State<Hub>, Path(word): Path<String>, request: HeaderMap) -> Result<Response, Failure> {
    let theme = Theme::of_word(&word).ok_or_else(Failure::not_found)?;
    choice::remember(&hub, &request, CHOSEN, theme.word())
}
