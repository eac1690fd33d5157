//! People and organisations that own skills.

use kontor_types::{Handle, PageSize, PublisherId, PublisherKind, Timestamp, Viewer};

use crate::sql::Sql;
use crate::{Conn, Error, Tx, sight};

record! {
    /// One publisher.
    pub struct Publisher {
        /// Its id.
        pub id: PublisherId,
        /// Its name on the hub.
        pub handle: Handle,
        /// One person or a group.
        pub kind: PublisherKind,
        /// The name shown to people.
        pub display_name: String,
        /// When it was made.
        pub created_at: Timestamp,
        /// Whether its versions must be signed.
        pub require_signature: bool,
    }
}

const COLUMNS: &str = "select p.id, p.handle, p.kind, p.display_name, p.created_at,
    p.require_signature from publisher p where ";

/// Adds a publisher; a taken handle is [`Error::Duplicate`].
pub async fn insert(tx: &mut Tx, publisher: &Publisher) -> Result<(), Error> {
    const SQL: &str = "insert into publisher (id, handle, kind, display_name, created_at, require_signature)
        values ($1, $2, $3, $4, $5, $6)";
    Sql::new(SQL)
        .bind(publisher.id)
        .bind(&publisher.handle)
        .bind(publisher.kind)
        .bind(&publisher.display_name)
        .bind(publisher.created_at)
        .bind(publisher.require_signature)
        .run(tx)
        .await
}

/// The publisher with this id, whoever asks: for services, which check rights themselves.
pub async fn by_id(conn: &mut Conn, id: PublisherId) -> Result<Option<Publisher>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("p.id = ").value(id);
    sql.optional(conn).await
}

/// The publisher with this handle, whoever asks: for services, which check rights themselves.
pub async fn by_handle(conn: &mut Conn, handle: &Handle) -> Result<Option<Publisher>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("p.handle = ").value(handle);
    sql.optional(conn).await
}

/// The publisher with this handle if the viewer may know of it.
pub async fn find(conn: &mut Conn, viewer: &Viewer, handle: &Handle) -> Result<Option<Publisher>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("p.handle = ").value(handle).push(" and ");
    sight::may_know(&mut sql, viewer);
    sql.optional(conn).await
}

/// Publishers that the viewer may list, after `after` by handle, one more than the page has.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    after: Option<&Handle>,
    size: PageSize,
) -> Result<Vec<Publisher>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sight::may_list_publisher(&mut sql, viewer);
    if let Some(after) = after {
        sql.push(" and p.handle > ").value(after);
    }
    sql.push(" order by p.handle limit ").value(size.and_one());
    sql.all(conn).await
}

/// How many publishers the viewer may list.
pub async fn count(conn: &mut Conn, viewer: &Viewer) -> Result<u64, Error> {
    let mut sql = Sql::new("select count(*) from publisher p where ");
    sight::may_list_publisher(&mut sql, viewer);
    sql.cell(conn).await
}

/// Changes the name shown to people.
pub async fn set_display_name(tx: &mut Tx, id: PublisherId, display_name: &str) -> Result<bool, Error> {
    Sql::new("update publisher set display_name = $2 where id = $1").bind(id).bind(display_name).changed(tx).await
}

/// Says whether versions without a signature are refused.
pub async fn set_require_signature(tx: &mut Tx, id: PublisherId, required: bool) -> Result<bool, Error> {
    Sql::new("update publisher set require_signature = $2 where id = $1").bind(id).bind(required).changed(tx).await
}
