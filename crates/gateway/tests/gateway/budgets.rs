use std::time::Duration;

use kontor_access::Caller;
use kontor_db::testing::On;
use kontor_gateway::{BudgetOwner, Error, Model, Purpose};
use kontor_types::{Role, Scope};
use rstest::rstest;
use serde_json::json;

use crate::upstream::{Say, Upstream};
use crate::world::{World, dear, handle, hello, of, provider, settings, usd};

/// An answer of five tokens, which cost five dollars.
const ANSWER: i64 = 500;

#[rstest]
#[tokio::test]
async fn exactly_the_limit_is_enough_and_a_cent_less_is_not(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::open(on).await else { return };
    let one = Upstream::start(vec![Say::chat("five tokens")]).await;
    let gateway = world.gateway(settings(vec![provider("one", &one).model(dear("small"))]));
    let ada = world.person("ada", Vec::new()).await;
    let request = hello("small").set("max_tokens", json!(5));
    gateway.set_budget(&Caller::hub(), &of(&ada), usd(ANSWER - 1)).await.unwrap();
    let error = gateway.chat(&ada, &Purpose::default(), &request).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (402, "budget_spent"));
    assert!(one.heard().is_empty());
    gateway.set_budget(&Caller::hub(), &of(&ada), usd(ANSWER)).await.unwrap();
    let answer = gateway.chat(&ada, &Purpose::default(), &request).await.unwrap();
    assert_eq!(answer.cost.unwrap().to_string(), "5.000000 USD");
    let stands = gateway.budget(&ada, &of(&ada)).await.unwrap().remove(0);
    assert_eq!((stands.spent, stands.held, stands.free), (usd(ANSWER), usd(0), usd(0)));
    let error = gateway.chat(&ada, &Purpose::default(), &request).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (402, "budget_spent"));
    let error = gateway.set_budget(&Caller::hub(), &of(&ada), usd(ANSWER - 1)).await.unwrap_err();
    assert_eq!(error.status(), 400);
}

#[rstest]
#[tokio::test]
async fn a_race_of_processes_never_spends_more_than_the_limit(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::open(on).await else { return };
    let one = Upstream::start(vec![Say::chat("five tokens")]).await;
    let settings = settings(vec![provider("one", &one).model(dear("small"))]);
    let (here, there) = (world.gateway(settings.clone()), world.another(settings).await);
    let ada = world.person("ada", Vec::new()).await;
    // Room for seven answers and a half.
    here.set_budget(&Caller::hub(), &of(&ada), usd(7 * ANSWER + ANSWER / 2)).await.unwrap();
    there.look().await.unwrap();
    let calls = (0..48).map(|number| {
        let (gateway, ada) = (if number % 2 == 0 { here.clone() } else { there.clone() }, ada.clone());
        tokio::spawn(async move {
            let request = hello("small").set("max_tokens", json!(5));
            gateway.chat(&ada, &Purpose::default(), &request).await.map_err(|error| error.status())
        })
    });
    let mut answered = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(_) => answered += 1,
            Err(status) => assert_eq!(status, 402),
        }
    }
    assert_eq!(one.heard().len(), answered);
    assert!((1..=7).contains(&answered), "{answered}");
    there.flush().await.unwrap();
    let stands = here.budget(&ada, &of(&ada)).await.unwrap().remove(0);
    assert_eq!(stands.spent, usd(i64::try_from(answered).unwrap() * ANSWER));
    assert_eq!(stands.held, usd(0));
    // What others held for calls that did not cost all of it is there again.
    let mut more = 0;
    while here.chat(&ada, &Purpose::default(), &hello("small").set("max_tokens", json!(5))).await.is_ok() {
        more += 1;
    }
    assert_eq!(answered + more, 7);
    assert!(world.ledger.check().await.unwrap().are_clean());
}

