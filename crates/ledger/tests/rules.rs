//! The rules stand in the database itself: whoever writes to it, wrong books are refused, and what was changed behind its
//! back is found.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod books;

use books::{Books, On};
use kontor_db::dump::{self, Snapshot, TABLES};
use kontor_db::{Db, Error, testing};
use kontor_ledger::{Amounts, Order, Side};
use rstest::rstest;

async fn run(db: &Db, statements: &str, on: On) -> Result<(), String> {
    let bytes = if on == On::Sqlite { "zeroblob(32)" } else { "decode(repeat('00', 32), 'hex')" };
    let statements: Vec<String> = statements.replace("BYTES", bytes).split(';').map(str::to_owned).collect();
    let unit = db.write(move |tx| {
        Box::pin(async move {
            for statement in statements {
                testing::run(tx, statement).await?;
            }
            Ok::<_, Error>(())
        })
    });
    unit.await.map_err(|error| format!("{error:?}"))
}

/// A transfer with one leg, as a program with a mistake might write it. Accounts: 1 bank, 2 purse, 3 shop, 4 yen, 5 closed.
/// Transfers and their legs: 1 fills the purse, 2 reserves, 3 posts 2, 4 fills the account that is closed, 5 reserves.
fn rows(kind: &str, origin: &str, leg: &str) -> String {
    let transfer =
        "insert into ledger_transfer (number, key, kind, request, origin, first_leg, legs, memo, created_at)";
    let columns = "number, transfer, kind, debit, credit, currency, amount, held, origin, debit_before, credit_before";
    format!(
        "{transfer} values (6, 'k', '{kind}', BYTES, {origin}, 6, 1, '', 0);
        insert into ledger_leg ({columns}) values (6, 6, '{kind}', {leg})"
    )
}

async fn books(on: On) -> Option<Books> {
    let books = Books::open(on).await?;
    let [_, purse, shop] = books.usual().await;
    books.account("yen", "JPY", Side::Credit, false).await;
    let closed = books.account("closed", "CNY", Side::Credit, false).await;
    let held = books.reserve("r", purse, shop, 500, None).await.unwrap().transfer.number;
    books.order("p", Order::Post { reservation: held, amounts: Amounts::Full }).await.unwrap();
    books.pay("c", 1, closed, 5).await.unwrap();
    books.ledger.close(closed).await.unwrap();
    books.reserve("r2", purse, shop, 500, None).await.unwrap();
    Some(books)
}

#[rstest]
#[case::overdrawn("move", "null", "2, 3, 'CNY', 9001, 0, null, 5, 5", "not_negative")]
#[case::currency("move", "null", "2, 4, 'CNY', 10, 0, null, 5, 0", "does not take")]
#[case::closed("move", "null", "2, 5, 'CNY', 10, 0, null, 5, 4", "does not take")]
#[case::nobody("move", "null", "2, 99, 'CNY', 10, 0, null, 5, 0", "")]
#[case::negative("move", "null", "2, 3, 'CNY', -10, 0, null, 5, 5", "")]
#[case::nothing("move", "null", "2, 3, 'CNY', 0, 0, null, 5, 5", "")]
#[case::to_itself("move", "null", "2, 2, 'CNY', 10, 0, null, 5, 5", "")]
#[case::refund_too_much("refund", "3", "3, 2, 'CNY', 501, 0, 3, 5, 5", "more is refunded")]
#[case::refund_to_another("refund", "3", "3, 1, 'CNY', 10, 0, 3, 5, 4", "more is refunded")]
#[case::refund_of_a_reservation("refund", "5", "3, 2, 'CNY', 10, 0, 5, 5, 5", "more is refunded")]
#[case::settled_before("post", "2", "2, 3, 'CNY', 500, -500, 2, 5, 5", "")]
#[case::settles_half("post", "5", "2, 3, 'CNY', 250, -250, 5, 5, 5", "does not settle")]
#[case::posts_more("post", "5", "2, 3, 'CNY', 501, -500, 5, 5, 5", "")]
#[tokio::test]
async fn a_wrong_transfer_is_refused_by_the_database(
    #[case] kind: &str,
    #[case] origin: &str,
    #[case] leg: &str,
    #[case] reason: &str,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(books) = books(on).await else { return };
    let refused = run(books.db(), &rows(kind, origin, leg), on).await.unwrap_err();
    assert!(refused.contains(reason), "{refused}");
    books.clean().await;
    // The same rows without the mistake are taken.
    run(books.db(), &rows("move", "null", "2, 3, 'CNY', 9000, 0, null, 5, 5"), on).await.unwrap();
    assert_eq!(books.balances(&[2, 3]).await, [500, 9500]);
}

