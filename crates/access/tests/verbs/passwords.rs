//! Passwords: who may set one, what it opens, and how guessing is made slow without locking anybody out.

use std::net::IpAddr;
use std::time::Duration;

use kontor_access::{AuditFilter, Caller, Error, NewToken, OpenSession, PersonChange, Proof, SecretString};
use kontor_db::passwords;
use kontor_types::{Code, Digest, PageSize, Scope};
use rstest::rstest;

use crate::support::{Hub, On, handle};

const GOOD: &str = "correct horse battery";
const OTHER: &str = "staple of another kind";
const HOME: [u8; 4] = [192, 0, 2, 1];
const AWAY: [u8; 4] = [198, 51, 100, 7];

fn from(address: impl Into<IpAddr>) -> Caller {
    Caller::anonymous().via(Some(address.into()), Some("r-1".to_owned()))
}

/// A link for a person, made by the administrator: so it may do everything.
async fn link(hub: &Hub, name: &str) -> Proof {
    Proof::Link(hub.access.create_sign_in_link(&hub.admin, Some(&handle(name))).await.unwrap().code)
}

/// Ada with a password, and a token of these scopes.
async fn ada(hub: &Hub, scopes: &[Scope]) -> Caller {
    let (ada, _) = hub.person("ada", scopes).await;
    let proof = link(hub, "ada").await;
    hub.access.set_password(&Caller::anonymous(), &GOOD.into(), proof).await.unwrap();
    ada
}

async fn sign_in(hub: &Hub, name: &str, password: &str, from: &Caller) -> Result<OpenSession, Error> {
    hub.access.sign_in(name, &password.into(), "Firefox/140.0 (Linux)", from).await
}

#[rstest]
#[tokio::test]
async fn a_password_set_by_a_link_opens_sessions(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (token, _) = hub.person("ada", &[Scope::Read]).await;
    assert_eq!(hub.access.password_set_at(&token).await.unwrap(), None);
    assert!(matches!(sign_in(&hub, "ada", GOOD, &from(HOME)).await, Err(Error::WrongPassword)));
    let Proof::Link(code) = link(&hub, "ada").await else { unreachable!() };
    let nobody = Caller::anonymous();
    hub.access.set_password(&nobody, &GOOD.into(), Proof::Link(code.clone())).await.unwrap();
    let again = hub.access.set_password(&nobody, &OTHER.into(), Proof::Link(code)).await;
    assert!(matches!(again, Err(Error::Link)), "a link works once: {again:?}");
    assert!(hub.access.password_set_at(&token).await.unwrap().is_some());
    for name in ["ada", " @Ada "] {
        let opened = sign_in(&hub, name, GOOD, &from(HOME)).await.unwrap();
        let session = hub.access.session(&opened.cookie).await.unwrap();
        assert_eq!(session.caller.person.unwrap().1, handle("ada"));
        assert_eq!(session.caller.scopes, Scope::ALL, "whoever knows the password may do all that its owner may");
    }
    let filter = AuditFilter { person: Some(handle("ada")), ..AuditFilter::default() };
    let told = hub.access.audit(&hub.admin, filter, None, PageSize::default()).await.unwrap();
    let told: Vec<_> = told.items.into_iter().map(|event| (event.action, event.address, event.detail)).collect();
    assert_eq!(
        told.iter().map(|one| one.0.as_str()).collect::<Vec<_>>(),
        ["session.open", "session.open", "password.set"]
    );
    assert_eq!((told[0].1.as_deref(), &told[0].2["by"]), (Some("192.0.2.1"), &"password".into()));
    assert!(!format!("{told:?}").contains("horse"));
}

