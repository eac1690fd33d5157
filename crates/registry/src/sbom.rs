//! What a version is made of and what it asks for, as a CycloneDX bill of materials.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kontor_db::requirements::{self, Requirement};
use kontor_package::{Content, License, Limits, MANIFEST_FILE, Manifest, Package, Packages, PinnedPackage, pack};
use kontor_scan::{NamedPackage, packages};
use kontor_types::{Digest, Viewer};
use serde_json::{Map, Value, json};
use url::Url;

use crate::intake::away;
use crate::lookup::Found;
use crate::{Error, Registry};

/// What dependencies hang on: the skill itself.
const SKILL: &str = "skill";
/// Most places of one package that are listed.
const PLACES: usize = 20;

impl Registry {
    /// The bill of materials of a version that was found for a viewer: CycloneDX 1.6 as JSON. The same version gives the same
    /// bytes.
    pub async fn sbom(&self, found: &Found) -> Result<Vec<u8>, Error> {
        let archive = self.archive_bytes(&found.version).await?;
        let requires = requirements::of_version(&mut self.read().await?, &Viewer::hub(), found.version.id).await?;
        let found = found.clone();
        away(move || {
            let content = Content::from_canonical(&archive, &Limits::CEILING).map_err(Error::Content)?;
            Ok(bill(&found, &requires, &content))
        })
        .await
    }
}

/// The bill of a version with this content.
pub(crate) fn bill(found: &Found, requires: &[Requirement], content: &Content) -> Vec<u8> {
    let package = pack(content);
    let mut libraries = Libraries::default();
    for named in packages(content) {
        libraries.name(named);
    }
    if let Some(manifest) = manifest(content) {
        libraries.pin("python", manifest.dependencies.pip.as_ref());
        libraries.pin("javascript", manifest.dependencies.npm.as_ref());
    }
    let skills: Vec<Value> = requires.iter().map(required).collect();
    let libraries: Vec<Value> = libraries.0.iter().map(|(key, library)| library.component(key)).collect();
    let needed: Vec<Value> =
        skills.iter().chain(&libraries).filter_map(|component| component.get("bom-ref").cloned()).collect();
    let mut components: Vec<Value> = package.files.iter().map(file).collect();
    components.extend(skills);
    components.extend(libraries);
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial(found),
        "version": 1,
        "metadata": {
            "timestamp": found.version.created_at,
            "tools": { "components": [
                { "type": "application", "name": "kontor", "version": env!("CARGO_PKG_VERSION") },
            ] },
            "component": skill(found, &package),
        },
        "components": components,
        "dependencies": [{ "ref": SKILL, "dependsOn": needed }],
        // All files are there; what programs fetch while they run, nobody can list.
        "compositions": [
            { "aggregate": "complete", "assemblies": [SKILL] },
            { "aggregate": "incomplete", "dependencies": [SKILL] },
        ],
    });
    let mut text = serde_json::to_vec_pretty(&bill).unwrap_or_default();
    text.push(b'\n');
    text
}

fn manifest(content: &Content) -> Option<Manifest> {
    Manifest::read(std::str::from_utf8(content.get(MANIFEST_FILE)?).ok()?).0
}

