//! Ways round the front door: what is hidden must not be learned from answers about other things.

use axum::http::{Request, StatusCode};
use kontor_package::fingerprint;
use kontor_testkit::{ADMIN, Answer, NATIVE, On, TestHub, skill, with_token};
use kontor_types::Digest;
use rstest::rstest;
use serde_json::{Value, json};

/// Ada has an organisation that nobody else knows of; Eve is a stranger to it.
struct World {
    hub: TestHub,
    ada: String,
    eve: String,
}

impl World {
    async fn build(on: On) -> Option<Self> {
        let hub = TestHub::start(on).await?;
        let (ada, eve) = (hub.person("ada", &[]).await, hub.person("eve", &[]).await);
        let made =
            hub.call("POST", &format!("{NATIVE}/publishers"), Some(&ada), &json!({"handle": "secret-org"})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        Some(Self { hub, ada, eve })
    }

    async fn native(&self, token: Option<&str>, path: &str) -> Answer {
        self.hub.get(&format!("{NATIVE}{path}"), token).await
    }

    async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.hub.call("POST", path, Some(token), body).await
    }
}

fn text_of(slug: &str, body: &str) -> (Digest, u64) {
    let file = skill(slug, body).files.remove(0);
    (file.digest, file.size)
}

#[rstest]
#[tokio::test]
async fn a_bare_name_is_ambiguous_only_among_what_one_may_see(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::build(on).await else { return };
    world.hub.publish(ADMIN, "@admin/meter@1.0.0", "public", "Public.").await;
    world.hub.publish(&world.ada, "@secret-org/meter@1.0.0", "private", "Hidden.").await;
    for token in [None, Some(world.eve.as_str())] {
        for path in ["/api/kontor/v1/skills/meter", "/api/v1/skills/meter", "/api/v1/download?slug=meter"] {
            let answer = world.hub.get(path, token).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
            assert!(!answer.body.contains("secret"), "{path}: {}", answer.body);
        }
    }
    let both = world.native(Some(&world.ada), "/skills/meter").await;
    assert_eq!((both.status, both.code().as_str()), (StatusCode::CONFLICT, "ambiguous_slug"));
    assert_eq!(both.json()["matches"].as_array().unwrap().len(), 2);
    let gone =
        world.hub.call("DELETE", "/api/v1/skills/meter?ownerHandle=secret-org", Some(&world.ada), &json!({})).await;
    assert_eq!(gone.status, StatusCode::OK, "{}", gone.body);
    let answer = world.native(Some(&world.eve), "/skills/meter").await;
    assert_eq!(answer.status, StatusCode::OK, "a deletion of what one never saw is no news: {}", answer.body);
}

#[rstest]
#[tokio::test]
async fn a_fingerprint_finds_no_hidden_version(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::build(on).await else { return };
    world.hub.publish(ADMIN, "@admin/meter@1.0.0", "public", "One.").await;
    world.hub.publish(ADMIN, "@admin/meter@2.0.0", "public", "Two.").await;
    let two = fingerprint([("SKILL.md", text_of("meter", "Two.").0)]);
    let ask = |hash: Digest| format!("/api/v1/resolve?slug=meter&ownerHandle=admin&hash={}", hash.hex());
    let shown = world.hub.get(&ask(two), Some(&world.eve)).await.json();
    assert_eq!(shown["match"]["version"], "2.0.0");
    let path = "/api/v1/skills/meter/versions/2.0.0?ownerHandle=admin";
    let hidden = world.hub.call("DELETE", path, Some(ADMIN), &json!({})).await;
    assert_eq!(hidden.status, StatusCode::OK, "{}", hidden.body);
    for token in [None, Some(world.eve.as_str())] {
        let about_hidden = world.hub.get(&ask(two), token).await;
        let about_nothing = world.hub.get(&ask(Digest::of(b"nothing")), token).await;
        assert_eq!((about_hidden.status, &about_hidden.body), (StatusCode::OK, &about_nothing.body));
        assert_eq!(about_hidden.json()["latestVersion"]["version"], "1.0.0");
    }
}

#[rstest]
#[tokio::test]
async fn one_hidden_item_of_a_batch_gets_the_verdict_of_an_unknown_one(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::build(on).await else { return };
    world.hub.publish(ADMIN, "@admin/meter@1.0.0", "public", "Public.").await;
    world.hub.publish(&world.ada, "@ada/hidden@1.0.0", "private", "Hidden.").await;
    let item = |owner: &str, slug: &str| json!({"slug": slug, "ownerHandle": owner, "version": "1.0.0"});
    let body = json!({"items": [item("admin", "meter"), item("ada", "hidden"), item("ada", "absent")]});
    let answer = world.post(&world.eve, "/api/v1/skills/-/security-verdicts", &body).await;
    let items = answer.json()["items"].as_array().unwrap().clone();
    assert_eq!(items[0]["decision"], "pass", "{}", answer.body);
    assert_eq!(items[1].to_string().replace("hidden", "absent"), items[2].to_string());
    let installed = ["@ada/hidden", "@ada/absent"].map(|name| json!({"ref": name, "version": "1.0.0"}));
    let outdated = world.post(&world.eve, &format!("{NATIVE}/outdated"), &json!({"installed": installed})).await;
    let items = outdated.json()["items"].as_array().unwrap().clone();
    assert_eq!(items[0].to_string().replace("hidden", "absent"), items[1].to_string());
}

