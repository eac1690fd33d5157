//! Lists of skills, and search.

use std::collections::HashMap;

use kontor_db::skills::{self, Filter, Shelf, Skill, Sort};
use kontor_db::{publishers, requirements};
use kontor_search::{Facet, Query, Suggestion, Total};
use kontor_types::{Cursor, Handle, Page, PageSize, SkillId, SkillRef, Viewer, Visibility};

use crate::{Error, Registry};

/// Which skills a list holds, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// In which state; those in use unless told.
    pub shelf: Shelf,
    /// Of this publisher; one that the viewer may not know of has none.
    pub publisher: Option<Handle>,
    /// In this category.
    pub category: Option<String>,
    /// With this keyword.
    pub keyword: Option<String>,
    /// With exactly this licence.
    pub license: Option<String>,
    /// With this visibility.
    pub visibility: Option<Visibility>,
    /// Whose name begins with this.
    pub prefix: Option<String>,
    /// The order.
    pub sort: Sort,
}

/// A skill found by a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// How well it answers; comparable within one answer only.
    pub score: f32,
    /// The skill.
    pub skill: Skill,
    /// How many copies of it answer too and are not shown.
    pub copies: u64,
}

/// A page of what a search found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hits {
    /// Best first.
    pub items: Vec<Hit>,
    /// How many match in all.
    pub total: Total,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// The most frequent values of each facet, as many as were asked for.
    pub facets: Vec<Facet>,
    /// The query with misspelt words mended, when words of it were found nowhere.
    pub did_you_mean: Option<String>,
}

impl Registry {
    /// A page of the skills that the viewer may find.
    pub async fn list(
        &self,
        viewer: &Viewer,
        listing: &Listing,
        size: PageSize,
        after: Option<&Cursor>,
    ) -> Result<Page<Skill>, Error> {
        let mut conn = self.read().await?;
        let Some(filter) = filter(&mut conn, viewer, listing).await? else { return Ok(Page::default()) };
        skills::list(&mut conn, viewer, &filter, listing.sort, size, after).await?.ok_or(Error::Cursor)
    }

    /// How many skills of a list the viewer may find.
    pub async fn count(&self, viewer: &Viewer, listing: &Listing) -> Result<u64, Error> {
        let mut conn = self.read().await?;
        let Some(filter) = filter(&mut conn, viewer, listing).await? else { return Ok(0) };
        Ok(skills::count(&mut conn, viewer, &filter).await?)
    }

    /// Those of these skills that the viewer may find, in the order given.
    pub async fn listed(&self, viewer: &Viewer, ids: &[SkillId]) -> Result<Vec<Skill>, Error> {
        let rows = skills::listed(&mut self.read().await?, viewer, ids).await?;
        let mut by_id: HashMap<SkillId, Skill> = rows.into_iter().map(|skill| (skill.id, skill)).collect();
        Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
    }

    /// Searches, and answers with rows as they are now: what was hidden since the index last looked is left out.
    pub async fn search(&self, query: Query<'_>) -> Result<Hits, Error> {
        let viewer = query.viewer;
        let found = self.parts.index.search(&query)?;
        let ids: Vec<SkillId> = found.items.iter().map(|hit| hit.skill).collect();
        let known: HashMap<SkillId, (f32, u64)> =
            found.items.iter().map(|hit| (hit.skill, (hit.score, hit.copies))).collect();
        let rows = self.listed(viewer, &ids).await?;
        let hit = |skill: Skill| {
            let (score, copies) = known.get(&skill.id).copied().unwrap_or_default();
            Hit { score, skill, copies }
        };
        Ok(Hits {
            items: rows.into_iter().map(hit).collect(),
            total: found.total,
            next: found.next,
            facets: found.facets,
            did_you_mean: found.did_you_mean,
        })
    }

    /// Names that continue what was typed.
    pub fn suggest(&self, viewer: &Viewer, typed: &str, most: usize) -> Result<Vec<Suggestion>, Error> {
        Ok(self.parts.index.suggest(typed, viewer, most)?)
    }

    /// Skills that the viewer may find and whose newest version needs this one.
    pub async fn dependents(
        &self,
        viewer: &Viewer,
        reference: &SkillRef,
        size: PageSize,
        after: Option<&Cursor>,
    ) -> Result<Page<requirements::Dependent>, Error> {
        let mut conn = self.read().await?;
        let skill = self.skill_on(&mut conn, viewer, reference).await?;
        let name = (&skill.publisher, &skill.slug);
        requirements::dependents(&mut conn, viewer, name, size, after).await?.ok_or(Error::Cursor)
    }
}

/// The filter of a listing; none when it asks for a publisher that the viewer may not know of.
async fn filter(conn: &mut kontor_db::Conn, viewer: &Viewer, listing: &Listing) -> Result<Option<Filter>, Error> {
    let publisher = match &listing.publisher {
        None => None,
        Some(handle) => match publishers::find(conn, viewer, handle).await? {
            Some(publisher) => Some(publisher.id),
            None => return Ok(None),
        },
    };
    Ok(Some(Filter {
        shelf: listing.shelf,
        publisher,
        category: listing.category.clone(),
        keyword: listing.keyword.clone(),
        license: listing.license.clone(),
        visibility: listing.visibility,
        prefix: listing.prefix.clone(),
        starred_by: None,
    }))
}
