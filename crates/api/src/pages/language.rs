//! The language of a page: what the reader's browser asks for, of the two that the hub speaks.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use axum::http::request::Parts;

/// A language of the pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English, also for whoever asks for something else.
    #[default]
    English,
    /// Chinese in simplified characters.
    Chinese,
}

impl Language {
    /// The language that the request prefers, English among equals that come later.
    pub fn of(headers: &HeaderMap) -> Self {
        /// A browser names a handful of languages; what follows more of them decides nothing.
        const MOST: usize = 32;
        let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (Self::English, 0.0);
        for item in asked.split(',').take(MOST) {
            let (range, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.parse::<f32>().ok());
            let primary = range.trim().split('-').next().unwrap_or_default();
            let language = if primary.eq_ignore_ascii_case("zh") {
                Self::Chinese
            } else if primary.eq_ignore_ascii_case("en") {
                Self::English
            } else {
                continue;
            };
            if let Some(weight) = weight.filter(|weight| *weight > best.1) {
                best = (language, weight);
            }
        }
        best.0
    }

    /// The name of the language in documents.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-Hans",
        }
    }

    /// One of two texts that say the same.
    pub const fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing("", Language::English)]
    #[case::simplified("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese)]
    #[case::script("zh-Hant-TW", Language::Chinese)]
    #[case::english_first("en-GB,en;q=0.9,zh;q=0.8", Language::English)]
    #[case::weight_decides("en;q=0.5, zh;q=0.7", Language::Chinese)]
    #[case::other_languages_do_not("de-DE,de;q=0.9,zh;q=0.3", Language::Chinese)]
    #[case::refused("zh;q=0", Language::English)]
    #[case::nonsense("zh;q=x,,;;=,*", Language::English)]
    fn the_preferred_language_is_spoken(#[case] asked: &'static str, #[case] language: Language) {
        let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(asked))]);
        assert_eq!(Language::of(&headers), language);
    }
}
