//! What comes first, and where a page begins.

use kontor_types::{Cursor, SkillId};
use tantivy::DocAddress;
use uuid::Uuid;

use crate::Error;

/// One document that matches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    pub place: Place,
    pub address: DocAddress,
}

/// Where a document stands in the order: larger tiers and values first, then by id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub tier: u8,
    pub value: f64,
    pub skill: SkillId,
}

impl Place {
    /// Whether this comes before another.
    pub fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.tier.cmp(&self.tier))
            .then_with(|| other.value.total_cmp(&self.value))
            .then_with(|| self.skill.cmp(&other.skill))
    }

    /// The cursor of a page that begins behind this.
    pub fn cursor(&self) -> Cursor {
        Cursor::of(&[&self.tier, &self.value.to_bits(), &self.skill])
    }

    /// Reads what [`Place::cursor`] wrote.
    pub fn read(cursor: &Cursor) -> Result<Self, Error> {
        let [tier, value, skill] = cursor.keys::<3>().ok_or(Error::Cursor)?;
        Ok(Self {
            tier: tier.parse().map_err(|_| Error::Cursor)?,
            value: value.parse().map(f64::from_bits).map_err(|_| Error::Cursor)?,
            skill: skill.parse().map_err(|_| Error::Cursor)?,
        })
    }
}

/// The id of a skill from its two columns.
pub fn skill_id(high: u64, low: u64) -> SkillId {
    SkillId::from(Uuid::from_u64_pair(high, low))
}

/// The best candidates behind a place, as many as a page has and one more.
pub struct Page {
    after: Option<Place>,
    size: usize,
    best: Vec<Candidate>,
    /// The last place that can still make it, once there are enough candidates.
    floor: Option<Place>,
}

impl Page {
    /// A page of `size` items behind a place.
    pub const fn new(size: usize, after: Option<Place>) -> Self {
        Self { after, size, best: Vec::new(), floor: None }
    }

    /// Offers a candidate.
    pub fn offer(&mut self, candidate: Candidate) {
        if self.after.is_some_and(|after| candidate.place.cmp(&after).is_le()) {
            return;
        }
        self.best.push(candidate);
        if self.best.len() >= 2 * self.size + 64 {
            self.shrink();
        }
    }

    /// Whether a document of this tier and value could still be among the best.
    pub fn wants(&self, tier: u8, value: f64) -> bool {
        self.floor.is_none_or(|floor| tier > floor.tier || (tier == floor.tier && value >= floor.value))
    }

    /// The least value of a document of this tier that could still be among the best.
    pub fn least(&self, tier: u8) -> f64 {
        match self.floor {
            Some(floor) if tier == floor.tier => floor.value,
            Some(floor) if tier < floor.tier => f64::INFINITY,
            _ => f64::NEG_INFINITY,
        }
    }

    /// The items in order, and the cursor of the next page if one follows.
    pub fn finish(mut self) -> (Vec<Candidate>, Option<Cursor>) {
        self.shrink();
        self.best.sort_unstable_by(|left, right| left.place.cmp(&right.place));
        let more = self.best.len() > self.size;
        self.best.truncate(self.size);
        let next = if more { self.best.last().map(|last| last.place.cursor()) } else { None };
        (self.best, next)
    }

    /// Keeps one more than a page has.
    fn shrink(&mut self) {
        if self.best.len() > self.size {
            let (_, last, _) = self.best.select_nth_unstable_by(self.size, |left, right| left.place.cmp(&right.place));
            self.floor = Some(last.place);
            self.best.truncate(self.size + 1);
        }
    }
}
