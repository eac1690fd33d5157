//! Whatever is done in whatever order: `latest` is the highest release that may be used, a pre-release only without one.

use kontor_registry::latest;
use kontor_types::{TagName, Version, VersionSelector, Viewer};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;

use crate::hub::{Hub, On, numbered, reference};

const NUMBERS: [&str; 6] = ["0.9.0", "1.0.0-rc.1", "1.0.0", "1.0.1", "2.0.0-beta.1", "1.0.0+build"];

#[derive(Debug, Clone, Copy)]
enum Step {
    Publish(usize),
    Yank(usize),
    Unyank(usize),
    Hide(usize),
    Restore(usize),
    Tag(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = 0..NUMBERS.len();
    let step = prop_oneof![
        3 => which.clone().prop_map(Step::Publish),
        2 => which.clone().prop_map(Step::Yank),
        1 => which.clone().prop_map(Step::Unyank),
        1 => which.clone().prop_map(Step::Hide),
        1 => which.clone().prop_map(Step::Restore),
        1 => which.prop_map(Step::Tag),
    ];
    prop::collection::vec(step, 1..14)
}

/// A step that cannot be done now is refused; that is fine, the rule holds all the same.
async fn take(hub: &Hub, name: &str, step: Step) {
    let ada = hub.ada();
    let version = |place: usize| reference(&format!("@acme/{name}@{}", NUMBERS[place]));
    match step {
        Step::Publish(place) => {
            let _ = hub.publish(numbered(name, NUMBERS[place], "text")).await;
        }
        Step::Yank(place) => {
            let _ = hub.registry.yank(&ada, &version(place), "why not").await;
        }
        Step::Unyank(place) => {
            let _ = hub.registry.unyank(&ada, &version(place)).await;
        }
        Step::Hide(place) => {
            let _ = hub.registry.hide_version(&ada, &version(place), "why not").await;
        }
        Step::Restore(place) => {
            let _ = hub.registry.restore_version(&ada, &version(place)).await;
        }
        Step::Tag(place) => {
            let (tag, number) = (TagName::parse("tag").unwrap(), NUMBERS[place].parse().unwrap());
            let _ = hub.registry.set_tag(&ada, &reference(&format!("@acme/{name}")), &tag, &number).await;
        }
    }
}

async fn holds(hub: &Hub, name: &str) {
    let mut conn = hub.db.read().await.unwrap();
    let Ok(skill) = hub.registry.skill(&Viewer::hub(), &reference(&format!("@acme/{name}"))).await else { return };
    let all = kontor_db::versions::all(&mut conn, skill.id).await.unwrap();
    // Said once more in other words than the program's.
    let usable = |version: &&kontor_db::versions::Candidate| {
        version.state == kontor_registry::VersionState::Visible
            && version.hidden_at.is_none()
            && version.yanked_at.is_none()
    };
    let numbers: Vec<&Version> = all.iter().filter(usable).map(|version| &version.number).collect();
    let release = numbers.iter().filter(|number| !number.is_prerelease()).max();
    let expected = release.or_else(|| numbers.iter().max()).map(|number| (*number).clone());
    assert_eq!(latest(&all).map(|version| version.number.clone()), expected);
    assert_eq!(skill.latest_number, expected);
    let tag = hub.registry.tags(&Viewer::hub(), skill.id).await.unwrap();
    let tag = tag.into_iter().find(|tag| tag.name == TagName::latest()).map(|tag| tag.number);
    assert_eq!(tag, expected);
    let found = hub.registry.version(&Viewer::anonymous(), &reference(&format!("@acme/{name}"))).await.ok();
    assert_eq!(
        found.map(|found| VersionSelector::Exact(found.version.number.clone())),
        expected.map(VersionSelector::Exact)
    );
}

#[rstest]
#[case(On::Sqlite, 24)]
#[case(On::Postgres, 12)]
fn latest_follows_its_rule(#[case] on: On, #[case] cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let Some(hub) = runtime.block_on(Hub::new(on)) else { return };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let number = std::cell::Cell::new(0);
    let outcome = runner.run(&steps(), |steps| {
        number.set(number.get() + 1);
        let name = format!("skill-{}", number.get());
        runtime.block_on(async {
            // One after the other, and once more all at once.
            for step in &steps {
                take(&hub, &name, *step).await;
                holds(&hub, &name).await;
            }
            futures::future::join_all(steps.iter().map(|step| take(&hub, &name, *step))).await;
            holds(&hub, &name).await;
        });
        Ok(())
    });
    outcome.unwrap();
}
