//! What everybody may see, kept in memory: skills that an anonymous viewer may open, their shown versions, tags and files.
//!
//! An entry holds until its skill changes. Whoever reads first makes sure that the cache has heard of every change that
//! this process has committed; changes of other processes are heard of by the poll of the feed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kontor_db::skills::Skill;
use kontor_db::tags::{self, Tag};
use kontor_db::version_files::{self, File};
use kontor_db::versions::{self, Version};
use kontor_db::{Conn, changes, requirements, skill_names, skills};
use kontor_types::{Handle, PageSize, SkillId, SkillRef, Slug, TagName, VersionId, VersionSelector, Viewer};
use moka::sync::Cache;

use crate::gate::Answers;
use crate::{Error, Registry};

/// Most bytes of skills and of files, by a rough count.
const SKILL_BYTES: u64 = 16 << 20;
const FILE_BYTES: u64 = 8 << 20;
/// A skill with more shown versions is read from the database.
const VERSIONS: u32 = 200;
/// Changes heard of at a time.
const HEARD: u32 = 1_000;

/// A skill as an anonymous viewer sees it.
#[derive(Debug)]
pub(crate) struct Public {
    pub skill: Arc<Skill>,
    /// The newest first.
    pub versions: Vec<Arc<Version>>,
    pub tags: Vec<Tag>,
    /// The versions that need other skills.
    pub needy: Vec<VersionId>,
}

impl Public {
    /// The version that a selector means; `None` also when the question is not for the cache.
    pub fn version(&self, wanted: Option<&VersionSelector>) -> Option<&Arc<Version>> {
        let tagged = |name: &TagName| self.tags.iter().find(|tag| tag.name == *name).map(|tag| tag.version_id);
        let id = match wanted {
            None => self.skill.latest_version_id?,
            Some(VersionSelector::Tag(name)) => tagged(name)?,
            Some(VersionSelector::Exact(number)) => {
                return self.versions.iter().find(|version| version.number == *number);
            }
            Some(VersionSelector::Range(_)) => return None,
        };
        self.versions.iter().find(|version| version.id == id)
    }

    /// The version that is best for whoever asks for any or a number, and needs no other skill; `None` also when the
    /// question is not for the cache.
    pub fn alone(&self, wanted: Option<&VersionSelector>) -> Option<&Arc<Version>> {
        let version = match wanted {
            None => {
                let eligible = self.versions.iter().filter(|version| version.is_shown() && version.yanked_at.is_none());
                eligible.max_by_key(|version| (!version.number.is_prerelease(), &version.number))?
            }
            Some(VersionSelector::Exact(number)) => {
                self.versions.iter().find(|version| version.number == *number && version.is_shown())?
            }
            Some(VersionSelector::Tag(_) | VersionSelector::Range(_)) => return None,
        };
        (!self.needy.contains(&version.id)).then_some(version)
    }

    /// A rough count of the bytes it takes.
    fn weight(&self) -> u32 {
        let text = |version: &Arc<Version>| version.description.len() + version.changelog.len() + 1_024;
        let versions: usize = self.versions.iter().map(text).sum();
        u32::try_from(versions + self.skill.description.len() + 2_048).unwrap_or(u32::MAX)
    }
}

type Name = (Handle, Slug);

pub(crate) struct PublicCache {
    by_name: Cache<Name, Arc<Public>>,
    by_id: Cache<SkillId, Arc<Public>>,
    /// What a slug without a publisher means to somebody who is not signed in; any change may alter that.
    by_slug: Cache<Slug, Arc<Public>>,
    /// The files of shown versions; which skill a version belongs to is not known here, so any change empties it.
    files: Cache<VersionId, Arc<[File]>>,
    /// What the policy says of skills, for as long as they do not change.
    pub answers: Answers,
    /// How often this process has committed.
    commits: AtomicU64,
    /// What of that the cache has heard of.
    heard: AtomicU64,
    state: Mutex<State>,
    /// Held by whoever asks the feed, so that others wait for the answer instead of asking too.
    asking: tokio::sync::Mutex<()>,
}

/// How far the cache had heard when something was read: the last change, and how often counters were forgotten.
type Mark = (Option<i64>, u64);

#[derive(Default)]
struct State {
    /// The last change heard of; nothing is kept before the first.
    sequence: Option<i64>,
    /// How often skills were forgotten because their counters moved, which the feed tells of only now and then.
    counted: u64,
    /// The names under which a skill is kept.
    names: HashMap<SkillId, Vec<Name>>,
}

impl State {
    const fn mark(&self) -> Mark {
        (self.sequence, self.counted)
    }
}

