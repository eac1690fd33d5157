//! Resolving what is wanted to a plan, from published manifests.

use std::fmt::Write as _;

use kontor_registry::{Installed, Plan};
use kontor_types::{Code, Viewer, Visibility};
use rstest::rstest;

use crate::hub::{Hub, On, code, files, reference};

async fn publish(hub: &Hub, name: &str, version: &str, requires: &[(&str, &str)]) {
    let text = format!("---\nname: {name}\ndescription: What {name} does.\n---\nDo it.\n");
    let mut manifest = format!("version = \"{version}\"\n\n[requires]\n");
    for (needed, range) in requires {
        writeln!(manifest, "\"{needed}\" = \"{range}\"").unwrap();
    }
    hub.publish(files(&[("SKILL.md", &text), ("kontor.toml", &manifest)])).await.unwrap();
}

fn told(plan: &Plan) -> Vec<String> {
    let line = |item: &kontor_registry::PlanItem| {
        let mark = if item.direct { "" } else { " needed" };
        format!("@{}/{} {}{mark}", item.skill.publisher, item.skill.slug, item.version.number)
    };
    plan.items.iter().map(line).collect()
}

#[rstest]
#[tokio::test]
async fn a_closure_is_resolved_in_order_of_need(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for version in ["1.0.0", "1.4.0", "2.0.0"] {
        publish(&hub, "base", version, &[]).await;
    }
    publish(&hub, "zip", "1.0.0", &[("@acme/base", "^1")]).await;
    publish(&hub, "app", "1.0.0", &[("@acme/zip", "*"), ("@acme/base", "<1.4")]).await;
    let anonymous = Viewer::anonymous();
    let resolve = async |wanted: &[&str], prefer: &[&str]| {
        let wanted: Vec<_> = wanted.iter().map(|name| reference(name)).collect();
        let prefer: Vec<_> = prefer.iter().map(|name| reference(name)).collect();
        hub.registry.resolve(&anonymous, &wanted, &prefer).await
    };
    assert_eq!(
        told(&resolve(&["app"], &[]).await.unwrap()),
        ["@acme/base 1.0.0 needed", "@acme/zip 1.0.0 needed", "@acme/app 1.0.0"]
    );
    assert_eq!(told(&resolve(&["zip"], &[]).await.unwrap()), ["@acme/base 1.4.0 needed", "@acme/zip 1.0.0"]);
    // A lock file keeps what it has where it fits, withdrawn or not.
    assert_eq!(told(&resolve(&["zip"], &["@acme/base@1.0.0"]).await.unwrap())[0], "@acme/base 1.0.0 needed");
    hub.registry.yank(&hub.ada(), &reference("@acme/base@1.4.0"), "").await.unwrap();
    assert_eq!(told(&resolve(&["zip"], &[]).await.unwrap())[0], "@acme/base 1.0.0 needed");
    assert_eq!(told(&resolve(&["zip"], &["@acme/base@1.4.0"]).await.unwrap())[0], "@acme/base 1.4.0 needed");
    assert_eq!(told(&resolve(&["zip", "@acme/base@1.4.0"], &[]).await.unwrap())[0], "@acme/base 1.4.0");
    // Former names still lead there.
    hub.registry.rename(&hub.ada(), &reference("@acme/base"), &"ground".parse().unwrap()).await.unwrap();
    let plan = resolve(&["app"], &[]).await.unwrap();
    assert_eq!(told(&plan)[0], "@acme/ground 1.0.0 needed");
    assert_eq!(plan.items[2].requires.len(), 2);
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_is_explained(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    publish(&hub, "base", "1.0.0", &[]).await;
    publish(&hub, "left", "1.0.0", &[("@acme/base", "^1")]).await;
    publish(&hub, "right", "1.0.0", &[("@acme/base", "^2")]).await;
    publish(&hub, "one", "1.0.0", &[("@acme/two", "*")]).await;
    publish(&hub, "two", "1.0.0", &[("@acme/one", "*")]).await;
    publish(&hub, "orphan", "1.0.0", &[("@acme/secret", "*")]).await;
    publish(&hub, "secret", "1.0.0", &[]).await;
    hub.registry.set_visibility(&hub.ada(), &reference("@acme/secret"), Visibility::Private).await.unwrap();
    let explained = async |name: &str| {
        let problem = hub.registry.resolve(&Viewer::anonymous(), &[reference(name)], &[]).await.unwrap_err().problem();
        (problem.code, problem.detail)
    };
    let (kind, detail) = explained("right").await;
    assert_eq!(kind, Code::RequiresConflict);
    assert_eq!(detail, "@acme/right 1.0.0 requires @acme/base ^2, but there are only 1.0.0");
    let (kind, detail) = explained("one").await;
    assert_eq!(kind, Code::RequiresCycle);
    assert_eq!(detail, "skills require each other in a circle: @acme/one 1.0.0 → @acme/two 1.0.0 → @acme/one");
    // A hidden skill is told like one that was never there.
    let (_, detail) = explained("orphan").await;
    assert_eq!(detail, "@acme/orphan 1.0.0 requires @acme/secret *, but there is no skill @acme/secret");
    assert!(hub.registry.resolve(&hub.ada().viewer, &[reference("orphan")], &[]).await.is_ok());
    assert_eq!(explained("nothing").await.0, Code::SkillNotFound);
    assert_eq!(explained("base@^9").await.0, Code::VersionNotFound);
    let inexact = hub.registry.resolve(&Viewer::anonymous(), &[], &[reference("base")]).await;
    assert_eq!(code(inexact), Code::InvalidRequest);
}

#[rstest]
#[tokio::test]
async fn installed_skills_are_compared(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        publish(&hub, "base", version, &[]).await;
    }
    hub.registry.yank(&hub.ada(), &reference("@acme/base@1.0.0"), "").await.unwrap();
    let installed = |name: &str, range: Option<&str>| Installed {
        reference: reference(name),
        number: "1.0.0".parse().unwrap(),
        digest: None,
        range: range.map(|text| text.parse().unwrap()),
    };
    let asked = vec![installed("@acme/base", None), installed("@acme/base", Some("^1")), installed("@acme/gone", None)];
    let compared = hub.registry.compare(&Viewer::anonymous(), asked).await.unwrap();
    let lines: Vec<String> = compared
        .iter()
        .map(|one| {
            let number =
                |number: &Option<kontor_types::Version>| number.as_ref().map_or("-".to_owned(), ToString::to_string);
            let (wanted, latest) = (number(&one.wanted), number(&one.latest));
            format!("{wanted} {latest} {} {} {}", one.skill.is_some(), one.yanked, one.differs)
        })
        .collect();
    assert_eq!(lines, ["2.0.0 2.0.0 true true false", "1.1.0 2.0.0 true true false", "- - false false true"]);
}

