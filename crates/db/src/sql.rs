//! Statements put together from fixed text and bound values, and rows read into typed records.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::record::Cell;
use crate::{Conn, Error};

/// Most values of one list: far below the 32,766 that SQLite binds.
pub(crate) const MOST_IN_LIST: usize = 500;

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

macro_rules! fetch {
    ($sql:expr, $conn:expr, $how:ident) => {{
        let Self { text, values } = $sql;
        Ok(on!($conn, |c| bound!(sqlx::query_as(AssertSqlSafe(text)), values).$how(c))?)
    }};
}

impl Sql {
    /// A statement whose text may hold `$1`, `$2` … for the values bound next.
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// A statement whose text follows from the names in the schema.
    pub fn of_schema(text: String) -> Self {
        Self { text, values: Vec::new() }
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
        fetch!(self, conn, fetch_all)
    }

    /// The row, if there is one.
    pub async fn optional<T: Record>(self, conn: &mut Conn) -> Result<Option<T>, Error> {
        fetch!(self, conn, fetch_optional)
    }

    /// The one row.
    pub async fn one<T: Record>(self, conn: &mut Conn) -> Result<T, Error> {
        fetch!(self, conn, fetch_one)
    }

    /// The only column of every row.
    pub async fn column<T>(self, conn: &mut Conn) -> Result<Vec<T>, Error>
    where
        Cell<T>: Record,
    {
        Ok(self.all(conn).await?.into_iter().map(|Cell(value)| value).collect())
    }

    /// The only column of the row, if there is one.
    pub async fn optional_cell<T>(self, conn: &mut Conn) -> Result<Option<T>, Error>
    where
        Cell<T>: Record,
    {
        Ok(self.optional(conn).await?.map(|Cell(value)| value))
    }

    /// The only column of the one row.
    pub async fn cell<T>(self, conn: &mut Conn) -> Result<T, Error>
    where
        Cell<T>: Record,
    {
        self.one(conn).await.map(|Cell(value)| value)
    }

    /// Runs it; the number of rows it changed.
    pub async fn execute(self, conn: &mut Conn) -> Result<u64, Error> {
        let Self { text, values } = self;
        let done = on!(conn, |c| async {
            let query = bound!(sqlx::query(AssertSqlSafe(text)), values);
            query.execute(c).await.map(|done| done.rows_affected())
        });
        Ok(done?)
    }

    /// Runs it; whether it found a row to change.
    pub async fn changed(self, conn: &mut Conn) -> Result<bool, Error> {
        Ok(self.execute(conn).await? > 0)
    }

    /// Runs it, whatever it changes.
    pub async fn run(self, conn: &mut Conn) -> Result<(), Error> {
        self.execute(conn).await.map(drop)
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
    u32 => |value| Int(Some(i64::from(value)));
    u16 => |value| Int(Some(i64::from(value)));
    Vec<u8> => |value| Bytes(Some(value));
    &[u8] => |value| Bytes(Some(value.to_vec()));
    &serde_json::Value => |value| Json(Some(storable_json(value.clone())));
    &Vec<String> => |value| Json(Some(storable_json(value.as_slice().into())));
    &Vec<(String, String)> => |value| Json(Some(storable_json(pairs(value))));
    &Vec<kontor_types::PublisherId> => |value| Json(Some(value.iter().map(ToString::to_string).collect()));
    &[kontor_types::Scope] => |value| Text(Some(words(value)));
    kontor_types::Timestamp => |value| Int(Some(value.micros()));
    kontor_types::Day => |value| Int(Some(value.number()));
    kontor_types::Digest => |value| Bytes(Some(value.as_bytes().to_vec()));
    &kontor_types::Digest => |value| Bytes(Some(value.as_bytes().to_vec()));
    &kontor_types::Slug => |value| Text(Some(value.as_str().to_owned()));
    &kontor_types::Handle => |value| Text(Some(value.as_str().to_owned()));
    &kontor_types::TagName => |value| Text(Some(value.as_str().to_owned()));
    &kontor_types::Version => |value| Text(Some(value.to_string()));
    &kontor_types::VersionRange => |value| Text(Some(value.to_string()));
    kontor_types::Currency => |value| Text(Some(value.as_str().to_owned()));
    kontor_types::PublisherKind => |value| Text(Some(value.as_str().to_owned()));
    kontor_types::Role => |value| Text(Some(value.as_str().to_owned()));
    kontor_types::Visibility => |value| Text(Some(value.as_str().to_owned()));
    kontor_types::AuditId => |value| Uuid(Some(value.uuid()));
    kontor_types::ConsentId => |value| Uuid(Some(value.uuid()));
    kontor_types::DeviceLoginId => |value| Uuid(Some(value.uuid()));
    kontor_types::JobId => |value| Uuid(Some(value.uuid()));
    kontor_types::LogEntryId => |value| Uuid(Some(value.uuid()));
    kontor_types::OverlayId => |value| Uuid(Some(value.uuid()));
    kontor_types::PersonId => |value| Uuid(Some(value.uuid()));
    kontor_types::PublisherId => |value| Uuid(Some(value.uuid()));
    kontor_types::ReportId => |value| Uuid(Some(value.uuid()));
    kontor_types::RunId => |value| Uuid(Some(value.uuid()));
    kontor_types::SessionId => |value| Uuid(Some(value.uuid()));
    kontor_types::SkillId => |value| Uuid(Some(value.uuid()));
    kontor_types::TokenId => |value| Uuid(Some(value.uuid()));
    kontor_types::TransferId => |value| Uuid(Some(value.uuid()));
    kontor_types::UploadTicketId => |value| Uuid(Some(value.uuid()));
    kontor_types::VersionId => |value| Uuid(Some(value.uuid()));
    kontor_types::DecisionId => |value| Uuid(Some(value.uuid()));
    kontor_types::NoticeId => |value| Uuid(Some(value.uuid()));
    kontor_types::PolicyId => |value| Uuid(Some(value.uuid()));
    kontor_types::ReviewId => |value| Uuid(Some(value.uuid()));
    kontor_types::ReviewNoteId => |value| Uuid(Some(value.uuid()));
    kontor_types::WebhookId => |value| Uuid(Some(value.uuid()));
    kontor_types::MandateId => |value| Uuid(Some(value.uuid()));
    kontor_types::CheckoutId => |value| Uuid(Some(value.uuid()));
    kontor_types::WorkflowId => |value| Uuid(Some(value.uuid()));
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

fn words(scopes: &[kontor_types::Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

fn pairs(pairs: &[(String, String)]) -> serde_json::Value {
    pairs.iter().map(|(name, value)| serde_json::Value::from([name.as_str(), value.as_str()])).collect()
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