#[rstest]
#[case::short("eleven char", "12 or more characters")]
#[case::short_in_any_script("密码密码密码密码密码密", "12 or more characters")]
#[case::own_name("ada-lovelace-of-london", "own name")]
#[case::own_name_otherwise_spelt("Ada Lovelace (of London)", "own name")]
#[case::own_name_twice("ada-lovelace-of-londonADA-LOVELACE-OF-LONDON", "own name")]
#[tokio::test]
async fn a_password_against_the_rules_is_refused(#[case] password: &str, #[case] reason: &str) {
    let hub = Hub::start(On::Sqlite).await.unwrap();
    hub.person("ada-lovelace-of-london", &[Scope::Read]).await;
    let proof = link(&hub, "ada-lovelace-of-london").await;
    let refused = hub.access.set_password(&Caller::anonymous(), &password.into(), proof.clone()).await.unwrap_err();
    assert!(refused.to_string().contains(reason), "{refused}");
    assert_eq!(refused.problem().code, Code::InvalidRequest);
    let long = "x".repeat(1_025);
    assert!(hub.access.set_password(&Caller::anonymous(), &long.as_str().into(), proof.clone()).await.is_err());
    // Refusing uses no link up; no kind of letter is asked for.
    hub.access.set_password(&Caller::anonymous(), &"aaaaaaaaaaaa".into(), proof).await.unwrap();
}

#[tokio::test]
async fn however_a_keyboard_composes_letters_it_is_one_password() {
    let hub = Hub::start(On::Sqlite).await.unwrap();
    hub.person("ada", &[Scope::Read]).await;
    let proof = link(&hub, "ada").await;
    hub.access.set_password(&Caller::anonymous(), &"caf\u{e9} au lait, \u{fb01}n".into(), proof).await.unwrap();
    assert!(sign_in(&hub, "ada", "cafe\u{301} au lait, fin", &from(HOME)).await.is_ok());
}

#[rstest]
#[tokio::test]
async fn only_the_password_or_a_fresh_link_of_full_power_sets_another(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let weak = ada(&hub, &[Scope::Publish]).await;
    let set = async |caller: &Caller, proof| hub.access.set_password(caller, &OTHER.into(), proof).await;
    let wrong = set(&weak, Proof::Current("not the one it is".into())).await;
    assert!(matches!(wrong, Err(Error::WrongPassword)), "{wrong:?}");
    assert!(matches!(set(&weak, Proof::Session).await, Err(Error::NoProof)), "a token alone is none");
    let own = hub.access.create_sign_in_link(&weak, None).await.unwrap();
    assert!(matches!(set(&weak, Proof::Link(own.code.clone())).await, Err(Error::Scope { .. })));
    let opened = hub.access.open_session(&own.code, "", &Caller::anonymous()).await.unwrap();
    let session = hub.access.session(&opened.cookie).await.unwrap().caller;
    assert!(matches!(set(&session, Proof::Session).await, Err(Error::Scope { .. })), "a weak session stays weak");
    let (bob, _) = hub.person("bob", Scope::ALL).await;
    let theirs = link(&hub, "ada").await;
    assert!(matches!(set(&bob, theirs).await, Err(Error::Link)), "somebody else's link");
    let bound = NewToken { label: "x".to_owned(), publishers: vec![handle("bob")], ..NewToken::default() };
    let issued = hub.access.create_token(&bob, bound).await.unwrap();
    let bound = hub.again(&issued.secret).await;
    assert!(matches!(set(&bound, Proof::Current(GOOD.into())).await, Err(Error::Bound)));
    assert!(matches!(set(&Caller::anonymous(), Proof::Session).await, Err(Error::Unauthenticated)));
    // A session of a link that may do everything, while it is fresh.
    let Proof::Link(code) = link(&hub, "ada").await else { unreachable!() };
    let opened = hub.access.open_session(&code, "", &Caller::anonymous()).await.unwrap();
    let session = hub.access.session(&opened.cookie).await.unwrap().caller;
    hub.access.set_password(&session, &OTHER.into(), Proof::Session).await.unwrap();
    hub.clock.advance(Duration::from_mins(15));
    assert!(matches!(set(&session, Proof::Session).await, Err(Error::NoProof)), "no longer fresh");
    let opened = sign_in(&hub, "ada", OTHER, &from(HOME)).await.unwrap();
    let session = hub.access.session(&opened.cookie).await.unwrap().caller;
    assert!(matches!(set(&session, Proof::Session).await, Err(Error::NoProof)), "it began with a password");
    hub.access.set_password(&weak, &GOOD.into(), Proof::Current(OTHER.into())).await.unwrap();
    assert!(sign_in(&hub, "ada", GOOD, &from(HOME)).await.is_ok());
    assert!(matches!(sign_in(&hub, "ada", OTHER, &from(HOME)).await, Err(Error::WrongPassword)));
}

