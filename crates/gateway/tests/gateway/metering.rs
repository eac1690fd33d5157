use kontor_access::Caller;
use kontor_db::testing::On;
use kontor_gateway::{By, Model, Purpose, UsageQuery};
use kontor_types::Role;
use rstest::rstest;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::upstream::{Say, Upstream};
use crate::world::{World, handle, hello, provider, settings};

fn by(by: &[By]) -> UsageQuery {
    UsageQuery { by: by.to_vec(), ..UsageQuery::default() }
}

#[rstest]
#[tokio::test]
async fn calls_are_counted_for_whom_and_for_what_they_were_made(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::open(on).await else { return };
    let (one, bad) = (Upstream::start(vec![Say::chat("x")]).await, Upstream::start(vec![Say::error(400, "no")]).await);
    let priced = Model::new("small").priced("USD", "1", "10");
    let providers = vec![provider("one", &one).model(priced), provider("bad", &bad).model(Model::new("other"))];
    let (here, there) = (world.gateway(settings(providers.clone())), world.another(settings(providers)).await);
    let acme = world.publisher("acme").await;
    let ada = world.person("ada", vec![(acme, Role::Admin)]).await;
    let bob = world.person("bob", vec![(acme, Role::Member)]).await;
    let errand = Purpose { errand: Some("e1".into()), run: Some("r1".into()), ..Purpose::default() };
    let acme = Purpose { publisher: Some(handle("acme")), ..Purpose::default() };
    here.chat(&bob, &errand, &hello("small")).await.unwrap();
    there.chat(&bob, &errand, &hello("small")).await.unwrap();
    here.chat(&bob, &acme, &hello("small")).await.unwrap();
    here.chat(&ada, &Purpose::default(), &hello("other")).await.unwrap_err();
    there.flush().await.unwrap();
    let lines = here.usage(&Caller::hub(), &by(&[By::Day, By::Person, By::Model])).await.unwrap();
    let told = |line: &kontor_gateway::UsageLine| {
        format!(
            "{} {} {} {}: {} calls, {} failed, {} + {} tokens, {} {}",
            line.day.as_deref().unwrap_or_default(),
            line.person,
            line.model,
            line.errand,
            line.calls,
            line.failed,
            line.prompt,
            line.completion,
            line.cost_micros,
            line.currency.map(|currency| currency.to_string()).unwrap_or_default()
        )
    };
    let told = |lines: &[kontor_gateway::UsageLine]| lines.iter().map(told).collect::<Vec<_>>();
    assert_eq!(
        told(&lines),
        [
            "2025-11-22 ada other : 1 calls, 1 failed, 0 + 0 tokens, 0 ",
            "2025-11-22 bob small : 3 calls, 0 failed, 36 + 15 tokens, 186 USD",
        ]
    );
    let lines = here.usage(&bob, &by(&[By::Errand])).await.unwrap();
    assert_eq!(
        told(&lines),
        ["   : 1 calls, 0 failed, 12 + 5 tokens, 62 USD", "   e1: 2 calls, 0 failed, 24 + 10 tokens, 124 USD"]
    );
    // An admin of the organisation sees what was used in its name, and nothing else of others.
    let seen = here.usage(&ada, &by(&[By::Person])).await.unwrap();
    assert_eq!(
        seen.iter().map(|line| (line.person.as_str(), line.calls)).collect::<Vec<_>>(),
        [("ada", 1), ("bob", 1)]
    );
    let only = UsageQuery { person: Some(handle("ada")), ..by(&[]) };
    assert!(here.usage(&bob, &only).await.unwrap().is_empty());
    assert_eq!(here.usage(&Caller::anonymous(), &by(&[])).await.unwrap_err().status(), 401);
}

#[tokio::test]
async fn what_nobody_counted_is_counted_here_and_marked() {
    let world = World::open(On::Sqlite).await.unwrap();
    let message = json!({"role": "assistant", "content": "x".repeat(400)});
    let one = Upstream::start(vec![Say::completion(&message, "stop", &Value::Null)]).await;
    let gateway = world.gateway(settings(vec![provider("one", &one).model(Model::new("small"))]));
    let answer = gateway.chat(&Caller::hub(), &Purpose::default(), &hello("small")).await.unwrap();
    assert!(answer.usage.estimated && answer.usage.completion >= 100 && answer.usage.prompt > 0, "{:?}", answer.usage);
    let lines = gateway.usage(&Caller::hub(), &by(&[])).await.unwrap();
    assert_eq!((lines[0].calls, lines[0].estimated), (1, 1));
}

#[tokio::test]
async fn a_clean_stop_loses_nothing() {
    let world = World::open(On::Sqlite).await.unwrap();
    let one = Upstream::start(vec![Say::chat("x")]).await;
    let settings = settings(vec![provider("one", &one).model(Model::new("small"))]);
    let (gateway, stop) = (world.gateway(settings.clone()), CancellationToken::new());
    let work = tokio::spawn(gateway.clone().work(stop.clone()));
    for _ in 0..25 {
        gateway.chat(&Caller::hub(), &Purpose::default(), &hello("small")).await.unwrap();
    }
    stop.cancel();
    work.await.unwrap();
    drop(gateway);
    let lines = world.gateway(settings).usage(&Caller::hub(), &by(&[])).await.unwrap();
    assert_eq!(lines[0].calls, 25);
}
