//! Merchants: put again under their name, never forgotten.

use kontor_db::merchants::{self, Merchant};
use rstest::rstest;

use crate::fixtures::{later, tea_house};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_merchant_that_was_removed_is_found_but_not_bought_from(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let shop = Merchant { slug: "corner-shop".to_owned(), ..tea_house() };
    let both = [shop.clone(), tea_house()];
    let put = both.clone();
    test.db
        .write(move |tx| {
            Box::pin(async move {
                merchants::put(tx, &put[1]).await?;
                merchants::put(tx, &put[0]).await
            })
        })
        .await
        .unwrap();
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(merchants::list(&mut conn).await.unwrap(), both, "by name");
    assert_eq!(merchants::find(&mut conn, "nobody").await.unwrap(), None);

    let remove = |name: &'static str| {
        test.db.write(move |tx| Box::pin(async move { merchants::remove(tx, name, later(5)).await }))
    };
    assert!(remove("tea-house").await.unwrap());
    assert!(!remove("tea-house").await.unwrap(), "it was removed before");
    assert!(!remove("nobody").await.unwrap());
    assert_eq!(merchants::list(&mut conn).await.unwrap(), [shop]);
    let gone = Merchant { removed_at: Some(later(5)), ..tea_house() };
    assert_eq!(merchants::find(&mut conn, "tea-house").await.unwrap(), Some(gone));

    let again = Merchant { public_key: "another".to_owned(), added_at: later(9), ..tea_house() };
    let put = again.clone();
    test.db.write(move |tx| Box::pin(async move { merchants::put(tx, &put).await })).await.unwrap();
    assert_eq!(merchants::find(&mut conn, "tea-house").await.unwrap(), Some(again));
}
