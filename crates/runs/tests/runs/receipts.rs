use std::collections::BTreeMap;

use kontor_crypto::{Envelope, Purpose, SigningKey};
use kontor_package::{Permissions, RunLimits};
use kontor_runs::{
    Connection, ConnectionTotal, Consent, Decision, DependencyLayers, Error, Evidence, ExitFact, Granted, Holds, Lock,
    Overlay, OverlayRef, Overlays, RanEntry, RanSkill, Receipt, Resources, Runner, RunnerKeys, Salts, SandboxFact,
    UsedPermissions, explain, verify,
};
use kontor_types::{Check, Digest, Outcome, RunId, Timestamp};
use rstest::rstest;

fn now() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000)
}

fn receipt(salts: &mut Salts) -> Receipt {
    let granted = Granted {
        network: vec!["api.example.com:443".parse().unwrap()],
        secrets: vec!["EXAMPLE_TOKEN".to_owned()],
        wall_ms: 30_000,
        memory: 512 << 20,
        disk: 0,
        read: Vec::new(),
    };
    Receipt {
        attempt: None,
        run: RunId::new(now()),
        skill: RanSkill { name: "@acme/pdf@1.2.0".to_owned(), digest: Digest::of(b"skill"), registry: None },
        entry: RanEntry {
            name: "scripts/x.py".to_owned(),
            tool: false,
            program: "python3".to_owned(),
            program_version: None,
            arguments: 1,
        },
        runner: Runner { person: Some("ada".to_owned()), program: "kontor".to_owned(), machine: "linux".to_owned() },
        started_at: now(),
        ended_at: Timestamp::from_millis(1_790_000_002_000),
        decision: Decision {
            by: "local_scan".to_owned(),
            under: "rules".to_owned(),
            verdict: "clean".to_owned(),
            reasons: Vec::new(),
            consent: "asked".to_owned(),
            waived: Vec::new(),
        },
        overlay: Some(OverlayRef { digest: Digest::of(b"overlay"), number: 1 }),
        permissions: UsedPermissions { granted, network_used: vec!["api.example.com:443".to_owned()] },
        dependencies: DependencyLayers::of(&Lock::default()),
        inputs: vec![salts.seal("in", "in.csv", 5, &Digest::of(b"a,b,c"))],
        outputs: vec![salts.seal("out", "stdout", 2, &Digest::of(b"ok"))],
        left_behind: Vec::new(),
        resources: Resources { wall_ms: 1_900, cpu_ms: 300, memory: Some(9 << 20) },
        exit: ExitFact { outcome: "done".to_owned(), code: Some(0), signal: None },
        connections: vec![connection("api.example.com", "granted")],
        connection_totals: Vec::new(),
        alarms: Vec::new(),
        sandbox: SandboxFact { tier: "full".to_owned(), layers: vec!["namespaces".to_owned()] },
    }
}

fn connection(host: &str, decision: &str) -> Connection {
    Connection {
        host: host.to_owned(),
        port: 443,
        address: None,
        sni: Some(host.to_owned()),
        request: None,
        sent: 10,
        received: 20,
        duration_ms: 30,
        decision: decision.to_owned(),
    }
}

#[rstest]
#[case::reached_by_what_is_not_listed("api.example.com:443", "granted", Outcome::Passed)]
#[case::refused("other.example.com:443", "refused", Outcome::Passed)]
#[case::never_granted("other.example.com:443", "granted", Outcome::Failed)]
#[case::no_destination("", "granted", Outcome::Failed)]
fn connections_that_are_not_listed_count(#[case] destination: &str, #[case] decision: &str, #[case] outcome: Outcome) {
    let mut said = receipt(&mut Salts::default());
    said.connections = vec![connection("other.example.com", "it was not granted")];
    let total = |destination: &str, decision: &str| ConnectionTotal {
        destination: destination.to_owned(),
        decision: decision.to_owned(),
        count: 2_000,
        sent: 1,
        received: 1,
    };
    said.connection_totals = vec![total("api.example.com:443", "granted"), total(destination, decision)];
    let key = SigningKey::generate(Purpose::Receipt);
    let (read, envelope) = Receipt::read(&said.sign(&key).unwrap().to_json()).unwrap();
    let checks = verify(&read, &envelope, &Evidence { keys: vec![key.verifying_key()], ..Evidence::default() });
    let permissions = checks.iter().find(|check| check.name == "permissions").unwrap();
    assert_eq!(permissions.outcome, outcome, "{permissions:?}");
}

