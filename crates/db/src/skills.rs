//! Skills: what they are called, who may see them, what is known of their newest version, and their counters.

use kontor_types::{
    Cursor, Digest, Handle, Page, PageSize, PersonId, PublisherId, SkillId, Slug, Timestamp, Version, VersionId,
    Viewer, Visibility,
};

use crate::sql::{MOST_IN_LIST, Sql, like_literal};
use crate::{Conn, Error, Tx, look_alikes, sight};

record! {
    /// A skill with the name of its publisher and its newest version.
    pub struct Skill {
        /// Its id, which no rename changes.
        pub id: SkillId,
        /// Whom it belongs to.
        pub publisher_id: PublisherId,
        /// The publisher's handle.
        pub publisher: Handle,
        /// Its name within its publisher.
        pub slug: Slug,
        /// The name as the author wrote it.
        pub display_name: String,
        /// What it is for.
        pub description: String,
        /// Whether the description was taken from the text because the author wrote none.
        pub description_derived: bool,
        /// Who may see it.
        pub visibility: Visibility,
        /// The licence as an SPDX expression.
        pub license: Option<String>,
        /// Categories the author chose.
        pub categories: Vec<String>,
        /// Free words the author chose.
        pub keywords: Vec<String>,
        /// The version that `latest` points to; `None` while every version is hidden, undecided or withdrawn.
        pub latest_version_id: Option<VersionId>,
        /// The number of that version.
        pub latest_number: Option<Version>,
        /// The identity of that version's content.
        pub latest_digest: Option<Digest>,
        /// When that version was published.
        pub latest_created_at: Option<Timestamp>,
        /// What changed in that version, in the author's words.
        pub latest_changelog: Option<String>,
        /// Whether it agrees with the open format.
        pub spec_valid: bool,
        /// How many people starred it.
        pub stars: u64,
        /// How often it was downloaded.
        pub downloads: u64,
        /// How often it was installed.
        pub installs: u64,
        /// Downloads and installs of the last seven days.
        pub trending: u64,
        /// When it was first published.
        pub created_at: Timestamp,
        /// When it was last published or renamed.
        pub updated_at: Timestamp,
        /// When it was hidden.
        pub hidden_at: Option<Timestamp>,
        /// Why it was hidden.
        pub hidden_reason: Option<String>,
        /// When it was deleted.
        pub deleted_at: Option<Timestamp>,
        /// When it was deprecated.
        pub deprecated_at: Option<Timestamp>,
        /// Why it is deprecated.
        pub deprecation_message: Option<String>,
        /// What to use in its place, as people write it.
        pub successor: Option<String>,
    }
}

record! {
    /// A skill and whose it is.
    pub struct Newest {
        /// The skill.
        pub id: SkillId,
        /// Its publisher.
        pub publisher_id: PublisherId,
    }
}

/// What a skill shows of its newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The name as the author wrote it.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Whether the description was taken from the text.
    pub description_derived: bool,
    /// The licence as an SPDX expression.
    pub license: Option<String>,
    /// Categories the author chose.
    pub categories: Vec<String>,
    /// Free words the author chose.
    pub keywords: Vec<String>,
    /// Whether it agrees with the open format.
    pub spec_valid: bool,
}

/// A skill to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSkill {
    /// Its id.
    pub id: SkillId,
    /// Whom it belongs to.
    pub publisher_id: PublisherId,
    /// Its name.
    pub slug: Slug,
    /// What its name looks like.
    pub look: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// What its first version says.
    pub facts: Facts,
    /// The version that `latest` points to.
    pub latest: Option<VersionId>,
    /// When.
    pub now: Timestamp,
}

const SELECT: &str = "select s.id, s.publisher_id, p.handle as publisher, s.slug, s.display_name, s.description,
    s.description_derived, s.visibility, s.license, s.categories, s.keywords, s.latest_version_id,
    latest.number as latest_number, latest.digest as latest_digest, latest.created_at as latest_created_at, latest.changelog as latest_changelog,
    s.spec_valid, s.stars, s.downloads, s.installs, s.trending, s.created_at, s.updated_at, s.hidden_at,
    s.hidden_reason, s.deleted_at, s.deprecated_at, s.deprecation_message, s.successor
    from skill s join publisher p on p.id = s.publisher_id left join version latest on latest.id = s.latest_version_id";

/// Which skills a list holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those that everybody may find, or those that only maintainers see.
    pub shelf: Shelf,
    /// Of this publisher.
    pub publisher: Option<PublisherId>,
    /// In this category.
    pub category: Option<String>,
    /// With this keyword.
    pub keyword: Option<String>,
    /// With exactly this licence.
    pub license: Option<String>,
    /// With this visibility.
    pub visibility: Option<Visibility>,
    /// Whose name begins with this.
    pub prefix: Option<String>,
    /// Starred by this person.
    pub starred_by: Option<PersonId>,
}

