//! Models as clients of OpenAI see them, and what the hub counts of it.

use axum::http::Request;
use kontor_gateway::{Model, Provider};
use kontor_testkit::upstream::{Say, Upstream};
use kontor_testkit::{ADMIN, NATIVE, On, TestHub, with_token};
use rstest::rstest;
use serde_json::{Value, json};

const CHAT: &str = "/openai/v1/chat/completions";

async fn hub(on: On, upstream: &Upstream) -> Option<TestHub> {
    let priced = Model::new("small").priced("USD", "1", "10");
    let provider = Provider::new("scripted", &upstream.url()).model(priced).model(Model::new("free/one"));
    TestHub::set(on, |settings| settings.models.providers.push(provider), |_| {}).await
}

fn hello(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello"}]})
}

#[rstest]
#[tokio::test]
async fn answers_streams_and_errors_look_as_clients_of_openai_expect(#[values(On::Sqlite, On::Postgres)] on: On) {
    let upstream = Upstream::start(vec![
        Say::chat("hi").header("x-theirs", "1"),
        Say::words(&["a", "b"]),
        Say::error(400, "context_length_exceeded"),
        Say::error(429, "rate_limited").header("retry-after", "30"),
    ])
    .await;
    let Some(hub) = hub(on, &upstream).await else { return };
    let ada = hub.person("ada", &["read", "models"]).await;
    let answer = hub.call("POST", CHAT, Some(&ada), &hello("small")).await;
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "hi", "{}", answer.body);
    assert!(!answer.header("x-request-id").is_empty());
    assert_eq!((answer.header("kontor-upstream"), answer.header("x-theirs")), ("scripted/small", ""));
    let mut body = hello("small");
    body["stream"] = true.into();
    let answer = hub.call("POST", CHAT, Some(&ada), &body).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert!(answer.body.ends_with("data: [DONE]\n\n") && !answer.body.contains("prompt_tokens"), "{}", answer.body);
    let answer = hub.call("POST", CHAT, Some(&ada), &hello("small")).await;
    let error = &answer.json()["error"];
    assert_eq!((answer.status.as_u16(), error["code"].as_str()), (400, Some("context_length_exceeded")));
    let answer = hub.call("POST", CHAT, Some(&ada), &hello("small")).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "30"));
    assert_eq!(answer.json()["error"]["type"], "rate_limit_error");

    let used = hub.get(&format!("{NATIVE}/usage?by=person,model"), Some(&ada)).await.json();
    assert_eq!(
        used["items"],
        json!([{
            "person": "ada", "model": "small", "calls": 4, "failed": 2, "estimated": 0, "prompt_tokens": 24,
            "cached_tokens": 0, "completion_tokens": 7, "currency": "USD", "cost_micros": 94,
        }])
    );
}

