//! Installing skills for agents: resolve, download, verify, swap in, lock.

mod agents;
mod inspect;
mod lock;
mod plan;
mod recover;
mod signers;
mod site;
mod swap;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use kontor_package::{Content, Limits};
use kontor_types::{Digest, SkillRef, Version, VersionSelector};
use kontor_wire::{
    Assessment, InstallReport, Installed, InstalledItem, OutdatedItem, OutdatedRequest, PlanItem, Verdict,
};
use serde::Serialize;

pub use agents::{AGENTS, Agent, UserFolders};
pub use inspect::{FileChanges, Stray, differences, strays};
pub use lock::{Lock, LockedRequirement, LockedSigner, LockedSkill};

use lock::is_same;
use signers::Signers;
pub use site::{Presence, Site, presence};

use crate::api::{Client, Name};
use crate::error::Error;
use swap::Swap;

/// Downloads under way at once.
const DOWNLOADS: usize = 4;

/// What was done to one skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// What was done.
    pub status: ChangeStatus,
    /// The version that is there now; the last one for a removed skill.
    pub version: Version,
    /// The version that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Version>,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// Its folders.
    pub folders: Vec<PathBuf>,
    /// Whether it was asked for, not only needed by another.
    pub direct: bool,
    /// What the scanner said of a version that is new here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What users should know: withdrawn, deprecated, not called clean by the scanner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What was done to a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeStatus {
    /// It is new.
    Installed,
    /// Another version took its place.
    Updated,
    /// It was there already.
    Unchanged,
    /// It is gone.
    Removed,
}

/// How to treat what is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalChanges {
    /// Refuse to touch folders that were changed by hand.
    Keep,
    /// Replace them.
    Overwrite,
}

/// Judges a version's proof, the bytes of a proof file, before the version is put in place; the error says why it is refused.
pub type Judge = dyn Fn(PlanItem, Vec<u8>) -> Judging + Send + Sync;

/// A judgement under way: whoever judges may ask the hub for more.
pub type Judging = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Installs skills of one hub at one site.
pub struct Installer<'a> {
    client: &'a Client,
    site: &'a Site,
    lock: Lock,
    local_changes: LocalChanges,
    judge: Option<Arc<Judge>>,
    signers: Signers,
}

impl<'a> Installer<'a> {
    /// Reads the site's lock file, and finishes or undoes what a killed process has left there.
    pub fn open(client: &'a Client, site: &'a Site, local_changes: LocalChanges) -> Result<Self, Error> {
        let lock = Lock::read(&site.lock)?;
        recover::recover(site, &lock)?;
        Ok(Self { client, site, lock, local_changes, judge: None, signers: Signers::default() })
    }

    /// Asks the hub for the proof of everything that is downloaded from now on, and installs only what `judge` lets pass.
    #[must_use]
    pub fn judged_by(self, judge: Arc<Judge>) -> Self {
        Self { judge: Some(judge), ..self }
    }

    /// Takes whoever signed the new versions, whatever the lock file has pinned.
    #[must_use]
    pub fn accepting_signers(mut self, accept: bool) -> Self {
        self.signers.accept = accept;
        self
    }

