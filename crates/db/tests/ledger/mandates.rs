//! Mandates: each use is counted once, and never more often than was allowed.

use kontor_db::mandates::{self, Mandate, MandateKey};
use kontor_types::MandateId;
use rstest::rstest;

use crate::fixtures::{NOW, ada, later, mandate, open, usual};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn uses_are_counted_up_to_what_was_allowed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    open(&test.db, &usual()).await.unwrap();
    let person = ada(&test.db).await;
    let new = mandate(&test.db, person).await;
    let id = new.id;
    let count = || test.db.write(move |tx| Box::pin(async move { mandates::count_use(tx, id).await }));
    let uncount = || test.db.write(move |tx| Box::pin(async move { mandates::uncount_use(tx, id).await }));
    let revoke = |at| test.db.write(move |tx| Box::pin(async move { mandates::revoke(tx, id, at).await }));

    uncount().await.unwrap();
    count().await.unwrap();
    count().await.unwrap();
    assert!(count().await.is_err(), "two were allowed");
    let held = test.db.write(move |tx| Box::pin(async move { mandates::hold(tx, id).await })).await.unwrap();
    let expected = Mandate {
        id,
        person_id: person,
        key_id: new.key_id,
        public_key: "public half".to_owned(),
        envelope: new.envelope,
        account: new.account,
        uses: 2,
        most: 2,
        accepted_at: later(1),
        revoked_at: None,
    };
    assert_eq!(held.as_ref(), Some(&expected));

    uncount().await.unwrap();
    assert!(revoke(later(3)).await.unwrap());
    assert!(!revoke(later(4)).await.unwrap(), "the first one counts");
    let mut conn = test.db.read().await.unwrap();
    let after = Mandate { uses: 1, revoked_at: Some(later(3)), ..expected };
    assert_eq!(mandates::find(&mut conn, id).await.unwrap().as_ref(), Some(&after));
    assert_eq!(mandates::of(&mut conn, person, 5).await.unwrap(), [after]);
    assert_eq!(mandates::find(&mut conn, MandateId::new(NOW)).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn a_new_key_takes_the_place_of_the_others(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    open(&test.db, &usual()).await.unwrap();
    let person = ada(&test.db).await;
    mandate(&test.db, person).await;
    let second = MandateKey {
        person_id: person,
        key_id: "second".to_owned(),
        public_key: "another".to_owned(),
        registered_at: later(2),
        retired_at: None,
    };
    let key = second.clone();
    let retired = test.db.write(move |tx| {
        Box::pin(async move {
            mandates::add_key(tx, &key).await?;
            mandates::retire_keys(tx, person, "second", later(2)).await
        })
    });
    assert_eq!(retired.await.unwrap(), 1);
    let keys = mandates::keys(&mut test.db.read().await.unwrap(), person).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.retired_at).collect::<Vec<_>>(), [Some(later(2)), None]);
    assert_eq!(keys.last(), Some(&second));
    let again = test.db.write(move |tx| Box::pin(async move { mandates::add_key(tx, &second).await }));
    assert!(again.await.unwrap_err().is_duplicate());
}
