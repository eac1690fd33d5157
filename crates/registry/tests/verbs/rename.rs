//! Renames, merges and transfers, and the redirects they leave.

use kontor_db::audit_events::{self, Filter};
use kontor_registry::{Import, ImportStatus, Side, TransferState};
use kontor_types::{Code, PageSize, Slug, Viewer, Visibility};
use rstest::rstest;

use crate::hub::{Hub, On, code, handle, reference, skill};

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

#[rstest]
#[tokio::test]
async fn former_names_lead_to_the_present_one(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let first = hub.publish(skill("pdf", "one")).await.unwrap();
    hub.publish(skill("doc", "one")).await.unwrap();
    let rename = async |from: &str, to: &str| hub.registry.rename(&hub.ada(), &reference(from), &slug(to)).await;
    rename("@acme/pdf", "papers").await.unwrap();
    rename("@acme/pdf", "portable").await.unwrap();
    let anonymous = Viewer::anonymous();
    for name in ["@acme/pdf", "@acme/papers", "@acme/portable", "pdf", "papers", "portable"] {
        let found = hub.registry.skill(&anonymous, &reference(name)).await.unwrap();
        assert_eq!((found.id, found.slug.as_str()), (first.skill_id, "portable"), "{name}");
    }
    let taken = rename("@acme/portable", "doc").await.unwrap_err().problem();
    assert_eq!(taken.code, Code::NameTaken);
    let taken = hub.publish(skill("pdf", "two")).await.unwrap_err().problem();
    assert_eq!(taken.detail, "the name @acme/pdf is taken: it leads to @acme/portable");
    // Back to a name that was its own.
    let back = rename("@acme/portable", "pdf").await.unwrap();
    assert_eq!(back.slug.as_str(), "pdf");
    assert_eq!(hub.publish(skill("pdf", "two")).await.unwrap().number.to_string(), "0.1.1");
    assert_eq!(code(hub.registry.rename(&hub.bob(), &reference("@acme/pdf"), &slug("x")).await), Code::Forbidden);
    // The trail of a skill is one, whatever it was called and whichever version it was.
    let (mut conn, size) = (hub.db.read().await.unwrap(), PageSize::default());
    for (subject, expected) in [
        ("@acme/papers", vec!["skill.rename", "skill.rename", "skill.rename", "version.publish", "version.publish"]),
        ("@acme/portable@0.1.1", vec!["version.publish"]),
        ("@acme/doc", vec!["version.publish"]),
        ("@acme/do", vec![]),
    ] {
        let filter = Filter { subject: Some(subject.to_owned()), ..Filter::default() };
        let events = audit_events::list(&mut conn, &Viewer::hub(), &filter, None, size).await.unwrap();
        let mut actions: Vec<String> = events.into_iter().map(|event| event.action).collect();
        actions.sort_unstable();
        assert_eq!(actions, expected, "{subject}");
    }
}

#[rstest]
#[tokio::test]
async fn a_merged_skill_leads_to_the_other(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    hub.publish(skill("doc", "one")).await.unwrap();
    hub.publish_other(skill("third", "one")).await.unwrap();
    let (pdf, doc) = (reference("@acme/pdf"), reference("@acme/doc"));
    hub.registry.star(&hub.eve(), &pdf).await.unwrap();
    hub.registry.star(&hub.eve(), &doc).await.unwrap();
    hub.registry.star(&hub.bob(), &pdf).await.unwrap();
    let target = hub.registry.merge(&hub.ada(), &pdf, &doc).await.unwrap();
    assert_eq!((target.slug.as_str(), target.stars), ("doc", 2));
    let found = hub.registry.skill(&Viewer::anonymous(), &pdf).await.unwrap();
    assert_eq!(found.slug.as_str(), "doc");
    assert_eq!(code(hub.registry.merge(&hub.ada(), &doc, &doc).await), Code::InvalidRequest);
    assert_eq!(code(hub.registry.merge(&hub.ada(), &doc, &reference("@other/third")).await), Code::Forbidden);
}