#[rstest]
#[tokio::test]
async fn what_a_dead_process_held_counts_as_spent(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::open(on).await else { return };
    let one = Upstream::start(vec![Say::chat("five tokens")]).await;
    let settings = settings(vec![provider("one", &one).model(dear("small"))]);
    let ada = world.person("ada", Vec::new()).await;
    let request = hello("small").set("max_tokens", json!(8));
    let dying = world.gateway(settings.clone());
    dying.set_budget(&Caller::hub(), &of(&ada), usd(1_000)).await.unwrap();
    dying.chat(&ada, &Purpose::default(), &request).await.unwrap();
    drop(dying);
    let living = world.another(settings).await;
    let error = living.chat(&ada, &Purpose::default(), &request).await.unwrap_err();
    assert_eq!(error.code(), "budget_spent");
    world.clock.advance(Duration::from_mins(2));
    living.renew().await.unwrap();
    let stands = living.budget(&ada, &of(&ada)).await.unwrap().remove(0);
    assert_eq!((stands.spent, stands.held, stands.free), (usd(800), usd(0), usd(200)));
}

#[tokio::test]
async fn less_than_a_cent_is_kept_until_it_is_one() {
    let world = World::open(On::Sqlite).await.unwrap();
    let one = Upstream::start(vec![Say::chat("five tokens")]).await;
    // 12 × 0.25 + 5 × 2 = 13 millionths of a dollar.
    let model = Model::new("small").priced("USD", "0.25", "2");
    let gateway = world.gateway(settings(vec![provider("one", &one).model(model)]));
    let ada = world.person("ada", Vec::new()).await;
    gateway.set_budget(&Caller::hub(), &of(&ada), usd(100)).await.unwrap();
    for round in 0..3 {
        for _ in 0..10 {
            gateway.chat(&ada, &Purpose::default(), &hello("small")).await.unwrap();
        }
        gateway.flush().await.unwrap();
        let stands = gateway.budget(&ada, &of(&ada)).await.unwrap().remove(0);
        assert_eq!(stands.spent, usd(1), "round {round}");
    }
    for _ in 0..740 {
        gateway.chat(&ada, &Purpose::default(), &hello("small")).await.unwrap();
    }
    // 770 × 13 = 10,010 millionths: a whole cent, and the next begun.
    assert_eq!(gateway.budget(&ada, &of(&ada)).await.unwrap().remove(0).spent, usd(2));
    assert!(world.ledger.check().await.unwrap().are_clean());
}

#[tokio::test]
async fn whoever_leaves_before_the_answer_pays_what_it_may_have_cost() {
    let world = World::open(On::Sqlite).await.unwrap();
    let dead = Upstream::start(vec![Say::Stall]).await;
    let gateway = world.gateway(settings(vec![provider("dead", &dead).model(dear("small"))]));
    let ada = world.person("ada", Vec::new()).await;
    gateway.set_budget(&Caller::hub(), &of(&ada), usd(10_000)).await.unwrap();
    let (caller, slow) = (ada.clone(), gateway.clone());
    let request = hello("small").set("max_tokens", json!(30));
    let call = tokio::spawn(async move { slow.chat(&caller, &Purpose::default(), &request).await.is_ok() });
    dead.heard_at_least(1).await;
    call.abort();
    let _ = call.await;
    assert_eq!(gateway.budget(&ada, &of(&ada)).await.unwrap().remove(0).spent, usd(3_000));
}

