//! Runs: shown to those whom they concern, listed in pages, counted by where they stand.

use kontor_db::members;
use kontor_db::runs::{self, Counts, Executed, Filter, NewRun, RunState, RunStep, Used};
use kontor_types::{PageSize, Role, RunId, Viewer, Visibility};
use rstest::rstest;
use serde_json::json;

use super::a_run;
use crate::fixtures::{NOW, World, handle, later};
use crate::support::On;

async fn listed(world: &World, filter: &Filter, before: Option<RunId>, size: u32) -> Vec<RunId> {
    let size = PageSize::clamped(size);
    let found = runs::list(&mut world.conn().await, &Viewer::hub(), filter, before, size).await.unwrap();
    found.iter().map(|run| run.id).collect()
}

#[rstest]
#[tokio::test]
async fn an_accepted_run_is_shown_as_it_was_asked_for(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let asked = NewRun { retry_of: Some(RunId::new(NOW)), ..a_run(world.ada, world.acme, NOW) };
    let kept = asked.clone();
    write!(world.db(), |tx| runs::insert(tx, &asked));
    let run = world.shown(kept.id).await;
    assert_eq!((run.publisher_id, run.person_id), (world.acme, world.ada));
    assert_eq!((&run.publisher, &run.person), (&handle("acme"), &handle("ada")));
    assert_eq!((run.skill_id, run.version_id, run.digest), (kept.skill_id, kept.version_id, kept.digest));
    assert_eq!((run.skill.as_str(), run.entry.as_str()), ("@acme/pdf@1.0.0", "extract"));
    assert_eq!((&run.asked, run.job_id, run.retry_of), (&kept.asked, kept.job_id, kept.retry_of));
    assert_eq!((run.state, run.step), (RunState::Queued, RunStep::Accepted));
    assert_eq!((run.attempt, run.executions, run.events), (0, 0, 0));
    assert_eq!((run.created_at, run.started_at, run.ended_at, run.keep_until), (NOW, None, None, None));
    let unknown = runs::by_id(&mut world.conn().await, RunId::new(NOW)).await.unwrap();
    assert_eq!(unknown, None);
}

#[rstest]
#[tokio::test]
async fn a_run_is_seen_by_those_whom_it_concerns(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let id = world.run(world.bob, world.acme, NOW).await;
    let begun = write!(world.db(), |tx| runs::begin(tx, id, "worker")).unwrap();
    assert!(write!(world.db(), |tx| runs::prepared(tx, id, begun.attempt, &json!({}))));
    let came = Executed { result: json!({}), receipt: b"signed".to_vec(), salts: json!({}) };
    assert!(write!(world.db(), |tx| runs::executed(tx, id, begun.attempt, &came)));
    let asker = Viewer::person(world.bob, Vec::new());
    let viewers = [
        (asker.clone(), true),
        (Viewer::person(world.ada, vec![(world.acme, Role::Owner)]), true),
        (Viewer::hub(), true),
        (Viewer::person(world.eve, vec![(world.acme, Role::Member), (world.other, Role::Owner)]), false),
        (Viewer::anonymous(), false),
    ];
    for (viewer, sees) in viewers {
        let found = runs::find(&mut world.conn().await, &viewer, None, id).await.unwrap();
        assert_eq!(found.is_some(), sees, "{viewer:?}");
        let (all, size) = (Filter::default(), PageSize::clamped(10));
        let listed = runs::list(&mut world.conn().await, &viewer, &all, None, size).await.unwrap();
        assert_eq!(listed.len(), usize::from(sees), "{viewer:?}");
        let signed = runs::receipts(&mut world.conn().await, &viewer, None, begun.version_id, 10).await.unwrap();
        assert_eq!(signed.len(), usize::from(sees), "{viewer:?}");
    }
    for (bound, sees) in [(vec![world.acme, world.other], true), (vec![world.other], false), (Vec::new(), false)] {
        let found = runs::find(&mut world.conn().await, &asker, Some(&bound), id).await.unwrap();
        assert_eq!(found.is_some(), sees, "a token that is bound to {bound:?}");
        let (mut conn, version) = (world.conn().await, begun.version_id);
        let signed = runs::receipts(&mut conn, &asker, Some(&bound), version, 10).await.unwrap();
        assert_eq!(signed.len(), usize::from(sees), "a token that is bound to {bound:?}");
    }
}