/// In which state skills are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shelf {
    /// Those in use.
    #[default]
    Open,
    /// Hidden ones; maintainers see their own.
    Hidden,
    /// Deleted ones that can be brought back; maintainers see their own.
    Deleted,
    /// Everything that is not deleted and that the viewer maintains, also without a visible version.
    Maintained,
}

/// The order of a list; every order but [`Sort::Name`] has the greatest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Last published.
    #[default]
    Updated,
    /// First published.
    Created,
    /// Most downloads.
    Downloads,
    /// Most installs.
    Installs,
    /// Most stars.
    Stars,
    /// Most used in the last seven days.
    Trending,
    /// By name.
    Name,
}

impl Sort {
    /// The word used in addresses and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Created => "created",
            Self::Downloads => "downloads",
            Self::Installs => "installs",
            Self::Stars => "stars",
            Self::Trending => "trending",
            Self::Name => "name",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Updated => "s.updated_at",
            Self::Created => "s.created_at",
            Self::Downloads => "s.downloads",
            Self::Installs => "s.installs",
            Self::Stars => "s.stars",
            Self::Trending => "s.trending",
            Self::Name => "s.slug",
        }
    }

    fn key(self, skill: &Skill) -> String {
        match self {
            Self::Updated => skill.updated_at.micros().to_string(),
            Self::Created => skill.created_at.micros().to_string(),
            Self::Downloads => skill.downloads.to_string(),
            Self::Installs => skill.installs.to_string(),
            Self::Stars => skill.stars.to_string(),
            Self::Trending => skill.trending.to_string(),
            Self::Name => skill.slug.to_string(),
        }
    }
}

/// The skill with this id that the viewer may open; the hub as viewer gets any that is not deleted.
pub async fn find(conn: &mut Conn, viewer: &Viewer, id: SkillId) -> Result<Option<Skill>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" where s.id = ").value(id).push(" and ");
    sight::may_open(&mut sql, viewer);
    sql.optional(conn).await
}

/// The skill with this id that the viewer maintains, also when it is deleted.
pub async fn find_maintained(conn: &mut Conn, viewer: &Viewer, id: SkillId) -> Result<Option<Skill>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" where s.id = ").value(id).push(" and ");
    sight::may_maintain(&mut sql, viewer);
    sql.optional(conn).await
}

/// Those of these skills that the viewer may open, in no particular order.
pub async fn find_many(conn: &mut Conn, viewer: &Viewer, ids: &[SkillId]) -> Result<Vec<Skill>, Error> {
    among(conn, viewer, ids, sight::may_open).await
}

/// Those of these skills that the viewer may find in lists, in no particular order.
pub async fn listed(conn: &mut Conn, viewer: &Viewer, ids: &[SkillId]) -> Result<Vec<Skill>, Error> {
    among(conn, viewer, ids, sight::may_list).await
}

async fn among(
    conn: &mut Conn,
    viewer: &Viewer,
    ids: &[SkillId],
    may_see: fn(&mut Sql, &Viewer),
) -> Result<Vec<Skill>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(SELECT);
        sql.push(" where s.id in ").list(ids.iter().copied()).push(" and ");
        may_see(&mut sql, viewer);
        found.extend(sql.all::<Skill>(conn).await?);
    }
    Ok(found)
}

/// A page of the skills that the viewer may find in lists; `None` when the cursor is not one of this list.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    filter: &Filter,
    sort: Sort,
    size: PageSize,
    after: Option<&Cursor>,
) -> Result<Option<Page<Skill>>, Error> {
    let mut sql = Sql::new(SELECT);
    restrict(&mut sql, viewer, filter);
    if let Some(cursor) = after {
        let Some((key, id)) = position(cursor, sort) else { return Ok(None) };
        let is_before = if sort == Sort::Name { ", s.id) > (" } else { ", s.id) < (" };
        sql.push(" and (").push(sort.column()).push(is_before);
        match key {
            Key::Number(number) => sql.value(number),
            Key::Name(name) => sql.value(name),
        };
        sql.push(", ").value(id).push(")");
    }
    let direction = if sort == Sort::Name { " asc" } else { " desc" };
    sql.push(" order by ").push(sort.column()).push(direction).push(", s.id").push(direction);
    sql.push(" limit ").value(size.and_one());
    let rows: Vec<Skill> = sql.all(conn).await?;
    Ok(Some(Page::cut(rows, size, |skill| Cursor::of(&[&sort.as_str(), &sort.key(skill), &skill.id]))))
}

