//! How purchases end: paid, refused, refunded, and after every way in which an answer or a hub is lost.

use std::time::Duration;

use kontor_commerce::{Error, Search, State, Terms};
use kontor_db::runs::RunState;
use kontor_merchants::Mischief;
use kontor_types::Clock as _;
use rstest::rstest;

use crate::market::{HUB, Market, On, handle, refused, yuan};

#[rstest]
#[tokio::test]
async fn a_confirmed_quote_is_paid_once_in_its_parts_and_refunded_leg_by_leg(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(market) = Market::open(on).await else { return };
    let commerce = &market.commerce;
    let found = commerce
        .search(&Search { query: "奶茶".to_owned(), most: Some(yuan(2_000)), ..Search::default() })
        .await
        .unwrap();
    let items: Vec<&str> = found.offers.iter().map(|offer| offer.item.as_str()).collect();
    assert_eq!(items, ["milk-tea-bottle", "classic-milk-tea", "oolong-milk-tea"]);
    let tea = &found.offers[1];
    assert_eq!((tea.merchant.as_str(), tea.price, tea.delivery), ("tea-house", yuan(1_500), yuan(400)));
    assert_eq!(tea.coupons[0].minus, Some(yuan(300)));

    let mut order = Market::order("classic-milk-tea", 1);
    order.coupon = Some("MILK3".to_owned());
    order.runs = vec![market.ran(market.ada, RunState::Finished).await];
    let checkout = commerce.quote(market.ada, "k", order.clone()).await.unwrap();
    assert_eq!((checkout.state, checkout.total), (State::Quoted, Some(yuan(1_600))));
    assert_eq!(commerce.quote(market.ada, "k", order).await.unwrap(), checkout, "the same key is the same checkout");
    assert_eq!(market.purse().await, (10_000, 10_000), "a quote holds nothing");

    let terms = Terms::instant(HUB, handle("ada"), &checkout, market.clock.now()).unwrap();
    let mandate = market.accept(&terms).await.unwrap();
    let reserved = commerce.reserve(market.ada, checkout.id, mandate.terms.id).await.unwrap();
    assert_eq!(reserved.state, State::Reserved);
    assert_eq!((market.purse().await, market.left(terms.id).await), ((10_000, 8_400), (0, 1_600, 1)));
    let paid = commerce.complete(market.ada, checkout.id).await.unwrap();
    assert_eq!(paid.state, State::Paid);
    assert_eq!(paid.order.as_deref(), Some(market.tea.orders()[0].id.as_str()));
    for again in [
        commerce.complete(market.ada, checkout.id).await.unwrap(),
        commerce.purchase(market.ada, checkout.id, terms.id).await.unwrap(),
    ] {
        assert_eq!(again, paid);
    }
    assert_eq!(market.tea.orders().len(), 1);
    assert_eq!(market.purse().await, (8_400, 8_400));
    // 15 % of 16.00 for the platform, 5 % for the author, and the rest for the merchant.
    let parts = [("merchant", "tea-house", 1_280), ("hub", "platform", 240), ("publisher", "acme", 80)];
    for (kind, owner, part) in parts {
        assert_eq!(market.balance(kind, owner).await, part, "{kind}");
    }

    assert_eq!(refused(commerce.refund(market.ada, "r0", checkout.id, Some(yuan(1_601))).await), "amount_invalid");
    assert_eq!(refused(commerce.refund(market.ada, "r0", checkout.id, Some(yuan(0))).await), "amount_invalid");
    let part = commerce.refund(market.ada, "r1", checkout.id, Some(yuan(100))).await.unwrap();
    assert_eq!(part.state, State::Paid);
    assert_eq!(commerce.refund(market.ada, "r1", checkout.id, Some(yuan(100))).await.unwrap().state, State::Paid);
    assert_eq!(refused(commerce.refund(market.ada, "r1", checkout.id, Some(yuan(101))).await), "key_conflict");
    let (left, right) = tokio::join!(
        commerce.refund(market.ada, "r2", checkout.id, Some(yuan(1_000))),
        commerce.refund(market.ada, "r3", checkout.id, Some(yuan(1_000))),
    );
    assert_eq!(i32::from(left.is_ok()) + i32::from(right.is_ok()), 1, "both together are more than was paid");
    assert_eq!(market.purse().await, (9_500, 9_500));
    let all = commerce.refund(market.ada, "r4", checkout.id, None).await.unwrap();
    assert_eq!(all.state, State::Refunded);
    assert_eq!(refused(commerce.refund(market.ada, "r5", checkout.id, None).await), "amount_invalid");
    assert_eq!(commerce.complete(market.ada, checkout.id).await.unwrap(), all, "no second run after a refund");
    assert_eq!(market.purse().await, (10_000, 10_000));
    for (kind, owner, _) in parts {
        assert_eq!(market.balance(kind, owner).await, 0, "{kind}");
    }
    market.clean().await;
}

