//! What counts as a download, on every surface that gives a skill away.

use axum::http::Request;
use kontor_testkit::{ADMIN, NATIVE, On, TestHub};
use rstest::rstest;

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
