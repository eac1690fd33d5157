//! A small hub's worth of documents.

use std::collections::HashMap;

use kontor_search::{Change, Document, Hits, Index};
use kontor_types::{Handle, PublisherId, SkillId, Slug, Timestamp, Visibility};

/// Documents in the order in which they were added.
#[derive(Default)]
pub struct World {
    pub documents: Vec<Document>,
    publishers: HashMap<String, PublisherId>,
}

impl World {
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of a publisher, made on first use.
    pub fn publisher(&mut self, handle: &str) -> PublisherId {
        let next = Timestamp::from_millis(i64::try_from(self.publishers.len()).unwrap());
        *self.publishers.entry(handle.to_owned()).or_insert_with(|| PublisherId::new(next))
    }

    /// Adds a public skill.
    pub fn add(&mut self, handle: &str, slug: &str, description: &str) -> &mut Document {
        let publisher = self.publisher(handle);
        let moment = Timestamp::from_millis(1_000_000 + 1_000 * i64::try_from(self.documents.len()).unwrap());
        self.documents.push(Document {
            skill: SkillId::new(moment),
            publisher,
            handle: Handle::parse(handle).unwrap(),
            slug: Slug::parse(slug).unwrap(),
            display_name: slug.to_owned(),
            description: description.to_owned(),
            description_derived: false,
            body: String::new(),
            keywords: Vec::new(),
            categories: Vec::new(),
            license: None,
            copy_of: None,
            visibility: Visibility::Public,
            spec_valid: true,
            downloads: 0,
            installs: 0,
            stars: 0,
            trending: 0.0,
            updated: moment,
            created: moment,
        });
        self.documents.last_mut().unwrap()
    }

    /// An index in memory that holds everything.
    pub fn index(&self) -> Index {
        let index = Index::in_memory().unwrap();
        index.apply(&self.changes(), 1).unwrap();
        index
    }

    pub fn changes(&self) -> Vec<Change> {
        self.documents.iter().map(|document| Change::Upsert(Box::new(document.clone()))).collect()
    }
}

/// The slugs of a page.
pub fn slugs(hits: &Hits) -> Vec<&str> {
    hits.items.iter().map(|hit| hit.slug.as_str()).collect()
}
