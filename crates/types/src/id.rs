use std::fmt;
use std::sync::{LazyLock, Mutex};

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

use crate::Timestamp;

/// Keeps ids of one process in the order in which they were made, also within the same moment.
static SEQUENCE: LazyLock<Mutex<ContextV7>> =
    LazyLock::new(|| Mutex::new(ContextV7::new().with_additional_precision()));

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh UUIDv7 (RFC 9562): ids sort by the time they were made, and within a moment by their order.
            pub fn new(now: Timestamp) -> Self {
                let micros = now.micros().max(0).cast_unsigned();
                #[expect(clippy::cast_possible_truncation, reason = "below one million thousand")]
                let nanos = (micros % 1_000_000 * 1_000) as u32;
                Self(Uuid::new_v7(uuid::Timestamp::from_unix(&*SEQUENCE, micros / 1_000_000, nanos)))
            }

            /// The id as databases store it.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.0)
            }
        }
    )+};
}

ids! {
    /// What a person lets a version have whenever their agents run it.
    ConsentId,
    /// One person who can sign in.
    PersonId,
    /// A person or organisation that owns skills.
    PublisherId,
    /// A skill, whatever it is called today.
    SkillId,
    /// One immutable version of a skill.
    VersionId,
    /// One run of a skill's program.
    RunId,
    /// An operator's manifest laid over somebody else's skill.
    OverlayId,
    /// An access token; the secret itself is stored only as a hash.
    TokenId,
    /// A device sign-in under way.
    DeviceLoginId,
    /// A browser session.
    SessionId,
    /// A permission to upload one file.
    UploadTicketId,
    /// An offer to hand a skill to another publisher.
    TransferId,
    /// A report of abuse.
    ReportId,
    /// An address that is told of events.
    WebhookId,
    /// A unit of durable background work.
    JobId,
    /// One line of the audit trail.
    AuditId,
    /// A statement that is in the transparency log, or on its way there.
    LogEntryId,
    /// What was decided about a version.
    DecisionId,
    /// A version that a person looks at, with what was said of it.
    ReviewId,
    /// Something said or done in a review.
    ReviewNoteId,
    /// Something that a person is told.
    NoticeId,
    /// A policy that is or was in force.
    PolicyId,
    /// What a person allows to be bought in their name.
    MandateId,
    /// A purchase from a merchant, from its quote to its end.
    CheckoutId,
    /// A journal of steps that goes on until it is over.
    WorkflowId,
}
