//! Statements put together from fixed text and bound values, and rows read into typed records.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::{Conn, Error};

/// A statement; its text is made only of literals of this crate, every foreign value is bound.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

/// A bound value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Uuid(Option<Uuid>),
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
    Flag(bool),
    Json(Option<serde_json::Value>),
}

/// A row type that both drivers can fill.
pub(crate) trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Record for T {}

macro_rules! bound {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Uuid(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Int(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
                Value::Flag(value) => query.bind(value),
                Value::Json(value) => query.bind(value.map(Json)),
            };
        }
        query
    }};
}

impl Sql {
    /// A statement whose text may hold `$1`, `$2` … for the values bound next.
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Binds the next value to the next `$n` of the text given to [`Sql::new`].
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a bound value in this place.
    pub fn value(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Adds `($n, $m, …)`, which must not be empty.
    pub fn list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        let mut before = "(";
        for value in values {
            self.push(before).value(value);
            before = ", ";
        }
        self.push(")")
    }

    /// Every row.
    pub async fn all<T: Record>(self, conn: &mut Conn) -> Result<Vec<T>, Error> {
        let Self { text, values } = self;
        Ok(on!(conn, |c| bound!(sqlx::query_as(AssertSqlSafe(text)), values).fetch_all(c))?)
    }

    /// The row, if there is one.
    pub async fn optional<T: Record>(self, conn: &mut Conn) -> Result<Option<T>, Error> {
        let Self { text, values } = self;
        Ok(on!(conn, |c| bound!(sqlx::query_as(AssertSqlSafe(text)), values).fetch_optional(c))?)
    }

    /// The one row.
    pub async fn one<T: Record>(self, conn: &mut Conn) -> Result<T, Error> {
        let Self { text, values } = self;
        Ok(on!(conn, |c| bound!(sqlx::query_as(AssertSqlSafe(text)), values).fetch_one(c))?)
    }

    /// Runs it; the number of rows it changed.
    pub async fn execute(self, conn: &mut Conn) -> Result<u64, Error> {
        let Self { text, values } = self;
        execute!(conn, bound!(sqlx::query(AssertSqlSafe(text)), values))
    }
}

macro_rules! values {
    ($($from:ty => |$value:ident| $variant:ident($made:expr);)+) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$variant($made)
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.and_then(|$value| $made))
            }
        }
    )+};
}

values! {
    Uuid => |value| Uuid(Some(value));
    String => |value| Text(Some(storable(value)));
    &str => |value| Text(Some(storable(value.to_owned())));
    &String => |value| Text(Some(storable(value.clone())));
    i64 => |value| Int(Some(value));
    u64 => |value| Int(Some(i64::try_from(value).unwrap_or(i64::MAX)));
    &serde_json::Value => |value| Json(Some(storable_json(value.clone())));
    &Vec<String> => |value| Json(Some(storable_json(value.as_slice().into())));
    kontor_types::Timestamp => |value| Int(Some(value.micros()));
    kontor_types::Day => |value| Int(Some(value.number()));
    kontor_types::Digest => |value| Bytes(Some(value.as_bytes().to_vec()));
    &kontor_types::Digest => |value| Bytes(Some(value.as_bytes().to_vec()));
    &kontor_types::Slug => |value| Text(Some(value.as_str().to_owned()));
    &kontor_types::Handle => |value| Text(Some(value.as_str().to_owned()));
    &kontor_types::TagName => |value| Text(Some(value.as_str().to_owned()));
    &kontor_types::Version => |value| Text(Some(value.to_string()));
    &kontor_types::VersionRange => |value| Text(Some(value.to_string()));
    kontor_types::Visibility => |value| Text(Some(value.as_str().to_owned()));
    kontor_types::PersonId => |value| Uuid(Some(value.uuid()));
    kontor_types::PublisherId => |value| Uuid(Some(value.uuid()));
    kontor_types::SkillId => |value| Uuid(Some(value.uuid()));
    kontor_types::VersionId => |value| Uuid(Some(value.uuid()));
    kontor_types::OverlayId => |value| Uuid(Some(value.uuid()));
    kontor_types::UploadTicketId => |value| Uuid(Some(value.uuid()));
    kontor_types::TransferId => |value| Uuid(Some(value.uuid()));
    kontor_types::ReportId => |value| Uuid(Some(value.uuid()));
    kontor_types::WebhookId => |value| Uuid(Some(value.uuid()));
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

/// Postgres holds no NUL in text; foreign text may have one, so both databases store the replacement character.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

fn storable_json(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => Json::String(storable(text)),
        Json::Array(items) => Json::Array(items.into_iter().map(storable_json).collect()),
        Json::Object(map) => {
            Json::Object(map.into_iter().map(|(key, value)| (storable(key), storable_json(value))).collect())
        }
        other => other,
    }
}

/// Text made safe for `like … escape '\'`.
pub(crate) fn like_literal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '%' | '_' | '\\') {
            safe.push('\\');
        }
        safe.push(char);
    }
    safe
}
