use std::collections::HashMap;

use kontor_access::Caller;
use kontor_db::import_paths::{self, ImportPath};
use kontor_db::skill_names::{self, NameKind};
use kontor_db::versions::Candidate;
use kontor_db::{Tx, skills, versions};
use kontor_package::Content;
use kontor_types::{
    Digest, Handle, Problem, PublisherId, Role, SkillId, SkillRef, Slug, Timestamp, Version, Viewer, Visibility,
};
use serde_json::Value;

use crate::numbers::{self, Choice};
use crate::publish::{Owner, owner_of};
use crate::registry::name_of;
use crate::release::{Outcome, Published, Release, full_name};
use crate::{Error, Registry};

/// Most bytes of a source's name and of a path in it.
const NAME_LIMIT: usize = 1_024;
/// Most names that are tried when another has the one wanted.
const RENAMES: u32 = 100;
/// Most folders that are asked about at once.
const ASK_LIMIT: usize = 10_000;

/// One skill of a source, to be imported.
#[derive(Debug, Clone)]
pub struct Import {
    /// For whom.
    pub publisher: Handle,
    /// The stable name of the source, the same at every import.
    pub source: String,
    /// The folder in the source.
    pub path: String,
    /// The files.
    pub content: Content,
    /// The name to give it; folded from what the content says unless given.
    pub slug: Option<Slug>,
    /// The number that the source gave it, which outweighs one in the text.
    pub number: Option<Version>,
    /// The name of the folder that held the files.
    pub folder: Option<String>,
    /// What to do when another path or another hand has made a skill of the same name.
    pub on_conflict: OnConflict,
    /// Who may see the skill, when it is new; everybody unless given.
    pub visibility: Option<Visibility>,
    /// Where the bytes came from, as a JSON object.
    pub origin: Option<Value>,
}

impl Import {
    /// Imports `content` from this folder of this source as what it says it is.
    pub fn new(publisher: Handle, source: impl Into<String>, path: impl Into<String>, content: Content) -> Self {
        Self {
            publisher,
            source: source.into(),
            path: path.into(),
            content,
            slug: None,
            number: None,
            folder: None,
            on_conflict: OnConflict::Refuse,
            visibility: None,
            origin: None,
        }
    }
}

/// What to do when another path or another hand has made a skill of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Refuse it.
    #[default]
    Refuse,
    /// Give it the next free name: `name-2`.
    Rename,
}

/// What became of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStatus {
    /// A new skill.
    Imported,
    /// A new version of the skill that this folder made before.
    Updated,
    /// Nothing to do.
    Unchanged,
    /// Not taken.
    Refused,
}

impl ImportStatus {
    /// The word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// One skill of a source after its import.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The folder in the source.
    pub path: String,
    /// What became of it.
    pub status: ImportStatus,
    /// The full name with the version that holds these bytes; none for a refused one.
    pub reference: Option<SkillRef>,
    /// The number of that version.
    pub number: Option<Version>,
    /// The identity of the content.
    pub digest: Option<Digest>,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
}

/// Why a skill of a source was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable name of the finding or of the problem.
    pub code: String,
    /// What the matter is.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The file the message is about.
    pub file: Option<String>,
    /// The line in that file, counted from 1.
    pub line: Option<u32>,
}

/// What a folder was known to hold, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The folder in the source.
    pub path: String,
    /// The content last imported from there.
    pub digest: Digest,
    /// The skill it made, while the caller may see it.
    pub skill: Option<SkillRef>,
}

impl Registry {
    /// Imports one skill of a source: the folder is remembered, so its next content becomes the next version of exactly
    /// the skill that it made.
    ///
    /// What is wrong with the skill itself is told as [`ImportStatus::Refused`].
    ///
    /// # Errors
    /// For what would fail for every skill of the source: rights, an unknown publisher, the hub itself.
    pub async fn import(&self, caller: &Caller, request: Import) -> Result<Imported, Error> {
        let path = request.path.clone();
        match self.import_accepted(caller, request).await {
            Ok(imported) => Ok(imported),
            Err(error) => match refusal(&error) {
                Some(refusal) => Ok(Imported {
                    path,
                    status: ImportStatus::Refused,
                    reference: None,
                    number: None,
                    digest: None,
                    refusal: Some(refusal),
                }),
                None => Err(error),
            },
        }
    }

