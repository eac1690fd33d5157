use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use kontor_db::Conn;
use kontor_db::requirements::{self, Requirement};
use kontor_db::skill_names::{self, NameKind};
use kontor_db::skills::{self, Skill};
use kontor_db::tags::{self, Tag};
use kontor_db::version_files::{self, File};
use kontor_db::versions::{self, Candidate, Reading, Version};
use kontor_types::{
    Cursor, Digest, Page, PageSize, SkillId, SkillRef, Slug, TagName, VersionId, VersionSelector, Viewer,
};

use crate::cache::Public;
use crate::registry::name_of;
use crate::{Error, Registry};

/// Most skills that are told when a bare slug is ambiguous.
const MATCHES: u32 = 20;
/// Most versions that are told for one digest.
const SAME_CONTENT: u32 = 50;

/// The descriptions of versions in a language that their authors wrote besides the format's own key.
pub(crate) async fn descriptions_on(
    conn: &mut Conn,
    viewer: &Viewer,
    language: &str,
    versions: &[VersionId],
) -> Result<HashMap<VersionId, String>, Error> {
    let key = format!("description-{language}");
    let told = versions::front_matter_of(conn, viewer, versions).await?;
    let described = told.into_iter().filter_map(|version| {
        let written = [version.front_matter.get("metadata"), Some(&version.front_matter)];
        let mut texts = written.into_iter().flatten().filter_map(|map| map.get(&key)?.as_str());
        let text = texts.find(|text| !text.trim().is_empty())?;
        Some((version.id, text.split_whitespace().collect::<Vec<_>>().join(" ")))
    });
    Ok(described.collect())
}

/// A version of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The skill, by its name of today.
    pub skill: Arc<Skill>,
    /// The version.
    pub version: Arc<Version>,
}

impl Found {
    /// The full name with the version.
    pub fn reference(&self) -> SkillRef {
        crate::release::full_name(&self.skill.publisher, &self.skill.slug, &self.version.number)
    }
}

impl Registry {
    /// The skill of this name: by its present or a former full name, or by a bare slug that only one skill may mean.
    ///
    /// Its present name is in the answer; a caller that cares for redirects compares.
    ///
    /// # Errors
    /// [`Error::SkillNotFound`] also for what the viewer may not see; [`Error::AmbiguousSlug`].
    pub async fn skill(&self, viewer: &Viewer, reference: &SkillRef) -> Result<Skill, Error> {
        if let Some(public) = self.public(viewer, reference).await? {
            return Ok(Skill::clone(&public.skill));
        }
        let mut conn = self.read().await?;
        self.skill_on(&mut conn, viewer, reference).await
    }

    pub(crate) async fn skill_on(
        &self,
        conn: &mut Conn,
        viewer: &Viewer,
        reference: &SkillRef,
    ) -> Result<Skill, Error> {
        let id = match &reference.publisher {
            Some(publisher) => skill_names::resolve(conn, viewer, publisher, &reference.slug).await?,
            None => self.bare(conn, viewer, &reference.slug).await?,
        };
        let missing = || Error::SkillNotFound { reference: unversioned(reference).into() };
        skills::find(conn, viewer, id.ok_or_else(missing)?).await?.ok_or_else(missing)
    }

    /// The one skill that a slug without a publisher may mean to this viewer.
    pub(crate) async fn bare(&self, conn: &mut Conn, viewer: &Viewer, slug: &Slug) -> Result<Option<SkillId>, Error> {
        let found = skill_names::resolve_bare(conn, viewer, slug, self.now(), MATCHES).await?;
        let mut shown: Vec<_> = found.iter().filter(|one| one.kind != NameKind::Reserved).collect();
        shown.dedup_by_key(|one| one.skill_id);
        let blocked = found.len() > shown.len() && found.iter().any(|one| one.kind == NameKind::Reserved);
        match shown.as_slice() {
            [] => Ok(None),
            [only] if !blocked => Ok(Some(only.skill_id)),
            many => Err(Error::AmbiguousSlug {
                slug: slug.clone(),
                matches: many.iter().map(|one| SkillRef::new(one.publisher.clone(), slug.clone())).collect(),
            }),
        }
    }

