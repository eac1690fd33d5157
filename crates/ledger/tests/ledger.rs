//! What the ledger does and refuses, on both databases.
#![expect(clippy::panic, reason = "a broken test should stop")]

mod books;

use std::time::Duration;

use books::{Books, On, money};
use kontor_ledger::{Amounts, Error, Key, Kind, Leg, Order, Refusal, Request, Side, State, split};
use rstest::rstest;

fn refused(outcome: Result<kontor_ledger::Recorded, Error>) -> &'static str {
    match outcome {
        Err(Error::Refused(refusal)) => refusal.code(),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn a_transfer_moves_money_once_per_key(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [bank, ada, shop] = books.usual().await;
    let first = books.pay("k1", ada, shop, 1200).await.unwrap();
    assert!(!first.repeated);
    let again = books.pay("k1", ada, shop, 1200).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.transfer, first.transfer);
    assert_eq!(again.legs, first.legs);
    assert_eq!(refused(books.pay("k1", ada, shop, 1201).await), "key_conflict");
    assert_eq!(refused(books.pay("k1", shop, ada, 1200).await), "key_conflict");
    let other_scope = Request::new(Key::new("other", "k1").unwrap(), Order::Move(vec![books::leg(ada, shop, 1)]));
    assert!(!books.ledger.transfer(other_scope).await.unwrap().repeated);
    assert_eq!(books.balances(&[bank, ada, shop]).await, [10_000, 8_799, 1_201]);
    let lines = books.ledger.statement(ada, 10).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.balance).collect::<Vec<_>>(), [8_799, 8_800, 10_000]);
    assert_eq!(books.ledger.statement(ada, 2).await.unwrap(), lines[..2]);
    books.clean().await;
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_transferred_is_refused_and_changes_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    let yen = books.account("shop", "JPY", Side::Credit, true).await;
    for (amount, code) in
        [(0, "amount_invalid"), (-1, "amount_invalid"), (10_001, "insufficient_funds"), (i64::MAX, "amount_overflow")]
    {
        assert_eq!(refused(books.pay(&format!("k{amount}"), ada, shop, amount).await), code, "{amount}");
    }
    assert_eq!(refused(books.pay("unknown", ada, 999, 1).await), "account_unknown");
    assert_eq!(refused(books.pay("same", ada, ada, 1).await), "amount_invalid");
    assert_eq!(refused(books.pay("currency", ada, yen, 1).await), "currency_mismatch");
    assert_eq!(refused(books.order("none", Order::Move(vec![])).await), "amount_invalid");
    let many = vec![books::leg(ada, shop, 1); 65];
    assert_eq!(refused(books.order("many", Order::Move(many)).await), "amount_invalid");
    let many = Amounts::Legs(vec![1; 65]);
    assert_eq!(refused(books.order("many", Order::Refund { transfer: 1, amounts: many }).await), "amount_invalid");
    let second_fails = Order::Move(vec![books::leg(ada, shop, 100), books::leg(ada, shop, 9_901)]);
    assert_eq!(refused(books.order("both", second_fails).await), "insufficient_funds");
    assert_eq!(refused(books.order("void", Order::Void { reservation: 1 }).await), "transfer_unknown");
    assert_eq!(books.balances(&[ada, shop, yen]).await, [10_000, 0, 0]);
    books.pay("all", ada, shop, 10_000).await.unwrap();
    let big = books.account("big", "CNY", Side::Debit, false).await;
    books.pay("most", big, shop, (1 << 62) - 10_000).await.unwrap();
    assert_eq!(refused(books.pay("more", big, shop, 1).await), "amount_overflow");
    assert!(Key::new("ledger", "expire-1").is_err(), "the ledger's own");
    assert!(Key::new("a/b", "k").is_err() && Key::new("a", "").is_err() && Key::new("a", &"k".repeat(256)).is_err());
    books.clean().await;
}