#[test]
fn a_receipt_holds_for_whoever_believes_its_signer() {
    let mut salts = Salts::default();
    let said = receipt(&mut salts);
    let key = SigningKey::generate(Purpose::Receipt);
    let (read, envelope) = Receipt::read(&said.sign(&key).unwrap().to_json()).unwrap();
    assert_eq!(read, said);
    let evidence = Evidence {
        keys: vec![key.verifying_key()],
        skill: Some(Digest::of(b"skill")),
        overlay: Some(Digest::of(b"overlay")),
        files: vec![("in.csv".to_owned(), Digest::of(b"a,b,c"))],
        salts: Some(salts.clone()),
        now: Some(now()),
    };
    let checks = verify(&read, &envelope, &evidence);
    assert!(checks.iter().all(|check| check.outcome == Outcome::Passed), "{checks:#?}");
    assert!(Check::all_hold(&checks));
    let bare = verify(&read, &envelope, &Evidence { keys: vec![key.verifying_key()], ..Evidence::default() });
    assert!(
        Check::all_hold(&bare) && bare.iter().filter(|check| check.outcome == Outcome::NotChecked).count() == 3,
        "{bare:#?}"
    );
    let stranger = verify(&read, &envelope, &Evidence::default());
    assert!(!Check::all_hold(&stranger), "nobody is believed");
    let other = SigningKey::generate(Purpose::Receipt).verifying_key();
    assert!(!Check::all_hold(&verify(&read, &envelope, &Evidence { keys: vec![other], ..Evidence::default() })));
    let wrong = Evidence { files: vec![("in.csv".to_owned(), Digest::of(b"a,b,d"))], ..evidence };
    assert!(!Check::all_hold(&verify(&read, &envelope, &wrong)));
}

#[rstest]
#[case::skill(|said: &mut Receipt| said.skill.name = "@acme/other@1.0.0".to_owned())]
#[case::exit(|said: &mut Receipt| said.exit.code = Some(1))]
#[case::decision(|said: &mut Receipt| said.decision.verdict = "malicious".to_owned())]
fn a_changed_receipt_does_not_hold(#[case] change: fn(&mut Receipt)) {
    let mut said = receipt(&mut Salts::default());
    let key = SigningKey::generate(Purpose::Receipt);
    let signed = said.sign(&key).unwrap();
    change(&mut said);
    let forged =
        Envelope { signatures: signed.signatures, ..said.sign(&SigningKey::generate(Purpose::Receipt)).unwrap() };
    let (read, envelope) = Receipt::read(&forged.to_json()).unwrap();
    assert!(!Check::all_hold(&verify(
        &read,
        &envelope,
        &Evidence { keys: vec![key.verifying_key()], ..Evidence::default() }
    )));
}

#[rstest]
#[case::another_host(|said: &mut Receipt| said.connections.push(connection("evil.example", "granted")))]
#[case::untold_use(|said: &mut Receipt| said.permissions.network_used.clear())]
#[case::too_long(|said: &mut Receipt| said.resources.wall_ms = 60_000)]
#[case::backwards(|said: &mut Receipt| said.ended_at = Timestamp::from_millis(0))]
fn a_signed_receipt_that_contradicts_itself_does_not_hold(#[case] change: fn(&mut Receipt)) {
    let mut said = receipt(&mut Salts::default());
    change(&mut said);
    let key = SigningKey::generate(Purpose::Receipt);
    let (read, envelope) = Receipt::read(&said.sign(&key).unwrap().to_json()).unwrap();
    assert!(!Check::all_hold(&verify(
        &read,
        &envelope,
        &Evidence { keys: vec![key.verifying_key()], ..Evidence::default() }
    )));
}