#[rstest]
#[tokio::test]
async fn an_answer_that_is_lost_or_late_is_asked_for_again_and_charged_once(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(market) = Market::open(on).await else { return };
    let mandate = market.mandate().await;
    for (place, mischief) in
        [Mischief::LoseAnswers(1), Mischief::Dawdle(1), Mischief::DuplicateOrders].into_iter().enumerate()
    {
        let late = matches!(mischief, Mischief::Dawdle(_));
        market.tea.script(&[mischief]);
        let checkout = market.quoted(&format!("k{place}")).await;
        let first = market.commerce.purchase(market.ada, checkout.id, mandate).await;
        if late {
            assert!(matches!(first, Err(Error::Unknown { .. })), "{first:?}");
            assert_eq!(market.state(checkout.id).await, "reserved");
            let (balance, free) = market.purse().await;
            assert_eq!(balance - free, 1_900, "what may have been bought stays held");
            assert_eq!(market.restarted().await.complete(market.ada, checkout.id).await.unwrap().state, State::Paid);
        } else {
            assert_eq!(first.unwrap().state, State::Paid);
        }
        let (balance, free) = market.purse().await;
        assert_eq!((balance, free), (10_000 - 1_900 * (i64::try_from(place).unwrap() + 1), balance));
    }
    assert_eq!(market.left(mandate).await, (2_300, 0, 3));
    market.clean().await;
}

#[rstest]
#[tokio::test]
async fn a_hub_that_dies_between_two_steps_takes_up_what_is_held(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(market) = Market::open(on).await else { return };
    let mandate = market.mandate().await;
    let held = market.quoted("held").await;
    market.commerce.reserve(market.ada, held.id, mandate).await.unwrap();
    // Taken by the merchant, and the hub never heard.
    market.tea.script(&[Mischief::Dawdle(1)]);
    let asked = market.quoted("asked").await;
    market.commerce.reserve(market.ada, asked.id, mandate).await.unwrap();
    assert!(market.commerce.complete(market.ada, asked.id).await.is_err());
    let quoted = market.quoted("quoted").await;
    let hub = market.restarted().await;
    assert_eq!(hub.resume().await.unwrap(), 0, "somebody may be at it");
    market.clock.advance(Duration::from_mins(1));
    assert_eq!(hub.resume().await.unwrap(), 2);
    for (id, state) in [(held.id, "paid"), (asked.id, "paid"), (quoted.id, "quoted")] {
        assert_eq!(market.state(id).await, state);
    }
    assert_eq!(market.tea.orders().len(), 2);
    assert_eq!(market.purse().await, (6_200, 6_200));
    market.clean().await;
}

#[rstest]
#[case::price_raised_after_the_quote(Mischief::RaisePrice, "quote_changed")]
#[case::price_changed(Mischief::QuoteChanged, "quote_changed")]
#[case::sold_out(Mischief::SoldOut, "out_of_stock")]
#[tokio::test]
async fn what_the_merchant_does_not_take_as_quoted_costs_nothing(
    #[case] mischief: Mischief,
    #[case] code: &str,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(market) = Market::open(on).await else { return };
    let mandate = market.mandate().await;
    let checkout = market.quoted("k").await;
    market.tea.script(&[mischief]);
    let ended = market.commerce.purchase(market.ada, checkout.id, mandate).await.unwrap();
    assert_eq!(ended.state, State::Refused);
    assert_eq!(ended.refusal.unwrap().code, code);
    assert_eq!((market.purse().await, market.left(mandate).await), ((10_000, 10_000), (8_000, 0, 0)));
    assert_eq!(refused(market.commerce.reserve(market.ada, checkout.id, mandate).await), code, "for good");
    market.clean().await;
}

#[rstest]
#[tokio::test]
async fn a_new_price_holds_for_new_quotes_only(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(market) = Market::open(on).await else { return };
    let mandate = market.mandate().await;
    let (old, late) = (market.quoted("old").await, market.quoted("late").await);
    market.tea.reprice("classic-milk-tea", 1_700);
    assert_eq!(market.commerce.purchase(market.ada, old.id, mandate).await.unwrap().total, Some(yuan(1_900)));
    market.clock.advance(Duration::from_mins(16));
    assert_eq!(refused(market.commerce.reserve(market.ada, late.id, mandate).await), "quote_expired");
    let new = market.commerce.requote(market.ada, late.id).await.unwrap();
    assert_eq!((new.id, new.total), (late.id, Some(yuan(2_100))));
    assert_ne!(new.quote_digest, late.quote_digest);
    let cancelled = market.commerce.cancel(market.ada, late.id).await.unwrap();
    assert_eq!(cancelled.state, State::Cancelled);
    assert_eq!(refused(market.commerce.reserve(market.ada, late.id, mandate).await), "checkout_state");
    assert_eq!(refused(market.commerce.cancel(market.ada, old.id).await), "checkout_state");
    assert_eq!(market.purse().await, (8_100, 8_100));
}