    /// Installs skills with all that they need, in the folders of `agents`; where they are already when that is empty.
    pub async fn install(&mut self, wanted: &[SkillRef], agents: &[&'static Agent]) -> Result<Vec<Change>, Error> {
        let goal = self.plan(wanted, agents, &[]).await?;
        self.require_signers(&goal).await?;
        self.apply(goal).await
    }

    /// Brings skills to the newest version in the range they were asked for with; all of them when `names` is empty.
    pub async fn update(&mut self, names: &[SkillRef]) -> Result<Vec<Change>, Error> {
        for name in names {
            self.entry(name)?;
        }
        let everything = [].as_slice();
        let names = if names.is_empty() { self.direct() } else { names.to_vec() };
        let goal = self.plan(everything, &[], &names).await?;
        self.require_signers(&goal).await?;
        self.apply(goal).await
    }

    /// Installs exactly what the lock file says.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no lock file, when it lacks what is wanted, or when a folder was changed.
    pub async fn install_frozen(
        &mut self,
        wanted: &[SkillRef],
        agents: &[&'static Agent],
    ) -> Result<Vec<Change>, Error> {
        if self.lock.skills.is_empty() {
            let hint = "install without --frozen once, and keep kontor.lock under version control";
            return Err(Error::refused(format!("there is nothing in {}", self.site.lock.display()), hint));
        }
        for reference in wanted {
            let entry = self.entry(reference)?;
            if let Some(version) = &reference.version
                && entry.requested.as_deref() != Some(&version.to_string())
                && *version != kontor_types::VersionSelector::Exact(entry.version.clone())
            {
                let message = format!("the lock file has {}, not {reference}", entry.exact());
                return Err(Error::refused(message, "install without --frozen to change the lock file"));
            }
        }
        for skill in &self.lock.skills {
            if agents.iter().any(|agent| !skill.agents.iter().any(|id| id == agent.id)) {
                let message = format!("the lock file has {} for {} only", skill.reference, skill.agents.join(", "));
                return Err(Error::refused(message, "install without --frozen to add an agent"));
            }
        }
        let goal = self.frozen_goal()?;
        self.require_standing(&goal).await?;
        self.apply(goal).await
    }

    /// Installs what the lock file has, in its versions, for these agents too.
    ///
    /// # Errors
    /// As [`Self::install_frozen`].
    pub async fn install_locked(&mut self, agents: &[&'static Agent]) -> Result<Vec<Change>, Error> {
        let mut goal = self.frozen_goal()?;
        for target in &mut goal {
            target.also_for(agents);
        }
        self.require_standing(&goal).await?;
        self.apply(goal).await
    }

    /// Removes skills, and what only they needed.
    pub fn remove(&mut self, names: &[SkillRef]) -> Result<Vec<Change>, Error> {
        for name in names {
            let entry = self.entry(name)?;
            let needed = self.lock.skills.iter().find(|skill| {
                skill.requires.iter().any(|need| is_same(&need.reference, &entry.reference))
                    && !names.iter().any(|name| is_named(&skill.reference, name))
            });
            if entry.requested.is_none()
                && let Some(needed) = needed
            {
                let message = format!("{} is needed by {}", entry.reference, needed.reference);
                return Err(Error::refused(message, format!("remove {} too", needed.reference)));
            }
        }
        let keep = plan::without(&self.lock, self.client.registry(), names);
        let gone: Vec<LockedSkill> = self.lock.skills.iter().filter(|skill| !keep.contains(skill)).cloned().collect();
        let mut swap = Swap::at(self.site);
        let mut changes = Vec::new();
        for skill in gone {
            changes.push(self.stage_removal(&skill, &mut swap)?);
        }
        self.finish(swap, keep)?;
        Ok(changes)
    }

    /// How the skills of this hub compare with it.
    pub async fn outdated(&self) -> Result<Vec<OutdatedItem>, Error> {
        let installed = self.own().map(|skill| Installed {
            reference: skill.reference.clone(),
            version: skill.version.clone(),
            digest: Some(skill.digest),
            range: skill.range(),
        });
        let installed: Vec<Installed> = installed.collect();
        let mut items = Vec::new();
        for part in installed.chunks(500) {
            items.extend(self.client.outdated(&OutdatedRequest { installed: part.to_vec() }).await?.items);
        }
        Ok(items)
    }

    /// The entries of this hub.
    fn own(&self) -> impl Iterator<Item = &LockedSkill> {
        self.lock.skills.iter().filter(|skill| skill.registry == self.client.registry())
    }

    fn direct(&self) -> Vec<SkillRef> {
        self.own().filter(|skill| skill.requested.is_some()).map(|skill| skill.reference.clone()).collect()
    }

    /// The entry that a name means; a bare name must fit exactly one.
    fn entry(&self, name: &SkillRef) -> Result<&LockedSkill, Error> {
        let mut fitting = self.own().filter(|skill| is_named(&skill.reference, name));
        match (fitting.next(), fitting.next()) {
            (Some(entry), None) => Ok(entry),
            (Some(first), Some(second)) => Err(Error::refused(
                format!("`{name}` may be {} or {}", first.reference, second.reference),
                "name the publisher too",
            )),
            (None, _) => Err(Error::refused(
                format!("`{name}` is not in {}", self.site.lock.display()),
                "`kontor list` shows what is installed",
            )),
        }
    }

    /// Downloads what is missing, swaps it in, removes what is no longer needed, and writes the lock file.
    async fn apply(&mut self, goal: Vec<plan::Target>) -> Result<Vec<Change>, Error> {
        let mut pending = Vec::new();
        let mut changes = Vec::new();
        for target in &goal {
            let agents: Vec<&'static Agent> = target.locked.known_agents().collect();
            let places = self.site.places(&agents, target.locked.name()?.1)?;
            let stale = self.stale_folders(&target.locked, places.keys())?;
            changes.push(self.change(target, places.into_keys().collect(), stale.is_empty()));
            if !stale.is_empty() {
                pending.push((target.item.clone(), stale));
            }
        }
        let mut swap = Swap::at(self.site);
        self.download(pending, &mut swap).await?;
        let keep: Vec<LockedSkill> = goal.into_iter().map(|target| target.locked).collect();
        let mut next: Vec<LockedSkill> =
            self.lock.skills.iter().filter(|skill| skill.registry != self.client.registry()).cloned().collect();
        let own: Vec<LockedSkill> = self.own().cloned().collect();
        for skill in own {
            match keep.iter().find(|kept| is_same(&kept.reference, &skill.reference)) {
                Some(kept) => self.stage_left_agents(&skill, kept, &mut swap)?,
                None => changes.push(self.stage_removal(&skill, &mut swap)?),
            }
        }
        next.extend(keep);
        self.judge_new(&mut changes).await?;
        self.finish(swap, next)?;
        self.tell(&changes).await;
        Ok(changes)
    }

    /// Adds what the scanner said of what is new, with a warning where that is not that it is clean: an administrator may have
    /// let it through.
    async fn judge_new(&self, changes: &mut [Change]) -> Result<(), Error> {
        let is_new = |change: &&mut Change| matches!(change.status, ChangeStatus::Installed | ChangeStatus::Updated);
        let mut new: Vec<&mut Change> = changes.iter_mut().filter(is_new).collect();
        for some in new.chunks_mut(200) {
            let names = some.iter().map(|change| exactly(&change.reference, &change.version)).collect();
            let told = self.client.assessments(names).await?.items;
            for change in some {
                let about =
                    |item: &&Assessment| is_same(&item.reference, &change.reference) && item.version == change.version;
                let Some(item) = told.iter().find(about) else { continue };
                let said = item.verdict.and_then(|verdict| caution(change, verdict, item.severity.as_deref()));
                change.verdict = item.verdict;
                change.warnings.extend(said);
            }
        }
        Ok(())
    }

    async fn download(&self, pending: Vec<(PlanItem, Vec<PathBuf>)>, swap: &mut Swap<'_>) -> Result<(), Error> {
        let mut arriving = futures::stream::iter(pending)
            .map(|(item, folders)| async move { Ok::<_, Error>((self.fetch(&item).await?, item.digest, folders)) })
            .buffered(DOWNLOADS);
        while let Some((content, digest, folders)) = arriving.try_next().await? {
            for folder in folders {
                swap.replace(&folder, &content, digest)?;
            }
        }
        Ok(())
    }

    /// Downloads a version and reads it; any difference from what was promised ends it, and a proof that does not hold.
    async fn fetch(&self, item: &PlanItem) -> Result<Content, Error> {
        self.client.content(item, self.judge.as_deref()).await
    }

    /// The folders that do not hold these bytes. One that holds others is only replaced when the lock file says that
    /// this program put them there, or when local changes may be overwritten.
    fn stale_folders<'b>(
        &self,
        locked: &LockedSkill,
        folders: impl Iterator<Item = &'b PathBuf>,
    ) -> Result<Vec<PathBuf>, Error> {
        let mut stale = Vec::new();
        for folder in folders {
            let found = presence(folder);
            if found == Presence::Exact(locked.digest) {
                continue;
            }
            if found != Presence::Missing {
                self.may_replace(folder, found)?;
            }
            stale.push(folder.clone());
        }
        Ok(stale)
    }

    fn may_replace(&self, folder: &std::path::Path, found: Presence) -> Result<(), Error> {
        if self.local_changes == LocalChanges::Overwrite {
            return Ok(());
        }
        let owner = self.lock.skills.iter().find(|skill| {
            let agents: Vec<&'static Agent> = skill.known_agents().collect();
            let places = skill.name().and_then(|(_, slug)| self.site.places(&agents, slug));
            places.is_ok_and(|places| places.contains_key(folder))
        });
        let shown = self.site.show(folder);
        match owner {
            Some(owner) if found == Presence::Exact(owner.digest) => Ok(()),
            Some(owner) => Err(Error::refused(
                format!("{shown} was changed since {} was installed", owner.exact()),
                "keep your changes elsewhere, or give --force to lose them",
            )),
            None => Err(Error::refused(
                format!("{shown} holds something that kontor did not install"),
                "move it away, or give --force to replace it",
            )),
        }
    }

    fn stage_removal(&self, skill: &LockedSkill, swap: &mut Swap<'_>) -> Result<Change, Error> {
        let agents: Vec<&'static Agent> = skill.known_agents().collect();
        let mut folders = Vec::new();
        for folder in self.site.places(&agents, skill.name()?.1)?.into_keys() {
            let found = presence(&folder);
            if found != Presence::Missing {
                self.may_replace(&folder, found)?;
                swap.remove(&folder)?;
            }
            folders.push(folder);
        }
        Ok(Change {
            reference: skill.reference.clone(),
            status: ChangeStatus::Removed,
            version: skill.version.clone(),
            previous: Some(skill.version.clone()),
            digest: skill.digest,
            folders,
            direct: skill.requested.is_some(),
            verdict: None,
            warnings: Vec::new(),
        })
    }

    /// Removes a skill from the folders of agents that it is no longer for.
    fn stage_left_agents(&self, before: &LockedSkill, after: &LockedSkill, swap: &mut Swap<'_>) -> Result<(), Error> {
        let all: Vec<&'static Agent> = before.known_agents().collect();
        let kept: Vec<&'static Agent> = after.known_agents().collect();
        let stay = self.site.places(&kept, after.name()?.1)?;
        for folder in self.site.places(&all, before.name()?.1)?.into_keys() {
            let found = presence(&folder);
            if !stay.contains_key(&folder) && found != Presence::Missing {
                self.may_replace(&folder, found)?;
                swap.remove(&folder)?;
            }
        }
        Ok(())
    }

    fn change(&self, target: &plan::Target, folders: Vec<PathBuf>, in_place: bool) -> Change {
        let locked = &target.locked;
        let before = self.lock.find(&locked.registry, &locked.reference);
        let previous = before.map(|before| before.version.clone()).filter(|version| *version != locked.version);
        let status = match (before, in_place) {
            (Some(before), true) if before.digest == locked.digest => ChangeStatus::Unchanged,
            (Some(_), _) if previous.is_some() => ChangeStatus::Updated,
            _ => ChangeStatus::Installed,
        };
        Change {
            reference: locked.reference.clone(),
            status,
            version: locked.version.clone(),
            previous,
            digest: locked.digest,
            folders,
            direct: locked.requested.is_some(),
            verdict: None,
            warnings: target.warnings(),
        }
    }

    fn finish(&mut self, swap: Swap<'_>, skills: Vec<LockedSkill>) -> Result<(), Error> {
        let mut lock = self.lock.clone();
        lock.skills = skills;
        let unchanged = lock.skills.len() == self.lock.skills.len()
            && lock.skills.iter().all(|skill| self.lock.skills.contains(skill));
        if unchanged {
            return swap.commit(|| Ok(()));
        }
        swap.commit(|| lock.write(&self.site.lock))?;
        self.lock = lock;
        Ok(())
    }

    /// Lets the hub count; nothing depends on it.
    async fn tell(&self, changes: &[Change]) {
        let new =
            changes.iter().filter(|change| matches!(change.status, ChangeStatus::Installed | ChangeStatus::Updated));
        let items: Vec<InstalledItem> = new
            .map(|change| InstalledItem { reference: change.reference.clone(), version: change.version.clone() })
            .collect();
        for part in items.chunks(200) {
            if let Err(error) = self.client.report_installs(&InstallReport { items: part.to_vec() }).await {
                tracing::debug!(%error, "the hub was not told of the installs");
            }
        }
    }
}

impl fmt::Debug for Installer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Installer").field("site", &self.site).field("lock", &self.lock).finish_non_exhaustive()
    }
}

