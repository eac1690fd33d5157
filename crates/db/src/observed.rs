//! What runs of some bytes were seen to do, apart for each publisher in whose name they ran.

use kontor_types::{Digest, PublisherId, Role, Timestamp, VersionId, Viewer};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

/// Most things that are kept of one publisher's runs of some bytes.
const MOST: i64 = 120;
/// Most things that are told at once.
const TOLD: u32 = 400;
/// Most publishers of which somebody is told apart.
const APART: u32 = 20;

words! {
    /// What kind of thing a run did.
    pub enum Behaviour("behaviour") {
        /// It was granted connections to a host.
        Granted = "granted",
        /// It was given a secret of this name.
        Given = "given",
        /// It connected to a host.
        Connected = "connected",
        /// It tried to connect to a host and was refused.
        Refused = "refused",
        /// It left a file, or one of this kind.
        Wrote = "wrote",
        /// It was this program, with this script or tool.
        Started = "started",
        /// It ended so.
        Ended = "ended",
        /// It said that it could not reach a host.
        WantedHost = "wanted_host",
        /// It said that it misses a variable.
        WantedVariable = "wanted_variable",
        /// It said that it misses a program.
        WantedProgram = "wanted_program",
    }
}

/// Something that one run was seen to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// What kind of thing.
    pub kind: Behaviour,
    /// The host and port, variable, program or file.
    pub name: String,
    /// Whether telling the name tells nothing but what stands in the bytes themselves.
    pub known: bool,
}

record! {
    /// Something that runs were seen to do.
    pub struct Observed {
        /// What kind of thing.
        pub kind: Behaviour,
        /// The host and port, variable, program or file; empty for names that may not be told here.
        pub name: String,
        /// In how many runs.
        pub runs: u64,
        /// When first.
        pub first_at: Timestamp,
        /// When last.
        pub last_at: Timestamp,
    }
}

/// Counts one run and what it did.
pub async fn add(
    tx: &mut Tx,
    digest: &Digest,
    publisher: PublisherId,
    seen: &[Seen],
    now: Timestamp,
) -> Result<(), Error> {
    const RUN: &str = "insert into observed_by (digest, publisher_id, runs) values ($1, $2, 1)
        on conflict (digest, publisher_id) do update set runs = observed_by.runs + 1";
    const AGAIN: &str = "update observed set runs = runs + 1, last_at = $5
        where digest = $1 and publisher_id = $2 and kind = $3 and name = $4";
    const FIRST: &str = "insert into observed (digest, publisher_id, kind, name, runs, first_at, last_at, known)
        values ($1, $2, $3, $4, 1, $5, $5, $6)";
    const MANY: &str = "select count(*) from observed where digest = $1 and publisher_id = $2";
    Sql::new(RUN).bind(digest).bind(publisher).run(tx).await?;
    let mut left: Option<i64> = None;
    for Seen { kind, name, known } in seen {
        let bound = |sql: &'static str| Sql::new(sql).bind(digest).bind(publisher).bind(*kind).bind(name).bind(now);
        if bound(AGAIN).changed(tx).await? {
            continue;
        }
        let room = match left {
            Some(room) => room,
            None => MOST - Sql::new(MANY).bind(digest).bind(publisher).cell::<i64>(tx).await?,
        };
        if room > 0 {
            bound(FIRST).bind(*known).run(tx).await?;
        }
        left = Some(room - 1);
    }
    Ok(())
}

/// What one publisher's runs were seen to do, and in how many runs; for those who may see all of them.
pub async fn of_publisher(
    conn: &mut Conn,
    digest: &Digest,
    publisher: PublisherId,
) -> Result<(u64, Vec<Observed>), Error> {
    const RUNS: &str = "select cast(coalesce(sum(runs), 0) as bigint) from observed_by
        where digest = $1 and publisher_id = $2";
    const SQL: &str = "select kind, name, runs, first_at, last_at from observed
        where digest = $1 and publisher_id = $2 and name <> '' order by kind, name";
    let runs: u64 = Sql::new(RUNS).bind(digest).bind(publisher).cell(conn).await?;
    Ok((runs, Sql::new(SQL).bind(digest).bind(publisher).all(conn).await?))
}

/// What runs of publishers that share it were seen to do, all together.
pub async fn shared(conn: &mut Conn, digest: &Digest) -> Result<(u64, Vec<Observed>), Error> {
    visible(conn, &Viewer::anonymous(), digest).await
}

