//! Visibility, hiding, deleting, bringing back, deprecating.

use std::time::Duration;

use kontor_registry::{Advice, Change, Import, ImportStatus, RESERVATION};
use kontor_types::{Code, Viewer, Visibility};
use rstest::rstest;

use crate::hub::{Hub, On, code, handle, reference, skill};

#[rstest]
#[tokio::test]
async fn visibility_and_hiding_take_effect_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    let pdf = reference("@acme/pdf");
    let sees = async |viewer: Viewer| hub.registry.skill(&viewer, &pdf).await.is_ok();
    for (visibility, anonymous, member) in [
        (Visibility::Private, false, false),
        (Visibility::Organisation, false, true),
        (Visibility::Unlisted, true, true),
        (Visibility::Public, true, true),
    ] {
        let changed = hub.registry.set_visibility(&hub.ada(), &pdf, visibility).await.unwrap();
        assert_eq!(changed.visibility, visibility);
        assert_eq!((sees(Viewer::anonymous()).await, sees(hub.bob().viewer).await), (anonymous, member));
    }
    let hidden = hub.registry.hide(&hub.administrator(), &pdf, "malware").await.unwrap();
    assert_eq!(hidden.hidden_reason.as_deref(), Some("malware"));
    assert_eq!((sees(Viewer::anonymous()).await, sees(hub.ada().viewer).await), (false, true));
    // Publishing does not bring it back into sight.
    hub.publish(skill("pdf", "two")).await.unwrap();
    assert!(!sees(Viewer::anonymous()).await);
    hub.registry.unhide(&hub.ada(), &pdf).await.unwrap();
    assert!(sees(Viewer::anonymous()).await);
    assert_eq!(code(hub.registry.hide(&hub.eve(), &pdf, "").await), Code::Forbidden);
}

#[rstest]
#[tokio::test]
async fn a_deleted_skill_keeps_its_name_for_thirty_days(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    hub.publish_other(skill("pdf", "of other")).await.unwrap();
    let pdf = reference("@acme/pdf");
    assert_eq!(code(hub.registry.delete(&hub.bob(), &pdf, "").await), Code::Forbidden);
    let deleted = hub.registry.delete(&hub.ada(), &pdf, "no longer kept").await.unwrap();
    assert_eq!(deleted.reserved_until.since(crate::hub::START), RESERVATION);
    for viewer in [Viewer::anonymous(), hub.ada().viewer, hub.administrator().viewer] {
        assert_eq!(hub.latest(&viewer, "@acme/pdf").await, "skill_not_found");
    }
    // The bare name does not go over to somebody else.
    let problem = hub.registry.skill(&Viewer::anonymous(), &reference("pdf")).await.unwrap_err().problem();
    assert_eq!(problem.code, Code::AmbiguousSlug);
    assert_eq!(problem.detail, "`pdf` may mean @other/pdf or a skill that was deleted");
    assert_eq!(code(hub.publish(skill("pdf", "two")).await), Code::NameReserved);
    let import = || Import::new(handle("acme"), "git:x", "pdf", skill("pdf", "three"));
    let refused = hub.bring(&hub.ada(), import()).await.unwrap();
    assert_eq!((refused.status, refused.refusal.unwrap().code.as_str()), (ImportStatus::Refused, "name_reserved"));
    assert_eq!(code(hub.registry.undelete(&hub.bob(), &pdf).await), Code::SkillNotFound);
    let restored = hub.registry.undelete(&hub.ada(), &pdf).await.unwrap();
    assert_eq!((restored.slug.as_str(), restored.deleted_at), ("pdf", None));
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/pdf").await, "0.1.0");
    // Once more, and the reservation runs out.
    hub.registry.delete(&hub.ada(), &pdf, "").await.unwrap();
    hub.pass(RESERVATION.as_secs() + 1);
    assert_eq!(hub.latest(&Viewer::anonymous(), "pdf").await, "0.1.0", "now it is other's alone");
    let fresh = hub.publish(skill("pdf", "four")).await.unwrap();
    assert_ne!(fresh.skill_id, restored.id);
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/pdf").await, "0.1.0");
}

