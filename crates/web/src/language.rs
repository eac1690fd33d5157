//! The language of a page: what the reader chose, else what their browser asks for, of the two that the hub speaks.

use axum::extract::State;
use axum::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use axum::response::Response;
use kontor_front::extract::Path;
use kontor_front::{Failure, Hub};

use crate::choice;

/// The cookie that remembers a choice; it says nothing else of the reader.
const CHOSEN: &str = "kontor_language";

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
    /// The language that the reader chose, else the one that the browser prefers.
    pub fn of(headers: &HeaderMap) -> Self {
        choice::made(headers, CHOSEN).and_then(Self::of_word).unwrap_or_else(|| Self::preferred(headers))
    }

    /// The language that the request prefers, English among equals that come later.
    fn preferred(headers: &HeaderMap) -> Self {
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

    /// What it is called in addresses and cookies.
    const fn word(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        [Self::English, Self::Chinese].into_iter().find(|language| language.word() == word)
    }

    /// The other of the two, its own name, and where it is chosen.
    pub fn other(self) -> (Self, &'static str, String) {
        let (other, name) = match self {
            Self::English => (Self::Chinese, "中文"),
            Self::Chinese => (Self::English, "English"),
        };
        (other, name, format!("/language/{}", other.word()))
    }

    /// The language that a sample is written in: Chinese if a twentieth of its characters or more are.
    pub fn written(sample: &serde_json::Value) -> Self {
        let text = sample.to_string();
        let (mut all, mut chinese) = (0_usize, 0_usize);
        for char in text.chars() {
            all += 1;
            chinese += usize::from(matches!(char, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}'));
        }
        if chinese > 0 && chinese * 20 >= all { Self::Chinese } else { Self::English }
    }

    /// One of two texts that say the same.
    pub const fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

/// `GET /language/{word}`: remembers the choice for a year, and leads back to the page that it was made on.
pub async fn choose(State(hub): State<Hub>, Path(word): Path<String>, request: HeaderMap) -> Result<Response, Failure> {
    let language = Language::of_word(&word).ok_or_else(Failure::not_found)?;
    choice::remember(&hub, &request, CHOSEN, language.word())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::COOKIE;
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

    #[rstest]
    #[case::plain(serde_json::json!({"text": "Ann: we ship on Friday. Bob: I write the notes."}), Language::English)]
    #[case::with_a_name(serde_json::json!({"text": "Ann and 李 ship on Friday; Bob writes the notes of the meeting."}), Language::English)]
    #[case::chinese(serde_json::json!({"format": "markdown", "text": "安：周五发布。"}), Language::Chinese)]
    #[case::nothing(serde_json::Value::Null, Language::English)]
    fn samples_are_offered_in_the_language_that_they_are_written_in(
        #[case] sample: serde_json::Value,
        #[case] language: Language,
    ) {
        assert_eq!(Language::written(&sample), language);
    }

    #[rstest]
    #[case::chosen("kontor_language=zh", Language::Chinese)]
    #[case::among_others("a=b; kontor_language=zh; c=d", Language::Chinese)]
    #[case::unknown("kontor_language=de", Language::English)]
    #[case::another_cookie("xkontor_language=zh", Language::English)]
    fn a_choice_goes_before_what_the_browser_asks_for(#[case] cookie: &'static str, #[case] language: Language) {
        let asked = (ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        let headers = HeaderMap::from_iter([asked, (COOKIE, HeaderValue::from_static(cookie))]);
        assert_eq!(Language::of(&headers), language);
    }
}
