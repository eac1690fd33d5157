//! Checkouts: each step goes on only from the one before it.

use kontor_db::checkouts::{self, CheckoutState, NewCheckout, Quoted};
use kontor_db::{Db, merchants};
use kontor_types::{CheckoutId, Digest, MandateId, PersonId};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{BANK, NOW, PURSE, ada, enter, later, leg, mandate, open, tea_house, transfer, usual};
use crate::support::{On, TestDb};

/// Changes within a unit of its own.
macro_rules! write {
    ($db:expr, |$tx:ident| $what:expr) => {
        $db.write(move |$tx| Box::pin(async move { $what.await })).await.unwrap()
    };
}

/// A database in which Ada can buy, with the transfers 1 and 2 to point to.
async fn market(on: On) -> Option<(TestDb, PersonId, MandateId)> {
    let test = on.open().await?;
    open(&test.db, &usual()).await.unwrap();
    let legs = [leg(1, 1, (BANK, PURSE), 70, (0, 0)), leg(2, 2, (BANK, PURSE), 30, (1, 1))];
    enter(&test.db, &[transfer(1, 1, 1), transfer(2, 2, 1)], &legs).await.unwrap();
    write!(test.db, |tx| merchants::put(tx, &tea_house()));
    let person = ada(&test.db).await;
    let mandate = mandate(&test.db, person).await;
    Some((test, person, mandate.id))
}

fn wanted(person: PersonId, key: &str) -> NewCheckout {
    NewCheckout {
        id: CheckoutId::new(NOW),
        person_id: person,
        key: key.to_owned(),
        request: Digest::of(key.as_bytes()),
        merchant: "tea-house".to_owned(),
        wanted: json!({"lines": [{"item": "milk-tea", "quantity": 1}]}),
        now: NOW,
    }
}

fn quote(text: &str) -> Quoted {
    Quoted {
        session: format!("session of {text}"),
        quote: text.to_owned(),
        digest: Digest::of(text.as_bytes()),
        key: "key of the tea house".to_owned(),
        shares: json!([["merchant", 8_000]]),
    }
}

async fn state(db: &Db, id: CheckoutId) -> CheckoutState {
    checkouts::find(&mut db.read().await.unwrap(), id).await.unwrap().unwrap().state
}

#[rstest]
#[tokio::test]
async fn a_checkout_goes_from_its_quote_to_the_refund(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some((test, person, mandate)) = market(on).await else { return };
    let db = &test.db;
    let (new, id) = (wanted(person, "tea"), CheckoutId::new(NOW));
    let new = NewCheckout { id, ..new };
    write!(db, |tx| checkouts::insert(tx, &new));
    assert!(!write!(db, |tx| checkouts::paid(tx, id, 2, "order", later(1))), "nothing is held");
    assert!(write!(db, |tx| checkouts::quoted(tx, id, 1, &quote("first"), later(1))));
    assert!(!write!(db, |tx| checkouts::quoted(tx, id, 1, &quote("other"), later(1))), "it has one");
    assert!(write!(db, |tx| checkouts::reopen(tx, id, 1, later(2))));
    assert!(!write!(db, |tx| checkouts::quoted(tx, id, 1, &quote("late"), later(2))), "of the attempt before");
    assert!(write!(db, |tx| checkouts::quoted(tx, id, 2, &quote("second"), later(3))));

    let held = (mandate, Some("spend".to_owned()), 1);
    let (first, second) = (quote("first").digest, quote("second").digest);
    let other = held.clone();
    assert!(!write!(db, |tx| checkouts::reserved(tx, id, first, other, later(4))), "not this quote any longer");
    assert!(write!(db, |tx| checkouts::reserved(tx, id, second, held, later(4))));
    assert!(!write!(db, |tx| checkouts::cancelled(tx, id, later(4))), "money is held");
    let mut conn = db.read().await.unwrap();
    let holding = checkouts::holding(&mut conn, mandate).await.unwrap();
    assert_eq!(holding.iter().map(|one| one.id).collect::<Vec<_>>(), [id]);
    assert!(checkouts::waiting(&mut conn, later(4), 5).await.unwrap().is_empty());
    assert_eq!(checkouts::waiting(&mut conn, later(5), 5).await.unwrap(), holding);
    drop(conn);

    assert!(write!(db, |tx| checkouts::asked(tx, id, later(5))));
    assert!(write!(db, |tx| checkouts::asked(tx, id, later(6))));
    assert!(write!(db, |tx| checkouts::paid(tx, id, 2, "order-1", later(7))));
    assert!(!write!(db, |tx| checkouts::paid(tx, id, 2, "order-1", later(7))), "once");
    assert!(write!(db, |tx| checkouts::set_receipt(tx, id, b"receipt")));
    assert!(!write!(db, |tx| checkouts::set_receipt(tx, id, b"another")), "the first one stays");
    let paid = checkouts::find(&mut db.read().await.unwrap(), id).await.unwrap().unwrap();
    assert_eq!((paid.asked_at, paid.order_id.as_deref(), paid.attempt), (Some(later(5)), Some("order-1"), 2));
    assert_eq!((paid.receipt.as_deref(), paid.changed_at), (Some(&b"receipt"[..]), later(7)));
    assert!(write!(db, |tx| checkouts::refunded(tx, id, later(8))));
    assert!(!write!(db, |tx| checkouts::refunded(tx, id, later(8))));
    assert_eq!(state(db, id).await, CheckoutState::Refunded);
}

#[rstest]
#[tokio::test]
async fn a_key_is_used_once_by_a_person_and_a_quote_is_paid_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some((test, person, mandate)) = market(on).await else { return };
    let db = &test.db;
    let (tea, cake) = (wanted(person, "tea"), wanted(person, "cake"));
    for new in [tea.clone(), cake.clone()] {
        write!(db, |tx| checkouts::insert(tx, &new));
    }
    let same = NewCheckout { id: CheckoutId::new(NOW), ..tea.clone() };
    let error = db.write(move |tx| Box::pin(async move { checkouts::insert(tx, &same).await })).await.unwrap_err();
    assert!(error.is_duplicate(), "{error:?}");
    let mut conn = db.read().await.unwrap();
    let found = checkouts::by_key(&mut conn, person, "tea").await.unwrap();
    assert_eq!(found.map(|one| one.id), Some(tea.id));
    assert_eq!(checkouts::of(&mut conn, person, 1).await.unwrap().len(), 1);
    assert_eq!(checkouts::of(&mut conn, person, 9).await.unwrap().len(), 2);
    drop(conn);

    let digest = quote("one").digest;
    for id in [tea.id, cake.id] {
        assert!(write!(db, |tx| checkouts::quoted(tx, id, 1, &quote("one"), later(1))));
    }
    let (id, held) = (tea.id, (mandate, None, 1));
    assert!(write!(db, |tx| checkouts::reserved(tx, id, digest, held, later(2))));
    let (id, held) = (cake.id, (mandate, None, 2));
    let twice = db.write(move |tx| Box::pin(async move { checkouts::reserved(tx, id, digest, held, later(2)).await }));
    assert!(twice.await.unwrap_err().is_duplicate());
    write!(db, |tx| checkouts::hold(tx, id));
    let why = ("out_of_stock", "there is no cake");
    assert!(!write!(db, |tx| checkouts::refused(tx, id, CheckoutState::Reserved, why, later(3))));
    assert!(write!(db, |tx| checkouts::refused(tx, id, CheckoutState::Quoted, why, later(3))));
    assert_eq!(state(db, id).await, CheckoutState::Refused);
    assert!(!write!(db, |tx| checkouts::cancelled(tx, id, later(4))), "it is over");
}
