//! Publishers sign what they publish; the hub takes only what is signed with their own keys over these bytes and this name.

use std::time::Duration;

use kontor_access::Caller;
use kontor_access::policy::preset;
use kontor_crypto::{Endorsement, Keyring, Purpose, SignedVersion, SigningKey};
use kontor_db::{log_entries, version_signatures};
use kontor_package::{Content, pack};
use kontor_registry::{Error, NewKey, NoteKind, Publish, PublisherKey, ReviewFilter, VersionState};
use kontor_types::{Code, Digest, PageSize, Scope, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, START, code, handle, reference};
use crate::samples::{clean, suspicious};

fn key(secret: u8) -> SigningKey {
    SigningKey::from_secret(Purpose::Publisher, &[secret; 32])
}

fn new(key: &SigningKey, publisher: &str) -> NewKey {
    let claim = key.claim(&handle(publisher), START);
    NewKey { key: key.verifying_key(), created_at: START, claim, endorsement: None }
}

async fn register(hub: &Hub, caller: &Caller, secret: u8, publisher: &str) -> Result<PublisherKey, Error> {
    hub.registry.register_key(caller, &handle(publisher), new(&key(secret), publisher)).await
}

fn signed(name: &str, content: &Content, key: &SigningKey) -> Vec<u8> {
    let digest = pack(content).digest;
    SignedVersion { name: reference(name), digest, signed_at: START }.sign(key).unwrap().to_json()
}

/// Publishes for acme, signed as `name` by `key`.
async fn publish(hub: &Hub, content: Content, name: &str, key: &SigningKey) -> Result<(), Error> {
    let signature = Some(signed(name, &content, key));
    hub.release(&hub.ada(), Publish { signature, ..Publish::new(handle("acme"), content) }).await.map(drop)
}

#[rstest]
#[tokio::test]
async fn a_signature_is_kept_as_it_came_shown_and_logged(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let registered = register(&hub, &hub.ada(), 1, "acme").await.unwrap();
    hub.pass(10);
    let envelope = signed("@acme/pdf@0.1.0", &clean("pdf"), &key(1));
    publish(&hub, clean("pdf"), "@acme/pdf@0.1.0", &key(1)).await.unwrap();
    let found = hub.registry.version(&Viewer::anonymous(), &reference("@acme/pdf@0.1.0")).await.unwrap();
    let signature = found.version.signature().unwrap();
    assert_eq!((signature.publisher.as_str(), &signature.key_id), ("acme", &key(1).id().to_string()));
    assert_eq!((signature.public_key.as_str(), signature.counts()), (registered.public_key.as_str(), true));
    let mut conn = hub.db.read().await.unwrap();
    let kept = version_signatures::of_version(&mut conn, found.version.id).await.unwrap().unwrap();
    assert_eq!(kept.envelope, envelope);
    let logged = log_entries::about_version(&mut conn, &found.version.digest, found.version.id, 10).await.unwrap();
    let entry = logged.iter().find(|entry| entry.kind == "signature").unwrap();
    assert_eq!(entry.statement, envelope);
    let of_key = log_entries::about(&mut conn, &Digest::of(registered.public_key.as_bytes()), 10).await.unwrap();
    assert_eq!(of_key.iter().map(|entry| entry.kind.as_str()).collect::<Vec<_>>(), ["key"]);
    let explained = hub.registry.explain(&hub.ada(), &found).await.unwrap();
    assert_eq!((explained.facts.signer.as_str(), explained.facts.signature.as_str()), ("acme", "valid"));
}

