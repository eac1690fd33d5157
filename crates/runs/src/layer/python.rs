//! Layers of Python packages: wheels are downloaded, hashed, and unpacked by a second pip that reaches nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use kontor_sandbox::{Job, Permissions};
use kontor_types::Digest;

use super::{Building, Layers, MOST, tools};
use crate::Error;
use crate::error::file;
use crate::lock::{LockedPackage, PythonLock};
use crate::program::Program;
use crate::wanted::{Wanted, pinned};

const TOOL: &str = "pip";
/// Settings that lead to registries; anything else of the user's is left out.
const SETTINGS: &[&str] = &[
    "index-url",
    "extra-index-url",
    "find-links",
    "cert",
    "client-cert",
    "trusted-host",
    "no-index",
    "default-timeout",
    "timeout",
];

impl Layers {
    pub(super) async fn resolve_python(
        &self,
        wanted: &Wanted,
        program: &Program,
        building: Building,
        draft: &Path,
    ) -> Result<PythonLock, Error> {
        let lines: Vec<&str> = wanted.python.iter().map(|asked| asked.text.as_str()).collect();
        self.download(&lines, &[], program, building, draft).await?;
        let packages = wheels(&draft.join("wheels"))?;
        self.unpack(&packages, program, draft).await?;
        Ok(PythonLock { tag: program.tag.clone(), packages })
    }

    pub(super) async fn build_python(
        &self,
        lock: &PythonLock,
        program: &Program,
        building: Building,
        draft: &Path,
    ) -> Result<(), Error> {
        if lock.tag != program.tag {
            let reason = format!(
                "its packages were locked for {}, and this is {}; confirm the skill anew",
                lock.tag, program.tag
            );
            return Err(Error::Layer { tool: TOOL, reason });
        }
        let lines: Vec<String> = lock.packages.iter().map(line).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        self.download(&lines, &["--require-hashes", "--no-deps"], program, building, draft).await?;
        self.unpack(&lock.packages, program, draft).await
    }

    async fn download(
        &self,
        lines: &[&str],
        more: &[&str],
        program: &Program,
        building: Building,
        draft: &Path,
    ) -> Result<(), Error> {
        let list = draft.join("requirements.txt");
        fs::write(&list, lines.join("\n") + "\n").map_err(file("write", &list))?;
        // A source distribution is built by programs in it; with leave, those run here, in the build's sandbox.
        let verb = if building.install_scripts { "wheel" } else { "download" };
        let folder = if building.install_scripts { "--wheel-dir" } else { "--dest" };
        let mut words = pip(program, verb);
        words.extend([folder.to_owned(), "/work/wheels".to_owned()]);
        if !building.install_scripts {
            words.extend(["--only-binary".to_owned(), ":all:".to_owned()]);
        }
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words.extend(["-r".to_owned(), "/work/requirements.txt".to_owned()]);
        let mut job = Job::new(words);
        settings(program, &mut job.permissions)?;
        tools::show_all(&mut job.permissions, &program.folders);
        self.run(TOOL, job, draft).await?;
        Ok(())
    }

    async fn unpack(&self, packages: &[LockedPackage], program: &Program, draft: &Path) -> Result<(), Error> {
        let list = draft.join("locked.txt");
        let lines: Vec<String> = packages.iter().map(line).collect();
        fs::write(&list, lines.join("\n") + "\n").map_err(file("write", &list))?;
        let mut words = pip(program, "install");
        let more = "--no-index --find-links /work/wheels --no-deps --require-hashes --no-warn-script-location --target /work/python -r \
                    /work/locked.txt";
        words.extend(more.split_whitespace().map(str::to_owned));
        let mut job = Job::new(words);
        tools::show_all(&mut job.permissions, &program.folders);
        self.run(TOOL, job, draft).await?;
        Ok(())
    }
}

fn pip(program: &Program, verb: &str) -> Vec<String> {
    let path = program.path.display().to_string();
    let quiet = "--no-input --disable-pip-version-check --no-cache-dir --quiet --progress-bar off";
    let mut words = vec![path, "-m".to_owned(), "pip".to_owned(), verb.to_owned()];
    words.extend(quiet.split_whitespace().map(str::to_owned));
    words
}