#[rstest]
#[tokio::test]
async fn what_was_recorded_stays(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = books(on).await else { return };
    for statement in [
        "update ledger_account set credits = credits + 100 where number = 2",
        "update ledger_account set held_debits = 0 where number = 2",
        "update ledger_account set owner = 'mallory' where number = 2",
        "update ledger_account set guarded = (number = 99) where number = 2",
        "delete from ledger_account where number = 4",
        "update ledger_transfer set memo = 'other' where number = 1",
        "delete from ledger_transfer where number = 1",
        "update ledger_leg set amount = 1 where number = 1",
        "delete from ledger_leg where number = 1",
        "update ledger_batch set first = 0",
        "delete from ledger_batch",
    ] {
        let refused = run(books.db(), statement, on).await.unwrap_err();
        assert!(refused.contains("ledger: "), "{statement}: {refused}");
    }
    books.clean().await;
}

#[rstest]
#[case("update ledger_leg set amount = 10001 where number = 1", "digest differs")]
#[case("update ledger_transfer set memo = 'other' where number = 1", "digest differs")]
#[case("update ledger_account set credits = credits + 100 where number = 3", "is not the sum of its legs")]
#[case("delete from ledger_hold", "an open reservation is not kept")]
#[case("delete from ledger_batch where last = 5", "the counter has other numbers")]
#[tokio::test]
async fn what_was_changed_behind_the_rules_is_found(
    #[case] statement: &str,
    #[case] told: &str,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(books) = books(on).await else { return };
    let off = match on {
        On::Sqlite => {
            "drop trigger ledger_leg_stays; drop trigger ledger_transfer_stays; drop trigger ledger_account_moves;
            drop trigger ledger_batch_kept"
        }
        On::Postgres => {
            "alter table ledger_leg disable trigger user; alter table ledger_transfer disable trigger user;
            alter table ledger_account disable trigger user; alter table ledger_batch disable trigger user"
        }
    };
    run(books.db(), &format!("{off};{statement}"), on).await.unwrap();
    let findings = books.ledger.check().await.unwrap();
    assert!(findings.complaints.iter().any(|complaint| complaint.contains(told)), "{findings:?}");
}

#[rstest]
#[tokio::test]
async fn the_books_survive_a_restore_and_go_on(
    #[values(On::Sqlite, On::Postgres)] from: On,
    #[values(On::Sqlite, On::Postgres)] to: On,
) {
    let (Some(books), Some(copy)) = (books(from).await, Books::open(to).await) else { return };
    let mut snapshot = Snapshot::begin(books.db()).await.unwrap();
    let mut tables: Vec<(&'static str, Vec<String>)> = Vec::new();
    for table in TABLES {
        let mut rows = Vec::new();
        let all = snapshot.rows(table, |row| {
            rows.push(row.to_owned());
            Ok::<_, Error>(())
        });
        all.await.unwrap();
        tables.push((table, rows));
    }
    snapshot.end().await.unwrap();
    let restored = copy.db().write(move |tx| {
        Box::pin(async move {
            dump::make_room(tx).await?;
            for (table, rows) in &tables {
                dump::insert(tx, table, rows.iter().map(String::as_str)).await?;
            }
            Ok::<_, Error>(())
        })
    });
    restored.await.unwrap();
    copy.clean().await;
    assert!(copy.pay("c", 1, 5, 5).await.unwrap().repeated);
    copy.pay("more", 2, 3, 9_000).await.unwrap();
    assert!(copy.pay("too much", 2, 3, 1).await.is_err());
    run(copy.db(), "delete from ledger_leg", to).await.unwrap_err();
    copy.clean().await;
}
