use kontor_types::{Digest, RunId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx, blobs};

words! {
    /// Which way a file of a run goes.
    pub enum FileWay("way of a file") {
        /// The caller gave it.
        In = "in",
        /// The program left it.
        Out = "out",
        /// What the program said on one of its streams.
        Said = "said",
    }
}

record! {
    /// A file of a run.
    pub struct RunFile {
        /// Its path in the work folder, or the stream's name.
        pub path: String,
        /// Its bytes.
        pub size: u64,
        /// Their digest, under which they lie in the blob store.
        pub digest: Digest,
    }
}

/// Points a run to a file whose bytes are in the blob store; the same file again changes nothing.
pub async fn add_file(tx: &mut Tx, id: RunId, way: FileWay, file: &RunFile, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into run_file (run_id, way, path, size, digest) values ($1, $2, $3, $4, $5)
        on conflict (run_id, way, path) do nothing";
    blobs::put(tx, &file.digest, file.size, now).await?;
    Sql::new(SQL).bind(id).bind(way).bind(&file.path).bind(file.size).bind(file.digest).run(tx).await
}

/// The files of a run that went one way, by path.
pub async fn files(conn: &mut Conn, id: RunId, way: FileWay) -> Result<Vec<RunFile>, Error> {
    const SQL: &str = "select path, size, digest from run_file where run_id = $1 and way = $2 order by path";
    Sql::new(SQL).bind(id).bind(way).all(conn).await
}

/// One file of a run.
pub async fn file(conn: &mut Conn, id: RunId, way: FileWay, path: &str) -> Result<Option<RunFile>, Error> {
    const SQL: &str = "select path, size, digest from run_file where run_id = $1 and way = $2 and path = $3";
    Sql::new(SQL).bind(id).bind(way).bind(path).optional(conn).await
}

/// Forgets the files of runs whose time is over, and what they said; the receipt stays. Returns how many runs that were.
pub async fn forget(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<u64, Error> {
    const DUE: &str = "select id from run where forgotten_at is null and keep_until is not null and keep_until <= $1
        order by keep_until, id limit $2";
    const BLOB: &str = "delete from blob where digest = $1
        and not exists (select 1 from version v where v.digest = $1)
        and not exists (select 1 from run_file f where f.digest = $1)";
    let due: Vec<RunId> = Sql::new(DUE).bind(now).bind(limit).column(tx).await?;
    for id in &due {
        let held = Sql::new("select distinct digest from run_file where run_id = $1").bind(*id);
        let held: Vec<Digest> = held.column(tx).await?;
        Sql::new("delete from run_file where run_id = $1").bind(*id).run(tx).await?;
        Sql::new("delete from run_event where run_id = $1").bind(*id).run(tx).await?;
        for digest in held {
            Sql::new(BLOB).bind(digest).run(tx).await?;
        }
        Sql::new("update run set forgotten_at = $2 where id = $1").bind(*id).bind(now).run(tx).await?;
    }
    Ok(due.len() as u64)
}
