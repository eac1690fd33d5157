//! Finding skills and versions by every kind of name.

use kontor_types::{Code, Cursor, Digest, PageSize, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, code, numbered, reference, skill};

#[rstest]
#[tokio::test]
async fn versions_are_found_by_number_tag_and_range(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for version in ["1.0.0", "1.4.0", "1.10.0", "2.0.0", "3.0.0-rc.1"] {
        hub.publish(numbered("pdf", version, "text")).await.unwrap();
        hub.pass(1);
    }
    let anonymous = Viewer::anonymous();
    for (name, expected) in [
        ("@acme/pdf", "2.0.0"),
        ("pdf", "2.0.0"),
        ("@acme/pdf@1.4.0", "1.4.0"),
        ("@acme/pdf@latest", "2.0.0"),
        ("@acme/pdf@^1.2", "1.10.0"),
        ("@acme/pdf@<1.10", "1.4.0"),
        ("@acme/pdf@^7", "version_not_found"),
        ("@acme/pdf@9.9.9", "version_not_found"),
        ("@acme/pdf@beta", "version_not_found"),
        ("@acme/doc", "skill_not_found"),
        ("@other/pdf", "skill_not_found"),
        ("@nobody/pdf", "skill_not_found"),
    ] {
        assert_eq!(hub.latest(&anonymous, name).await, expected, "{name}");
    }
    let mut numbers = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = hub
            .registry
            .versions(&anonymous, &reference("@acme/pdf"), PageSize::clamped(2), after.as_ref())
            .await
            .unwrap();
        numbers.extend(page.items.iter().map(|version| version.number.to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(numbers, ["3.0.0-rc.1", "2.0.0", "1.10.0", "1.4.0", "1.0.0"]);
    let foreign = Cursor::of(&[&"x", &"y", &"z"]);
    let page = hub.registry.versions(&anonymous, &reference("@acme/pdf"), PageSize::default(), Some(&foreign)).await;
    assert_eq!(code(page), Code::InvalidCursor);
}

#[rstest]
#[tokio::test]
async fn a_bare_slug_that_two_publishers_have_is_ambiguous(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    hub.publish_other(skill("pdf", "one")).await.unwrap();
    let problem = hub.registry.skill(&Viewer::anonymous(), &reference("pdf")).await.unwrap_err().problem();
    assert_eq!(problem.code, Code::AmbiguousSlug);
    assert_eq!(problem.detail, "`pdf` may mean @acme/pdf, @other/pdf");
}

#[rstest]
#[tokio::test]
async fn content_is_found_by_fingerprint_and_digest(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let first = hub.publish(skill("pdf", "one")).await.unwrap();
    hub.publish(skill("pdf", "two")).await.unwrap();
    hub.pass(1);
    let copy = hub.publish_other(skill("pdf", "one")).await.unwrap();
    assert_eq!(first.digest, copy.digest);
    let anonymous = Viewer::anonymous();
    let found = hub.registry.version(&anonymous, &first.reference()).await.unwrap();
    let same = hub.registry.by_fingerprint(&anonymous, first.skill_id, &found.version.fingerprint).await.unwrap();
    assert_eq!(same.iter().map(|version| version.id).collect::<Vec<_>>(), [first.version_id]);
    let same = hub.registry.by_digest(&anonymous, &first.digest).await.unwrap();
    let names: Vec<String> = same.iter().map(|found| found.reference().to_string()).collect();
    assert_eq!(names, ["@acme/pdf@0.1.0", "@other/pdf@0.1.0"]);
    assert!(hub.registry.by_digest(&anonymous, &Digest::of(b"never")).await.unwrap().is_empty());
}