/// What the viewer may see, all together: all that runs did in the name of publishers that they administer, and what others
/// share. In how many runs that was, and each thing.
pub async fn visible(conn: &mut Conn, viewer: &Viewer, digest: &Digest) -> Result<(u64, Vec<Observed>), Error> {
    let mut sql = Sql::new("select cast(coalesce(sum(o.runs), 0) as bigint) from observed_by o where o.digest = ");
    sql.value(digest).push(" and (");
    sees_all(&mut sql, viewer);
    sql.push(" or ").push(SHARES).push(")");
    let runs: u64 = sql.cell(conn).await?;
    let mut sql = Sql::new(
        "select o.kind, o.name, cast(sum(o.runs) as bigint) as runs, min(o.first_at) as first_at,
        max(o.last_at) as last_at from observed o where o.digest = ",
    );
    sql.value(digest).push(" and ((o.name <> '' and ");
    sees_all(&mut sql, viewer);
    sql.push(") or (o.known and not ");
    sees_all(&mut sql, viewer);
    sql.push(" and ").push(SHARES).push("))");
    sql.push(" group by o.kind, o.name order by o.kind, o.name limit ").value(TOLD);
    Ok((runs, sql.all(conn).await?))
}

/// The publishers of whose runs the viewer may see all and which ran these bytes.
pub async fn apart(conn: &mut Conn, viewer: &Viewer, digest: &Digest) -> Result<Vec<PublisherId>, Error> {
    let mut sql = Sql::new("select o.publisher_id from observed_by o where o.digest = ");
    sql.value(digest).push(" and o.said is not null and ");
    sees_all(&mut sql, viewer);
    sql.push(" order by o.publisher_id limit ").value(APART);
    sql.column(conn).await
}

/// What its owners share.
const SHARES: &str = "exists (select 1 from observed_sharing s where s.publisher_id = o.publisher_id)";

/// Whoever may see all runs in a publisher's name may see what they did.
fn sees_all(sql: &mut Sql, viewer: &Viewer) {
    let admin = |id: &PublisherId| viewer.role_in(*id).is_some_and(|role| role.includes(Role::Admin));
    let administered: Vec<PublisherId> = viewer.member_of().filter(admin).collect();
    if viewer.is_administrator() {
        sql.push("(true)");
    } else if administered.is_empty() {
        sql.push("(false)");
    } else {
        sql.push("(o.publisher_id in ").list(administered).push(")");
    }
}

/// Remembers what was said to those who may see the publisher's runs; `false` when just that was said before.
pub async fn say(tx: &mut Tx, digest: &Digest, publisher: PublisherId, said: &Digest) -> Result<bool, Error> {
    const SQL: &str = "update observed_by set said = $3
        where digest = $1 and publisher_id = $2 and (said is null or said <> $3)";
    Sql::new(SQL).bind(digest).bind(publisher).bind(said).changed(tx).await
}

/// Remembers what was said to everybody who sees a version; `false` when just that was said before.
pub async fn say_openly(tx: &mut Tx, version: VersionId, said: &Digest) -> Result<bool, Error> {
    const SQL: &str = "insert into observed_openly (version_id, said) values ($1, $2)
        on conflict (version_id) do update set said = excluded.said where observed_openly.said <> excluded.said";
    Sql::new(SQL).bind(version).bind(said).changed(tx).await
}

/// Whether a publisher shares what its runs do.
pub async fn shares(conn: &mut Conn, publisher: PublisherId) -> Result<bool, Error> {
    const SQL: &str = "select count(*) from observed_sharing where publisher_id = $1";
    let found: i64 = Sql::new(SQL).bind(publisher).cell(conn).await?;
    Ok(found > 0)
}

/// Begins or ends to share; `false` when it was so before.
pub async fn share(tx: &mut Tx, publisher: PublisherId, share: bool, now: Timestamp) -> Result<bool, Error> {
    const BEGIN: &str = "insert into observed_sharing (publisher_id, since) values ($1, $2)
        on conflict (publisher_id) do nothing";
    const END: &str = "delete from observed_sharing where publisher_id = $1";
    if share {
        Sql::new(BEGIN).bind(publisher).bind(now).changed(tx).await
    } else {
        Sql::new(END).bind(publisher).changed(tx).await
    }
}
