//! What a version was taken for when it was last decided: a copy of another, or a name that looks like another.

use kontor_types::{SkillId, VersionId};
use serde_json::Value;

use crate::sql::Sql;
use crate::{Error, Tx};

/// What a version resembles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resemblance {
    /// The version whose text it repeats.
    pub copy_of: Option<VersionId>,
    /// The share of text in common, in percent.
    pub likeness: Option<u32>,
    /// What it can do that the original cannot, in words.
    pub gained: Vec<String>,
    /// The skill that its name is easily taken for.
    pub looks_like: Option<SkillId>,
}

/// Keeps what a version resembles, or forgets it when that is nothing.
pub async fn put(tx: &mut Tx, version: VersionId, found: &Resemblance) -> Result<(), Error> {
    const SQL: &str = "insert into resemblance (version_id, copy_of, likeness, gained, looks_like)
        values ($1, $2, $3, $4, $5) on conflict (version_id) do update set copy_of = excluded.copy_of,
            likeness = excluded.likeness, gained = excluded.gained, looks_like = excluded.looks_like";
    if *found == Resemblance::default() {
        return Sql::new("delete from resemblance where version_id = $1").bind(version).run(tx).await;
    }
    let gained: Value = found.gained.iter().map(String::as_str).collect();
    Sql::new(SQL)
        .bind(version)
        .bind(found.copy_of)
        .bind(found.likeness)
        .bind(&gained)
        .bind(found.looks_like)
        .run(tx)
        .await
}
