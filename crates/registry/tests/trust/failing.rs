//! Scans that crash or do not end: the version stays pending, is seen as such, and others are not held up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kontor_jobs::Workers;
use kontor_package::{Content, Limits};
use kontor_registry::{Examiner, Registry, SCAN, VersionState};
use kontor_scan::{Report, Scanner};
use kontor_types::{Digest, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, handle, reference, skill};
use crate::samples::clean;

/// Scans as ever, but for a skill whose text has one of these words.
fn examiner(tries: Arc<AtomicUsize>, heals_after: usize) -> Examiner {
    let scanner = Scanner::new().unwrap();
    let rules = scanner.pack().digest;
    // The first scan makes the rules ready, which must not count against the deadline.
    scanner.scan_content("warm", &clean("warm"));
    let examine = move |name: &str, content: &Content| -> Report {
        let text = content.files().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect::<String>();
        let crashes = text.contains("crash-the-scanner") && tries.fetch_add(1, Ordering::SeqCst) < heals_after;
        assert!(!crashes, "a rule went wrong");
        if text.contains("hang-the-scanner") {
            std::thread::park_timeout(Duration::from_mins(5));
        }
        scanner.scan_content(name, content)
    };
    Examiner::new(rules, Limits::default(), examine).within(Duration::from_secs(1))
}

fn workers(hub: &Hub, registry: &Registry) -> Workers {
    let scanning = registry.clone();
    Workers::new(hub.db.clone(), hub.clock.clone(), "test").handle(SCAN, move |job| {
        let registry = scanning.clone();
        async move { registry.scan_again(job).await }
    })
}

async fn publish(hub: &Hub, registry: &Registry, content: Content) {
    let request = kontor_registry::Publish::new(handle("acme"), content);
    registry.publish(&hub.ada(), request).await.unwrap();
}

#[rstest]
#[case::crash("crash-the-scanner", "crashed")]
#[case::hang("hang-the-scanner", "not done within")]
#[tokio::test]
async fn what_cannot_be_scanned_is_never_admitted(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] text: &str,
    #[case] said: &str,
) {
    let Some(hub) = Hub::new(on).await else { return };
    let registry = hub.elsewhere().with_examiner(examiner(Arc::default(), usize::MAX));
    publish(&hub, &registry, skill("bad", text)).await;
    publish(&hub, &registry, clean("good")).await;
    assert_eq!(registry.assess_waiting().await.unwrap(), 1);
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/good").await, "0.1.0");
    let workers = workers(&hub, &registry);
    for _ in 0..5 {
        hub.pass(600);
        workers.run_due().await.unwrap();
        assert_eq!(registry.assess_waiting().await.unwrap(), 0, "it is not taken with others again");
    }
    let own = registry.version(hub.ada().viewer(), &reference("@acme/bad@0.1.0")).await.unwrap();
    assert_eq!(own.version.state, VersionState::Pending);
    let failed = registry.assessment(&own.version).await.unwrap().failed.unwrap();
    assert!(failed.error.as_deref().unwrap().contains(said), "{failed:?}");
    let waiting = registry.waiting(&hub.administrator()).await.unwrap();
    assert_eq!((waiting.pending, waiting.failed.len(), waiting.dead_jobs), (1, 1, 1));
    assert!(registry.version(&Viewer::anonymous(), &reference("@acme/bad")).await.is_err());
}

/// A process in the scanner's place, which says or does something else.
fn process(script: &str) -> Examiner {
    let arguments = vec!["-c".to_owned(), script.to_owned()];
    Examiner::in_processes("/bin/sh".into(), arguments, Limits::default()).unwrap().within(Duration::from_secs(2))
}