#[rstest]
#[tokio::test]
async fn a_reservation_is_posted_or_void_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    let held = books.reserve("r1", ada, shop, 6_000, None).await.unwrap().transfer.number;
    assert_eq!(refused(books.pay("p1", ada, shop, 4_001).await), "insufficient_funds");
    assert_eq!(refused(books.reserve("r2", ada, shop, 4_001, None).await), "insufficient_funds");
    assert_eq!(books.balances(&[ada, shop]).await, [10_000, 0]);
    let too_much = Order::Post { reservation: held, amounts: Amounts::Part(money(6_001)) };
    assert_eq!(refused(books.order("post-1", too_much).await), "amount_exceeded");
    let part = Order::Post { reservation: held, amounts: Amounts::Part(money(2_500)) };
    let posted = books.order("post-2", part.clone()).await.unwrap();
    assert_eq!((posted.transfer.kind, posted.legs[0].amount, posted.legs[0].held), (Kind::Post, 2_500, -6_000));
    assert!(books.order("post-2", part).await.unwrap().repeated);
    assert_eq!(
        refused(books.order("post-3", Order::Post { reservation: held, amounts: Amounts::Full }).await),
        "reservation_settled"
    );
    assert_eq!(refused(books.order("void-1", Order::Void { reservation: held }).await), "reservation_settled");
    assert_eq!(books.balances(&[ada, shop]).await, [7_500, 2_500]);
    let held = books.reserve("r3", ada, shop, 7_500, None).await.unwrap().transfer.number;
    books.order("void-2", Order::Void { reservation: held }).await.unwrap();
    books.pay("p2", ada, shop, 7_500).await.unwrap();
    books.clean().await;
}

#[rstest]
#[tokio::test]
async fn a_reservation_ends_by_itself(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    let minute = Duration::from_mins(1);
    let held = books.reserve("r1", ada, shop, 9_000, Some(minute)).await.unwrap().transfer.number;
    books.reserve("r2", ada, shop, 1_000, Some(minute)).await.unwrap();
    assert_eq!(books.ledger.expire().await.unwrap(), 0);
    // Somebody who lost the answer reckons the end anew.
    let again = books.reserve("r1", ada, shop, 9_000, Some(minute * 2)).await.unwrap();
    assert_eq!((again.repeated, again.state), (true, State::Open));
    books.clock.advance(minute);
    assert_eq!(books.reserve("r1", ada, shop, 9_000, Some(minute)).await.unwrap().state, State::Expired);
    let post = Order::Post { reservation: held, amounts: Amounts::Full };
    assert_eq!(refused(books.order("post", post).await), "reservation_expired");
    assert_eq!(books.ledger.expire().await.unwrap(), 2);
    assert_eq!(books.ledger.expire().await.unwrap(), 0);
    books.pay("p", ada, shop, 10_000).await.unwrap();
    books.clean().await;
}

#[rstest]
#[tokio::test]
async fn a_sale_is_split_and_refunded_to_the_last_unit(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    let author = books.account("author", "CNY", Side::Credit, false).await;
    let platform = books.account("platform", "CNY", Side::Credit, true).await;
    let legs = split(ada, money(33), &[(shop, 8_000), (author, 500), (platform, 1_500)]).unwrap();
    assert_eq!(legs.iter().map(|leg| leg.amount.minor).collect::<Vec<_>>(), [26, 2, 5]);
    let sale = books.order("sale", Order::Move(legs)).await.unwrap().transfer.number;
    let refund = |part| Order::Refund { transfer: sale, amounts: Amounts::Part(money(part)) };
    assert_eq!(refused(books.order("over", refund(34)).await), "amount_exceeded");
    books.order("back-1", refund(10)).await.unwrap();
    books.order("back-2", refund(10)).await.unwrap();
    assert_eq!(refused(books.order("over-2", refund(14)).await), "amount_exceeded");
    assert_eq!(books.balances(&[ada]).await, [10_000 - 13]);
    books.order("back-3", Order::Refund { transfer: sale, amounts: Amounts::Full }).await.unwrap();
    assert_eq!(books.balances(&[ada, shop, author, platform]).await, [10_000, 0, 0, 0]);
    let all = Order::Refund { transfer: sale, amounts: Amounts::Full };
    assert_eq!(refused(books.order("back-4", all.clone()).await), "amount_exceeded");
    assert!(books.order("back-3", all).await.unwrap().repeated);
    books.clean().await;
}

#[rstest]
#[tokio::test]
async fn a_mandate_is_an_account_that_closing_revokes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    let limits = books.account("limits", "CNY", Side::Debit, false).await;
    let mandate = books.account("mandate", "CNY", Side::Credit, true).await;
    let spent = books.account("spent", "CNY", Side::Credit, true).await;
    books.pay("grant", limits, mandate, 2_000).await.unwrap();
    let purchase = |amount| {
        let legs = vec![books::leg(mandate, spent, amount), books::leg(ada, shop, amount)];
        Order::Reserve { legs, expires_at: None }
    };
    assert_eq!(refused(books.order("over", purchase(2_001)).await), "insufficient_funds");
    let first = books.order("first", purchase(1_500)).await.unwrap().transfer.number;
    let second = books.order("second", purchase(500)).await.unwrap().transfer.number;
    books.order("post", Order::Post { reservation: first, amounts: Amounts::Full }).await.unwrap();
    books.ledger.close(mandate).await.unwrap();
    assert_eq!(refused(books.order("third", purchase(1)).await), "account_closed");
    let post = Order::Post { reservation: second, amounts: Amounts::Full };
    assert_eq!(refused(books.order("late", post).await), "account_closed");
    books.order("free", Order::Void { reservation: second }).await.unwrap();
    let back = Order::Refund { transfer: books.number("post").await, amounts: Amounts::Part(money(1_500)) };
    books.order("back", back).await.unwrap();
    assert_eq!(books.balances(&[ada, shop, mandate, spent]).await, [10_000, 0, 2_000, 0]);
    assert!(books.ledger.close(mandate).await.unwrap().closed_at.is_some());
    books.clean().await;
}