#[rstest]
#[tokio::test]
async fn a_name_is_compared_only_with_names_that_everybody_may_find(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::build(on).await else { return };
    world.hub.publish(ADMIN, "@admin/gasmeter@1.0.0", "public", "Public.").await;
    world.hub.publish(&world.ada, "@secret-org/watermeter@1.0.0", "private", "Hidden.").await;
    let tried = async |slug: &str| {
        let path = format!("{NATIVE}/publishers/eve/skills?slug={slug}&version=1.0.0&dry_run=true");
        let request = with_token(Request::post(path), Some(&world.eve)).header("content-type", "application/zip");
        world.hub.send(request, skill(slug, "Mine.").bytes).await.body
    };
    let alike = tried("gas-meter").await;
    assert!(alike.contains("name_look_alike") && alike.contains("@admin/gasmeter"), "{alike}");
    let alone = tried("water-meter").await;
    assert!(!alone.contains("look_alike") && !alone.contains("secret"), "{alone}");
}

#[rstest]
#[tokio::test]
async fn a_feed_for_mirrors_and_counts_know_only_what_its_reader_may_find(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::build(on).await else { return };
    world.hub.publish(ADMIN, "@admin/gasmeter@1.0.0", "public", "Public.").await;
    for (slug, visibility) in [("unlisted", "unlisted"), ("ours", "organisation"), ("private", "private")] {
        world.hub.publish(&world.ada, &format!("@secret-org/{slug}@1.0.0"), visibility, "Hidden.").await;
    }
    world.hub.catch_up().await;
    let found = async |token: Option<&str>| world.native(token, "/search?q=watches").await.json()["total"].clone();
    assert_eq!((found(None).await, found(Some(&world.eve)).await), (json!(1), json!(1)));
    assert_eq!(found(Some(&world.ada)).await, 4);
    let export = "/api/v1/skills/export?startDate=1000000000000&endDate=4000000000000";
    for token in [&world.eve, &world.ada] {
        let page = world.hub.get(export, Some(token)).await;
        assert_eq!((page.status, page.header("x-total-returned")), (StatusCode::OK, "1"), "{}", page.body);
        assert!(!page.body.contains("secret-org"), "not even for those who may see it");
    }
}

#[rstest]
#[tokio::test]
async fn a_ticket_is_met_only_by_bytes_sent_under_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::build(on).await else { return };
    world.hub.publish(&world.ada, "@secret-org/meter@1.0.0", "private", "Hidden.").await;
    let (real, size) = text_of("meter", "Hidden.");
    let mut answers = Vec::new();
    for digest in [real, Digest::of(b"bytes that nobody has")] {
        let file = json!({"path": "SKILL.md", "size": size, "sha256": digest.hex()});
        let opened = world.post(&world.eve, "/api/v1/skills/-/upload-url", &file).await;
        assert_eq!(opened.status, StatusCode::OK, "{}", opened.body);
        let mut claim = file.clone();
        claim["uploadTicket"] = opened.json()["uploadTicket"].clone();
        let body = json!({"slug": "mine", "version": "1.0.0", "changelog": "", "files": [claim]});
        let published = world.post(&world.eve, "/api/v1/skills", &body).await;
        let address = opened.json()["uploadUrl"].as_str().unwrap().replace(kontor_testkit::PUBLIC, "");
        let sent = world.hub.send(with_token(Request::post(address), Some(&world.eve)), "other bytes").await;
        let plain = |answer: Answer| (answer.status, answer.body.replace(&digest.to_string(), "the digest"));
        answers.push((plain(published), plain(sent)));
    }
    assert_eq!(answers[0], answers[1], "the hub has the bytes of the first, and must not tell");
    assert!(answers[0].0.0.is_client_error() && answers[0].1.0.is_client_error(), "{answers:?}");
}

#[rstest]
#[tokio::test]
async fn a_right_guess_at_the_bytes_is_no_way_in(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::build(on).await else { return };
    world.hub.publish(&world.ada, "@ada/hidden@1.0.0", "private", "Hidden.").await;
    let digest = skill("hidden", "Hidden.").digest.hex();
    let headers = [("if-none-match", format!("\"{digest}\"")), ("range", "bytes=0-0".to_owned())];
    for (header, value) in headers {
        let ask = async |token: &str, slug: &str| {
            let path = format!("{NATIVE}/skills/ada/{slug}/versions/1.0.0/archive");
            let request = with_token(Request::get(path), Some(token)).header("x-request-id", "one");
            world.hub.send(request.header(header, &value), "").await
        };
        let owner = ask(&world.ada, "hidden").await;
        assert!([206, 304].contains(&owner.status.as_u16()), "{header} works for the owner: {}", owner.status);
        let (hidden, absent) = (ask(&world.eve, "hidden").await, ask(&world.eve, "absent").await);
        assert_eq!(hidden.status, StatusCode::NOT_FOUND);
        assert_eq!(
            (hidden.headers, hidden.body),
            (absent.headers, absent.body.replace("absent", "hidden")),
            "{header}"
        );
    }
}
