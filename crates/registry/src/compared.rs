//! What differs between versions: of any two, and of one under review and the one that was admitted last; and its bytes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kontor_access::{Caller, audit};
use kontor_db::version_files::{self, File};
use kontor_db::versions;
use kontor_types::{ReviewId, Viewer};
use serde_json::json;
use similar::{Algorithm, TextDiff};

use crate::registry::event;
use crate::{Error, Found, Registry};

/// Most bytes of a file whose lines are compared.
const OF_A_FILE: u64 = 256 << 10;
/// Most bytes of compared lines in all; what comes behind is told without them.
const IN_ALL: usize = 1 << 20;
/// How long lines are compared in all.
const PATIENCE: Duration = Duration::from_secs(2);
/// Lines shown around a change.
const AROUND: usize = 3;

/// What differs between a version and the one that was admitted last before it.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The version under review.
    pub found: Found,
    /// The version admitted last before it; none when there is none.
    pub base: Option<Found>,
    /// Files that differ, by their paths.
    pub files: Vec<FileDifference>,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDifference {
    /// Its path.
    pub path: String,
    /// Bytes before; none for a new file.
    pub before: Option<u64>,
    /// Bytes now; none for a removed file.
    pub after: Option<u64>,
    /// The lines that differ, in the form of `diff -u`; none for what is no text, or too long.
    pub lines: Option<String>,
}

/// A file on either side, and the bytes to compare.
struct Pair {
    path: String,
    before: Option<u64>,
    after: Option<u64>,
    texts: Option<(Bytes, Bytes)>,
}

impl Registry {
    /// The version that a review is about, to be fetched whole by somebody who may take part in it; the audit trail says
    /// that it was.
    pub async fn fetch_reviewed(&self, caller: &Caller, id: ReviewId) -> Result<Found, Error> {
        let found = self.reviewed(caller, id).await?;
        let detail = json!({"review": id, "digest": found.version.digest});
        let (event, caller, now) =
            (event("review.fetch", found.skill.publisher_id, &found.reference(), detail), caller.clone(), self.now());
        self.parts
            .db
            .write::<(), Error, _>(move |tx| {
                let (event, caller) = (event.clone(), caller.clone());
                Box::pin(async move { Ok(audit::record(tx, &caller, event, now).await?) })
            })
            .await?;
        Ok(found)
    }

    /// The files of the version that a review is about.
    pub async fn reviewed_files(&self, caller: &Caller, id: ReviewId) -> Result<(Found, Vec<File>), Error> {
        let found = self.reviewed(caller, id).await?;
        let files = version_files::list(&mut self.read().await?, &Viewer::hub(), found.version.id).await?;
        Ok((found, files))
    }

    /// One file of the version that a review is about.
    pub async fn reviewed_file(&self, caller: &Caller, id: ReviewId, path: &str) -> Result<(Found, File), Error> {
        let found = self.reviewed(caller, id).await?;
        let file = version_files::find(&mut self.read().await?, &Viewer::hub(), found.version.id, path).await?;
        let file =
            file.ok_or_else(|| Error::FileNotFound { version: found.reference().into(), path: path.to_owned() })?;
        Ok((found, file))
    }

    /// What differs between the version under review and the one that was admitted last before it.
    pub async fn review_difference(&self, caller: &Caller, id: ReviewId) -> Result<Difference, Error> {
        let (found, files) = self.reviewed_files(caller, id).await?;
        let base = self.admitted_before(&found).await?;
        let before = match &base {
            Some(base) => version_files::list(&mut self.read().await?, &Viewer::hub(), base.version.id).await?,
            None => Vec::new(),
        };
        let files = self.differing((base.as_ref(), before), (&found, files)).await?;
        Ok(Difference { found, base, files })
    }

    /// What differs between two versions that the viewer found.
    pub async fn difference(&self, viewer: &Viewer, base: &Found, found: &Found) -> Result<Vec<FileDifference>, Error> {
        let before = self.files(viewer, base.version.id).await?;
        let files = self.files(viewer, found.version.id).await?;
        self.differing((Some(base), before), (found, files)).await
    }

    async fn differing(
        &self,
        (base, before): (Option<&Found>, Vec<File>),
        (found, files): (&Found, Vec<File>),
    ) -> Result<Vec<FileDifference>, Error> {
        let mut sides: BTreeMap<String, (Option<File>, Option<File>)> = BTreeMap::new();
        for file in before {
            let path = file.path.clone();
            sides.entry(path).or_default().0 = Some(file);
        }
        for file in files {
            let path = file.path.clone();
            sides.entry(path).or_default().1 = Some(file);
        }
        let mut pairs = Vec::new();
        let mut read: u64 = 0;
        for (path, (before, after)) in sides {
            if before.as_ref().map(|file| file.digest) == after.as_ref().map(|file| file.digest) {
                continue;
            }
            let size = |file: &Option<File>| file.as_ref().map(|file| file.size);
            let most = size(&before).max(size(&after)).unwrap_or_default();
            read = read.saturating_add(most);
            let texts = if most <= OF_A_FILE && read <= 16 * OF_A_FILE {
                Some((self.side(base, before.as_ref()).await?, self.side(Some(found), after.as_ref()).await?))
            } else {
                None
            };
            pairs.push(Pair { path, before: size(&before), after: size(&after), texts });
        }
        let compared = tokio::task::spawn_blocking(move || compare(pairs)).await;
        compared.map_err(|_| Error::Interrupted)
    }

    async fn side(&self, of: Option<&Found>, file: Option<&File>) -> Result<Bytes, Error> {
        match (of, file) {
            (Some(of), Some(file)) => self.file_bytes(of, file, None).await,
            _ => Ok(Bytes::new()),
        }
    }

    /// The version of the same skill that was published before this one and admitted, the newest of them.
    async fn admitted_before(&self, found: &Found) -> Result<Option<Found>, Error> {
        let mut conn = self.read().await?;
        let all = versions::candidates(&mut conn, &Viewer::hub(), found.skill.id).await?;
        let earlier = all.into_iter().filter(|one| one.is_shown() && one.id < found.version.id);
        let Some(newest) = earlier.max_by_key(|one| one.id) else { return Ok(None) };
        let version = versions::find(&mut conn, &Viewer::hub(), newest.id).await?;
        Ok(version.map(|version| Found { skill: found.skill.clone(), version: version.into() }))
    }
}

fn compare(pairs: Vec<Pair>) -> Vec<FileDifference> {
    let deadline = Instant::now() + PATIENCE;
    let mut room = IN_ALL;
    let compared = pairs.into_iter().map(|pair| {
        let lines = pair.texts.and_then(|(before, after)| lines(&before, &after, &pair.path, deadline));
        let lines = lines.filter(|lines| lines.len() <= room);
        room -= lines.as_ref().map_or(0, String::len);
        FileDifference { path: pair.path, before: pair.before, after: pair.after, lines }
    });
    compared.collect()
}

fn lines(before: &[u8], after: &[u8], path: &str, deadline: Instant) -> Option<String> {
    let text = |bytes| std::str::from_utf8(bytes).ok().filter(|text: &&str| !text.contains('\0'));
    let (before, after) = (text(before)?, text(after)?);
    if Instant::now() >= deadline {
        return None;
    }
    let compared = TextDiff::configure().algorithm(Algorithm::Myers).deadline(deadline).diff_lines(before, after);
    let (left, right) = (format!("a/{path}"), format!("b/{path}"));
    Some(compared.unified_diff().context_radius(AROUND).header(&left, &right).to_string())
}
