//! The JSON that ClawHub clients parse: numbers are milliseconds, nothing is null where a schema forbids it.
//!
//! `license` is always null: the clients accept only the licence of the public hub there, and refuse any other.

use kontor_db::skills::Skill;
use kontor_db::tags::Tag;
use kontor_db::version_files::File;
use kontor_db::versions::Version;
use kontor_types::Handle;
use serde_json::{Map, Value, json};

use crate::Hub;

/// The address of a skill's page.
pub fn page(hub: &Hub, skill: &Skill) -> String {
    hub.absolute(&format!("/@{}/{}", skill.publisher, skill.slug))
}

/// What every answer says of a skill itself.
pub fn skill(skill: &Skill, tags: &[Tag]) -> Value {
    let mut shape = facts(skill);
    let tags = tags.iter().map(|tag| (tag.name.to_string(), json!(tag.number)));
    shape.insert("tags".to_owned(), Value::Object(tags.collect()));
    Value::Object(shape)
}

/// A skill in a list; without a visible version there is no `latestVersion` at all.
pub fn item(skill: &Skill) -> Value {
    let mut shape = facts(skill);
    let latest = skill.latest_number.as_ref().map(|number| ("latest".to_owned(), json!(number)));
    shape.insert("tags".to_owned(), Value::Object(latest.into_iter().collect()));
    shape.insert("owner".to_owned(), owner(&skill.publisher));
    shape.insert("ownerHandle".to_owned(), json!(skill.publisher));
    if let Some(latest) = latest_of(skill) {
        shape.insert("latestVersion".to_owned(), latest);
    }
    Value::Object(shape)
}

fn facts(skill: &Skill) -> Map<String, Value> {
    let shape = json!({
        "id": skill.id,
        "slug": skill.slug,
        "displayName": skill.display_name,
        "summary": skill.description,
        "topics": skill.keywords,
        "stats": {
            "downloads": skill.downloads,
            "installs": skill.installs,
            "installsCurrent": skill.installs,
            "installsAllTime": skill.installs,
            "stars": skill.stars,
        },
        "createdAt": skill.created_at.millis(),
        "updatedAt": skill.updated_at.millis(),
    });
    match shape {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// What `latest` points to, as far as the skill itself knows it.
pub fn latest_of(skill: &Skill) -> Option<Value> {
    let (number, at) = (skill.latest_number.as_ref()?, skill.latest_created_at?);
    let changelog = skill.latest_changelog.as_deref().unwrap_or_default();
    Some(json!({ "version": number, "createdAt": at.millis(), "changelog": changelog, "license": null }))
}

/// Who a skill belongs to.
pub fn owner(handle: &Handle) -> Value {
    json!({ "handle": handle, "displayName": handle, "image": null })
}

/// One version in a list.
pub fn version(version: &Version) -> Value {
    json!({
        "version": version.number,
        "createdAt": version.created_at.millis(),
        "changelog": version.changelog,
        "changelogSource": "user",
        "license": null,
    })
}

/// One version with its files.
pub fn version_with_files(found: &Version, files: &[File]) -> Value {
    let mut shape = version(found);
    let files: Vec<_> = files
        .iter()
        .map(|file| json!({ "path": file.path, "size": file.size, "sha256": file.digest.hex(), "contentType": null }))
        .collect();
    if let Value::Object(map) = &mut shape {
        map.insert("files".to_owned(), Value::Array(files));
        map.insert("sha256".to_owned(), json!(found.digest.hex()));
        map.insert("declaredLicense".to_owned(), json!(found.license));
    }
    shape
}

/// One answer of a search.
pub fn found(skill: &Skill, score: f64, hub: &Hub) -> Value {
    let mut shape = json!({
        "id": skill.id,
        "score": score,
        "source": "clawhub",
        "slug": skill.slug,
        "ownerHandle": skill.publisher,
        "displayName": skill.display_name,
        "summary": skill.description,
        "downloads": skill.downloads,
        "updatedAt": skill.updated_at.millis(),
        "owner": owner(&skill.publisher),
        "install": install(skill),
        "canonicalUrl": page(hub, skill),
    });
    if let (Value::Object(map), Some(number)) = (&mut shape, &skill.latest_number) {
        map.insert("version".to_owned(), json!(number));
    }
    shape
}

/// One of the skills that are popular now.
pub fn trending(skill: &Skill, hub: &Hub) -> Value {
    json!({
        "source": "clawhub",
        "slug": skill.slug,
        "displayName": skill.display_name,
        "summary": skill.description,
        "official": false,
        "publisher": owner(&skill.publisher),
        "install": install(skill),
        "canonicalUrl": page(hub, skill),
        "metrics": { "rolling60DayInstalls": null, "bookmarks": skill.stars, "updatedAt": skill.updated_at.millis() },
    })
}

fn install(skill: &Skill) -> Value {
    json!({ "kind": "clawhub", "reference": format!("@{}/{}", skill.publisher, skill.slug), "sourceUrl": null })
}

/// What an export says of a skill.
pub fn exported(skill: &Skill, version: &Version) -> Value {
    json!({
        "slug": skill.slug,
        "displayName": skill.display_name,
        "sourceRef": "public-kontor",
        "version": version.number,
        "sha256": version.digest.hex(),
        "license": version.license,
        "createdAt": skill.created_at.millis(),
        "updatedAt": skill.updated_at.millis(),
        "stats": { "downloads": skill.downloads, "installs": skill.installs, "stars": skill.stars },
        "owner": { "handle": skill.publisher, "displayName": skill.publisher },
        "origin": version.origin,
    })
}