/// The skills that were published last, of those that the viewer may find in lists; whose they are and no more.
pub async fn newest(conn: &mut Conn, viewer: &Viewer, most: u32) -> Result<Vec<Newest>, Error> {
    let mut sql = Sql::new("select s.id, s.publisher_id from skill s where ");
    sight::may_list(&mut sql, viewer);
    sql.push(" order by s.updated_at desc, s.id desc limit ").value(most);
    sql.all(conn).await
}

/// Skills that everybody or somebody may find in lists, by id after `after`: what a rebuilt index begins with.
pub async fn scan(conn: &mut Conn, after: Option<SkillId>, limit: u32) -> Result<Vec<Skill>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" where ");
    sight::may_list(&mut sql, &Viewer::hub());
    if let Some(after) = after {
        sql.push(" and s.id > ").value(after);
    }
    sql.push(" order by s.id limit ").value(limit);
    sql.all(conn).await
}

/// Ids of a publisher's skills that are not deleted, for those who must look at each again.
pub async fn of_publisher(conn: &mut Conn, publisher: PublisherId) -> Result<Vec<SkillId>, Error> {
    let sql =
        Sql::new("select id from skill where publisher_id = $1 and deleted_at is null order by id").bind(publisher);
    sql.column(conn).await
}

/// How many skills of the list the viewer may find.
pub async fn count(conn: &mut Conn, viewer: &Viewer, filter: &Filter) -> Result<u64, Error> {
    let mut sql = Sql::new("select count(*) from skill s");
    restrict(&mut sql, viewer, filter);
    sql.cell(conn).await
}

enum Key {
    Number(i64),
    Name(String),
}

fn position(cursor: &Cursor, sort: Sort) -> Option<(Key, SkillId)> {
    let [word, key, id] = cursor.keys::<3>().filter(|[word, ..]| word == sort.as_str())?;
    let key = if word == Sort::Name.as_str() { Key::Name(key) } else { Key::Number(key.parse().ok()?) };
    Some((key, id.parse().ok()?))
}

fn restrict(sql: &mut Sql, viewer: &Viewer, filter: &Filter) {
    if let Some(person) = filter.starred_by {
        sql.push(" join star on star.skill_id = s.id and star.person_id = ").value(person);
    }
    sql.push(" where ");
    shelf(sql, viewer, filter.shelf);
    if let Some(publisher) = filter.publisher {
        sql.push(" and s.publisher_id = ").value(publisher);
    }
    if let Some(visibility) = filter.visibility {
        sql.push(" and s.visibility = ").value(visibility);
    }
    if let Some(license) = &filter.license {
        sql.push(" and s.license = ").value(license);
    }
    if let Some(category) = &filter.category {
        holds_word(sql, "s.categories", category);
    }
    if let Some(keyword) = &filter.keyword {
        holds_word(sql, "s.keywords", keyword);
    }
    if let Some(prefix) = &filter.prefix {
        // Names are ASCII and end below `~`, so a range finds what begins with the prefix and can use the index.
        let prefix = prefix.to_ascii_lowercase();
        sql.push(" and s.slug >= ").value(&prefix).push(" and s.slug < ").value(format!("{prefix}~"));
    }
}

fn shelf(sql: &mut Sql, viewer: &Viewer, shelf: Shelf) {
    match shelf {
        Shelf::Open => sight::may_list(sql, viewer),
        Shelf::Hidden => {
            sql.push("s.hidden_at is not null and s.deleted_at is null and ");
            sight::may_maintain(sql, viewer);
        }
        Shelf::Deleted => {
            sql.push("s.deleted_at is not null and ");
            sight::may_maintain(sql, viewer);
        }
        Shelf::Maintained => {
            sql.push("s.deleted_at is null and ");
            sight::may_maintain(sql, viewer);
        }
    }
}

/// The JSON list in `column` holds `word`; both databases write such a list with the same quotes and escapes.
fn holds_word(sql: &mut Sql, column: &'static str, word: &str) {
    let quoted = serde_json::Value::from(word).to_string();
    sql.push(" and cast(").push(column).push(" as text) like ").value(format!("%{}%", like_literal(&quoted)));
    sql.push(" escape '\\'");
}

