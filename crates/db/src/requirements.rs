//! Which other skills a version needs, by range.

use kontor_types::{Cursor, Handle, Page, PageSize, SkillId, Slug, Version, VersionId, VersionRange, Viewer};

use crate::sql::Sql;
use crate::{Conn, Error, Tx, sight};

record! {
    /// One requirement of a version.
    pub struct Requirement {
        /// The publisher of the skill that is needed.
        pub publisher: Handle,
        /// The skill that is needed.
        pub slug: Slug,
        /// The versions that will do.
        pub range: VersionRange,
    }
}

record! {
    /// A skill whose newest version needs another.
    pub struct Dependent {
        /// The skill.
        pub skill_id: SkillId,
        /// Its publisher's handle.
        pub publisher: Handle,
        /// Its name.
        pub slug: Slug,
        /// The number of its newest version.
        pub number: Version,
        /// The versions that will do.
        pub range: VersionRange,
    }
}

/// Rows that one statement makes: four values each, below the 32,766 that SQLite binds.
const ROWS: usize = 2_000;

/// What a version needs, by name; nothing when the viewer may not see the version.
pub async fn of_version(conn: &mut Conn, viewer: &Viewer, version: VersionId) -> Result<Vec<Requirement>, Error> {
    let mut sql = Sql::new(
        "select r.publisher, r.slug, r.range from requirement r
        join version v on v.id = r.version_id join skill s on s.id = v.skill_id where r.version_id = ",
    );
    sql.value(version).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.push(" order by r.publisher, r.slug");
    sql.all(conn).await
}

record! {
    /// One requirement of one version of a skill.
    pub struct OfVersion {
        /// The version.
        pub version_id: VersionId,
        /// The publisher of the skill that is needed.
        pub publisher: Handle,
        /// The skill that is needed.
        pub slug: Slug,
        /// The versions that will do.
        pub range: VersionRange,
    }
}

/// What the versions of a skill need, as far as the viewer may see them, by name.
pub async fn of_skill(conn: &mut Conn, viewer: &Viewer, skill: SkillId) -> Result<Vec<OfVersion>, Error> {
    let mut sql = Sql::new(
        "select r.version_id, r.publisher, r.slug, r.range from requirement r
        join version v on v.id = r.version_id join skill s on s.id = v.skill_id where v.skill_id = ",
    );
    sql.value(skill).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.push(" order by r.publisher, r.slug");
    sql.all(conn).await
}

/// Skills that the viewer may find and whose newest version needs this one; `None` when the cursor is not one of this list.
pub async fn dependents(
    conn: &mut Conn,
    viewer: &Viewer,
    (publisher, slug): (&Handle, &Slug),
    size: PageSize,
    after: Option<&Cursor>,
) -> Result<Option<Page<Dependent>>, Error> {
    let mut sql = Sql::new(
        "select s.id as skill_id, p.handle as publisher, s.slug, v.number, r.range from requirement r
        join version v on v.id = r.version_id join skill s on s.id = v.skill_id and s.latest_version_id = v.id
        join publisher p on p.id = s.publisher_id where r.publisher = ",
    );
    sql.value(publisher).push(" and r.slug = ").value(slug).push(" and ");
    sight::may_list(&mut sql, viewer);
    if let Some(cursor) = after {
        let Some([handle, slug]) = cursor.keys::<2>() else { return Ok(None) };
        sql.push(" and (p.handle, s.slug) > (").value(handle).push(", ").value(slug).push(")");
    }
    sql.push(" order by p.handle, s.slug limit ").value(size.and_one());
    let rows: Vec<Dependent> = sql.all(conn).await?;
    Ok(Some(Page::cut(rows, size, |row| Cursor::of(&[&row.publisher, &row.slug]))))
}

/// Makes the requirements of a version.
pub async fn insert(tx: &mut Tx, version: VersionId, requirements: &[Requirement]) -> Result<(), Error> {
    for rows in requirements.chunks(ROWS) {
        let mut sql = Sql::new("insert into requirement (version_id, publisher, slug, range) values ");
        let mut before = "(";
        for needed in rows {
            sql.push(before).value(version).push(", ").value(&needed.publisher).push(", ").value(&needed.slug);
            sql.push(", ").value(&needed.range).push(")");
            before = ", (";
        }
        sql.run(tx).await?;
    }
    Ok(())
}