fn exactly(reference: &SkillRef, version: &Version) -> SkillRef {
    SkillRef { version: Some(VersionSelector::Exact(version.clone())), ..reference.clone() }
}

/// What is to be said of a version that the scanner does not call clean.
fn caution(change: &Change, verdict: Verdict, severity: Option<&str>) -> Option<String> {
    let word = match verdict {
        Verdict::Clean => return None,
        Verdict::Incomplete => "could not examine all of it",
        Verdict::Suspicious => "calls it suspicious",
        Verdict::Malicious => "calls it malicious",
    };
    let worst = severity.filter(|severity| *severity != "none");
    let worst = worst.map(|severity| format!(" (worst finding: {severity})")).unwrap_or_default();
    let name = exactly(&change.reference, &change.version);
    Some(format!(
        "{name} was admitted, but the scanner {word}{worst}: look at `kontor info {name}` before an agent uses it"
    ))
}

/// Whether `name`, which may lack the publisher, means this skill.
fn is_named(reference: &SkillRef, name: &SkillRef) -> bool {
    reference.slug == name.slug && (name.publisher.is_none() || name.publisher == reference.publisher)
}

/// One installed skill with the state of its folders.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// Its entry in the lock file.
    pub locked: LockedSkill,
    /// What is in each of its folders.
    pub folders: BTreeMap<PathBuf, Presence>,
}