/// Makes a skill; its names are made by [`crate::skill_names`].
pub async fn insert(tx: &mut Tx, skill: &NewSkill) -> Result<(), Error> {
    const SQL: &str = "insert into skill (id, publisher_id, slug, look, display_name, description, description_derived,
            visibility, license, categories, keywords, latest_version_id, spec_valid, created_at, updated_at, fore, back)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16)";
    let facts = &skill.facts;
    let (fore, back) = look_alikes::halves(&skill.slug).unzip();
    Sql::new(SQL)
        .bind(skill.id)
        .bind(skill.publisher_id)
        .bind(&skill.slug)
        .bind(&skill.look)
        .bind(&facts.display_name)
        .bind(&facts.description)
        .bind(facts.description_derived)
        .bind(skill.visibility)
        .bind(facts.license.clone())
        .bind(&facts.categories)
        .bind(&facts.keywords)
        .bind(skill.latest)
        .bind(facts.spec_valid)
        .bind(skill.now)
        .bind(fore)
        .bind(back)
        .run(tx)
        .await
}

/// Keeps every other unit of work off this skill until the transaction ends; `false` when there is no such skill.
pub async fn lock(tx: &mut Tx, id: SkillId) -> Result<bool, Error> {
    if !tx.is_postgres() {
        // SQLite has one writer, which is this one.
        return Ok(true);
    }
    Sql::new("update skill set updated_at = updated_at where id = $1").bind(id).changed(tx).await
}

/// Sets what `latest` points to and, when it points to something, what the skill shows of it.
pub async fn set_latest(tx: &mut Tx, id: SkillId, latest: Option<(VersionId, &Facts)>) -> Result<(), Error> {
    const NONE: &str = "update skill set latest_version_id = null where id = $1";
    const SOME: &str = "update skill set latest_version_id = $2, display_name = $3, description = $4,
        description_derived = $5, license = $6, categories = $7, keywords = $8, spec_valid = $9 where id = $1";
    let sql = match latest {
        None => Sql::new(NONE).bind(id),
        Some((version, facts)) => Sql::new(SOME)
            .bind(id)
            .bind(version)
            .bind(&facts.display_name)
            .bind(&facts.description)
            .bind(facts.description_derived)
            .bind(facts.license.clone())
            .bind(&facts.categories)
            .bind(&facts.keywords)
            .bind(facts.spec_valid),
    };
    sql.run(tx).await
}

/// Notes that the skill has something new for those who follow it.
pub async fn touch(tx: &mut Tx, id: SkillId, now: Timestamp) -> Result<(), Error> {
    Sql::new("update skill set updated_at = $2 where id = $1").bind(id).bind(now).run(tx).await
}

/// Sets who may see the skill.
pub async fn set_visibility(tx: &mut Tx, id: SkillId, visibility: Visibility) -> Result<(), Error> {
    Sql::new("update skill set visibility = $2 where id = $1").bind(id).bind(visibility).run(tx).await
}

/// Sets whose the skill is, what it is called and what that looks like; the rows in [`crate::skill_names`] are the
/// caller's.
pub async fn set_name(tx: &mut Tx, id: SkillId, publisher: PublisherId, slug: &Slug, look: &str) -> Result<(), Error> {
    const SQL: &str = "update skill set publisher_id = $2, slug = $3, look = $4, fore = $5, back = $6 where id = $1";
    let (fore, back) = look_alikes::halves(slug).unzip();
    Sql::new(SQL).bind(id).bind(publisher).bind(slug).bind(look).bind(fore).bind(back).run(tx).await
}

/// Hides the skill from everybody but its maintainers, or shows it again with `None`.
pub async fn set_hidden(tx: &mut Tx, id: SkillId, hidden: Option<(Timestamp, &str)>) -> Result<(), Error> {
    const SQL: &str = "update skill set hidden_at = $2, hidden_reason = $3 where id = $1";
    let (at, reason) = hidden.unzip();
    Sql::new(SQL).bind(id).bind(at).bind(reason).run(tx).await
}

/// Deletes the skill, or brings it back with `None`.
pub async fn set_deleted(tx: &mut Tx, id: SkillId, at: Option<Timestamp>) -> Result<(), Error> {
    Sql::new("update skill set deleted_at = $2 where id = $1").bind(id).bind(at).run(tx).await
}

/// A notice that a skill should no longer be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deprecation {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub message: String,
    /// What to use in its place.
    pub successor: Option<String>,
}

/// Deprecates the skill, or takes the notice back with `None`.
pub async fn set_deprecation(tx: &mut Tx, id: SkillId, notice: Option<&Deprecation>) -> Result<(), Error> {
    const SQL: &str = "update skill set deprecated_at = $2, deprecation_message = $3, successor = $4 where id = $1";
    Sql::new(SQL)
        .bind(id)
        .bind(notice.map(|notice| notice.at))
        .bind(notice.map(|notice| notice.message.clone()))
        .bind(notice.and_then(|notice| notice.successor.clone()))
        .run(tx)
        .await
}
