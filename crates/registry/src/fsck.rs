//! A check of the whole hub: what rows and blobs say about each other, and mending what can be mended.

mod latest;

use std::time::SystemTime;

use futures::StreamExt;
use kontor_blob::{Blobs, Health, Listed};
use kontor_crypto::Sealer;
use kontor_db::blobs::Blob;
use kontor_db::consistency::{self, Named};
use kontor_db::{Db, blobs, changes, skills};
use kontor_types::{Digest, Timestamp};

use crate::collect::{self, GRACE};
use crate::release::settle_latest;
use crate::secrets;

pub use crate::collect::Error;

/// Rows of blobs examined at a time.
const PAGE: u32 = 500;

/// How thorough a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Read every blob again and compare it with its digest, instead of only its size.
    pub deep: bool,
    /// Mend what can be mended.
    pub mend: bool,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// A version's content is not in the store.
    BlobMissing,
    /// A version's content is not what was published.
    BlobCorrupt,
    /// A blob that no version points to.
    BlobUnused,
    /// Something in the store that no put has made.
    BlobStray,
    /// A put that never ended.
    UploadUnfinished,
    /// A version's index of files is not complete.
    FilesMissing,
    /// A skill's counters are not what its rows add up to.
    CountersWrong,
    /// A skill's `latest` is not the version that its rule names.
    LatestWrong,
    /// The change feed has gaps.
    FeedBroken,
    /// A publisher's secret does not open with the hub's keys.
    SecretUnreadable,
}

impl FaultKind {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlobMissing => "blob_missing",
            Self::BlobCorrupt => "blob_corrupt",
            Self::BlobUnused => "blob_unused",
            Self::BlobStray => "blob_stray",
            Self::UploadUnfinished => "upload_unfinished",
            Self::FilesMissing => "files_missing",
            Self::CountersWrong => "counters_wrong",
            Self::LatestWrong => "latest_wrong",
            Self::FeedBroken => "feed_broken",
            Self::SecretUnreadable => "secret_unreadable",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// Which thing: a reference, a digest or a path.
    pub subject: String,
    /// What is wrong with it, and what was or can be done.
    pub detail: String,
    /// Whether it was mended.
    pub mended: bool,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Blobs that rows point to.
    pub blobs: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Everything that is wrong, in the order it was found.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether nothing is wrong that was not mended.
    pub fn is_sound(&self) -> bool {
        self.faults.iter().all(|fault| fault.mended)
    }
}

/// Checks the whole hub. It may run beside a working hub: what is being published right now is too young to be judged.
pub async fn check(
    db: &Db,
    store: &Blobs,
    options: Options,
    now: Timestamp,
    mut progress: impl FnMut(u64),
) -> Result<Report, Error> {
    let mut check = Check { db, store, options, now, report: Report::default() };
    check.leftovers();
    check.recorded_blobs(&mut progress).await?;
    check.stored_blobs().await?;
    check.files().await?;
    check.counters().await?;
    check.latest().await?;
    check.feed().await?;
    Ok(check.report)
}

/// Checks that publishers' secrets open with the keys of this hub, which are not among its rows; none opens without keys.
pub async fn check_secrets(db: &Db, sealer: Option<&Sealer>, report: &mut Report) -> Result<(), Error> {
    for subject in secrets::unreadable(db, sealer).await? {
        let detail = "it does not open: its key is not in the folder of keys, or the row was changed; set it again";
        let kind = FaultKind::SecretUnreadable;
        report.faults.push(Fault { kind, subject, detail: detail.to_owned(), mended: false });
    }
    Ok(())
}

struct Check<'a> {
    db: &'a Db,
    store: &'a Blobs,
    options: Options,
    now: Timestamp,
    report: Report,
}

