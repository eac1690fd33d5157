use std::sync::Arc;

use kontor_access::Caller;
use kontor_db::skill_names::{Name, NameKind};
use kontor_db::{Conn, Tx, skill_names, skills, versions};
use kontor_package::Content;
use kontor_types::{Handle, Role, SkillId, SkillRef, Slug, TagName, Version, Viewer, Visibility};
use serde_json::Value;

use crate::intake::Intake;
use crate::keys::Given;
use crate::numbers::{self, Choice};
use crate::registry::{Unit, name_of};
use crate::release::{Published, Release};
use crate::{Error, Registry};

/// Most bytes of what a publisher says has changed.
const CHANGELOG_LIMIT: usize = 64 * 1024;
/// Most tags that one publish sets.
const TAGS_LIMIT: usize = 20;

/// What is to be published, and how.
#[derive(Debug, Clone)]
pub struct Publish {
    /// For whom.
    pub publisher: Handle,
    /// The files.
    pub content: Content,
    /// The skill's name; folded from what the content says unless given.
    pub slug: Option<Slug>,
    /// The name of the folder that held the files.
    pub folder: Option<String>,
    /// The name shown to people; what the content says unless given.
    pub display_name: Option<String>,
    /// The number; what the content says, or the next patch, unless given.
    pub version: Option<Version>,
    /// What changed, in the author's words.
    pub changelog: String,
    /// Tags to point to the version; `latest` goes by its rule whatever stands here.
    pub tags: Vec<TagName>,
    /// Categories besides those in the content.
    pub categories: Vec<String>,
    /// Keywords besides those in the content.
    pub keywords: Vec<String>,
    /// Who may see the skill, when it is new; everybody unless given.
    pub visibility: Option<Visibility>,
    /// Where the bytes came from, as a JSON object.
    pub origin: Option<Value>,
    /// The publisher's signature over the bytes and the full name: a DSSE envelope.
    pub signature: Option<Vec<u8>>,
    /// Only say what would happen.
    pub dry_run: bool,
}

impl Publish {
    /// Publishes `content` as what it says it is.
    pub fn new(publisher: Handle, content: Content) -> Self {
        Self {
            publisher,
            content,
            slug: None,
            folder: None,
            display_name: None,
            version: None,
            changelog: String::new(),
            tags: Vec::new(),
            categories: Vec::new(),
            keywords: Vec::new(),
            visibility: None,
            origin: None,
            signature: None,
            dry_run: false,
        }
    }
}

/// How a unit of publishing ends early.
enum Stop {
    /// It was only to be tried.
    Tried(Box<Published>),
    Failed(Error),
}

