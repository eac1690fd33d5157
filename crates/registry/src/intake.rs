//! Reading what is to be published: facts, findings, canonical bytes and the index of files.

use bytes::Bytes;
use kontor_db::requirements::Requirement;
use kontor_db::skills::Facts;
use kontor_db::version_files::File;
use kontor_package::{Content, DerivedField, Finding, Inspection, Manifest, Package, fingerprint, inspect, pack};
use kontor_types::{Digest, Slug, Version};
use serde_json::{Value, json};

use crate::{Error, Registry};

/// Content that the hub accepts, ready to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    /// The canonical archive.
    pub bytes: Bytes,
    /// Its identity.
    pub digest: Digest,
    /// Where each file lies in it.
    pub files: Vec<File>,
    /// The content's identity as ClawHub clients compute it.
    pub fingerprint: Digest,
    /// What the skill shows.
    pub facts: Facts,
    /// The name folded from what is written.
    pub slug: Slug,
    /// The number that the content gives itself.
    pub written: Option<Version>,
    /// The path of the skill's text.
    pub skill_file: String,
    /// The front matter as JSON.
    pub front_matter: Value,
    /// The manifest as JSON.
    pub manifest: Option<Value>,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// Other skills it needs.
    pub requirements: Vec<Requirement>,
}

/// Content in its canonical form, not yet read.
pub(crate) struct Packed {
    pub content: Content,
    pub package: Package,
}

impl Registry {
    /// Packs content, away from the threads that serve requests.
    pub(crate) async fn pack(&self, content: Content) -> Result<Packed, Error> {
        away(move || {
            let package = pack(&content);
            Ok(Packed { content, package })
        })
        .await
    }

    /// Reads what packed content says; refused when the hub does not accept it.
    pub(crate) async fn inspect(&self, packed: Packed, folder: Option<String>) -> Result<Intake, Error> {
        away(move || Intake::read(packed, folder.as_deref())).await
    }
}

pub(crate) async fn away<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Interrupted)?
}

impl Intake {
    fn read(Packed { content, package }: Packed, folder: Option<&str>) -> Result<Self, Error> {
        let inspection = inspect(&content, folder);
        if !inspection.accepted {
            return Err(Error::Refused { findings: inspection.errors().cloned().collect() });
        }
        let slug = inspection.slug(&package.digest);
        let facts = facts(&inspection, &slug);
        let files: Vec<File> = package
            .files
            .into_iter()
            .map(|file| File { path: file.path, position: file.offset, size: file.size, digest: file.digest })
            .collect();
        Ok(Self {
            bytes: package.bytes.into(),
            digest: package.digest,
            fingerprint: fingerprint(files.iter().map(|file| (file.path.as_str(), file.digest))),
            files,
            facts,
            slug,
            written: inspection.facts.version,
            skill_file: inspection.facts.skill_file,
            front_matter: inspection.facts.front_matter.unwrap_or_else(|| json!({})),
            requirements: inspection.manifest.as_ref().map(requirements).unwrap_or_default(),
            manifest: inspection.manifest.as_ref().and_then(|manifest| serde_json::to_value(manifest).ok()),
            findings: inspection.findings,
        })
    }

    /// Bytes of the archive.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

fn facts(inspection: &Inspection, slug: &Slug) -> Facts {
    let facts = &inspection.facts;
    let named = !facts.display_name.trim().is_empty();
    let license = facts.license.as_ref();
    Facts {
        display_name: if named { facts.display_name.clone() } else { slug.to_string() },
        description: facts.description.clone(),
        description_derived: facts.derived.contains(&DerivedField::Description),
        license: license.map(|license| license.spdx.clone().unwrap_or_else(|| license.written.clone())),
        categories: facts.categories.clone(),
        keywords: facts.keywords.clone(),
        spec_valid: inspection.spec_valid,
    }
}

fn requirements(manifest: &Manifest) -> Vec<Requirement> {
    let named = manifest.required().filter_map(|(reference, range)| {
        Some(Requirement { publisher: reference.publisher?, slug: reference.slug, range: range.clone() })
    });
    named.collect()
}
