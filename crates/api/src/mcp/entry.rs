//! A skill as the Skills extension of the protocol describes it (SEP-2640): its front matter, and every file with its digest.

use kontor_access::Caller;
use kontor_registry::{File, Found, Reading};
use rmcp::model::{JsonObject, MetaObject, SKILL_MD, Skill, SkillFrontmatter, SkillResource, SkillResources};
use serde_json::{Value, json};

use super::skill_uri::{self, SkillUri};
use crate::{Failure, Hub};

/// The most files of a skill that every host must take.
const MOST_FILES: u64 = 512;
/// The most bytes of a skill's files that every host must take.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// The most characters of a description, as the open format has it.
const LONGEST_DESCRIPTION: usize = 1_024;
const LONGEST_COMPATIBILITY: usize = 500;
/// What a front matter that was mended line by line is marked with: it is not what the file says.
const BROKEN: &str = "yaml_broken";

/// A version that can be served as a skill of the extension.
pub(super) struct Entry {
    /// The version.
    pub found: Found,
    /// The address of its folder.
    pub root: String,
    /// Its files, by the bytes of their path.
    pub files: Vec<File>,
    frontmatter: SkillFrontmatter,
}

impl Entry {
    /// What is served of a version; `None` where the extension cannot carry it: a front matter that breaks the format,
    /// another name than `SKILL.md`, more files or bytes than every host must take.
    pub async fn of(hub: &Hub, caller: &Caller, found: Found) -> Result<Option<Self>, Failure> {
        if found.version.skill_file != SKILL_MD || found.version.file_count > MOST_FILES {
            return Ok(None);
        }
        let (registry, viewer) = (&hub.app.registry, caller.viewer());
        let reading = registry.reading(viewer, found.version.id).await?;
        let Some(frontmatter) = frontmatter(reading) else { return Ok(None) };
        let files = registry.files(viewer, found.version.id).await?;
        if files.iter().map(|file| file.size).fold(0, u64::saturating_add) > MOST_BYTES {
            return Ok(None);
        }
        let root = skill_uri::root(&found.skill.publisher, &found.skill.slug, &frontmatter.name);
        let entry = Self { found, root, files, frontmatter };
        Ok(entry.skill().validate().is_ok().then_some(entry))
    }

    /// The newest version of the skill at an address, and the path inside it; `None` when nothing has exactly this address.
    ///
    /// # Errors
    /// When the policy does not let the caller have its bytes.
    pub async fn at(hub: &Hub, caller: &Caller, uri: &str) -> Result<Option<(Self, String)>, Failure> {
        let Some(asked) = SkillUri::parse(uri) else { return Ok(None) };
        let registry = &hub.app.registry;
        let found = match registry.version(caller.viewer(), &asked.skill).await {
            Ok(found) => found,
            Err(error) if error.problem().code.status() == 404 => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        registry.may_install(caller, &found).await?;
        let Some(entry) = Self::of(hub, caller, found).await? else { return Ok(None) };
        let Some(path) = entry.inside(&asked.rest).map(str::to_owned) else { return Ok(None) };
        // A former name of the skill, or another spelling, is another address.
        Ok((skill_uri::below(&entry.root, &path) == uri).then_some((entry, path)))
    }

    /// The path inside the skill of what follows the hub's name for it.
    fn inside<'r>(&self, rest: &'r str) -> Option<&'r str> {
        if self.frontmatter.name == self.found.skill.slug.as_str() {
            return Some(rest);
        }
        let rest = rest.strip_prefix(&self.frontmatter.name)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }

    /// The file of this path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The address of a file or folder.
    pub fn uri(&self, path: &str) -> String {
        skill_uri::below(&self.root, path)
    }

    /// The name that the skill gives itself.
    pub fn name(&self) -> &str {
        &self.frontmatter.name
    }

    /// What the skill says it is for.
    pub fn description(&self) -> &str {
        &self.frontmatter.description
    }

    /// Which version of which skill this is.
    pub fn meta(&self) -> MetaObject {
        let mut meta = MetaObject::new();
        meta.insert("kontor/skill".to_owned(), json!(self.found.reference()));
        meta.insert("kontor/digest".to_owned(), json!(self.found.version.digest));
        meta
    }

    /// The entry as the extension has it.
    pub fn skill(&self) -> Skill {
        let resource =
            |file: &File| SkillResource::new(self.uri(&file.path), format!("sha256:{}", file.digest.hex()), file.size);
        let files = SkillResources::Files(self.files.iter().map(resource).collect());
        Skill::new(self.uri(SKILL_MD), self.frontmatter.clone(), files).with_meta(self.meta())
    }
}

/// Whether a key of the open format has a value that the format gives it; keys that it does not know are the author's matter.
fn is_regular(key: &str, value: &Value) -> bool {
    let text = |most: usize| value.as_str().is_some_and(|text| text.chars().count() <= most);
    match key {
        "license" | "allowed-tools" => value.is_string(),
        "compatibility" => text(LONGEST_COMPATIBILITY),
        "metadata" => value.as_object().is_some_and(|map| map.values().all(Value::is_string)),
        _ => true,
    }
}

/// The front matter exactly as it was written, where it names and describes the skill.
fn frontmatter(reading: Reading) -> Option<SkillFrontmatter> {
    let findings = reading.findings.as_array().map(Vec::as_slice).unwrap_or_default();
    if findings.iter().any(|finding| finding["code"] == BROKEN) {
        return None;
    }
    let Value::Object(mut extra) = reading.front_matter else { return None };
    let mut text = |key: &str| match extra.shift_remove(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text),
        _ => None,
    };
    let (name, description) = (text("name")?, text("description")?);
    if description.chars().count() > LONGEST_DESCRIPTION || !extra.iter().all(|(key, value)| is_regular(key, value)) {
        return None;
    }
    let mut frontmatter = SkillFrontmatter::new(name, description);
    frontmatter.extra = extra as JsonObject;
    Some(frontmatter)
}