/// Whoever sends these has the right to publish, and still none of them is taken.
#[rstest]
#[tokio::test]
async fn nothing_else_is_taken_for_a_signature(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    register(&hub, &hub.ada(), 1, "acme").await.unwrap();
    register(&hub, &hub.ada(), 2, "acme").await.unwrap();
    register(&hub, &hub.eve(), 3, "other").await.unwrap();
    let revoked = key(2).id().to_string();
    hub.registry.revoke_key(&hub.ada(), &handle("acme"), &revoked, None, "lost").await.unwrap();
    hub.pass(1);
    let (own, stranger) = (key(1), key(9));
    let same_secret = SigningKey::from_secret(Purpose::Attestation, &[1; 32]);
    let mut statement = kontor_crypto::Statement::parse(
        &SignedVersion { name: reference("@acme/pdf@0.1.0"), digest: pack(&clean("pdf")).digest, signed_at: START }
            .sign(&own)
            .unwrap()
            .payload()
            .unwrap(),
    )
    .unwrap();
    let other_purpose = statement.sign(&[&same_secret]).to_json();
    statement.predicate_type = "urn:kontor:statement:decision:v1".to_owned();
    let other_statement = statement.sign(&[&own]).to_json();
    let mut renamed = kontor_crypto::Envelope::parse(&signed("@acme/pdf@0.1.0", &clean("pdf"), &stranger)).unwrap();
    renamed.signatures[0].keyid = own.id().to_string();
    let table = [
        ("wrong digest", signed("@acme/pdf@0.1.0", &clean("doc"), &own), "it is about other bytes"),
        ("other skill", signed("@acme/doc@0.1.0", &clean("pdf"), &own), "it names @acme/doc@0.1.0"),
        ("other version", signed("@acme/pdf@0.2.0", &clean("pdf"), &own), "it names @acme/pdf@0.2.0"),
        ("other publisher", signed("@other/pdf@0.1.0", &clean("pdf"), &own), "it names @other/pdf@0.1.0"),
        ("stranger's key", signed("@acme/pdf@0.1.0", &clean("pdf"), &stranger), "is no key of @acme"),
        ("another publisher's key", signed("@acme/pdf@0.1.0", &clean("pdf"), &key(3)), "is no key of @acme"),
        ("revoked key", signed("@acme/pdf@0.1.0", &clean("pdf"), &key(2)), "was revoked"),
        ("key of another purpose", other_purpose, "is no key of @acme"),
        ("another statement", other_statement, "decision"),
        ("somebody else's under our key's name", renamed.to_json(), "does not fit"),
        ("no envelope", b"{}".to_vec(), "DSSE"),
    ];
    for (what, signature, reason) in table {
        let request = Publish { signature: Some(signature), ..Publish::new(handle("acme"), clean("pdf")) };
        let refused = hub.registry.publish(&hub.ada(), request).await.unwrap_err();
        assert_eq!(refused.problem().code, Code::SignatureRefused, "{what}");
        assert!(refused.to_string().contains(reason), "{what}: {refused}");
    }
    // The envelope of a version that was published cannot be used for the next one, nor for another skill with its bytes.
    publish(&hub, clean("pdf"), "@acme/pdf@0.1.0", &own).await.unwrap();
    let replayed = Some(signed("@acme/pdf@0.1.0", &clean("pdf"), &own));
    let slug = Some("copy".parse().unwrap());
    let copy = Publish { signature: replayed, slug, ..Publish::new(handle("acme"), clean("pdf")) };
    assert_eq!(code(hub.registry.publish(&hub.ada(), copy).await), Code::SignatureRefused);
}

