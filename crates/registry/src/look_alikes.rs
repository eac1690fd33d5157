//! Names that people would take for the name of a skill which is there already.

use kontor_db::publishers::Publisher;
use kontor_db::skill_names;
use kontor_db::skills::{self, Filter, Skill, Sort};
use kontor_package::{Finding, LookAlike, Severity, confusable_with, skeleton};
use kontor_types::{PageSize, Slug, Viewer};

use crate::registry::name_of;
use crate::{Error, Registry};

/// Most look-alikes that are told.
const TOLD: usize = 3;

impl Registry {
    /// What is odd about a new name: it looks like that of a skill everybody may find, or lies one slip of a key from
    /// that of a much installed one. A name that the publisher has already is not odd.
    pub(crate) async fn look_alikes(&self, publisher: &Publisher, slug: &Slug) -> Result<Vec<Finding>, Error> {
        let mut conn = self.read().await?;
        if skill_names::get(&mut conn, publisher.id, slug).await?.is_some() {
            return Ok(Vec::new());
        }
        let told = u32::try_from(TOLD).unwrap_or(u32::MAX);
        let mut alike = skills::looking_like(&mut conn, &skeleton(slug.as_str()), slug, told).await?;
        let (everybody, all, most) = (Viewer::anonymous(), Filter::default(), PageSize::clamped(PageSize::MAX));
        let popular = skills::list(&mut conn, &everybody, &all, Sort::Installs, most, None).await?.unwrap_or_default();
        let one_slip = |skill: &Skill| confusable_with(slug.as_str(), skill.slug.as_str()) == Some(LookAlike::OneSlip);
        alike.extend(popular.items.into_iter().filter(one_slip));
        alike.retain(|skill| skill.publisher_id != publisher.id);
        Ok(alike.iter().take(TOLD).map(|skill| finding(slug, skill)).collect())
    }
}

fn finding(slug: &Slug, other: &Skill) -> Finding {
    let message = format!("the name `{slug}` is easily taken for {}", name_of(other));
    let remedy = "choose a name that nobody takes for another, unless it is meant to be the same";
    Finding::new("name_look_alike", Severity::Warning, "", message, remedy)
}
