//! Who belongs to which publisher, in which role.

use kontor_types::{Handle, PersonId, PublisherId, PublisherKind, Role, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// One member of a publisher.
    pub struct Member {
        /// The person.
        pub person_id: PersonId,
        /// Their name on the hub.
        pub handle: Handle,
        /// The name shown to people.
        pub display_name: String,
        /// What they may do.
        pub role: Role,
        /// Since when.
        pub created_at: Timestamp,
    }
}

record! {
    /// One publisher that a person belongs to.
    pub struct Membership {
        /// The publisher.
        pub publisher_id: PublisherId,
        /// Its name on the hub.
        pub handle: Handle,
        /// One person or a group.
        pub kind: PublisherKind,
        /// What the person may do there.
        pub role: Role,
    }
}

/// The members of a publisher, by handle; for services, which check rights themselves.
pub async fn of_publisher(conn: &mut Conn, publisher: PublisherId) -> Result<Vec<Member>, Error> {
    const SQL: &str = "select m.person_id, p.handle, p.display_name, m.role, m.created_at
        from publisher_member m join person p on p.id = m.person_id
        where m.publisher_id = $1 order by p.handle";
    Sql::new(SQL).bind(publisher).all(conn).await
}

/// The publishers that a person belongs to, by handle.
pub async fn of_person(conn: &mut Conn, person: PersonId) -> Result<Vec<Membership>, Error> {
    const SQL: &str = "select m.publisher_id, p.handle, p.kind, m.role
        from publisher_member m join publisher p on p.id = m.publisher_id
        where m.person_id = $1 order by p.handle";
    Sql::new(SQL).bind(person).all(conn).await
}

/// A person's role in a publisher, if any.
pub async fn role(conn: &mut Conn, publisher: PublisherId, person: PersonId) -> Result<Option<Role>, Error> {
    const SQL: &str = "select role from publisher_member where publisher_id = $1 and person_id = $2";
    Sql::new(SQL).bind(publisher).bind(person).optional_cell(conn).await
}

/// Makes a person a member, or changes their role.
pub async fn put(
    tx: &mut Tx,
    publisher: PublisherId,
    person: PersonId,
    role: Role,
    now: Timestamp,
) -> Result<(), Error> {
    const SQL: &str = "insert into publisher_member (publisher_id, person_id, role, created_at) values ($1, $2, $3, $4)
        on conflict (publisher_id, person_id) do update set role = excluded.role";
    Sql::new(SQL).bind(publisher).bind(person).bind(role).bind(now).run(tx).await
}

/// Ends a membership; `false` when there was none.
pub async fn remove(tx: &mut Tx, publisher: PublisherId, person: PersonId) -> Result<bool, Error> {
    const SQL: &str = "delete from publisher_member where publisher_id = $1 and person_id = $2";
    Sql::new(SQL).bind(publisher).bind(person).changed(tx).await
}

/// How many owners a publisher has.
pub async fn owners(conn: &mut Conn, publisher: PublisherId) -> Result<i64, Error> {
    const SQL: &str = "select count(*) from publisher_member where publisher_id = $1 and role = 'owner'";
    Sql::new(SQL).bind(publisher).cell(conn).await
}

record! {
    /// Somebody who may be asked to decide about a publisher's versions.
    pub struct Candidate {
        /// The person.
        pub id: PersonId,
        /// Their name on the hub.
        pub handle: Handle,
        /// Whether they administer the hub.
        pub administrator: bool,
        /// What they may do in the publisher, if they belong to it.
        pub role: Option<Role>,
    }
}

/// The members of a publisher and the administrators of the hub, by handle, without those who are shut out.
pub async fn and_administrators(conn: &mut Conn, publisher: PublisherId) -> Result<Vec<Candidate>, Error> {
    const SQL: &str = "select p.id, p.handle, p.administrator, m.role
        from publisher_member m join person p on p.id = m.person_id
        where m.publisher_id = $1 and p.disabled_at is null
        union
        select p.id, p.handle, p.administrator, m.role from person p
        left join publisher_member m on m.person_id = p.id and m.publisher_id = $1
        where p.administrator and p.disabled_at is null";
    let mut found: Vec<Candidate> = Sql::new(SQL).bind(publisher).all(conn).await?;
    found.sort_by(|one, other| one.handle.cmp(&other.handle));
    Ok(found)
}