/// Lets pip reach what the user's own settings name, else what it knows by itself.
fn settings(program: &Program, permissions: &mut Permissions) -> Result<(), Error> {
    let missing = || Error::NoProgram { program: "pip".to_owned(), wanted_by: "bringing Python packages".to_owned() };
    let listed = tools::ask(Command::new(&program.path).args(["-m", "pip", "config", "list"])).ok_or_else(missing)?;
    let mut found: BTreeMap<String, (u8, String)> = BTreeMap::new();
    for line in listed.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let Some((section, name)) = key.rsplit_once('.') else { continue };
        let weight = match section {
            ":env:" => 3,
            "download" | "install" => 2,
            "global" => 1,
            _ => continue,
        };
        let value = value.trim_matches(['\'', '"']).to_owned();
        let newer = found.get(name).is_none_or(|(known, _)| *known <= weight);
        if SETTINGS.contains(&name) && newer {
            found.insert(name.to_owned(), (weight, value));
        }
    }
    for (name, (_, value)) in &found {
        permissions.environment.set(format!("PIP_{}", name.replace('-', "_").to_ascii_uppercase()), value.clone());
        match name.as_str() {
            "index-url" | "extra-index-url" => {
                for address in tools::words(value) {
                    tools::reach(permissions, TOOL, &address)?;
                }
            }
            "find-links" => {
                for place in tools::words(value) {
                    if place.contains("://") {
                        tools::reach(permissions, TOOL, &place)?;
                    } else {
                        tools::show(permissions, Path::new(&place));
                    }
                }
            }
            "cert" | "client-cert" => tools::show(permissions, Path::new(value)),
            _ => {}
        }
    }
    if !found.contains_key("index-url") && !found.contains_key("no-index") {
        const OWN: &str = "from pip._internal.models.index import PyPI as own\nprint(own.simple_url)\n\
                           print('https://'+own.file_storage_domain)";
        let own = tools::ask(Command::new(&program.path).args(["-c", OWN])).unwrap_or_default();
        for address in own.lines() {
            tools::reach(permissions, TOOL, address)?;
        }
    }
    Ok(())
}

fn line(package: &LockedPackage) -> String {
    pinned(&package.name, &package.version, &package.hashes)
}

/// The wheels in a folder, by name, each with its own hash.
fn wheels(folder: &Path) -> Result<Vec<LockedPackage>, Error> {
    let broken = |reason: &str| Error::Layer { tool: TOOL, reason: reason.to_owned() };
    let mut packages = Vec::new();
    let mut bytes = 0_u64;
    for entry in fs::read_dir(folder).map_err(file("list", folder))? {
        let path = entry.map_err(file("list", folder))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = name.strip_suffix(".whl").ok_or_else(|| broken("it brought something that is no wheel"))?;
        let mut parts = stem.split('-');
        let (Some(package), Some(version)) = (parts.next(), parts.next()) else {
            return Err(broken("it brought a wheel without a version"));
        };
        let metadata = fs::symlink_metadata(&path).map_err(file("look at", &path))?;
        bytes = bytes.saturating_add(metadata.len());
        if !metadata.is_file() || bytes > MOST {
            return Err(broken("it brought more than 4 GiB, or something that is no file"));
        }
        let hash = format!("sha256:{}", hash_of(&path)?.hex());
        packages.push(LockedPackage {
            name: package.replace('_', "-").to_ascii_lowercase(),
            version: version.to_owned(),
            hashes: vec![hash],
        });
    }
    packages.sort();
    Ok(packages)
}

/// The SHA-256 of a file, a part at a time.
fn hash_of(path: &Path) -> Result<Digest, Error> {
    use sha2::Digest as _;
    use std::io::Read as _;
    let mut opened = fs::File::open(path).map_err(file("open", path))?;
    let mut hash = sha2::Sha256::new();
    let mut part = vec![0; 1 << 20];
    loop {
        let read = opened.read(&mut part).map_err(file("read", path))?;
        if read == 0 {
            return Ok(Digest::from_bytes(hash.finalize().into()));
        }
        hash.update(part.get(..read).unwrap_or_default());
    }
}
