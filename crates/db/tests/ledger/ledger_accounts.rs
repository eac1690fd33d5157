//! Accounts: found by what they are for, one of each; closed ones take nothing new.

use kontor_db::Error;
use kontor_db::ledger_accounts::{self, Account, Closing, Side};
use rstest::rstest;

use crate::fixtures::{
    Added, BANK, PURSE, SHOP, account, commit, currency, enter, found, later, leg, open, transfer, usual,
};
use crate::support::{On, TestDb};

async fn close(test: &TestDb, closing: Closing) -> Result<(), Error> {
    commit(&test.db, Added { closings: vec![closing], ..Added::default() }).await
}

#[rstest]
#[tokio::test]
async fn an_account_is_found_by_owner_code_and_currency(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let mut accounts = usual();
    accounts.push(Account { currency: currency("EUR"), ..account(4, "purse", Side::Credit, true) });
    accounts.push(Account { owner: "bob".to_owned(), ..account(5, "purse", Side::Credit, true) });
    open(&test.db, &accounts).await.unwrap();

    let mut conn = test.db.read().await.unwrap();
    for wanted in &accounts {
        let owner = (wanted.owner_kind.as_str(), wanted.owner.as_str());
        let by_code = ledger_accounts::find_by_code(&mut conn, owner, &wanted.code, wanted.currency).await.unwrap();
        assert_eq!(by_code.as_ref(), Some(wanted));
        assert_eq!(ledger_accounts::find(&mut conn, wanted.number).await.unwrap().as_ref(), Some(wanted));
    }
    let owner = ("person", "bob");
    let other = ledger_accounts::find_by_code(&mut conn, owner, "purse", currency("EUR")).await.unwrap();
    assert_eq!(other, None);
    assert_eq!(ledger_accounts::find(&mut conn, 6).await.unwrap(), None);

    let page = ledger_accounts::after(&mut conn, 1, 3).await.unwrap();
    assert_eq!(page, &accounts[1..4]);
    let mut listed = ledger_accounts::with_numbers(&mut conn, &[5, 99, 4]).await.unwrap();
    listed.sort_by_key(|account| account.number);
    assert_eq!(listed, &accounts[3..]);
}

#[rstest]
#[tokio::test]
async fn there_is_one_account_of_each(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    open(&test.db, &usual()).await.unwrap();
    let same = [account(4, "tips", Side::Credit, true), account(5, "purse", Side::Debit, false)];
    let error = open(&test.db, &same).await.unwrap_err();
    assert!(error.is_duplicate() || error.is_rule(), "{error:?}");
    let all = ledger_accounts::after(&mut test.db.read().await.unwrap(), 0, 10).await.unwrap();
    assert_eq!(all, usual(), "the one before it was not kept either");
}

#[rstest]
#[tokio::test]
async fn a_closed_account_takes_nothing_and_stays_closed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    open(&test.db, &usual()).await.unwrap();
    let closing = Closing { number: 1, account: PURSE, closed_at: later(1) };
    close(&test, closing.clone()).await.unwrap();
    close(&test, Closing { number: 2, account: 99, ..closing.clone() }).await.unwrap_err();
    close(&test, Closing { number: 2, closed_at: later(2), ..closing.clone() }).await.unwrap_err();
    assert_eq!(found(&test.db, PURSE).await.closed_at, Some(later(1)));
    assert_eq!(found(&test.db, SHOP).await.closed_at, None);
    let kept = ledger_accounts::closings_after(&mut test.db.read().await.unwrap(), 0, 10).await.unwrap();
    assert_eq!(kept, [closing]);

    let (transfers, legs) = ([transfer(1, 1, 1)], [leg(1, 1, (BANK, PURSE), 70, (0, 0))]);
    let error = enter(&test.db, &transfers, &legs).await.unwrap_err();
    assert!(format!("{error:?}").contains("does not take"), "{error:?}");
    assert_eq!(found(&test.db, BANK).await.balance(), 0);
}

#[rstest]
#[tokio::test]
async fn accounts_are_listed_by_owners(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let mut accounts = usual();
    accounts.push(Account { owner: "bob".to_owned(), ..account(4, "purse", Side::Credit, true) });
    accounts.push(Account { owner: "cy".to_owned(), ..account(5, "purse", Side::Credit, true) });
    open(&test.db, &accounts).await.unwrap();
    let owners = [("person".to_owned(), "ada".to_owned()), ("person".to_owned(), "cy".to_owned())];
    let listed = ledger_accounts::of_owners(&mut test.db.read().await.unwrap(), &owners, 2, 10).await.unwrap();
    assert_eq!(listed, [accounts[2].clone(), accounts[4].clone()]);
}