#[rstest]
#[tokio::test]
async fn only_maintainers_register_and_a_token_for_publishing_brings_no_second_key(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = Hub::new(on).await else { return };
    let (registry, acme) = (&hub.registry, handle("acme"));
    let publishing = hub.ada_with(vec![Scope::Read, Scope::Publish]);
    assert_eq!(code(register(&hub, &hub.bob(), 1, "acme").await), Code::Forbidden, "a member");
    assert_eq!(code(register(&hub, &hub.eve(), 1, "acme").await), Code::PublisherNotFound, "a stranger");
    assert_eq!(code(register(&hub, &Caller::anonymous(), 1, "acme").await), Code::PublisherNotFound);
    let mut unclaimed = new(&key(1), "acme");
    unclaimed.claim = key(2).claim(&acme, START);
    assert_eq!(code(registry.register_key(&hub.ada(), &acme, unclaimed).await), Code::SignatureRefused);

    let folder = tempfile::tempdir().unwrap();
    let mut ring = Keyring::open(&folder.path().join("acme")).unwrap();
    ring.ensure(&[Purpose::Publisher], START).unwrap();
    let first = ring.signing_key(Purpose::Publisher).unwrap();
    let made = registry.register_key(&publishing, &acme, new(&first, "acme")).await.unwrap();
    assert_eq!(registry.register_key(&publishing, &acme, new(&first, "acme")).await.unwrap(), made, "again");
    assert_eq!(code(register(&hub, &publishing, 7, "acme").await), Code::Forbidden, "a thief's own key");
    hub.pass(1);
    register(&hub, &hub.ada(), 7, "acme").await.unwrap();

    hub.pass(1);
    let record = ring.rotate(Purpose::Publisher, START).unwrap();
    let second = ring.signing_key(Purpose::Publisher).unwrap();
    let endorsed = NewKey { endorsement: record.endorsement, ..new(&second, "acme") };
    let mut forged = endorsed.clone();
    forged.endorsement = Some(Endorsement { by: first.id(), signature: second.claim(&acme, START) });
    assert_eq!(code(registry.register_key(&publishing, &acme, forged).await), Code::SignatureRefused);
    registry.register_key(&publishing, &acme, endorsed).await.unwrap();
    hub.publish(clean("pdf")).await.unwrap();
    let keys = registry.publisher_keys(&Viewer::anonymous(), &acme).await.unwrap();
    let told: Vec<_> = keys.iter().map(|key| (key.key_id.clone(), key.is_active(), key.endorsed_by.clone())).collect();
    let ids = [first.id().to_string(), key(7).id().to_string(), second.id().to_string()];
    assert_eq!(told[0], (ids[0].clone(), false, None), "its place was taken");
    assert_eq!(
        (told[1].clone(), told[2].clone()),
        ((ids[1].clone(), true, None), (ids[2].clone(), true, Some(ids[0].clone())),)
    );
    let old = publish(&hub, clean("doc"), "@acme/doc@0.1.0", &first).await;
    assert_eq!(code(old), Code::SignatureRefused);
    publish(&hub, clean("doc"), "@acme/doc@0.1.0", &second).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn keys_that_a_stolen_key_endorsed_fall_with_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let (registry, acme, folder) = (&hub.registry, handle("acme"), tempfile::tempdir().unwrap());
    let mut ring = Keyring::open(&folder.path().join("acme")).unwrap();
    ring.ensure(&[Purpose::Publisher], START).unwrap();
    let first = ring.signing_key(Purpose::Publisher).unwrap();
    registry.register_key(&hub.ada(), &acme, new(&first, "acme")).await.unwrap();
    hub.pass(10);
    register(&hub, &hub.ada(), 7, "acme").await.unwrap();
    for _ in 0..2 {
        hub.pass(10);
        let record = ring.rotate(Purpose::Publisher, START).unwrap();
        let next = ring.signing_key(Purpose::Publisher).unwrap();
        let endorsed = NewKey { endorsement: record.endorsement, ..new(&next, "acme") };
        registry.register_key(&hub.ada(), &acme, endorsed).await.unwrap();
    }
    let last = ring.signing_key(Purpose::Publisher).unwrap();
    publish(&hub, clean("pdf"), "@acme/pdf@0.1.0", &last).await.unwrap();
    hub.pass(10);
    let stolen = START.after(Duration::from_secs(5));
    registry.revoke_key(&hub.ada(), &acme, &first.id().to_string(), Some(stolen), "stolen").await.unwrap();
    let keys = registry.publisher_keys(&Viewer::anonymous(), &acme).await.unwrap();
    let told: Vec<_> = keys.iter().map(|key| (key.endorsed_by.is_some(), key.revoked_from)).collect();
    let gone = Some(stolen);
    assert_eq!(told, [(false, gone), (false, None), (true, gone), (true, gone)], "the one of its own stays");
    registry.judge_key(hub.acme, &last.id().to_string()).await.unwrap();
    let found = registry.version(&Viewer::hub(), &reference("@acme/pdf@0.1.0")).await.unwrap();
    assert_eq!(found.version.state, VersionState::Held);
}

