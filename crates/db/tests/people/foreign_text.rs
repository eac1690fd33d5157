//! Text that somebody else wrote: what no database can hold never reaches one.

use kontor_db::audit_events::{self, Filter, NewEvent};
use kontor_db::idempotency::{self, Answer, Claim};
use kontor_db::{device_logins, settings, tokens};
use kontor_types::{AuditId, Digest, PageSize, Scope, TokenId, Viewer};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{NOW, a_person, add_person};
use crate::support::On;

const FOREIGN: &str = "a\0b";
const STORED: &str = "a\u{fffd}b";

#[rstest]
#[tokio::test]
async fn a_nul_is_replaced_before_any_database_sees_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let ada = a_person("ada");
    add_person(&test.db, &ada).await.unwrap();
    let person = ada.id;
    let token = tokens::Token {
        id: TokenId::new(NOW),
        person_id: person,
        label: FOREIGN.to_owned(),
        scopes: vec![Scope::Read],
        publishers: None,
        created_at: NOW,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    };
    let event = NewEvent {
        id: AuditId::new(NOW),
        at: NOW,
        person: Some(person),
        token: None,
        action: "token.create".to_owned(),
        publisher: None,
        subject: FOREIGN.to_owned(),
        detail: json!({ FOREIGN: [FOREIGN, {"deep": FOREIGN}] }),
        address: None,
        request_id: Some(FOREIGN.to_owned()),
    };
    let answer = Answer { status: 200, headers: vec![("x".to_owned(), FOREIGN.to_owned())], body: vec![0, 255] };
    let (id, kept) = (token.id, answer.clone());
    test.db
        .write(move |tx| {
            Box::pin(async move {
                tokens::insert(tx, &token, &Digest::of(b"secret")).await?;
                audit_events::insert(tx, &event).await?;
                settings::set(tx, FOREIGN, FOREIGN).await?;
                idempotency::claim(tx, person, FOREIGN, &Digest::of(b"one"), NOW, (NOW, NOW)).await?;
                idempotency::answer(tx, person, FOREIGN, &kept).await
            })
        })
        .await
        .unwrap();
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(tokens::by_id(&mut conn, id).await.unwrap().unwrap().label, STORED);
    assert_eq!(settings::get(&mut conn, FOREIGN).await.unwrap().as_deref(), Some(STORED));
    let asked = Filter { subject: Some(FOREIGN.to_owned()), ..Filter::default() };
    let events = audit_events::list(&mut conn, &Viewer::hub(), &asked, None, PageSize::default()).await.unwrap();
    assert_eq!((events.len(), events[0].request_id.as_deref()), (1, Some(STORED)));
    assert_eq!(events[0].detail, json!({ STORED: [STORED, {"deep": STORED}] }));
    assert_eq!(device_logins::waiting(&mut conn, FOREIGN, NOW).await.unwrap(), None);
    let again = test.db.write(move |tx| {
        Box::pin(async move {
            let later = (NOW, NOW.before(std::time::Duration::from_secs(1)));
            idempotency::claim(
                tx,
                person,
                FOREIGN,
                &Digest::of(b"one"),
                NOW.before(std::time::Duration::from_secs(1)),
                later,
            )
            .await
        })
    });
    let headers = vec![("x".to_owned(), STORED.to_owned())];
    assert_eq!(again.await.unwrap(), Claim::Answered(Answer { headers, ..answer }), "its bytes are not text");
}
