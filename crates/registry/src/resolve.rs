//! From what is wanted to one version of each skill that is needed.

mod explain;
mod solve;
mod universe;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kontor_access::Caller;
use kontor_db::requirements::{self, Requirement};
use kontor_db::skills::{self, Skill};
use kontor_db::versions::{self, Version};
use kontor_types::{Digest, SkillId, SkillRef, TagName, Version as Number, VersionRange, Viewer};

use crate::registry::name_of;
use crate::{Error, Found, Registry};
use solve::Chosen;
use universe::Universe;

/// Most skills that are wanted at once.
const WANTED: usize = 200;
/// Most installed skills that are compared at once.
const COMPARED: usize = 1_000;

/// One version of each skill that is needed, such that every requirement is met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What is required first; then by name.
    pub items: Vec<PlanItem>,
}

/// One version to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanItem {
    /// The skill, by its name of today.
    pub skill: Arc<Skill>,
    /// The version chosen.
    pub version: Arc<Version>,
    /// Whether it was asked for by name, not only needed by another.
    pub direct: bool,
    /// The other skills that it needs.
    pub requires: Vec<Requirement>,
}

/// What is installed somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The name it was installed by.
    pub reference: SkillRef,
    /// The version installed.
    pub number: Number,
    /// The digest installed.
    pub digest: Option<Digest>,
    /// The range it was asked for with; any version without one.
    pub range: Option<VersionRange>,
}

/// How an installed skill compares with the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What was asked about.
    pub installed: Installed,
    /// The skill as it is now; `None` when there is none that the viewer may see.
    pub skill: Option<Skill>,
    /// The newest version within the range.
    pub wanted: Option<Number>,
    /// What `latest` points to.
    pub latest: Option<Number>,
    /// Whether the installed version was withdrawn.
    pub yanked: bool,
    /// Whether the hub has other bytes under the installed number, or none that the viewer may see.
    pub differs: bool,
}

impl Registry {
    /// Chooses one version of each skill that is wanted or needed: the newest that satisfies everybody.
    ///
    /// A version that was withdrawn is chosen only where it is named exactly or `prefer` names it. The same hub and the
    /// same question give the same plan.
    ///
    /// # Errors
    /// [`Error::SkillNotFound`] and [`Error::VersionNotFound`] for what is wanted, [`Error::RequiresConflict`] and
    /// [`Error::RequiresCycle`] for what is needed, explained in words.
    pub async fn resolve(&self, viewer: &Viewer, wanted: &[SkillRef], prefer: &[SkillRef]) -> Result<Plan, Error> {
        if wanted.len() > WANTED || prefer.len() > COMPARED {
            return Err(Error::invalid(format!("ask for at most {WANTED} skills at once")));
        }
        if prefer.is_empty()
            && let Some(plan) = self.resolve_alone(viewer, wanted).await?
        {
            return Ok(plan);
        }
        let mut conn = self.read().await?;
        let mut universe = Universe::default();
        for reference in wanted {
            universe.want(self, &mut conn, viewer, reference).await?;
        }
        for reference in prefer {
            universe.prefer(self, &mut conn, viewer, reference).await?;
        }
        universe.explore(&mut conn, viewer).await?;
        let solved = tokio::task::spawn_blocking(move || {
            let chosen = solve::solve(&universe).map_err(|failure| explain::explain(&universe, &failure))?;
            Ok::<_, Error>((chosen, universe))
        });
        let (chosen, universe) = solved.await.map_err(|_| Error::Interrupted)??;
        plan(&mut conn, viewer, &universe, &chosen).await
    }

    /// [`Registry::resolve`] for somebody who wants to install all of it: the policy is asked about each version.
    ///
    /// # Errors
    /// Also [`Error::Forbidden`].
    pub async fn plan(&self, caller: &Caller, wanted: &[SkillRef], prefer: &[SkillRef]) -> Result<Plan, Error> {
        let plan = self.resolve(caller.viewer(), wanted, prefer).await?;
        for item in &plan.items {
            let found = Found { skill: Arc::clone(&item.skill), version: Arc::clone(&item.version) };
            self.may_install(caller, &found).await?;
        }
        Ok(plan)
    }

