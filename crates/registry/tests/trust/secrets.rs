//! Sealed secrets: who may set and release them, which runs are given them, and what a changed row is worth.

use std::path::Path;

use kontor_access::Caller;
use kontor_crypto::{Keyring, Purpose, Sealing, Zeroizing};
use kontor_db::audit_events::{self, Filter};
use kontor_db::secrets as rows;
use kontor_registry::fsck::{self, FaultKind, Report};
use kontor_registry::secrets::{SecretRef, Secrets, Values, Withheld};
use kontor_registry::{Error, Found};
use kontor_types::{Code, PageSize, PublisherId, RunId, Scope, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, START, code, handle, reference, skill};

const VALUE: &str = "correct horse battery staple";

struct World {
    hub: Hub,
    secrets: Secrets,
    keys: tempfile::TempDir,
}

impl World {
    async fn new(on: On) -> Option<Self> {
        let hub = Hub::new(on).await?;
        let keys = tempfile::tempdir().unwrap();
        ring(keys.path()).ensure(&[Purpose::Sealing], START).unwrap();
        let secrets = Secrets::new(hub.registry.clone(), ring(keys.path()).sealer().unwrap());
        hub.publish(skill("pdf", "Reads.")).await.unwrap();
        hub.publish(skill("pdf", "Reads and writes.")).await.unwrap();
        Some(Self { hub, secrets, keys })
    }

    /// The same hub started anew, with the keys that are there then.
    fn restarted(&self) -> Secrets {
        Secrets::new(self.hub.registry.clone(), ring(self.keys.path()).sealer().unwrap())
    }

    async fn set(&self, name: &str, value: &str) {
        let value = Zeroizing::new(value.to_owned());
        self.secrets.set(&self.hub.ada(), &handle("acme"), name, value).await.unwrap();
    }

    async fn grant(&self, name: &str, to: &str) {
        self.secrets.grant(&self.hub.ada(), &handle("acme"), name, &reference(to), None).await.unwrap();
    }

    async fn found(&self, name: &str) -> Found {
        self.hub.registry.version(self.hub.ada().viewer(), &reference(name)).await.unwrap()
    }

    async fn asked(&self, caller: &Caller, version: &str, name: &str) -> Result<Values, Error> {
        release(&self.secrets, self, caller, version, &[wanted(name)]).await
    }

    /// Puts bytes in the place of those that are sealed, as somebody with the database could.
    async fn tamper(&self, publisher: PublisherId, name: &str, sealed: Vec<u8>) {
        let mut row = rows::sealed(&mut self.hub.db.read().await.unwrap(), publisher, name).await.unwrap().unwrap();
        row.sealed = Some(sealed);
        let unit = self.hub.db.write(move |tx| {
            let row = row.clone();
            Box::pin(async move { rows::reseal(tx, &row).await })
        });
        assert!(unit.await.unwrap());
    }

    async fn sealed(&self, name: &str) -> Vec<u8> {
        let row = rows::sealed(&mut self.hub.db.read().await.unwrap(), self.hub.acme, name).await.unwrap();
        row.unwrap().sealed.unwrap()
    }
}

fn ring(folder: &Path) -> Keyring {
    Keyring::open(&folder.join("keys")).unwrap()
}

fn wanted(name: &str) -> SecretRef {
    SecretRef { name: name.to_owned(), version: None }
}

async fn release(
    secrets: &Secrets,
    world: &World,
    caller: &Caller,
    version: &str,
    wanted: &[SecretRef],
) -> Result<Values, Error> {
    let found = world.found(version).await;
    secrets.release(caller, &handle("acme"), &found, wanted, RunId::new(START)).await
}

