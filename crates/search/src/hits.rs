use kontor_types::{Cursor, Handle, PublisherId, SkillId, Slug};
use serde::{Deserialize, Serialize};

/// One page of answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hits {
    /// The items, best first.
    pub items: Vec<Hit>,
    /// How many skills match in all.
    pub total: Total,
    /// Where the next page begins, if one follows.
    pub next: Option<Cursor>,
    /// The most frequent values of each facet among all matches, as many as were asked for.
    pub facets: Vec<Facet>,
    /// The query with misspelt words mended, when words of it were found nowhere.
    pub did_you_mean: Option<String>,
}

/// How many skills match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// The count.
    pub count: u64,
    /// Whether more may match than were counted, because frequent words of a long query only rank.
    pub at_least: bool,
}

/// One answer: enough for a list; everything else is the database's.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The skill.
    pub skill: SkillId,
    /// Whom it belongs to.
    pub publisher: PublisherId,
    /// The publisher's handle.
    pub handle: Handle,
    /// The skill's name within its publisher.
    pub slug: Slug,
    /// The name as its author wrote it.
    pub display_name: String,
    /// The first few hundred characters of the description.
    pub description: String,
    /// How well it answers: 2 and more for a skill named exactly, 1 and more for a skill of a publisher named exactly,
    /// below 1 for words.
    pub score: f32,
    /// How many copies of it answer too and are not shown.
    pub copies: u64,
}

/// The values of one property among the matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// `publisher`, `category`, `keyword` or `license`.
    pub name: &'static str,
    /// The most frequent values first.
    pub values: Vec<FacetValue>,
}

/// One value and how many matches carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// The count.
    pub count: u64,
}

/// What the index keeps of a document for answering.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Card {
    pub skill: SkillId,
    pub publisher: PublisherId,
    pub handle: Handle,
    pub slug: Slug,
    pub display_name: String,
    pub description: String,
}

impl Card {
    pub fn into_hit(self, score: f32, copies: u64) -> Hit {
        let Self { skill, publisher, handle, slug, display_name, description } = self;
        Hit { skill, publisher, handle, slug, display_name, description, score, copies }
    }
}