#[rstest]
#[tokio::test]
async fn a_change_ends_every_other_session_and_link(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let token = ada(&hub, Scope::ALL).await;
    let mine = sign_in(&hub, "ada", GOOD, &from(HOME)).await.unwrap();
    let stolen = sign_in(&hub, "ada", GOOD, &from(AWAY)).await.unwrap();
    let Proof::Link(pending) = link(&hub, "ada").await else { unreachable!() };
    let caller = hub.access.session(&mine.cookie).await.unwrap().caller;
    let ended = hub.access.set_password(&caller, &OTHER.into(), Proof::Current(GOOD.into())).await.unwrap();
    assert_eq!(ended, 1);
    assert!(hub.access.session(&mine.cookie).await.is_ok());
    assert!(matches!(hub.access.session(&stolen.cookie).await, Err(Error::Unauthenticated)));
    assert!(matches!(hub.access.sign_in_link(&pending).await, Err(Error::Link)));
    assert!(hub.access.me(&token).await.is_ok(), "tokens are a thing of their own");
}

#[rstest]
#[tokio::test]
async fn an_unknown_name_is_answered_like_a_known_one(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    ada(&hub, &[Scope::Read]).await;
    hub.person("bob", &[Scope::Read]).await;
    let shut = PersonChange { disabled: Some(true), ..PersonChange::default() };
    hub.person("eve", &[Scope::Read]).await;
    let proof = link(&hub, "eve").await;
    hub.access.set_password(&Caller::anonymous(), &GOOD.into(), proof).await.unwrap();
    hub.access.update_person(&hub.admin, &handle("eve"), shut).await.unwrap();
    // With a wrong password, without any, shut out, unknown, and no name at all.
    for (place, (name, password)) in
        [("ada", OTHER), ("bob", GOOD), ("eve", GOOD), ("zed", GOOD), ("no name !", GOOD)].into_iter().enumerate()
    {
        let address = [203, 0, 113, u8::try_from(place).unwrap()];
        for _ in 0..5 {
            let refused = sign_in(&hub, name, password, &from(address)).await;
            assert!(matches!(refused, Err(Error::WrongPassword)), "{name}: {refused:?}");
        }
        let refused = sign_in(&hub, name, password, &from(address)).await;
        assert!(matches!(refused, Err(Error::TooManyPasswords { .. })), "{name}: {refused:?}");
    }
}

#[rstest]
#[tokio::test]
async fn guessing_is_slow_and_shuts_its_owner_out_for_minutes_only(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    ada(&hub, &[Scope::Read]).await;
    for _ in 0..4 {
        assert!(matches!(sign_in(&hub, "ada", OTHER, &from(HOME)).await, Err(Error::WrongPassword)));
    }
    assert!(sign_in(&hub, "ada", GOOD, &from(HOME)).await.is_ok(), "the right one forgives the wrong ones");
    hub.clock.advance(Duration::from_mins(1));
    for _ in 0..5 {
        assert!(matches!(sign_in(&hub, "ada", OTHER, &from(HOME)).await, Err(Error::WrongPassword)));
    }
    hub.clock.advance(Duration::from_mins(3));
    let refused = sign_in(&hub, "ada", GOOD, &from(HOME)).await.unwrap_err();
    assert_eq!(refused.wait(), Some(Duration::from_mins(7)));
    assert_eq!(refused.problem().code, Code::RateLimited);
    assert!(sign_in(&hub, "ada", GOOD, &from(AWAY)).await.is_ok(), "elsewhere it works");
    let Proof::Link(code) = link(&hub, "ada").await else { unreachable!() };
    assert!(hub.access.open_session(&code, "", &Caller::anonymous()).await.is_ok(), "a link always works");
    // Refused ones do not make the wait longer.
    hub.clock.advance(Duration::from_mins(7));
    assert!(sign_in(&hub, "ada", GOOD, &from(HOME)).await.is_ok());
}

