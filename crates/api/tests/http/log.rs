//! The transparency log as it is served, and the proofs that point into it.

use axum::http::StatusCode;
use http::Request;
use kontor_testkit::{ADMIN, NATIVE, On, TestHub, skill, with_token};
use kontor_translog::{ProofFile, Trust, verify};
use kontor_types::Outcome;
use rstest::rstest;
use serde_json::json;

/// A hub with a public skill, a private one of the same bytes, and a version that was withdrawn and brought back.
async fn hub(on: On) -> Option<TestHub> {
    let hub = TestHub::start(on).await?;
    let made = hub.call("POST", &format!("{NATIVE}/publishers"), Some(ADMIN), &json!({"handle": "acme"})).await;
    assert!(made.status.is_success(), "{}", made.body);
    hub.publish(ADMIN, "@acme/open@1.0.0", "public", "The same text.").await;
    let query = "slug=undercover&visibility=private&version=1.0.0";
    let request = Request::post(format!("{NATIVE}/publishers/acme/skills?{query}"));
    let request = with_token(request, Some(ADMIN)).header("content-type", "application/zip");
    let private = hub.send(request, skill("open", "The same text.").bytes).await;
    assert!(private.status.is_success(), "{}", private.body);
    for change in ["yank", "restore"] {
        let path = format!("{NATIVE}/skills/acme/open/versions/1.0.0/{change}");
        let changed = hub.call("POST", &path, Some(ADMIN), &json!({"reason": "a mistake"})).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    }
    hub.catch_up().await;
    Some(hub)
}

#[rstest]
#[tokio::test]
async fn everything_done_to_a_version_is_proven_and_nothing_else_is_told(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = hub(on).await else { return };
    let answer = hub.get(&format!("{NATIVE}/skills/acme/open/versions/1.0.0/proof"), None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let file = ProofFile::parse(answer.body.as_bytes()).unwrap();
    let keys = hub.get("/log/keys", None).await.json();
    let log_keys = keys["histories"][0]["keys"].as_array().unwrap();
    let log_keys: Vec<_> = log_keys.iter().map(|key| key.as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(file.log_keys, log_keys);

    let trust = Trust { log_keys, digest: file.subject, ..Trust::default() };
    let report = verify(&file, &trust);
    assert!(report.holds(), "{report:#?}");
    assert_eq!(report.with(Outcome::Passed).filter(|check| check.name == "inclusion").count(), 5);
    let other = Trust { digest: Some(kontor_types::Digest::of(b"other bytes")), ..trust };
    assert!(!verify(&file, &other).holds());

    let said: Vec<_> = file.statements.iter().map(|proven| statement(&proven.statement)).collect();
    let kinds: Vec<_> = said.iter().map(|said| said["predicateType"].as_str().unwrap()).collect();
    let expected = [
        "https://slsa.dev/provenance/v1",
        "urn:kontor:statement:scan:v1",
        "urn:kontor:statement:decision:v1",
        "urn:kontor:statement:yank:v1",
        "urn:kontor:statement:unyank:v1",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(said[0]["subject"][0]["name"], "@acme/open@1.0.0");
    assert_eq!(said[2]["predicate"]["outcome"], "admit");
    assert_eq!(said[2]["predicate"]["scan"]["verdict"], "clean");
    assert_eq!(said[3]["predicate"]["reason"], "a mistake");
    assert!(!said.iter().any(|said| said.to_string().contains("undercover")), "the private twin is not told");
    let private = hub.get(&format!("{NATIVE}/skills/acme/undercover/versions/1.0.0/proof"), None).await;
    assert_eq!(private.status, StatusCode::NOT_FOUND);
    let own = hub.get(&format!("{NATIVE}/skills/acme/undercover/versions/1.0.0/proof"), Some(ADMIN)).await;
    assert_eq!(ProofFile::parse(own.body.as_bytes()).unwrap().statements.len(), 3, "{}", own.body);
}

/// What an envelope holds.
fn statement(envelope: &str) -> serde_json::Value {
    let envelope = kontor_crypto::Envelope::parse(envelope.as_bytes()).unwrap();
    serde_json::from_slice(&envelope.payload().unwrap()).unwrap()
}

#[tokio::test]
async fn the_log_is_served_as_static_files_that_caches_may_keep() {
    let hub = hub(On::Sqlite).await.unwrap();
    let checkpoint = hub.get("/log/checkpoint", None).await;
    assert_eq!(checkpoint.status, StatusCode::OK);
    assert!(checkpoint.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(checkpoint.headers["cache-control"], "public, no-cache");
    let lines: Vec<_> = checkpoint.body.lines().collect();
    assert_eq!(lines[1], "8", "{}", checkpoint.body);

    let tile = hub.get("/log/tile/0/000.p/8", None).await;
    assert_eq!(tile.status, StatusCode::OK);
    assert_eq!(tile.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(hub.get("/log/tile/entries/000.p/8", None).await.status, StatusCode::OK);
    let tag = tile.headers["etag"].to_str().unwrap().to_owned();
    let again = hub.send(Request::get("/log/tile/0/000.p/8").header("if-none-match", tag), "").await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    for absent in ["tile/0/001", "tile/0/000", "tile/0/000.p/7", "tile/0/0", "2/checkpoint", "x", "tile/../checkpoint"]
    {
        assert_eq!(hub.get(&format!("/log/{absent}"), None).await.status, StatusCode::NOT_FOUND, "{absent}");
    }
}
