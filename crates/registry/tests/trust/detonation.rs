//! What a hub does with what running a version says, and when it cannot be run. What runs it here is a process that gives one
//! answer; the real one has its tests where it is.

use kontor_package::Limits;
use kontor_registry::{DecisionOutcome, Examiner, Publish, VersionState};
use rstest::rstest;

use crate::hub::{Hub, On, handle, reference};
use crate::samples::clean;

const NOTHING: &str = r#"{"ran":{"detonation":{"runs":[],"not_run":[]},"findings":[]}}"#;
const PARTLY: &str =
    r#"{"ran":{"detonation":{"runs":[],"not_run":[{"file":"a.py","reason":"run, but not far"}]},"findings":[]}}"#;
const HARM: &str = r#"{"ran":{"detonation":{"runs":[],"not_run":[]},"findings":[{"rule":"run.sends-secret","severity":"critical","file":"a.py","line":0,"column":0,"message":"m","excerpt":"e","why":"w","remedy":"r"}]}}"#;
const NO_SANDBOX: &str = r#"{"failed":"the sandbox could not be made"}"#;

#[rstest]
#[case::nothing_found(NOTHING, VersionState::Visible, DecisionOutcome::Admit, "complete")]
#[case::not_all_of_it(PARTLY, VersionState::Visible, DecisionOutcome::Admit, "partly")]
#[case::harm(HARM, VersionState::Held, DecisionOutcome::Quarantine, "complete")]
#[case::no_sandbox(NO_SANDBOX, VersionState::Held, DecisionOutcome::Review, "failed")]
#[case::no_answer("", VersionState::Held, DecisionOutcome::Review, "failed")]
#[tokio::test]
async fn what_running_says_is_decided_about(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] answer: &str,
    #[case] state: VersionState,
    #[case] outcome: DecisionOutcome,
    #[case] detonated: &str,
) {
    let Some(hub) = Hub::new(on).await else { return };
    let script = format!("head -c 1 > /dev/null; [ -n '{answer}' ] && echo '{answer}' && cat > /dev/null");
    let arguments = vec!["-c".to_owned(), script];
    let examiner = Examiner::embedded(Limits::default()).unwrap();
    let plain = examiner.rules();
    let examiner = examiner.that_detonates("/bin/sh".into(), arguments, Limits::default());
    assert_ne!(examiner.rules(), plain, "what was judged without running is judged again");
    let registry = hub.elsewhere().with_examiner(examiner);
    registry.publish(&hub.ada(), Publish::new(handle("acme"), clean("meter"))).await.unwrap();
    assert_eq!(registry.assess_waiting().await.unwrap(), 1);
    let own = registry.version(hub.ada().viewer(), &reference("@acme/meter@0.1.0")).await.unwrap();
    assert_eq!(own.version.state, state);
    let decision = registry.assessment(&own.version).await.unwrap().decision.unwrap();
    assert_eq!(decision.outcome, outcome);
    assert_eq!(decision.facts["detonated"], detonated);
}

/// A program that is run for a long time holds up its own version, and none that began to wait with it.
#[tokio::test]
async fn what_takes_long_holds_up_no_other_version() {
    let Some(hub) = Hub::new(On::Sqlite).await else { return };
    let room = tempfile::tempdir().unwrap();
    let place = room.path().display();
    // Whoever comes first waits until somebody lets it go on.
    let program = format!(
        "import sys, json, os\nfor line in iter(sys.stdin.buffer.readline, b''):\n  \
         sys.stdin.buffer.read(json.loads(line)['size'])\n  try:\n    os.mkdir('{place}/first')\n    open('{place}/go').read()\n  \
         except FileExistsError:\n    pass\n  print('{NOTHING}', flush=True)\n"
    );
    std::process::Command::new("mkfifo").arg(room.path().join("go")).status().unwrap();
    let arguments = vec!["-c".to_owned(), program];
    let examiner = Examiner::embedded(Limits::default()).unwrap();
    let examiner = examiner.that_detonates("/usr/bin/python3".into(), arguments, Limits::default());
    let registry = hub.elsewhere().with_examiner(examiner);
    let names = ["meter", "scale", "watch"];
    for name in names {
        registry.publish(&hub.ada(), Publish::new(handle("acme"), clean(name))).await.unwrap();
    }
    let visible = || async {
        let mut seen = 0;
        for name in names {
            let name = reference(&format!("@acme/{name}@0.1.0"));
            let found = registry.version(hub.ada().viewer(), &name).await.unwrap();
            seen += usize::from(found.version.state == VersionState::Visible);
        }
        seen
    };
    let others = async {
        while visible().await < 2 {
            tokio::task::yield_now().await;
        }
        std::fs::write(room.path().join("go"), "").unwrap();
    };
    let (decided, ()) = tokio::join!(registry.assess_waiting(), others);
    assert_eq!((decided.unwrap(), visible().await), (3, 3));
}