/// A UUID that the version's name and digest give (RFC 9562, version 8).
fn serial(found: &Found) -> String {
    let digest = Digest::of(format!("{} {}", found.reference(), found.version.digest).as_bytes());
    let bytes: [u8; 16] = digest.as_bytes().first_chunk().copied().unwrap_or_default();
    format!("urn:uuid:{}", uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

fn hash(digest: &Digest) -> Value {
    json!({ "alg": "SHA-256", "content": digest.hex() })
}

fn property(name: &str, value: impl Into<String>) -> Value {
    json!({ "name": format!("kontor:{name}"), "value": value.into() })
}

fn skill(found: &Found, package: &Package) -> Value {
    let (skill, version) = (&found.skill, &found.version);
    let number = version.number.to_string();
    let checksum = format!("?checksum=sha256:{}", version.digest.hex());
    let mut component = json!({
        "type": "application",
        "bom-ref": SKILL,
        "supplier": { "name": format!("@{}", skill.publisher) },
        "group": format!("@{}", skill.publisher),
        "name": skill.slug,
        "version": number,
        "description": version.description,
        "hashes": [hash(&version.digest)],
        "purl": format!("{}{checksum}", purl("generic", Some(skill.publisher.as_str()), skill.slug.as_str(), Some(&number))),
        "properties": [
            property("digest", version.digest.to_string()),
            property("bytes", package.bytes.len().to_string()),
            property("skill-file", version.skill_file.clone()),
        ],
    });
    if let Some(written) = version.license.as_deref().filter(|text| !text.trim().is_empty()) {
        component["licenses"] = match License::read(written).spdx {
            Some(expression) => json!([{ "expression": expression }]),
            None => json!([{ "license": { "name": written } }]),
        };
    }
    if let Some(source) = source(version.origin.as_ref()) {
        component["externalReferences"] = json!([source]);
    }
    component
}

/// Where the bytes came from, when the hub knows an address.
fn source(origin: Option<&Value>) -> Option<Value> {
    let text = |key: &str| origin?.get(key)?.as_str().filter(|text| !text.is_empty());
    let url = Url::parse(text("url")?).ok()?;
    let kind = if text("kind") == Some("git") { "vcs" } else { "distribution" };
    let details: Vec<String> =
        ["commit", "version", "path"].iter().filter_map(|key| Some(format!("{key} {}", text(key)?))).collect();
    let mut reference = json!({ "type": kind, "url": url.as_str() });
    if !details.is_empty() {
        reference["comment"] = json!(details.join(", "));
    }
    Some(reference)
}

fn file(entry: &kontor_package::FileEntry) -> Value {
    json!({
        "type": "file",
        "bom-ref": format!("file:{}", entry.path),
        "name": entry.path,
        "hashes": [hash(&entry.digest)],
        "properties": [property("bytes", entry.size.to_string())],
    })
}

fn required(requirement: &Requirement) -> Value {
    let purl = purl("generic", Some(requirement.publisher.as_str()), requirement.slug.as_str(), None);
    json!({
        "type": "application",
        "bom-ref": purl,
        "group": format!("@{}", requirement.publisher),
        "name": requirement.slug,
        "purl": purl,
        "properties": [property("range", requirement.range.to_string())],
    })
}

/// Packages by ecosystem, name and version.
#[derive(Default)]
struct Libraries(BTreeMap<(&'static str, String, Option<String>), Library>);

#[derive(Default)]
struct Library {
    places: Vec<String>,
    hashes: Vec<Value>,
    pinned: bool,
}

impl Libraries {
    fn name(&mut self, named: NamedPackage) {
        let library = self.0.entry((named.ecosystem, named.name, named.version)).or_default();
        let what = if named.by_command { "command" } else { "list" };
        if library.places.len() < PLACES {
            library.places.push(format!("{what} {}:{}", named.file, named.line));
        }
    }

    /// What the manifest names with hashes.
    fn pin(&mut self, ecosystem: &'static str, packages: Option<&Packages>) {
        let Some(Packages::Pinned(packages)) = packages else { return };
        for PinnedPackage { name, version, hashes } in packages {
            let key = (ecosystem, name.to_ascii_lowercase(), Some(version.clone()));
            let library = self.0.entry(key).or_default();
            library.pinned = true;
            library.hashes = hashes.iter().filter_map(|written| pinned_hash(written)).collect();
        }
    }
}

impl Library {
    fn component(&self, (ecosystem, name, version): &(&'static str, String, Option<String>)) -> Value {
        let (kind, namespace, short) = match name.strip_prefix('@').and_then(|name| name.split_once('/')) {
            Some((scope, short)) if *ecosystem == "javascript" => ("npm", Some(scope), short),
            _ if *ecosystem == "javascript" => ("npm", None, name.as_str()),
            _ => ("pypi", None, name.as_str()),
        };
        // What stands in a list need not be a name that any registry has.
        let named = is_name(short) && namespace.is_none_or(is_name);
        let purl =
            named.then(|| purl(kind, namespace, short, version.as_deref().filter(|version| is_version(version))));
        let own = || format!("package:{ecosystem}:{name}@{}", version.as_deref().unwrap_or_default());
        let mut component = Map::new();
        component.insert("type".to_owned(), json!("library"));
        component.insert(
            "bom-ref".to_owned(),
            json!(purl.clone().filter(|_| version.as_deref().is_none_or(is_version)).unwrap_or_else(own)),
        );
        if let Some(scope) = namespace {
            component.insert("group".to_owned(), json!(format!("@{scope}")));
        }
        component.insert("name".to_owned(), json!(short));
        if let Some(version) = version {
            component.insert("version".to_owned(), json!(version));
        }
        if !self.hashes.is_empty() {
            component.insert("hashes".to_owned(), json!(self.hashes));
        }
        if let Some(purl) = purl {
            component.insert("purl".to_owned(), json!(purl));
        }
        let mut places: Vec<Value> = self.places.iter().map(|place| property("named-by", place.clone())).collect();
        if self.pinned {
            places.push(property("named-by", format!("manifest {MANIFEST_FILE}")));
        }
        component.insert("properties".to_owned(), json!(places));
        Value::Object(component)
    }
}

/// Whether registries could have a package of this name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn is_version(version: &str) -> bool {
    !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+!".contains(&byte))
}

/// A hash as package tools write it: `sha256:` and hexadecimal digits, or `sha512-` and base64.
fn pinned_hash(written: &str) -> Option<Value> {
    use base64::Engine as _;
    let (name, rest) = written.split_once([':', '-'])?;
    let (algorithm, length) = match name {
        "sha256" => ("SHA-256", 32),
        "sha384" => ("SHA-384", 48),
        "sha512" => ("SHA-512", 64),
        _ => return None,
    };
    let bytes = hex::decode(rest).or_else(|_| base64::engine::general_purpose::STANDARD.decode(rest)).ok()?;
    (bytes.len() == length).then(|| json!({ "alg": algorithm, "content": hex::encode(bytes) }))
}

/// A package URL; the namespace is written with its `@`.
fn purl(kind: &str, namespace: Option<&str>, name: &str, version: Option<&str>) -> String {
    let namespace = namespace.map(|scope| format!("%40{}/", quoted(scope))).unwrap_or_default();
    let version = version.map(|version| format!("@{}", quoted(version))).unwrap_or_default();
    format!("pkg:{kind}/{namespace}{}{version}", quoted(name))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            let _ = write!(quoted, "%{byte:02X}");
        }
    }
    quoted
}
