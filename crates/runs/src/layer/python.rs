//! Layers of Python packages: wheels are downloaded, hashed, and unpacked by a second pip that reaches nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kontor_sandbox::{Job, Permissions, Shown};
use kontor_types::Digest;

use super::{Building, Draft, GIVEN, Layers, MOST, a_folder, tools};
use crate::Error;
use crate::error::file;
use crate::lock::{LockedPackage, PythonLock};
use crate::program::{Program, ask};
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
        draft: &Draft,
    ) -> Result<(PythonLock, PathBuf), Error> {
        let lines: Vec<&str> = wanted.python.iter().map(|asked| asked.text.as_str()).collect();
        let brought = self.download(&lines, &[], program, building, draft).await?;
        let packages = wheels(&brought)?;
        let tree = self.unpack(&packages, &brought, program, draft).await?;
        Ok((PythonLock { tag: program.tag.clone(), packages }, tree))
    }

    pub(super) async fn build_python(
        &self,
        lock: &PythonLock,
        program: &Program,
        building: Building,
        draft: &Draft,
    ) -> Result<PathBuf, Error> {
        if lock.tag != program.tag {
            let reason = format!(
                "its packages were locked for {}, and this is {}; confirm the skill anew",
                lock.tag, program.tag
            );
            return Err(Error::Layer { tool: TOOL, reason });
        }
        let lines: Vec<String> = lock.packages.iter().map(line).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let brought = self.download(&lines, &["--require-hashes", "--no-deps"], program, building, draft).await?;
        self.unpack(&lock.packages, &brought, program, draft).await
    }

    /// Brings wheels into a folder, which comes back.
    async fn download(
        &self,
        lines: &[&str],
        more: &[&str],
        program: &Program,
        building: Building,
        draft: &Draft,
    ) -> Result<PathBuf, Error> {
        let given = draft.given("asked", "requirements.txt", &(lines.join("\n") + "\n"))?;
        // A source distribution is built by programs in it; with leave, those run here, in the build's sandbox.
        let verb = if building.install_scripts { "wheel" } else { "download" };
        let folder = if building.install_scripts { "--wheel-dir" } else { "--dest" };
        let mut words = pip(program, verb);
        words.extend([folder.to_owned(), "/work/wheels".to_owned()]);
        if !building.install_scripts {
            words.extend(["--only-binary".to_owned(), ":all:".to_owned()]);
        }
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words.extend(["-r".to_owned(), format!("{GIVEN}/requirements.txt")]);
        let mut job = Job::new(words);
        settings(program, building, &mut job.permissions)?;
        tools::show_all(&mut job.permissions, &program.folders);
        job.permissions.read.push(given);
        let work = draft.folder("fetch")?;
        self.run(TOOL, job, &work).await?;
        let wheels = work.join("wheels");
        a_folder(&wheels)?;
        Ok(wheels)
    }

    /// Unpacks wheels, each held to its hash, into a folder, which comes back. No program of a package runs here.
    async fn unpack(
        &self,
        packages: &[LockedPackage],
        wheels: &Path,
        program: &Program,
        draft: &Draft,
    ) -> Result<PathBuf, Error> {
        let lines: Vec<String> = packages.iter().map(line).collect();
        let given = draft.given("locked", "locked.txt", &(lines.join("\n") + "\n"))?;
        let mut words = pip(program, "install");
        let more = "--no-index --find-links /wheels --no-deps --require-hashes --no-warn-script-location --target /work/python -r \
                    /given/locked.txt";
        words.extend(more.split_whitespace().map(str::to_owned));
        let mut job = Job::new(words);
        tools::show_all(&mut job.permissions, &program.folders);
        job.permissions.read.extend([given, Shown { from: wheels.to_path_buf(), at: "/wheels".into() }]);
        let work = draft.folder("unpack")?;
        self.run(TOOL, job, &work).await?;
        Ok(work.join("python"))
    }
}

fn pip(program: &Program, verb: &str) -> Vec<String> {
    let path = program.path.display().to_string();
    let quiet = "--no-input --disable-pip-version-check --no-cache-dir --quiet --progress-bar off";
    // Isolated: no module is taken from the folder that packages are brought to.
    let mut words = vec![path, "-I".to_owned(), "-m".to_owned(), "pip".to_owned(), verb.to_owned()];
    words.extend(quiet.split_whitespace().map(str::to_owned));
    words
}

/// Lets pip reach what the user's own settings name, else what it knows by itself.
fn settings(program: &Program, building: Building, permissions: &mut Permissions) -> Result<(), Error> {
    let missing = || Error::NoProgram { program: "pip".to_owned(), wanted_by: "bringing Python packages".to_owned() };
    let listed = ask(Command::new(&program.path).args(["-I", "-m", "pip", "config", "list"])).ok_or_else(missing)?;
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
        let value = unquoted(value);
        let newer = found.get(name).is_none_or(|(known, _)| *known <= weight);
        if SETTINGS.contains(&name) && newer {
            found.insert(name.to_owned(), (weight, value));
        }
    }
    let signs_in = found.contains_key("client-cert")
        || found.values().any(|(_, value)| tools::words(value).iter().any(|address| tools::signs_in(address)));
    if building.install_scripts && signs_in {
        let reason = "programs of packages could read the password or key of your registry, so with --install-scripts a registry \
                      is used that needs none; without it only wheels are brought, and nothing of them runs";
        return Err(Error::Layer { tool: TOOL, reason: reason.to_owned() });
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
        let own = ask(Command::new(&program.path).args(["-I", "-c", OWN])).unwrap_or_default();
        for address in own.lines() {
            tools::reach(permissions, TOOL, address)?;
        }
    }
    Ok(())
}

/// A text as Python writes it for programmers.
fn unquoted(written: &str) -> String {
    let inner = ['\'', '"'].iter().find_map(|quote| written.strip_prefix(*quote)?.strip_suffix(*quote));
    let mut letters = inner.unwrap_or(written).chars();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match (letter, (letter == '\\').then(|| letters.next()).flatten()) {
            (_, Some('n' | 'r' | 't')) => text.push('\n'),
            (_, Some(escaped)) => text.push(escaped),
            (letter, None) => text.push(letter),
        }
    }
    text
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
        // With leave, whoever made the package chose the name, and it becomes a line of a list.
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.+!".contains(&byte));
        if !plain(package) || !plain(version) || !package.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return Err(broken("it brought a wheel whose name is none"));
        }
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
