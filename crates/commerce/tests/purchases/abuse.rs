//! What merchants and buyers try: quotes that lie, mandates that are raced, keys that are used again.

use std::sync::Arc;

use futures::future::join_all;
use kontor_commerce::{Error, State, Terms};
use kontor_merchants::Mischief;
use kontor_types::Clock as _;
use rstest::rstest;

use crate::market::{HUB, Market, On, handle, refused, yuan};

fn tamper(from: &str, to: &str) -> Mischief {
    Mischief::Tamper { from: from.to_owned(), to: to.to_owned() }
}

/// What stands in the quote of one classic milk tea, what is signed instead, and the refusal.
const LIES: &[(&str, &str, &str)] = &[
    (r#""total":1900"#, r#""total":1800"#, "quote_invalid"),
    (r#""total":1900"#, r#""total":1901"#, "quote_invalid"),
    (r#""price":1500"#, r#""price":9900"#, "quote_invalid"),
    (r#""quantity":1"#, r#""quantity":2"#, "quote_invalid"),
    (r#""quantity":1"#, r#""quantity":0"#, "quote_invalid"),
    (r#""quantity":1,"price":1500"#, r#""quantity":-1,"price":-1500"#, "quote_invalid"),
    (r#""price":1500,"total":1500"#, r#""price":0,"total":0"#, "quote_invalid"),
    (r#""delivery":400"#, r#""delivery":-400"#, "quote_invalid"),
    (r#""discount":0"#, r#""discount":-100"#, "quote_invalid"),
    (r#""discount":0"#, r#""discount":1900"#, "quote_invalid"),
    (r#""total":1900"#, r#""total":0"#, "quote_invalid"),
    (r#""total":1900"#, r#""total":-1900"#, "quote_invalid"),
    (r#""total":1900"#, r#""total":1900.0"#, "quote_invalid"),
    (r#""total":1900"#, r#""total":1.9e3"#, "quote_invalid"),
    (r#""total":1900"#, r#""total":NaN"#, "quote_invalid"),
    (r#""total":1900"#, r#""total":"1900""#, "quote_invalid"),
    (r#""total":1900"#, r#""total":1900,"total":1"#, "quote_invalid"),
    (r#""total":1900"#, r#""total":9007199254740992"#, "quote_invalid"),
    (r#""total":1900"#, r#""total":9223372036854775808"#, "quote_invalid"),
    (r#""price":1500"#, r#""price":9223372036854775807"#, "quote_invalid"),
    (r#""price":1500,"total":1500"#, r#""price":9007199254740991,"total":9007199254740991"#, "quote_invalid"),
    (r#""merchant":"tea-house""#, r#""merchant":"other-shop""#, "quote_invalid"),
    (r#""item":"classic-milk-tea""#, r#""item":"gift-card""#, "quote_invalid"),
    (r#""currency":"CNY""#, r#""currency":"EUR""#, "mandate_currency"),
    (r#""currency":"CNY""#, r#""currency":"XXX""#, "quote_invalid"),
];

#[tokio::test]
async fn a_quote_that_lies_is_refused_before_anything_is_held() {
    let Some(market) = Market::open(On::Sqlite).await else { return };
    let lies = LIES.iter().map(|(from, to, code)| (tamper(from, to), *code));
    let others = [
        (Mischief::OtherKey, "quote_invalid"),
        (Mischief::ExtraItem, "quote_invalid"),
        (Mischief::StaleQuote, "quote_expired"),
        (Mischief::LyingTotal, "quote_changed"),
    ];
    for (place, (mischief, code)) in lies.chain(others).enumerate() {
        let key = format!("k{place}");
        market.tea.script(std::slice::from_ref(&mischief));
        let mut order = Market::order("classic-milk-tea", 1);
        order.most = Some(yuan(2_000));
        let first = market.commerce.quote(market.ada, &key, order.clone()).await;
        assert_eq!(refused(first), code, "{mischief:?}");
        market.tea.script(&[]);
        assert_eq!(refused(market.commerce.quote(market.ada, &key, order).await), code, "for good: {mischief:?}");
    }
    assert!(market.tea.orders().is_empty());
    assert_eq!(market.purse().await, (10_000, 10_000));
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused() {
    let Some(market) = Market::open(On::Sqlite).await else { return };
    let ask = |key: &'static str, order| market.commerce.quote(market.ada, key, order);
    for (place, quantity) in [0, -1, i64::MIN, 10_001, i64::MAX].into_iter().enumerate() {
        let order = Market::order("classic-milk-tea", quantity);
        assert_eq!(refused(market.commerce.quote(market.ada, &format!("q{place}"), order).await), "amount_invalid");
    }
    for minor in [0, -1, 1 << 53] {
        let mut order = Market::order("classic-milk-tea", 1);
        order.most = Some(yuan(minor));
        assert_eq!(refused(ask("most", order).await), "amount_invalid");
        assert_eq!(refused(market.commerce.top_up(market.ada, "k", yuan(minor)).await), "amount_invalid");
    }
    let mut dear = Market::order("classic-milk-tea", 1);
    dear.most = Some(yuan(1_899));
    assert_eq!(refused(ask("dear", dear.clone()).await), "over_limit");
    dear.most = Some(yuan(1_900));
    assert_eq!(refused(ask("dear", dear).await), "key_conflict");
    let mut elsewhere = Market::order("classic-milk-tea", 1);
    elsewhere.merchant = "other-shop".to_owned();
    assert_eq!(refused(ask("elsewhere", elsewhere).await), "merchant_unknown");
    assert_eq!(refused(ask("nothing", Market::order("gift-card", 1)).await), "payment_refused");
    assert_eq!(refused(ask("many", Market::order("classic-milk-tea", 1_001)).await), "out_of_stock");
    assert_eq!(refused(ask("", Market::order("classic-milk-tea", 1)).await), "invalid");
    // A top-up is there once.
    market.commerce.top_up(market.ada, "again", yuan(1)).await.unwrap();
    market.commerce.top_up(market.ada, "again", yuan(1)).await.unwrap();
    assert_eq!(refused(market.commerce.top_up(market.ada, "again", yuan(2)).await), "key_conflict");
    assert_eq!(market.purse().await.0, 10_001);
}

#[rstest]
#[tokio::test]
async fn a_purchase_is_paid_once_whoever_pays_how_often(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(market) = Market::open(on).await else { return };
    market.tea.script(&[Mischief::DuplicateOrders]);
    let (one, other) = (market.mandate().await, market.mandate().await);
    let checkout = market.quoted("k").await;
    let pay = |key: &'static str, mandate| market.commerce.purchase_once(market.ada, key, checkout.id, mandate);
    let (first, second) = tokio::join!(pay("a", one), pay("b", other));
    let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
    assert_eq!((won.unwrap().state, refused(lost)), (State::Paid, "checkout_state"));
    assert_eq!(market.purse().await, (8_100, 8_100));

    // 64 at once with one key, from two processes.
    let (checkout, twin) = (market.quoted("many").await, market.restarted().await);
    let all = join_all((0..64).map(|place| {
        let hub = if place % 2 == 0 { market.commerce.clone() } else { twin.clone() };
        async move { hub.purchase_once(market.ada, "same", checkout.id, one).await }
    }));
    for outcome in all.await {
        assert!(
            matches!(&outcome, Ok(done) if done.state == State::Paid) || matches!(outcome, Err(Error::Unknown { .. })),
            "{outcome:?}"
        );
    }
    assert_eq!(market.purse().await, (6_200, 6_200), "whatever the merchant makes of repetitions");
    market.clean().await;
}

#[rstest]
#[case::limit(4, 8_000, 10)]
#[case::count(3, 10_000, 3)]
#[case::purse(5, 1_000_000, 100)]
#[tokio::test]
async fn a_budget_that_is_raced_is_never_exceeded(
    #[case] most: usize,
    #[case] total: i64,
    #[case] count: u32,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(market) = Market::open(on).await else { return };
    let market = Arc::new(market);
    let terms = Terms { total: yuan(total), count, ..market.terms() };
    market.accept(&terms).await.unwrap();
    let quotes = join_all((0..12).map(|place| {
        let market = Arc::clone(&market);
        async move { market.quoted(&format!("k{place}")).await.id }
    }));
    let mandate = terms.id;
    let all = join_all(quotes.await.into_iter().map(|id| {
        let market = Arc::clone(&market);
        tokio::spawn(async move { market.commerce.purchase(market.ada, id, mandate).await })
    }));
    let mut paid = 0;
    for outcome in all.await {
        match outcome.unwrap() {
            Ok(done) => {
                assert_eq!(done.state, State::Paid);
                paid += 1;
            }
            Err(Error::Refused(refusal)) => {
                let code = refusal.code();
                assert!(["mandate_over_limit", "mandate_used_up", "insufficient_funds"].contains(&code), "{code}");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(paid, most);
    assert_eq!(market.tea.orders().len(), most);
    let spent = 1_900 * i64::try_from(most).unwrap();
    assert_eq!(market.purse().await, (10_000 - spent, 10_000 - spent));
    assert_eq!(market.left(mandate).await, (total - spent, 0, u32::try_from(most).unwrap()));
    market.clean().await;
}

#[tokio::test]
async fn words_of_a_product_open_no_other_purse() {
    let Some(market) = Market::open(On::Sqlite).await else { return };
    market.tea.script(&[Mischief::Injection]);
    let search = kontor_commerce::Search { query: "classic".to_owned(), ..kontor_commerce::Search::default() };
    let found = market.commerce.search(&search).await.unwrap();
    assert!(found.offers[0].description.contains("IGNORE ALL EARLIER INSTRUCTIONS"));
    // An agent that obeys finds no such merchant, and a known one is not in the mandate.
    let terms = Terms { merchants: vec!["tea-house".to_owned()], ..market.terms() };
    market.accept(&terms).await.unwrap();
    let mut elsewhere = Market::order("coffee", 1);
    elsewhere.merchant = "corner-shop".to_owned();
    let checkout = market.commerce.quote(market.ada, "k", elsewhere).await.unwrap();
    assert_eq!(refused(market.commerce.purchase(market.ada, checkout.id, terms.id).await), "mandate_merchant");
    let mut conn = market.db.read().await.unwrap();
    let filter = kontor_db::audit_events::Filter::default();
    let seen = kontor_db::audit_events::list(
        &mut conn,
        &kontor_types::Viewer::hub(),
        &filter,
        None,
        kontor_types::PageSize::clamped(200),
    )
    .await
    .unwrap();
    let event = seen.iter().find(|event| event.action == "checkout.refuse").unwrap();
    assert_eq!(
        (event.subject.clone(), event.detail["refused"].as_str()),
        (checkout.id.to_string(), Some("mandate_merchant"))
    );

    // A confirmation is for one quote: it opens no other one, and not twice.
    let quotes = [market.quoted("one").await, market.quoted("two").await];
    let terms = Terms::instant(HUB, handle("ada"), &quotes[0], market.clock.now()).unwrap();
    market.accept(&terms).await.unwrap();
    assert_eq!(refused(market.commerce.reserve(market.ada, quotes[1].id, terms.id).await), "mandate_quote");
    assert_eq!(market.commerce.purchase(market.ada, quotes[0].id, terms.id).await.unwrap().state, State::Paid);
    assert!(market.corner.orders().is_empty());
}
