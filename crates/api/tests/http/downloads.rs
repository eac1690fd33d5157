//! What counts as a download, on every surface that gives a skill away.

use axum::http::Request;
use kontor_testkit::{ADMIN, NATIVE, On, TestHub};
use rstest::rstest;
use serde_json::json;

async fn downloads(hub: &TestHub) -> u64 {
    hub.hub.app.registry.flush_usage().await.unwrap();
    hub.get(&format!("{NATIVE}/skills/admin/meter"), None).await.json()["counts"]["downloads"].as_u64().unwrap()
}

#[rstest]
#[case::native("/api/kontor/v1/skills/admin/meter/versions/1.0.0/archive")]
#[case::clawhub("/api/v1/download?slug=meter&ownerHandle=admin")]
#[case::discovery("/@admin/meter/.well-known/agent-skills/meter.zip")]
#[tokio::test]
async fn a_whole_download_counts_and_a_look_a_part_or_a_known_copy_does_not(
    #[case] path: &str,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = TestHub::start(on).await else { return };
    hub.publish(ADMIN, "@admin/meter@1.0.0", "public", "Read the meter.").await;
    let whole = hub.get(path, None).await;
    assert_eq!((whole.status.as_u16(), downloads(&hub).await), (200, 1), "{}", whole.body);
    let look = hub.send(Request::head(path), "").await;
    let part = hub.send(Request::get(path).header("range", "bytes=0-0"), "").await;
    let known = hub.send(Request::get(path).header("if-none-match", whole.header("etag")), "").await;
    assert_eq!([look, part, known].map(|answer| answer.status.as_u16()), [200, 206, 304]);
    assert_eq!(downloads(&hub).await, 1);
    let changed = hub.send(Request::get(path).header("if-none-match", "\"another\""), "").await;
    assert_eq!((changed.status.as_u16(), downloads(&hub).await), (200, 2));
}

#[rstest]
#[case::native("/api/kontor/v1/skills/admin/meter/versions/1.0.0/archive")]
#[case::clawhub("/api/v1/download?slug=meter&ownerHandle=admin&version=1.0.0")]
#[case::bare("/api/v1/download?slug=meter&version=1.0.0")]
#[case::discovery("/@admin/meter/.well-known/agent-skills/meter.zip")]
#[tokio::test]
async fn a_kept_answer_holds_no_longer_than_the_facts_it_was_made_of(
    #[case] path: &str,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = TestHub::start(on).await else { return };
    hub.publish(ADMIN, "@admin/meter@1.0.0", "public", "Read the meter.").await;
    let answer = || hub.get(path, None);
    let (first, again) = (answer().await, answer().await);
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 200), "{}", first.body);
    assert_eq!((first.header("etag"), first.body.clone()), (again.header("etag"), again.body.clone()));
    let skill = format!("{NATIVE}/skills/admin/meter");
    let to = async |visibility: &str| {
        let changed = hub.call("PATCH", &skill, Some(ADMIN), &json!({ "visibility": visibility })).await;
        assert!(changed.status.is_success(), "{}", changed.body);
    };
    to("private").await;
    assert_eq!(answer().await.status.as_u16(), 404);
    let own = hub.get(path, Some(ADMIN)).await;
    assert_eq!((own.status.as_u16(), own.header("cache-control")), (200, "private, no-store"));
    assert_eq!(answer().await.status.as_u16(), 404, "what its owner got is nobody else's");
    to("public").await;
    let open = answer().await;
    assert_eq!((open.status.as_u16(), open.header("cache-control")), (200, again.header("cache-control")));
    let yanked = hub.call("POST", &format!("{skill}/versions/1.0.0/yank"), Some(ADMIN), &json!({})).await;
    assert!(yanked.status.is_success(), "{}", yanked.body);
    let deleted = hub.call("DELETE", &skill, Some(ADMIN), &json!({})).await;
    assert!(deleted.status.is_success(), "{}", deleted.body);
    assert_eq!(answer().await.status.as_u16(), 404);
}
