use kontor_access::Caller;
use kontor_db::testing::On;
use kontor_gateway::{By, EventStream, Forwarded, Gateway, Model, Purpose, UsageQuery};
use rstest::rstest;
use serde_json::{Value, json};

use crate::upstream::{After, Say, Upstream, chunk, event};
use crate::world::{World, dear, of, provider, settings, usd};

async fn open(gateway: &Gateway, caller: &Caller, body: &Value) -> EventStream {
    let bytes = body.to_string().into();
    let Forwarded::Stream(stream) = gateway.forward(caller, &Purpose::default(), bytes).await.unwrap() else {
        unreachable!("a stream was asked for")
    };
    *stream
}

async fn all(mut stream: EventStream) -> String {
    let mut text = String::new();
    while let Some(bytes) = stream.next().await {
        text.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    text
}

fn body(wants_usage: bool) -> Value {
    let mut body = json!({"model": "small", "messages": [], "stream": true});
    if wants_usage {
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

#[rstest]
#[case::not_asked(false)]
#[case::asked(true)]
#[tokio::test]
async fn use_is_always_asked_for_and_told_only_to_who_asked(#[case] wants_usage: bool) {
    let world = World::open(On::Sqlite).await.unwrap();
    let one = Upstream::start(vec![Say::words(&["a", "b"])]).await;
    let gateway = world.gateway(settings(vec![provider("one", &one).model(Model::new("small"))]));
    let text = all(open(&gateway, &Caller::hub(), &body(wants_usage)).await).await;
    assert_eq!(one.heard()[0].body["stream_options"], json!({"include_usage": true}));
    assert_eq!(text.contains("prompt_tokens"), wants_usage, "{text}");
    assert!(text.ends_with("data: [DONE]\n\n") && text.matches("[DONE]").count() == 1, "{text}");
    let lines = gateway.usage(&Caller::hub(), &UsageQuery::default()).await.unwrap();
    assert_eq!((lines[0].prompt, lines[0].completion, lines[0].estimated), (12, 2, 0));
}

#[tokio::test]
async fn streams_that_are_not_as_they_should_be_are_put_right() {
    let world = World::open(On::Sqlite).await.unwrap();
    let parts = vec![
        ": keep-alive\n\n".to_owned(),
        "\n\n".to_owned(),
        chunk(&json!({"role": "assistant"}), None),
        chunk(&json!({"content": "hello there"}), None).replace('\n', "\r\n"),
        chunk(&json!({}), Some("stop")),
    ];
    let one = Upstream::start(vec![Say::Events { parts, and: After::End }]).await;
    let gateway = world.gateway(settings(vec![provider("one", &one).model(Model::new("small"))]));
    let text = all(open(&gateway, &Caller::hub(), &body(true)).await).await;
    assert!(text.starts_with(": keep-alive\n\n"), "{text}");
    assert!(text.contains("hello there") && text.contains("\"estimated\":true"), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    let lines = gateway.usage(&Caller::hub(), &UsageQuery::default()).await.unwrap();
    assert_eq!(lines[0].estimated, 1);
}

#[rstest]
#[case::cut(After::Cut)]
#[case::ended(After::End)]
#[tokio::test]
async fn a_stream_that_breaks_says_so_and_is_not_begun_again(#[case] and: After) {
    let world = World::open(On::Sqlite).await.unwrap();
    let parts = vec![chunk(&json!({"content": "half"}), None)];
    let (one, two) =
        (Upstream::start(vec![Say::Events { parts, and }]).await, Upstream::start(vec![Say::words(&["x"])]).await);
    let providers =
        vec![provider("one", &one).model(Model::new("small")), provider("two", &two).model(Model::new("small"))];
    let gateway = world.gateway(settings(providers));
    let text = all(open(&gateway, &Caller::hub(), &body(false)).await).await;
    assert!(text.contains("half") && text.contains("\"error\"") && !text.contains("[DONE]"), "{text}");
    assert!(two.heard().is_empty());
}

#[rstest]
#[case::status(Say::error(500, "server_error"))]
#[case::error_event(Say::Events { parts: vec![event(&json!({"error": {"message": "busy", "code": "overloaded"}}))], and: After::End })]
#[case::cut_before_an_event(Say::Events { parts: vec![": hi\n\n".into()], and: After::Cut })]
#[case::no_stream(Say::json(200, &json!({"base_resp": {"status_code": 1002}})))]
#[tokio::test]
async fn before_the_first_event_the_next_provider_is_asked(#[case] first: Say) {
    let world = World::open(On::Sqlite).await.unwrap();
    let (one, two) = (Upstream::start(vec![first]).await, Upstream::start(vec![Say::words(&["second"])]).await);
    let providers =
        vec![provider("one", &one).model(Model::new("small")), provider("two", &two).model(Model::new("small"))];
    let gateway = world.gateway(settings(providers));
    let text = all(open(&gateway, &Caller::hub(), &body(false)).await).await;
    assert!(text.contains("second") && !text.contains("error"), "{text}");
}

#[tokio::test]
async fn whoever_leaves_a_stream_pays_for_what_came() {
    let world = World::open(On::Sqlite).await.unwrap();
    let parts = (0..10).map(|_| chunk(&json!({"content": "four"}), None)).collect();
    let one = Upstream::start(vec![Say::Events { parts, and: After::Stall }]).await;
    let gateway = world.gateway(settings(vec![provider("one", &one).model(dear("small"))]));
    let ada = world.person("ada", Vec::new()).await;
    gateway.set_budget(&Caller::hub(), &of(&ada), usd(1_000_000)).await.unwrap();
    let mut stream = open(&gateway, &ada, &body(false)).await;
    let mut text = String::new();
    while text.matches("four").count() < 10 {
        text.push_str(std::str::from_utf8(&stream.next().await.unwrap()).unwrap());
    }
    drop(stream);
    assert_eq!(gateway.budget(&ada, &of(&ada)).await.unwrap().remove(0).spent, usd(1_000));
    let lines = gateway.usage(&ada, &UsageQuery { by: vec![By::Upstream], ..UsageQuery::default() }).await.unwrap();
    assert_eq!((lines[0].upstream.as_str(), lines[0].completion, lines[0].estimated), ("one/small", 10, 1));
}
