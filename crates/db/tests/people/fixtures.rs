//! People and publishers that the cases share.

use kontor_db::persons::Person;
use kontor_db::publishers::Publisher;
use kontor_db::{Db, Error, members, persons, publishers};
use kontor_types::{Handle, PersonId, PublisherId, PublisherKind, Role, Timestamp};

pub const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

pub fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

pub fn a_person(name: &str) -> Person {
    Person {
        id: PersonId::new(NOW),
        handle: handle(name),
        display_name: name.to_uppercase(),
        administrator: false,
        created_at: NOW,
        disabled_at: None,
    }
}

pub fn a_publisher(name: &str) -> Publisher {
    Publisher {
        id: PublisherId::new(NOW),
        handle: handle(name),
        kind: PublisherKind::Organisation,
        display_name: name.to_uppercase(),
        created_at: NOW,
        require_signature: false,
    }
}

/// Stores a person.
pub async fn add_person(db: &Db, person: &Person) -> Result<(), Error> {
    let person = person.clone();
    db.write(move |tx| Box::pin(async move { persons::insert(tx, &person).await })).await
}

/// Stores a publisher.
pub async fn add_publisher(db: &Db, publisher: &Publisher) -> Result<(), Error> {
    let publisher = publisher.clone();
    db.write(move |tx| Box::pin(async move { publishers::insert(tx, &publisher).await })).await
}

/// Makes a person a member.
pub async fn add_member(db: &Db, publisher: PublisherId, person: PersonId, role: Role) {
    db.write(move |tx| Box::pin(async move { members::put(tx, publisher, person, role, NOW).await })).await.unwrap();
}
