//! How optional and compound values of `kontor-types` read from a column; for `#[sqlx(try_from = "…")]`.

use kontor_types::{PersonId, PublisherId, Scope, Timestamp, TokenId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::Error;

/// A nullable moment.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
pub struct NullableTime(Option<i64>);

impl From<NullableTime> for Option<Timestamp> {
    fn from(column: NullableTime) -> Self {
        column.0.map(Timestamp::from_micros)
    }
}

/// A nullable id.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
pub struct NullableId(Option<Uuid>);

macro_rules! nullable_ids {
    ($($name:ident),+) => {$(
        impl From<NullableId> for Option<$name> {
            fn from(column: NullableId) -> Self {
                column.0.map($name::from)
            }
        }
    )+};
}

nullable_ids!(PersonId, PublisherId, TokenId);

/// Scopes as words with spaces between; words of a newer program are left out.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
pub struct ScopeWords(String);

impl From<ScopeWords> for Vec<Scope> {
    fn from(column: ScopeWords) -> Self {
        column.0.split(' ').filter_map(|word| word.parse().ok()).collect()
    }
}

/// Scopes as their column holds them.
pub fn scope_words(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

/// The publishers that a token is bound to.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
pub struct BoundPublishers(Option<Json<Vec<Uuid>>>);

impl From<BoundPublishers> for Option<Vec<PublisherId>> {
    fn from(column: BoundPublishers) -> Self {
        column.0.map(|Json(ids)| ids.into_iter().map(PublisherId::from).collect())
    }
}

/// `true` when a statement changed a row; for updates that may find nothing left to do.
pub fn changed(rows: Result<u64, Error>) -> Result<bool, Error> {
    rows.map(|rows| rows > 0)
}

/// `$4, $5, $6` for `count` values of which the first is `$first`.
pub fn placeholders(first: usize, count: usize) -> String {
    (first..first.saturating_add(count)).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}
