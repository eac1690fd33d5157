//! Publishing: atomic, idempotent, safe against races.

use futures::future::join_all;
use kontor_access::Caller;
use kontor_db::changes;
use kontor_registry::{Outcome, Publish, VersionState};
use kontor_types::{Code, Digest, Role, Scope, TagName, Viewer, Visibility};
use rstest::rstest;

use crate::hub::{Hub, On, code, files, handle, numbered, reference, skill};

#[rstest]
#[tokio::test]
async fn the_first_version_makes_the_skill(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let content = files(&[
        (
            "SKILL.md",
            "---\nname: PDF Tools\ndescription: Reads PDFs.\nlicense: Apache-2.0\ntags: [pdf, paper]\n---\nRead it.\n",
        ),
        ("scripts/run.py", "print('hi')\n"),
    ]);
    let published = hub.publish(content).await.unwrap();
    assert_eq!(published.outcome, Outcome::Created);
    assert_eq!(published.reference().to_string(), "@acme/pdf-tools@0.1.0");
    assert_eq!(published.state, VersionState::Pending);
    assert!(published.findings.iter().any(|finding| finding.breaks_spec), "the name breaks the rule of the format");
    let found = hub.registry.version(&Viewer::anonymous(), &reference("@acme/pdf-tools")).await.unwrap();
    assert_eq!((found.skill.display_name.as_str(), found.skill.description.as_str()), ("PDF Tools", "Reads PDFs."));
    assert_eq!(found.skill.license.as_deref(), Some("Apache-2.0"));
    assert_eq!(found.skill.keywords, ["pdf", "paper"]);
    assert_eq!((found.skill.visibility, found.skill.spec_valid), (Visibility::Public, false));
    assert_eq!(found.version.published_by_handle.as_ref().unwrap().as_str(), "ada");
    let tags = hub.registry.tags(&Viewer::anonymous(), found.skill.id).await.unwrap();
    assert_eq!(tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(), ["latest"]);
    // The bytes are where the rows say they are.
    let archive = hub.registry.archive_bytes(&found.version).await.unwrap();
    assert_eq!(Digest::of(&archive), published.digest);
    let files = hub.registry.files(&Viewer::anonymous(), found.version.id).await.unwrap();
    assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["SKILL.md", "scripts/run.py"]);
    let script = hub.registry.file(&Viewer::anonymous(), &found, "scripts/run.py").await.unwrap();
    assert_eq!(hub.registry.file_bytes(&found, &script, None).await.unwrap(), "print('hi')\n");
    assert_eq!(hub.registry.file_bytes(&found, &script, Some(7..9)).await.unwrap(), "hi");
    assert_eq!(changes::newest(&mut hub.db.read().await.unwrap()).await.unwrap(), 2, "published, then admitted");
}

#[rstest]
#[tokio::test]
async fn the_same_bytes_succeed_again_and_make_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let first = hub.publish(numbered("pdf", "1.0.0", "one")).await.unwrap();
    hub.pass(60);
    let again = hub.publish(numbered("pdf", "1.0.0", "one")).await.unwrap();
    assert_eq!((again.outcome, again.version_id), (Outcome::Unchanged, first.version_id));
    assert_eq!(changes::newest(&mut hub.db.read().await.unwrap()).await.unwrap(), 2);
    let refused = hub.publish(numbered("pdf", "1.0.0", "two")).await.unwrap_err().problem();
    assert_eq!(refused.code, Code::VersionTaken);
    assert_eq!(refused.detail, "@acme/pdf has a version 1.0.0 with other content");
    assert_eq!(refused.hint.unwrap(), "publish it as 1.0.1: versions never change");
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/pdf").await, "1.0.0");
}

#[rstest]
#[tokio::test]
async fn numbers_are_given_where_none_is_written(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let mut given = Vec::new();
    for text in ["one", "two", "two", "three"] {
        given.push(hub.publish(skill("pdf", text)).await.unwrap().number.to_string());
    }
    assert_eq!(given, ["0.1.0", "0.1.1", "0.1.1", "0.1.2"]);
    let asked = Publish {
        version: Some("2.0.0-rc.1".parse().unwrap()),
        tags: vec![TagName::latest(), TagName::parse("beta").unwrap()],
        ..Publish::new(handle("acme"), skill("pdf", "four"))
    };
    let published = hub.release(&hub.ada(), asked).await.unwrap();
    assert_eq!(published.number.to_string(), "2.0.0-rc.1");
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/pdf").await, "0.1.2", "a pre-release is not latest");
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/pdf@beta").await, "2.0.0-rc.1");
}

#[rstest]
#[tokio::test]
async fn trying_out_changes_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let dry = Publish { dry_run: true, ..Publish::new(handle("acme"), skill("pdf", "one")) };
    let published = hub.release(&hub.ada(), dry.clone()).await.unwrap();
    assert_eq!((published.outcome, published.number.to_string().as_str()), (Outcome::Created, "0.1.0"));
    assert_eq!(hub.latest(&Viewer::hub(), "@acme/pdf").await, "skill_not_found");
    assert!(!hub.blobs.exists(&published.digest).await.unwrap());
    hub.publish(numbered("pdf", "0.1.0", "two")).await.unwrap();
    let taken = Publish { version: Some("0.1.0".parse().unwrap()), ..dry };
    assert_eq!(code(hub.release(&hub.ada(), taken).await), Code::VersionTaken);
}

