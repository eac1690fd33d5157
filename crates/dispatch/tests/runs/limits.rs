use kontor_dispatch::{Consent, Error, GivenFile, StartRun};
use kontor_testkit::On;
use rstest::rstest;

use crate::stage::{Stage, script};

#[rstest]
#[tokio::test]
async fn what_is_granted_beyond_the_manifest_needs_consent(#[values(On::Sqlite, On::Postgres)] on: On) {
    let ceiling = |settings: &mut kontor_dispatch::Settings| {
        settings.ceiling.network = Some(vec!["*.example.com:443".parse().unwrap()]);
        settings.ceiling.wall = "5m".parse().ok();
    };
    let Some(stage) = Stage::with(on, ceiling).await else { return };
    let net = |hosts: &[&str]| -> Vec<_> { hosts.iter().map(|host| host.parse().unwrap()).collect() };
    let asking = |hosts: &[&str]| StartRun { network: net(hosts), ..script("hello") };
    let granted = |run: &kontor_dispatch::Run| run.asked["granted"].clone();

    let plain = stage.start(&stage.mia, &script("hello")).await.unwrap();
    assert_eq!(granted(&plain)["network"], serde_json::json!([]), "nothing is granted that nobody names");
    assert_eq!(granted(&plain)["wall_ms"], 30_000);
    let declared = StartRun { as_declared: true, wall: "1h".parse().ok(), ..script("hello") };
    let declared = stage.start(&stage.mia, &declared).await.unwrap();
    assert_eq!(granted(&declared)["network"], serde_json::json!(["api.example.com:443"]));
    assert_eq!(granted(&declared)["wall_ms"], 300_000, "the operator's ceiling holds");
    assert!(stage.start(&stage.mia, &asking(&["api.example.com:443"])).await.is_ok());

    let Err(Error::Consent { missing }) = stage.start(&stage.mia, &asking(&["more.example.com:443"])).await else {
        panic!("nobody consented")
    };
    assert_eq!(missing, ["more.example.com:443"]);
    let consent = Consent { network: net(&["more.example.com:443"]), ..Consent::default() };
    let agreed = StartRun { consent, ..asking(&["more.example.com:443"]) };
    let run = stage.start(&stage.mia, &agreed).await.unwrap();
    assert_eq!(
        (&run.asked["decision"]["consent"], granted(&run)["network"].as_array().unwrap().len()),
        (&"flag".into(), 1)
    );

    let consent = Consent { network: net(&["example.org:443"]), ..Consent::default() };
    let over = StartRun { consent, ..asking(&["example.org:443"]) };
    assert!(matches!(stage.start(&stage.mia, &over).await, Err(Error::Ceiling { .. })));
    let secret = StartRun {
        secrets: vec!["TEST_TOKEN".to_owned()],
        consent: Consent { secrets: vec!["TEST_TOKEN".to_owned()], ..Consent::default() },
        ..script("hello")
    };
    let refused = stage.start(&stage.mia, &secret).await.unwrap_err();
    assert!(refused.to_string().contains("TEST_TOKEN"), "{refused}");
    assert_eq!(refused.problem().code.as_str(), "secret_refused");
}

#[rstest]
#[tokio::test]
async fn shares_are_held_to(#[values(On::Sqlite, On::Postgres)] on: On) {
    let limited = |settings: &mut kontor_dispatch::Settings| {
        (settings.person_open, settings.person_daily) = (2, 3);
    };
    let Some(stage) = Stage::with(on, limited).await else { return };
    let first = stage.script("hello").await;
    stage.script("hello").await;
    let open = stage.start(&stage.mia, &script("hello")).await.unwrap_err();
    assert!(matches!(open, Error::Quota { .. }) && open.retry_after().is_some(), "{open}");
    assert!(stage.start(&stage.sam, &script("hello")).await.is_ok(), "everybody has a share of their own");
    stage.runs().cancel(&stage.mia, first).await.unwrap();
    stage.script("hello").await;
    stage.work().await;
    let daily = stage.start(&stage.mia, &script("hello")).await.unwrap_err();
    assert_eq!(daily.problem().code.as_str(), "quota_exceeded");
    assert_eq!(daily.retry_after().unwrap().as_secs().div_ceil(3600), 24);
    stage.hub.clock.advance(std::time::Duration::from_hours(25));
    assert!(stage.start(&stage.mia, &script("hello")).await.is_ok());
}

