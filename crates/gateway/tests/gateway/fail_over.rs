use kontor_access::Caller;
use kontor_db::testing::On;
use kontor_gateway::{Error, Forwarded, Model, Purpose, Route, Settings};
use rstest::rstest;
use serde_json::json;

use crate::upstream::{Say, Upstream};
use crate::world::{World, hello, provider, settings};

/// What the first provider says, whether the second is asked, how often the first is, and what the caller is told.
#[rstest]
#[case::answers(Say::chat("one"), 1, 0, "one")]
#[case::fails_twice(Say::error(500, "server_error"), 2, 1, "two")]
#[case::overloaded(Say::error(529, "overloaded_error"), 2, 1, "two")]
#[case::hangs_up(Say::HangUp, 2, 1, "two")]
#[case::no_json(Say::Answer { status: 200, headers: vec![], body: "<html>".into() }, 2, 1, "two")]
#[case::error_with_200(Say::json(200, &json!({"base_resp": {"status_code": 1002, "status_msg": "busy"}})), 2, 1, "two")]
#[case::rate(Say::error(429, "rate_limit_exceeded").header("retry-after", "60"), 1, 1, "two")]
#[case::empty(Say::error(429, "insufficient_quota"), 1, 1, "two")]
#[case::key(Say::error(401, "invalid_api_key"), 1, 1, "two")]
#[case::no_such_model(Say::error(404, "ModelNotOpen"), 1, 1, "two")]
#[case::too_long(Say::error(400, "context_length_exceeded"), 1, 0, "400")]
#[case::not_valid(Say::json(422, &json!({"code": 7, "message": "no"})), 1, 0, "422")]
#[tokio::test]
async fn the_next_provider_answers_when_the_first_cannot(
    #[case] first: Say,
    #[case] asked_first: usize,
    #[case] asked_second: usize,
    #[case] told: &str,
) {
    let world = World::open(On::Sqlite).await.unwrap();
    let (one, two) = (Upstream::start(vec![first]).await, Upstream::start(vec![Say::chat("two")]).await);
    let providers = vec![
        provider("one", &one).model(Model { upstream: "theirs-1".into(), ..Model::new("small") }),
        provider("two", &two).model(Model { upstream: "theirs-2".into(), ..Model::new("small") }),
    ];
    let gateway = world.gateway(settings(providers));
    let answer = gateway.chat(&Caller::hub(), &Purpose::default(), &hello("small").set("x_own", json!(1))).await;
    assert_eq!((one.heard().len(), two.heard().len()), (asked_first, asked_second));
    match answer {
        Ok(answer) => {
            assert_eq!(answer.text(), told);
            assert_eq!(answer.upstream, if asked_second > 0 { "two/theirs-2" } else { "one/theirs-1" });
            assert_eq!(answer.attempts as usize, asked_first + asked_second);
        }
        Err(Error::Refused { status, body }) => {
            assert_eq!(status.to_string(), told);
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert!(body["error"]["message"].is_string(), "{body}");
        }
        Err(error) => panic!("{error}"),
    }
    let heard = &one.heard()[0];
    assert_eq!(heard.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!((&heard.body["model"], &heard.body["x_own"]), (&json!("theirs-1"), &json!(1)));
}

#[tokio::test]
async fn a_provider_that_asks_to_wait_is_left_alone_and_the_caller_is_told_for_how_long() {
    let world = World::open(On::Sqlite).await.unwrap();
    let one = Upstream::start(vec![Say::error(429, "rate_limited").header("retry-after", "60")]).await;
    let gateway = world.gateway(settings(vec![provider("one", &one).model(Model::new("small"))]));
    for _ in 0..3 {
        let error = gateway.chat(&Caller::hub(), &Purpose::default(), &hello("small")).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (429, "rate_limited"));
        assert!(error.retry_after().is_some_and(|wait| wait.as_secs() >= 58), "{error:?}");
    }
    assert_eq!(one.heard().len(), 1);
}

#[tokio::test]
async fn a_provider_that_fails_often_is_left_alone() {
    let world = World::open(On::Sqlite).await.unwrap();
    let one = Upstream::start(vec![Say::error(500, "server_error")]).await;
    let gateway = world.gateway(settings(vec![provider("one", &one).model(Model::new("small"))]));
    for _ in 0..6 {
        let error = gateway.chat(&Caller::hub(), &Purpose::default(), &hello("small")).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (502, "upstream_failed"));
    }
    assert!(one.heard().len() <= 6, "{}", one.heard().len());
}

