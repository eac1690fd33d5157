//! Every row as text that either database can read back: what backups are made of.
//!
//! A row is one JSON object a line. Identifiers and bytes are lower-case hexadecimal, documents are JSON text within the
//! JSON, flags are 0 and 1. How a column is written follows from its type in the database at hand, so no list of columns
//! can fall behind the schema.

use futures::TryStreamExt;
use sqlx::AssertSqlSafe;

use crate::connection::Inner;
use crate::sql::Sql;
use crate::{Conn, Db, Error, Tx};

/// Every table with content, each after those it refers to.
pub const TABLES: &[&str] = &[
    "person",
    "publisher",
    "publisher_member",
    "publisher_key",
    "token",
    "sign_in_link",
    "browser_session",
    "password",
    "password_try",
    "password_place",
    "device_login",
    "device_attempt",
    "audit_event",
    "setting",
    "skill",
    "skill_name",
    "blob",
    "version",
    "version_file",
    "version_signature",
    "scan_report",
    "likeness",
    "likeness_band",
    "likeness_pair",
    "resemblance",
    "scan_attempt",
    "tag_wish",
    "decision",
    "review",
    "review_note",
    "notice",
    "policy",
    "skill_tag",
    "requirement",
    "star",
    "activation",
    "consent",
    "consent_question",
    "report",
    "usage_day",
    "unanswered_search",
    "import_path",
    "overlay",
    "upload_ticket",
    "transfer",
    "webhook",
    "change",
    "change_counter",
    "job",
    "idempotency",
    "run",
    "run_file",
    "run_event",
    "log_origin",
    "log_entry",
    "log_head",
    "secret",
    "secret_release",
    "observed",
    "observed_by",
    "observed_sharing",
    "observed_openly",
    "ledger_counter",
    "ledger_account",
    "ledger_closing",
    "ledger_transfer",
    "ledger_leg",
    "ledger_hold",
    "ledger_batch",
    "ledger_rule",
    "merchant",
    "mandate_key",
    "mandate",
    "checkout",
    "model_budget",
    "model_lease",
    "model_usage",
    "model_meter",
    "workflow",
    "workflow_entry",
    "workflow_question",
    "workflow_asked",
];

/// Tables that the schema itself fills, to be emptied before a restore.
const SEEDED: &[&str] = &["change_counter", "ledger_rule", "ledger_counter"];

/// All tables at one moment, whatever is written meanwhile.
pub struct Snapshot(Conn);

struct Column {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Bytes,
    Identifier,
    Document,
    Flag,
    Number,
}

impl Snapshot {
    /// Fixes the moment.
    pub async fn begin(db: &Db) -> Result<Self, Error> {
        let mut conn = db.read().await?;
        // Whoever reads may be cut off before the end, and nobody else must find themselves in this moment.
        conn.close_on_drop();
        if conn.is_postgres() {
            Sql::new("begin isolation level repeatable read read only").run(&mut conn).await?;
        } else {
            Sql::new("begin").run(&mut conn).await?;
        }
        let mut snapshot = Self(conn);
        // SQLite fixes the moment at the first read.
        snapshot.schema().await?;
        Ok(snapshot)
    }

    /// The newest migration this database has.
    pub async fn schema(&mut self) -> Result<i64, Error> {
        schema(&mut self.0).await
    }

