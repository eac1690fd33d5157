//! Decisions are only added; the newest of each version counts.

use kontor_db::decisions::{self, Decision, Outcome};
use kontor_db::versions::VersionState;
use kontor_types::{DecisionId, Digest, VersionId, Visibility};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

fn decision(version_id: VersionId, outcome: Outcome, at: i64) -> Decision {
    Decision {
        id: DecisionId::new(later(at)),
        version_id,
        outcome,
        reasons: json!([{"policy": "a", "text": "because"}]),
        facts: json!({"verdict": "clean"}),
        policy: Digest::of(b"policy"),
        rules: Digest::of(b"rules"),
        cause: "publish".to_owned(),
        person_id: None,
        created_at: later(at),
    }
}

#[rstest]
#[tokio::test]
async fn the_newest_decision_counts(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let version = world.version(pdf, "2.0.0", VersionState::Pending, NOW).await;
    let (held, admitted) = (decision(version, Outcome::Quarantine, 1), decision(version, Outcome::Admit, 2));
    for one in [held.clone(), admitted.clone()] {
        write!(world.db(), |tx| decisions::insert(tx, &one));
    }
    let mut conn = world.conn().await;
    assert_eq!(decisions::newest(&mut conn, &[version, VersionId::new(NOW)]).await.unwrap(), vec![admitted.clone()]);
    assert_eq!(decisions::of_version(&mut conn, version, 10).await.unwrap(), [admitted, held]);
    assert!(Outcome::Admit < Outcome::Review && Outcome::Quarantine < Outcome::Reject, "the gravest is the greatest");
}
