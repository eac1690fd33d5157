//! What a client says about the version it publishes.

use kontor_access::Caller;
use kontor_package::Content;
use kontor_registry::Publish;
use kontor_types::{Handle, SkillRef, Slug, TagName, Version, VersionError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clawhub::names;
use crate::clawhub::refusal::Refusal;

/// The JSON of a publish request; what is not known is ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    slug: String,
    display_name: Option<String>,
    owner_handle: Option<String>,
    source_owner_handle: Option<String>,
    #[serde(default)]
    migrate_owner: bool,
    version: Option<String>,
    #[serde(default)]
    changelog: String,
    tags: Option<Vec<String>>,
    categories: Option<Vec<String>>,
    topics: Option<Vec<String>>,
    source: Option<Source>,
    fork_of: Option<Fork>,
    #[serde(default)]
    files: Vec<Claim>,
}

/// Where the bytes came from, as their publisher says.
#[derive(Debug, Deserialize)]
struct Source {
    url: Option<String>,
    repo: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    commit: Option<String>,
    path: Option<String>,
}

/// Which skill it was made from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fork {
    slug: String,
    owner_handle: Option<String>,
    version: Option<String>,
}

/// A file that was sent under a ticket.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// Its path in the skill.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// SHA-256 in hex.
    pub sha256: String,
    /// The ticket under which it was sent.
    pub upload_ticket: Option<String>,
}

impl Asked {
    /// The files that were sent before.
    pub fn files(&self) -> &[Claim] {
        &self.files
    }

    /// For whom: the named publisher, else the caller's own.
    pub fn publisher(&self, caller: &Caller) -> Result<Handle, Refusal> {
        let named =
            names::handle(self.owner_handle.as_deref()).map_err(|_| Refusal::invalid("ownerHandle is no handle"))?;
        let own = caller.person.as_ref().map(|(_, handle)| handle.clone());
        named.or(own).ok_or_else(|| kontor_access::Error::Unauthenticated.into())
    }

    /// The skill to bring along first, when the request moves it from another publisher.
    pub fn moves_from(&self, publisher: &Handle) -> Result<Option<SkillRef>, Refusal> {
        let source = self.source_owner_handle.as_deref().filter(|_| self.migrate_owner);
        let Some(source) = source else { return Ok(None) };
        let from = names::skill(&self.slug, Some(source))?;
        Ok(Some(from).filter(|from| from.publisher.as_ref() != Some(publisher)))
    }

    /// The registry's form of the request.
    pub fn into_publish(self, publisher: Handle, content: Content) -> Result<Publish, Refusal> {
        let slug = Slug::parse(self.slug.trim()).map_err(|error| Refusal::invalid(error.to_string()))?;
        let version = self.version.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let version: Option<Version> =
            version.map(str::parse).transpose().map_err(|error: VersionError| Refusal::invalid(error.to_string()))?;
        let tags = self.tags.unwrap_or_default();
        let tags = tags.iter().map(|tag| TagName::parse(tag.trim())).collect::<Result<Vec<_>, _>>();
        let origin = origin(self.source, self.fork_of);
        Ok(Publish {
            slug: Some(slug.clone()),
            folder: Some(slug.to_string()),
            display_name: self.display_name,
            version,
            changelog: self.changelog,
            tags: tags.map_err(|error| Refusal::invalid(error.to_string()))?,
            categories: self.categories.unwrap_or_default(),
            keywords: self.topics.unwrap_or_default(),
            origin,
            ..Publish::new(publisher, content)
        })
    }
}

fn origin(source: Option<Source>, fork: Option<Fork>) -> Option<Value> {
    let mut facts = serde_json::Map::new();
    let mut tell = |name: &str, value: Option<String>| {
        if let Some(value) =
            value.map(|value| value.chars().take(500).collect::<String>()).filter(|value| !value.is_empty())
        {
            facts.insert(name.to_owned(), json!(value));
        }
    };
    if let Some(source) = source {
        tell("kind", Some("git".to_owned()));
        tell("url", source.url);
        tell("repo", source.repo);
        tell("ref", source.reference);
        tell("commit", source.commit);
        tell("path", source.path);
    }
    if let Some(fork) = fork {
        let owner = fork.owner_handle.map(|owner| format!("@{}/", owner.trim_start_matches('@'))).unwrap_or_default();
        let version = fork.version.map(|version| format!("@{version}")).unwrap_or_default();
        tell("fork_of", Some(format!("{owner}{}{version}", fork.slug)));
    }
    (!facts.is_empty()).then_some(Value::Object(facts))
}
