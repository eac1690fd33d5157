//! Which blobs the rows speak of: the archive of each version, and the files of runs.

use kontor_types::{Digest, Timestamp};

use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx, likenesses};

record! {
    /// A blob that a version or a run points to.
    pub struct Blob {
        /// SHA-256 of its bytes.
        pub digest: Digest,
        /// How many bytes it has.
        pub size: u64,
        /// When it was first recorded.
        pub created_at: Timestamp,
    }
}

/// Records a blob; nothing happens when it is recorded already.
pub async fn put(tx: &mut Tx, digest: &Digest, size: u64, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into blob (digest, size, created_at) values ($1, $2, $3) on conflict (digest) do nothing";
    Sql::new(SQL).bind(digest).bind(size).bind(now).run(tx).await
}

/// The blob with this digest, if it is recorded.
pub async fn find(conn: &mut Conn, digest: &Digest) -> Result<Option<Blob>, Error> {
    Sql::new("select digest, size, created_at from blob where digest = $1").bind(digest).optional(conn).await
}

/// Recorded blobs in the order of their digests, after `after`.
pub async fn list(conn: &mut Conn, after: Option<&Digest>, limit: u32) -> Result<Vec<Blob>, Error> {
    let mut sql = Sql::new("select digest, size, created_at from blob");
    if let Some(after) = after {
        sql.push(" where digest > ").value(after);
    }
    sql.push(" order by digest limit ").value(limit);
    sql.all(conn).await
}

/// Those of these digests that are recorded.
pub async fn known(conn: &mut Conn, digests: &[Digest]) -> Result<Vec<Digest>, Error> {
    let mut known = Vec::with_capacity(digests.len());
    for digests in digests.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new("select digest from blob where digest in ");
        sql.list(digests);
        known.extend(sql.column::<Digest>(conn).await?);
    }
    Ok(known)
}

/// Forgets blobs that no version and no run points to; returns how many.
pub async fn forget_unused(tx: &mut Tx) -> Result<u64, Error> {
    const SQL: &str = "delete from blob where not exists (select 1 from version v where v.digest = blob.digest)
        and not exists (select 1 from run_file f where f.digest = blob.digest)";
    const REPORTS: &str =
        "delete from scan_report where not exists (select 1 from version v where v.digest = scan_report.digest)";
    Sql::new(REPORTS).run(tx).await?;
    likenesses::forget_unused(tx).await?;
    Sql::new(SQL).execute(tx).await
}