#[tokio::test]
async fn one_that_says_nothing_keeps_nobody_else_waiting() {
    let world = World::open(On::Sqlite).await.unwrap();
    let (dead, good) = (Upstream::start(vec![Say::Stall]).await, Upstream::start(vec![Say::chat("here")]).await);
    let mut narrow = provider("dead", &dead).model(Model::new("slow"));
    narrow.concurrency = 1;
    let mut quick = provider("good", &good).model(Model::new("quick"));
    quick.concurrency = 1;
    let gateway = world.gateway(settings(vec![narrow, quick]));
    let (caller, slow) = (Caller::hub(), gateway.clone());
    let stuck = tokio::spawn(async move { slow.chat(&caller, &Purpose::default(), &hello("slow")).await.is_ok() });
    dead.heard_at_least(1).await;
    for _ in 0..20 {
        let answer = gateway.chat(&Caller::hub(), &Purpose::default(), &hello("quick")).await.unwrap();
        assert_eq!(answer.text(), "here");
    }
    assert!(!stuck.is_finished());
    stuck.abort();
}

#[tokio::test]
async fn routes_name_an_order_and_full_names_one_provider() {
    let world = World::open(On::Sqlite).await.unwrap();
    let (one, two) = (Upstream::start(vec![Say::chat("one")]).await, Upstream::start(vec![Say::chat("two")]).await);
    let route = Route { model: "best".into(), to: vec!["two/b".into(), "one/a".into()] };
    let providers = vec![provider("one", &one).model(Model::new("a")), provider("two", &two).model(Model::new("b"))];
    let gateway = world.gateway(Settings { providers, routes: vec![route] });
    let listed: Vec<String> = gateway.models().into_iter().map(|model| model.id).collect();
    assert_eq!(listed, ["best", "a", "b"]);
    for (model, answer) in [("best", "two"), ("one/a", "one"), ("b", "two")] {
        let said = gateway.chat(&Caller::hub(), &Purpose::default(), &hello(model)).await.unwrap();
        assert_eq!(said.text(), answer, "{model}");
    }
    let error = gateway.chat(&Caller::hub(), &Purpose::default(), &hello("none")).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (404, "model_not_found"));
}

#[tokio::test]
async fn keys_are_read_from_a_file_that_only_its_owner_may_read() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::open(On::Sqlite).await.unwrap();
    let one = Upstream::start(vec![Say::chat("one")]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "sk-scripted\n").unwrap();
    let mut keyed = provider("one", &one).model(Model::new("a"));
    keyed.key_file.clone_from(&file);
    let gateway = world.gateway(settings(vec![keyed]));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = gateway.chat(&Caller::hub(), &Purpose::default(), &hello("a")).await.unwrap_err();
    assert_eq!(error.status(), 502);
    assert!(!error.to_string().contains("sk-scripted"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    gateway.chat(&Caller::hub(), &Purpose::default(), &hello("a")).await.unwrap();
    assert!(one.heard()[0].head.contains("authorization: bearer sk-scripted"));
}

#[tokio::test]
async fn nobody_calls_without_a_token_for_it() {
    let world = World::open(On::Sqlite).await.unwrap();
    let one = Upstream::start(vec![Say::chat("one")]).await;
    let gateway = world.gateway(settings(vec![provider("one", &one).model(Model::new("a"))]));
    let mut reader = world.person("ada", Vec::new()).await;
    reader.scopes = vec![kontor_types::Scope::Read];
    for (caller, status) in [(Caller::anonymous(), 401), (reader, 403)] {
        let error = gateway.chat(&caller, &Purpose::default(), &hello("a")).await.unwrap_err();
        assert_eq!(error.status(), status);
    }
    let body = hello("a").set("stream", true.into());
    let bytes = serde_json::to_vec(&json!({"model": "a", "stream": true, "messages": []})).unwrap();
    drop(body);
    assert!(!matches!(
        gateway.forward(&Caller::anonymous(), &Purpose::default(), bytes.into()).await,
        Ok(Forwarded::Stream(_))
    ));
    assert!(one.heard().is_empty());
}