#[rstest]
#[case::killed("kill -SEGV $$", "crashed on it (signal: 11")]
#[case::gives_up("exit 3", "crashed on it (exit status: 3)")]
#[case::says_nothing("exec sleep 600", "not done within 2 seconds")]
#[case::babbles("echo hello; cat > /dev/null", "did not answer")]
#[case::refuses(r#"head -c 1 > /dev/null; echo '{"failed":"no"}'; cat > /dev/null"#, "no")]
#[tokio::test]
async fn a_scanning_process_that_fails_leaves_the_version_pending(#[case] script: &str, #[case] said: &str) {
    let Some(hub) = Hub::new(On::Sqlite).await else { return };
    let registry = hub.elsewhere().with_examiner(process(script));
    publish(&hub, &registry, clean("good")).await;
    assert_eq!(registry.assess_waiting().await.unwrap(), 0);
    let own = registry.version(hub.ada().viewer(), &reference("@acme/good@0.1.0")).await.unwrap();
    assert_eq!(own.version.state, VersionState::Pending);
    let failed = registry.assessment(&own.version).await.unwrap().failed.unwrap();
    let reason = failed.error.as_deref().unwrap();
    assert!(reason.contains(said), "{reason}");
}

#[tokio::test]
async fn a_program_that_does_not_exist_leaves_the_version_pending() {
    let Some(hub) = Hub::new(On::Sqlite).await else { return };
    let missing = Examiner::in_processes("/nowhere/kontor".into(), Vec::new(), Limits::default()).unwrap();
    let registry = hub.elsewhere().with_examiner(missing);
    publish(&hub, &registry, clean("good")).await;
    assert_eq!(registry.assess_waiting().await.unwrap(), 0);
    let own = registry.version(hub.ada().viewer(), &reference("@acme/good@0.1.0")).await.unwrap();
    let failed = registry.assessment(&own.version).await.unwrap().failed.unwrap();
    assert!(failed.error.unwrap().contains("does not start"));
}

#[rstest]
#[tokio::test]
async fn a_scan_that_succeeds_later_is_decided(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let registry = hub.elsewhere().with_examiner(examiner(Arc::default(), 2));
    publish(&hub, &registry, skill("shaky", "crash-the-scanner")).await;
    assert_eq!(registry.assess_waiting().await.unwrap(), 0);
    let workers = workers(&hub, &registry);
    for _ in 0..3 {
        hub.pass(600);
        workers.run_due().await.unwrap();
    }
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/shaky").await, "0.1.0");
    let waiting = registry.waiting(&hub.administrator()).await.unwrap();
    assert_eq!((waiting.pending, waiting.failed.len(), waiting.dead_jobs), (0, 0, 0));
}

#[rstest]
#[tokio::test]
async fn a_publisher_may_have_a_failed_scan_tried_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let registry = hub.elsewhere().with_examiner(examiner(Arc::default(), 1));
    publish(&hub, &registry, skill("shaky", "crash-the-scanner")).await;
    assert_eq!(registry.assess_waiting().await.unwrap(), 0);
    registry.appeal(&hub.ada(), &reference("@acme/shaky@0.1.0"), "try again").await.unwrap();
    assert_eq!(registry.assess_waiting().await.unwrap(), 1);
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/shaky").await, "0.1.0");
}

#[rstest]
#[tokio::test]
async fn the_catalogue_is_judged_again_by_other_rules(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(clean("meter")).await.unwrap();
    hub.publish(skill("odd", "This mentions a marmot.")).await.unwrap();
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/odd").await, "0.1.0");
    let scanner = Scanner::new().unwrap();
    let rules = Digest::of(b"rules of tomorrow");
    let stricter = Examiner::new(rules, Limits::default(), move |name: &str, content: &Content| {
        let mut report = scanner.scan_content(name, content);
        report.rules = rules.hex();
        if content.files().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("marmot")) {
            report.verdict = kontor_scan::Verdict::Malicious;
            report.severity = kontor_scan::Severity::Critical;
        }
        report
    });
    let tomorrow = hub.elsewhere().with_examiner(stricter);
    assert_eq!(tomorrow.rejudge().await.unwrap(), 2);
    assert!(tomorrow.version(&Viewer::anonymous(), &reference("@acme/meter")).await.is_ok());
    assert!(tomorrow.version(&Viewer::anonymous(), &reference("@acme/odd")).await.is_err());
    let own = tomorrow.version(hub.ada().viewer(), &reference("@acme/odd@0.1.0")).await.unwrap();
    assert_eq!(own.version.state, VersionState::Held);
    let recalled = async |name: &str| {
        tomorrow.once_admitted(&Viewer::anonymous(), &reference(name), &own.version.number).await.unwrap()
    };
    for name in ["@acme/odd", "odd"] {
        assert_eq!(recalled(name).await.map(|found| found.version.id), Some(own.version.id), "who has it is told");
    }
    assert!(recalled("@acme/meter").await.is_none(), "what is served is not recalled");
    assert_eq!(tomorrow.rejudge().await.unwrap(), 0);
    assert_eq!(hub.registry.rejudge().await.unwrap(), 2, "and back again");
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/odd").await, "0.1.0");
}

