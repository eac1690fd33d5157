//! Exchanges with servers on loopback; `127.0.0.2` plays the open internet, by an exception.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::TryStreamExt as _;
use futures::future::BoxFuture;
use http::header;
use kontor_outbound::{Class, Error, Names, Outbound, Policy};
use rstest::rstest;
use support::{Answer, Server, ok, redirect};

const OUTSIDE: &str = "127.0.0.2";
const INSIDE: &str = "127.0.0.1";

fn policy() -> Policy {
    Policy::default().allow(OUTSIDE.parse().unwrap())
}

async fn start(address: &str, answers: Vec<(&'static str, Answer)>) -> Server {
    Server::start(address.parse().unwrap(), answers).await
}

/// Answers with the next address of a list each time, and then with the last for ever.
#[derive(Clone)]
struct Turns(Vec<Vec<IpAddr>>, Arc<AtomicUsize>);

impl Turns {
    fn new(turns: &[&[&str]]) -> Self {
        let turns = turns.iter().map(|turn| turn.iter().map(|address| address.parse().unwrap()).collect());
        Self(turns.collect(), Arc::default())
    }
}

impl Names for Turns {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
        let answer = self.0[turn].clone();
        Box::pin(async move { Ok(answer) })
    }
}

#[tokio::test]
async fn what_is_allowed_is_fetched() {
    let server = start(OUTSIDE, vec![("/a", Answer::Bytes(ok("{\"words\":3}")))]).await;
    let outbound = Outbound::new(policy()).unwrap();
    let response = outbound.get(&server.url("/a")).unwrap().send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "11");
    assert_eq!(response.bytes().await.unwrap(), "{\"words\":3}");
    let value: serde_json::Value = outbound.get(&server.url("/a")).unwrap().send().await.unwrap().json().await.unwrap();
    assert_eq!(value["words"], 3);
    assert!(server.requests()[0].contains("user-agent: kontor/"));
}

#[rstest]
#[case::loopback("http://127.0.0.1/", Class::Loopback)]
#[case::short_loopback("http://127.1/", Class::Loopback)]
#[case::decimal_loopback("http://2130706433/", Class::Loopback)]
#[case::hexadecimal_loopback("http://0x7f000001/", Class::Loopback)]
#[case::octal_loopback("http://0177.0.0.1/", Class::Loopback)]
#[case::full_width_loopback("http://１２７.0.0.1/", Class::Loopback)]
#[case::ipv6_loopback("http://[::1]/", Class::Loopback)]
#[case::mapped_loopback("http://[::ffff:127.0.0.1]/", Class::Loopback)]
#[case::metadata("http://169.254.169.254/latest/meta-data/", Class::LinkLocal)]
#[case::private("https://10.0.0.1/", Class::Private)]
#[case::any("http://0.0.0.0/", Class::Unspecified)]
fn an_address_in_the_url_is_refused_before_anything_is_sent(#[case] url: &str, #[case] expected: Class) {
    let outbound = Outbound::new(policy()).unwrap();
    let error = outbound.get(url).unwrap_err();
    assert!(matches!(error, Error::Refused { class, .. } if class == expected), "{error}");
}

#[rstest]
#[case::file("file:///etc/passwd")]
#[case::ftp("ftp://example.com/")]
#[case::data("data:text/plain,hello")]
#[case::gopher("gopher://127.0.0.1:70/")]
fn only_http_is_spoken(#[case] url: &str) {
    assert!(matches!(Outbound::new(policy()).unwrap().get(url), Err(Error::Scheme { .. })));
}

