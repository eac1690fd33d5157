//! Every write leaves an event, and no event holds a secret.

use kontor_access::{AuditFilter, Caller, ExposeSecret as _, NewToken};
use kontor_types::{Cursor, PageSize, Role, Scope};
use rstest::rstest;

use crate::support::{Hub, On, handle};

async fn actions(hub: &Hub, caller: &Caller, filter: AuditFilter) -> Vec<String> {
    let page = hub.access.audit(caller, filter, None, PageSize::clamped(200)).await.unwrap();
    let mut actions: Vec<_> = page.items.into_iter().map(|event| event.action).collect();
    actions.reverse();
    actions
}

#[rstest]
#[tokio::test]
async fn each_write_is_told_of_with_who_did_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, secret) = hub.person("ada", Scope::ALL).await;
    hub.person("bob", &[Scope::Read]).await;
    let acme = handle("acme");
    hub.access.create_organisation(&ada, &acme, None).await.unwrap();
    let tick = || hub.clock.advance(std::time::Duration::from_millis(1));
    let ada = hub.again(&secret).await.via(Some([203, 0, 113, 7].into()), Some("r-1".to_owned()));
    tick();
    hub.access.put_member(&ada, &acme, &handle("bob"), Role::Member).await.unwrap();
    tick();
    hub.access.change_publisher(&ada, &acme, Some("Acme"), None).await.unwrap();
    tick();
    hub.access.remove_member(&ada, &acme, &handle("bob")).await.unwrap();
    let own = AuditFilter { person: Some(handle("ada")), ..AuditFilter::default() };
    let expected = ["publisher.create", "member.put", "publisher.update", "member.remove"];
    assert_eq!(actions(&hub, &hub.admin, own).await, expected);
    let about = AuditFilter { publisher: Some(acme), action: Some("member".to_owned()), ..AuditFilter::default() };
    let page = hub.access.audit(&ada, about, None, PageSize::default()).await.unwrap();
    assert_eq!(page.items.len(), 2);
    let event = &page.items[1];
    assert_eq!((event.address.as_deref(), event.request_id.as_deref()), (Some("203.0.113.7"), Some("r-1")));
    assert_eq!(event.token_id, ada.token);
}

#[rstest]
#[tokio::test]
async fn others_read_only_what_is_theirs(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", Scope::ALL).await;
    let (bob, _) = hub.person("bob", Scope::ALL).await;
    hub.access.create_organisation(&ada, &handle("acme"), None).await.unwrap();
    let seen = actions(&hub, &bob, AuditFilter::default()).await;
    assert_eq!(seen, ["person.create"], "how an administrator made Bob's own publisher");
    let about = AuditFilter { publisher: Some(handle("acme")), ..AuditFilter::default() };
    assert!(actions(&hub, &bob, about).await.is_empty());
    assert!(hub.access.audit(&Caller::anonymous(), AuditFilter::default(), None, PageSize::default()).await.is_err());
}

#[rstest]
#[tokio::test]
async fn pages_follow_each_other_and_a_foreign_cursor_is_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    for name in ["ada", "bob", "cy"] {
        hub.person(name, &[Scope::Read]).await;
    }
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let size = PageSize::clamped(3);
        let page = hub.access.audit(&hub.admin, AuditFilter::default(), cursor.as_ref(), size).await.unwrap();
        seen.extend(page.items.into_iter().map(|event| event.id));
        let Some(next) = page.next else { break };
        cursor = Some(next);
    }
    let all = hub.access.audit(&hub.admin, AuditFilter::default(), None, PageSize::clamped(200)).await.unwrap();
    assert_eq!(seen, all.items.iter().map(|event| event.id).collect::<Vec<_>>());
    for wrong in ["zz", "7878", ""] {
        let cursor: Cursor = wrong.parse().unwrap();
        assert!(
            hub.access.audit(&hub.admin, AuditFilter::default(), Some(&cursor), PageSize::default()).await.is_err()
        );
    }
}

#[rstest]
#[tokio::test]
async fn no_event_and_no_row_holds_a_secret(#[values(On::Sqlite)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let new = NewToken { label: "ci".to_owned(), ..NewToken::default() };
    let issued = hub.access.create_token(&hub.admin, new).await.unwrap();
    let link = hub.access.create_sign_in_link(&hub.admin, None).await.unwrap();
    let opened = hub.access.open_session(&link.code, "Firefox", &Caller::anonymous()).await.unwrap();
    let device = hub.access.start_device_login("laptop", vec![Scope::Read]).await.unwrap();
    let path = hub.folder().join("kontor.db-wal");
    let bytes = [std::fs::read(&path).unwrap(), std::fs::read(path.with_extension("db")).unwrap()].concat();
    for secret in [&issued.secret, &link.code, &opened.cookie, &device.device_code] {
        let text = secret.expose_secret().as_bytes();
        assert!(!bytes.windows(text.len()).any(|window| window == text), "a secret is on the disk");
    }
    let hash = kontor_types::Digest::of(issued.secret.expose_secret().as_bytes());
    assert!(bytes.windows(32).any(|window| window == hash.as_bytes()), "this test looks at the right file");
}
