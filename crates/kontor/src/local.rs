//! Skills that lie on this machine: a folder, its SKILL.md, an archive, or a folder of skills.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kontor_package::{
    ArchiveLimits, Content, DiscoveryLimits, Error, Limits, discover, is_skill_file_name, unpack_tree,
};

/// One skill that was found, or why it cannot be read.
pub struct LocalSkill {
    /// Where it lies, as the user would name it.
    pub path: String,
    /// The name of its folder, where it is known.
    pub folder: Option<String>,
    /// Its files.
    pub content: Result<Content, Error>,
}

impl LocalSkill {
    /// The place of a file of this skill, as the user would name it.
    pub fn place(&self, file: &str) -> String {
        match (self.path.as_str(), file) {
            (path, "") => path.to_owned(),
            (".", file) => file.to_owned(),
            (path, file) => format!("{}/{file}", path.trim_end_matches('/')),
        }
    }
}

/// The one skill at `path`.
pub fn skill_at(path: &Path) -> anyhow::Result<LocalSkill> {
    let mut skills = skills_at(path)?;
    if skills.len() > 1 {
        let text = format!("{} holds {} skills; name one of them", path.display(), skills.len());
        return Err(crate::exit::UsageError(text).into());
    }
    skills.pop().ok_or_else(|| {
        let error = kontor_client::Error::Package { what: path.display().to_string(), source: Error::UnknownArchive };
        error.into()
    })
}

/// The skill at `path`, or every skill below it when it is none itself; at least one.
pub fn skills_at(path: &Path) -> anyhow::Result<Vec<LocalSkill>> {
    let metadata = std::fs::metadata(path).map_err(|error| kontor_client::Error::io("find", path, error))?;
    if metadata.is_dir() {
        return Ok(in_folder(path, &shown(path), folder_name(path))?);
    }
    if path.file_name().and_then(|name| name.to_str()).is_some_and(is_skill_file_name) {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return Ok(vec![folder(parent, shown(parent), folder_name(parent))]);
    }
    in_archive(path)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The folder's own name, also for `.` and `..`.
fn folder_name(path: &Path) -> Option<String> {
    let named = path.file_name().map(PathBuf::from).or_else(|| {
        let real = path.canonicalize().ok()?;
        real.file_name().map(PathBuf::from)
    })?;
    named.to_str().map(str::to_owned)
}

fn folder(place: &Path, path: String, folder: Option<String>) -> LocalSkill {
    LocalSkill { path, folder, content: Content::from_directory(place, &Limits::default()) }
}

/// Nested skills are content of the outer one; they are judged for themselves only where the root is no skill.
fn in_folder(place: &Path, path: &str, name: Option<String>) -> Result<Vec<LocalSkill>, kontor_client::Error> {
    let refused = |source| kontor_client::Error::Package { what: path.to_owned(), source };
    let found = discover(place, &DiscoveryLimits::default()).map_err(refused)?.skills;
    if found.is_empty() || found.iter().any(|skill| skill.path.is_empty()) {
        return Ok(vec![folder(place, path.to_owned(), name)]);
    }
    let skills = found.into_iter().map(|skill| {
        let inner =
            if path == "." { skill.path.clone() } else { format!("{}/{}", path.trim_end_matches('/'), skill.path) };
        folder(&place.join(&skill.path), inner, skill.folder_name().map(str::to_owned))
    });
    Ok(skills.collect())
}

/// An archive of one skill is read as it will be published; one of many is unpacked to a temporary folder first.
fn in_archive(path: &Path) -> anyhow::Result<Vec<LocalSkill>> {
    let failed = |error| kontor_client::Error::io("read", path, error);
    let limit = Limits::default().skill_bytes.saturating_add(16 << 20);
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(failed)?;
    file.by_ref().take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    let single = if bytes.len() as u64 > limit {
        Err(Error::TooLarge { limit: Limits::default().skill_bytes })
    } else {
        Content::from_archive(&bytes, &Limits::default())
    };
    let may_hold_many = match &single {
        Ok(content) => content.skill_file().is_none(),
        Err(error) => matches!(
            error,
            Error::TooLarge { .. } | Error::FileTooLarge { .. } | Error::TooManyFiles { .. } | Error::NotAFile { .. }
        ),
    };
    let whole = |content| LocalSkill { path: shown(path), folder: None, content };
    if !may_hold_many {
        return Ok(vec![whole(single)]);
    }
    drop(bytes);
    let temporary = tempfile::tempdir()?;
    let target = temporary.path().join("archive");
    let refused = |source| kontor_client::Error::Package { what: shown(path), source };
    unpack_tree(File::open(path).map_err(failed)?, &target, &ArchiveLimits::default()).map_err(refused)?;
    let skills = in_folder(&target, &shown(path), None)?;
    let only_the_root = matches!(&skills[..], [skill] if skill.path == shown(path));
    Ok(if only_the_root { vec![whole(single)] } else { skills })
}
