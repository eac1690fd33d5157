//! Whether every skill's `latest` follows its rule.

use kontor_db::skills::{self, Filter, Shelf, Skill, Sort};
use kontor_db::{Conn, changes, tags, versions};
use kontor_types::{PageSize, SkillId, TagName, Version, VersionId, Viewer};

use super::{Check, Error, FaultKind};
use crate::numbers;
use crate::release::settle_latest;

/// What `latest` should point to where it does not.
struct Wrong(Option<Version>);

impl Check<'_> {
    /// Compares what `latest` points to, as a tag and in lists, with the rule.
    pub(super) async fn latest(&mut self) -> Result<(), Error> {
        let (hub, size) = (Viewer::hub(), PageSize::clamped(PageSize::MAX));
        let filter = Filter { shelf: Shelf::Maintained, ..Filter::default() };
        let mut after = None;
        loop {
            let mut conn = self.db.read().await?;
            let page = skills::list(&mut conn, &hub, &filter, Sort::Name, size, after.as_ref()).await?;
            let Some(page) = page else { return Ok(()) };
            let mut suspects = Vec::new();
            for skill in page.items {
                if judge(&mut conn, skill.id, skill.latest_version_id).await?.is_some() {
                    suspects.push(skill);
                }
            }
            drop(conn);
            for skill in suspects {
                self.suspect(&skill).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Looks again while nobody else can change the skill: what was read before may belong to two moments.
    async fn suspect(&mut self, skill: &Skill) -> Result<(), Error> {
        let (id, mend, now) = (skill.id, self.options.mend, self.now);
        let wrong = self
            .db
            .write(move |tx| {
                Box::pin(async move {
                    skills::lock(tx, id).await?;
                    let Some(skill) = skills::find(tx, &Viewer::hub(), id).await? else { return Ok(None) };
                    let wrong = judge(tx, id, skill.latest_version_id).await?;
                    if mend && wrong.is_some() {
                        settle_latest(tx, id, now).await?;
                        changes::record(tx, changes::ChangeKind::Skill, id.uuid(), now).await?;
                    }
                    Ok::<_, kontor_db::Error>(wrong)
                })
            })
            .await?;
        if let Some(Wrong(expected)) = wrong {
            let detail = match expected {
                Some(number) => format!("`latest` should point to {number}"),
                None => "`latest` should point to nothing".to_owned(),
            };
            let subject = format!("@{}/{}", skill.publisher, skill.slug);
            self.found(FaultKind::LatestWrong, &subject, detail, mend);
        }
        Ok(())
    }
}

/// What `latest` should point to, when the skill's lists or its tag say otherwise.
async fn judge(conn: &mut Conn, skill: SkillId, said: Option<VersionId>) -> Result<Option<Wrong>, kontor_db::Error> {
    let versions = versions::all(conn, skill).await?;
    let expected = numbers::latest(&versions);
    let right = expected.map(|version| version.id);
    let tag = tags::find(conn, &Viewer::hub(), skill, &TagName::latest()).await?;
    let tagged = tag.map(|tag| tag.version_id);
    Ok((said != right || tagged != right).then(|| Wrong(expected.map(|version| version.number.clone()))))
}
