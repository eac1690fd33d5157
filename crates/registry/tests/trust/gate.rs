//! Installing and running ask the policy, and only about what was admitted.

use kontor_access::Caller;
use kontor_access::policy::{Action, preset};
use kontor_package::{Content, Limits};
use kontor_registry::{Error, Examiner, Found, Publish};
use kontor_scan::Scanner;
use kontor_types::{Code, Digest, Role, Scope, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, code, handle, reference};
use crate::samples::{clean, incomplete, suspicious};

/// The balanced policy with one more.
fn balanced_and(more: &str) -> String {
    format!("{}\n{more}", preset("balanced").unwrap())
}

const NOT_OUTSIDE: &str = r#"
@id("members-only")
@reason("it is ours; only members of acme use it")
forbid (principal, action in [Action::"install", Action::"run"], resource)
when { resource.skill like "talk*" }
unless { principal.organisations.contains("acme") };"#;

async fn found(hub: &Hub, name: &str) -> Found {
    hub.registry.version(&Viewer::hub(), &reference(name)).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn what_the_policy_forbids_to_somebody_they_neither_install_nor_run(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(clean("talks")).await.unwrap();
    hub.publish(clean("quiet")).await.unwrap();
    let (talks, quiet) = (found(&hub, "@acme/talks").await, found(&hub, "@acme/quiet").await);
    let registry = &hub.registry;
    assert!(registry.may_install(&Caller::anonymous(), &talks).await.unwrap().open);
    registry.set_policy(&hub.administrator(), "own", &balanced_and(NOT_OUTSIDE)).await.unwrap();
    for stranger in [Caller::anonymous(), hub.eve()] {
        let refused = registry.may_install(&stranger, &talks).await.unwrap_err();
        let problem = refused.problem();
        assert_eq!(problem.code, Code::PolicyForbids);
        assert!(problem.detail.contains("only members of acme use it (members-only)"), "{}", problem.detail);
        assert!(matches!(registry.may_run(&stranger, &talks).await, Err(Error::Forbidden { action: Action::Run, .. })));
        assert_eq!(code(registry.plan(&stranger, &[reference("@acme/talks")], &[]).await), Code::PolicyForbids);
        assert!(registry.plan(&stranger, &[reference("@acme/quiet")], &[]).await.is_ok());
        assert!(registry.may_run(&stranger, &quiet).await.is_ok());
        let listed = registry.installable(&stranger, vec![talks.clone(), quiet.clone()]).await.unwrap();
        assert_eq!(listed.as_slice(), std::slice::from_ref(&quiet));
    }
    let member = registry.may_install(&hub.bob(), &talks).await.unwrap();
    assert!(!member.open, "caches in between must not give it to others");
    assert!(registry.may_run(&hub.bob(), &talks).await.is_ok());
    assert!(registry.may_install(&Caller::anonymous(), &quiet).await.unwrap().open, "nobody signed in, nobody known");
    registry.set_policy(&hub.administrator(), "balanced", preset("balanced").unwrap()).await.unwrap();
    assert!(registry.may_install(&hub.eve(), &talks).await.unwrap().open, "an answer ends with its policy");
}

#[rstest]
#[tokio::test]
async fn nobody_installs_or_runs_what_was_not_admitted(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let anything = "@id(\"all\") permit (principal, action in [Action::\"install\", Action::\"run\"], resource);\n\
        @id(\"administer\") permit (principal, action == Action::\"administer\", resource);";
    hub.registry.set_policy(&hub.administrator(), "own", anything).await.unwrap();
    hub.publish(suspicious("held")).await.unwrap();
    hub.registry.publish(&hub.ada(), Publish::new(handle("acme"), clean("waits"))).await.unwrap();
    for name in ["@acme/held@0.1.0", "@acme/waits@0.1.0"] {
        let version = found(&hub, name).await;
        for who in [hub.ada(), hub.administrator(), Caller::hub()] {
            assert_eq!(code(hub.registry.may_install(&who, &version).await), Code::NotAdmitted, "{name}");
            assert_eq!(code(hub.registry.may_run(&who, &version).await), Code::NotAdmitted, "{name}");
        }
        assert_eq!(hub.registry.installable(&hub.ada(), vec![version]).await.unwrap(), []);
    }
}

#[rstest]
#[tokio::test]
async fn an_answer_ends_with_the_facts_it_was_given_for(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let forbid = "@id(\"no-ferrets\") @reason(\"no ferrets\") forbid (principal, action == Action::\"install\", resource)\n\
        when { resource.exec.contains(\"ferret\") };";
    hub.registry.set_policy(&hub.administrator(), "own", &balanced_and(forbid)).await.unwrap();
    hub.publish(clean("meter")).await.unwrap();
    let meter = found(&hub, "@acme/meter").await;
    assert!(hub.registry.may_install(&hub.eve(), &meter).await.unwrap().open, "it looks at the version alone");
    // Other rules see more in the same bytes, and the version stays admitted.
    let scanner = Scanner::new().unwrap();
    let rules = Digest::of(b"rules of tomorrow");
    let tomorrow = Examiner::new(rules, Limits::default(), move |name: &str, content: &Content| {
        let mut report = scanner.scan_content(name, content);
        report.rules = rules.hex();
        report.capabilities.exec.insert("ferret".to_owned());
        report
    });
    assert_eq!(hub.elsewhere().with_examiner(tomorrow).rejudge().await.unwrap(), 1);
    // The next commit of this process lets it hear what the other one did.
    hub.publish(clean("other")).await.unwrap();
    let refused = hub.registry.may_install(&hub.eve(), &meter).await;
    assert_eq!(code(refused), Code::PolicyForbids);
}

#[rstest]
#[tokio::test]
async fn people_answer_for_themselves(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let forbid = "@id(\"eve\") @reason(\"not eve\") forbid (principal == Actor::\"eve\", action, resource is Version);\n\
        @id(\"maintainers\") forbid (principal, action == Action::\"run\", resource) \
        unless { principal.author || principal.role == \"maintainer\" };";
    hub.registry.set_policy(&hub.administrator(), "own", &balanced_and(forbid)).await.unwrap();
    hub.publish(clean("meter")).await.unwrap();
    let meter = found(&hub, "@acme/meter").await;
    let mia = Caller::person(
        (hub.bob().person_id().unwrap(), handle("bob")),
        false,
        vec![(hub.acme, Role::Maintainer)],
        Scope::ALL.to_vec(),
        None,
    );
    let registry = &hub.registry;
    for (who, installs, runs) in
        [(hub.ada(), true, true), (hub.bob(), true, false), (mia, true, true), (hub.eve(), false, false)]
    {
        for _ in 0..2 {
            assert_eq!(registry.may_install(&who, &meter).await.is_ok(), installs, "{:?}", who.person);
            assert_eq!(registry.may_run(&who, &meter).await.is_ok(), runs, "{:?}", who.person);
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_is_incomplete_and_approved_may_still_be_kept_from_running(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let forbid = "@id(\"whole\") @reason(\"not all of it was examined\") \
        forbid (principal, action == Action::\"run\", resource) when { !resource.complete };";
    let open = format!("{}\n{forbid}", preset("open").unwrap());
    hub.registry.set_policy(&hub.administrator(), "own", &open).await.unwrap();
    hub.publish(incomplete("odd")).await.unwrap();
    let odd = found(&hub, "@acme/odd").await;
    assert!(hub.registry.may_install(&hub.eve(), &odd).await.is_ok());
    assert_eq!(code(hub.registry.may_run(&hub.eve(), &odd).await), Code::PolicyForbids);
}
