//! A hub with very many skills out of one with many: rows are copied below new names, bytes and reports are shared.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use kontor_db::testing::{run, texts};
use kontor_db::{Db, Options};

use crate::hub::Hub;
use crate::many::{Many, wait_for};
use crate::product;

/// Raised when the rows are made differently.
const MAKE: u32 = 2;
/// Older versions of one skill in ten.
const OLDER: u32 = 19;
/// What has rows of its own for each skill, those that others point to first.
const TABLES: [&str; 6] = ["skill", "skill_name", "version", "version_file", "skill_tag", "decision"];
/// What names a skill or a version in them.
const IDS: [&str; 4] = ["id", "skill_id", "version_id", "latest_version_id"];

/// The folder of such a hub and what can be asked of it.
pub struct Crowded {
    /// For `kontor up --data`.
    pub folder: PathBuf,
    /// How many skills there are.
    pub skills: usize,
    /// Those of the imported skills that everybody sees; their copies have a number behind.
    pub names: Vec<String>,
    /// How many were imported.
    pub imported: usize,
    /// One to three words, as people type them.
    pub queries: Vec<String>,
    copies: usize,
}

impl Crowded {
    /// The hub's folder, filled the first time; search has heard of everything.
    pub fn fill(binary: &Path, many: &Many, skills: usize) -> Result<Self> {
        let filled = many.fill(binary)?;
        let names: Vec<String> = filled.skills.into_iter().map(|skill| skill.name).collect();
        let copies = (skills / names.len().max(1)).max(1) - 1;
        let folder = product::data()?.join(format!("crowded-{}-{copies}-{MAKE}", names.len()));
        let done = folder.join("filled");
        if !done.exists() {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            eprintln!("copying {} skills {copies} times into {}, once", names.len(), folder.display());
            copy(&filled.folder, &folder)?;
            tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(multiply(&folder, copies))?;
            // The index follows the change feed, which has not heard of the copies: it is made anew.
            fs::remove_dir_all(folder.join("index"))?;
            fs::write(&done, "")?;
        }
        let (skills, imported) = (names.len() * (copies + 1), names.len());
        let seen = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(visible(&folder))?;
        let names: Vec<String> = names.into_iter().filter(|name| seen.contains(name)).collect();
        if names.is_empty() {
            bail!("the hub admitted none of its skills");
        }
        let crowded = Self { folder, skills, names, imported, queries: many.queries()?, copies };
        let hub = Hub::start(binary, &crowded.folder)?;
        wait_for(&hub, &crowded.name(crowded.names.len() - 1, copies))?;
        hub.stop()?;
        Ok(crowded)
    }

    /// Names from everywhere among them.
    pub fn sample(&self, most: usize) -> Vec<String> {
        let visible = self.names.len() * (self.copies + 1);
        let step = (visible / most.max(1)).max(1);
        let place = |number: usize| (number % self.names.len(), number / self.names.len());
        (0..visible).step_by(step).take(most).map(place).map(|(name, copy)| self.name(name, copy)).collect()
    }

    fn name(&self, place: usize, copy: usize) -> String {
        let name = &self.names[place];
        if copy == 0 { name.clone() } else { format!("{name}-{}", copy.min(self.copies)) }
    }
}

/// The folder with all below it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    // The hub's keys lie in a folder that nobody else may enter.
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?;
        } else if entry.file_name() != "filled" {
            fs::copy(entry.path(), &place).with_context(|| format!("cannot copy {}", place.display()))?;
        }
    }
    Ok(())
}

/// Gives one skill in ten older versions, copies every skill and lets them be used differently often.
async fn multiply(folder: &Path, copies: usize) -> Result<()> {
    let db = Db::open(&Options::sqlite(folder.join("kontor.db"))).await?;
    let mut statements = vec![older(&columns(&db, "version").await?)];
    for table in TABLES {
        statements.push(copied(table, &columns(&db, table).await?, copies));
    }
    statements.push(
        "update skill set downloads = (rowid * 7919) % 99991, installs = (rowid * 104729) % 9973,
            stars = (rowid * 31) % 97, trending = (rowid * 1299709) % 997"
            .to_owned(),
    );
    for statement in statements {
        let unit = db.write(move |tx| {
            let statement = statement.clone();
            Box::pin(async move { run(tx, statement).await })
        });
        unit.await?;
    }
    db.close().await;
    Ok(())
}

/// The names of the skills that everybody sees.
async fn visible(folder: &Path) -> Result<HashSet<String>> {
    let db = Db::open(&Options::sqlite(folder.join("kontor.db"))).await?;
    let mut conn = db.read().await?;
    let sql = "select slug from skill where latest_version_id is not null and hidden_at is null and deleted_at is null";
    let names = texts(&mut conn, sql.to_owned()).await?;
    drop(conn);
    db.close().await;
    Ok(names.into_iter().collect())
}

async fn columns(db: &Db, table: &str) -> Result<Vec<String>> {
    let mut conn = db.read().await?;
    Ok(texts(&mut conn, format!("select name from pragma_table_info('{table}')")).await?)
}

/// An id of its own for each number: another one with a first byte that no moment of our time has, because ids of one
/// moment differ by little.
fn older(columns: &[String]) -> String {
    let of = |column: &String| match column.as_str() {
        "id" => "unhex(printf('%02x', 64 + n.value) || substr(hex(v.id), 3))".to_owned(),
        "number" => "'0.0.' || n.value".to_owned(),
        "created_at" => "v.created_at - n.value * 86400000000".to_owned(),
        other => format!("v.{other}"),
    };
    let values: Vec<String> = columns.iter().map(of).collect();
    format!(
        "with recursive n (value) as (select 1 union all select value + 1 from n where value < {OLDER})
        insert into version ({}) select {} from version v cross join n
        where v.skill_id in (select id from skill where rowid % 10 = 0)",
        columns.join(", "),
        values.join(", ")
    )
}

/// Each row some times more, about skills and versions whose ids end with the copy's number.
fn copied(table: &str, columns: &[String], copies: usize) -> String {
    let of = |column: &String| match column.as_str() {
        id if IDS.contains(&id) => {
            format!("iif(t.{id} is null, null, unhex(substr(hex(t.{id}), 1, 24) || printf('%08x', n.value)))")
        }
        "slug" | "look" => format!("t.{column} || '-' || n.value"),
        other => format!("t.{other}"),
    };
    let values: Vec<String> = columns.iter().map(of).collect();
    format!(
        "with recursive n (value) as (select 1 where {copies} > 0 union all select value + 1 from n where value < {copies})
        insert into {table} ({}) select {} from {table} t cross join n",
        columns.join(", "),
        values.join(", ")
    )
}
