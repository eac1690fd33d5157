//! Money over HTTP: what is bought once, what a key stands for, and who sees which account.

use axum::http::StatusCode;
use kontor_testkit::{ADMIN, NATIVE, On};
use rstest::rstest;
use serde_json::json;

use crate::bazaar::{Bazaar, yuan};

#[rstest]
#[tokio::test]
async fn what_is_paid_is_paid_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(bazaar) = Bazaar::open(on).await else { return };
    let mandate = bazaar.mandate("m").await;
    let checkout = bazaar.quoted("q").await;
    // Double spend with two keys.
    let (one, other) = tokio::join!(bazaar.pay("a", &checkout, &mandate), bazaar.pay("b", &checkout, &mandate));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.body, other.body);
    assert_eq!(bazaar.balance().await, 8_100);
    // 64 at once with one key.
    let checkout = bazaar.quoted("q2").await;
    let all = futures::future::join_all((0..64).map(|_| bazaar.pay("same", &checkout, &mandate))).await;
    for answer in &all {
        match answer.status {
            StatusCode::OK => assert_eq!(answer.json()["state"], "paid"),
            StatusCode::CONFLICT => assert!(!answer.header("retry-after").is_empty(), "{}", answer.body),
            other => assert_eq!(other, StatusCode::OK, "{}", answer.body),
        }
    }
    assert!(all.iter().any(|answer| answer.status == StatusCode::OK));
    let again = bazaar.pay("same", &checkout, &mandate).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::OK, "true"));
    assert_eq!(bazaar.balance().await, 6_200);
    // The same key with another body, and none at all.
    let other = bazaar.mandate("m2").await;
    let mismatch = bazaar.pay("same", &checkout, &other).await;
    assert_eq!(
        (mismatch.status, mismatch.json()["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("key_conflict"))
    );
    let path = format!("{NATIVE}/checkouts/{checkout}/complete");
    let keyless = bazaar.hub.call("POST", &path, Some(&bazaar.ada), &json!({ "mandate": mandate })).await;
    assert_eq!(keyless.status, StatusCode::BAD_REQUEST, "{}", keyless.body);
    let long = bazaar.pay(&"k".repeat(256), &checkout, &mandate).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
    assert_eq!(bazaar.tea.orders().len(), 2);
    // Refunds.
    let refunds = format!("/checkouts/{checkout}/refunds");
    let much = bazaar.write(&bazaar.ada, "r1", &refunds, &json!({"amount": yuan(1_901)})).await;
    assert_eq!((much.status, much.json()["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("amount_invalid")));
    let all = bazaar.write(&bazaar.ada, "r2", &refunds, &json!({})).await;
    assert_eq!(all.json()["state"], "refunded", "{}", all.body);
    assert_eq!(bazaar.balance().await, 8_100);
    let receipt = bazaar.hub.get(&format!("{NATIVE}/checkouts/{checkout}/receipt"), Some(&bazaar.ada)).await;
    assert!(kontor_commerce::OrderReceipt::is_one(receipt.body.as_bytes()), "{}", receipt.body);
}

#[rstest]
#[case::less_than_nothing("-1")]
#[case::nothing("0")]
#[case::a_fraction("1.5")]
#[case::an_exponent("1e3")]
#[case::not_a_number("NaN")]
#[case::text("\"100\"")]
#[case::more_than_is_counted("9223372036854775808")]
#[case::more_than_is_exact("9007199254740992")]
#[tokio::test]
async fn an_amount_that_is_none_changes_nothing(#[case] minor: &str, #[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(bazaar) = Bazaar::open(on).await else { return };
    let amount = format!(r#"{{"currency": "CNY", "minor": {minor}}}"#);
    let order = format!(
        r#"{{"merchant": "tea-house", "lines": [{{"item": "classic-milk-tea", "quantity": 1}}], "most": {amount}}}"#
    );
    let many =
        format!(r#"{{"merchant": "tea-house", "lines": [{{"item": "classic-milk-tea", "quantity": {minor}}}]}}"#);
    let top_up = format!(r#"{{"amount": {amount}}}"#);
    for (token, path, body) in
        [(ADMIN, "/purse/top-ups", top_up), (&bazaar.ada, "/checkouts", order), (&bazaar.ada, "/checkouts", many)]
    {
        let answer = bazaar.raw(token, "k", path, body).await;
        assert!(answer.status.is_client_error(), "{path}: {} {}", answer.status, answer.body);
    }
    assert_eq!(bazaar.balance().await, 10_000);
}

#[rstest]
#[tokio::test]
async fn accounts_are_seen_by_their_owners(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(bazaar) = Bazaar::open(on).await else { return };
    let (mandate, checkout) = (bazaar.mandate("m").await, bazaar.quoted("q").await);
    assert_eq!(bazaar.pay("p", &checkout, &mandate).await.status, StatusCode::OK);
    let eve = bazaar.hub.person("eve", &[]).await;
    let accounts = |token| {
        let hub = &bazaar.hub;
        async move {
            let page = hub.get(&format!("{NATIVE}/ledger/accounts?limit=200"), Some(token)).await.json();
            page["items"].as_array().unwrap().clone()
        }
    };
    let own = accounts(&bazaar.ada).await;
    assert_eq!(own.len(), 3, "purse, limits, and one mandate: {own:?}");
    assert!(own.iter().all(|account| account["owner"] == "ada"));
    assert!(accounts(&eve).await.is_empty());
    assert_eq!(accounts(ADMIN).await.len(), 6, "and the bank, the merchant, the platform");
    let purse = own.iter().find(|account| account["code"] == "purse").unwrap()["number"].as_i64().unwrap();
    let path = format!("{NATIVE}/ledger/accounts/{purse}/statement");
    let lines = bazaar.hub.get(&path, Some(&bazaar.ada)).await.json();
    let balances: Vec<_> =
        lines["items"].as_array().unwrap().iter().map(|line| line["balance"]["minor"].clone()).collect();
    assert_eq!(balances.first(), Some(&json!(8_100)), "{lines}");
    assert_eq!(bazaar.hub.get(&path, Some(&eve)).await.status, StatusCode::NOT_FOUND);
    // A token that is bound to a publisher spends nothing, and one without the scope neither.
    let reader = bazaar.hub.person("zoe", &["read"]).await;
    let order = json!({"merchant": "tea-house", "lines": [{"item": "jasmine-tea", "quantity": 1}]});
    assert_eq!(bazaar.write(&reader, "k", "/checkouts", &order).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        bazaar.write(&eve, "k", "/purse/top-ups", &json!({"amount": yuan(1)})).await.status,
        StatusCode::FORBIDDEN
    );
}