#[rstest]
#[case::nobody(|_: &Hub| Caller::anonymous(), "acme", Code::PublisherNotFound)]
#[case::stranger(|hub: &Hub| hub.eve(), "acme", Code::PublisherNotFound)]
#[case::member(|hub: &Hub| hub.bob(), "acme", Code::Forbidden)]
#[case::unknown_publisher(|hub: &Hub| hub.ada(), "nobody", Code::PublisherNotFound)]
#[case::token_without_scope(
    |hub: &Hub| hub.ada_with(vec![Scope::Read]), "acme", Code::Forbidden)]
#[tokio::test]
async fn publishing_needs_a_role_and_a_scope(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] caller: impl Fn(&Hub) -> Caller,
    #[case] publisher: &str,
    #[case] expected: Code,
) {
    let Some(hub) = Hub::new(on).await else { return };
    let request = Publish::new(handle(publisher), skill("pdf", "one"));
    assert_eq!(code(hub.release(&caller(&hub), request).await), expected);
}

#[rstest]
#[tokio::test]
async fn what_the_hub_does_not_accept_is_refused_with_place_and_remedy(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let problem = hub.publish(files(&[("README.md", "no skill here")])).await.unwrap_err().problem();
    assert_eq!(problem.code, Code::PackageRefused);
    assert_eq!(problem.detail, "the skill is refused: there is no SKILL.md");
    assert_eq!(problem.hint.unwrap(), "add a SKILL.md with a name, a description and instructions");
    let long = Publish { changelog: "x".repeat(70_000), ..Publish::new(handle("acme"), skill("pdf", "one")) };
    assert_eq!(code(hub.release(&hub.ada(), long).await), Code::InvalidRequest);
}

#[rstest]
#[tokio::test]
async fn private_skills_are_unknown_names_to_others(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let request =
        Publish { visibility: Some(Visibility::Private), ..Publish::new(handle("acme"), skill("pdf", "one")) };
    hub.release(&hub.ada(), request).await.unwrap();
    for (viewer, expected) in [
        (Viewer::anonymous(), "skill_not_found"),
        (hub.eve().viewer, "skill_not_found"),
        (hub.bob().viewer, "skill_not_found"),
        (hub.ada().viewer, "0.1.0"),
        (hub.administrator().viewer, "0.1.0"),
        (Viewer::person(kontor_types::PersonId::new(crate::hub::START), vec![(hub.acme, Role::Maintainer)]), "0.1.0"),
    ] {
        assert_eq!(hub.latest(&viewer, "@acme/pdf").await, expected);
        assert_eq!(hub.latest(&viewer, "pdf").await, expected);
    }
}

#[rstest]
#[tokio::test]
async fn of_many_publishers_of_one_version_one_wins(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    // Half of them publish the same bytes: one makes the skill, the others find it made.
    let same = join_all((0..24).map(|_| hub.publish(numbered("pdf", "1.0.0", "same")))).await;
    let outcomes: Vec<Outcome> = same.into_iter().map(|result| result.unwrap().outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Created).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Unchanged).count(), 23);
    // All publish other bytes under one number of one skill: one wins, the others are told.
    let texts: Vec<String> = (0..24).map(|number| format!("text {number}")).collect();
    let other = join_all(texts.iter().map(|text| hub.publish(numbered("pdf", "2.0.0", text)))).await;
    assert_eq!(other.iter().filter(|result| result.is_ok()).count(), 1);
    for refused in other.into_iter().filter(Result::is_err) {
        assert_eq!(code(refused), Code::VersionTaken);
    }
    // The same for a skill that does not exist yet.
    let fresh = join_all(texts.iter().map(|text| hub.publish(numbered("fresh", "1.0.0", text)))).await;
    assert_eq!(fresh.iter().filter(|result| result.is_ok()).count(), 1);
    // Without numbers each gets its own.
    let own = join_all(texts.iter().map(|text| hub.publish(skill("own", text)))).await;
    let mut numbers: Vec<String> = own.into_iter().map(|result| result.unwrap().number.to_string()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 24);
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/own").await, "0.1.23");
}

#[rstest]
#[tokio::test]
async fn names_that_look_like_others_are_told(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("model-tools", "one")).await.unwrap();
    let told = async |name: &str| {
        let published = hub.publish_other(skill(name, "one")).await.unwrap();
        published.findings.iter().any(|finding| finding.code == "name_look_alike")
    };
    for (name, expected) in [("m0del-tools", true), ("model-tolls", true), ("model-tools", false), ("mail", false)] {
        assert_eq!(told(name).await, expected, "{name}");
    }
    assert!(!told("m0del-tools").await, "a name that one has is not odd");
}
