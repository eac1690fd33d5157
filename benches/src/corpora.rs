//! The development data and the packages that its README names, unpacked once below the folder of the benchmarks.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use kontor_package::{ArchiveLimits, unpack_tree};

use crate::product;

/// Where the development data lies.
#[derive(Debug, Clone, clap::Args)]
pub struct Shared {
    /// The folder with the development data
    #[arg(long = "shared", value_name = "FOLDER", default_value = "../shared/data")]
    folder: PathBuf,
}

impl Shared {
    /// An archive of the development data as a folder.
    pub fn unpacked(&self, name: &str) -> Result<PathBuf> {
        let archive = self.folder.join(format!("{name}.tar.zst"));
        let read = |path: &Path| File::open(path).with_context(|| format!("cannot read {}", path.display()));
        let size = read(&archive)?.metadata()?.len();
        unpacked(&format!("{name}-{size}"), |_| Ok(archive.clone()))
    }
}

/// A package of a registry, by name and version.
#[derive(Debug, Clone, Copy)]
pub enum Package {
    Npm(&'static str),
    Pip(&'static str),
}

/// Packages full of ordinary skills that have scripts.
pub const ORDINARY: [Package; 4] = [
    Package::Npm("ecc-universal@2.0.0"),
    Package::Npm("openclaw@2026.9.6"),
    Package::Npm("ai-labs-claude-skills@2.0.1"),
    Package::Pip("claude-data-skills==3.5.3"),
];

impl Package {
    /// Its name and version, as its registry writes them.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Npm(name) | Self::Pip(name) => name,
        }
    }

    /// The package as a folder; the user's npm or pip brings it, and runs nothing of it.
    pub fn unpacked(self) -> Result<PathBuf> {
        unpacked(&self.name().replace(['@', '='], "-"), |folder| match self {
            Self::Npm(name) => npm(folder, name),
            Self::Pip(name) => pip(folder, name),
        })
    }
}

/// Lets the user's npm bring a package as an archive.
pub fn npm(folder: &Path, name: &str) -> Result<PathBuf> {
    let mut pack = Command::new("npm");
    pack.args(["pack", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--pack-destination"]);
    bring(pack.arg(folder).arg(name), folder, "tgz")
}

fn pip(folder: &Path, name: &str) -> Result<PathBuf> {
    let mut download = Command::new("pip3");
    download.args(["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"]);
    bring(download.arg(folder).arg(name), folder, "whl")
}

/// Runs a program that puts one archive into a folder.
fn bring(program: &mut Command, folder: &Path, ending: &str) -> Result<PathBuf> {
    let name = program.get_program().to_string_lossy().into_owned();
    let brought = program.stdin(Stdio::null()).output().with_context(|| format!("{name} is not here"))?;
    if !brought.status.success() {
        bail!("{name} ended with {}: {}", brought.status, String::from_utf8_lossy(&brought.stderr).trim());
    }
    let mut archives = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let found = archives.find(|path| path.extension().is_some_and(|found| found == ending));
    found.with_context(|| format!("{name} brought no package"))
}

/// The folder of this name, filled from an archive unless it is there.
fn unpacked(name: &str, archive: impl FnOnce(&Path) -> Result<PathBuf>) -> Result<PathBuf> {
    let data = product::data()?;
    let place = data.join(name);
    if !place.is_dir() {
        let folder = tempfile::tempdir_in(&data)?;
        let archive = archive(folder.path())?;
        let target = folder.path().join("unpacked");
        unpack_tree(File::open(&archive)?, &target, &ArchiveLimits::default())?;
        fs::rename(&target, &place)?;
    }
    Ok(place)
}