    /// Gives every row of a table, one JSON object at a time, to `take`.
    pub async fn rows<E, F>(&mut self, table: &'static str, mut take: F) -> Result<u64, E>
    where
        E: From<Error>,
        F: FnMut(&str) -> Result<(), E>,
    {
        let sql = select(&mut self.0, table).await?;
        let mut count = 0;
        macro_rules! drain {
            ($connection:expr) => {{
                let mut rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch(&mut **$connection);
                while let Some(row) = rows.try_next().await.map_err(Error::from)? {
                    take(&row)?;
                    count += 1;
                }
            }};
        }
        match &mut self.0.inner {
            Inner::Sqlite(connection) => drain!(connection),
            Inner::Postgres(connection) => drain!(connection),
            Inner::PostgresTx(connection) => drain!(connection),
        }
        Ok(count)
    }

    /// Lets go of the moment.
    pub async fn end(mut self) -> Result<(), Error> {
        Sql::new("rollback").run(&mut self.0).await
    }
}

/// The newest migration a database has.
pub async fn schema(conn: &mut Conn) -> Result<i64, Error> {
    Sql::new("select coalesce(max(version), 0) from _sqlx_migrations where success").cell(conn).await
}

/// Whether nobody has ever written to this database.
pub async fn is_empty(conn: &mut Conn) -> Result<bool, Error> {
    const SQL: &str = "select (select count(*) from person) + (select count(*) from publisher) +
        (select count(*) from skill) + (select count(*) from audit_event) + (select count(*) from ledger_account)";
    let rows: i64 = Sql::new(SQL).cell(conn).await?;
    Ok(rows == 0)
}

/// Empties the tables that the schema itself fills; call it once, before the first [`insert`].
pub async fn make_room(tx: &mut Tx) -> Result<(), Error> {
    for table in SEEDED {
        Sql::of_schema(format!("delete from {table}")).run(tx).await?;
    }
    Ok(())
}

/// Puts rows back that [`Snapshot::rows`] gave, from either database.
pub async fn insert<'r>(tx: &mut Tx, table: &'static str, rows: impl Iterator<Item = &'r str>) -> Result<(), Error> {
    let sql = insertion(tx, table).await?;
    for row in rows {
        Sql::of_schema(sql.clone()).bind(row).run(tx).await?;
    }
    Ok(())
}

async fn columns(conn: &mut Conn, table: &str) -> Result<Vec<Column>, Error> {
    const SQLITE: &str = "select name, lower(type) from pragma_table_info($1) order by cid";
    const POSTGRES: &str = "select column_name::text, data_type::text from information_schema.columns
        where table_schema = current_schema() and table_name = $1 order by ordinal_position";
    let sql = if conn.is_postgres() { POSTGRES } else { SQLITE };
    let rows: Vec<(String, String)> = Sql::new(sql).bind(table).all(conn).await?;
    let kind = |name: &str| match name {
        "blob" | "bytea" => Kind::Bytes,
        "uuid" => Kind::Identifier,
        "jsonb" => Kind::Document,
        "boolean" => Kind::Flag,
        "bigint" | "integer" => Kind::Number,
        _ => Kind::Plain,
    };
    Ok(rows.into_iter().map(|(name, word)| Column { name, kind: kind(&word) }).collect())
}

async fn select(conn: &mut Conn, table: &'static str) -> Result<String, Error> {
    let postgres = conn.is_postgres();
    let fields: Vec<String> = columns(conn, table).await?.iter().map(|column| field(column, postgres)).collect();
    let (object, cast) = if postgres { ("jsonb_build_object", "::text") } else { ("json_object", "") };
    Ok(format!("select {object}({}){cast} from {table}", fields.join(", ")))
}

fn field(Column { name, kind }: &Column, postgres: bool) -> String {
    let value = match kind {
        Kind::Bytes if postgres => format!("encode({name}, 'hex')"),
        Kind::Bytes => format!("iif({name} is null, null, lower(hex({name})))"),
        Kind::Identifier => format!("replace({name}::text, '-', '')"),
        Kind::Document => format!("{name}::text"),
        Kind::Flag => format!("{name}::int"),
        Kind::Plain | Kind::Number => name.clone(),
    };
    format!("'{name}', {value}")
}

async fn insertion(tx: &mut Tx, table: &'static str) -> Result<String, Error> {
    let postgres = tx.is_postgres();
    let columns = columns(tx, table).await?;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let values: Vec<String> = columns.iter().map(|column| value(column, postgres)).collect();
    Ok(format!("insert into {table} ({}) values ({})", names.join(", "), values.join(", ")))
}

fn value(Column { name, kind }: &Column, postgres: bool) -> String {
    if !postgres {
        let value = format!("json_extract($1, '$.{name}')");
        return if matches!(kind, Kind::Bytes) { format!("unhex({value})") } else { value };
    }
    let text = format!("($1::jsonb ->> '{name}')");
    match kind {
        Kind::Bytes => format!("decode({text}, 'hex')"),
        Kind::Identifier => format!("{text}::uuid"),
        Kind::Document => format!("{text}::jsonb"),
        Kind::Flag => format!("{text}::int::boolean"),
        Kind::Number => format!("{text}::bigint"),
        Kind::Plain => text,
    }
}
