//! Who had a version when it was admitted is told what became of it; nobody else is told anything.

use kontor_db::decisions::{self, Decision, Outcome};
use kontor_db::versions::{self, VersionState};
use kontor_db::{recalls, skills};
use kontor_types::{DecisionId, Digest, VersionId, Viewer, Visibility};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{NOW, World, handle, later, number, slug};
use crate::support::On;

async fn decide(world: &World, version_id: VersionId, outcome: Outcome) {
    let decision = Decision {
        id: DecisionId::new(later(1)),
        version_id,
        outcome,
        reasons: json!([]),
        facts: json!({}),
        policy: Digest::of(b"policy"),
        rules: Digest::of(b"rules"),
        cause: "publish".to_owned(),
        person_id: None,
        created_at: later(1),
    };
    write!(world.db(), |tx| decisions::insert(tx, &decision));
}

async fn told(world: &World, viewer: &Viewer, name: &str) -> bool {
    let mut conn = world.conn().await;
    let by_name = recalls::by_name(&mut conn, viewer, &handle("acme"), &slug(name), &number("2.0.0")).await.unwrap();
    let by_digest = recalls::by_digest(&mut conn, viewer, &Digest::of(b"2.0.0"), 10).await.unwrap();
    assert_eq!(by_digest.iter().find(|one| one.slug == slug(name)), by_name.as_ref(), "{name}");
    by_name.is_some()
}

#[rstest]
#[tokio::test]
async fn what_was_admitted_is_recalled_by_those_who_could_see_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let viewers = [Viewer::anonymous(), world.stranger(), world.member(), world.owner(), Viewer::hub()];
    let cases = [
        ("open", Visibility::Public, [true; 5]),
        ("known", Visibility::Unlisted, [true; 5]),
        ("inside", Visibility::Organisation, [false, false, true, true, true]),
        ("own", Visibility::Private, [false, false, false, true, true]),
    ];
    for (name, visibility, expected) in cases {
        let skill = world.bare_skill(world.acme, name, visibility, NOW).await;
        let version = world.version(skill, "2.0.0", VersionState::Held, NOW).await;
        for viewer in &viewers {
            assert!(!told(&world, viewer, name).await, "{name} was never admitted");
        }
        decide(&world, version, Outcome::Admit).await;
        decide(&world, version, Outcome::Quarantine).await;
        for (viewer, expected) in viewers.iter().zip(expected) {
            assert_eq!(told(&world, viewer, name).await, expected, "{name} {viewer:?}");
        }
        write!(world.db(), |tx| skills::set_deleted(tx, skill, Some(later(2))));
        for (viewer, expected) in viewers.iter().zip(expected) {
            assert_eq!(told(&world, viewer, name).await, expected, "deleted {name} {viewer:?}");
        }
        write!(world.db(), |tx| versions::set_hidden(tx, version, Some((later(3), "why"))));
        assert!(!told(&world, &Viewer::anonymous(), name).await, "hidden {name}");
    }
}
