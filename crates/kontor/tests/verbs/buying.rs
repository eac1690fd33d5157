//! `kontor demo merchants`, `purse`, `mandate`, `checkout` and `ledger`: buying as a person does, from the first coin to a receipt
//! that holds without a network.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::json;

use crate::hub::Hub;

/// The demo merchants; they close with the value.
struct Demo(Child);

impl Demo {
    fn open(hub: &Hub) -> Self {
        let mut command = hub.command(&["demo", "merchants", "--port", "0", "--register", "--json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            text.push_str(&line.unwrap());
            if text.ends_with('}') && serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                break;
            }
        }
        assert!(text.contains("tea-house"), "{text}");
        Self(child)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_person_buys_by_hand_and_the_receipt_holds_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start_with(folder, &["--no-starter"], &[("KONTOR_OUTBOUND_ALLOW", "127.0.0.1")]);
    let _demo = Demo::open(&hub);
    hub.json(&["purse", "top-up", "¥100"], 0);
    let found = hub.json(&["merchant", "search", "milk", "tea", "--most", "¥20"], 0);
    assert!(found["items"].as_array().unwrap().iter().any(|offer| offer["item"] == "classic-milk-tea"), "{found}");

    // Confirmed by hand.
    let quoted =
        hub.json(&["checkout", "new", "tea-house", "classic-milk-tea", "--coupon", "MILK3", "--most", "¥20"], 0);
    let checkout = quoted["id"].as_str().unwrap();
    assert_eq!(quoted["total"], json!({"currency": "CNY", "minor": 1600}));
    let paid = hub.json(&["checkout", "pay", checkout, "--yes"], 0);
    assert_eq!(paid["state"], "paid");
    assert_eq!(hub.json(&["purse", "show"], 0)["items"][0]["free"]["minor"], 8_400);

    // In advance, and one coin too many.
    let mandate = hub.json(&["mandate", "new", "--total", "¥18.99", "--merchant", "tea-house", "--yes"], 0);
    let second = hub.json(&["checkout", "new", "tea-house", "classic-milk-tea"], 0);
    let (second, mandate) = (second["id"].as_str().unwrap(), mandate["id"].as_str().unwrap());
    let refused = hub.command(&["checkout", "pay", second, "--mandate", mandate]).output().unwrap();
    assert!(crate::hub::said(&refused).contains("mandate_over_limit"), "{}", crate::hub::said(&refused));

    // Nobody decides over what is not undecided; how that ends is tried over HTTP.
    assert_eq!(hub.json(&["checkout", "undecided"], 0)["items"], json!([]));
    let decided = ["checkout", "decide", second, "--not-taken", "--reason", "they said so", "--yes"];
    let decided = crate::hub::said(&hub.command(&decided).output().unwrap());
    assert!(decided.contains("checkout_state"), "{decided}");
    let both = ["checkout", "decide", second, "--not-taken", "--taken", "o", "--reason", "x"];
    assert_eq!(hub.command(&both).output().unwrap().status.code(), Some(2));
    assert_eq!(hub.json(&["mandate", "revoke", mandate, "--yes"], 0)["state"], "revoked");

    // The receipt, with its place in the log, and what somebody makes of it.
    let file = hub.folder.path().join("order.json");
    let file = file.to_str().unwrap();
    hub.json(&["receipt", "order", checkout, "-o", file], 0);
    let checked = hub.json(&["receipt", "verify", file], 0);
    assert_eq!(checked["holds"], true, "{checked:#}");
    let told = hub.command(&["explain", file]).output().unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("confirmed this quote"), "{told:?}");
    let forged = std::fs::read_to_string(file).unwrap().replacen("\"payload\":\"", "\"payload\":\"A", 1);
    std::fs::write(file, forged).unwrap();
    assert_ne!(hub.command(&["receipt", "verify", file]).output().unwrap().status.code(), Some(0));

    assert_eq!(hub.json(&["checkout", "refund", checkout, "--yes"], 0)["state"], "refunded");
    let accounts = hub.json(&["ledger", "accounts"], 0);
    assert!(accounts["items"].as_array().unwrap().len() >= 6, "{accounts}");
    let data = hub.data.to_str().unwrap().to_owned();
    assert_eq!(hub.json(&["ledger", "check", "--data", &data], 0)["agrees"], true);
    let books = hub.command(&["ledger", "export", "--format", "hledger", "--data", &data]).output().unwrap();
    assert!(String::from_utf8_lossy(&books.stdout).contains("commodity 1000.00 CNY"), "{books:?}");
}
