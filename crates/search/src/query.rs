use std::str::FromStr;

use kontor_types::{Cursor, Handle, PageSize, Viewer};

/// What is searched, by whom, and how the answer is wanted.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// The words; empty means everything.
    pub text: &'a str,
    /// Who looks.
    pub viewer: &'a Viewer,
    /// How the words must match.
    pub mode: Mode,
    /// What else must hold.
    pub filters: Filters,
    /// What comes first.
    pub sort: Sort,
    /// How many items a page has.
    pub page: PageSize,
    /// Where the page begins; none for the first.
    pub after: Option<Cursor>,
    /// How many values of each facet to count; 0 counts none.
    pub facets: usize,
    /// Whether copies are shown beside their original. Otherwise one stands for all, in searches by words.
    pub all: bool,
}

impl<'a> Query<'a> {
    /// The first page of the best answers to `text`.
    pub fn new(text: &'a str, viewer: &'a Viewer) -> Self {
        Self {
            text,
            viewer,
            mode: Mode::default(),
            filters: Filters::default(),
            sort: Sort::default(),
            page: PageSize::default(),
            after: None,
            facets: 0,
            all: false,
        }
    }
}

/// How the words of a query must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Any of the words, ranked.
    #[default]
    Words,
    /// The whole text is a skill's name.
    Exact,
    /// The text begins a skill's name.
    Prefix,
}

/// What must hold of an item whatever the words are; all given ones together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Filters {
    /// Belongs to this publisher.
    pub publisher: Option<Handle>,
    /// Is in this category.
    pub category: Option<String>,
    /// Carries this keyword.
    pub keyword: Option<String>,
    /// Has exactly this licence.
    pub license: Option<String>,
    /// Agrees with the open format, or not.
    pub spec_valid: Option<bool>,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The best answer; without words the most used.
    #[default]
    Relevance,
    /// The newest version.
    Updated,
    /// The newest skill.
    Created,
    /// The most downloads.
    Downloads,
    /// The most installs.
    Installs,
    /// The most stars.
    Stars,
    /// The most used of late.
    Trending,
}

/// A word that is no sort.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown sort: use one of relevance, updated, created, downloads, installs, stars, trending")]
pub struct UnknownSort;

impl Sort {
    /// The word used in addresses and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Updated => "updated",
            Self::Created => "created",
            Self::Downloads => "downloads",
            Self::Installs => "installs",
            Self::Stars => "stars",
            Self::Trending => "trending",
        }
    }
}

impl FromStr for Sort {
    type Err = UnknownSort;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Relevance, Self::Updated, Self::Created, Self::Downloads, Self::Installs, Self::Stars, Self::Trending]
            .into_iter()
            .find(|sort| sort.as_str() == text)
            .ok_or(UnknownSort)
    }
}
