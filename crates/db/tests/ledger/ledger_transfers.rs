//! Transfers: their legs move the balances, and the database refuses what may not be.

use kontor_db::ledger_transfers::{self, Kind, Leg, Transfer};
use rstest::rstest;

use crate::fixtures::{BANK, NOW, PURSE, SHOP, enter, found, later, leg, open, transfer, usual};
use crate::support::{On, TestDb};

/// Everyone's accounts, and 100 in the purse.
async fn stocked(on: On) -> Option<TestDb> {
    let test = on.open().await?;
    open(&test.db, &usual()).await.unwrap();
    enter(&test.db, &[transfer(1, 1, 1)], &[leg(1, 1, (BANK, PURSE), 100, (0, 0))]).await.unwrap();
    Some(test)
}

#[rstest]
#[tokio::test]
async fn transfers_and_legs_are_read_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = stocked(on).await else { return };
    let transfers = [transfer(2, 2, 2), transfer(3, 4, 1)];
    let legs = [
        leg(2, 2, (PURSE, SHOP), 30, (1, 0)),
        leg(3, 2, (PURSE, BANK), 12, (2, 1)),
        leg(4, 3, (PURSE, SHOP), 8, (3, 2)),
    ];
    enter(&test.db, &transfers, &legs).await.unwrap();
    let purse = found(&test.db, PURSE).await;
    assert_eq!((purse.debits, purse.credits, purse.balance(), purse.last_leg), (50, 100, 50, 4));
    assert_eq!((found(&test.db, BANK).await.balance(), found(&test.db, SHOP).await.balance()), (88, 38));

    let mut conn = test.db.read().await.unwrap();
    let keys = ["key-3".to_owned(), "key-4".to_owned()];
    assert_eq!(ledger_transfers::with_keys(&mut conn, &keys).await.unwrap(), &transfers[1..]);
    assert_eq!(ledger_transfers::with_numbers(&mut conn, &[2, 4]).await.unwrap(), &transfers[..1]);
    assert_eq!(ledger_transfers::after(&mut conn, 1, 10).await.unwrap(), transfers);
    assert_eq!(ledger_transfers::legs_of(&mut conn, &[2]).await.unwrap(), &legs[..2]);
    assert_eq!(ledger_transfers::legs_after(&mut conn, 1, 2).await.unwrap(), &legs[..2]);
    assert_eq!(ledger_transfers::legs_with_numbers(&mut conn, &[4, 3, 9]).await.unwrap(), &legs[1..]);
    let back = ledger_transfers::legs_back(&mut conn, SHOP, 4, 10).await.unwrap();
    assert_eq!(back.iter().map(|leg| leg.number).collect::<Vec<_>>(), [4, 2], "only those of the shop");
}

#[rstest]
#[tokio::test]
async fn a_key_stands_for_one_transfer(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = stocked(on).await else { return };
    let same = Transfer { key: "key-1".to_owned(), ..transfer(2, 2, 1) };
    let error = enter(&test.db, &[same], &[leg(2, 2, (BANK, PURSE), 5, (1, 1))]).await.unwrap_err();
    assert!(error.is_duplicate(), "{error:?}");
    let mut conn = test.db.read().await.unwrap();
    let known = ledger_transfers::with_keys(&mut conn, &["key-1".to_owned()]).await.unwrap();
    assert_eq!(known, [transfer(1, 1, 1)]);
}

#[rstest]
#[tokio::test]
async fn a_guarded_account_never_falls_below_zero(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = stocked(on).await else { return };
    let too_much = [leg(2, 2, (PURSE, SHOP), 101, (1, 0))];
    let error = enter(&test.db, &[transfer(2, 2, 1)], &too_much).await.unwrap_err();
    assert!(format!("{error:?}").contains("ledger_account_not_negative"), "{error:?}");
    let kept = ledger_transfers::after(&mut test.db.read().await.unwrap(), 1, 10).await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
    assert_eq!((found(&test.db, PURSE).await.balance(), found(&test.db, SHOP).await.balance()), (100, 0));

    let all = [leg(2, 2, (PURSE, SHOP), 100, (1, 0))];
    enter(&test.db, &[transfer(2, 2, 1)], &all).await.unwrap();
    assert_eq!((found(&test.db, PURSE).await.balance(), found(&test.db, SHOP).await.balance()), (0, 100));
}

#[rstest]
#[tokio::test]
async fn what_is_held_is_free_again_once_it_is_settled(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = stocked(on).await else { return };
    let reserve = Transfer { kind: Kind::Reserve, expires_at: Some(later(60)), ..transfer(2, 2, 1) };
    let hold = Leg { kind: Kind::Reserve, held: 40, ..leg(2, 2, (PURSE, SHOP), 0, (1, 0)) };
    enter(&test.db, &[reserve], &[hold]).await.unwrap();
    let purse = found(&test.db, PURSE).await;
    assert_eq!((purse.balance(), purse.free()), (100, 60));
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(ledger_transfers::open_after(&mut conn, 0, 10).await.unwrap(), [2]);
    assert!(ledger_transfers::expired(&mut conn, NOW, 0, 10).await.unwrap().is_empty());
    assert_eq!(ledger_transfers::expired(&mut conn, later(60), 0, 10).await.unwrap(), [2]);
    assert!(ledger_transfers::expired(&mut conn, later(60), 2, 10).await.unwrap().is_empty());

    let post = |number: i64| Transfer { kind: Kind::Post, origin: Some(2), ..transfer(number, number, 1) };
    let settled = |number: i64| {
        let moved = leg(number, number, (PURSE, SHOP), 15, (number - 1, number - 1));
        Leg { kind: Kind::Post, held: -40, origin: Some(2), ..moved }
    };
    enter(&test.db, &[post(3)], &[settled(3)]).await.unwrap();
    let purse = found(&test.db, PURSE).await;
    assert_eq!((purse.balance(), purse.free()), (85, 85));
    assert!(ledger_transfers::open_after(&mut conn, 0, 10).await.unwrap().is_empty());
    assert_eq!(ledger_transfers::after_origins(&mut conn, &[2]).await.unwrap(), [post(3)]);
    let error = enter(&test.db, &[post(4)], &[settled(4)]).await.unwrap_err();
    assert!(error.is_duplicate(), "{error:?}");
    assert_eq!(found(&test.db, PURSE).await, purse, "it is settled once");
}

#[rstest]
#[tokio::test]
async fn commits_are_counted_and_a_reader_keeps_its_moment(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let mut conn = test.db.read().await.unwrap();
    let before = ledger_transfers::freeze(&mut conn).await.unwrap();
    assert_eq!((before.commits, before.accounts, before.transfers, before.legs), (0, 0, 0, 0));
    open(&test.db, &usual()).await.unwrap();
    assert_eq!(ledger_transfers::counter(&mut conn).await.unwrap(), before);
    drop(conn);
    let mut conn = test.db.read().await.unwrap();
    let after = ledger_transfers::counter(&mut conn).await.unwrap();
    assert_eq!((after.commits, after.accounts, after.transfers), (1, 3, 0));
    assert_eq!(ledger_transfers::commits_after(&mut conn, 0, 10).await.unwrap(), [after]);
    assert!(ledger_transfers::commits_after(&mut conn, 1, 10).await.unwrap().is_empty());
    assert!(ledger_transfers::missing_rules(&mut conn).await.unwrap().is_empty());
}