    async fn import_accepted(&self, caller: &Caller, request: Import) -> Result<Imported, Error> {
        let publisher = self.publisher(caller, &request.publisher, Role::Maintainer).await?;
        if request.source.is_empty() || request.source.len() > NAME_LIMIT || request.path.len() > NAME_LIMIT {
            let detail = format!("name the source and its folder in 1 to {NAME_LIMIT} bytes each");
            return Err(Error::invalid(detail));
        }
        let packed = self.pack(request.content).await?;
        let memory = Memory { publisher: publisher.id, source: request.source, path: request.path };
        if let Some(unchanged) = self.same_as_before(&memory, &packed.package.digest).await? {
            return Ok(unchanged);
        }
        let mut intake = self.inspect(packed, request.folder).await?;
        intake.written = request.number.or(intake.written);
        let release = Release {
            caller: caller.clone(),
            publisher,
            intake,
            action: "version.import",
            changelog: String::new(),
            origin: request.origin,
            tags: Vec::new(),
            visibility: request.visibility.unwrap_or(Visibility::Public),
            notary: self.log().clone(),
            signature: None,
            tried: false,
            now: self.now(),
        };
        let path = memory.path.clone();
        let wanted = Wanted {
            memory,
            slug: request.slug.unwrap_or_else(|| release.intake.slug.clone()),
            on_conflict: request.on_conflict,
        };
        let placed = self
            .keep(release, move |tx, release| {
                let wanted = wanted.clone();
                Box::pin(async move { wanted.place(tx, release).await })
            })
            .await?;
        Ok(told(path, &placed))
    }

    /// What folders of a source were known to hold, so that an importer need not send what has not changed.
    pub async fn known_imports(
        &self,
        caller: &Caller,
        publisher: &Handle,
        source: &str,
        paths: &[String],
    ) -> Result<Vec<Known>, Error> {
        let publisher = self.publisher(caller, publisher, Role::Maintainer).await?;
        if paths.len() > ASK_LIMIT {
            return Err(Error::invalid(format!("ask for at most {ASK_LIMIT} folders at once")));
        }
        let mut conn = self.read().await?;
        let rows = import_paths::find_many(&mut conn, publisher.id, source, paths).await?;
        let ids: Vec<SkillId> = rows.iter().map(|row| row.skill_id).collect();
        let skills = skills::find_many(&mut conn, caller.viewer(), &ids).await?;
        let names: HashMap<SkillId, _> = skills.iter().map(|skill| (skill.id, name_of(skill))).collect();
        let known =
            |row: ImportPath| Known { skill: names.get(&row.skill_id).cloned(), path: row.path, digest: row.digest };
        Ok(rows.into_iter().map(known).collect())
    }

    /// The answer for a folder whose content is what it was, without writing anything.
    async fn same_as_before(&self, memory: &Memory, digest: &Digest) -> Result<Option<Imported>, Error> {
        let mut conn = self.read().await?;
        let known = import_paths::find(&mut conn, memory.publisher, &memory.source, &memory.path).await?;
        let Some(row) = known.filter(|row| row.digest == *digest) else { return Ok(None) };
        let Some(skill) = skills::find(&mut conn, &Viewer::hub(), row.skill_id).await? else { return Ok(None) };
        let versions = versions::all(&mut conn, skill.id).await?;
        let Some(version) = versions.into_iter().find(|version| version.digest == *digest) else { return Ok(None) };
        Ok(Some(Imported {
            path: memory.path.clone(),
            status: ImportStatus::Unchanged,
            reference: Some(full_name(&skill.publisher, &skill.slug, &version.number)),
            number: Some(version.number),
            digest: Some(*digest),
            refusal: None,
        }))
    }
}

/// Which folder of which source, for whom.
#[derive(Debug, Clone)]
struct Memory {
    publisher: PublisherId,
    source: String,
    path: String,
}

impl Memory {
    async fn keep(&self, tx: &mut Tx, skill_id: SkillId, digest: Digest, now: Timestamp) -> Result<(), Error> {
        let row = ImportPath {
            publisher_id: self.publisher,
            source: self.source.clone(),
            path: self.path.clone(),
            skill_id,
            digest,
            imported_at: now,
        };
        Ok(import_paths::put(tx, &row).await?)
    }
}

/// What an import asks for besides its bytes.
#[derive(Debug, Clone)]
struct Wanted {
    memory: Memory,
    slug: Slug,
    on_conflict: OnConflict,
}

impl Wanted {
    async fn place(&self, tx: &mut Tx, release: &Release) -> Result<Published, Error> {
        let memory = &self.memory;
        let known = import_paths::find(tx, memory.publisher, &memory.source, &memory.path).await?;
        let published = match known {
            Some(row) => next_of(tx, release, row.skill_id).await?,
            None => match self.by_name(tx, release).await? {
                Placed::Mine(published) => published,
                // The folder is a copy of what another made: it is not remembered, or the two would take turns.
                Placed::Copy(published) => return Ok(published),
            },
        };
        memory.keep(tx, published.skill_id, release.intake.digest, release.now).await?;
        Ok(published)
    }

    async fn by_name(&self, tx: &mut Tx, release: &Release) -> Result<Placed, Error> {
        for attempt in 1..=RENAMES {
            let slug = numbered(&self.slug, attempt)?;
            let name = skill_names::get(tx, release.publisher.id, &slug).await?;
            let refused = match owner_of(tx, release, name.as_ref()).await {
                Ok(Owner::Skill(skill)) => {
                    let existing = versions::all(tx, skill).await?;
                    if let Some(same) = existing.iter().find(|version| version.digest == release.intake.digest) {
                        return same_content(tx, release, &slug, same).await;
                    }
                    self.conflict(tx, release, slug, skill).await?
                }
                Ok(free) => {
                    let number = release.intake.written.clone().unwrap_or_else(Version::first);
                    let taken_over = matches!(free, Owner::Expired);
                    return Ok(Placed::Mine(release.first(tx, &slug, number, taken_over).await?));
                }
                Err(error @ (Error::NameTaken { .. } | Error::NameReserved { .. })) => error,
                Err(error) => return Err(error),
            };
            if self.on_conflict == OnConflict::Refuse {
                return Err(refused);
            }
        }
        let made_by = Some("others, like the next names that were tried".to_owned());
        Err(Error::ImportConflict { name: full_slug(release, self.slug.clone()).into(), made_by })
    }

