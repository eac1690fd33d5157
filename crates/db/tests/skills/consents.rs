//! Consents: for exactly what was asked, for one person, until they end; a question is answered once.

use kontor_db::consents::{self, Consent, Question};
use kontor_db::versions::VersionState;
use kontor_types::{ConsentId, Digest, TokenId, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_consent_is_for_exactly_what_was_asked(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let one = world.version(pdf, "2.0.0", VersionState::Visible, NOW).await;
    let two = world.version(pdf, "3.0.0", VersionState::Visible, NOW).await;
    let (ada, bob, token) = (world.ada, world.bob, TokenId::new(NOW));
    let consent = |token_id, expires_at| Consent {
        id: ConsentId::new(NOW),
        version_id: one,
        skill: "@acme/pdf@2.0.0".to_owned(),
        asked: "network a:443".to_owned(),
        token_id,
        created_at: NOW,
        expires_at,
    };
    let (session, always) = (consent(Some(token), Some(later(10))), consent(None, None));
    write!(world.db(), |tx| consents::put(tx, ada, &session));
    let holds = async |person, version, asked: &'static str, token, at| {
        consents::holds(&mut world.conn().await, person, version, asked, token, at).await.unwrap()
    };
    assert!(holds(ada, one, "network a:443", Some(token), later(9)).await);
    assert!(!holds(ada, one, "network a:443", Some(token), later(10)).await, "it has ended");
    assert!(!holds(ada, one, "network a:443", Some(TokenId::new(NOW)), NOW).await, "another token");
    assert!(!holds(ada, one, "network b:443", Some(token), NOW).await, "something else");
    assert!(!holds(ada, two, "network a:443", Some(token), NOW).await, "another version");
    assert!(!holds(bob, one, "network a:443", Some(token), NOW).await, "somebody else");
    let kept = always.clone();
    write!(world.db(), |tx| consents::put(tx, ada, &kept));
    assert!(holds(ada, one, "network a:443", None, later(99)).await);
    assert_eq!(consents::of(&mut world.conn().await, ada, NOW).await.unwrap().len(), 2);
    assert_eq!(consents::of(&mut world.conn().await, ada, later(10)).await.unwrap(), std::slice::from_ref(&always));
    assert!(!write!(world.db(), |tx| consents::remove(tx, bob, always.id)));
    assert!(write!(world.db(), |tx| consents::remove(tx, ada, always.id)));
    assert!(!holds(ada, one, "network a:443", None, NOW).await);
}

#[rstest]
#[tokio::test]
async fn a_question_is_answered_once_and_in_time(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (ada, bob) = (world.ada, world.bob);
    let (about, other) = (Digest::of(b"this call"), Digest::of(b"another"));
    let question = |text: &str| Question { id: Digest::of(text.as_bytes()), person: ada, about, expires_at: later(5) };
    let ask = async |text: &'static str| {
        let question = question(text);
        write!(world.db(), |tx| consents::ask(tx, &question, 2, NOW));
    };
    let answer = async |text: &'static str, person, about, at| {
        let id = Digest::of(text.as_bytes());
        write!(world.db(), |tx| consents::answer(tx, &id, person, &about, at))
    };
    ask("one").await;
    assert!(!answer("one", bob, about, NOW).await, "somebody else");
    assert!(!answer("one", ada, other, NOW).await, "another call");
    assert!(!answer("one", ada, about, later(5)).await, "too late");
    assert!(answer("one", ada, about, NOW).await);
    assert!(!answer("one", ada, about, NOW).await, "twice");
    for text in ["two", "three", "four", "five"] {
        ask(text).await;
    }
    let mut open = 0;
    for text in ["two", "three", "four", "five"] {
        open += u32::from(answer(text, ada, about, NOW).await);
    }
    assert_eq!(open, 3, "two that were there and the last");
}
