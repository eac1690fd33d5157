//! How the client behaves towards a server that is slow, busy, wrong or somebody else's.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use kontor_client::{Client, Error, ErrorKind};
use kontor_types::{Code, Handle, Slug};
use kontor_wire::{NewPublisher, PlanItem};

/// What a request looked like, as far as the tests ask.
type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

/// A server that answers each request by `answer(number of the request, its path)`.
async fn server(answer: impl Fn(usize, &str) -> Response + Clone + Send + Sync + 'static) -> (String, Seen) {
    let seen = Seen::default();
    let handler = move |State(seen): State<Seen>, request: Request| async move {
        let path = request.uri().path().to_owned();
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push((path.clone(), request.headers().clone()));
            seen.len()
        };
        answer(number, &path)
    };
    let router = Router::new().fallback(handler).with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

fn busy() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], "wait").into_response()
}

fn publisher() -> Response {
    let text = r#"{"handle":"acme","kind":"organisation","name":"Acme","created_at":"2026-01-01T00:00:00Z"}"#;
    ([("content-type", "application/json")], text).into_response()
}

#[tokio::test]
async fn a_busy_hub_is_asked_again_with_the_same_key() {
    let (url, seen) = server(|number, _| if number < 3 { busy() } else { publisher() }).await;
    let client = Client::new(&url, Some("secret")).unwrap();
    let handle = Handle::parse("acme").unwrap();
    client.create_publisher(&NewPublisher { handle: handle.clone(), name: None }).await.unwrap();
    client.create_publisher(&NewPublisher { handle, name: None }).await.unwrap();
    let seen = seen.lock().unwrap();
    let keys: Vec<&str> = seen.iter().map(|(_, headers)| headers["idempotency-key"].to_str().unwrap()).collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3], "{keys:?}");
    assert_eq!(seen[0].1["authorization"], "Bearer secret");
}

#[tokio::test]
async fn a_problem_keeps_its_code_and_hint() {
    let body = r#"{"type":"x","title":"Skill not found","status":404,"code":"skill_not_found","detail":"no such skill","hint":"look"}"#;
    let (url, _) = server(move |_, _| (StatusCode::NOT_FOUND, body).into_response()).await;
    let client = Client::new(&url, None).unwrap();
    let error = client.skill(None, &Slug::parse("pdf").unwrap()).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), (Some(Code::SkillNotFound), ErrorKind::NotFound));
    assert_eq!((error.to_string().as_str(), error.hint().as_deref()), ("no such skill", Some("look")));
}

#[tokio::test]
async fn what_is_no_hub_is_said_to_be_none() {
    let (url, _) = server(|_, _| "<html>hello</html>".into_response()).await;
    let error = Client::new(&url, None).unwrap().whoami().await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }) && error.hint().is_some_and(|hint| hint.contains("--registry")));
    let (url, _) = server(|_, _| (StatusCode::BAD_GATEWAY, "broken").into_response()).await;
    let error = Client::new(&url, None).unwrap().whoami().await.unwrap_err();
    assert_eq!(error.to_string(), format!("{url} answered 502: broken"));
    for address in ["", "hub", "ftp://hub", "file:///etc/passwd", "http://"] {
        assert!(matches!(Client::new(address, None), Err(Error::Address { .. })), "{address}");
    }
}

#[tokio::test]
async fn a_token_does_not_follow_a_redirect_to_another_place() {
    let (other, seen) = server(|_, _| publisher()).await;
    let (url, _) =
        server(move |_, _| (StatusCode::PERMANENT_REDIRECT, [("location", other.clone())], "").into_response()).await;
    let client = Client::new(&url, Some("secret")).unwrap();
    let error = client.publisher(&Handle::parse("acme").unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Unexpected { status: 308, .. }), "{error:?}");
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_renamed_skill_is_found_under_its_new_name() {
    let moved = (StatusCode::PERMANENT_REDIRECT, [("location", "/api/kontor/v1/publishers/new")]);
    let (url, seen) =
        server(move |_, path| if path.ends_with("/old") { moved.into_response() } else { publisher() }).await;
    Client::new(&url, Some("secret")).unwrap().publisher(&Handle::parse("old").unwrap()).await.unwrap();
    assert_eq!(seen.lock().unwrap()[1].1["authorization"], "Bearer secret");
}

#[tokio::test]
async fn an_archive_must_be_what_the_plan_promised() {
    let (url, _) = server(|_, _| "PK other bytes".into_response()).await;
    let client = Client::new(&url, None).unwrap();
    let item = |size: u64| PlanItem {
        reference: "@acme/pdf".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        digest: kontor_types::Digest::of(b"PK promised"),
        size,
        direct: true,
        requires: Vec::new(),
        yanked: false,
        deprecation: None,
        archive: "/api/kontor/v1/skills/acme/pdf/versions/1.0.0/archive".to_owned(),
    };
    assert!(matches!(client.archive(&item(100)).await, Err(Error::Digest { .. })));
    assert!(matches!(client.archive(&item(5)).await, Err(Error::TooLarge { .. })));
}
