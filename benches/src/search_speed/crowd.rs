//! Many skills out of a few thousand: names, descriptions and lines of real ones, mixed.

use kontor_search::{Change, Document};
use kontor_types::{Digest, Handle, PublisherId, SkillId, Slug, Timestamp, Visibility};

use crate::search::corpus::Yardstick;
use crate::search::figures::Draw;

/// How many queries of each kind are asked.
const QUERIES: usize = 500;
/// How many publishers share the skills.
const PUBLISHERS: usize = 500;

/// The texts that are mixed.
pub struct Crowd {
    documents: Vec<Document>,
    requests: Vec<String>,
}

impl Crowd {
    pub fn of(yardstick: &Yardstick) -> Self {
        let documents = yardstick.documents();
        Self { documents, requests: yardstick.requests.iter().map(|request| request.text.clone()).collect() }
    }

    /// The skill with this number, always the same: one in ten is not public.
    pub fn skill(&self, place: usize) -> Change {
        let mut draw = Draw(place as u64);
        let base = &self.documents[place % self.documents.len()];
        let other = self.any(&mut draw);
        let moment = Timestamp::from_millis(i64::try_from(place).unwrap_or(i64::MAX));
        let publisher = draw.below(PUBLISHERS);
        let name = format!("{} {}", base.display_name, other.display_name.split('-').next().unwrap_or_default());
        let visibility = match draw.below(20) {
            0 => Visibility::Private,
            1 => Visibility::Organisation,
            _ => Visibility::Public,
        };
        Change::Upsert(Box::new(Document {
            skill: SkillId::new(moment),
            publisher: PublisherId::new(Timestamp::from_millis(i64::try_from(publisher).unwrap_or_default())),
            handle: Handle::fold(&format!("publisher-{publisher}")),
            slug: Slug::fold(&format!("{name}-{place}"), &Digest::of(name.as_bytes())),
            display_name: name,
            description: if draw.below(2) == 0 { base.description.clone() } else { other.description.clone() },
            body: self.body(base, &mut draw),
            visibility,
            downloads: draw.below(10_000) as u64,
            updated: moment,
            created: moment,
            ..base.clone()
        }))
    }

    /// Half of the lines of one body, the other half from anywhere.
    fn body(&self, base: &Document, draw: &mut Draw) -> String {
        let mut body = String::with_capacity(base.body.len());
        for line in base.body.lines() {
            let stranger = if draw.below(2) == 0 { self.any(draw) } else { base };
            let line =
                if stranger.skill == base.skill { Some(line) } else { stranger.body.lines().nth(draw.below(40)) };
            body.push_str(line.unwrap_or_default());
            body.push('\n');
        }
        body
    }

    fn any(&self, draw: &mut Draw) -> &Document {
        &self.documents[draw.below(self.documents.len())]
    }

    /// One to three words of a description, as people type them.
    pub fn short_queries(&self) -> Vec<String> {
        let mut draw = Draw(1);
        let mut queries = Vec::new();
        while queries.len() < QUERIES {
            let description = &self.any(&mut draw).description;
            let words: Vec<&str> = description.split_whitespace().collect();
            let first = draw.below(words.len());
            let words: Vec<&str> = words.into_iter().skip(first).take(1 + draw.below(3)).collect();
            if !words.is_empty() {
                queries.push(words.join(" "));
            }
        }
        queries
    }

    /// Whole requests.
    pub fn sentences(&self) -> Vec<String> {
        self.requests.iter().take(QUERIES).cloned().collect()
    }
}
