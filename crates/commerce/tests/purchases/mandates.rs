//! What a mandate allows and what it does not: each limit at its edge.

use std::time::Duration;

use kontor_commerce::{MandateState, Mode, State, Terms};
use kontor_crypto::{KeyRecord, Keyring, Purpose, SigningKey};
use kontor_types::{Clock as _, Digest, MandateId};
use rstest::rstest;

use crate::market::{HUB, Market, On, START, handle, refused, yuan};

/// A change to terms that allow a classic milk tea from the tea house for 19.00, and what becomes of it.
type Edge = (&'static str, fn(&mut Terms), Option<&'static str>);

/// A change that makes a mandate wrong, and the refusal.
type Wrong = (&'static str, fn(&mut Terms), &'static str);

const EDGES: &[Edge] = &[
    ("exact total", |terms| terms.total = yuan(1_900), None),
    ("one less in total", |terms| terms.total = yuan(1_899), Some("mandate_over_limit")),
    ("exact each", |terms| terms.each = Some(yuan(1_900)), None),
    ("one less each", |terms| terms.each = Some(yuan(1_899)), Some("mandate_over_limit")),
    ("the merchant", |terms| terms.merchants = vec!["tea-house".to_owned()], None),
    ("another merchant", |terms| terms.merchants = vec!["corner-shop".to_owned()], Some("mandate_merchant")),
    ("the category", |terms| terms.categories = vec!["drinks".to_owned()], None),
    ("another category", |terms| terms.categories = vec!["food".to_owned()], Some("mandate_category")),
    (
        "the same number of another currency",
        |terms| terms.total = "EUR".parse::<kontor_types::Currency>().unwrap().minor(1_900),
        Some("mandate_currency"),
    ),
    ("begins in a minute", |terms| terms.not_before = START.after(Duration::from_mins(1)), None),
    (
        "begins in more than a minute",
        |terms| terms.not_before = START.after(Duration::from_millis(60_001)),
        Some("mandate_not_yet"),
    ),
];

#[rstest]
#[tokio::test]
async fn a_purchase_is_within_every_limit_or_refused_and_written_down(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(market) = Market::open(on).await else { return };
    for (what, change, code) in EDGES {
        let mut terms = market.terms();
        change(&mut terms);
        let mandate = market.accept(&terms).await.unwrap();
        let checkout = market.quoted(what).await;
        let outcome = market.commerce.purchase(market.ada, checkout.id, mandate.terms.id).await;
        match code {
            None => {
                assert_eq!(outcome.unwrap().state, State::Paid, "{what}");
                market.commerce.refund(market.ada, what, checkout.id, None).await.unwrap();
            }
            Some(code) => {
                assert_eq!(refused(outcome), *code, "{what}");
                assert_eq!(market.state(checkout.id).await, "quoted", "{what}");
            }
        }
        assert_eq!(market.purse().await, (10_000, 10_000), "{what}");
    }
    let refusals = EDGES.iter().filter(|(_, _, code)| code.is_some()).count();
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
    assert_eq!(seen.iter().filter(|event| event.action == "checkout.refuse").count(), refusals);
    market.clean().await;
}

#[rstest]
#[tokio::test]
async fn a_mandate_ends_by_its_time_its_count_and_its_owner(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(market) = Market::open(on).await else { return };
    let commerce = &market.commerce;
    let twice = Terms { count: 2, ..market.terms() };
    market.accept(&twice).await.unwrap();
    for place in 0..2 {
        let checkout = market.quoted(&format!("count {place}")).await;
        assert_eq!(commerce.purchase(market.ada, checkout.id, twice.id).await.unwrap().state, State::Paid);
    }
    let third = market.quoted("third").await;
    assert_eq!(refused(commerce.reserve(market.ada, third.id, twice.id).await), "mandate_used_up");
    assert_eq!(commerce.mandate(market.ada, twice.id).await.unwrap().state, MandateState::UsedUp);

    // Taken back: nothing new, what is held and was not asked for is free, what was asked for ends as the merchant says.
    let mandate = market.mandate().await;
    let (held, asked) = (market.quoted("held").await, market.quoted("asked").await);
    commerce.reserve(market.ada, held.id, mandate).await.unwrap();
    market.tea.script(&[kontor_merchants::Mischief::Dawdle(1)]);
    assert!(commerce.purchase(market.ada, asked.id, mandate).await.is_err());
    let revoked = commerce.revoke_mandate(market.ada, mandate).await.unwrap();
    assert_eq!((revoked.state, revoked.held), (MandateState::Revoked, yuan(1_900)));
    assert_eq!(commerce.complete(market.ada, held.id).await.unwrap().refusal.unwrap().code, "mandate_revoked");
    assert_eq!(refused(commerce.reserve(market.ada, third.id, mandate).await), "mandate_revoked");
    assert_eq!(commerce.complete(market.ada, asked.id).await.unwrap().state, State::Paid);
    let account = commerce.mandate(market.ada, mandate).await.unwrap().account;
    let ledger = kontor_ledger::Ledger::start(market.db.clone(), market.clock.clone());
    assert!(ledger.account(account).await.unwrap().unwrap().closed_at.is_some(), "closed once nothing needs it");
    assert_eq!(commerce.revoke_mandate(market.ada, mandate).await.unwrap().state, MandateState::Revoked);

    let day = market.mandate().await;
    market.clock.advance(Duration::from_hours(24) - Duration::from_micros(1));
    let last = market.quoted("last moment").await;
    commerce.reserve(market.ada, last.id, day).await.unwrap();
    market.clock.advance(Duration::from_micros(1));
    let late = market.quoted("too late").await;
    assert_eq!(refused(commerce.reserve(market.ada, late.id, day).await), "mandate_expired");
    assert_eq!(market.tea.orders().len(), 3);
    market.clean().await;
}

