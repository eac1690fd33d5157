//! How columns become typed fields: one table for both drivers.

use sqlx::error::BoxDynError;
use sqlx::types::Json;
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
    Uuid: kontor_types::PersonId, kontor_types::PublisherId, kontor_types::SkillId, kontor_types::VersionId,
        kontor_types::OverlayId, kontor_types::UploadTicketId, kontor_types::TransferId, kontor_types::ReportId,
        kontor_types::WebhookId;
    String: String, kontor_types::Slug, kontor_types::Handle, kontor_types::TagName, kontor_types::Version,
        kontor_types::VersionRange, kontor_types::Visibility, crate::versions::VersionState,
        crate::skill_names::NameKind, crate::reports::ReportState, crate::transfers::TransferState,
        crate::upload_tickets::TicketState;
    i64: i64, u64, kontor_types::Timestamp, kontor_types::Day;
    bool: bool;
    Vec<u8>: kontor_types::Digest;
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

json_columns!(Vec<String>, serde_json::Value);

/// Reads one column of either driver's row into its typed form.
macro_rules! column {
    ($row:expr, $name:expr, $type:ty) => {{
        let raw: <$type as $crate::record::Column>::Raw = ::sqlx::Row::try_get($row, $name)?;
        <$type as $crate::record::Column>::from_raw(raw)
            .map_err(|source| ::sqlx::Error::ColumnDecode { index: $name.to_owned(), source })?
    }};
}

/// A struct whose fields are columns of the same names.
macro_rules! record {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* pub $field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl<'r> ::sqlx::FromRow<'r, ::sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &'r ::sqlx::sqlite::SqliteRow) -> Result<Self, ::sqlx::Error> {
                Ok(Self { $($field: column!(row, stringify!($field), $type),)+ })
            }
        }

        impl<'r> ::sqlx::FromRow<'r, ::sqlx::postgres::PgRow> for $name {
            fn from_row(row: &'r ::sqlx::postgres::PgRow) -> Result<Self, ::sqlx::Error> {
                Ok(Self { $($field: column!(row, stringify!($field), $type),)+ })
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
