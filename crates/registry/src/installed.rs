//! What became of versions that are installed somewhere.

use kontor_db::recalls::{self, Recalled};
use kontor_db::versions::{self, Version, VersionState};
use kontor_db::{Conn, skills::Skill};
use kontor_types::{Digest, Handle, SkillRef, Slug, Version as Number, VersionRange, Viewer};

use crate::{Assessment, Error, Installed, Registry};

/// Most copies that are asked about at once.
const MOST: usize = 200;
/// Most versions with one content that are looked at for a copy without a name.
const SAME_CONTENT: u32 = 20;

/// A copy of a version on somebody's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledCopy {
    /// The name and number it was installed by; nothing for bytes that somebody found.
    pub name: Option<(SkillRef, Number)>,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// The range it was asked for with; any version without one.
    pub range: Option<VersionRange>,
}

/// What the hub says of a copy now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The hub serves these bytes under this name.
    Admitted,
    /// It does, but they were withdrawn.
    Yanked,
    /// They were admitted and wait for a person now.
    Held,
    /// They were admitted and are refused now.
    Rejected,
    /// Their skill was deleted.
    Deleted,
    /// The hub has other bytes under this name and number.
    Replaced,
    /// The hub has nothing that the viewer may know of.
    Unknown,
}

/// What became of a copy.
#[derive(Debug, Clone)]
pub struct Fate {
    /// What was asked about.
    pub copy: InstalledCopy,
    /// What the hub says of it.
    pub standing: Standing,
    /// The publisher, skill and number it has on the hub today.
    pub name: Option<(Handle, Slug, Number)>,
    /// The skill, where the viewer may open it.
    pub skill: Option<Skill>,
    /// The version, where there is something to say of it.
    pub version: Option<Version>,
    /// What was found in it and decided about it.
    pub assessment: Option<Assessment>,
    /// The newest version within the range.
    pub wanted: Option<Number>,
    /// What `latest` points to.
    pub latest: Option<Number>,
}

impl Registry {
    /// What became of copies, in the order given.
    ///
    /// Who asks about a version that nobody sees any more is told of it only with its digest, which they have from its bytes,
    /// and only if it was admitted once and they could see it then. Everything else is unknown, whether it is there or not.
    pub async fn fates(&self, viewer: &Viewer, copies: Vec<InstalledCopy>) -> Result<Vec<Fate>, Error> {
        if copies.len() > MOST {
            return Err(Error::invalid(format!("ask about at most {MOST} copies at once")));
        }
        let mut conn = self.read().await?;
        let mut fates = Vec::with_capacity(copies.len());
        for copy in copies {
            fates.push(match copy.name.clone() {
                Some((reference, number)) => self.fate_of_named(&mut conn, viewer, copy, &reference, &number).await?,
                None => self.fate_of_bytes(&mut conn, viewer, copy).await?,
            });
        }
        drop(conn);
        let known: Vec<&Version> = fates.iter().filter_map(|fate| fate.version.as_ref()).collect();
        let mut assessments = self.assessments(&known).await?.into_iter();
        for fate in fates.iter_mut().filter(|fate| fate.version.is_some()) {
            fate.assessment = assessments.next();
        }
        Ok(fates)
    }

    async fn fate_of_named(
        &self,
        conn: &mut Conn,
        viewer: &Viewer,
        copy: InstalledCopy,
        reference: &SkillRef,
        number: &Number,
    ) -> Result<Fate, Error> {
        let asked = Installed {
            reference: reference.clone(),
            number: number.clone(),
            digest: Some(copy.digest),
            range: copy.range.clone(),
        };
        let compared = self.compare_one(conn, viewer, asked).await?;
        let mut fate = Fate::unknown(copy);
        let mut seen = None;
        if let Some(skill) = compared.skill {
            seen = versions::by_number(conn, viewer, skill.id, number).await?;
            (fate.wanted, fate.latest) = (compared.wanted, compared.latest);
            fate.skill = Some(skill);
        }
        if let Some(version) = seen {
            fate.standing = if version.digest == fate.copy.digest { standing(&version) } else { Standing::Replaced };
            if let Some(skill) = &fate.skill {
                fate.name = Some((skill.publisher.clone(), skill.slug.clone(), version.number.clone()));
            }
            fate.version = Some(version).filter(|_| fate.standing != Standing::Replaced);
            return Ok(fate);
        }
        let Some(publisher) = &reference.publisher else { return Ok(fate) };
        let recalled = recalls::by_name(conn, viewer, publisher, &reference.slug, number).await?;
        match recalled.filter(|recalled| recalled.digest == fate.copy.digest) {
            Some(recalled) => fate.recall(conn, recalled).await,
            None => Ok(fate),
        }
    }

    async fn fate_of_bytes(&self, conn: &mut Conn, viewer: &Viewer, copy: InstalledCopy) -> Result<Fate, Error> {
        let mut fate = Fate::unknown(copy);
        let mut same = versions::by_digest(conn, viewer, &fate.copy.digest, SAME_CONTENT).await?;
        // Who has the same bytes from several hands is told of the one that may be used.
        same.sort_by_key(|version| standing(version) as u8);
        for version in same {
            let Some(skill) = kontor_db::skills::find(conn, viewer, version.skill_id).await? else { continue };
            fate.standing = standing(&version);
            fate.name = Some((skill.publisher.clone(), skill.slug.clone(), version.number.clone()));
            fate.latest.clone_from(&skill.latest_number);
            (fate.skill, fate.version) = (Some(skill), Some(version));
            return Ok(fate);
        }
        let recalled = recalls::by_digest(conn, viewer, &fate.copy.digest, SAME_CONTENT).await?;
        // A decision says more than a deletion.
        match recalled.into_iter().min_by_key(|recalled| recalled.deleted_at.is_some()) {
            Some(recalled) => fate.recall(conn, recalled).await,
            None => Ok(fate),
        }
    }
}

impl Fate {
    const fn unknown(copy: InstalledCopy) -> Self {
        Self {
            copy,
            standing: Standing::Unknown,
            name: None,
            skill: None,
            version: None,
            assessment: None,
            wanted: None,
            latest: None,
        }
    }

    /// With what became of a version that was admitted once.
    async fn recall(mut self, conn: &mut Conn, recalled: Recalled) -> Result<Self, Error> {
        self.name = Some((recalled.publisher, recalled.slug, recalled.number));
        if recalled.deleted_at.is_some() {
            self.standing = Standing::Deleted;
            return Ok(self);
        }
        let version = versions::find(conn, &Viewer::hub(), recalled.id).await?;
        self.standing = version.as_ref().map_or(Standing::Unknown, standing);
        self.version = version;
        Ok(self)
    }
}

/// What is to be said of a version that may be spoken of.
const fn standing(version: &Version) -> Standing {
    match (version.state, version.yanked_at) {
        _ if version.hidden_at.is_some() => Standing::Unknown,
        (VersionState::Visible, None) => Standing::Admitted,
        (VersionState::Visible, Some(_)) => Standing::Yanked,
        (VersionState::Rejected, _) => Standing::Rejected,
        (VersionState::Held | VersionState::Pending, _) => Standing::Held,
    }
}
