//! How often, how large, from where.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use kontor_front::config::Rate;
use kontor_testkit::{ADMIN, Answer, On, TestHub, with_token};
use rstest::rstest;
use serde_json::json;

const PATH: &str = "/api/kontor/v1/publishers";

async fn from(hub: &TestHub, peer: &str, forwarded: Option<&str>, token: Option<&str>) -> Answer {
    let peer = SocketAddr::new(peer.parse::<IpAddr>().unwrap(), 40_000);
    let mut request = with_token(Request::get(PATH), token).extension(ConnectInfo(peer));
    if let Some(forwarded) = forwarded {
        request = request.header("x-forwarded-for", forwarded);
    }
    hub.send(request, "").await
}

async fn limited(on: On) -> Option<TestHub> {
    TestHub::with(on, |config| {
        config.rates.read = Some(Rate::new(1, 2));
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await
}

#[rstest]
#[tokio::test]
async fn an_address_may_ask_so_often_and_is_told_where_it_stands(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = limited(on).await else { return };
    let first = from(&hub, "203.0.113.7", None, None).await;
    assert_eq!((first.header("ratelimit-limit"), first.header("ratelimit-remaining")), ("2", "1"));
    assert_eq!(from(&hub, "203.0.113.7", None, None).await.header("ratelimit-remaining"), "0");
    let third = from(&hub, "203.0.113.7", None, None).await;
    assert_eq!((third.status, third.json()["code"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("rate_limited")));
    let wait: u64 = third.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(from(&hub, "203.0.113.8", None, None).await.status, StatusCode::OK, "others are not held up");
}

#[rstest]
#[tokio::test]
async fn a_token_is_counted_by_itself(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = limited(on).await else { return };
    for _ in 0..3 {
        from(&hub, "203.0.113.7", None, None).await;
    }
    assert_eq!(from(&hub, "203.0.113.7", None, Some(ADMIN)).await.status, StatusCode::OK);
    from(&hub, "203.0.113.8", None, Some(ADMIN)).await;
    let elsewhere = from(&hub, "203.0.113.9", None, Some(ADMIN)).await;
    assert_eq!(elsewhere.status, StatusCode::TOO_MANY_REQUESTS, "wherever it is used");
}

#[rstest]
#[case::behind_a_proxy("10.0.0.1", Some("203.0.113.7"))]
#[case::behind_two("10.0.0.1", Some("198.51.100.1, 203.0.113.7, 10.2.3.4"))]
#[case::the_same_network("2001:db8::1", None)]
#[case::made_up_by_a_client("203.0.113.7", Some("198.51.100.9"))]
#[tokio::test]
async fn nobody_gets_more_by_saying_they_are_somebody_else(
    #[case] peer: &str,
    #[case] forwarded: Option<&str>,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = limited(on).await else { return };
    let same = |turn: u32| match (peer, forwarded) {
        ("2001:db8::1", _) => (format!("2001:db8::{turn:x}"), None),
        ("203.0.113.7", _) => (peer.to_owned(), Some(format!("198.51.100.{turn}"))),
        (_, Some(chain)) => (peer.to_owned(), Some(format!("192.0.2.{turn}, {chain}"))),
        _ => (peer.to_owned(), None),
    };
    let mut last = StatusCode::OK;
    for turn in 1..=3 {
        let (peer, forwarded) = same(turn);
        last = from(&hub, &peer, forwarded.as_deref(), None).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[rstest]
#[tokio::test]
async fn this_machine_is_not_limited_unless_it_forwards_for_others(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = limited(on).await else { return };
    for _ in 0..5 {
        assert_eq!(from(&hub, "127.0.0.1", None, None).await.status, StatusCode::OK);
    }
    let mut last = StatusCode::OK;
    for _ in 0..3 {
        last = from(&hub, "127.0.0.1", Some("203.0.113.7"), None).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[rstest]
#[tokio::test]
async fn a_body_has_a_largest_size_whether_it_says_so_or_not(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::with(on, |config| config.sizes.small = 100).await else { return };
    let body = json!({"label": "x".repeat(200)}).to_string();
    let request =
        || with_token(Request::post("/api/kontor/v1/tokens"), Some(ADMIN)).header("content-type", "application/json");
    let said = hub.send(request().header("content-length", body.len()), body.clone()).await;
    assert_eq!((said.status, said.json()["code"].as_str()), (StatusCode::PAYLOAD_TOO_LARGE, Some("too_large")));
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>(body.into_bytes())]);
    let unsaid = hub.send(request(), axum::body::Body::from_stream(chunks)).await;
    assert_eq!((unsaid.status, unsaid.json()["code"].as_str()), (StatusCode::PAYLOAD_TOO_LARGE, Some("too_large")));
}

#[rstest]
#[case::this_machine("127.0.0.1", None, StatusCode::OK)]
#[case::elsewhere("203.0.113.7", None, StatusCode::NOT_FOUND)]
#[case::an_administrator("203.0.113.7", Some(ADMIN), StatusCode::OK)]
#[tokio::test]
async fn figures_are_for_operators(
    #[case] peer: &str,
    #[case] token: Option<&str>,
    #[case] expected: StatusCode,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = TestHub::start(on).await else { return };
    from(&hub, "127.0.0.1", None, None).await;
    let peer = SocketAddr::new(peer.parse::<IpAddr>().unwrap(), 40_000);
    let answer = hub.send(with_token(Request::get("/metrics"), token).extension(ConnectInfo(peer)), "").await;
    assert_eq!(answer.status, expected);
    if expected == StatusCode::OK {
        let line = r#"kontor_http_requests_total{method="GET",route="/api/kontor/v1/publishers",status="200"}"#;
        assert!(answer.body.contains(line), "{}", answer.body);
    }
}

#[rstest]
#[tokio::test]
async fn guessing_tokens_gets_slow(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::with(on, |config| config.rates.sign_in = Some(Rate::new(1, 3))).await else { return };
    let mut answers = Vec::new();
    for number in 0..4 {
        answers.push(from(&hub, "203.0.113.7", None, Some(&format!("guess-{number}"))).await.status);
    }
    assert_eq!(answers[2..], [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS]);
    assert_eq!(from(&hub, "203.0.113.7", None, Some(ADMIN)).await.status, StatusCode::OK, "a right one is no guess");
}