#[test]
fn only_a_key_for_receipts_signs_one() {
    let said = receipt(&mut Salts::default());
    assert!(matches!(said.sign(&SigningKey::generate(Purpose::Attestation)), Err(Error::Receipt { .. })));
}

#[test]
fn a_digest_tells_nothing_without_its_salt() {
    let mut salts = Salts::default();
    let digest = Digest::of(b"yes");
    let (one, two) = (salts.seal("in", "a", 3, &digest), salts.seal("in", "b", 3, &digest));
    assert_ne!(one.salted_digest, two.salted_digest);
    assert_eq!(salts.opens("in", &one, &digest), Some(true));
    assert_eq!(salts.opens("in", &one, &Digest::of(b"no")), Some(false));
    assert_eq!(Salts::default().opens("in", &one, &digest), None);
}

#[test]
fn a_receipt_is_told_in_sentences() {
    let text = explain::receipt(&receipt(&mut Salts::default())).join("\n");
    for part in [
        "ada ran the script `scripts/x.py`",
        "It connected to api.example.com:443",
        "It ended well",
        "asked and said yes",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let mut cancelled = receipt(&mut Salts::default());
    cancelled.exit = ExitFact { outcome: "cancelled".to_owned(), code: None, signal: Some(9) };
    cancelled.decision.consent = "declared".to_owned();
    let text = explain::receipt(&cancelled).join("\n");
    assert!(text.contains("It was cancelled while its program ran, after") && !text.contains("signal"), "{text}");
    assert!(text.contains("nobody was asked") && !text.contains("confirmed before"), "{text}");
}

fn overlay() -> Overlay {
    Overlay {
        skill: "@acme/pdf@1.2.0".to_owned(),
        number: 0,
        previous: None,
        permissions: Permissions::default(),
        limits: RunLimits::default(),
        locks: BTreeMap::new(),
        because: Vec::new(),
        consent: Consent::Flag,
        holds: Holds::Always,
        confirmed_at: now(),
    }
}

#[test]
fn overlays_are_a_chain_that_nobody_else_can_write() {
    let folder = tempfile::tempdir().unwrap();
    let keys = RunnerKeys::open(&folder.path().join("keys"), now()).unwrap();
    let overlays = Overlays::at(&folder.path().join("overlays"));
    let skill = Digest::of(b"skill");
    assert!(overlays.latest(&skill, &keys).unwrap().is_none());
    let first = overlays.add(&skill, overlay(), &keys).unwrap();
    let second = overlays.add(&skill, overlay(), &keys).unwrap();
    assert_eq!((first.overlay.number, second.overlay.number), (1, 2));
    assert_eq!(second.overlay.previous, Some(first.digest));
    assert_eq!(overlays.latest(&skill, &keys).unwrap(), Some(second));
    assert!(overlays.latest(&Digest::of(b"other"), &keys).unwrap().is_none());

    let place = folder.path().join("overlays").join(skill.hex());
    let stranger = RunnerKeys::open(&folder.path().join("stranger"), now()).unwrap();
    assert!(matches!(overlays.latest(&skill, &stranger), Err(Error::Overlay { .. })), "signed by somebody else");
    std::fs::copy(place.join("0002.json"), place.join("0001.json")).unwrap();
    assert!(matches!(overlays.latest(&skill, &keys), Err(Error::Overlay { .. })), "not where it stood");
    assert!(overlays.forget(&skill).unwrap());
    assert!(overlays.latest(&skill, &keys).unwrap().is_none());
}
