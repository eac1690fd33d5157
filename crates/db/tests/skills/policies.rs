//! The policy that was set last is in force.

use kontor_db::policies::{self, PolicyRow};
use kontor_types::{Digest, PolicyId};
use rstest::rstest;

use crate::fixtures::{World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn the_policy_that_was_set_last_is_in_force(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let mut conn = world.conn().await;
    assert_eq!(policies::newest(&mut conn).await.unwrap(), None);
    let ada = world.ada;
    for (name, at) in [("open", 1), ("own", 2)] {
        let row = PolicyRow {
            id: PolicyId::new(later(at)),
            name: name.to_owned(),
            text: format!("// {name}"),
            digest: Digest::of(name.as_bytes()),
            set_by: Some(ada),
            created_at: later(at),
        };
        write!(world.db(), |tx| policies::insert(tx, &row));
    }
    let found = policies::newest(&mut conn).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.text.as_str(), found.set_by), ("own", "// own", Some(ada)));
    assert_eq!(policies::newest_id(&mut conn).await.unwrap(), Some(found.id));
}