impl Registry {
    /// Publishes a version, atomically and idempotently: the same bytes under the same number succeed again and make
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] and [`Error::Content`] for what cannot be accepted, [`Error::VersionTaken`] for other bytes
    /// under a number that exists, [`Error::NameTaken`] and [`Error::NameReserved`] for the name.
    pub async fn publish(&self, caller: &Caller, request: Publish) -> Result<Published, Error> {
        let publisher = self.publisher(caller, &request.publisher, Role::Maintainer).await?;
        if request.changelog.len() > CHANGELOG_LIMIT {
            return Err(Error::invalid(format!("the changelog is longer than {CHANGELOG_LIMIT} bytes: shorten it")));
        }
        if request.tags.len() > TAGS_LIMIT {
            return Err(Error::invalid(format!("there are more than {TAGS_LIMIT} tags: set fewer at once")));
        }
        let packed = self.pack(request.content).await?;
        let mut intake = self.inspect(packed, request.folder).await?;
        let signature = request.signature.map(|envelope| Given::read(envelope, &intake.digest)).transpose()?;
        adorn(&mut intake, request.display_name, request.categories, request.keywords);
        let slug = request.slug.unwrap_or_else(|| intake.slug.clone());
        intake.findings.extend(self.look_alikes(&publisher, &slug, &intake.facts.display_name).await?);
        let tags = request.tags.into_iter().filter(|tag| *tag != TagName::latest()).collect();
        let release = Release {
            caller: caller.clone(),
            publisher,
            intake,
            action: "version.publish",
            changelog: request.changelog,
            origin: request.origin,
            tags,
            visibility: request.visibility.unwrap_or(Visibility::Public),
            notary: self.log().clone(),
            signature,
            tried: request.dry_run,
            now: self.now(),
        };
        if request.dry_run {
            return self.try_out(release, slug, request.version).await;
        }
        self.keep(release, move |tx, release| {
            let (slug, version) = (slug.clone(), request.version.clone());
            Box::pin(async move { place(tx, release, &slug, version.as_ref()).await })
        })
        .await
    }

    /// Stores the bytes, then the rows.
    pub(crate) async fn keep<T, F>(&self, release: Release, unit: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t Release) -> Unit<'t, T> + Send + Sync + 'static,
    {
        fail::fail_point!("registry::before_blob");
        self.parts.blobs.put(release.intake.bytes.clone()).await?;
        fail::fail_point!("registry::blob_stored");
        let (release, unit) = (Arc::new(release), Arc::new(unit));
        let written = self
            .write(move |tx| {
                let (release, unit) = (Arc::clone(&release), Arc::clone(&unit));
                Box::pin(async move { unit(tx, &release).await })
            })
            .await?;
        self.trust.waits.notify_waiters();
        fail::fail_point!("registry::committed");
        Ok(written)
    }

    /// Runs the whole unit and undoes it.
    async fn try_out(&self, release: Release, slug: Slug, version: Option<Version>) -> Result<Published, Error> {
        let outcome: Result<(), Stop> = self
            .parts
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let published = place(tx, &release, &slug, version.as_ref()).await?;
                    Err(Stop::Tried(Box::new(published)))
                })
            })
            .await;
        match outcome {
            Err(Stop::Tried(published)) => Ok(*published),
            Err(Stop::Failed(error)) => Err(error),
            Ok(()) => Err(Error::Interrupted),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<kontor_db::Error> for Stop {
    fn from(error: kontor_db::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Adds what the caller says besides the content.
fn adorn(intake: &mut Intake, display_name: Option<String>, categories: Vec<String>, keywords: Vec<String>) {
    if let Some(name) = display_name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) {
        intake.facts.display_name = name.chars().take(200).collect();
    }
    for (own, more) in [(&mut intake.facts.categories, categories), (&mut intake.facts.keywords, keywords)] {
        for word in more {
            let word: String = word.trim().chars().take(64).collect();
            if !word.is_empty() && own.len() < 50 && !own.contains(&word) {
                own.push(word);
            }
        }
    }
}

async fn place(tx: &mut Tx, release: &Release, slug: &Slug, asked: Option<&Version>) -> Result<Published, Error> {
    let written = release.intake.written.as_ref();
    let name = skill_names::get(tx, release.publisher.id, slug).await?;
    let skill = match owner_of(tx, release, name.as_ref()).await? {
        Owner::Skill(skill) => skill,
        free => {
            let number = asked.or(written).cloned().unwrap_or_else(Version::first);
            return release.first(tx, slug, number, matches!(free, Owner::Expired)).await;
        }
    };
    skills::lock(tx, skill).await?;
    let existing = versions::all(tx, skill).await?;
    match numbers::for_publish(&existing, &release.intake.digest, asked, written) {
        Choice::Same(version) => Ok(release.unchanged(slug, version)),
        Choice::New(number) => release.next(tx, skill, slug, number).await,
        Choice::Taken { number, next } => {
            let skill = SkillRef::new(release.publisher.handle.clone(), slug.clone()).into();
            Err(Error::VersionTaken { skill, number, next })
        }
    }
}

/// Whose a name is.
pub(crate) enum Owner {
    /// Nobody's.
    Nobody,
    /// Nobody's any longer; the row of a deleted skill may be used.
    Expired,
    /// This skill's.
    Skill(SkillId),
}

/// Whose the name is, or why it may not be used.
pub(crate) async fn owner_of(tx: &mut Tx, release: &Release, name: Option<&Name>) -> Result<Owner, Error> {
    let Some(name) = name else { return Ok(Owner::Nobody) };
    let reference = Box::new(SkillRef::new(release.publisher.handle.clone(), name.slug.clone()));
    match (name.kind, name.until) {
        (NameKind::Current, _) => Ok(Owner::Skill(name.skill_id)),
        (NameKind::Redirect, _) => {
            let target = target(tx, release.caller.viewer(), name.skill_id).await?;
            Err(Error::NameTaken { name: reference, target })
        }
        (NameKind::Reserved, Some(until)) if until > release.now => Err(Error::NameReserved { name: reference, until }),
        (NameKind::Reserved, _) => Ok(Owner::Expired),
    }
}

/// The full name of a skill that the viewer may open.
pub(crate) async fn target(conn: &mut Conn, viewer: &Viewer, skill: SkillId) -> Result<Option<Box<SkillRef>>, Error> {
    Ok(skills::find(conn, viewer, skill).await?.as_ref().map(|skill| name_of(skill).into()))
}
