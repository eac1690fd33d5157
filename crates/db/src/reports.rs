//! Reports of abuse: who complains of which skill, and what became of it.

use kontor_types::{
    Cursor, Handle, Page, PageSize, PersonId, ReportId, SkillId, Slug, Timestamp, Version, VersionId, Viewer,
};

use crate::sql::Sql;
use crate::{Conn, Error, Tx, sight};

words! {
    /// What became of a report.
    pub enum ReportState ("state of a report") {
        /// Nobody has decided.
        Open = "open",
        /// It was right.
        Upheld = "upheld",
        /// It was not.
        Dismissed = "dismissed",
    }
}

record! {
    /// One report.
    pub struct Report {
        /// Its id.
        pub id: ReportId,
        /// The skill it is about.
        pub skill_id: SkillId,
        /// The handle of the skill's publisher.
        pub publisher: Handle,
        /// The skill's name.
        pub slug: Slug,
        /// The version it is about, if it is about one.
        pub version_id: Option<VersionId>,
        /// The number of that version.
        pub number: Option<Version>,
        /// Who complains.
        pub person_id: Option<PersonId>,
        /// The handle of who complains.
        pub person: Option<Handle>,
        /// What is wrong, in their words.
        pub reason: String,
        /// What became of it.
        pub state: ReportState,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it was decided.
        pub closed_at: Option<Timestamp>,
        /// Who decided.
        pub closed_by: Option<PersonId>,
        /// What those who complained are told.
        pub answer: Option<String>,
    }
}

/// A report to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    /// Its id.
    pub id: ReportId,
    /// The skill it is about.
    pub skill_id: SkillId,
    /// The version it is about, if it is about one.
    pub version_id: Option<VersionId>,
    /// Who complains.
    pub person_id: PersonId,
    /// What is wrong.
    pub reason: String,
    /// When.
    pub now: Timestamp,
}

/// Which reports a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<ReportState>,
    /// About this skill.
    pub skill: Option<SkillId>,
    /// By this person.
    pub person: Option<PersonId>,
}

const SELECT: &str = "select r.id, r.skill_id, p.handle as publisher, s.slug, r.version_id, v.number, r.person_id,
    who.handle as person, r.reason, r.state, r.created_at, r.closed_at, r.closed_by, r.answer
    from report r join skill s on s.id = r.skill_id join publisher p on p.id = s.publisher_id
    left join version v on v.id = r.version_id left join person who on who.id = r.person_id where ";

/// A report that the viewer made or may decide; hub administrators decide.
pub async fn find(conn: &mut Conn, viewer: &Viewer, id: ReportId) -> Result<Option<Report>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("r.id = ").value(id).push(" and ");
    concerned(&mut sql, viewer);
    sql.optional(conn).await
}

/// A page of reports that the viewer made or may decide, the newest first; `None` when the cursor is not one of this list.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    filter: &Filter,
    size: PageSize,
    after: Option<&Cursor>,
) -> Result<Option<Page<Report>>, Error> {
    let mut sql = Sql::new(SELECT);
    those(&mut sql, viewer, filter);
    if let Some(cursor) = after {
        let Some(id) = cursor.keys::<1>().and_then(|[id]| id.parse::<ReportId>().ok()) else { return Ok(None) };
        sql.push(" and r.id < ").value(id);
    }
    sql.push(" order by r.id desc limit ").value(size.and_one());
    let rows: Vec<Report> = sql.all(conn).await?;
    Ok(Some(Page::cut(rows, size, |report| Cursor::of(&[&report.id]))))
}

/// How many reports a list of them has in all.
pub async fn count(conn: &mut Conn, viewer: &Viewer, filter: &Filter) -> Result<u64, Error> {
    let mut sql = Sql::new("select count(*) from (");
    sql.push(SELECT);
    those(&mut sql, viewer, filter);
    sql.push(") listed");
    sql.cell(conn).await
}

fn those(sql: &mut Sql, viewer: &Viewer, filter: &Filter) {
    concerned(sql, viewer);
    if let Some(state) = filter.state {
        sql.push(" and r.state = ").value(state);
    }
    if let Some(skill) = filter.skill {
        sql.push(" and r.skill_id = ").value(skill);
    }
    if let Some(person) = filter.person {
        sql.push(" and r.person_id = ").value(person);
    }
}

fn concerned(sql: &mut Sql, viewer: &Viewer) {
    if viewer.is_administrator() {
        sql.push("(true)");
    } else if let Some(person) = viewer.person_id() {
        sql.push("(r.person_id = ").value(person).push(" and ");
        sight::may_open(sql, viewer);
        sql.push(")");
    } else {
        sql.push("(false)");
    }
}

/// The open report of this person about this skill and version, if there is one.
pub async fn open_by(
    conn: &mut Conn,
    skill: SkillId,
    version: Option<VersionId>,
    person: PersonId,
) -> Result<Option<ReportId>, Error> {
    const SQL: &str = "select r.id from report r where r.skill_id = $1 and r.person_id = $2 and r.state = 'open'
        and r.version_id is not distinct from $3";
    Sql::new(SQL).bind(skill).bind(person).bind(version).optional_cell(conn).await
}

/// Makes a report.
pub async fn insert(tx: &mut Tx, report: &NewReport) -> Result<(), Error> {
    const SQL: &str = "insert into report (id, skill_id, version_id, person_id, reason, state, created_at)
        values ($1, $2, $3, $4, $5, 'open', $6)";
    Sql::new(SQL)
        .bind(report.id)
        .bind(report.skill_id)
        .bind(report.version_id)
        .bind(report.person_id)
        .bind(&report.reason)
        .bind(report.now)
        .run(tx)
        .await
}

/// Decides an open report; `false` when it is not open.
pub async fn close(
    tx: &mut Tx,
    id: ReportId,
    state: ReportState,
    by: Option<PersonId>,
    answer: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    const SQL: &str = "update report set state = $2, closed_by = $3, answer = $4, closed_at = $5
        where id = $1 and state = 'open'";
    Sql::new(SQL).bind(id).bind(state).bind(by).bind(answer).bind(now).changed(tx).await
}
