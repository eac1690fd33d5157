//! The newest versions of many skills at once, for documents that list them.

use std::collections::HashMap;

use kontor_db::skills::Skill;
use kontor_db::{version_files, versions};
use kontor_types::{Digest, VersionId, Viewer};

use crate::{Error, Found, Registry};

impl Registry {
    /// The newest version of each of these skills, in their order; a skill whose newest is not to be seen is left out.
    pub async fn newest_of(&self, viewer: &Viewer, skills: Vec<Skill>) -> Result<Vec<Found>, Error> {
        let ids: Vec<VersionId> = skills.iter().filter_map(|skill| skill.latest_version_id).collect();
        let rows = versions::find_many(&mut self.read().await?, viewer, &ids).await?;
        let mut by_id: HashMap<VersionId, _> = rows.into_iter().map(|version| (version.id, version)).collect();
        let found = skills.into_iter().filter_map(|skill| {
            let version = by_id.remove(&skill.latest_version_id?)?;
            Some(Found { skill: skill.into(), version: version.into() })
        });
        Ok(found.collect())
    }

    /// The digest of the only file, for those of these versions that have just one.
    pub async fn only_files(
        &self,
        viewer: &Viewer,
        versions: &[VersionId],
    ) -> Result<HashMap<VersionId, Digest>, Error> {
        let files = version_files::only(&mut self.read().await?, viewer, versions).await?;
        Ok(files.into_iter().map(|file| (file.version_id, file.digest)).collect())
    }
}
