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
        secrets: vec!["TOKEN".to_owned()],
        consent: Consent { secrets: vec!["TOKEN".to_owned()], ..Consent::default() },
        ..script("hello")
    };
    let refused = stage.start(&stage.mia, &secret).await.unwrap_err();
    assert!(refused.to_string().contains("keeps no secret TOKEN"), "{refused}");
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
    let twice = GivenFile { name: "a".to_owned(), bytes: "x".into() };
    let wrong = [
        StartRun { arguments: vec![String::new(); 257], ..script("hello") },
        StartRun { arguments: vec!["x".repeat(70_000)], ..script("hello") },
        StartRun { arguments: vec!["a\0b".to_owned()], ..script("hello") },
        StartRun { input: Some(vec![b' '; (4 << 20) + 1].into()), ..script("hello") },
        StartRun { files: vec![twice.clone(), twice], ..script("hello") },
        StartRun { network: vec!["*.example.com:443".parse().unwrap()], ..script("hello") },
        StartRun { secrets: vec!["PATH".to_owned()], ..script("hello") },
    ];
    for start in wrong {
        assert!(matches!(stage.start(&stage.mia, &start).await, Err(Error::Invalid { .. })));
    }
}
