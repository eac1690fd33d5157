//! The rules stand in the database itself: whoever writes to it, wrong books are refused, and what was changed behind its
//! back is found.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod books;

use books::{Books, On};
use kontor_db::dump::{self, Snapshot, TABLES};
use kontor_db::{Db, Error, testing};
use kontor_ledger::{Amounts, Head, Order, Side};
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

const TRANSFER: &str =
    "insert into ledger_transfer (number, key, kind, request, origin, first_leg, legs, memo, created_at) values";
const LEG: &str = "insert into ledger_leg (number, transfer, kind, debit, credit, currency, amount, held, origin,
    debit_before, credit_before) values";
const BEGIN: &str = "update ledger_counter set writing = 2";
const SEAL: &str = "insert into ledger_batch (number, accounts, closings, transfers, legs, made_at, digest)
    select commits + 1, accounts, closings, transfers + 1, legs + 1, made_at, BYTES from ledger_counter";

/// A commit with one leg, as a program with a mistake might write it. Accounts: 1 bank, 2 purse, 3 shop, 4 yen, 5 closed.
/// Transfers and their legs: 1 fills the purse, 2 reserves, 3 posts 2, 4 fills the account that is closed, 5 reserves.
fn rows(kind: &str, origin: &str, leg: &str) -> String {
    format!(
        "{BEGIN}; {TRANSFER} (6, 'k', '{kind}', BYTES, {origin}, 6, 1, '', 0); {LEG} (6, 6, '{kind}', {leg}); {SEAL}"
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
#[case::nobody("move", "null", "2, 99, 'CNY', 10, 0, null, 5, 0", "does not continue")]
#[case::another_before("move", "null", "2, 3, 'CNY', 10, 0, null, 4, 5", "does not continue")]
#[case::negative("move", "null", "2, 3, 'CNY', -10, 0, null, 5, 5", "check constraint")]
#[case::nothing("move", "null", "2, 3, 'CNY', 0, 0, null, 5, 5", "check constraint")]
#[case::to_itself("move", "null", "2, 2, 'CNY', 10, 0, null, 5, 5", "check constraint")]
#[case::refund_too_much("refund", "3", "3, 2, 'CNY', 501, 0, 3, 5, 5", "more is refunded")]
#[case::refund_to_another("refund", "3", "3, 1, 'CNY', 10, 0, 3, 5, 4", "more is refunded")]
#[case::refund_of_a_reservation("refund", "5", "3, 2, 'CNY', 10, 0, 5, 5, 5", "more is refunded")]
#[case::refund_for_another("refund", "1", "3, 2, 'CNY', 10, 0, 3, 5, 5", "more is refunded")]
#[case::settled_before("post", "2", "2, 3, 'CNY', 500, -500, 2, 5, 5", "unique")]
#[case::settles_half("post", "5", "2, 3, 'CNY', 250, -250, 5, 5, 5", "does not settle its reservation")]
#[case::posts_more("post", "5", "2, 3, 'CNY', 501, -500, 5, 5, 5", "check constraint")]
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
    assert!(refused.to_lowercase().contains(reason), "{refused}");
    books.clean().await;
    // The same rows without the mistake are taken.
    run(books.db(), &rows("move", "null", "2, 3, 'CNY', 9000, 0, null, 5, 5"), on).await.unwrap();
    assert_eq!(books.balances(&[2, 3]).await, [500, 9500]);
}

#[rstest]
#[tokio::test]
async fn a_commit_that_is_not_whole_is_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = books(on).await else { return };
    let legs = vec![books::leg(2, 3, 100), books::leg(2, 1, 100)];
    books.order("two", Order::Reserve { legs, expires_at: None }).await.unwrap();
    let transfer = |row: &str| format!("{TRANSFER} ({row})");
    let (move_, leg) = (transfer("7, 'k', 'move', BYTES, null, 8, 1, '', 0"), "2, 3, 'CNY', 1, 0, null, 7, 6");
    let half = transfer("7, 'k', 'void', BYTES, 6, 8, 1, '', 0");
    for (statements, reason) in [
        (format!("{BEGIN}; {half}; {LEG} (8, 7, 'void', 2, 3, 'CNY', 0, -100, 6, 7, 6); {SEAL}"), "whole reservation"),
        (format!("{BEGIN}; {move_}; {LEG} (8, 7, 'move', {leg})"), "foreign key"),
        (format!("{move_}; {LEG} (8, 7, 'move', {leg})"), "added by a commit"),
        (format!("{BEGIN}; {move_}; {LEG} (9, 7, 'move', {leg}); {SEAL}"), "not those that it counts"),
        (format!("{BEGIN}; {move_}; {SEAL}"), "not those that it counts"),
        (format!("{BEGIN}; {move_}; {LEG} (8, 6, 'move', {leg}); {SEAL}"), "no part of its transfer"),
        (format!("{BEGIN}; update ledger_counter set writing = null"), "by commits only"),
        (BEGIN.to_owned(), "foreign key"),
    ] {
        let refused = run(books.db(), &statements, on).await.unwrap_err();
        assert!(refused.to_lowercase().contains(reason), "{statements}: {refused}");
    }
    run(books.db(), &format!("{BEGIN}; {move_}; {LEG} (8, 7, 'move', {leg}); {SEAL}"), on).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn what_was_recorded_stays(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = books(on).await else { return };
    let both = [
        "update ledger_account set credits = credits + 100 where number = 2",
        "update ledger_account set held_debits = 0 where number = 2",
        "update ledger_account set owner = 'mallory' where number = 2",
        "update ledger_account set guarded = (number = 99) where number = 2",
        "update ledger_account set closed_at = null where number = 5",
        "update ledger_account set closed_at = 1 where number = 2",
        "delete from ledger_account where number = 4",
        "update ledger_closing set account = 4",
        "delete from ledger_closing",
        "update ledger_transfer set memo = 'other' where number = 1",
        "delete from ledger_transfer where number = 1",
        "update ledger_leg set amount = 1 where number = 1",
        "delete from ledger_leg where number = 1",
        "update ledger_batch set made_at = 0",
        "delete from ledger_batch",
        "update ledger_counter set transfers = 0",
        "update ledger_counter set digest = BYTES, writing = 2",
        "delete from ledger_counter",
        "update ledger_hold set expires_at = 0",
        "delete from ledger_hold",
        "insert into ledger_hold (transfer) values (1)",
        "delete from ledger_rule",
    ];
    let replace = [
        "insert or replace into ledger_account (number, owner_kind, owner, code, currency, side, guarded, opened_at)
            values (2, 'test', 'mallory', 'purse', 'CNY', 'credit', 0, 0)",
        "insert or replace into ledger_batch select number, 0, 0, 0, 0, made_at, digest from ledger_batch where number = 3",
        "insert or replace into ledger_counter select 1, 0, 0, 0, 0, 0, 0, digest, null from ledger_counter",
        "insert or replace into ledger_closing select number, 4, closed_at from ledger_closing",
        "insert or replace into ledger_leg select number, transfer, kind, debit, credit, currency, 1, held, origin,
            debit_before, credit_before from ledger_leg where number = 1",
    ];
    for statement in both.iter().chain(replace.iter().filter(|_| on == On::Sqlite)) {
        let refused = run(books.db(), statement, on).await.unwrap_err();
        let told = refused.contains("ledger: ") || refused.to_lowercase().contains("foreign key");
        assert!(told, "{statement}: {refused}");
    }
    books.clean().await;
}

#[rstest]
#[case("update ledger_leg set amount = 10001 where number = 1", "digest differs")]
#[case("update ledger_transfer set memo = 'other' where number = 1", "digest differs")]
#[case("update ledger_account set owner = 'mallory' where number = 2", "digest differs")]
#[case("update ledger_account set guarded = false where number = 2", "digest differs")]
#[case("update ledger_account set closed_at = null where number = 5", "is not closed as its closing says")]
#[case("update ledger_account set credits = credits + 100 where number = 3", "is not the sum of its legs")]
#[case("delete from ledger_hold", "an open reservation is not kept")]
#[case("delete from ledger_batch where number = 11", "the counter has other numbers")]
#[case("update ledger_hold set expires_at = 0", "does not keep the rule `ledger_leg_stays`")]
#[tokio::test]
async fn what_was_changed_behind_the_rules_is_found(
    #[case] statement: &str,
    #[case] told: &str,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    const OFF: [(&str, &[&str]); 5] = [
        ("ledger_leg", &["stays"]),
        ("ledger_transfer", &["stays"]),
        ("ledger_account", &["moves", "stays"]),
        ("ledger_batch", &["kept"]),
        ("ledger_hold", &["kept", "stays"]),
    ];
    let Some(books) = books(on).await else { return };
    let off = OFF.iter().flat_map(|(table, rules)| match on {
        On::Sqlite => rules.iter().map(|rule| format!("drop trigger {table}_{rule};")).collect(),
        On::Postgres => vec![format!("alter table {table} disable trigger user;")],
    });
    let off: String = off.collect();
    run(books.db(), &format!("{off}{statement}"), on).await.unwrap();
    let findings = books.ledger.check().await.unwrap();
    assert!(findings.complaints.iter().any(|complaint| complaint.contains(told)), "{findings:?}");
}

#[rstest]
#[tokio::test]
async fn an_end_that_was_cut_off_is_found_by_a_head_noted_before(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = books(on).await else { return };
    let early = books.ledger.head().await.unwrap();
    books.pay("later", 2, 3, 1).await.unwrap();
    let now = books.ledger.head().await.unwrap();
    let findings = books.ledger.check_against(&[early, now]).await.unwrap();
    assert!(findings.are_clean() && findings.head == Some(now), "{findings:?}");
    let other = Head { digest: now.digest, ..early };
    let later = Head { commits: now.commits + 1, ..now };
    let findings = books.ledger.check_against(&[other, later]).await.unwrap();
    assert_eq!(
        findings.complaints,
        ["commit 11 has another digest than was noted before", "commit 13 was noted before and is not there"]
    );
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