#[rstest]
#[tokio::test]
async fn runs_are_listed_in_pages_and_by_filter(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let old = world.run(world.ada, world.acme, NOW).await;
    let middle = world.run(world.bob, world.other, later(1)).await;
    let new = world.run(world.ada, world.acme, later(2)).await;
    write!(world.db(), |tx| runs::cancel(tx, old, (later(3), later(9))));

    let all = Filter::default();
    assert_eq!(listed(&world, &all, None, 10).await, [new, middle, old], "the newest first");
    assert_eq!(listed(&world, &all, None, 1).await, [new, middle], "one more than the page has");
    assert_eq!(listed(&world, &all, Some(middle), 1).await, [old]);
    assert!(listed(&world, &all, Some(old), 10).await.is_empty());

    let of_acme = Filter { publisher: Some(world.acme), ..Filter::default() };
    assert_eq!(listed(&world, &of_acme, None, 10).await, [new, old]);
    let waiting = Filter { state: Some(RunState::Queued), ..Filter::default() };
    assert_eq!(listed(&world, &waiting, None, 10).await, [new, middle]);
    let both = Filter { state: Some(RunState::Cancelled), ..of_acme };
    assert_eq!(listed(&world, &both, None, 10).await, [old]);
    let bound = Filter { bound: Some(vec![world.other]), ..Filter::default() };
    assert_eq!(listed(&world, &bound, None, 10).await, [middle]);
    let to_nobody = Filter { bound: Some(Vec::new()), ..Filter::default() };
    assert!(listed(&world, &to_nobody, None, 10).await.is_empty());
    let of_bob = Filter { person: Some(world.bob), ..Filter::default() };
    assert_eq!(listed(&world, &of_bob, None, 10).await, [middle]);
    let run = runs::by_id(&mut world.conn().await, new).await.unwrap().unwrap();
    let name = run.skill.split('@').take(2).collect::<Vec<_>>().join("@");
    let of_skill = Filter { skill: Some(name.parse().unwrap()), ..Filter::default() };
    assert_eq!(listed(&world, &of_skill, None, 10).await, [new, middle, old], "{name}");
    let shorter = name.get(..name.len() - 1).unwrap();
    let of_another = Filter { skill: Some(shorter.parse().unwrap()), ..Filter::default() };
    assert!(listed(&world, &of_another, None, 10).await.is_empty(), "{shorter}");
}

#[rstest]
#[tokio::test]
async fn runs_are_counted_by_where_they_stand(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    assert_eq!(runs::counts(&mut world.conn().await).await.unwrap(), Counts::default());
    let broken = world.run(world.ada, world.acme, NOW).await;
    let running = world.run(world.ada, world.acme, later(1)).await;
    let unwanted = world.run(world.ada, world.acme, later(2)).await;
    for seconds in [3, 4] {
        world.run(world.ada, world.acme, later(seconds)).await;
    }
    write!(world.db(), |tx| async {
        runs::begin(tx, running, "worker").await?;
        runs::prepared(tx, running, 1, &json!({})).await?;
        runs::executing(tx, running, 1, true, later(5)).await
    });
    write!(world.db(), |tx| runs::cancel(tx, unwanted, (later(5), later(9))));
    let error = Some(("broken", "it broke"));
    write!(world.db(), |tx| runs::end(tx, broken, None, RunState::Failed, error, (later(5), later(9))));
    let counts = runs::counts(&mut world.conn().await).await.unwrap();
    let expected =
        Counts { queued: 2, running: 1, failed: 1, cancelled: 1, oldest: Some(later(3)), ..Counts::default() };
    assert_eq!(counts, expected);
}

#[rstest]
#[tokio::test]
async fn a_share_is_used_by_person_and_by_publisher(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (ada, acme) = (world.ada, world.acme);
    let none = Used { open: 0, since: 0, first: None };
    assert_eq!(write!(world.db(), |tx| runs::used(tx, ada, acme, NOW)), (none, none));
    world.run(ada, acme, NOW).await;
    world.run(ada, world.other, later(2)).await;
    let over = world.run(world.bob, acme, later(3)).await;
    write!(world.db(), |tx| runs::cancel(tx, over, (later(4), later(9))));
    let (by_person, in_name) = write!(world.db(), |tx| runs::used(tx, ada, acme, later(1)));
    assert_eq!(by_person, Used { open: 2, since: 1, first: Some(later(2)) });
    assert_eq!(in_name, Used { open: 1, since: 1, first: Some(later(3)) }, "one that is over counts for its day");
}

#[rstest]
#[tokio::test]
async fn the_author_of_a_run_is_its_skills_publisher(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let skill_id = world.bare_skill(world.acme, "pdf", Visibility::Public, NOW).await;
    let mut ids = Vec::new();
    // Bob's two, one of a skill that is gone; one that failed; Eve's.
    let plan = [
        (world.bob, true, RunState::Finished),
        (world.bob, false, RunState::Finished),
        (world.bob, true, RunState::Failed),
        (world.eve, true, RunState::Finished),
    ];
    for (person, there, state) in plan {
        let mut run = a_run(person, world.other, NOW);
        if there {
            run.skill_id = skill_id;
        }
        let id = run.id;
        ids.push(id);
        write!(world.db(), |tx| runs::insert(tx, &run));
        write!(world.db(), |tx| runs::begin(tx, id, "worker"));
        assert!(write!(world.db(), |tx| runs::prepared(tx, id, 1, &json!({}))));
        let came = Executed { result: json!({}), receipt: b"signed".to_vec(), salts: json!({}) };
        assert!(write!(world.db(), |tx| runs::executed(tx, id, 1, &came)));
        assert!(write!(world.db(), |tx| runs::end(tx, id, Some(1), state, None, (NOW, NOW))));
    }
    let led = runs::led(&mut world.conn().await, world.bob, &ids).await.unwrap();
    let told: Vec<_> = led.iter().map(|run| (run.id, run.author.clone())).collect();
    assert_eq!(told, [(ids[0], Some(handle("acme"))), (ids[1], None)]);
    assert_eq!((led[0].skill.as_str(), led[0].receipt.as_slice()), ("@acme/pdf@1.0.0", b"signed".as_slice()));
    assert!(runs::led(&mut world.conn().await, world.bob, &[]).await.unwrap().is_empty());
    let (acme, bob) = (world.acme, world.bob);
    write!(world.db(), |tx| members::put(tx, acme, bob, Role::Reviewer, NOW));
    let led = runs::led(&mut world.conn().await, world.bob, &ids[..1]).await.unwrap();
    assert_eq!(led[0].author, None, "the author is who ran it");
}
