//! Layers of Node packages: npm resolves and unpacks, and runs nothing of what it brings unless it is allowed.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kontor_sandbox::{Job, Permissions, Shown};
use serde_json::{Map, Value, json};

use super::{Building, Draft, GIVEN, Layers, tools};
use crate::Error;
use crate::error::file;
use crate::lock::{LockedPackage, NodeLock};
use crate::program::{Program, ask, is_system, which};
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
        draft: &Draft,
    ) -> Result<(NodeLock, PathBuf), Error> {
        let mut packages = Map::new();
        for asked in &wanted.node {
            if let Some((name, range)) = asked.text.rsplit_once('@').filter(|(name, _)| !name.is_empty()) {
                packages.insert(name.to_owned(), json!(if range.is_empty() { "*" } else { range }));
            }
        }
        let manifest =
            json!({"name": "layer", "version": "0.0.0", "private": true, "dependencies": packages}).to_string();
        let work = draft.folder("node")?;
        let mut texts = vec![("package.json", manifest.as_str())];
        texts.extend(wanted.node_lock.as_deref().map(|lock| ("package-lock.json", lock)));
        write(&work, &texts)?;
        self.fetch("install", program, draft, &work).await?;
        // Read before a program of a package could change it.
        let text = read(&work.join("package-lock.json"))?;
        let packages = locked(&text, &work)?;
        for package in &packages {
            let name = format!("{}@{}", package.name, package.version);
            let hashes = wanted.node_hashes.get(&name).filter(|hashes| !hashes.is_empty());
            if let Some(hashes) = hashes
                && !package.hashes.iter().any(|hash| is_among(hash, hashes))
            {
                let reason = format!("the registry has other bytes for {name} than kontor.toml names");
                return Err(Error::Layer { tool: TOOL, reason });
            }
        }
        self.install_scripts(program, building, &work).await?;
        Ok((NodeLock { manifest, file: text, packages }, work.join("node_modules")))
    }

    pub(super) async fn build_node(
        &self,
        lock: &NodeLock,
        program: &Program,
        building: Building,
        draft: &Draft,
    ) -> Result<PathBuf, Error> {
        let work = draft.folder("node")?;
        write(&work, &[("package.json", &lock.manifest), ("package-lock.json", &lock.file)])?;
        self.fetch("ci", program, draft, &work).await?;
        self.install_scripts(program, building, &work).await?;
        Ok(work.join("node_modules"))
    }

    /// Brings and unpacks packages; nothing of them runs.
    async fn fetch(&self, verb: &str, program: &Program, draft: &Draft, work: &Path) -> Result<(), Error> {
        let more = "--ignore-scripts --omit=dev --no-audit --no-fund --package-lock=true";
        let (npm, mut job) = npm(program, verb, more)?;
        settings(&npm, program, &mut job.permissions, draft)?;
        self.run(TOOL, job, work).await?;
        // A skill of which nothing is left to install has no folder yet.
        let modules = work.join("node_modules");
        match fs::create_dir(&modules) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(file("make", &modules)(error)),
            _ => Ok(()),
        }
    }

    /// With leave, runs what packages bring for their installation: without the user's settings, which hold what signs in at
    /// registries, and without a network.
    async fn install_scripts(&self, program: &Program, building: Building, work: &Path) -> Result<(), Error> {
        if !building.install_scripts {
            return Ok(());
        }
        for folder in ["home", "tmp"] {
            let path = work.join(folder);
            fs::remove_dir_all(&path).map_err(file("remove", &path))?;
        }
        let (_, mut job) = npm(program, "rebuild", "")?;
        job.permissions.environment.set("npm_config_cache", "/work/tmp/cache");
        self.run(TOOL, job, work).await.map(|_| ())
    }
}

/// npm's own file, and a job that runs it.
fn npm(program: &Program, verb: &str, more: &str) -> Result<(PathBuf, Job), Error> {
    let missing = || Error::NoProgram { program: TOOL.to_owned(), wanted_by: "bringing Node packages".to_owned() };
    let npm = which(TOOL).and_then(|found| found.canonicalize().ok()).ok_or_else(missing)?;
    let mut words = vec![program.path.display().to_string(), npm.display().to_string(), verb.to_owned()];
    words.extend(more.split_whitespace().map(str::to_owned));
    let quiet = "--no-update-notifier --no-progress --loglevel=error";
    words.extend(quiet.split_whitespace().map(str::to_owned));
    let mut job = Job::new(words);
    tools::show_all(&mut job.permissions, &program.folders);
    // An npm outside of the system's folders has a folder of its own, two above its file.
    if !is_system(&npm) {
        let home = npm.parent().and_then(Path::parent).filter(|home| home.ends_with("node_modules/npm"));
        let reason = format!("{} is not in npm's own folder, `node_modules/npm`", npm.display());
        tools::show(&mut job.permissions, home.ok_or(Error::Layer { tool: TOOL, reason })?);
    }
    Ok((npm, job))
}

/// Lets npm reach what the user's own settings name, with what these say of signing in there.
fn settings(npm: &Path, program: &Program, permissions: &mut Permissions, draft: &Draft) -> Result<(), Error> {
    let said = ask(Command::new(&program.path).arg(npm).args(["config", "list", "--json", "--long"]));
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
    for (name, value) in env::vars_os() {
        let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else { continue };
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("npm_config_") && !lower.ends_with("config") {
            permissions.environment.set(name, value);
        }
    }
    let folder = draft.folder("settings")?;
    for name in ["userconfig", "globalconfig"] {
        let Some(path) = text(name).map(PathBuf::from).filter(|path| path.is_file()) else { continue };
        fs::copy(&path, folder.join(name)).map_err(file("copy", &path))?;
        permissions.environment.set(format!("npm_config_{name}"), format!("{GIVEN}/{name}"));
    }
    permissions.read.push(Shown { from: folder, at: GIVEN.into() });
    permissions.environment.set("npm_config_cache", "/work/tmp/cache");
    Ok(())
}

/// Whether npm's word for some bytes is one of the manifest's, which are written `sha512:` and hexadecimal digits, or as npm
/// writes them.
fn is_among(integrity: &str, hashes: &[String]) -> bool {
    integrity.split_whitespace().filter_map(|one| one.split_once('-')).any(|(algorithm, text)| {
        let digits = STANDARD.decode(text).map(hex::encode).unwrap_or_default();
        let hexadecimal = format!("{algorithm}:{digits}");
        hashes.iter().any(|hash| *hash == format!("{algorithm}-{text}") || hash.eq_ignore_ascii_case(&hexadecimal))
    })
}

fn write(work: &Path, texts: &[(&str, &str)]) -> Result<(), Error> {
    for (name, text) in texts {
        let path = work.join(name);
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
