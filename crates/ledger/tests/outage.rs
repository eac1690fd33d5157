//! What callers are told when the database, a clock or another process does not do its part.

mod books;

use std::time::Duration;

use books::{Books, On, leg};
use kontor_db::{Db, Error as DbError, Options, ledger_transfers, testing};
use kontor_ledger::{Amounts, Error, Key, Order, Request, record};
use rstest::rstest;
use tokio::sync::oneshot;

/// A request that the database refuses, of which the program thought well, takes none of the others with it.
#[rstest]
#[tokio::test]
async fn one_bad_request_of_a_commit_is_told_alone(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    let reservation = books.reserve("hold", ada, shop, 500, None).await.unwrap().transfer.number;
    let off = match on {
        On::Sqlite => "drop trigger ledger_hold_kept",
        On::Postgres => "alter table ledger_hold disable trigger user",
    };
    let lose = books.db().write(move |tx| {
        Box::pin(async move {
            testing::run(tx, off.to_owned()).await?;
            testing::run(tx, "delete from ledger_hold".to_owned()).await
        })
    });
    let lost: Result<u64, DbError> = lose.await;
    assert_eq!(lost.unwrap(), 1);
    let good = (0..50).map(|number| {
        let ledger = books.ledger.clone();
        let order = Order::Move(vec![leg(ada, shop, 1)]);
        let key = Key::new("test", &format!("good-{number}")).unwrap();
        async move { ledger.transfer(Request::new(key, order)).await }
    });
    let bad = books.order("post", Order::Post { reservation, amounts: Amounts::Full });
    let (good, bad) = futures::join!(futures::future::join_all(good), bad);
    assert!(good.iter().all(Result::is_ok), "{good:?}");
    assert!(matches!(bad, Err(Error::NotRecorded { .. })), "{bad:?}");
    assert_eq!(books.balances(&[shop]).await, [50]);
}

#[tokio::test]
async fn a_process_that_has_the_ledger_and_stands_still_keeps_nobody_for_ever() {
    let Some(books) = Books::open(On::Postgres).await else { return };
    let [_, ada, shop] = books.usual().await;
    let other = Db::open(&Options::url(books.address.as_str())).await.unwrap();
    let (has, had) = oneshot::channel();
    let (go, going) = oneshot::channel::<()>();
    let still = tokio::spawn(async move {
        let unit = other.write(|tx| {
            Box::pin(async move {
                ledger_transfers::lock(tx).await?;
                let _ = has.send(());
                let _ = going.await;
                Ok::<_, DbError>(())
            })
        });
        unit.await
    });
    had.await.unwrap();
    assert!(matches!(books.pay("p", ada, shop, 1).await, Err(Error::Busy)));
    go.send(()).unwrap();
    still.await.unwrap().unwrap();
    assert!(!books.pay("p", ada, shop, 1).await.unwrap().repeated, "it was not recorded");
}

/// Whoever reads all books may stop at any moment; nothing of it stays behind.
#[rstest]
#[tokio::test]
async fn a_check_that_is_given_up_leaves_no_connection_in_the_past(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    for turns in 0..60 {
        let later = async {
            for _ in 0..turns {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        };
        tokio::select! {
            findings = books.ledger.check() => assert!(findings.unwrap().are_clean()),
            () = later => {}
        }
    }
    for number in 1..=12 {
        books.pay(&format!("p{number}"), ada, shop, 1).await.unwrap();
        let shops = [shop];
        let all = (0..8).map(|_| books.balances(&shops));
        for balance in futures::future::join_all(all).await {
            assert_eq!(balance, [number]);
        }
    }
}

#[rstest]
#[tokio::test]
async fn moments_ascend_whatever_the_clocks_say(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    let first = books.pay("first", ada, shop, 1).await.unwrap().transfer.created_at;
    let request = Request::new(Key::new("test", "early").unwrap(), Order::Move(vec![leg(ada, shop, 1)]));
    let unit = books
        .db()
        .write(move |tx| Box::pin(async move { record(tx, &[request], first.before(Duration::from_mins(5))).await }));
    let early = unit.await.unwrap().pop().unwrap().unwrap();
    assert_eq!(early.transfer.created_at, first);
}
