//! What happens to every request before and after its handler.

use std::num::NonZeroU32;

use axum::http::{Request, StatusCode};
use kontor_testkit::{ADMIN, On, TestHub};
use rstest::rstest;

#[rstest]
#[case::native("/api/kontor/v1/nothing", "application/json", "application/problem+json")]
#[case::clawhub("/api/v1/nothing", "application/json", "text/plain; charset=utf-8")]
#[case::page("/nothing", "text/html", "text/html; charset=utf-8")]
#[case::anything("/nothing", "*/*", "text/plain; charset=utf-8")]
#[tokio::test]
async fn an_unknown_address_is_refused_as_its_surface_speaks(
    #[case] path: &str,
    #[case] accept: &str,
    #[case] kind: &str,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = TestHub::start(on).await else { return };
    let answer = hub.send(Request::get(path).header("accept", accept), "").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::NOT_FOUND, kind));
    assert_eq!(answer.header("cache-control"), "private, no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[rstest]
#[case::without(None)]
#[case::another(Some("text/plain"))]
#[tokio::test]
async fn a_body_of_another_type_is_not_guessed_at(#[case] kind: Option<&str>) {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let mut request = Request::post("/api/kontor/v1/tokens").header("authorization", format!("Bearer {ADMIN}"));
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let answer = hub.send(request, "{}").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{}", answer.body);
    assert_eq!(answer.json()["code"], "unsupported_media_type");
}

#[rstest]
#[tokio::test]
async fn a_request_id_is_taken_over_when_harmless_and_told_in_errors(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let answer = hub.send(Request::get("/api/kontor/v1/whoami").header("x-request-id", "from-proxy.1"), "").await;
    assert_eq!(answer.header("x-request-id"), "from-proxy.1");
    assert_eq!(answer.json()["request_id"], "from-proxy.1");
    assert_eq!(answer.json()["code"], "unauthenticated");
    let answer = hub.send(Request::get("/healthz").header("x-request-id", "new\tline"), "").await;
    assert_eq!(answer.header("x-request-id").len(), 32);
}

#[rstest]
#[tokio::test]
async fn the_wrong_method_says_which_are_right(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let answer = hub.send(Request::delete("/api/kontor/v1/whoami"), "").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json()["code"], "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[rstest]
#[tokio::test]
async fn the_bearer_is_recognised_and_a_wrong_one_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let answer = hub.get("/api/kontor/v1/whoami", Some(ADMIN)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.json()["handle"], "admin");
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let answer = hub.get("/healthz", Some("wrong")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[rstest]
#[tokio::test]
async fn probes_tell_whether_the_hub_serves(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ready = hub.get("/readyz", None).await;
    assert_eq!((ready.status, ready.body.as_str()), (StatusCode::OK, "ready\n"));
    hub.publish(ADMIN, "@admin/one@1.0.0", "public", "One.").await;
    hub.publish(ADMIN, "@admin/two@1.0.0", "public", "Two.").await;
    hub.hub.app.registry.clone().indexing_by(NonZeroU32::MIN).catch_up().await.unwrap();
    let ready = hub.get("/readyz", None).await;
    let told = "ready\nsearch finds 50 % of the skills so far\n";
    assert_eq!((ready.status, ready.body.as_str()), (StatusCode::OK, told));
    hub.hub.health.set_stopping();
    assert_eq!(hub.get("/readyz", None).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(hub.get("/healthz", None).await.status, StatusCode::OK, "nobody should kill it while it drains");
}