    /// The skill with this id that the viewer may open.
    pub async fn skill_by_id(&self, viewer: &Viewer, id: SkillId) -> Result<Option<Skill>, Error> {
        Ok(skills::find(&mut self.read().await?, viewer, id).await?)
    }

    /// The version that a reference means: a number, a tag, the highest in a range, or `latest`.
    pub async fn version(&self, viewer: &Viewer, reference: &SkillRef) -> Result<Found, Error> {
        let wanted = reference.version.as_ref();
        if let Some(public) = self.public(viewer, reference).await?
            && let Some(version) = public.version(wanted)
        {
            return Ok(Found { skill: Arc::clone(&public.skill), version: Arc::clone(version) });
        }
        let mut conn = self.read().await?;
        let skill = self.skill_on(&mut conn, viewer, reference).await?;
        self.version_on(&mut conn, viewer, skill, reference.version.as_ref()).await
    }

    pub(crate) async fn version_on(
        &self,
        conn: &mut Conn,
        viewer: &Viewer,
        skill: Skill,
        wanted: Option<&VersionSelector>,
    ) -> Result<Found, Error> {
        let version = match wanted {
            None => match skill.latest_version_id {
                Some(id) => versions::find(conn, viewer, id).await?,
                None => None,
            },
            Some(VersionSelector::Exact(number)) => versions::by_number(conn, viewer, skill.id, number).await?,
            Some(VersionSelector::Tag(name)) => match tags::find(conn, viewer, skill.id, name).await? {
                Some(tag) => versions::find(conn, viewer, tag.version_id).await?,
                None => None,
            },
            Some(VersionSelector::Range(range)) => {
                let all = versions::candidates(conn, viewer, skill.id).await?;
                let fits = |one: &&Candidate| one.is_eligible() && range.contains(&one.number);
                match all.iter().find(fits) {
                    Some(candidate) => versions::find(conn, viewer, candidate.id).await?,
                    None => None,
                }
            }
        };
        let wanted = || wanted.map_or_else(|| TagName::latest().to_string(), ToString::to_string);
        let version =
            version.ok_or_else(|| Error::VersionNotFound { skill: name_of(&skill).into(), wanted: wanted() })?;
        Ok(Found { skill: skill.into(), version: version.into() })
    }

    /// A page of a skill's versions, the newest first.
    pub async fn versions(
        &self,
        viewer: &Viewer,
        reference: &SkillRef,
        size: PageSize,
        after: Option<&Cursor>,
    ) -> Result<Page<Version>, Error> {
        let mut conn = self.read().await?;
        let skill = self.skill_on(&mut conn, viewer, reference).await?;
        versions::list(&mut conn, viewer, skill.id, size, after).await?.ok_or(Error::Cursor)
    }

    /// What was read from a version: front matter, manifest, findings.
    pub async fn reading(&self, viewer: &Viewer, version: VersionId) -> Result<Reading, Error> {
        let found = versions::reading(&mut self.read().await?, viewer, version).await?;
        found.ok_or(Error::NotFound { what: "version" })
    }

    /// What the authors of these versions wrote in `description-LANGUAGE` (in the front matter or below its
    /// `metadata`), where they did. `description` itself is what agents read, mostly English.
    pub async fn descriptions_in(
        &self,
        viewer: &Viewer,
        language: &str,
        versions: &[VersionId],
    ) -> Result<HashMap<VersionId, String>, Error> {
        descriptions_on(&mut self.read().await?, viewer, language, versions).await
    }

    /// What a version needs.
    pub async fn requirements(&self, viewer: &Viewer, version: VersionId) -> Result<Vec<Requirement>, Error> {
        let mut conn = self.read().await?;
        if versions::find(&mut conn, viewer, version).await?.is_none() {
            return Err(Error::NotFound { what: "version" });
        }
        Ok(requirements::of_version(&mut conn, viewer, version).await?)
    }

