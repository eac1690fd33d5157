//! `kontor pack`: write the canonical archive of a skill.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use kontor_package::{FileEntry, Inspection, Package, human_bytes, inspect, pack};
use kontor_types::{Digest, Slug, Version};
use serde::Serialize;

use crate::exit::{Exit, UsageError};
use crate::local::skill_at;
use crate::session::Session;
use crate::terminal::{Style, plain};

/// Pack a skill into its canonical archive and print its digest
///
/// Equal files give equal bytes on every machine, so the digest is the identity of the skill's content.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The skill's folder, its SKILL.md, or an archive of it
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Where to write; NAME-VERSION.zip in the present folder unless told
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that holds something else
    #[arg(long)]
    force: bool,
}

/// What was packed, in the form of `--json`.
#[derive(Debug, Serialize)]
struct Packed<'a> {
    digest: Digest,
    file: String,
    name: Slug,
    version: Version,
    size: usize,
    files: &'a [FileEntry],
}

/// Packs the skill and writes the archive.
pub fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let terminal = &session.terminal;
    let skill = skill_at(&args.path)?;
    let content = match &skill.content {
        Ok(content) => content,
        Err(error) => return Err(refusal(&error.finding().message, &error.finding().remedy, &skill.place(""))),
    };
    let inspection = inspect(content, skill.folder.as_deref());
    if let Some(finding) = inspection.errors().next() {
        return Err(refusal(&finding.message, &finding.remedy, &skill.place(&finding.file)));
    }
    let package = pack(content);
    let (name, version) = identity(&inspection, &package);
    let file = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}-{version}.zip")));
    write(&file, &package.bytes, args.force)?;
    let shown = file.display().to_string();
    if terminal.json {
        let (digest, size) = (package.digest, package.bytes.len());
        terminal.json(&Packed { digest, file: shown, name, version, size, files: &package.files });
        return Ok(Exit::Done);
    }
    terminal.data(&package.digest.to_string());
    let size = human_bytes(package.bytes.len() as u64);
    let files = match package.files.len() {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    };
    terminal.note(&format!("{} ({files}, {size})", terminal.paint_note(Style::Bold, &plain(&shown))));
    Ok(Exit::Done)
}

fn refusal(message: &str, remedy: &str, place: &str) -> anyhow::Error {
    kontor_client::Error::refused(format!("{place}: {message}"), remedy.to_owned()).into()
}

fn identity(inspection: &Inspection, package: &Package) -> (Slug, Version) {
    let version = inspection.facts.version.clone().unwrap_or(Version::first());
    (inspection.slug(&package.digest), version)
}

/// Writes the whole file or nothing; the same bytes again are no change.
pub(super) fn write(file: &Path, bytes: &[u8], force: bool) -> anyhow::Result<()> {
    let failed = |error| kontor_client::Error::io("write", file, error);
    if !force && file.exists() {
        if std::fs::read(file).is_ok_and(|present| present == bytes) {
            return Ok(());
        }
        let text = format!("{} exists and holds something else; say --force to write over it", file.display());
        return Err(UsageError(text).into());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temporary.write_all(bytes).map_err(failed)?;
    set_mode(temporary.as_file()).map_err(failed)?;
    temporary.persist(file).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A temporary file is private; an archive is meant to be passed on.
fn set_mode(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}
