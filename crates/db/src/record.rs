//! Rows as typed structs: one table says how each type stands in a column, for both drivers.

use kontor_types::Scope;
use sqlx::error::BoxDynError;
use sqlx::types::Json;
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};
use uuid::Uuid;

/// A type that stands in a column as `Raw`.
pub(crate) trait Column: Sized {
    type Raw;

    fn from_raw(raw: Self::Raw) -> Result<Self, BoxDynError>;
}

impl<T: Column> Column for Option<T> {
    type Raw = Option<T::Raw>;

    fn from_raw(raw: Self::Raw) -> Result<Self, BoxDynError> {
        raw.map(T::from_raw).transpose()
    }
}

macro_rules! columns {
    ($($raw:ty: $($column:ty),+;)+) => {$($(
        impl Column for $column {
            type Raw = $raw;

            fn from_raw(raw: $raw) -> Result<Self, BoxDynError> {
                Ok(<$column>::try_from(raw)?)
            }
        }
    )+)+};
}

columns! {
    Uuid: Uuid, kontor_types::AuditId, kontor_types::ConsentId, kontor_types::DecisionId, kontor_types::DeviceLoginId, kontor_types::JobId, kontor_types::LogEntryId, kontor_types::NoticeId,
        kontor_types::OverlayId, kontor_types::PersonId, kontor_types::PolicyId, kontor_types::PublisherId,
        kontor_types::ReportId, kontor_types::ReviewId, kontor_types::ReviewNoteId, kontor_types::RunId, kontor_types::SessionId,
        kontor_types::SkillId, kontor_types::TokenId, kontor_types::TransferId, kontor_types::UploadTicketId,
        kontor_types::VersionId, kontor_types::WebhookId, kontor_types::WorkflowId,
        kontor_types::MandateId, kontor_types::CheckoutId;
    String: String, kontor_types::Currency, kontor_types::Handle, kontor_types::PublisherKind, kontor_types::Role, kontor_types::Slug,
        kontor_types::TagName, kontor_types::Version, kontor_types::VersionRange, kontor_types::Visibility,
        crate::browser_sessions::OpenedBy, crate::decisions::Outcome, crate::observed::Behaviour, crate::ledger_accounts::Side, crate::ledger_transfers::Kind, crate::model_budgets::OwnerKind,
        crate::notices::NoticeKind, crate::reports::ReportState,
        crate::reviews::NoteKind, crate::reviews::ReviewState,
        crate::runs::EventKind, crate::runs::FileWay, crate::runs::RunState, crate::runs::RunStep,
        crate::scan_reports::Severity, crate::scan_reports::Verdict, crate::skill_names::NameKind, crate::transfers::TransferState,
        crate::checkouts::CheckoutState, crate::upload_tickets::TicketState, crate::versions::VersionState,
        crate::workflows::EntryKind, crate::workflows::Who, crate::workflows::WorkflowState;
    i64: i64, u64, kontor_types::Day, kontor_types::Timestamp;
    bool: bool;
    Vec<u8>: Vec<u8>, kontor_types::Digest;
}

macro_rules! json_columns {
    ($($column:ty),+) => {$(
        impl Column for $column {
            type Raw = Json<$column>;

            fn from_raw(raw: Json<$column>) -> Result<Self, BoxDynError> {
                Ok(raw.0)
            }
        }
    )+};
}

json_columns!(Vec<String>, Vec<(String, String)>, Vec<kontor_types::PublisherId>, serde_json::Value);

/// Words with spaces between; those of a newer program are left out.
impl Column for Vec<Scope> {
    type Raw = String;

    fn from_raw(raw: String) -> Result<Self, BoxDynError> {
        Ok(raw.split(' ').filter_map(|word| word.parse().ok()).collect())
    }
}

/// A part of a row: the column at a place, or a [`record!`] whose columns stand among the others.
pub(crate) trait Field<R: Row>: Sized {
    fn read(row: &R, place: impl ColumnIndex<R> + Copy) -> Result<Self, sqlx::Error>;
}

impl<R, T> Field<R> for T
where
    R: Row,
    T: Column,
    T::Raw: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    fn read(row: &R, place: impl ColumnIndex<R> + Copy) -> Result<Self, sqlx::Error> {
        let unreadable = |source| sqlx::Error::ColumnDecode { index: format!("{place:?}"), source };
        T::from_raw(row.try_get(place)?).map_err(unreadable)
    }
}

/// The only column of a row.
pub(crate) struct Cell<T>(pub T);

impl<'r, R: Row, T: Field<R>> FromRow<'r, R> for Cell<T>
where
    usize: ColumnIndex<R>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        T::read(row, 0).map(Self)
    }
}

/// A struct whose fields are columns of the same names, or other records.
macro_rules! record {
    ($(#[$attribute:meta])* $seen:vis struct $name:ident {
        $($(#[$field_attribute:meta])* $field_seen:vis $field:ident: $type:ty,)+
    }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        $seen struct $name {
            $($(#[$field_attribute])* $field_seen $field: $type,)+
        }

        impl<'r, R: ::sqlx::Row> ::sqlx::FromRow<'r, R> for $name
        where
            $($type: $crate::record::Field<R>,)+
            &'static str: ::sqlx::ColumnIndex<R>,
        {
            fn from_row(row: &'r R) -> Result<Self, ::sqlx::Error> {
                Ok(Self { $($field: $crate::record::Field::read(row, stringify!($field))?,)+ })
            }
        }

        impl<R: ::sqlx::Row> $crate::record::Field<R> for $name
        where
            Self: for<'r> ::sqlx::FromRow<'r, R>,
        {
            fn read(row: &R, _: impl ::sqlx::ColumnIndex<R> + Copy) -> Result<Self, ::sqlx::Error> {
                ::sqlx::FromRow::from_row(row)
            }
        }
    };
}

/// A closed set of words in a text column.
macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident ($kind:literal) { $($(#[$item_doc:meta])* $item:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$item_doc])* $item,)+
        }

        impl $name {
            /// The word used in the database and in JSON.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$item => $word,)+
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::record::UnknownWord;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                match text.as_str() {
                    $($word => Ok(Self::$item),)+
                    _ => Err($crate::record::UnknownWord { kind: $kind, text }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl From<$name> for $crate::sql::Value {
            fn from(word: $name) -> Self {
                Self::Text(Some(word.as_str().to_owned()))
            }
        }
    };
}

/// A column holds a word that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a known {kind}")]
pub struct UnknownWord {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}
