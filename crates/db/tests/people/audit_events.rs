//! The audit trail: filters, pages and who may read what.

use std::time::Duration;

use kontor_db::audit_events::{self, AuditEvent, Filter, NewEvent};
use kontor_db::persons::Person;
use kontor_db::publishers::Publisher;
use kontor_types::{AuditId, PageSize, PersonId, PublisherId, Role, Viewer};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{NOW, a_person, a_publisher, add_person, add_publisher};
use crate::support::{On, TestDb};

struct Trail {
    test: TestDb,
    ada: Person,
    bob: Person,
    acme: Publisher,
}

impl Trail {
    /// Ada publishes for Acme at 0 and 1, Bob makes a token at 2, the hub sweeps at 3.
    async fn open(on: On) -> Option<Self> {
        let test = on.open().await?;
        let (ada, bob, acme) = (a_person("ada"), a_person("bob"), a_publisher("acme"));
        add_person(&test.db, &ada).await.unwrap();
        add_person(&test.db, &bob).await.unwrap();
        add_publisher(&test.db, &acme).await.unwrap();
        let trail = Self { test, ada, bob, acme };
        let (ada, bob, acme) = (Some(trail.ada.id), Some(trail.bob.id), Some(trail.acme.id));
        trail.add(0, ada, "version.publish", acme, "@acme/pdf@1.0.0").await;
        trail.add(1, ada, "version.yank", acme, "@acme/pdf@1.0.0").await;
        trail.add(2, bob, "token.create", None, "laptop").await;
        trail.add(3, None, "hub.sweep", None, "hub").await;
        Some(trail)
    }

    async fn add(
        &self,
        second: u64,
        person: Option<PersonId>,
        action: &str,
        publisher: Option<PublisherId>,
        subject: &str,
    ) {
        let at = NOW.after(Duration::from_secs(second));
        let event = NewEvent {
            id: AuditId::new(at),
            at,
            person,
            token: None,
            action: action.to_owned(),
            publisher,
            subject: subject.to_owned(),
            detail: json!({"second": second}),
            address: Some("127.0.0.1".to_owned()),
            request_id: Some("r-1".to_owned()),
        };
        self.test.db.write(move |tx| Box::pin(async move { audit_events::insert(tx, &event).await })).await.unwrap();
    }

    async fn list(&self, viewer: &Viewer, filter: &Filter) -> Vec<AuditEvent> {
        let mut conn = self.test.db.read().await.unwrap();
        audit_events::list(&mut conn, viewer, filter, None, PageSize::default()).await.unwrap()
    }
}

fn seconds(events: &[AuditEvent]) -> Vec<u64> {
    events.iter().map(|event| event.detail["second"].as_u64().unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn filters_narrow_what_an_administrator_reads(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(trail) = Trail::open(on).await else { return };
    let hub = Viewer::hub();
    let text = |text: &str| Some(text.to_owned());
    let at = |second| Some(NOW.after(Duration::from_secs(second)));
    for (filter, expected) in [
        (Filter::default(), vec![3, 2, 1, 0]),
        (Filter { person: Some(trail.ada.id), ..Filter::default() }, vec![1, 0]),
        (Filter { publisher: Some(trail.acme.id), action: text("version.yank"), ..Filter::default() }, vec![1]),
        (Filter { action: text("version"), ..Filter::default() }, vec![1, 0]),
        (Filter { action: text("token.create"), ..Filter::default() }, vec![2]),
        (Filter { action: text("vers"), ..Filter::default() }, vec![]),
        (Filter { subject: text("laptop"), ..Filter::default() }, vec![2]),
        (Filter { since: at(1), until: at(3), ..Filter::default() }, vec![2, 1]),
    ] {
        assert_eq!(seconds(&trail.list(&hub, &filter).await), expected, "{filter:?}");
    }
    let all = trail.list(&hub, &Filter::default()).await;
    assert_eq!((all[0].person.as_deref(), all[0].publisher.as_deref()), (None, None));
    assert_eq!((all[3].person.as_deref(), all[3].publisher.as_deref()), (Some("ada"), Some("acme")));
    assert_eq!((all[3].address.as_deref(), all[3].request_id.as_deref()), (Some("127.0.0.1"), Some("r-1")));
}

#[rstest]
#[tokio::test]
async fn others_read_their_own_deeds_and_those_of_publishers_they_administer(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(trail) = Trail::open(on).await else { return };
    let everything = Filter::default();
    let bob =
        |role: Option<Role>| Viewer::person(trail.bob.id, role.map(|role| (trail.acme.id, role)).into_iter().collect());
    let mut many: Vec<_> = (0..250).map(|_| (PublisherId::new(NOW), Role::Owner)).collect();
    many.push((trail.acme.id, Role::Admin));
    for (viewer, expected) in [
        (Viewer::anonymous(), vec![]),
        (bob(None), vec![2]),
        (bob(Some(Role::Maintainer)), vec![2]),
        (bob(Some(Role::Admin)), vec![2, 1, 0]),
        (Viewer::person(trail.bob.id, many), vec![2, 1, 0]),
        (Viewer::administrator(trail.bob.id, vec![]), vec![3, 2, 1, 0]),
    ] {
        assert_eq!(seconds(&trail.list(&viewer, &everything).await), expected, "{viewer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn pages_neither_repeat_nor_skip(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(trail) = Trail::open(on).await else { return };
    for _ in 0..3 {
        trail.add(3, None, "hub.sweep", None, "again").await;
    }
    let mut conn = trail.test.db.read().await.unwrap();
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let size = PageSize::clamped(2);
        let page = audit_events::list(&mut conn, &Viewer::hub(), &Filter::default(), before, size).await.unwrap();
        let more = page.len() > 2;
        seen.extend(page.into_iter().take(2));
        before = seen.last().map(|event| (event.at, event.id));
        if !more {
            break;
        }
    }
    assert_eq!(seconds(&seen), [3, 3, 3, 3, 2, 1, 0]);
    let ids: std::collections::BTreeSet<AuditId> = seen.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), 7);
}
