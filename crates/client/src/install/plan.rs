//! What the lock file shall say.

use kontor_types::SkillRef;
use kontor_wire::{Plan, PlanItem, ResolveRequest};

use super::agents::Agent;
use super::lock::{ANY, Lock, LockedSigner, LockedSkill, is_same};
use super::{Installer, is_named};
use crate::api::API;
use crate::error::Error;

/// One skill as it shall be.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its entry in the lock file.
    pub locked: LockedSkill,
    /// How to get it.
    pub item: PlanItem,
    /// Who signed the version that is installed, under whatever name the skill had then.
    pub pinned: Option<LockedSigner>,
    /// Whether the lock file has other bytes under the same name and number.
    pub replaced: bool,
}

impl Target {
    /// Has these agents get it too.
    pub fn also_for(&mut self, agents: &[&'static Agent]) {
        add(&mut self.locked.agents, agents.iter().map(|agent| agent.id.to_owned()));
    }

    /// What users should know about it.
    pub fn warnings(&self) -> Vec<String> {
        let name = &self.item.reference;
        let mut warnings = Vec::new();
        if self.item.yanked {
            warnings.push(format!("{name}@{} was withdrawn", self.item.version));
        }
        if let Some(deprecation) = &self.item.deprecation {
            let successor = deprecation.successor.as_ref().map(|next| format!("; use {next}")).unwrap_or_default();
            warnings.push(format!("{name} is deprecated: {}{successor}", deprecation.message));
        }
        warnings
    }
}

/// What one asks for by name: the reference, and what the lock file shall remember of the wish.
struct Wish {
    reference: SkillRef,
    requested: String,
}

impl Installer<'_> {
    /// Resolves what is installed together with what is `wanted`; the versions of all but those and `free` stay.
    pub(super) async fn plan(
        &self,
        wanted: &[SkillRef],
        agents: &[&'static Agent],
        free: &[SkillRef],
    ) -> Result<Vec<Target>, Error> {
        let mut wishes = Vec::new();
        for reference in wanted {
            let (publisher, slug) = self.client.full_name(reference).await?;
            let requested = reference.version.as_ref().map_or_else(|| ANY.to_owned(), ToString::to_string);
            let reference = SkillRef { publisher: Some(publisher), slug, version: reference.version.clone() };
            wishes.push(Wish { reference, requested });
        }
        for skill in self.own().filter(|skill| skill.requested.is_some()) {
            if !wishes.iter().any(|wish| is_same(&wish.reference, &skill.reference)) {
                let requested = skill.requested.clone().unwrap_or_default();
                wishes.push(Wish { reference: skill.wish()?, requested });
            }
        }
        let everything_free =
            !free.is_empty() && self.direct().iter().all(|name| free.iter().any(|free| is_named(name, free)));
        let stays = |skill: &&LockedSkill| {
            !everything_free && !wanted.iter().chain(free).any(|name| is_named(&skill.reference, name))
        };
        let request = ResolveRequest {
            requires: wishes.iter().map(|wish| wish.reference.clone()).collect(),
            prefer: self.own().filter(stays).map(LockedSkill::exact).collect(),
        };
        let plan = if request.requires.is_empty() { Plan::default() } else { self.client.resolve(&request).await? };
        let former: Vec<SkillRef> = wishes.iter().map(|wish| wish.reference.clone()).collect();
        self.follow_renames(&mut wishes, &plan).await?;
        let new: Vec<&SkillRef> = wishes.iter().take(wanted.len()).map(|wish| &wish.reference).collect();
        let mut targets = self.targets(plan, &wishes, &new, agents);
        for target in &mut targets {
            let names = wishes.iter().zip(&former).filter(|(wish, _)| is_same(&wish.reference, &target.item.reference));
            let names = names.map(|(_, former)| former).chain([&target.item.reference]);
            let entries = names.filter_map(|name| self.lock.find(self.client.registry(), name));
            let entries: Vec<&LockedSkill> = entries.collect();
            target.pinned = entries.iter().find_map(|entry| entry.signer.clone());
            target.replaced =
                entries.iter().any(|entry| entry.version == target.item.version && entry.digest != target.item.digest);
        }
        Ok(targets)
    }

    /// A skill that was renamed since comes back under its new name.
    async fn follow_renames(&self, wishes: &mut [Wish], plan: &Plan) -> Result<(), Error> {
        for wish in wishes {
            if !plan.items.iter().any(|item| is_same(&item.reference, &wish.reference)) {
                let skill = self.client.skill(wish.reference.publisher.as_ref(), &wish.reference.slug).await?;
                wish.reference.publisher = Some(skill.summary.publisher);
                wish.reference.slug = skill.summary.slug;
            }
        }
        Ok(())
    }

    fn targets(&self, plan: Plan, wishes: &[Wish], new: &[&SkillRef], agents: &[&'static Agent]) -> Vec<Target> {
        let entry = |item: &PlanItem| self.lock.find(self.client.registry(), &item.reference);
        let wish = |item: &PlanItem| wishes.iter().find(|wish| is_same(&wish.reference, &item.reference));
        let mut targets: Vec<Target> = plan
            .items
            .into_iter()
            .map(|item| {
                let before = entry(&item).map(|entry| entry.agents.clone()).unwrap_or_default();
                let locked = LockedSkill {
                    registry: self.client.registry().to_owned(),
                    reference: SkillRef { version: None, ..item.reference.clone() },
                    version: item.version.clone(),
                    digest: item.digest,
                    signer: item.signer.as_ref().map(Into::into),
                    requested: wish(&item).map(|wish| wish.requested.clone()),
                    agents: before,
                    requires: item.requires.iter().cloned().map(Into::into).collect(),
                };
                Target { locked, item, pinned: None, replaced: false }
            })
            .collect();
        for target in &mut targets {
            if new.iter().any(|name| is_same(name, &target.locked.reference)) {
                target.also_for(agents);
                if target.locked.agents.is_empty() {
                    target.locked.agents.push(Agent::SHARED.to_owned());
                }
            }
        }
        hand_down_agents(&mut targets);
        targets
    }

    /// What the lock file says, as a goal.
    pub(super) fn frozen_goal(&self) -> Result<Vec<Target>, Error> {
        let own = self.own().map(|locked| {
            let item = locked.item()?;
            Ok(Target { locked: locked.clone(), item, pinned: locked.signer.clone(), replaced: false })
        });
        own.collect()
    }
}

impl LockedSkill {
    /// What a plan would say of it.
    pub fn item(&self) -> Result<PlanItem, Error> {
        let (publisher, slug) = self.name()?;
        let archive = format!("/{API}/skills/{publisher}/{slug}/versions/{}/archive", self.version);
        Ok(PlanItem {
            reference: self.reference.clone(),
            version: self.version.clone(),
            digest: self.digest,
            size: kontor_package::Limits::CEILING.skill_bytes,
            direct: self.requested.is_some(),
            requires: Vec::new(),
            yanked: false,
            deprecation: None,
            signer: None,
            archive,
        })
    }
}

/// Whatever an agent has, it also has what that needs.
fn hand_down_agents(targets: &mut [Target]) {
    loop {
        let mut changed = false;
        let needs: Vec<(SkillRef, Vec<String>)> = targets
            .iter()
            .flat_map(|target| {
                let agents = &target.locked.agents;
                target.locked.requires.iter().map(move |need| (need.reference.clone(), agents.clone()))
            })
            .collect();
        for (name, agents) in needs {
            if let Some(target) = targets.iter_mut().find(|target| is_same(&target.locked.reference, &name)) {
                changed |= add(&mut target.locked.agents, agents);
            }
        }
        if !changed {
            return;
        }
    }
}

/// Adds what is missing; tells whether anything was.
fn add(agents: &mut Vec<String>, more: impl IntoIterator<Item = String>) -> bool {
    let before = agents.len();
    for agent in more {
        if !agents.contains(&agent) {
            agents.push(agent);
        }
    }
    agents.sort();
    agents.len() != before
}

/// The entries that stay when `names` of one hub are removed: those still asked for and what they need.
pub fn without(lock: &Lock, registry: &str, names: &[SkillRef]) -> Vec<LockedSkill> {
    let removed =
        |skill: &LockedSkill| skill.registry == registry && names.iter().any(|name| is_named(&skill.reference, name));
    let mut keep: Vec<&LockedSkill> = lock
        .skills
        .iter()
        .filter(|skill| skill.registry != registry || (skill.requested.is_some() && !removed(skill)))
        .collect();
    let mut place = 0;
    while let Some(skill) = keep.get(place).copied() {
        for need in &skill.requires {
            let found = lock.find(&skill.registry, &need.reference).filter(|found| !keep.contains(found));
            keep.extend(found);
        }
        place += 1;
    }
    lock.skills
        .iter()
        .filter(|skill| keep.contains(skill))
        .cloned()
        .map(|mut skill| {
            if removed(&skill) {
                skill.requested = None;
            }
            skill
        })
        .collect()
}