#[rstest]
#[tokio::test]
async fn what_a_revoked_key_signed_since_then_is_held_and_judged_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let (registry, acme, id) = (&hub.registry, handle("acme"), key(1).id().to_string());
    register(&hub, &hub.ada(), 1, "acme").await.unwrap();
    hub.pass(10);
    publish(&hub, clean("pdf"), "@acme/pdf@0.1.0", &key(1)).await.unwrap();
    hub.pass(10);
    let stolen = START.after(Duration::from_secs(20));
    // One that a person has approved already: they believed the signature.
    publish(&hub, suspicious("odd"), "@acme/odd@0.1.0", &key(1)).await.unwrap();
    let review = review_of(&hub, "@acme/odd@0.1.0").await;
    registry.act_on_review(&hub.administrator(), review, NoteKind::Approve, "known").await.unwrap();
    publish(&hub, clean("doc"), "@acme/doc@0.1.0", &key(1)).await.unwrap();
    let state = async |name: &str| {
        let found = registry.version(&Viewer::hub(), &reference(name)).await.unwrap();
        let facts = registry.explain(&hub.ada(), &found).await.unwrap().facts;
        (found.version.state, found.version.signature().unwrap().counts(), facts.signer)
    };
    for name in ["@acme/pdf@0.1.0", "@acme/odd@0.1.0", "@acme/doc@0.1.0"] {
        assert_eq!(state(name).await, (VersionState::Visible, true, "acme".to_owned()), "{name}");
    }
    hub.pass(10);
    assert_eq!(code(registry.revoke_key(&hub.bob(), &acme, &id, None, "no").await), Code::Forbidden);
    assert_eq!(code(registry.revoke_key(&hub.ada(), &acme, "0", None, "no").await), Code::NotFound);
    let future = START.after(Duration::from_secs(31));
    assert_eq!(code(registry.revoke_key(&hub.ada(), &acme, &id, Some(future), "").await), Code::InvalidRequest);
    registry.revoke_key(&hub.ada(), &acme, &id, Some(stolen), "a stolen laptop").await.unwrap();
    assert_eq!(code(registry.revoke_key(&hub.ada(), &acme, &id, None, "later").await), Code::Conflict);
    hub.pass(1);
    registry.judge_key(hub.acme, &id).await.unwrap();
    assert_eq!(state("@acme/pdf@0.1.0").await, (VersionState::Visible, true, "acme".to_owned()), "signed before");
    for name in ["@acme/odd@0.1.0", "@acme/doc@0.1.0"] {
        assert_eq!(state(name).await, (VersionState::Held, false, String::new()), "{name}");
    }
    let mut conn = hub.db.read().await.unwrap();
    let public = key(1).verifying_key().to_string();
    let said = log_entries::about(&mut conn, &Digest::of(public.as_bytes()), 10).await.unwrap();
    assert_eq!(said.iter().map(|entry| entry.kind.as_str()).collect::<Vec<_>>(), ["key", "key_revoke"]);
    drop(conn);
    // A person who knows of the revocation may still admit it; and only then.
    registry.rejudge().await.unwrap();
    let review = review_of(&hub, "@acme/odd@0.1.0").await;
    registry.act_on_review(&hub.administrator(), review, NoteKind::Approve, "it was ours").await.unwrap();
    assert_eq!(state("@acme/odd@0.1.0").await.0, VersionState::Visible);
    assert_eq!(state("@acme/doc@0.1.0").await.0, VersionState::Held);
}

async fn review_of(hub: &Hub, name: &str) -> kontor_types::ReviewId {
    let filter = ReviewFilter { state: None, of: Some(reference(name)) };
    let page = hub.registry.reviews(&hub.administrator(), &filter, PageSize::default(), None).await.unwrap();
    page.items[0].id
}

#[rstest]
#[tokio::test]
async fn who_requires_signatures_takes_nothing_unsigned(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    register(&hub, &hub.ada(), 1, "acme").await.unwrap();
    hub.publish(clean("pdf")).await.unwrap();
    let acme = hub.acme;
    hub.db
        .write(move |tx| Box::pin(async move { kontor_db::publishers::set_require_signature(tx, acme, true).await }))
        .await
        .unwrap();
    assert_eq!(code(hub.publish(clean("doc")).await), Code::SignatureRequired);
    let import = kontor_registry::Import::new(handle("acme"), "test".to_owned(), "doc".to_owned(), clean("doc"));
    assert_eq!(code(hub.bring(&hub.ada(), import).await), Code::SignatureRequired);
    publish(&hub, clean("doc"), "@acme/doc@0.1.0", &key(1)).await.unwrap();
    // The same bytes again make nothing, signed or not.
    hub.publish(clean("pdf")).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_policy_may_want_the_publishers_own_signature(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    register(&hub, &hub.ada(), 1, "acme").await.unwrap();
    let rule = r#"
        @id("quarantine-unsigned")
        @outcome("quarantine")
        @reason("its publisher did not sign it")
        forbid (principal, action == Action::"admit", resource)
        unless { resource.signer == resource.publisher };"#;
    let text = format!("{}{rule}", preset("open").unwrap());
    hub.registry.set_policy(&hub.administrator(), "own", &text).await.unwrap();
    hub.publish(clean("pdf")).await.unwrap();
    publish(&hub, clean("doc"), "@acme/doc@0.1.0", &key(1)).await.unwrap();
    let state = async |name: &str| hub.registry.version(&Viewer::hub(), &reference(name)).await.unwrap().version.state;
    assert_eq!(state("@acme/pdf@0.1.0").await, VersionState::Held);
    assert_eq!(state("@acme/doc@0.1.0").await, VersionState::Visible);
}
