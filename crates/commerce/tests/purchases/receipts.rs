//! Receipts of orders: what they tie together holds, and nothing of it can be exchanged.

use kontor_commerce::{Choice, Evidence, OrderReceipt, State, Terms, Tied, TiedRun, sentences, verify};
use kontor_crypto::{Envelope, Purpose, SigningKey};
use kontor_db::runs::RunState;
use kontor_types::{Check, Clock as _, Digest, Outcome, RunId};
use rstest::rstest;

use crate::market::{HUB, Market, On, START, handle, refused, yuan};

/// The check that fails, and what somebody changes.
type Change = (&'static str, fn(&mut OrderReceipt));

fn tied() -> Tied {
    Tied {
        request: "order me a milk tea under ¥20 to the office".to_owned(),
        choices: vec![Choice {
            what: "offer".to_owned(),
            chosen: "classic-milk-tea".to_owned(),
            refused: vec!["taro-milk-tea: over ¥20".to_owned()],
            reason: "it costs least with delivery".to_owned(),
        }],
        runs: vec![TiedRun {
            run: RunId::new(START),
            skill: "@kontor/shopping-advisor@1.0.0".to_owned(),
            digest: Digest::of(b"skill"),
            receipt: Digest::of(b"run receipt"),
        }],
        tokens: Vec::new(),
        workflow: Some("errand-1".to_owned()),
    }
}

#[rstest]
#[tokio::test]
async fn a_receipt_ties_an_order_together_and_holds_offline(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(market) = Market::open(on).await else { return };
    let mut order = Market::order("classic-milk-tea", 1);
    order.runs = vec![market.ran(market.ada, RunState::Finished).await];
    let checkout = market.commerce.quote(market.ada, "k", order).await.unwrap();
    assert_eq!(refused(market.commerce.write_receipt(market.ada, checkout.id, tied()).await), "checkout_state");
    let terms = Terms::instant(HUB, handle("ada"), &checkout, market.clock.now()).unwrap();
    market.accept(&terms).await.unwrap();
    let paid = market.commerce.purchase(market.ada, checkout.id, terms.id).await.unwrap();
    assert_eq!(paid.state, State::Paid);
    let envelope = market.commerce.write_receipt(market.ada, checkout.id, tied()).await.unwrap();
    let again = market.commerce.write_receipt(market.ada, checkout.id, Tied::default()).await.unwrap();
    assert_eq!(again, envelope, "the first stays");
    let kept = market.commerce.receipt(market.ada, checkout.id).await.unwrap().unwrap();
    assert_eq!(kept, envelope.to_json());
    assert_eq!(refused(market.commerce.receipt(market.bob, checkout.id).await), "checkout_unknown");

    let (receipt, envelope) = OrderReceipt::read(&kept).unwrap();
    let evidence = Evidence {
        keys: vec![market.receipts],
        own: vec![market.key.verifying_key()],
        merchant: None,
        files: vec![("run.json".to_owned(), Digest::of(b"run receipt"))],
    };
    let checks = verify(&receipt, &envelope, &evidence);
    assert!(checks.iter().all(|check| check.outcome == Outcome::Passed), "{checks:#?}");
    assert!(Check::all_hold(&checks));
    let told = sentences(&receipt).join("\n");
    for words in [
        "milk tea under ¥20",
        "it costs least",
        "confirmed this quote",
        "19.00 CNY were paid",
        "Of it 15.20 CNY went to merchant/tea-house/sales",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }

    // What somebody changes and signs with the hub's own key does not hold either: each part is held against the others.
    let forger = SigningKey::from_secret(Purpose::Receipt, &[7; 32]);
    let changes: &[Change] = &[
        ("quote", |receipt| receipt.total = yuan(1_800)),
        ("quote", |receipt| receipt.quote_digest = Digest::of(b"other")),
        ("quote", |receipt| receipt.quote = receipt.quote.replace('A', "B")),
        ("mandate", |receipt| receipt.buyer = handle("bob")),
        ("mandate", |receipt| {
            receipt.mandate.key = SigningKey::from_secret(Purpose::Mandate, &[9; 32]).verifying_key();
        }),
        ("allowed", |receipt| receipt.merchant = "corner-shop".to_owned()),
        ("allowed", |receipt| {
            receipt.postings[0].at = receipt.postings[0].at.after(std::time::Duration::from_hours(1));
        }),
        ("postings", |receipt| receipt.postings[1].legs[0].amount = yuan(1)),
        ("postings", |receipt| receipt.postings[1].legs[0].to = "merchant/other/sales".to_owned()),
        ("postings", |receipt| receipt.shares[0].basis_points += 1),
        ("run", |receipt| receipt.tied.runs[0].receipt = Digest::of(b"other run")),
    ];
    for (name, change) in changes {
        let mut forged = receipt.clone();
        change(&mut forged);
        let predicate = serde_json::to_value(&forged).unwrap();
        let subject =
            kontor_crypto::Subject::new(format!("order {} at {}", forged.order, forged.merchant), &forged.quote_digest);
        let statement = kontor_crypto::Statement::new(vec![subject], kontor_commerce::ORDER_TYPE, predicate);
        let (forged, envelope) = OrderReceipt::read(&statement.sign(&[&forger]).to_json()).unwrap();
        let checks = verify(&forged, &envelope, &evidence);
        let failed: Vec<&str> =
            checks.iter().filter(|check| check.outcome == Outcome::Failed).map(|check| check.name).collect();
        assert!(failed.contains(name), "{name}: {checks:#?}");
    }
    let stranger = Evidence {
        keys: vec![SigningKey::from_secret(Purpose::Receipt, &[8; 32]).verifying_key()],
        ..Evidence::default()
    };
    assert!(!Check::all_hold(&verify(&receipt, &envelope, &stranger)));
    assert!(!Check::all_hold(&verify(&receipt, &envelope, &Evidence::default())), "nobody vouches");
    let unsigned = Envelope { signatures: Vec::new(), ..envelope };
    assert!(!Check::all_hold(&verify(&receipt, &unsigned, &evidence)));
}
