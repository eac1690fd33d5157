//! `dist`: one archive that a person can install from, and its checksum.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use kontor_types::Digest;

use crate::shell;

/// Shells and the files in which they look for completions.
const COMPLETIONS: &[(&str, &str)] = &[("bash", "kontor.bash"), ("zsh", "_kontor"), ("fish", "kontor.fish")];

/// What else belongs to it.
const PAPERS: &[&str] = &["LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md"];

/// Builds and packs for the machine it runs on.
pub fn run() -> Result<()> {
    let mut cargo = shell::cargo();
    shell::run(
        cargo
            .args(["build", "--workspace", "--bin", "kontor", "--locked", "--profile", "dist"])
            .env("KONTOR_PACKED_RELOCATIONS", "0"),
    )?;
    let place = shell::target().join("dist");
    let name = name(&place.join("kontor"))?;
    let folder = place.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fill(&folder, &place.join("kontor"))?;
    let archive = format!("{name}.tar.gz");
    // Sorted, owned by nobody, and as old as the commit: the same commit gives the same list of files.
    let commit = shell::capture(shell::command("git").args(["log", "-1", "--format=@%ct"]))?;
    let mut tar = shell::command("tar");
    tar.args(["--create", "--gzip", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime"]);
    tar.arg(commit.trim()).args(["--file", &archive, &name]).current_dir(&place);
    shell::run(&mut tar)?;
    let digest = Digest::of(&fs::read(place.join(&archive))?);
    fs::write(place.join(format!("{archive}.sha256")), format!("{}  {archive}\n", digest.hex()))?;
    println!("{}\n{}", place.join(&archive).display(), digest.hex());
    Ok(())
}

/// `kontor-VERSION-TARGET`.
fn name(program: &Path) -> Result<String> {
    let version = shell::version(program, &["--version"]).context("the program does not say its version")?;
    let version = version.rsplit(' ').next().unwrap_or_default().to_owned();
    Ok(format!("kontor-{version}-{}", shell::host()?))
}

fn fill(folder: &Path, program: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("completions"))?;
    fs::copy(program, folder.join("kontor"))?;
    for (shell, file) in COMPLETIONS {
        let text = shell::capture(shell::command(program).args(["completions", shell]))?;
        fs::write(folder.join("completions").join(file), text)?;
    }
    let unit = Path::new("contrib/systemd");
    fs::create_dir_all(folder.join(unit))?;
    for file in fs::read_dir(shell::root().join(unit))? {
        let file = file?;
        fs::copy(file.path(), folder.join(unit).join(file.file_name()))?;
    }
    for paper in PAPERS {
        fs::copy(shell::root().join(paper), folder.join(paper)).with_context(|| format!("cannot copy {paper}"))?;
    }
    Ok(())
}