#[tokio::test]
async fn a_name_is_refused_by_the_address_behind_it() {
    let server = start(INSIDE, vec![]).await;
    let port = server.address.port();
    for name in ["localhost", "LOCALHOST"] {
        let outbound = Outbound::new(policy()).unwrap();
        let error = outbound.get(&format!("http://{name}:{port}/")).unwrap().send().await.unwrap_err();
        assert!(matches!(error, Error::Refused { class: Class::Loopback, .. }), "{name}: {error:?}");
    }
    assert!(server.requests().is_empty());
    let outbound = Outbound::new(policy().allow("localhost".parse().unwrap())).unwrap();
    outbound.get(&format!("http://localhost:{port}/")).unwrap().send().await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn one_forbidden_address_among_good_ones_is_enough() {
    let server = start(OUTSIDE, vec![]).await;
    let outbound = Outbound::with_names(policy(), Turns::new(&[&[OUTSIDE, "10.0.0.1"]])).unwrap();
    let url = format!("http://mixed.example:{}/", server.address.port());
    let error = outbound.get(&url).unwrap().send().await.unwrap_err();
    assert!(matches!(error, Error::Refused { class: Class::Private, .. }), "{error:?}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    let outside = start(OUTSIDE, vec![]).await;
    let port = outside.address.port();
    // The same port inside, so that only the address decides who is reached.
    let inside = tokio::net::TcpListener::bind((INSIDE, port)).await.unwrap();
    let names = Turns::new(&[&[OUTSIDE], &[INSIDE]]);
    let outbound = Outbound::with_names(policy(), names.clone()).unwrap();
    let url = format!("http://rebinding.example:{port}/");
    outbound.get(&url).unwrap().send().await.unwrap();
    assert_eq!(names.1.load(Ordering::SeqCst), 1, "one lookup serves the look and the connection");
    let error = outbound.get(&url).unwrap().send().await.unwrap_err();
    assert!(matches!(error, Error::Refused { class: Class::Loopback, .. }), "{error:?}");
    let reached = tokio::time::timeout(Duration::from_millis(50), inside.accept()).await;
    assert!(reached.is_err(), "nobody came to the inner server");
}

#[tokio::test]
async fn a_name_without_address_is_said_so() {
    let outbound = Outbound::with_names(policy(), Turns::new(&[&[]])).unwrap();
    let error = outbound.get("http://nowhere.example/").unwrap().send().await.unwrap_err();
    assert!(matches!(error, Error::Resolve { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_to_the_inside_is_refused() {
    let inside = start(INSIDE, vec![("/secret", Answer::Bytes(ok("secret")))]).await;
    let by_address = inside.url("/secret");
    let by_name = format!("http://localhost:{}/secret", inside.address.port());
    let answers = vec![
        ("/address", Answer::Bytes(redirect(&by_address))),
        ("/name", Answer::Bytes(redirect(&by_name))),
        ("/file", Answer::Bytes(redirect("file:///etc/passwd"))),
        ("/twice", Answer::Bytes(redirect("/address"))),
    ];
    let outside = start(OUTSIDE, answers).await;
    let outbound = Outbound::new(policy()).unwrap();
    for path in ["/address", "/name", "/twice"] {
        let error = outbound.get(&outside.url(path)).unwrap().send().await.unwrap_err();
        assert!(matches!(error, Error::Refused { class: Class::Loopback, .. }), "{path}: {error:?}");
    }
    let error = outbound.get(&outside.url("/file")).unwrap().send().await.unwrap_err();
    assert!(matches!(error, Error::Scheme { .. }), "{error:?}");
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn redirects_are_followed_but_not_for_ever() {
    let answers = vec![
        ("/start", Answer::Bytes(redirect("/end"))),
        ("/end", Answer::Bytes(ok("there"))),
        ("/circle", Answer::Bytes(redirect("/circle"))),
    ];
    let server = start(OUTSIDE, answers).await;
    let outbound = Outbound::new(policy()).unwrap();
    let response = outbound.get(&server.url("/start")).unwrap().send().await.unwrap();
    assert_eq!(response.url().path(), "/end");
    assert_eq!(response.text().await.unwrap(), "there");
    let error = outbound.get(&server.url("/circle")).unwrap().send().await.unwrap_err();
    assert!(matches!(error, Error::Redirects { limit: 5, .. }), "{error:?}");
    assert_eq!(server.requests().len(), 2 + 6);
    let posted = outbound.post(&server.url("/start")).unwrap().body("{}").send().await.unwrap();
    assert_eq!(posted.status(), 302, "what was posted is not posted again elsewhere");
}

#[tokio::test]
async fn a_token_stays_with_the_origin_it_was_meant_for() {
    let other = start(OUTSIDE, vec![]).await;
    let away = redirect(&other.url("/"));
    let first = start(OUTSIDE, vec![("/away", Answer::Bytes(away)), ("/near", Answer::Bytes(redirect("/")))]).await;
    let outbound = Outbound::new(policy()).unwrap();
    for path in ["/away", "/near"] {
        let request = outbound.get(&first.url(path)).unwrap();
        let request = request.header(header::AUTHORIZATION, "Bearer secret".parse().unwrap());
        request.header(header::ACCEPT, "text/plain".parse().unwrap()).send().await.unwrap();
    }
    let [away] = other.requests().try_into().unwrap();
    assert!(!away.contains("secret") && away.contains("accept: text/plain"), "{away}");
    assert!(first.requests().iter().all(|request| request.contains("Bearer secret")));
}

#[tokio::test]
async fn a_body_is_cut_at_the_limit() {
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1_000_000_000_000_u64);
    let answers = vec![("/announced", Answer::Bytes(announced)), ("/endless", Answer::Endless)];
    let server = start(OUTSIDE, answers).await;
    let outbound = Outbound::new(policy()).unwrap();
    let error = outbound.get(&server.url("/announced")).unwrap().send().await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "refused before the body: {error:?}");
    let response = outbound.get(&server.url("/endless")).unwrap().limit(10_000).send().await.unwrap();
    assert!(matches!(response.bytes().await, Err(Error::TooLarge { limit: 10_000, .. })));
    let response = outbound.get(&server.url("/endless")).unwrap().limit(10_000).send().await.unwrap();
    let mut read = 0;
    let streamed = response.stream().try_for_each(|piece| {
        read += piece.len();
        async { Ok(()) }
    });
    assert!(matches!(streamed.await, Err(Error::TooLarge { .. })));
    assert!(read <= 10_000);
}

#[tokio::test]
async fn an_exchange_ends_in_time() {
    let server = start(OUTSIDE, vec![("/silent", Answer::Silence), ("/endless", Answer::Endless)]).await;
    let outbound = Outbound::new(policy()).unwrap();
    let short = Duration::from_millis(100);
    let silent = outbound.get(&server.url("/silent")).unwrap().timeout(short).send().await;
    assert!(matches!(silent, Err(Error::Timeout { .. })));
    let endless = outbound.get(&server.url("/endless")).unwrap().timeout(short).limit(u64::MAX).send().await.unwrap();
    let drained = endless.stream().try_for_each(|_| async { Ok(()) }).await;
    assert!(matches!(drained, Err(Error::Timeout { .. })));
}

#[tokio::test]
async fn a_message_does_not_repeat_what_may_be_secret() {
    let free = tokio::net::TcpListener::bind((OUTSIDE, 0)).await.unwrap().local_addr().unwrap();
    let outbound = Outbound::new(policy()).unwrap();
    let url = format!("http://user:hunter2@{free}/path?token=hunter2");
    let error = outbound.get(&url).unwrap().send().await.unwrap_err();
    let shown = format!("{error} {error:?} {:?}", std::error::Error::source(&error).map(ToString::to_string));
    assert!(matches!(error, Error::Exchange { .. }) && !shown.contains("hunter2"), "{shown}");
}
