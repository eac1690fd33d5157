use std::sync::Arc;

use bytes::Bytes;
use kontor_package::{Content, Error as PackageError, Finding, Limits, inspect, pack};
use kontor_types::Slug;
use kontor_wire::{ImportItem, ImportStatus};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::BUDGET_KIB;
use crate::source::Place;
use crate::weigh::{Weight, weigh};

/// A skill that was read and packed.
pub struct Prepared {
    /// The canonical archive.
    pub archive: Bytes,
    /// The name it will have, unless that is taken.
    pub slug: Slug,
    /// The name of its folder.
    pub folder: Option<String>,
    /// Its share of the memory, given back when it was sent.
    pub memory: Option<OwnedSemaphorePermit>,
}

/// Reads and packs the skill at `path`, once there is room for it.
pub async fn prepare(
    from: Place,
    path: String,
    folder: Option<String>,
    limits: Limits,
    budget: Arc<Semaphore>,
) -> Result<Prepared, Box<ImportItem>> {
    let bytes = match &from {
        Place::Folder(root) => {
            let (place, most) = (root.join(&path), Weight { bytes: limits.skill_bytes, entries: 100_000 });
            tokio::task::spawn_blocking(move || weigh(&place, most).bytes).await.ok()
        }
        Place::Memory(held, _) => Some(held.size(&path)),
    };
    let Some(bytes) = bytes else { return Err(Box::new(refused(path, "failed", "it could not be read"))) };
    let share = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(BUDGET_KIB);
    let memory = budget.acquire_many_owned(share).await.ok();
    let inside = path.clone();
    let read = tokio::task::spawn_blocking(move || {
        let content = match from {
            Place::Folder(root) => Content::from_directory(&root.join(inside), &limits),
            Place::Memory(held, _) => held.content(&inside, &limits),
        };
        read(&content.map_err(Refusal::Package)?, folder, memory)
    });
    match read.await {
        Ok(Ok(prepared)) => Ok(prepared),
        Ok(Err(refusal)) => Err(Box::new(refusal.item(path))),
        Err(_) => Err(Box::new(refused(path, "failed", "it could not be read"))),
    }
}

enum Refusal {
    Package(PackageError),
    Finding(Finding),
}

impl Refusal {
    fn item(self, path: String) -> ImportItem {
        let finding = match self {
            Self::Package(error) => error.finding(),
            Self::Finding(finding) => finding,
        };
        let mut item = refused(path, &finding.code, &finding.message);
        item.hint = Some(finding.remedy).filter(|remedy| !remedy.is_empty());
        item.file = Some(finding.file).filter(|file| !file.is_empty());
        item.line = Some(finding.line).filter(|line| *line > 0);
        item
    }
}

fn read(content: &Content, folder: Option<String>, memory: Option<OwnedSemaphorePermit>) -> Result<Prepared, Refusal> {
    let inspection = inspect(content, folder.as_deref());
    if let Some(finding) = inspection.errors().next() {
        return Err(Refusal::Finding(finding.clone()));
    }
    let package = pack(content);
    let slug = inspection.slug(&package.digest);
    Ok(Prepared { archive: package.bytes.into(), slug, folder, memory })
}

fn refused(path: String, code: &str, message: &str) -> ImportItem {
    ImportItem {
        path,
        status: ImportStatus::Refused,
        reference: None,
        version: None,
        digest: None,
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        hint: None,
        file: None,
        line: None,
    }
}
