//! Publish, import, versions, tags, yank, resolve, feeds.
//!
//! [`Registry`] has the verbs. Reads take a [`Viewer`](kontor_types::Viewer) and find nothing that it may not see; writes
//! take a [`Caller`](kontor_access::Caller), check its rights and leave an audit event in the same transaction.

mod assess;
pub mod backup;
mod cache;
mod catalogue;
pub mod collect;
mod error;
mod feed;
pub mod fsck;
mod import;
mod intake;
mod lifecycle;
mod look_alikes;
mod lookup;
mod newest;
mod numbers;
mod overlays;
mod proofs;
mod publish;
mod registry;
mod release;
mod rename;
mod reports;
mod resolve;
mod review;
mod stars;
mod statements;
mod tags;
mod uploads;
mod usage;
mod versions;
pub mod webhooks;

pub use assess::{Assessment, Examiner, Explained, Preview, PreviewedChange, REJUDGE, SCAN, Waiting, scan_worker};
pub use catalogue::{Hit, Hits, Listing};
pub use error::Error;
pub use feed::FEED_MEMORY;
pub use import::{Import, ImportStatus, Imported, Known, OnConflict, Refusal};
pub use kontor_db::assessments::Failed;
pub use kontor_db::decisions::{Decision, Outcome as DecisionOutcome};
pub use kontor_db::notices::Notice;
pub use kontor_db::overlays::Overlay;
pub use kontor_db::reports::{Filter as ReportFilter, Report, ReportState};
pub use kontor_db::requirements::{Dependent, Requirement};
pub use kontor_db::reviews::{NoteKind, Review, ReviewNote, ReviewState};
pub use kontor_db::scan_reports::{ScanReport, Severity, Verdict};
pub use kontor_db::skills::{Shelf, Skill, Sort};
pub use kontor_db::tags::Tag;
pub use kontor_db::transfers::{Side, Transfer, TransferState};
pub use kontor_db::usage::{DayUse, VersionUse};
pub use kontor_db::version_files::File;
pub use kontor_db::versions::{Reading, Signature, Version, VersionState};
pub use kontor_scan::Finding as ScanFinding;
pub use lifecycle::{Advice, Change, Deleted, RESERVATION};
pub use lookup::Found;
pub use numbers::latest;
pub use publish::Publish;
pub use registry::{Parts, Registry};
pub use release::{Outcome, Published};
pub use resolve::{Comparison, Installed, Plan, PlanItem};
pub use review::{ReviewDetail, ReviewFilter};
pub use stars::Star;
pub use uploads::{IssuedTicket, Upload, Uploaded};
