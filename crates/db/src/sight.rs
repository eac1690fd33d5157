//! Who sees what, as SQL: [`Viewer::may_open`] and [`Viewer::may_list`] in one place for every read.
//!
//! Each predicate is a term of the query over the aliases `s` (skill), `v` (version) and `p` (publisher), never a filter
//! afterwards, so a hidden row and a row that does not exist cannot be told apart.

use kontor_types::{PublisherId, Viewer, Visibility};

use crate::sql::Sql;

/// A version that everybody who sees its skill may see.
const SHOWN: &str = "(v.state = 'visible' and v.hidden_at is null)";

/// The skill has something to show to people who do not maintain it.
const PUBLISHED: &str = "(s.latest_version_id is not null or exists (select 1 from version shown
    where shown.skill_id = s.id and shown.state = 'visible' and shown.hidden_at is null))";

/// The viewer may open the skill `s` by its name.
pub(crate) fn may_open(sql: &mut Sql, viewer: &Viewer) {
    sql.push("(s.deleted_at is null");
    if !viewer.is_administrator() {
        sql.push(" and ((s.hidden_at is null and ")
            .push(PUBLISHED)
            .push(" and (s.visibility in ('public', 'unlisted')");
        or_of(sql, "s.visibility = 'organisation'", &members(viewer));
        sql.push("))");
        maintained(sql, viewer);
        sql.push(")");
    }
    sql.push(")");
}

/// The viewer may find the skill `s` in lists, counts and search.
///
/// Hidden skills are left out for everybody: whoever maintains them asks for them by [`may_maintain`].
pub(crate) fn may_list(sql: &mut Sql, viewer: &Viewer) {
    sql.push("(s.deleted_at is null and s.hidden_at is null and s.latest_version_id is not null");
    if !viewer.is_administrator() {
        sql.push(" and (s.visibility = 'public'");
        or_of(sql, "s.visibility in ('organisation', 'unlisted')", &members(viewer));
        maintained(sql, viewer);
        sql.push(")");
    }
    sql.push(")");
}

/// The viewer may see the version `v` of the skill `s`, which they may open.
pub(crate) fn may_see(sql: &mut Sql, viewer: &Viewer) {
    may_open(sql, viewer);
    if !viewer.is_administrator() {
        sql.push(" and (").push(SHOWN);
        maintained(sql, viewer);
        sql.push(")");
    }
}

/// The viewer may be told what became of the version `v` of the skill `s`: it was admitted once, and they could open it then.
///
/// Other than for [`may_see`], the version may be held by now and the skill may have nothing to show any more, or be deleted.
/// What its maintainers have hidden stays hidden.
pub(crate) fn may_recall(sql: &mut Sql, viewer: &Viewer) {
    sql.push("(exists (select 1 from decision once where once.version_id = v.id and once.outcome = 'admit')");
    if !viewer.is_administrator() {
        sql.push(" and ((s.hidden_at is null and v.hidden_at is null and (s.visibility in ('public', 'unlisted')");
        or_of(sql, "s.visibility = 'organisation'", &members(viewer));
        sql.push("))");
        maintained(sql, viewer);
        sql.push(")");
    }
    sql.push(")");
}

/// The viewer maintains the skill `s`, whatever its state; an index on the publisher serves it.
pub(crate) fn may_maintain(sql: &mut Sql, viewer: &Viewer) {
    let publishers: Vec<PublisherId> = viewer.maintainer_of().collect();
    if viewer.is_administrator() {
        sql.push("(true)");
    } else if publishers.is_empty() {
        sql.push("(false)");
    } else {
        sql.push("(s.publisher_id in ").list(publishers).push(")");
    }
}

/// The viewer may know of the publisher `p`: as a member, or because they may open one of its skills.
pub(crate) fn may_know(sql: &mut Sql, viewer: &Viewer) {
    by_its_skills(sql, viewer, may_open);
}

/// The viewer may find the publisher `p` in lists: as a member, or because they may find one of its skills there.
pub(crate) fn may_list_publisher(sql: &mut Sql, viewer: &Viewer) {
    by_its_skills(sql, viewer, may_list);
}

fn by_its_skills(sql: &mut Sql, viewer: &Viewer, may_see: fn(&mut Sql, &Viewer)) {
    if viewer.is_administrator() {
        sql.push("(true)");
        return;
    }
    sql.push("(");
    let own: Vec<PublisherId> = viewer.member_of().collect();
    if !own.is_empty() {
        sql.push("p.id in ").list(own).push(" or ");
    }
    sql.push("exists (select 1 from skill s where s.publisher_id = p.id and ");
    may_see(sql, viewer);
    sql.push("))");
}

fn maintained(sql: &mut Sql, viewer: &Viewer) {
    or_of(sql, "true", &viewer.maintainer_of().collect::<Vec<_>>());
}

fn members(viewer: &Viewer) -> Vec<PublisherId> {
    viewer.member_of().filter(|publisher| viewer.may_open(*publisher, Visibility::Organisation)).collect()
}

fn or_of(sql: &mut Sql, what: &'static str, publishers: &[PublisherId]) {
    if !publishers.is_empty() {
        sql.push(" or (").push(what).push(" and s.publisher_id in ").list(publishers.iter().copied()).push(")");
    }
}