#[rstest]
#[tokio::test]
async fn a_bare_name_brings_back_the_only_deleted_skill(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    hub.registry.delete(&hub.ada(), &reference("pdf"), "").await.unwrap();
    assert_eq!(code(hub.registry.undelete(&hub.eve(), &reference("pdf")).await), Code::SkillNotFound);
    assert!(hub.registry.undelete(&hub.ada(), &reference("pdf")).await.is_ok());
    // A hidden skill is only shown again.
    hub.registry.hide(&hub.ada(), &reference("pdf"), "").await.unwrap();
    let shown = hub.registry.undelete(&hub.ada(), &reference("pdf")).await.unwrap();
    assert_eq!(shown.hidden_at, None);
}

#[rstest]
#[tokio::test]
async fn a_deprecated_skill_names_its_successor(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    hub.publish(skill("papers", "one")).await.unwrap();
    let (pdf, papers) = (reference("@acme/pdf"), reference("papers"));
    let old = hub.registry.deprecate(&hub.ada(), &pdf, "papers does more", Some(&papers)).await.unwrap();
    assert_eq!(old.deprecation_message.as_deref(), Some("papers does more"));
    assert_eq!(old.successor.as_deref(), Some("@acme/papers"));
    let own = hub.registry.deprecate(&hub.ada(), &pdf, "", Some(&pdf)).await;
    assert_eq!(code(own), Code::InvalidRequest);
    let unknown = hub.registry.deprecate(&hub.ada(), &pdf, "", Some(&reference("@acme/none"))).await;
    assert_eq!(code(unknown), Code::SkillNotFound);
    let back = hub.registry.undeprecate(&hub.ada(), &pdf).await.unwrap();
    assert_eq!((back.deprecated_at, back.deprecation_message, back.successor), (None, None, None));
}

#[rstest]
#[tokio::test]
async fn several_changes_happen_together_or_not_at_all(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    let (pdf, unknown) = (reference("@acme/pdf"), reference("@acme/none"));
    let change = |successor| Change {
        visibility: Some(Visibility::Private),
        deprecation: Some(Advice::Deprecated { message: "old", successor }),
    };
    assert_eq!(code(hub.registry.change(&hub.ada(), &pdf, &change(Some(&unknown))).await), Code::SkillNotFound);
    let before = hub.registry.skill(hub.ada().viewer(), &pdf).await.unwrap();
    assert_eq!((before.visibility, before.deprecated_at), (Visibility::Public, None));
    let after = hub.registry.change(&hub.ada(), &pdf, &change(None)).await.unwrap();
    assert_eq!((after.visibility, after.deprecation_message.as_deref()), (Visibility::Private, Some("old")));
}

#[rstest]
#[tokio::test]
async fn what_was_deleted_long_ago_is_purged(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let gone = hub.publish(skill("pdf", "one")).await.unwrap();
    let kept = hub.publish(skill("doc", "one")).await.unwrap();
    hub.registry.star(&hub.eve(), &reference("@acme/pdf")).await.unwrap();
    hub.registry.report(&hub.eve(), &reference("@acme/pdf@0.1.0"), "bad").await.unwrap();
    hub.registry.count_download(gone.skill_id, gone.version_id);
    hub.registry.flush_usage().await.unwrap();
    hub.registry.delete(&hub.ada(), &reference("@acme/pdf"), "").await.unwrap();
    hub.registry.delete(&hub.ada(), &reference("@acme/doc"), "").await.unwrap();
    assert_eq!(hub.registry.purge().await.unwrap(), 0, "both may still be brought back");
    hub.registry.undelete(&hub.ada(), &reference("@acme/doc")).await.unwrap();
    hub.clock.advance(RESERVATION + Duration::from_secs(1));
    assert_eq!(hub.registry.purge().await.unwrap(), 1);
    let mut conn = hub.db.read().await.unwrap();
    assert_eq!(kontor_db::blobs::find(&mut conn, &gone.digest).await.unwrap(), None);
    assert!(kontor_db::blobs::find(&mut conn, &kept.digest).await.unwrap().is_some());
    assert_eq!(code(hub.registry.undelete(&hub.ada(), &reference("@acme/pdf")).await), Code::SkillNotFound);
    assert_eq!(hub.publish(skill("pdf", "one")).await.unwrap().number.to_string(), "0.1.0");
}