#[rstest]
#[tokio::test]
async fn an_account_is_opened_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let one = books.account("one", "CNY", Side::Credit, true).await;
    assert_eq!(books.account("one", "CNY", Side::Credit, true).await, one);
    assert_ne!(books.account("one", "EUR", Side::Credit, true).await, one);
    let other = books.ledger.open(books::new_account("one", "CNY", Side::Debit, true)).await;
    assert!(matches!(other, Err(Error::Refused(Refusal::AccountDiffers { .. }))));
    books.clean().await;
}

#[rstest]
#[tokio::test]
async fn many_at_once_never_spend_more_than_there_is(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    // A second process writes too.
    let other = books.another().await;
    let tries = (0..400).map(|number| {
        let ledger = if number % 2 == 0 { books.ledger.clone() } else { other.clone() };
        let legs = vec![Leg { debit: ada, credit: shop, amount: money(70) }];
        let order = Order::Reserve { legs, expires_at: None };
        // Every key is asked for twice, once through each process at the same time or not.
        let key = Key::new("race", &format!("k{}", number / 2)).unwrap();
        tokio::spawn(async move { ledger.transfer(Request::new(key, order)).await })
    });
    let outcomes = futures::future::join_all(tries).await;
    let (mut held, mut repeated) = (0, 0);
    for outcome in outcomes {
        match outcome.unwrap() {
            Ok(recorded) if recorded.repeated => repeated += 1,
            Ok(_) => held += 1,
            Err(Error::Refused(Refusal::InsufficientFunds { .. })) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((held, repeated), (142, 142), "142 × 0.70 of 100.00");
    books.clean().await;
}

#[rstest]
#[tokio::test]
async fn a_repetition_says_what_has_become_of_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    let paid = books.pay("pay", ada, shop, 500).await.unwrap();
    assert!(paid.stands() && books.pay("pay", ada, shop, 500).await.unwrap().stands());
    let amounts = Amounts::Part(money(200));
    books.order("back", Order::Refund { transfer: paid.transfer.number, amounts }).await.unwrap();
    let again = books.pay("pay", ada, shop, 500).await.unwrap();
    assert_eq!((again.stands(), again.state), (false, State::Refunded { back: vec![200] }));
    let held = books.reserve("hold", ada, shop, 500, None).await.unwrap();
    assert_eq!(held.state, State::Open);
    let reservation = held.transfer.number;
    let by = books.order("void", Order::Void { reservation }).await.unwrap().transfer.number;
    let again = books.reserve("hold", ada, shop, 500, None).await.unwrap();
    assert_eq!((again.stands(), &again.state), (false, &State::Settled { by, kind: Kind::Void }));
    let found = books.ledger.recorded(&Key::new("test", "hold").unwrap()).await.unwrap().unwrap();
    assert_eq!((found.state, found.legs), (again.state, again.legs));
    let reservation = books.reserve("hold-2", ada, shop, 500, None).await.unwrap().transfer.number;
    let post = Order::Post { reservation, amounts: Amounts::Full };
    let transfer = books.order("post", post.clone()).await.unwrap().transfer.number;
    books.order("back-2", Order::Refund { transfer, amounts: Amounts::Full }).await.unwrap();
    let State::Refunded { back } = books.order("post", post).await.unwrap().state else { panic!("it went back") };
    assert_eq!(back, [500]);
}

#[rstest]
#[tokio::test]
async fn what_passed_through_an_account_goes_back_through_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [_, ada, shop] = books.usual().await;
    let escrow = books.account("escrow", "CNY", Side::Credit, true).await;
    let legs = vec![books::leg(ada, escrow, 700), books::leg(escrow, shop, 700)];
    let transfer = books.order("sale", Order::Move(legs)).await.unwrap().transfer.number;
    books.order("back", Order::Refund { transfer, amounts: Amounts::Full }).await.unwrap();
    assert_eq!(books.balances(&[ada, escrow, shop]).await, [10_000, 0, 0]);
    books.clean().await;
}
