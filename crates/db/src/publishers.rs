//! People and organisations that own skills.
//!
//! A publisher is visible to its members and administrators, and to everybody who may open one of its skills.

use kontor_types::{Handle, PageSize, PublisherId, PublisherKind, Timestamp, Viewer};
use sqlx::AssertSqlSafe;

use crate::columns::{changed, placeholders};
use crate::{Conn, Error, Tx};

/// One publisher.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Publisher {
    /// Its id.
    #[sqlx(try_from = "uuid::Uuid")]
    pub id: PublisherId,
    /// Its name on the hub.
    #[sqlx(try_from = "String")]
    pub handle: Handle,
    /// One person or a group.
    #[sqlx(try_from = "String")]
    pub kind: PublisherKind,
    /// The name shown to people.
    pub display_name: String,
    /// When it was made.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
}

/// Adds a publisher; a taken handle is [`Error::Duplicate`].
pub async fn insert(tx: &mut Tx, publisher: &Publisher) -> Result<(), Error> {
    const SQL: &str = "insert into publisher (id, handle, kind, display_name, created_at) values ($1, $2, $3, $4, $5)";
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(publisher.id.uuid())
            .bind(publisher.handle.as_str())
            .bind(publisher.kind.as_str())
            .bind(&publisher.display_name)
            .bind(publisher.created_at.micros())
    )?;
    Ok(())
}

/// The publisher with this id, whoever asks: for services, which check rights themselves.
pub async fn by_id(conn: &mut Conn, id: PublisherId) -> Result<Option<Publisher>, Error> {
    const SQL: &str = "select * from publisher where id = $1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(id.uuid()).fetch_optional(c))?)
}

/// The publisher with this handle, whoever asks: for services, which check rights themselves.
pub async fn by_handle(conn: &mut Conn, handle: &Handle) -> Result<Option<Publisher>, Error> {
    const SQL: &str = "select * from publisher where handle = $1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(handle.as_str()).fetch_optional(c))?)
}

/// The publisher with this handle if the viewer may know of it.
pub async fn find(conn: &mut Conn, viewer: &Viewer, handle: &Handle) -> Result<Option<Publisher>, Error> {
    let (condition, members) = visible(viewer, 2, "'public', 'unlisted'");
    let sql = format!("select * from publisher p where handle = $1 and {condition}");
    Ok(on!(conn, |c| {
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(handle.as_str());
        members.iter().fold(query, sqlx::query::QueryAs::bind).fetch_optional(c)
    })?)
}

/// Publishers that the viewer may list, after `after` by handle, one more than the page has.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    after: Option<&Handle>,
    size: PageSize,
) -> Result<Vec<Publisher>, Error> {
    let (condition, members) = visible(viewer, 3, "'public'");
    let sql = format!("select * from publisher p where handle > $1 and {condition} order by handle limit $2");
    let after = after.map_or("", Handle::as_str);
    Ok(on!(conn, |c| {
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(after).bind(size.and_one());
        members.iter().fold(query, sqlx::query::QueryAs::bind).fetch_all(c)
    })?)
}

/// Changes the name shown to people.
pub async fn set_display_name(tx: &mut Tx, id: PublisherId, display_name: &str) -> Result<bool, Error> {
    const SQL: &str = "update publisher set display_name = $2 where id = $1";
    changed(execute!(tx, sqlx::query(SQL).bind(id.uuid()).bind(display_name)))
}

/// The condition on `p` under which the viewer knows of it, and the ids it needs from `$first` on.
fn visible(viewer: &Viewer, first: usize, visibilities: &str) -> (String, Vec<uuid::Uuid>) {
    if viewer.is_administrator() {
        return ("true".to_owned(), Vec::new());
    }
    let members: Vec<uuid::Uuid> = viewer.member_of().map(PublisherId::uuid).collect();
    let mine = if members.is_empty() {
        "false".to_owned()
    } else {
        format!("p.id in ({})", placeholders(first, members.len()))
    };
    let condition = format!(
        "({mine} or exists (select 1 from skill s where s.publisher_id = p.id and s.visibility in ({visibilities})
            and s.hidden_at is null and s.deleted_at is null and s.latest_version_id is not null))"
    );
    (condition, members)
}