/// What memory answers must be what the database says; naming anything to keep asks the database.
#[rstest]
#[tokio::test]
async fn memory_and_database_resolve_alike(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for version in ["1.0.0", "1.4.0", "2.0.0-rc.1"] {
        publish(&hub, "base", version, &[]).await;
    }
    publish(&hub, "app", "1.0.0", &[("@acme/base", "^1")]).await;
    let alike = async |expected: &[&str]| {
        let viewers = [Viewer::anonymous(), hub.ada().viewer];
        let questions: [&[&str]; 5] = [
            &["@acme/base"],
            &["base"],
            &["@acme/base@1.0.0"],
            &["@acme/app", "@acme/base"],
            &["@acme/base@2.0.0-rc.1"],
        ];
        for viewer in &viewers {
            for (question, expected) in questions.iter().zip(expected) {
                let wanted: Vec<_> = question.iter().map(|name| reference(name)).collect();
                let kept = [reference("@acme/unknown@1.0.0")];
                let quick = hub.registry.resolve(viewer, &wanted, &[]).await.unwrap();
                let slow = hub.registry.resolve(viewer, &wanted, &kept).await.unwrap();
                assert_eq!(quick, slow, "{question:?}");
                assert_eq!(told(&quick).join(", "), *expected);
            }
        }
    };
    let base = "@acme/base 1.4.0";
    alike(&[base, base, "@acme/base 1.0.0", "@acme/base 1.4.0, @acme/app 1.0.0", "@acme/base 2.0.0-rc.1"]).await;
    hub.registry.yank(&hub.ada(), &reference("@acme/base@1.4.0"), "").await.unwrap();
    let base = "@acme/base 1.0.0";
    alike(&[base, base, base, "@acme/base 1.0.0, @acme/app 1.0.0", "@acme/base 2.0.0-rc.1"]).await;
}