#[rstest]
#[case::a_path("a/b", "plain name")]
#[case::a_hidden_name(".profile", "plain name")]
#[case::the_input("/input", "plain name")]
#[case::nothing("", "plain name")]
#[tokio::test]
async fn files_have_plain_names(#[case] name: &str, #[case] said: &str) {
    let Some(stage) = Stage::set(On::Sqlite).await else { return };
    let file = GivenFile { name: name.to_owned(), bytes: "x".into() };
    let refused = stage.start(&stage.mia, &StartRun { files: vec![file], ..script("hello") }).await.unwrap_err();
    assert!(refused.to_string().contains(said), "{refused}");
}

#[rstest]
#[tokio::test]
async fn what_is_sent_is_bounded() {
    let Some(stage) = Stage::set(On::Sqlite).await else { return };
    let packages = |packages| Consent { packages, ..Consent::default() };
    let twice = GivenFile { name: "a".to_owned(), bytes: "x".into() };
    let wrong = [
        StartRun { arguments: vec![String::new(); 257], ..script("hello") },
        StartRun { arguments: vec!["x".repeat(70_000)], ..script("hello") },
        StartRun { arguments: vec!["a\0b".to_owned()], ..script("hello") },
        StartRun { input: Some(vec![b' '; (4 << 20) + 1].into()), ..script("hello") },
        StartRun { files: vec![twice.clone(), twice], ..script("hello") },
        StartRun { network: vec!["*.example.com:443".parse().unwrap()], ..script("hello") },
        StartRun { secrets: vec!["PATH".to_owned()], ..script("hello") },
        StartRun { consent: packages(vec!["x".to_owned(); 65]), ..script("hello") },
        StartRun { consent: packages(vec!["x".repeat(301)]), ..script("hello") },
    ];
    for start in wrong {
        assert!(matches!(stage.start(&stage.mia, &start).await, Err(Error::Invalid { .. })));
    }
}

#[rstest]
#[tokio::test]
async fn a_secret_is_given_to_the_bytes_that_it_was_released_to_and_told_to_nobody(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(stage) = Stage::set(on).await else { return };
    let app = &stage.hub.hub.app;
    let token = stage.hub.person("zoe", &[]).await;
    let zoe = app.access.authenticate(&token.into()).await.unwrap();
    let (own, name) = ("zoe".parse().unwrap(), "TEST_TOKEN");
    let value = kontor_crypto::Zeroizing::new("a-value-that-nobody-says".to_owned());
    app.secrets.set(&zoe, &own, name, value).await.unwrap();
    let order = StartRun {
        secrets: vec![name.to_owned()],
        consent: Consent { secrets: vec![name.to_owned()], ..Consent::default() },
        ..script("secret")
    };
    assert!(stage.start(&zoe, &order).await.is_err(), "it was not released to this skill");
    let version = "@acme/tools@1.0.0".parse().unwrap();
    app.secrets.grant(&zoe, &own, name, &version, None).await.unwrap();
    let run = stage.start(&zoe, &order).await.unwrap();
    let replaced = stage.start(&zoe, &order).await.unwrap();
    stage.workers().run_due().await.unwrap();
    for id in [run.id, replaced.id] {
        let run = stage.runs().show(&zoe, id).await.unwrap();
        assert_eq!(run.state, kontor_dispatch::RunState::Finished, "{:?}", run.error);
        let said = stage.runs().file(&zoe, id, kontor_dispatch::FileWay::Said, "stdout").await.unwrap();
        assert_eq!(app.blobs.get(&said.digest).await.unwrap(), "it is [secret TEST_TOKEN]\n");
        let left = stage.runs().files(&zoe, id, kontor_dispatch::FileWay::Out).await.unwrap();
        assert_eq!(
            left.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(),
            ["fine.txt"],
            "the other one holds it"
        );
        let row = format!("{run:?}");
        assert!(!row.contains("a-value-that-nobody-says"));
    }
    let late = stage.start(&zoe, &order).await.unwrap();
    let value = kontor_crypto::Zeroizing::new("another-value-of-it".to_owned());
    app.secrets.set(&zoe, &own, name, value).await.unwrap();
    stage.workers().run_due().await.unwrap();
    let late = stage.runs().show(&zoe, late.id).await.unwrap();
    assert_eq!(late.error_code.as_deref(), Some("secret_refused"), "{:?}", late.error);
    assert_eq!(late.executions, 0, "nothing was started");
}