/// What is installed at a site, after finishing or undoing what a killed process has left there.
pub fn survey(site: &Site) -> Result<Vec<Surveyed>, Error> {
    let lock = Lock::read(&site.lock)?;
    if let Err(error) = recover::recover(site, &lock) {
        // Who may only read still learns what is there.
        tracing::warn!(%error, "what an interrupted install has left could not be cleaned up");
    }
    let mut found = Vec::new();
    for locked in lock.skills {
        let agents: Vec<&'static Agent> = locked.known_agents().collect();
        let places = site.places(&agents, locked.name()?.1)?;
        let folders = places.into_keys().map(|folder| (folder.clone(), presence(&folder))).collect();
        found.push(Surveyed { locked, folders });
    }
    Ok(found)
}

impl Client {
    /// The files of a version that a plan names: held to its digest, and to its proof when there is a judge.
    pub async fn content(&self, item: &PlanItem, judge: Option<&Judge>) -> Result<Content, Error> {
        let bytes = self.archive(item).await?;
        let what = format!("{}@{}", item.reference, item.version);
        if let Some(judge) = judge {
            self.prove(item, judge).await?;
        }
        Content::from_canonical(&bytes, &Limits::CEILING).map_err(|source| Error::Package { what, source })
    }

    /// Has a judge look at what the hub's log says of a version with this digest.
    ///
    /// # Errors
    /// The judge's, when the log does not say that these bytes were let in under this name.
    pub async fn prove(&self, item: &PlanItem, judge: &Judge) -> Result<(), Error> {
        let publisher = item.reference.publisher.as_ref().ok_or_else(|| {
            Error::Usage(format!("the plan names no publisher of {}@{}", item.reference, item.version))
        })?;
        let proof = self.proof(&Name(publisher, &item.reference.slug), &item.version).await?;
        judge(item.clone(), proof).await
    }
}