#[rstest]
#[tokio::test]
async fn guesses_from_everywhere_stop_strangers_but_not_where_the_owner_was(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = Hub::start(on).await else { return };
    let ada = ada(&hub, &[Scope::Read]).await;
    assert!(sign_in(&hub, "ada", GOOD, &from(HOME)).await.is_ok());
    let (account, now) =
        (Digest::of(ada.person_id().unwrap().uuid().as_bytes()), kontor_types::Clock::now(&*hub.clock));
    let guess = async |network: String| {
        let unit = hub.db.write(move |tx| Box::pin(async move { passwords::tried(tx, &account, &network, now).await }));
        unit.await.unwrap();
    };
    for number in 0..50 {
        guess(format!("203.0.113.{number}")).await;
    }
    assert!(matches!(sign_in(&hub, "ada", GOOD, &from(AWAY)).await, Err(Error::TooManyPasswords { .. })));
    assert!(sign_in(&hub, "ada", GOOD, &from(HOME)).await.is_ok());
    hub.clock.advance(Duration::from_hours(1));
    assert!(sign_in(&hub, "ada", GOOD, &from(AWAY)).await.is_ok());
    hub.clock.advance(Duration::from_secs(1));
    assert!(hub.access.sweep().await.unwrap() >= 50, "they are forgotten");
}

#[rstest]
#[tokio::test]
async fn one_network_guesses_slowly_whatever_the_names(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    ada(&hub, &[Scope::Read]).await;
    let now = kontor_types::Clock::now(&*hub.clock);
    for number in 0_u8..50 {
        let unit = hub.db.write(move |tx| {
            Box::pin(async move { passwords::tried(tx, &Digest::of(&[number]), "2001:db8:1:2::", now).await })
        });
        unit.await.unwrap();
    }
    let neighbour: IpAddr = "2001:db8:1:2:aaaa::9".parse().unwrap();
    let refused = sign_in(&hub, "ada", GOOD, &from(neighbour)).await;
    assert!(matches!(refused, Err(Error::TooManyPasswords { .. })), "one network of IPv6 is one: {refused:?}");
    let stranger: IpAddr = "2001:db8:1:3::9".parse().unwrap();
    assert!(sign_in(&hub, "ada", GOOD, &from(stranger)).await.is_ok());
}

#[tokio::test]
async fn a_hash_of_less_cost_is_made_anew_when_its_password_is_shown() {
    let hub = Hub::start(On::Sqlite).await.unwrap();
    let (ada, _) = hub.person("ada", &[Scope::Read]).await;
    let (person, now) = (ada.person_id().unwrap(), kontor_types::Clock::now(&*hub.clock));
    let cheap = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$yrdGtGIZk/3JHsUHh5gLQUqQppLwvGjf4Z+cJbPLqew";
    let put = hub.db.write(move |tx| Box::pin(async move { passwords::put(tx, person, cheap, now).await }));
    put.await.unwrap();
    let kept = async || passwords::of_person(&mut hub.db.read().await.unwrap(), person).await.unwrap().unwrap().hash;
    let _: SecretString = sign_in(&hub, "ada", "password", &from(HOME)).await.unwrap().cookie;
    assert!(kept().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept().await);
    assert!(sign_in(&hub, "ada", "password", &from(HOME)).await.is_ok());
}

#[rstest]
#[tokio::test]
async fn wrong_passwords_leave_a_bounded_trail_without_what_was_typed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let ada = ada(&hub, Scope::ALL).await;
    for _ in 0..8 {
        sign_in(&hub, "ada", OTHER, &from(HOME)).await.unwrap_err();
    }
    sign_in(&hub, "my secret as a name", OTHER, &from(AWAY)).await.unwrap_err();
    let elsewhere = ada.via(Some(AWAY.into()), None);
    hub.access.set_password(&elsewhere, &OTHER.into(), Proof::Current("wrong".into())).await.unwrap_err();
    let told = async |action: &str| {
        let filter = AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
        let page = hub.access.audit(&hub.admin, filter, None, PageSize::default()).await.unwrap();
        page.items.into_iter().map(|event| (event.subject, event.address, event.person)).collect::<Vec<_>>()
    };
    let refused = told("session.refuse").await;
    let of_ada = ("ada".to_owned(), Some("192.0.2.1".to_owned()), None);
    assert_eq!(refused.iter().filter(|one| **one == of_ada).count(), 5, "no more than are taken: {refused:?}");
    assert_eq!(refused.len(), 6);
    assert!(refused.contains(&("somebody unknown".to_owned(), Some("198.51.100.7".to_owned()), None)), "{refused:?}");
    let own = told("password.refuse").await;
    assert_eq!(own, [("ada".to_owned(), Some("198.51.100.7".to_owned()), Some("ada".to_owned()))]);
}