    /// The plan for skills that everybody sees and that need no others, from memory; `None` when there is more to it.
    async fn resolve_alone(&self, viewer: &Viewer, wanted: &[SkillRef]) -> Result<Option<Plan>, Error> {
        let mut items: Vec<PlanItem> = Vec::with_capacity(wanted.len());
        for reference in wanted {
            let Some(public) = self.public(viewer, reference).await? else { return Ok(None) };
            let Some(version) = public.alone(reference.version.as_ref()) else { return Ok(None) };
            if items.iter().any(|item| item.skill.id == public.skill.id) {
                return Ok(None);
            }
            let (skill, version) = (Arc::clone(&public.skill), Arc::clone(version));
            items.push(PlanItem { skill, version, direct: true, requires: Vec::new() });
        }
        items.sort_by_cached_key(|item| name_of(&item.skill).to_string());
        Ok(Some(Plan { items }))
    }

    /// How installed skills compare with what the hub has, in the order given.
    pub async fn compare(&self, viewer: &Viewer, installed: Vec<Installed>) -> Result<Vec<Comparison>, Error> {
        if installed.len() > COMPARED {
            return Err(Error::invalid(format!("ask about at most {COMPARED} skills at once")));
        }
        let mut conn = self.read().await?;
        let mut compared = Vec::with_capacity(installed.len());
        for installed in installed {
            compared.push(self.compare_one(&mut conn, viewer, installed).await?);
        }
        Ok(compared)
    }

    pub(crate) async fn compare_one(
        &self,
        conn: &mut kontor_db::Conn,
        viewer: &Viewer,
        installed: Installed,
    ) -> Result<Comparison, Error> {
        let skill = match self.skill_on(conn, viewer, &installed.reference).await {
            Ok(skill) => skill,
            Err(Error::SkillNotFound { .. } | Error::AmbiguousSlug { .. }) => {
                return Ok(Comparison {
                    installed,
                    skill: None,
                    wanted: None,
                    latest: None,
                    yanked: false,
                    differs: true,
                });
            }
            Err(error) => return Err(error),
        };
        let all = versions::candidates(conn, viewer, skill.id).await?;
        let own = all.iter().find(|version| version.number == installed.number);
        let wanted = match &installed.range {
            None => skill.latest_number.clone(),
            Some(range) => {
                let fits = |version: &&versions::Candidate| version.is_eligible() && range.contains(&version.number);
                all.iter().find(fits).map(|version| version.number.clone())
            }
        };
        let differs = own.is_none_or(|own| installed.digest.is_some_and(|digest| digest != own.digest));
        Ok(Comparison {
            wanted,
            latest: skill.latest_number.clone(),
            yanked: own.is_some_and(|own| own.yanked_at.is_some()),
            differs,
            skill: Some(skill),
            installed,
        })
    }
}

/// The chosen versions, what is needed before what needs it, by name among equals.
async fn plan(
    conn: &mut kontor_db::Conn,
    viewer: &Viewer,
    universe: &Universe,
    chosen: &Chosen,
) -> Result<Plan, Error> {
    let mut items = Vec::with_capacity(chosen.len());
    for id in order(universe, chosen) {
        let Some(version) = chosen.get(&id).and_then(|place| universe.version(id, *place)) else { continue };
        let skill = skills::find(conn, viewer, id).await?;
        let row = versions::find(conn, viewer, version.id).await?;
        // Something may have been hidden since the question was asked.
        let (Some(skill), Some(row)) = (skill, row) else { return Err(Error::NotFound { what: "version" }) };
        let requires = requirements::of_version(conn, viewer, version.id).await?;
        let (skill, row) = (Arc::new(skill), Arc::new(row));
        items.push(PlanItem { skill, version: row, direct: universe.is_wanted(id), requires });
    }
    Ok(Plan { items })
}

fn order(universe: &Universe, chosen: &Chosen) -> Vec<SkillId> {
    let needs: BTreeMap<SkillId, BTreeSet<SkillId>> =
        chosen.iter().map(|(id, place)| (*id, universe.needs_of(*id, *place).collect())).collect();
    let mut waiting: BTreeSet<(String, SkillId)> = chosen.keys().map(|id| (universe.name(*id), *id)).collect();
    let (mut ordered, mut placed) = (Vec::new(), BTreeSet::new());
    while !waiting.is_empty() {
        let ready = waiting.iter().find(|(_, id)| needs.get(id).is_none_or(|needs| needs.is_subset(&placed))).cloned();
        // There is no circle in a solution, so something is always ready.
        let Some(next) = ready.or_else(|| waiting.iter().next().cloned()) else { break };
        waiting.remove(&next);
        placed.insert(next.1);
        ordered.push(next.1);
    }
    ordered
}

/// What a reference asks of the versions of its skill.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Want {
    /// Any version, the newest first.
    Any,
    /// Exactly this number, withdrawn or not.
    Exactly(Number),
    /// What a tag pointed to when it was asked.
    Tagged(TagName, Number),
    /// Any number in a range.
    Within(VersionRange),
}
