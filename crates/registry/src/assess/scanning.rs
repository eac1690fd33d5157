//! What must be known of contents before they are decided: what the scanner says, and the signature of their text.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use kontor_db::assessments::Subject;
use kontor_db::likenesses::{self, NewLikeness};
use kontor_db::scan_reports::{self, ScanReport};
use kontor_types::Digest;
use tokio::sync::Semaphore;

use super::{Examiner, facts};
use crate::{Error, Registry};

/// KiB of archives that are scanned at the same time; a larger one is scanned alone.
const AT_ONCE: u32 = 24 << 10;

/// A version with what the scanner said of it, or why there is no report.
pub(crate) type Scanned = (Subject, Result<Examined, String>);

/// What is known of a content before it is decided.
#[derive(Debug, Clone)]
pub(crate) struct Examined {
    /// What the scanner said.
    pub scan: ScanReport,
    /// The signature of its instructions, unless that is kept.
    pub likeness: Option<NewLikeness>,
}

/// What of an earlier examination must be kept for it to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// The report.
    Report,
    /// The report and the signature.
    All,
}

impl Registry {
    /// The report of each of these versions by the present rules, or why there is none. What is known already is not scanned.
    pub(crate) async fn scan_all(&self, batch: Vec<Subject>, does: Known) -> Result<Vec<Scanned>, Error> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let examiner = self.examiner()?.clone();
        let digests: Vec<Digest> = batch.iter().map(|subject| subject.digest).collect();
        let known = self.reports_of(&digests, examiner.rules(), does).await?;
        let room = Arc::new(Semaphore::new(AT_ONCE as usize));
        let side_by_side = Examiner::side_by_side();
        let scans = batch.into_iter().map(|subject| {
            let (known, room, examiner) = (known.get(&subject.digest).cloned(), Arc::clone(&room), examiner.clone());
            async move {
                if let Some(scan) = known {
                    return (subject, Ok(Examined { scan, likeness: None }));
                }
                let size = u32::try_from(subject.size / 1024).unwrap_or(AT_ONCE).clamp(1, AT_ONCE);
                let _place = room.acquire_many_owned(size).await;
                let outcome = self.scan_one(&examiner, &subject).await;
                (subject, outcome)
            }
        });
        Ok(stream::iter(scans).buffer_unordered(side_by_side).collect().await)
    }

    /// What is known of these contents by these rules.
    async fn reports_of(
        &self,
        digests: &[Digest],
        rules: Digest,
        does: Known,
    ) -> Result<HashMap<Digest, ScanReport>, Error> {
        let mut conn = self.read().await?;
        let mut known = scan_reports::newest(&mut conn, digests).await?;
        known.retain(|report| report.rules == rules);
        if does == Known::All && !known.is_empty() {
            let kept: HashSet<Digest> = likenesses::kept(&mut conn, digests).await?.into_iter().collect();
            known.retain(|report| kept.contains(&report.digest));
        }
        Ok(known.into_iter().map(|report| (report.digest, report)).collect())
    }

    async fn scan_one(&self, examiner: &Examiner, subject: &Subject) -> Result<Examined, String> {
        let bytes = self.parts.blobs.get(&subject.digest).await;
        let bytes = bytes.map_err(|error| format!("its bytes could not be read: {error}"))?;
        let name = format!("@{}/{}@{}", subject.publisher, subject.slug, subject.number);
        let seen = examiner.examine(name, bytes).await?;
        let scan = facts::stored(&seen.report, subject.digest, self.now());
        let bands = seen.bands.into_iter().map(u64::cast_signed).collect();
        Ok(Examined {
            scan: scan.ok_or_else(|| "the report cannot be kept".to_owned())?,
            likeness: Some(NewLikeness { digest: subject.digest, places: seen.places, bands }),
        })
    }
}
