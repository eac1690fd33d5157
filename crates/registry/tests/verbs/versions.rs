//! Yanking, hiding and what follows for `latest`.

use kontor_db::audit_events;
use kontor_types::{Code, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, code, numbered, reference};

#[rstest]
#[tokio::test]
async fn a_yanked_version_is_passed_over_and_still_there(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for version in ["1.0.0", "1.1.0"] {
        hub.publish(numbered("pdf", version, "text")).await.unwrap();
    }
    let anonymous = Viewer::anonymous();
    let newest = reference("@acme/pdf@1.1.0");
    let yanked = hub.registry.yank(&hub.ada(), &newest, " eats files ").await.unwrap();
    assert_eq!(yanked.version.yank_reason.as_deref(), Some("eats files"));
    assert_eq!(yanked.skill.latest_number.as_ref().unwrap().to_string(), "1.0.0");
    for (name, expected) in
        [("@acme/pdf", "1.0.0"), ("@acme/pdf@latest", "1.0.0"), ("@acme/pdf@^1", "1.0.0"), ("@acme/pdf@1.1.0", "1.1.0")]
    {
        assert_eq!(hub.latest(&anonymous, name).await, expected, "{name}");
    }
    // Yanking again changes nothing, not even the reason.
    let again = hub.registry.yank(&hub.ada(), &newest, "another").await.unwrap();
    assert_eq!(again.version.yank_reason.as_deref(), Some("eats files"));
    let restored = hub.registry.unyank(&hub.ada(), &newest).await.unwrap();
    assert_eq!((restored.version.yanked_at, restored.version.yank_reason.clone()), (None, None));
    assert_eq!(hub.latest(&anonymous, "@acme/pdf").await, "1.1.0");
    for (caller, name, expected) in [
        (hub.bob(), "@acme/pdf@1.0.0", Code::Forbidden),
        (hub.eve(), "@acme/pdf@1.0.0", Code::Forbidden),
        (hub.ada(), "@acme/pdf@7.0.0", Code::VersionNotFound),
        (hub.ada(), "@acme/doc@1.0.0", Code::SkillNotFound),
        (hub.ada(), "@acme/pdf", Code::InvalidRequest),
    ] {
        assert_eq!(code(hub.registry.yank(&caller, &reference(name), "").await), expected, "{name}");
    }
}

#[rstest]
#[tokio::test]
async fn a_hidden_version_is_gone_for_others_and_its_number_taken(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(numbered("pdf", "1.0.0", "secret")).await.unwrap();
    let only = reference("@acme/pdf@1.0.0");
    hub.registry.hide_version(&hub.ada(), &only, "a key was in it").await.unwrap();
    let anonymous = Viewer::anonymous();
    for (viewer, expected) in [(anonymous.clone(), "skill_not_found"), (hub.ada().viewer, "1.0.0")] {
        assert_eq!(hub.latest(&viewer, "@acme/pdf@1.0.0").await, expected);
    }
    assert_eq!(hub.latest(&hub.ada().viewer, "@acme/pdf").await, "version_not_found", "nothing is latest");
    assert_eq!(code(hub.publish(numbered("pdf", "1.0.0", "other")).await), Code::VersionTaken);
    hub.publish(numbered("pdf", "1.0.1", "clean")).await.unwrap();
    for (name, expected) in [("@acme/pdf", "1.0.1"), ("@acme/pdf@1.0.0", "version_not_found")] {
        assert_eq!(hub.latest(&anonymous, name).await, expected);
    }
    hub.registry.restore_version(&hub.ada(), &only).await.unwrap();
    assert_eq!(hub.latest(&anonymous, "@acme/pdf@1.0.0").await, "1.0.0");
    let (mut conn, everybody) = (hub.db.read().await.unwrap(), Viewer::hub());
    let of_acme = audit_events::Filter { publisher: Some(hub.acme), ..audit_events::Filter::default() };
    let size = kontor_types::PageSize::default();
    let events = audit_events::list(&mut conn, &everybody, &of_acme, None, size).await.unwrap();
    let mut actions: Vec<String> = events.into_iter().map(|event| event.action).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["version.hide", "version.publish", "version.publish", "version.restore"]);
}
