//! Where somebody is signed in with a browser, over the native API.

use axum::http::StatusCode;
use kontor_testkit::{Browser, NATIVE, On, PUBLIC, TestHub};
use rstest::rstest;
use serde_json::json;

#[rstest]
#[tokio::test]
async fn a_browser_lists_its_persons_sessions_and_ends_them(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &[]).await;
    let here = Browser::of(&hub, &ada).await;
    let there = Browser::of(&hub, &ada).await;
    let sessions = format!("{NATIVE}/me/sessions");
    let listed = here.get(&sessions).await;
    assert_eq!(listed.header("cache-control"), "private, no-store");
    let items = listed.json()["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 2);
    let other = items.iter().find(|item| item["current"] == false).unwrap()["id"].as_str().unwrap().to_owned();
    let forged = here.delete(&sessions, "https://evil.example").await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(here.delete(&format!("{sessions}/{other}"), PUBLIC).await.status, StatusCode::NO_CONTENT);
    assert_eq!(there.get(&sessions).await.status, StatusCode::UNAUTHORIZED, "a stale cookie is nobody's");
    let third = Browser::of(&hub, &ada).await;
    let others = here.delete(&format!("{sessions}?others=true"), PUBLIC).await;
    assert_eq!((others.status, others.json()), (StatusCode::OK, json!({"ended": 1})));
    assert_eq!(third.get(&sessions).await.status, StatusCode::UNAUTHORIZED);
    let all = hub.call("DELETE", &sessions, Some(&ada), &json!(null)).await;
    assert_eq!(all.json(), json!({"ended": 1}), "{}", all.body);
    assert_eq!(here.get(&sessions).await.status, StatusCode::UNAUTHORIZED);
}