#[tokio::test]
async fn budgets_bound_answers_and_refuse_what_they_cannot_count() {
    let world = World::open(On::Sqlite).await.unwrap();
    let one = Upstream::start(vec![Say::chat("five tokens")]).await;
    let models = provider("one", &one).model(dear("small")).model(Model::new("unpriced"));
    let models = models.model(Model::new("yuan").priced("CNY", "1", "1"));
    let gateway = world.gateway(settings(vec![models]));
    let ada = world.person("ada", Vec::new()).await;
    gateway.chat(&ada, &Purpose::default(), &hello("unpriced")).await.unwrap();
    assert_eq!(one.heard()[0].body.get("max_tokens"), None);
    gateway.set_budget(&Caller::hub(), &of(&ada), usd(4_096 * 100)).await.unwrap();
    gateway.chat(&ada, &Purpose::default(), &hello("small")).await.unwrap();
    assert_eq!(one.heard()[1].body["max_tokens"], 4_096);
    for (model, code) in [("unpriced", "model_unpriced"), ("yuan", "currency_mismatch")] {
        let error = gateway.chat(&ada, &Purpose::default(), &hello(model)).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (402, code));
    }
    let many = hello("small").set("max_tokens", json!(2_000)).set("n", json!(3));
    let error = gateway.chat(&ada, &Purpose::default(), &many).await.unwrap_err();
    assert_eq!(error.code(), "budget_spent");
    let absurd = hello("small").set("max_tokens", json!(u64::MAX));
    assert_eq!(gateway.chat(&ada, &Purpose::default(), &absurd).await.unwrap_err().code(), "budget_spent");
    gateway.close_budget(&Caller::hub(), &of(&ada)).await.unwrap();
    assert_eq!(gateway.chat(&ada, &Purpose::default(), &hello("small")).await.unwrap_err().code(), "budget_closed");
}

#[tokio::test]
async fn errands_and_organisations_have_budgets_that_only_theirs_see() {
    let world = World::open(On::Sqlite).await.unwrap();
    let one = Upstream::start(vec![Say::chat("five tokens")]).await;
    let gateway = world.gateway(settings(vec![provider("one", &one).model(dear("small"))]));
    let acme = world.publisher("acme").await;
    let ada = world.person("ada", vec![(acme, Role::Admin)]).await;
    let bob = world.person("bob", vec![(acme, Role::Member)]).await;
    let eve = world.person("eve", Vec::new()).await;
    let errand = BudgetOwner::Errand("errand-1".to_owned());
    let organisation = BudgetOwner::Publisher(handle("acme"));
    gateway.set_budget(&bob, &errand, usd(1_000)).await.unwrap();
    gateway.set_budget(&ada, &organisation, usd(600)).await.unwrap();
    assert_eq!(gateway.set_budget(&bob, &organisation, usd(9_999)).await.unwrap_err().status(), 403);
    assert_eq!(gateway.set_budget(&ada, &of(&ada), usd(1)).await.unwrap_err().status(), 403);
    assert!(matches!(gateway.set_budget(&eve, &errand, usd(1)).await, Err(Error::BudgetUnknown { .. })));
    let purpose =
        Purpose { publisher: Some(handle("acme")), errand: Some("errand-1".to_owned()), ..Purpose::default() };
    let request = hello("small").set("max_tokens", json!(5));
    gateway.chat(&bob, &purpose, &request).await.unwrap();
    assert_eq!(gateway.chat(&bob, &purpose, &request).await.unwrap_err().code(), "budget_spent");
    assert_eq!(gateway.chat(&eve, &purpose, &request).await.unwrap_err().status(), 404);
    // The errand gave back what the organisation had not.
    let stands = gateway.budget(&bob, &errand).await.unwrap().remove(0);
    assert_eq!((stands.spent, stands.free), (usd(500), usd(500)));
    assert!(matches!(gateway.budget(&eve, &errand).await, Err(Error::BudgetUnknown { .. })));
    let seen =
        |budgets: Vec<kontor_gateway::Budget>| budgets.into_iter().map(|one| one.owner.to_string()).collect::<Vec<_>>();
    assert_eq!(seen(gateway.budgets(&bob).await.unwrap()), ["publisher:acme", "errand:errand-1"]);
    assert_eq!(seen(gateway.budgets(&ada).await.unwrap()), ["publisher:acme"]);
    assert!(gateway.budgets(&eve).await.unwrap().is_empty());
    let mut unscoped = bob;
    unscoped.scopes = vec![Scope::Read];
    assert_eq!(
        gateway.set_budget(&unscoped, &BudgetOwner::Errand("e2".into()), usd(1)).await.unwrap_err().status(),
        403
    );
}
