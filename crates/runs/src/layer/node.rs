//! Layers of Node packages: npm resolves and unpacks, and runs nothing of what it brings unless it is allowed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kontor_sandbox::{Job, Permissions};
use serde_json::{Map, Value, json};

use super::{Building, Layers, tools};
use crate::Error;
use crate::error::file;
use crate::lock::{LockedPackage, NodeLock};
use crate::program::{Program, is_system, which};
use crate::wanted::Wanted;

const TOOL: &str = "npm";
/// The largest lock file that is read.
const LARGEST: u64 = 16 << 20;

impl Layers {
    pub(super) async fn resolve_node(
        &self,
        wanted: &Wanted,
        program: &Program,
        building: Building,
        draft: &Path,
    ) -> Result<NodeLock, Error> {
        let mut packages = Map::new();
        for asked in &wanted.node {
            if let Some((name, range)) = asked.text.rsplit_once('@').filter(|(name, _)| !name.is_empty()) {
                packages.insert(name.to_owned(), json!(if range.is_empty() { "*" } else { range }));
            }
        }
        let manifest =
            json!({"name": "layer", "version": "0.0.0", "private": true, "dependencies": packages}).to_string();
        let mut texts = vec![("package.json", manifest.as_str())];
        texts.extend(wanted.node_lock.as_deref().map(|lock| ("package-lock.json", lock)));
        write(draft, &texts)?;
        self.npm("install", program, building, draft).await?;
        let text = read(&draft.join("package-lock.json"))?;
        let packages = locked(&text, draft)?;
        Ok(NodeLock { manifest, file: text, packages })
    }

    pub(super) async fn build_node(
        &self,
        lock: &NodeLock,
        program: &Program,
        building: Building,
        draft: &Path,
    ) -> Result<(), Error> {
        write(draft, &[("package.json", &lock.manifest), ("package-lock.json", &lock.file)])?;
        self.npm("ci", program, building, draft).await
    }

    async fn npm(&self, verb: &str, program: &Program, building: Building, draft: &Path) -> Result<(), Error> {
        let missing = || Error::NoProgram { program: TOOL.to_owned(), wanted_by: "bringing Node packages".to_owned() };
        let npm = which(TOOL).and_then(|found| found.canonicalize().ok()).ok_or_else(missing)?;
        let mut words = vec![program.path.display().to_string(), npm.display().to_string(), verb.to_owned()];
        let more =
            "--omit=dev --no-audit --no-fund --no-update-notifier --no-progress --loglevel=error --package-lock=true";
        words.extend(more.split_whitespace().map(str::to_owned));
        if !building.install_scripts {
            words.push("--ignore-scripts".to_owned());
        }
        let mut job = Job::new(words);
        settings(&npm, program, &mut job.permissions, draft)?;
        tools::show_all(&mut job.permissions, &program.folders);
        // An npm outside of the system's folders brings its modules two folders above its file.
        if let Some(home) = npm.parent().and_then(Path::parent).filter(|_| !is_system(&npm)) {
            tools::show(&mut job.permissions, home);
        }
        self.run(TOOL, job, draft).await?;
        // A skill of which nothing is left to install has no folder yet.
        let modules = draft.join("node_modules");
        fs::create_dir_all(&modules).map_err(file("make", &modules))
    }
}

/// Lets npm reach what the user's own settings name, with what these say of signing in there.
fn settings(npm: &Path, program: &Program, permissions: &mut Permissions, draft: &Path) -> Result<(), Error> {
    let said = tools::ask(Command::new(&program.path).arg(npm).args(["config", "list", "--json", "--long"]));
    let said: Value = said.and_then(|said| serde_json::from_str(&said).ok()).unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let registries = said.as_object().into_iter().flatten();
    for (_, address) in registries.filter(|(key, _)| *key == "registry" || key.ends_with(":registry")) {
        if let Some(address) = address.as_str() {
            tools::reach(permissions, TOOL, address)?;
        }
    }
    if let Some(authorities) = text("cafile") {
        tools::show(permissions, Path::new(authorities));
    }
    for name in ["userconfig", "globalconfig"] {
        let Some(path) = text(name).map(PathBuf::from).filter(|path| path.is_file()) else { continue };
        let copy = draft.join("home").join(if name == "userconfig" { ".npmrc" } else { "npmrc" });
        fs::copy(&path, &copy).map_err(file("copy", &path))?;
        if name == "globalconfig" {
            permissions.environment.set("npm_config_globalconfig", "/work/home/npmrc");
        }
    }
    for (name, value) in env::vars() {
        if name.to_ascii_lowercase().starts_with("npm_config_") && !name.to_ascii_lowercase().ends_with("config") {
            permissions.environment.set(name, value);
        }
    }
    permissions.environment.set("npm_config_cache", "/work/tmp/cache");
    Ok(())
}

fn write(draft: &Path, texts: &[(&str, &str)]) -> Result<(), Error> {
    for (name, text) in texts {
        let path = draft.join(name);
        fs::write(&path, text).map_err(file("write", &path))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Error> {
    let broken = |reason: &str| Error::Layer { tool: TOOL, reason: reason.to_owned() };
    let metadata = fs::symlink_metadata(path).map_err(file("look at", path))?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(broken("its lock file is no file, or larger than 16 MiB"));
    }
    fs::read_to_string(path).map_err(file("read", path))
}

/// The packages of a lock file, each with its hash. Of those that only some machines need, the ones that are here.
fn locked(text: &str, draft: &Path) -> Result<Vec<LockedPackage>, Error> {
    let broken = |reason: String| Error::Layer { tool: TOOL, reason };
    let document: Value = serde_json::from_str(text).map_err(|_| broken("its lock file is no JSON".to_owned()))?;
    let mut packages = Vec::new();
    for (place, package) in document.get("packages").and_then(Value::as_object).into_iter().flatten() {
        let Some(name) = place.rsplit("node_modules/").next().filter(|name| !name.is_empty() && *name != place) else {
            continue;
        };
        let skipped = |key: &str| package.get(key).and_then(Value::as_bool) == Some(true);
        let spared = skipped("optional") || skipped("devOptional") || skipped("peer");
        let is_here = !place.split('/').any(|part| part == "..") && draft.join(place).is_dir();
        if skipped("dev") || (spared && !is_here) {
            continue;
        }
        let text = |key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
        let (Some(version), Some(integrity)) = (text("version"), text("integrity")) else {
            return Err(broken(format!("`{name}` has no hash, so it is not taken")));
        };
        packages.push(LockedPackage { name: name.to_owned(), version, hashes: vec![integrity] });
    }
    packages.sort();
    packages.dedup();
    Ok(packages)
}