impl PublicCache {
    pub fn new() -> Self {
        let weight = |_: &Name, public: &Arc<Public>| public.weight();
        let files = |_: &VersionId, files: &Arc<[File]>| {
            let bytes: usize = files.iter().map(|file| file.path.len() + 96).sum();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self {
            by_name: Cache::builder().max_capacity(SKILL_BYTES).weigher(weight).build(),
            by_id: Cache::builder()
                .max_capacity(SKILL_BYTES)
                .weigher(|_, public: &Arc<Public>| public.weight())
                .build(),
            by_slug: Cache::builder().max_capacity(10_000).build(),
            files: Cache::builder().max_capacity(FILE_BYTES).weigher(files).build(),
            answers: Answers::default(),
            commits: AtomicU64::new(1),
            heard: AtomicU64::new(0),
            state: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Something was committed by this process.
    pub fn committed(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
    }

    /// Up to where everything is heard of: what was read before it moved may be out of date.
    pub fn heard_up_to(&self) -> (u64, Option<i64>) {
        (self.commits.load(Ordering::SeqCst), self.state().sequence)
    }

    /// Hears of what was changed by this process, if there was anything since.
    pub async fn hear_if_behind(&self, registry: &Registry) -> Result<(), Error> {
        if self.is_current() { Ok(()) } else { self.hear(&mut registry.read().await?).await }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_current(&self) -> bool {
        self.heard.load(Ordering::SeqCst) == self.commits.load(Ordering::SeqCst)
    }

    /// Hears of what was changed up to now and forgets what is no longer true.
    async fn hear(&self, conn: &mut Conn) -> Result<(), Error> {
        let _one = self.asking.lock().await;
        if self.is_current() {
            return Ok(());
        }
        self.ask(conn).await
    }

    async fn ask(&self, conn: &mut Conn) -> Result<(), Error> {
        let commits = self.commits.load(Ordering::SeqCst);
        let known = self.state().sequence;
        let newest = changes::newest(conn).await?;
        match known {
            Some(known) if newest.saturating_sub(known) <= i64::from(HEARD) && newest >= known => {
                let batch = changes::after(conn, known, HEARD).await?;
                let mut state = self.state();
                if newest > known && batch.first().is_none_or(|first| first.seq != known + 1) {
                    // The feed has forgotten what was not heard of yet.
                    self.forget_all(&mut state);
                    state.sequence = Some(newest);
                }
                for change in &batch {
                    match change.kind {
                        Some(changes::ChangeKind::Skill | changes::ChangeKind::Use) => {
                            self.answers.forget(change.id.into());
                            self.forget(&mut state, change.id.into());
                        }
                        _ => self.forget_all(&mut state),
                    }
                }
                if let Some(last) = batch.last() {
                    self.by_slug.invalidate_all();
                    self.files.invalidate_all();
                    state.sequence = Some(last.seq);
                }
            }
            _ => {
                let mut state = self.state();
                self.forget_all(&mut state);
                state.sequence = Some(newest);
            }
        }
        self.heard.store(commits, Ordering::SeqCst);
        Ok(())
    }

    fn forget(&self, state: &mut State, skill: SkillId) {
        for name in state.names.remove(&skill).unwrap_or_default() {
            self.by_name.invalidate(&name);
        }
        self.by_id.invalidate(&skill);
    }

    /// Forgets skills whose counters moved, so that whoever looks next sees how much they were used.
    pub fn forget_counters(&self, skills: &[SkillId]) {
        let mut state = self.state();
        state.counted += 1;
        for skill in skills {
            for (_, slug) in state.names.get(skill).into_iter().flatten() {
                self.by_slug.invalidate(slug);
            }
            self.forget(&mut state, *skill);
        }
    }

    fn forget_all(&self, state: &mut State) {
        state.names.clear();
        self.answers.forget_all();
        self.by_name.invalidate_all();
        self.by_id.invalidate_all();
        self.by_slug.invalidate_all();
        self.files.invalidate_all();
    }

    /// Keeps what a bare slug meant when the cache had heard up to `mark`, unless something was heard of since.
    fn keep_bare(&self, slug: Slug, public: &Arc<Public>, mark: Mark) {
        let state = self.state();
        if state.mark() == mark && mark.0.is_some() {
            self.by_slug.insert(slug, Arc::clone(public));
        }
    }

    /// Keeps an entry that was read when the cache had heard up to `mark`, unless something was heard of since.
    fn keep(&self, name: Name, public: &Arc<Public>, mark: Mark) {
        let mut state = self.state();
        if state.mark() != mark || mark.0.is_none() {
            return;
        }
        if state.names.len() > 50_000 {
            // The caches forget by weight; the names of what they forgot go all at once.
            self.forget_all(&mut state);
        }
        let id = public.skill.id;
        let names = state.names.entry(id).or_default();
        if !names.contains(&name) {
            names.push(name.clone());
        }
        self.by_name.insert(name, Arc::clone(public));
        self.by_id.insert(id, Arc::clone(public));
    }
}

impl Registry {
    /// The skill of a name as everybody sees it; `None` when not everybody does. A bare slug is answered for those who are
    /// not signed in, since it may mean more to others.
    pub(crate) async fn public(&self, viewer: &Viewer, reference: &SkillRef) -> Result<Option<Arc<Public>>, Error> {
        match &reference.publisher {
            Some(publisher) => self.public_named((publisher.clone(), reference.slug.clone())).await,
            None if *viewer == Viewer::anonymous() => self.public_bare(&reference.slug).await,
            None => Ok(None),
        }
    }

    async fn public_named(&self, name: Name) -> Result<Option<Arc<Public>>, Error> {
        let cache = &self.cache;
        if let Some(public) = cache.is_current().then(|| cache.by_name.get(&name)).flatten() {
            return Ok(Some(public));
        }
        let mut conn = self.read().await?;
        cache.hear(&mut conn).await?;
        if let Some(public) = cache.by_name.get(&name) {
            return Ok(Some(public));
        }
        let mark = cache.state().mark();
        let Some(public) = load(&mut conn, &name).await? else { return Ok(None) };
        let public = Arc::new(public);
        cache.keep(name, &public, mark);
        Ok(Some(public))
    }

    async fn public_bare(&self, slug: &Slug) -> Result<Option<Arc<Public>>, Error> {
        let cache = &self.cache;
        if let Some(public) = cache.is_current().then(|| cache.by_slug.get(slug)).flatten() {
            return Ok(Some(public));
        }
        let mut conn = self.read().await?;
        cache.hear(&mut conn).await?;
        let mark = cache.state().mark();
        let everybody = Viewer::anonymous();
        let Some(id) = self.bare(&mut conn, &everybody, slug).await? else { return Ok(None) };
        let Some(skill) = skills::find(&mut conn, &everybody, id).await? else { return Ok(None) };
        drop(conn);
        let public = self.public_named((skill.publisher, skill.slug)).await?;
        if let Some(public) = &public {
            cache.keep_bare(slug.clone(), public, mark);
        }
        Ok(public)
    }

    /// The skill with this id as everybody sees it, if it was read lately.
    pub(crate) fn public_by_id(&self, skill: SkillId) -> Option<Arc<Public>> {
        self.cache.is_current().then(|| self.cache.by_id.get(&skill)).flatten()
    }

    /// The files of a version that everybody sees.
    pub(crate) async fn public_files(&self, version: VersionId) -> Result<Arc<[File]>, Error> {
        if let Some(files) = self.cache.files.get(&version).filter(|_| self.cache.is_current()) {
            return Ok(files);
        }
        let mut conn = self.read().await?;
        let sequence = self.cache.state().sequence;
        let files: Arc<[File]> = version_files::list(&mut conn, &Viewer::anonymous(), version).await?.into();
        let state = self.cache.state();
        if sequence.is_some() && state.sequence == sequence && !files.is_empty() {
            self.cache.files.insert(version, Arc::clone(&files));
        }
        Ok(files)
    }

    /// Hears of changes that other processes made.
    pub(crate) async fn hear_of_others(&self) -> Result<(), Error> {
        let mut conn = self.read().await?;
        // A policy that others set, too; one that cannot be read leaves the old one, and is told where it matters.
        if let Err(error) = self.trust.policy.get(&mut conn).await {
            tracing::error!(error = &error as &dyn std::error::Error, "the policy in force could not be read");
        }
        let _one = self.cache.asking.lock().await;
        self.cache.ask(&mut conn).await
    }
}

/// Reads a skill as everybody sees it; `None` also for one with too many versions to keep.
async fn load(conn: &mut Conn, (publisher, slug): &Name) -> Result<Option<Public>, Error> {
    let everybody = Viewer::anonymous();
    let Some(id) = skill_names::resolve(conn, &everybody, publisher, slug).await? else { return Ok(None) };
    let Some(skill) = skills::find(conn, &everybody, id).await? else { return Ok(None) };
    let size = PageSize::clamped(VERSIONS);
    let page = versions::list(conn, &everybody, id, size, None).await?.unwrap_or_default();
    if page.next.is_some() {
        return Ok(None);
    }
    let tags = tags::list(conn, &everybody, id).await?;
    let mut needy: Vec<VersionId> =
        requirements::of_skill(conn, &everybody, id).await?.into_iter().map(|row| row.version_id).collect();
    needy.dedup();
    let versions = page.items.into_iter().map(Arc::new).collect();
    Ok(Some(Public { skill: Arc::new(skill), versions, tags, needy }))
}