fn withheld(result: Result<Values, Error>) -> Vec<(String, Withheld)> {
    match result.unwrap_err() {
        Error::SecretsRefused { refusals } => refusals.into_iter().map(|one| (one.name, one.why)).collect(),
        other => unreachable!("{other:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn a_secret_goes_to_the_bytes_that_it_was_released_to(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (ada, bob) = (world.hub.ada(), world.hub.bob());
    assert_eq!(withheld(world.asked(&bob, "@acme/pdf@0.1.0", "TOKEN").await), [("TOKEN".into(), Withheld::Missing)]);
    world.set("TOKEN", VALUE).await;
    let none = withheld(world.asked(&bob, "@acme/pdf@0.1.0", "TOKEN").await);
    assert_eq!(none, [("TOKEN".into(), Withheld::NotReleased)]);
    world.grant("TOKEN", "@acme/pdf@0.1.0").await;
    world.grant("TOKEN", "@acme/pdf@0.1.0").await;
    let given = world.asked(&bob, "@acme/pdf@0.1.0", "TOKEN").await.unwrap();
    assert_eq!(given["TOKEN"].as_str(), VALUE);
    let other = withheld(world.asked(&bob, "@acme/pdf@0.1.1", "TOKEN").await);
    assert_eq!(other, [("TOKEN".into(), Withheld::OtherBytes)]);
    let both = [wanted("TOKEN"), wanted("OTHER")];
    let found = world.found("@acme/pdf@0.1.0").await;
    let refused = world.secrets.release(&bob, &handle("acme"), &found, &both, RunId::new(START)).await;
    assert_eq!(withheld(refused), [("OTHER".into(), Withheld::Missing)], "none is given when one is not");

    // What waits in a queue names the setting; a value that came later is not what was promised.
    let promised = world.secrets.promise(&bob, &handle("acme"), &found, &["TOKEN".to_owned()]).await.unwrap();
    assert_eq!(serde_json::to_string(&promised).unwrap(), r#"[{"name":"TOKEN","version":1}]"#);
    world.set("TOKEN", "another value").await;
    let stale = withheld(release(&world.secrets, &world, &bob, "@acme/pdf@0.1.0", &promised).await);
    assert_eq!(stale, [("TOKEN".into(), Withheld::Replaced)]);
    assert_eq!(world.asked(&bob, "@acme/pdf@0.1.0", "TOKEN").await.unwrap()["TOKEN"].as_str(), "another value");

    world.secrets.revoke(&ada, &handle("acme"), "TOKEN", found.version.digest).await.unwrap();
    let gone = withheld(world.asked(&bob, "@acme/pdf@0.1.0", "TOKEN").await);
    assert_eq!(gone, [("TOKEN".into(), Withheld::NotReleased)]);
    world.grant("TOKEN", "@acme/pdf@0.1.0").await;
    world.secrets.remove(&ada, &handle("acme"), "TOKEN").await.unwrap();
    world.set("TOKEN", VALUE).await;
    let anew = withheld(world.asked(&bob, "@acme/pdf@0.1.0", "TOKEN").await);
    assert_eq!(anew, [("TOKEN".into(), Withheld::NotReleased)], "releases end with the secret");
}

#[rstest]
#[tokio::test]
async fn only_admins_set_and_only_members_use(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let acme = handle("acme");
    let value = || Zeroizing::new(VALUE.to_owned());
    world.set("TOKEN", VALUE).await;
    world.grant("TOKEN", "@acme/pdf@0.1.0").await;
    let publishing = world.hub.ada_with(vec![Scope::Read, Scope::Publish, Scope::Run]);
    for caller in [world.hub.bob(), world.hub.eve(), publishing] {
        assert_eq!(code(world.secrets.set(&caller, &acme, "TOKEN", value()).await), Code::Forbidden);
        assert_eq!(code(world.secrets.remove(&caller, &acme, "TOKEN").await), Code::Forbidden);
        let to = reference("@acme/pdf@0.1.1");
        assert_eq!(code(world.secrets.grant(&caller, &acme, "TOKEN", &to, None).await), Code::Forbidden);
    }
    assert_eq!(code(world.secrets.list(&world.hub.bob(), &acme).await), Code::Forbidden);
    assert_eq!(code(world.asked(&world.hub.eve(), "@acme/pdf@0.1.0", "TOKEN").await), Code::Forbidden);
    let administrator = world.hub.administrator();
    assert_eq!(code(world.asked(&administrator, "@acme/pdf@0.1.0", "TOKEN").await), Code::Forbidden);
    let reading = world.hub.ada_with(vec![Scope::Read, Scope::Publish, Scope::Admin]);
    assert_eq!(code(world.asked(&reading, "@acme/pdf@0.1.0", "TOKEN").await), Code::Forbidden);
    for (name, value) in [("token", VALUE), ("1TOKEN", VALUE), ("", VALUE), ("T", "short"), ("T", "with a \0 byte")] {
        let set = world.secrets.set(&world.hub.ada(), &acme, name, Zeroizing::new(value.to_owned())).await;
        assert_eq!(code(set), Code::InvalidRequest, "{name} {value}");
    }
    let found = world.found("@acme/pdf@0.1.0").await;
    let wrong = Some(kontor_types::Digest::of(b"other bytes"));
    let grant = world.secrets.grant(&world.hub.ada(), &acme, "TOKEN", &found.reference(), wrong).await;
    assert_eq!(code(grant), Code::Conflict);
    let listed = format!("{:?}", world.secrets.list(&world.hub.ada(), &acme).await.unwrap());
    assert!(listed.contains("@acme/pdf@0.1.0") && !listed.contains(VALUE), "{listed}");
}

#[rstest]
#[tokio::test]
async fn changed_and_swapped_rows_do_not_open(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (ada, eve) = (world.hub.ada(), world.hub.eve());
    for name in ["ONE", "TWO"] {
        world.set(name, &format!("the value of {name}")).await;
        world.grant(name, "@acme/pdf@0.1.0").await;
    }
    let (one, two) = (world.sealed("ONE").await, world.sealed("TWO").await);
    let mut flipped = one.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let older = one.clone();
    let of_other = {
        world.secrets.set(&eve, &handle("other"), "ONE", Zeroizing::new("eve's own value".to_owned())).await.unwrap();
        let mut conn = world.hub.db.read().await.unwrap();
        rows::sealed(&mut conn, world.hub.other, "ONE").await.unwrap().unwrap().sealed.unwrap()
    };
    for changed in [flipped, two, of_other] {
        world.tamper(world.hub.acme, "ONE", changed).await;
        let refused = withheld(world.asked(&ada, "@acme/pdf@0.1.0", "ONE").await);
        assert_eq!(refused, [("ONE".into(), Withheld::Unreadable)]);
    }
    world.set("ONE", "a newer value").await;
    world.tamper(world.hub.acme, "ONE", older).await;
    let refused = withheld(world.asked(&ada, "@acme/pdf@0.1.0", "ONE").await);
    assert_eq!(refused, [("ONE".into(), Withheld::Unreadable)], "an older value does not come back");

    let mut report = Report::default();
    let sealer = ring(world.keys.path()).sealer().unwrap();
    fsck::check_secrets(&world.hub.db, Some(&sealer), &mut report).await.unwrap();
    let faults: Vec<_> = report.faults.iter().map(|one| (one.kind, one.subject.as_str())).collect();
    assert_eq!(faults, [(FaultKind::SecretUnreadable, "@acme ONE")]);
    fsck::check_secrets(&world.hub.db, None, &mut report).await.unwrap();
    assert_eq!(report.faults.len(), 4, "without keys none opens");
}

#[rstest]
#[tokio::test]
async fn a_new_key_seals_everything_anew_and_the_old_one_still_opens(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let ada = world.hub.ada();
    world.set("TOKEN", VALUE).await;
    world.grant("TOKEN", "@acme/pdf@0.1.0").await;
    let before = world.sealed("TOKEN").await;
    let new = ring(world.keys.path()).rotate(Purpose::Sealing, START).unwrap();
    let secrets = world.restarted();
    let asked = [wanted("TOKEN")];
    let given = release(&secrets, &world, &ada, "@acme/pdf@0.1.0", &asked).await.unwrap();
    assert_eq!(given["TOKEN"].as_str(), VALUE, "sealed with the old key");
    assert_eq!((secrets.reseal().await.unwrap(), secrets.reseal().await.unwrap()), (1, 0));
    let after = world.sealed("TOKEN").await;
    assert!(after != before && Sealing::of(&after).unwrap().key == new.id);
    let given = release(&secrets, &world, &ada, "@acme/pdf@0.1.0", &asked).await.unwrap();
    assert_eq!(given["TOKEN"].as_str(), VALUE);

    // Another hub's keys open nothing, and leave what they cannot open as it is.
    let others = tempfile::tempdir().unwrap();
    ring(others.path()).ensure(&[Purpose::Sealing], START).unwrap();
    let elsewhere = Secrets::new(world.hub.registry.clone(), ring(others.path()).sealer().unwrap());
    let refused = withheld(release(&elsewhere, &world, &ada, "@acme/pdf@0.1.0", &asked).await);
    assert_eq!(refused, [("TOKEN".into(), Withheld::Unreadable)]);
    assert_eq!(elsewhere.reseal().await.unwrap(), 0);
    assert_eq!(world.sealed("TOKEN").await, after);
}

#[rstest]
#[tokio::test]
async fn a_policy_can_forbid_a_secret_and_the_trail_has_no_value(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let ada = world.hub.ada();
    for name in ["TOKEN", "DEPLOY_KEY"] {
        world.set(name, VALUE).await;
        world.grant(name, "@acme/pdf@0.1.0").await;
    }
    let digest = world.found("@acme/pdf@0.1.0").await.version.digest;
    let text = format!(
        "{}\n@id(\"no-deploy-key\") @reason(\"deploying is for people\") forbid (principal, action == Action::\"use_secret\", \
         resource) when {{ context.secret == \"DEPLOY_KEY\" && context.owner == \"acme\" && context.digest == \"{digest}\" && \
         resource.verdict == \"clean\" && resource.skill == \"pdf\" }};",
        kontor_access::policy::preset("balanced").unwrap()
    );
    world.hub.registry.set_policy(&world.hub.administrator(), "own", &text).await.unwrap();
    assert!(world.asked(&ada, "@acme/pdf@0.1.0", "TOKEN").await.is_ok());
    let refused = world.asked(&ada, "@acme/pdf@0.1.0", "DEPLOY_KEY").await.unwrap_err().problem();
    let why = "the secret `DEPLOY_KEY` is forbidden by the policy: deploying is for people (no-deploy-key)";
    assert_eq!((refused.code, refused.detail.as_str()), (Code::SecretRefused, why));

    let mut conn = world.hub.db.read().await.unwrap();
    let (everybody, all, size) = (Viewer::hub(), Filter::default(), PageSize::clamped(200));
    let events = audit_events::list(&mut conn, &everybody, &all, None, size).await.unwrap();
    let trail = format!("{events:?}");
    for action in ["secret.set", "secret.grant", "secret.release"] {
        assert!(trail.contains(action), "{action} is not in {trail}");
    }
    assert!(!trail.contains(VALUE));
}