#[rstest]
#[tokio::test]
async fn only_what_the_owners_key_signed_for_this_hub_is_a_mandate(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(market) = Market::open(on).await else { return };
    let wrong: &[Wrong] = &[
        ("another hub", |terms| terms.hub = "other.test".to_owned(), "mandate_signature"),
        ("another person", |terms| terms.person = handle("bob"), "mandate_signature"),
        ("nothing", |terms| terms.total = yuan(0), "amount_invalid"),
        ("less than nothing", |terms| terms.total = yuan(-1), "amount_invalid"),
        ("too much", |terms| terms.total = yuan(1 << 53), "amount_invalid"),
        ("the most there is", |terms| terms.each = Some(yuan(i64::MAX)), "amount_invalid"),
        ("no purchase", |terms| terms.count = 0, "amount_invalid"),
        ("ends as it begins", |terms| terms.until = terms.not_before, "mandate_signature"),
        (
            "is over",
            |terms| (terms.not_before, terms.until) = (START.before(Duration::from_mins(9)), START),
            "mandate_expired",
        ),
        ("instant without a quote", |terms| terms.mode = Mode::Instant, "mandate_signature"),
        ("delegated with one", |terms| terms.quote = Some(Digest::of(b"x")), "mandate_signature"),
    ];
    for (what, change, code) in wrong {
        let mut terms = market.terms();
        change(&mut terms);
        assert_eq!(refused(market.accept(&terms).await), *code, "{what}");
    }
    let terms = market.terms();
    let (ada, commerce) = (handle("ada"), &market.commerce);
    let stranger = SigningKey::from_secret(Purpose::Mandate, &[9; 32]);
    let foreign = terms.sign(&stranger).unwrap().to_json();
    assert_eq!(refused(commerce.accept_mandate(market.ada, &ada, &foreign).await), "mandate_signature");
    let mut forged = terms.sign(&market.key).unwrap();
    let other = Terms { total: yuan(9_999), ..terms.clone() };
    forged.payload = other.sign(&stranger).unwrap().payload;
    assert_eq!(refused(commerce.accept_mandate(market.ada, &ada, &forged.to_json()).await), "mandate_signature");
    assert!(terms.sign(&SigningKey::from_secret(Purpose::Publisher, &[3; 32])).is_err());

    // The same again is the same, with its limit in the books once; another under its id is refused.
    let mandate = market.accept(&terms).await.unwrap();
    assert_eq!(market.accept(&terms).await.unwrap(), mandate);
    assert_eq!(mandate.left, yuan(8_000));
    let again = Terms { total: yuan(8_001), ..terms.clone() };
    assert_eq!(refused(market.accept(&again).await), "key_conflict");
    // Somebody else's mandate is as unknown as one that is not there.
    for id in [terms.id, MandateId::new(START)] {
        assert_eq!(refused(commerce.mandate(market.bob, id).await), "mandate_unknown");
        assert_eq!(refused(commerce.revoke_mandate(market.bob, id).await), "mandate_unknown");
    }
    let checkout = commerce.quote(market.bob, "k", Market::order("jasmine-tea", 1)).await.unwrap();
    assert_eq!(refused(commerce.reserve(market.bob, checkout.id, terms.id).await), "mandate_unknown");
    assert_eq!(HUB, commerce.hub());
}

#[tokio::test]
async fn another_key_needs_the_word_of_the_one_in_use() {
    let Some(market) = Market::open(On::Sqlite).await else { return };
    let thief = SigningKey::from_secret(Purpose::Mandate, &[9; 32]);
    assert_eq!(refused(market.register(&thief, "ada", market.ada).await), "mandate_signature");
    assert_eq!(
        refused(market.register(&thief, "ada", market.bob).await),
        "mandate_signature",
        "claimed for somebody else"
    );
    // Bob's keyring rotates.
    let folder = tempfile::tempdir().unwrap();
    let mut ring = Keyring::open(&folder.path().join("keys")).unwrap();
    ring.ensure(&[Purpose::Mandate], START).unwrap();
    let show = |ring: &Keyring| -> (KeyRecord, String) {
        let record = ring.history().active(Purpose::Mandate).unwrap().clone();
        let claim = ring.signing_key(Purpose::Mandate).unwrap().claim(&handle("bob"), record.created_at);
        (record, claim)
    };
    let (first, claim) = show(&ring);
    market.commerce.register_key(market.bob, &first, &claim).await.unwrap();
    market.clock.advance(Duration::from_secs(1));
    ring.rotate(Purpose::Mandate, market.clock.now()).unwrap();
    let (second, claim) = show(&ring);
    let unworded = KeyRecord { endorsement: None, ..second.clone() };
    assert_eq!(refused(market.commerce.register_key(market.bob, &unworded, &claim).await), "mandate_signature");
    market.commerce.register_key(market.bob, &second, &claim).await.unwrap();
    let keys = market.commerce.mandate_keys(market.bob).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.retired_at.is_some()).collect::<Vec<_>>(), [true, false]);
}
