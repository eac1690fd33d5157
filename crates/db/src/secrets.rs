//! Secrets of publishers, sealed, and which bytes of which skills may be given them. No value is ever in the clear here.

use kontor_types::{Digest, Handle, PersonId, PublisherId, SkillId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// What is known of a secret without opening it.
    pub struct Secret {
        /// Its name.
        pub name: String,
        /// How often it was set.
        pub version: u64,
        /// Who set it last, or removed it.
        pub set_by: Option<Handle>,
        /// When that was.
        pub set_at: Timestamp,
        /// When it was removed.
        pub removed_at: Option<Timestamp>,
    }
}

record! {
    /// A sealed value.
    pub struct SealedSecret {
        /// Whose it is.
        pub publisher_id: PublisherId,
        /// Its name.
        pub name: String,
        /// Which setting of it.
        pub version: u64,
        /// The sealed bytes; none once it was removed.
        pub sealed: Option<Vec<u8>>,
    }
}

record! {
    /// That some bytes may be given a secret.
    pub struct Release {
        /// The secret.
        pub name: String,
        /// The skill.
        pub skill_id: SkillId,
        /// Its bytes.
        pub digest: Digest,
        /// What the version was called when it was granted.
        pub reference: String,
        /// Who granted it.
        pub granted_by: Option<Handle>,
        /// When.
        pub granted_at: Timestamp,
    }
}

/// A release to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelease {
    /// Whose secret.
    pub publisher: PublisherId,
    /// The secret.
    pub name: String,
    /// The skill.
    pub skill: SkillId,
    /// Its bytes.
    pub digest: Digest,
    /// What the version is called.
    pub reference: String,
    /// Who grants it.
    pub by: Option<PersonId>,
    /// When.
    pub now: Timestamp,
}

/// The secrets that a publisher has, by name; for its own people, which services check.
pub async fn list(conn: &mut Conn, publisher: PublisherId) -> Result<Vec<Secret>, Error> {
    const SQL: &str = "select s.name, s.version, p.handle as set_by, s.set_at, s.removed_at from secret s
        left join person p on p.id = s.set_by where s.publisher_id = $1 and s.removed_at is null order by s.name";
    Sql::new(SQL).bind(publisher).all(conn).await
}

/// How often a name was set, whether it has a value now or not.
pub async fn number(conn: &mut Conn, publisher: PublisherId, name: &str) -> Result<Option<u64>, Error> {
    const SQL: &str = "select version from secret where publisher_id = $1 and name = $2";
    Sql::new(SQL).bind(publisher).bind(name).optional_cell(conn).await
}

/// A sealed value.
pub async fn sealed(conn: &mut Conn, publisher: PublisherId, name: &str) -> Result<Option<SealedSecret>, Error> {
    const SQL: &str = "select publisher_id, name, version, sealed from secret
        where publisher_id = $1 and name = $2 and removed_at is null";
    Sql::new(SQL).bind(publisher).bind(name).optional(conn).await
}

/// Every sealed value of the hub after the one named, in the order of publishers and names.
pub async fn every(
    conn: &mut Conn,
    after: Option<(PublisherId, &str)>,
    limit: u32,
) -> Result<Vec<SealedSecret>, Error> {
    let mut sql = Sql::new("select publisher_id, name, version, sealed from secret where removed_at is null");
    if let Some((publisher, name)) = after {
        sql.push(" and (publisher_id > ").value(publisher);
        sql.push(" or (publisher_id = ").value(publisher).push(" and name > ").value(name).push("))");
    }
    sql.push(" order by publisher_id, name limit ").value(limit);
    sql.all(conn).await
}

/// Puts a value in the place of the one before, under the next number; `false` when somebody else was faster.
pub async fn put(tx: &mut Tx, sealed: &SealedSecret, by: Option<PersonId>, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "insert into secret (publisher_id, name, version, sealed, set_by, set_at)
        values ($1, $2, $3, $4, $5, $6) on conflict (publisher_id, name) do update set version = excluded.version,
        sealed = excluded.sealed, set_by = excluded.set_by, set_at = excluded.set_at, removed_at = null
        where secret.version = excluded.version - 1";
    Sql::new(SQL)
        .bind(sealed.publisher_id)
        .bind(&sealed.name)
        .bind(sealed.version)
        .bind(sealed.sealed.clone())
        .bind(by)
        .bind(now)
        .changed(tx)
        .await
}

/// Puts the same value in its place, sealed anew; `false` when it was set or removed meanwhile.
pub async fn reseal(tx: &mut Tx, sealed: &SealedSecret) -> Result<bool, Error> {
    const SQL: &str = "update secret set sealed = $4
        where publisher_id = $1 and name = $2 and version = $3 and removed_at is null";
    let sql = Sql::new(SQL).bind(sealed.publisher_id).bind(&sealed.name).bind(sealed.version);
    sql.bind(sealed.sealed.clone()).changed(tx).await
}

/// Takes value and releases away; `false` when there is no such secret.
pub async fn remove(
    tx: &mut Tx,
    publisher: PublisherId,
    name: &str,
    by: Option<PersonId>,
    now: Timestamp,
) -> Result<bool, Error> {
    const SQL: &str = "update secret set sealed = null, removed_at = $3, set_by = $4, set_at = $3
        where publisher_id = $1 and name = $2 and removed_at is null";
    const RELEASES: &str = "delete from secret_release where publisher_id = $1 and name = $2";
    Sql::new(RELEASES).bind(publisher).bind(name).run(tx).await?;
    Sql::new(SQL).bind(publisher).bind(name).bind(now).bind(by).changed(tx).await
}

/// What may be given which secret of a publisher, by name, the oldest first.
pub async fn releases(conn: &mut Conn, publisher: PublisherId) -> Result<Vec<Release>, Error> {
    const SQL: &str = "select r.name, r.skill_id, r.digest, r.reference, p.handle as granted_by, r.granted_at
        from secret_release r left join person p on p.id = r.granted_by
        where r.publisher_id = $1 order by r.name, r.granted_at, r.reference";
    Sql::new(SQL).bind(publisher).all(conn).await
}

/// The bytes of a skill that may be given a secret.
pub async fn released_to(
    conn: &mut Conn,
    publisher: PublisherId,
    name: &str,
    skill: SkillId,
) -> Result<Vec<Digest>, Error> {
    const SQL: &str = "select digest from secret_release where publisher_id = $1 and name = $2 and skill_id = $3";
    Sql::new(SQL).bind(publisher).bind(name).bind(skill).column(conn).await
}

/// Lets some bytes have a secret; `false` when they could before.
pub async fn grant(tx: &mut Tx, release: &NewRelease) -> Result<bool, Error> {
    const SQL: &str =
        "insert into secret_release (publisher_id, name, skill_id, digest, reference, granted_by, granted_at)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict (publisher_id, name, skill_id, digest) do nothing";
    Sql::new(SQL)
        .bind(release.publisher)
        .bind(&release.name)
        .bind(release.skill)
        .bind(release.digest)
        .bind(&release.reference)
        .bind(release.by)
        .bind(release.now)
        .changed(tx)
        .await
}

/// Takes a release back; `false` when there is none.
pub async fn revoke(
    tx: &mut Tx,
    publisher: PublisherId,
    name: &str,
    skill: SkillId,
    digest: &Digest,
) -> Result<bool, Error> {
    const SQL: &str = "delete from secret_release
        where publisher_id = $1 and name = $2 and skill_id = $3 and digest = $4";
    Sql::new(SQL).bind(publisher).bind(name).bind(skill).bind(digest).changed(tx).await
}
