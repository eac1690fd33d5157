//! Importing: a folder is remembered, so its next content becomes the next version of exactly its skill.

use futures::future::join_all;
use kontor_db::changes;
use kontor_package::Content;
use kontor_registry::{Import, ImportStatus, Imported, OnConflict};
use kontor_types::{Code, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, code, files, handle, numbered, reference, skill};

const SOURCE: &str = "git:example.com/skills";

async fn import_with(hub: &Hub, path: &str, content: Content, on_conflict: OnConflict) -> Imported {
    let request = Import { on_conflict, ..Import::new(handle("acme"), SOURCE, path, content) };
    hub.bring(&hub.ada(), request).await.unwrap()
}

async fn import(hub: &Hub, path: &str, content: Content) -> String {
    told(&import_with(hub, path, content, OnConflict::Refuse).await)
}

fn told(imported: &Imported) -> String {
    let status = imported.status.as_str();
    match (&imported.reference, &imported.refusal) {
        (Some(reference), _) => format!("{status} {reference}"),
        (None, Some(refusal)) => format!("{status} {}", refusal.code),
        (None, None) => status.to_owned(),
    }
}

#[rstest]
#[tokio::test]
async fn only_what_changed_gets_a_new_version(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    assert_eq!(import(&hub, "skills/pdf", skill("pdf", "one")).await, "imported @acme/pdf@0.1.0");
    assert_eq!(import(&hub, "skills/doc", numbered("doc", "1.2.0", "one")).await, "imported @acme/doc@1.2.0");
    let before = changes::newest(&mut hub.db.read().await.unwrap()).await.unwrap();
    assert_eq!(import(&hub, "skills/pdf", skill("pdf", "one")).await, "unchanged @acme/pdf@0.1.0");
    assert_eq!(import(&hub, "skills/doc", numbered("doc", "1.2.0", "one")).await, "unchanged @acme/doc@1.2.0");
    assert_eq!(changes::newest(&mut hub.db.read().await.unwrap()).await.unwrap(), before);
    assert_eq!(import(&hub, "skills/pdf", skill("pdf", "two")).await, "updated @acme/pdf@0.1.1");
    assert_eq!(import(&hub, "skills/doc", numbered("doc", "1.2.0", "two")).await, "updated @acme/doc@1.2.1");
    assert_eq!(import(&hub, "skills/doc", numbered("doc", "1.4.0", "three")).await, "updated @acme/doc@1.4.0");
    // The folder stays its skill's when the name in the text changes.
    assert_eq!(import(&hub, "skills/pdf", skill("portable", "three")).await, "updated @acme/pdf@0.1.2");
    let renamed = hub.registry.skill(&Viewer::anonymous(), &reference("@acme/pdf")).await.unwrap();
    assert_eq!(renamed.display_name, "portable");
}

#[rstest]
#[tokio::test]
async fn another_folder_with_the_same_name_is_a_conflict(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    import(&hub, "a/pdf", skill("pdf", "one")).await;
    assert_eq!(import(&hub, "b/pdf", skill("pdf", "two")).await, "refused import_conflict");
    assert_eq!(import(&hub, "c/pdf", skill("pdf", "one")).await, "unchanged @acme/pdf@0.1.0");
    let rename =
        |path: &'static str, text: &'static str| import_with(&hub, path, skill("pdf", text), OnConflict::Rename);
    assert_eq!(told(&rename("b/pdf", "two").await), "imported @acme/pdf-2@0.1.0");
    assert_eq!(told(&rename("d/pdf", "three").await), "imported @acme/pdf-3@0.1.0");
    // Now they are remembered, whatever is asked for.
    assert_eq!(import(&hub, "b/pdf", skill("pdf", "four")).await, "updated @acme/pdf-2@0.1.1");
    // A copy is never remembered, so it does not pull its original back to old content.
    assert_eq!(import(&hub, "a/pdf", skill("pdf", "five")).await, "updated @acme/pdf@0.1.1");
    assert_eq!(import(&hub, "c/pdf", skill("pdf", "one")).await, "unchanged @acme/pdf@0.1.0");
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/pdf").await, "0.1.1");
    let known = hub
        .registry
        .known_imports(&hub.ada(), &handle("acme"), SOURCE, &["a/pdf", "c/pdf"].map(str::to_owned))
        .await
        .unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].skill.as_ref().unwrap().to_string(), "@acme/pdf");
}

#[rstest]
#[tokio::test]
async fn what_was_published_by_hand_is_adopted_only_with_the_same_bytes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    assert_eq!(import(&hub, "pdf", skill("pdf", "two")).await, "refused import_conflict");
    assert_eq!(import(&hub, "pdf", skill("pdf", "one")).await, "unchanged @acme/pdf@0.1.0");
    assert_eq!(import(&hub, "pdf", skill("pdf", "two")).await, "updated @acme/pdf@0.1.1");
}

#[rstest]
#[tokio::test]
async fn refusals_say_what_where_and_what_to_do(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let content = files(&[("SKILL.md", "---\nname: pdf\n---\n")]);
    let refused = import_with(&hub, "pdf", content, OnConflict::Refuse).await;
    assert_eq!(refused.status, ImportStatus::Refused);
    let refusal = refused.refusal.unwrap();
    assert_eq!((refusal.code.as_str(), refusal.file.as_deref()), ("no_text", Some("SKILL.md")));
    assert_eq!(refusal.hint.as_deref(), Some("write what the skill does and how"));
    // What would fail for every skill of the source is an error of the whole import.
    for (caller, source, expected) in [(hub.bob(), SOURCE, Code::Forbidden), (hub.ada(), "", Code::InvalidRequest)] {
        let request = Import::new(handle("acme"), source, "pdf", skill("pdf", "one"));
        assert_eq!(code(hub.bring(&caller, request).await), expected);
    }
}

#[rstest]
#[tokio::test]
async fn many_importers_of_one_source_agree(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let work = (0..60).map(|number| {
        let name = format!("skill-{}", number % 20);
        let hub = &hub;
        async move { import(hub, &format!("skills/{name}"), skill(&name, "one")).await }
    });
    let told = join_all(work).await;
    assert_eq!(told.iter().filter(|text| text.starts_with("imported")).count(), 20);
    assert_eq!(told.iter().filter(|text| text.starts_with("unchanged")).count(), 40);
}

#[rstest]
#[tokio::test]
async fn the_number_of_the_source_outweighs_the_one_in_the_text(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let import = async |number: &str, text: &str| {
        let content = crate::hub::numbered("pdf", "9.9.9", text);
        let request = kontor_registry::Import {
            number: number.parse().ok(),
            ..kontor_registry::Import::new(crate::hub::handle("acme"), "clawhub:x", "acme/pdf", content)
        };
        hub.bring(&hub.ada(), request).await.unwrap().number.unwrap().to_string()
    };
    assert_eq!(import("1.2.0", "one").await, "1.2.0");
    assert_eq!(import("1.3.0", "two").await, "1.3.0");
    assert_eq!(import("1.3.0", "three").await, "1.3.1", "a number that is taken is never given again");
}