#[rstest]
#[tokio::test]
async fn an_offered_skill_changes_hands_when_it_is_accepted(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let import = |publisher: &str, text: &str| Import::new(handle(publisher), "git:x", "pdf", skill("pdf", text));
    hub.bring(&hub.ada(), import("acme", "one")).await.unwrap();
    hub.registry.set_visibility(&hub.ada(), &reference("@acme/pdf"), Visibility::Private).await.unwrap();
    let pdf = reference("@acme/pdf");
    let offer = hub.registry.transfer(&hub.ada(), &pdf, &handle("other"), "it is yours").await.unwrap();
    assert_eq!((offer.state, offer.to_handle.as_str()), (TransferState::Pending, "other"));
    assert_eq!(hub.registry.transfers(&hub.eve(), Side::Incoming).await.unwrap().len(), 1);
    assert_eq!(hub.registry.transfers(&hub.ada(), Side::Outgoing).await.unwrap().len(), 1);
    assert!(hub.registry.transfers(&hub.bob(), Side::Incoming).await.unwrap().is_empty());
    // The receiver finds the offer by the name of a skill that is not hers to see.
    assert_eq!(hub.registry.transfer_of(&hub.eve(), &reference("pdf")).await.unwrap().id, offer.id);
    assert_eq!(code(hub.registry.accept_transfer(&hub.ada(), offer.id).await), Code::Forbidden);
    assert_eq!(code(hub.registry.accept_transfer(&hub.bob(), offer.id).await), Code::NotFound);
    let accepted = hub.registry.accept_transfer(&hub.eve(), offer.id).await.unwrap();
    assert_eq!(accepted.state, TransferState::Accepted);
    assert_eq!(code(hub.registry.accept_transfer(&hub.eve(), offer.id).await), Code::Conflict);
    let moved = hub.registry.skill(&hub.eve().viewer, &pdf).await.unwrap();
    assert_eq!((moved.publisher.as_str(), moved.slug.as_str()), ("other", "pdf"));
    assert_eq!(code(hub.registry.skill(&hub.ada().viewer, &pdf).await), Code::SkillNotFound);
    // So does the memory of its import.
    let next = hub.bring(&hub.eve(), import("other", "two")).await.unwrap();
    assert_eq!(
        (next.status, next.reference.unwrap().to_string().as_str()),
        (ImportStatus::Updated, "@other/pdf@0.1.1")
    );
    // The giver's name still leads there, which the giver may not know now.
    let taken = hub.publish(skill("pdf", "mine again")).await.unwrap_err().problem();
    assert_eq!((taken.code, taken.detail.as_str()), (Code::NameTaken, "the name @acme/pdf is taken"));
}

#[rstest]
#[tokio::test]
async fn offers_are_turned_down_taken_back_and_overtaken(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    hub.publish_other(skill("doc", "one")).await.unwrap();
    let pdf = reference("@acme/pdf");
    let offer = async || hub.registry.transfer(&hub.ada(), &pdf, &handle("other"), "").await.unwrap();
    let rejected = hub.registry.reject_transfer(&hub.eve(), offer().await.id).await.unwrap();
    assert_eq!(rejected.state, TransferState::Rejected);
    let first = offer().await;
    assert_eq!(code(hub.registry.cancel_transfer(&hub.eve(), first.id).await), Code::Forbidden);
    let second = offer().await;
    assert_eq!(code(hub.registry.accept_transfer(&hub.eve(), first.id).await), Code::Conflict, "the newer one counts");
    hub.registry.cancel_transfer(&hub.ada(), second.id).await.unwrap();
    // A name that the receiver has stands in the way.
    hub.registry.rename(&hub.ada(), &pdf, &slug("doc")).await.unwrap();
    let third = hub.registry.transfer(&hub.ada(), &reference("@acme/doc"), &handle("other"), "").await.unwrap();
    assert_eq!(code(hub.registry.accept_transfer(&hub.eve(), third.id).await), Code::NameTaken);
    // An administrator moves it at once.
    hub.registry.rename(&hub.ada(), &reference("@acme/doc"), &slug("papers")).await.unwrap();
    let direct =
        hub.registry.transfer(&hub.administrator(), &reference("@acme/papers"), &handle("other"), "").await.unwrap();
    assert_eq!(direct.state, TransferState::Accepted);
    let moved = hub.registry.skill(&Viewer::anonymous(), &reference("@acme/papers")).await.unwrap();
    assert_eq!(moved.publisher.as_str(), "other");
    let unknown = hub.registry.transfer(&hub.administrator(), &reference("@other/papers"), &handle("none"), "").await;
    assert_eq!(code(unknown), Code::PublisherNotFound);
}
