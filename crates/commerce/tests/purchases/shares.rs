//! Who shares in a sale: the publishers of the skills that the buyer's own runs ran, and nobody whom somebody names.

use kontor_commerce::{OrderReceipt, Share, Terms};
use kontor_db::runs::RunState;
use kontor_db::{members, publishers};
use kontor_types::{Clock as _, Digest, Role, RunId};
use rstest::rstest;
use serde_json::json;

use crate::market::{HUB, Market, On, START, handle, refused};

/// The parts in basis points, by who gets them.
fn parts(shares: &[Share]) -> Vec<(&str, u32)> {
    shares.iter().map(|share| (share.owner.as_str(), share.basis_points)).collect()
}

#[rstest]
#[tokio::test]
async fn a_run_of_the_buyers_names_the_author_and_the_receipt_names_the_run(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(market) = Market::open(on).await else { return };
    let (commerce, run) = (&market.commerce, market.ran(market.ada, RunState::Finished).await);
    let mut order = Market::order("classic-milk-tea", 1);
    order.runs = vec![run, market.ran(market.ada, RunState::Finished).await];
    let checkout = commerce.quote(market.ada, "k", order).await.unwrap();
    let told = [("tea-house", 8_000), ("platform", 1_500), ("acme", 500)];
    assert_eq!(parts(&checkout.shares), told, "two runs of one publisher's skills are one share");
    let terms = Terms::instant(HUB, handle("ada"), &checkout, market.clock.now()).unwrap();
    market.accept(&terms).await.unwrap();
    commerce.purchase_once(market.ada, "s", checkout.id, terms.id).await.unwrap();
    let kept = commerce.receipt(market.ada, checkout.id).await.unwrap().unwrap();
    let (receipt, _) = OrderReceipt::read(&kept).unwrap();
    let tied = receipt.tied.runs.iter().find(|tied| tied.run == run).unwrap();
    assert_eq!((tied.skill.as_str(), tied.digest), ("@acme/advisor@1.0.0", Digest::of(b"advisor")));
    assert_eq!(tied.receipt, Digest::of(b"signed"));
}

#[rstest]
#[tokio::test]
async fn without_a_run_and_for_the_buyers_own_skills_nobody_else_shares(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(market) = Market::open(on).await else { return };
    let run = market.ran(market.ada, RunState::Finished).await;
    let none = [("tea-house", 8_500), ("platform", 1_500)];
    assert_eq!(parts(&market.quoted("none").await.shares), none);
    let ada = market.ada;
    market
        .db
        .write(move |tx| {
            Box::pin(async move {
                let acme = publishers::by_handle(tx, &handle("acme")).await?.unwrap().id;
                members::put(tx, acme, ada, Role::Member, START).await
            })
        })
        .await
        .unwrap();
    let mut order = Market::order("classic-milk-tea", 1);
    order.runs = vec![run];
    let checkout = market.commerce.quote(market.ada, "own", order).await.unwrap();
    assert_eq!(parts(&checkout.shares), none, "whoever buys with a skill of their own gets nothing back");
}

#[rstest]
#[tokio::test]
async fn a_run_that_is_not_the_buyers_or_did_not_end_well_is_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(market) = Market::open(on).await else { return };
    let good = market.ran(market.ada, RunState::Finished).await;
    let bad = [
        ("somebody else's", market.ran(market.bob, RunState::Finished).await),
        ("one that failed", market.ran(market.ada, RunState::Failed).await),
        ("one that is not there", RunId::new(START)),
    ];
    for (what, run) in bad {
        let mut order = Market::order("classic-milk-tea", 1);
        order.runs = vec![good, run];
        assert_eq!(refused(market.commerce.quote(market.ada, what, order).await), "run_unknown", "{what}");
        assert!(market.commerce.find_by_key(market.ada, what).await.unwrap().is_none(), "{what}: nothing is kept");
    }
    let mut order = Market::order("classic-milk-tea", 1);
    order.runs = vec![good; 17];
    assert_eq!(refused(market.commerce.quote(market.ada, "many", order).await), "invalid");
}

#[test]
fn a_checkout_of_an_older_hub_that_names_authors_can_be_read() {
    let old = json!({"merchant": "shop", "lines": [], "coupon": null, "deliver_to": "", "authors": ["acme"]});
    let read: kontor_commerce::NewCheckout = serde_json::from_value(old).unwrap();
    assert!(read.runs.is_empty(), "and nobody follows from it");
}
