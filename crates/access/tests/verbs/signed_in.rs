//! Where somebody is signed in, and ending that.

use std::time::Duration;

use kontor_access::{AuditFilter, Caller, Error, NewToken, OpenSession, SecretString, Session};
use kontor_types::{PageSize, Scope, SessionId};
use rstest::rstest;

use crate::support::{Hub, On, handle};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn sign_in(hub: &Hub, caller: &Caller, user_agent: &str) -> OpenSession {
    let link = hub.access.create_sign_in_link(caller, None).await.unwrap();
    hub.access.open_session(&link.code, user_agent, &Caller::anonymous()).await.unwrap()
}

async fn shown(hub: &Hub, cookie: &SecretString) -> Session {
    hub.access.session(cookie).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_person_sees_where_they_are_signed_in(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", &[Scope::Publish]).await;
    let (bob, _) = hub.person("bob", &[Scope::Read]).await;
    let first = sign_in(&hub, &ada, FIREFOX).await;
    sign_in(&hub, &bob, "curl/8").await;
    hub.clock.advance(Duration::from_hours(1));
    let second = sign_in(&hub, &ada, "").await;
    let caller = shown(&hub, &first.cookie).await.caller;
    let listed = hub.access.sessions(&caller).await.unwrap();
    let told: Vec<_> = listed.iter().map(|one| (one.client.as_str(), one.current, one.scopes.clone())).collect();
    assert_eq!(told, [("a browser", false, vec![Scope::Publish]), ("Firefox, Linux", true, vec![Scope::Publish])]);
    assert_eq!(listed[0].expires_at, second.expires_at);
    assert!(listed[1].created_at < listed[0].created_at);
    assert!(hub.access.sessions(&ada).await.unwrap().iter().all(|one| !one.current), "a token is no browser");
    assert!(matches!(hub.access.sessions(&Caller::anonymous()).await, Err(Error::Unauthenticated)));
}

#[rstest]
#[tokio::test]
async fn a_session_ended_elsewhere_is_refused_by_the_very_next_request(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", &[Scope::Publish]).await;
    let (bob, _) = hub.person("bob", Scope::ALL).await;
    let (mine, lost) = (sign_in(&hub, &ada, FIREFOX).await, sign_in(&hub, &ada, "Safari").await);
    let (mine, stolen) = (shown(&hub, &mine.cookie).await, shown(&hub, &lost.cookie).await);
    let theirs = hub.access.end_session(&bob, stolen.id).await.unwrap_err();
    let none = hub.access.end_session(&bob, SessionId::new(0.into())).await.unwrap_err();
    assert_eq!(theirs.problem(), none.problem(), "somebody else's is as good as none");
    hub.access.end_session(&mine.caller, stolen.id).await.unwrap();
    assert!(matches!(hub.access.session(&lost.cookie).await, Err(Error::Unauthenticated)));
    assert_eq!(hub.access.sessions(&ada).await.unwrap().len(), 1);
    hub.access.end_session(&hub.admin, mine.id).await.unwrap();
    assert!(hub.access.sessions(&ada).await.unwrap().is_empty(), "an administrator ends anybody's");
    let filter = AuditFilter { action: Some("session.close".to_owned()), ..AuditFilter::default() };
    let told = hub.access.audit(&hub.admin, filter, None, PageSize::default()).await.unwrap();
    let told: Vec<_> = told.items.into_iter().map(|event| (event.person.unwrap(), event.subject)).collect();
    assert_eq!(told, [("admin".to_owned(), mine.id.to_string()), ("ada".to_owned(), stolen.id.to_string())]);
}

#[rstest]
#[tokio::test]
async fn all_sessions_end_together_or_all_but_one(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", &[Scope::Publish]).await;
    let (bob, _) = hub.person("bob", &[Scope::Publish]).await;
    let kept = sign_in(&hub, &ada, FIREFOX).await;
    for _ in 0..2 {
        sign_in(&hub, &ada, FIREFOX).await;
    }
    let other = sign_in(&hub, &bob, FIREFOX).await;
    let caller = shown(&hub, &kept.cookie).await.caller;
    assert_eq!(hub.access.end_sessions(&caller, true).await.unwrap(), 2);
    assert!(hub.access.session(&kept.cookie).await.is_ok());
    assert_eq!(hub.access.end_sessions(&caller, true).await.unwrap(), 0);
    assert_eq!(hub.access.end_sessions(&caller, false).await.unwrap(), 1);
    assert!(matches!(hub.access.session(&kept.cookie).await, Err(Error::Unauthenticated)));
    assert!(hub.access.session(&other.cookie).await.is_ok(), "of somebody else");
    let filter = AuditFilter { action: Some("session.close_all".to_owned()), ..AuditFilter::default() };
    let told = hub.access.audit(&hub.admin, filter, None, PageSize::default()).await.unwrap();
    let ended: Vec<_> = told.items.iter().map(|event| event.detail["ended"].as_u64().unwrap()).collect();
    assert_eq!(ended, [1, 2]);
}

#[rstest]
#[tokio::test]
async fn a_weak_token_ends_no_strong_session(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", Scope::ALL).await;
    let (weak, _) = hub.sign_in("ada", &[Scope::Read]).await;
    let opened = sign_in(&hub, &ada, FIREFOX).await;
    let session = shown(&hub, &opened.cookie).await;
    assert!(matches!(hub.access.end_session(&weak, session.id).await, Err(Error::Scope { .. })));
    assert!(matches!(hub.access.end_sessions(&weak, false).await, Err(Error::Scope { .. })));
    let new = NewToken {
        label: "bound".to_owned(),
        scopes: Scope::ALL.to_vec(),
        publishers: vec![handle("ada")],
        ..NewToken::default()
    };
    let issued = hub.access.create_token(&ada, new).await.unwrap();
    let bound = hub.again(&issued.secret).await;
    assert!(matches!(hub.access.end_session(&bound, session.id).await, Err(Error::Bound)));
    assert!(matches!(hub.access.sessions(&bound).await, Err(Error::Bound)));
    assert!(hub.access.session(&opened.cookie).await.is_ok());
}

#[rstest]
#[case::edge_on_windows(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
    "Edge, Windows"
)]
#[case::chrome_on_android(
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Chrome, Android"
)]
#[case::safari_on_a_phone(
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Safari, iPhone"
)]
#[case::a_system_alone("Something/1.0 (Macintosh)", "macOS")]
#[case::made_up("<script>\u{1b}[31m", "a browser")]
#[tokio::test]
async fn a_browser_is_described_in_two_words(#[case] user_agent: &str, #[case] expected: &str) {
    let hub = Hub::start(On::Sqlite).await.unwrap();
    sign_in(&hub, &hub.admin, user_agent).await;
    assert_eq!(hub.access.sessions(&hub.admin).await.unwrap()[0].client, expected);
}
