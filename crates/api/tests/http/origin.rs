//! Which host was meant, and which page asks.

use axum::http::{Request, StatusCode};
use kontor_testkit::{ADMIN, On, PUBLIC, TestHub, with_token};
use rstest::rstest;

const PATH: &str = "/api/kontor/v1/publishers";

#[rstest]
#[case::public("127.0.0.1:7878", StatusCode::OK)]
#[case::local_name("localhost:7878", StatusCode::OK)]
#[case::another_address("192.168.1.5:7878", StatusCode::OK)]
#[case::ipv6("[::1]:7878", StatusCode::OK)]
#[case::configured("hub.internal", StatusCode::OK)]
#[case::rebound("evil.example:7878", StatusCode::FORBIDDEN)]
#[case::looks_local("localhost.evil.example", StatusCode::FORBIDDEN)]
#[tokio::test]
async fn only_names_of_this_hub_are_answered(
    #[case] host: &str,
    #[case] expected: StatusCode,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = TestHub::with(on, |config| config.hosts = vec!["hub.internal".to_owned()]).await else { return };
    let answer = hub.send(Request::get(PATH).header("host", host), "").await;
    assert_eq!(answer.status, expected, "{}", answer.body);
    let probe = hub.send(Request::get("/healthz").header("host", host), "").await;
    assert_eq!(probe.status, StatusCode::OK, "probes name whatever they like");
}

#[rstest]
#[tokio::test]
async fn any_page_may_read_what_everybody_may_read(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let answer = hub.send(Request::get(PATH).header("origin", "https://other.example"), "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, "*"));
    assert!(answer.header("vary").contains("authorization"));
}

#[rstest]
#[tokio::test]
async fn no_page_of_another_site_may_use_credentials(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let foreign = || Request::get(PATH).header("origin", "https://other.example");
    let token = hub.send(with_token(foreign(), Some(ADMIN)), "").await;
    assert_eq!(token.status, StatusCode::FORBIDDEN);
    let cookie = hub.send(foreign().header("cookie", "kontor_session=x"), "").await;
    assert_eq!(cookie.status, StatusCode::FORBIDDEN);
    for answer in [token, cookie] {
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(answer.json()["code"], "wrong_origin");
    }
    let own = hub.send(with_token(Request::get(PATH), Some(ADMIN)).header("origin", PUBLIC), "").await;
    assert_eq!((own.status, own.header("access-control-allow-origin")), (StatusCode::OK, ""));
    assert_eq!(own.header("cache-control"), "private, no-store");
}

#[rstest]
#[tokio::test]
async fn no_page_of_another_site_may_change_anything(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let request = Request::post("/api/cli/device/code")
        .header("origin", "https://other.example")
        .header("content-type", "application/json");
    assert_eq!(hub.send(request, "{}").await.status, StatusCode::FORBIDDEN);
}

#[rstest]
#[tokio::test]
async fn a_link_from_another_site_still_opens_the_page(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let request = Request::get("/device")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate")
        .header("cookie", "kontor_session=stale")
        .header("accept", "text/html");
    assert_eq!(hub.send(request, "").await.status, StatusCode::OK);
}

#[rstest]
#[tokio::test]
async fn one_local_name_may_ask_from_its_own_page(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let request = |origin: &'static str| {
        Request::post("/api/cli/device/code")
            .header("host", "localhost:7878")
            .header("origin", origin)
            .header("content-type", "application/json")
    };
    assert_eq!(hub.send(request("http://localhost:7878"), "{}").await.status, StatusCode::OK);
    assert_eq!(hub.send(request("http://localhost:3000"), "{}").await.status, StatusCode::FORBIDDEN);
}