/// Scans as ever by other rules, but hangs or crashes on what mentions a marmot as long as `broken`.
fn tomorrow(broken: Arc<std::sync::atomic::AtomicBool>, scans: Arc<AtomicUsize>) -> Examiner {
    let scanner = Scanner::new().unwrap();
    scanner.scan_content("warm", &clean("warm"));
    let rules = Digest::of(b"rules of tomorrow");
    Examiner::new(rules, Limits::default(), move |name: &str, content: &Content| {
        scans.fetch_add(1, Ordering::SeqCst);
        let marmot = content.files().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("marmot"));
        assert!(!marmot || !broken.load(Ordering::SeqCst), "a rule went wrong");
        let mut report = scanner.scan_content(name, content);
        report.rules = rules.hex();
        if marmot {
            report.verdict = kontor_scan::Verdict::Malicious;
            report.severity = kontor_scan::Severity::Critical;
        }
        report
    })
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_scanned_by_other_rules_is_seen_and_tried_again(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("odd", "This mentions a marmot.")).await.unwrap();
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let registry = hub.elsewhere().with_examiner(tomorrow(Arc::clone(&broken), Arc::default()));
    registry.rejudge().await.unwrap();
    assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/odd").await, "0.1.0", "its decision stays");
    let waiting = registry.waiting(&hub.administrator()).await.unwrap();
    assert_eq!((waiting.pending, waiting.failed.len()), (0, 1));
    assert!(waiting.failed[0].error.as_deref().unwrap().contains("crashed"));
    let workers = workers(&hub, &registry);
    hub.pass(600);
    workers.run_due().await.unwrap();
    assert_eq!(registry.waiting(&hub.administrator()).await.unwrap().failed.len(), 1);
    broken.store(false, Ordering::SeqCst);
    hub.pass(600);
    workers.run_due().await.unwrap();
    assert!(registry.waiting(&hub.administrator()).await.unwrap().failed.is_empty());
    let own = registry.version(hub.ada().viewer(), &reference("@acme/odd@0.1.0")).await.unwrap();
    assert_eq!(own.version.state, VersionState::Held, "and then it is decided by the new rules");
}

#[rstest]
#[tokio::test]
async fn a_judging_that_broke_off_goes_on_where_it_was(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for number in 0..60 {
        let content = skill(&format!("skill-{number}"), &format!("Read meter {number}."));
        hub.registry.publish(&hub.ada(), kontor_registry::Publish::new(handle("acme"), content)).await.unwrap();
    }
    assert_eq!(hub.decide().await, 60);
    let scans = Arc::new(AtomicUsize::new(0));
    let healthy: Arc<std::sync::atomic::AtomicBool> = Arc::default();
    let first = hub.elsewhere().with_examiner(tomorrow(Arc::clone(&healthy), Arc::clone(&scans)));
    // The process ends when the first page was judged and the second is under way.
    tokio::select! {
        done = first.rejudge() => assert!(done.is_err(), "it was to be broken off"),
        () = async {
            while scans.load(Ordering::SeqCst) <= 48 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    let second = hub.elsewhere().with_examiner(tomorrow(healthy, Arc::default()));
    let judged = second.rejudge().await.unwrap();
    assert!((1..=12).contains(&judged), "{judged} were judged again, those of the first page too");
    assert_eq!(second.rejudge().await.unwrap(), 0);
}
