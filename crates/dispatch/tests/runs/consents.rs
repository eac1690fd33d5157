//! What somebody has confirmed for runs on a hub is remembered for that version, and taken back.

use std::time::Duration;

use kontor_access::Caller;
use kontor_dispatch::{Consent, Error, StartRun};
use kontor_registry::{Allowance, Keep};
use kontor_testkit::On;
use kontor_types::Handle;
use rstest::rstest;

use crate::stage::{Stage, script};

const HOST: &str = "more.example.com:443";

fn reaching(host: &str, consent: Consent) -> StartRun {
    StartRun { network: vec![host.parse().unwrap()], consent, ..script("hello") }
}

fn agreed(remember: Option<Keep>) -> StartRun {
    reaching(HOST, Consent { network: vec![HOST.parse().unwrap()], remember, ..Consent::default() })
}

/// How a run without a word of consent is answered: how it was consented to, or what is missing.
async fn asked(stage: &Stage, caller: &Caller, host: &str) -> Result<String, Vec<String>> {
    match stage.start(caller, &reaching(host, Consent::default())).await {
        Ok(run) => Ok(run.asked["decision"]["consent"].as_str().unwrap().to_owned()),
        Err(Error::Consent { missing }) => Err(missing),
        Err(error) => Err(vec![format!("not accepted: {error}")]),
    }
}

#[rstest]
#[tokio::test]
async fn what_is_always_let_is_let_to_this_person_until_they_take_it_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let registry = &stage.hub.hub.app.registry;
    stage.start(&stage.mia, &agreed(None)).await.unwrap();
    assert_eq!(asked(&stage, &stage.mia, HOST).await, Err(vec![HOST.to_owned()]), "once is once");
    let run = stage.start(&stage.mia, &agreed(Some(Keep::Always))).await.unwrap();
    assert_eq!(run.asked["decision"]["consent"], "flag");
    assert_eq!(asked(&stage, &stage.mia, HOST).await, Ok("stored".to_owned()));
    let other = "other.example.com:443";
    assert_eq!(asked(&stage, &stage.mia, other).await, Err(vec![other.to_owned()]), "nothing else");
    assert_eq!(asked(&stage, &stage.sam, HOST).await, Err(vec![HOST.to_owned()]), "nobody else");

    let given = registry.consents(&stage.mia).await.unwrap();
    let (allowed, beyond) = Allowance::of(&given[0]);
    assert_eq!((given.len(), allowed.network, beyond), (1, vec![HOST.to_owned()], true));
    assert!(registry.revoke_consent(&stage.sam, given[0].id).await.is_err(), "somebody else's");
    registry.revoke_consent(&stage.mia, given[0].id).await.unwrap();
    assert_eq!(asked(&stage, &stage.mia, HOST).await, Err(vec![HOST.to_owned()]));
}

#[tokio::test]
async fn what_is_let_for_a_session_ends_with_the_token_and_after_eight_hours() {
    let Some(stage) = Stage::set(On::Sqlite).await else { return };
    stage.start(&stage.mia, &agreed(Some(Keep::Session))).await.unwrap();
    assert_eq!(asked(&stage, &stage.mia, HOST).await, Ok("stored".to_owned()));
    let mia: Handle = "mia".parse().unwrap();
    let elsewhere = stage.hub.hub.app.access.in_the_name_of(&mia).await.unwrap();
    assert_eq!(asked(&stage, &elsewhere, HOST).await, Err(vec![HOST.to_owned()]), "another token");
    stage.hub.clock.advance(Duration::from_hours(8));
    assert_eq!(asked(&stage, &stage.mia, HOST).await, Err(vec![HOST.to_owned()]));
}

#[tokio::test]
async fn what_an_agent_was_let_lets_no_run_of_ones_own_have_more() {
    let Some(stage) = Stage::set(On::Sqlite).await else { return };
    let registry = &stage.hub.hub.app.registry;
    let found = registry.version(stage.mia.viewer(), &crate::stage::skill()).await.unwrap();
    let agents = serde_json::json!({ "network": [HOST], "secrets": [] }).to_string();
    registry.consent(&stage.mia, &found, &agents, Keep::Always).await.unwrap();
    assert_eq!(asked(&stage, &stage.mia, HOST).await, Err(vec![HOST.to_owned()]));
}
