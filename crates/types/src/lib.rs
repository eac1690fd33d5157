//! The words every other crate speaks: ids, names, digests, versions, clock and problem codes; no IO.
//!
//! Values are parsed once, at the boundary, into these types; inner functions have nothing left to validate.

mod check;
mod clock;
mod digest;
mod id;
mod money;
mod name;
mod page;
mod people;
mod problem;
mod reference;
mod version;
mod viewer;
mod words;

pub use check::{Check, Outcome};
pub use clock::{Clock, Day, ManualClock, SystemClock, Timestamp};
pub use digest::{Digest, DigestError};
pub use id::{
    AuditId, CheckoutId, ConsentId, DecisionId, DeviceLoginId, JobId, LogEntryId, MandateId, NoticeId, OverlayId,
    PersonId, PolicyId, PublisherId, ReportId, ReviewId, ReviewNoteId, RunId, SessionId, SkillId, TokenId, TransferId,
    UploadTicketId, VersionId, WebhookId, WorkflowId,
};
pub use money::{Currency, Money, MoneyError};
pub use name::{Handle, NameError, Slug, TagName};
pub use page::{Cursor, Page, PageSize};
pub use people::{ParseWordError, PublisherKind, Role, Scope, Visibility};
pub use problem::{Code, Problem};
pub use reference::{SkillRef, SkillRefError, VersionSelector};
pub use version::{Version, VersionError, VersionRange};
pub use viewer::Viewer;