    /// The tags of a skill, by name.
    pub async fn tags(&self, viewer: &Viewer, skill: SkillId) -> Result<Vec<Tag>, Error> {
        if let Some(public) = self.public_by_id(skill).filter(|public| same_for_all(viewer, public)) {
            return Ok(public.tags.clone());
        }
        Ok(tags::list(&mut self.read().await?, viewer, skill).await?)
    }

    /// The files of a version, by the bytes of their path.
    pub async fn files(&self, viewer: &Viewer, version: VersionId) -> Result<Vec<File>, Error> {
        let files = self.public_files(version).await?;
        if !files.is_empty() {
            return Ok(files.to_vec());
        }
        Ok(version_files::list(&mut self.read().await?, viewer, version).await?)
    }

    /// Where a file of a version lies.
    pub async fn file(&self, viewer: &Viewer, found: &Found, path: &str) -> Result<File, Error> {
        let files = self.public_files(found.version.id).await?;
        if let Ok(place) = files.binary_search_by(|file| file.path.as_str().cmp(path)) {
            return Ok(files[place].clone());
        }
        let file = version_files::find(&mut self.read().await?, viewer, found.version.id, path).await?;
        file.ok_or_else(|| Error::FileNotFound { version: found.reference().into(), path: path.to_owned() })
    }

    /// A file's bytes, or a part of them.
    pub async fn file_bytes(&self, found: &Found, file: &File, part: Option<Range<u64>>) -> Result<Bytes, Error> {
        let part = part.unwrap_or(0..file.size);
        let start = file.position.saturating_add(part.start.min(file.size));
        let end = file.position.saturating_add(part.end.min(file.size)).max(start);
        if start == end {
            return Ok(Bytes::new());
        }
        Ok(self.parts.blobs.get_range(&found.version.digest, start..end).await?)
    }

    /// The canonical archive of a version, or a part of it, in pieces.
    pub async fn archive(
        &self,
        version: &Version,
        part: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes, kontor_blob::Error>>, Error> {
        let part = part.unwrap_or(0..version.size);
        let end = part.end.min(version.size);
        Ok(self.parts.blobs.stream(&version.digest, part.start.min(end)..end).await?)
    }

    /// The whole canonical archive of a version.
    pub async fn archive_bytes(&self, version: &Version) -> Result<Bytes, Error> {
        Ok(self.parts.blobs.get(&version.digest).await?)
    }

    /// The versions of a skill whose files have this ClawHub fingerprint, the newest first.
    pub async fn by_fingerprint(
        &self,
        viewer: &Viewer,
        skill: SkillId,
        fingerprint: &Digest,
    ) -> Result<Vec<Version>, Error> {
        if let Some(public) = self.public_by_id(skill).filter(|public| same_for_all(viewer, public)) {
            let same = public.versions.iter().filter(|version| version.fingerprint == *fingerprint);
            return Ok(same.map(|version| Version::clone(version)).collect());
        }
        Ok(versions::by_fingerprint(&mut self.read().await?, viewer, skill, fingerprint).await?)
    }

    /// The versions of any skill with this content that the viewer may see, the oldest first.
    pub async fn by_digest(&self, viewer: &Viewer, digest: &Digest) -> Result<Vec<Found>, Error> {
        let mut conn = self.read().await?;
        let mut found = Vec::new();
        for version in versions::by_digest(&mut conn, viewer, digest, SAME_CONTENT).await? {
            if let Some(skill) = skills::find(&mut conn, viewer, version.skill_id).await? {
                found.push(Found { skill: skill.into(), version: version.into() });
            }
        }
        Ok(found)
    }
}

/// Whether the viewer sees of this skill just what everybody sees.
fn same_for_all(viewer: &Viewer, public: &Public) -> bool {
    !viewer.is_administrator() && viewer.maintainer_of().all(|own| own != public.skill.publisher_id)
}

/// The same name without a version.
pub(crate) fn unversioned(reference: &SkillRef) -> SkillRef {
    SkillRef { version: None, ..reference.clone() }
}
