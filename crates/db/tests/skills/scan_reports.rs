//! Reports: one for each content and set of rules, the newest of many contents at once.

use kontor_db::scan_reports::{self, ScanReport, Severity, Verdict};
use kontor_types::{Digest, Visibility};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{World, later};
use crate::support::On;

pub fn report(content: &str, rules: &str, verdict: Verdict, at: i64) -> ScanReport {
    ScanReport {
        digest: Digest::of(content.as_bytes()),
        rules: Digest::of(rules.as_bytes()),
        verdict,
        severity: Severity::Low,
        report: json!({"findings": [{"message": "二\u{0}"}]}),
        scanned_at: later(at),
    }
}

#[rstest]
#[tokio::test]
async fn the_newest_report_of_a_content_counts(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    world.skill(world.acme, "pdf", Visibility::Public).await;
    let old = report("1.0.0", "old", Verdict::Clean, 1);
    let new = report("1.0.0", "new", Verdict::Malicious, 2);
    for report in [old.clone(), new.clone(), ScanReport { severity: Severity::High, ..new.clone() }] {
        write!(world.db(), |tx| scan_reports::put(tx, &report));
    }
    let mut conn = world.conn().await;
    let newest = scan_reports::newest(&mut conn, &[old.digest, Digest::of(b"none")]).await.unwrap();
    assert_eq!(newest.len(), 1);
    assert_eq!(
        (newest[0].verdict, newest[0].severity, newest[0].rules),
        (Verdict::Malicious, Severity::High, new.rules)
    );
    assert_eq!(newest[0].report["findings"][0]["message"], "二\u{fffd}");
    let kept = scan_reports::find(&mut conn, &old.digest, &old.rules).await.unwrap().unwrap();
    assert_eq!((kept.verdict, kept.scanned_at), (Verdict::Clean, later(1)));
}