#[tokio::test]
async fn nobody_is_served_who_may_not_be_and_each_is_told_why() {
    let upstream = Upstream::start(vec![Say::chat("hi")]).await;
    let hub = hub(On::Sqlite, &upstream).await.unwrap();
    let ada = hub.person("ada", &["read", "models"]).await;
    let reader = hub.person("bob", &["read", "run"]).await;
    for (token, body, status, kind, code) in [
        (None, hello("small"), 401, "authentication_error", "unauthenticated"),
        (Some("kontor_none"), hello("small"), 401, "authentication_error", "unauthenticated"),
        (Some(reader.as_str()), hello("small"), 403, "permission_error", "forbidden"),
        (Some(ada.as_str()), hello("other"), 404, "not_found_error", "model_not_found"),
        (Some(ada.as_str()), json!({"model": "small"}), 400, "invalid_request_error", "invalid_request"),
    ] {
        let answer = hub.call("POST", CHAT, token, &body).await;
        let error = answer.json()["error"].clone();
        assert_eq!(
            (answer.status.as_u16(), &error["type"], &error["code"]),
            (status, &json!(kind), &json!(code)),
            "{}",
            answer.body
        );
        assert!(error["message"].is_string() && error.get("param").is_some());
    }
    let cookie = with_token(Request::post(CHAT), None).header("cookie", "kontor_session=x");
    assert_eq!(hub.send(cookie, hello("small").to_string()).await.status, 401);
    let large = format!(r#"{{"model": "small", "messages": [], "x": "{}"}}"#, "x".repeat(17 << 20));
    let request = with_token(Request::post(CHAT), Some(&ada)).header("content-type", "application/json");
    assert_eq!(hub.send(request, large).await.status, 413);
    assert!(upstream.heard().is_empty());
    let listed = hub.get("/openai/v1/models", Some(&ada)).await.json();
    assert_eq!(
        (&listed["object"], &listed["data"][0]["id"], &listed["data"][0]["owned_by"]),
        (&json!("list"), &json!("small"), &json!("scripted"))
    );
    assert_eq!(hub.get("/openai/v1/models/free/one", Some(&ada)).await.json()["id"], "free/one");
    assert_eq!(hub.get("/openai/v1/models/none", Some(&ada)).await.status, 404);
    assert_eq!(hub.get("/openai/v1/models", None).await.status, 401);
}

#[tokio::test]
async fn a_budget_that_is_spent_is_402() {
    let upstream = Upstream::start(vec![Say::chat("hi")]).await;
    let hub = hub(On::Sqlite, &upstream).await.unwrap();
    let ada = hub.person("ada", &["read", "models"]).await;
    let path = format!("{NATIVE}/budgets/person:ada");
    assert_eq!(hub.call("PUT", &path, Some(&ada), &json!({"limit": "1", "currency": "USD"})).await.status, 403);
    for limit in ["-1", "0.001", "1e3", "NaN", "99999999999999999999"] {
        let answer = hub.call("PUT", &path, Some(ADMIN), &json!({"limit": limit, "currency": "USD"})).await;
        assert_eq!(answer.status, 400, "{limit}");
    }
    let set = hub.call("PUT", &path, Some(ADMIN), &json!({"limit": "0.01", "currency": "USD"})).await.json();
    assert_eq!((&set["owner"], &set["limit"], &set["free"]), (&json!("person:ada"), &json!("0.01"), &json!("0.01")));
    let answer = hub.call("POST", CHAT, Some(&ada), &hello("small")).await;
    let error = &answer.json()["error"];
    assert_eq!(
        (answer.status.as_u16(), &error["code"], &error["type"]),
        (402, &json!("budget_spent"), &json!("insufficient_quota"))
    );
    let mut short = hello("small");
    short["max_tokens"] = 5.into();
    assert_eq!(hub.call("POST", CHAT, Some(&ada), &short).await.status, 200);
    let shown = hub.get(&path, Some(&ada)).await.json();
    assert_eq!((&shown["items"][0]["spent"], &shown["items"][0]["held"]), (&json!("0.01"), &json!("0.00")));
    assert_eq!(hub.call("DELETE", &path, Some(ADMIN), &Value::Null).await.status, 204);
    let answer = hub.call("POST", CHAT, Some(&ada), &short).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]["code"]), (402, &json!("budget_closed")));
}

#[tokio::test]
async fn a_policy_says_who_may_call_what_and_a_providers_key_may_be_a_sealed_secret() {
    let upstream = Upstream::start(vec![Say::chat("hi")]).await;
    let mut provider = Provider::new("keyed", &upstream.url()).model(Model::new("small"));
    provider.key_secret = "@acme/OPENAI_KEY".to_owned();
    let hub = TestHub::set(On::Sqlite, |settings| settings.models.providers.push(provider), |_| {}).await.unwrap();
    let (ada, eve) = (hub.person("ada", &[]).await, hub.person("eve", &[]).await);
    let made = hub.call("POST", &format!("{NATIVE}/publishers"), Some(&ada), &json!({"handle": "acme"})).await;
    assert!(made.status.is_success(), "{}", made.body);
    assert_eq!(hub.call("POST", CHAT, Some(&ada), &hello("small")).await.status, 502);
    let secret = format!("{NATIVE}/publishers/acme/secrets/OPENAI_KEY");
    let set = hub.call("PUT", &secret, Some(&ada), &json!({"value": "sk-sealed-key"})).await;
    assert!(set.status.is_success(), "{}", set.body);
    let balanced = kontor_access::policy::preset("balanced").unwrap();
    let own = "\n@id(\"acme-only\")\nforbid (principal, action == Action::\"use_model\", resource)\nwhen { resource.providers.contains(\"keyed\") && !principal.organisations.contains(\"acme\") };\n";
    let policy = json!({"text": format!("{balanced}{own}")});
    let set = hub.call("PUT", &format!("{NATIVE}/policy"), Some(ADMIN), &policy).await;
    assert!(set.status.is_success(), "{}", set.body);
    hub.hub.app.gateway.look().await.unwrap();
    let answer = hub.call("POST", CHAT, Some(&ada), &hello("small")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(upstream.heard()[0].head.contains("authorization: bearer sk-sealed-key"));
    let refused = hub.call("POST", CHAT, Some(&eve), &hello("small")).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]["code"]), (403, &json!("policy_forbids")));
}