    /// The name is another's: whose.
    async fn conflict(&self, tx: &mut Tx, release: &Release, slug: Slug, holder: SkillId) -> Result<Error, Error> {
        let folders = import_paths::of_skill(tx, holder).await?;
        let made_by = folders.into_iter().next().map(|folder| {
            let own = folder.source == self.memory.source;
            format!("{} of {}", shown(&folder.path), if own { "this source" } else { &folder.source })
        });
        Ok(Error::ImportConflict { name: full_slug(release, slug).into(), made_by })
    }
}

enum Placed {
    /// The folder and the skill belong together.
    Mine(Published),
    /// Another folder made the same content.
    Copy(Published),
}

/// The same bytes under the same name: the folder's own when no other folder claims the skill.
async fn same_content(tx: &mut Tx, release: &Release, slug: &Slug, same: &Candidate) -> Result<Placed, Error> {
    let published = release.unchanged(slug, same);
    let claimed = !import_paths::of_skill(tx, same.skill_id).await?.is_empty();
    Ok(if claimed { Placed::Copy(published) } else { Placed::Mine(published) })
}

/// The next version of the skill that a folder made before.
async fn next_of(tx: &mut Tx, release: &Release, id: SkillId) -> Result<Published, Error> {
    skills::lock(tx, id).await?;
    let found = skills::find_maintained(tx, &Viewer::hub(), id).await?;
    let skill = found.ok_or(Error::NotFound { what: "skill" })?;
    if skill.deleted_at.is_some() {
        let names = skill_names::of_skill(tx, id).await?;
        let until = names.into_iter().find(|name| name.kind == NameKind::Reserved).and_then(|name| name.until);
        return Err(Error::NameReserved { name: name_of(&skill).into(), until: until.unwrap_or(release.now) });
    }
    let existing = versions::all(tx, id).await?;
    match numbers::for_import(&existing, &release.intake.digest, release.intake.written.as_ref()) {
        Choice::Same(version) => Ok(release.unchanged(&skill.slug, version)),
        Choice::New(number) => release.next(tx, id, &skill.slug, number).await,
        Choice::Taken { number, next } => Err(Error::VersionTaken { skill: name_of(&skill).into(), number, next }),
    }
}

fn full_slug(release: &Release, slug: Slug) -> SkillRef {
    SkillRef::new(release.publisher.handle.clone(), slug)
}

/// A folder of a source for people, who do not see an empty path.
fn shown(path: &str) -> String {
    if path.is_empty() { "the root".to_owned() } else { format!("`{path}`") }
}

/// `name`, `name-2`, `name-3` … cut to the length that a name may have.
fn numbered(slug: &Slug, attempt: u32) -> Result<Slug, Error> {
    if attempt == 1 {
        return Ok(slug.clone());
    }
    let suffix = format!("-{attempt}");
    let room = Slug::MAX_LENGTH.saturating_sub(suffix.len());
    let kept = slug.as_str().get(..room).unwrap_or(slug.as_str()).trim_end_matches('-');
    Slug::parse(&format!("{kept}{suffix}")).map_err(|error| Error::invalid(error.to_string()))
}

fn told(path: String, published: &Published) -> Imported {
    let status = match published.outcome {
        Outcome::Created => ImportStatus::Imported,
        Outcome::Updated => ImportStatus::Updated,
        Outcome::Unchanged => ImportStatus::Unchanged,
    };
    Imported {
        path,
        status,
        reference: Some(published.reference()),
        number: Some(published.number.clone()),
        digest: Some(published.digest),
        refusal: None,
    }
}

/// What is the matter with the skill itself; nothing for what would fail for every skill.
fn refusal(error: &Error) -> Option<Refusal> {
    let finding = match error {
        Error::Refused { findings } => findings.first().cloned(),
        Error::Content(error) => Some(error.finding()),
        Error::VersionTaken { .. }
        | Error::NameTaken { .. }
        | Error::NameReserved { .. }
        | Error::ImportConflict { .. } => None,
        _ => return None,
    };
    let Some(finding) = finding else {
        let Problem { code, detail, hint } = error.problem();
        return Some(Refusal { code: code.as_str().to_owned(), message: detail, hint, file: None, line: None });
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    Some(Refusal {
        code: finding.code.into_owned(),
        message: finding.message,
        hint: some(finding.remedy),
        file: some(finding.file),
        line: (finding.line > 0).then_some(finding.line),
    })
}
