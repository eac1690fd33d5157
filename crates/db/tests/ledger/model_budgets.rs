use kontor_db::model_budgets::{self, Budget, OwnerKind};
use rstest::rstest;

use crate::fixtures::{NOW, PURSE, currency, later, open, usual};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_budget_is_set_again_and_closed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(opened) = on.open().await else { return };
    let db = &opened.db;
    let budget = Budget {
        account: PURSE,
        owner_kind: OwnerKind::Person,
        owner: "ada".to_owned(),
        currency: currency("CNY"),
        ceiling: 100,
        carry: 0,
        set_by: None,
        set_at: NOW,
        closed_at: None,
    };
    let first = budget.clone();
    open(db, &usual()).await.unwrap();
    db.write(move |tx| {
        Box::pin(async move {
            model_budgets::put(tx, &first).await?;
            model_budgets::set_carry(tx, PURSE, 7).await?;
            model_budgets::put(tx, &Budget { ceiling: 300, set_at: later(1), closed_at: Some(later(1)), ..first }).await
        })
    })
    .await
    .unwrap();
    let mut conn = db.read().await.unwrap();
    let expected = Budget { ceiling: 300, carry: 7, set_at: later(1), closed_at: Some(later(1)), ..budget };
    assert_eq!(model_budgets::find(&mut conn, PURSE).await.unwrap().as_ref(), Some(&expected));
    assert_eq!(
        model_budgets::of_owner(&mut conn, OwnerKind::Person, "ada").await.unwrap(),
        std::slice::from_ref(&expected)
    );
    assert_eq!(model_budgets::standing(&mut conn).await.unwrap(), std::slice::from_ref(&expected));
    assert_eq!(model_budgets::before(&mut conn, i64::MAX, 5).await.unwrap(), std::slice::from_ref(&expected));
    assert!(model_budgets::of_owner(&mut conn, OwnerKind::Errand, "ada").await.unwrap().is_empty());
    let before = model_budgets::mark(&mut conn).await.unwrap();
    drop(conn);
    let again = Budget { set_at: NOW, ..expected };
    db.write(move |tx| Box::pin(async move { model_budgets::put(tx, &again).await })).await.unwrap();
    let mut conn = db.read().await.unwrap();
    assert_ne!(model_budgets::mark(&mut conn).await.unwrap(), before);
    assert!(model_budgets::stale(&mut conn, later(9), 5).await.unwrap().is_empty());
}