impl Check<'_> {
    fn found(&mut self, kind: FaultKind, subject: &impl ToString, detail: impl Into<String>, mended: bool) {
        self.report.faults.push(Fault { kind, subject: subject.to_string(), detail: detail.into(), mended });
    }

    /// The store has removed these when it was opened.
    fn leftovers(&mut self) {
        for leftover in self.store.leftovers() {
            let detail = format!("{} bytes of a put that never ended; removed", leftover.size);
            self.found(FaultKind::UploadUnfinished, &leftover.path.display(), detail, true);
        }
    }

    async fn recorded_blobs(&mut self, progress: &mut impl FnMut(u64)) -> Result<(), Error> {
        let mut after: Option<Digest> = None;
        loop {
            let page = blobs::list(&mut self.db.read().await?, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.digest);
            for blob in page {
                self.recorded_blob(&blob).await?;
                self.report.blobs += 1;
                self.report.bytes += blob.size;
                progress(self.report.blobs);
            }
        }
    }

    async fn recorded_blob(&mut self, blob: &Blob) -> Result<(), Error> {
        let health = if self.options.deep {
            self.store.check(&blob.digest).await?
        } else {
            match self.store.size(&blob.digest).await? {
                Some(size) if size == blob.size => Health::Sound { size },
                Some(size) => Health::Corrupt { actual: blob.digest, size },
                None => Health::Missing,
            }
        };
        match health {
            Health::Sound { .. } => Ok(()),
            Health::Missing => self.lost(blob, FaultKind::BlobMissing, "its content is missing").await,
            Health::Corrupt { .. } => self.lost(blob, FaultKind::BlobCorrupt, "its content is damaged").await,
        }
    }

    async fn lost(&mut self, blob: &Blob, kind: FaultKind, what: &str) -> Result<(), Error> {
        let versions = consistency::versions_of(&mut self.db.read().await?, &blob.digest).await?;
        for version in versions {
            let mended = self.options.mend && self.hide(&version, what).await?;
            let next = if mended { "the version is hidden now" } else { "mending hides the version" };
            let detail = format!(
                "{what} ({}); {next}; publishing or importing the same bytes again brings it back",
                blob.digest
            );
            self.found(kind, &name(&version), detail, mended);
        }
        Ok(())
    }

    async fn hide(&self, version: &Named, reason: &str) -> Result<bool, Error> {
        let (id, skill, reason, now) = (version.id, version.skill_id, reason.to_owned(), self.now);
        let hidden: Result<bool, kontor_db::Error> = self
            .db
            .write(move |tx| {
                Box::pin(async move {
                    skills::lock(tx, skill).await?;
                    consistency::hide_lost(tx, id, &reason, now).await?;
                    settle_latest(tx, skill, now).await?;
                    changes::record(tx, changes::ChangeKind::Skill, skill.uuid(), now).await?;
                    Ok(true)
                })
            })
            .await;
        Ok(hidden?)
    }

    async fn stored_blobs(&mut self) -> Result<(), Error> {
        let mut listed = self.store.list().ready_chunks(PAGE as usize);
        while let Some(chunk) = listed.next().await {
            let mut found = Vec::with_capacity(chunk.len());
            for item in chunk {
                match item? {
                    Listed::Blob { digest, size } => found.push((digest, size)),
                    Listed::Stray { path, size } => {
                        let detail = format!("{size} bytes that the hub has not put there; move them away");
                        self.found(FaultKind::BlobStray, &path.display(), detail, false);
                    }
                }
            }
            for (digest, size) in collect::unused(self.db, &found).await? {
                self.unused(&digest, size).await?;
            }
        }
        Ok(())
    }

    async fn unused(&mut self, digest: &Digest, size: u64) -> Result<(), Error> {
        let Some(put) = self.store.last_put(digest).await? else { return Ok(()) };
        let before = SystemTime::now().checked_sub(GRACE).unwrap_or(SystemTime::UNIX_EPOCH);
        if put >= before {
            return Ok(());
        }
        let mended = self.options.mend && self.store.delete_idle(digest, before).await?;
        let detail = format!("{size} bytes that no version points to{}", if mended { "; removed" } else { "" });
        self.found(FaultKind::BlobUnused, digest, detail, mended);
        Ok(())
    }

    async fn files(&mut self) -> Result<(), Error> {
        let versions = consistency::versions_without_files(&mut self.db.read().await?).await?;
        for version in versions {
            let detail = "the index of its files is not complete: restore it from a backup";
            self.found(FaultKind::FilesMissing, &name(&version), detail, false);
        }
        Ok(())
    }

    async fn feed(&mut self) -> Result<(), Error> {
        let missing = changes::missing(&mut self.db.read().await?).await?;
        if missing == 0 {
            return Ok(());
        }
        if self.options.mend {
            let begun: Result<(), kontor_db::Error> =
                self.db.write(|tx| Box::pin(async move { changes::begin_anew(tx).await })).await;
            begun?;
        }
        let what = if missing < 0 {
            "it has changes behind the newest place".to_owned()
        } else {
            format!("{missing} changes are missing")
        };
        let next = if self.options.mend { "it begins" } else { "mending lets it begin" };
        let detail = format!("{what}; {next} anew, and every search index with it");
        self.found(FaultKind::FeedBroken, &"the change feed", detail, self.options.mend);
        Ok(())
    }

    async fn counters(&mut self) -> Result<(), Error> {
        let skills = consistency::miscounted(&mut self.db.read().await?).await?;
        for skill in skills {
            let subject = format!("@{}/{}", skill.publisher, skill.slug);
            let detail = format!(
                "its rows add up to {} stars, {} downloads and {} installs",
                skill.stars, skill.downloads, skill.installs
            );
            if self.options.mend {
                let recount: Result<(), kontor_db::Error> =
                    self.db.write(move |tx| Box::pin(async move { consistency::recount(tx, &skill).await })).await;
                recount?;
            }
            self.found(FaultKind::CountersWrong, &subject, detail, self.options.mend);
        }
        Ok(())
    }
}

fn name(version: &Named) -> String {
    format!("@{}/{}@{}", version.publisher, version.slug, version.number)
}
