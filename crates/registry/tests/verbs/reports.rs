//! Reports of abuse.

use kontor_access::Caller;
use kontor_registry::{ReportFilter, ReportState};
use kontor_types::{Code, PageSize};
use rstest::rstest;

use crate::hub::{Hub, On, code, reference, skill};

#[rstest]
#[tokio::test]
async fn anybody_signed_in_reports_and_administrators_decide(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    let pdf = reference("@acme/pdf");
    let report = hub.registry.report(&hub.eve(), &pdf, "it steals keys").await.unwrap();
    let again = hub.registry.report(&hub.eve(), &pdf, "really").await.unwrap();
    assert_eq!(again, report, "one open report a person and skill");
    let other = hub.registry.report(&hub.eve(), &reference("@acme/pdf@0.1.0"), "this one").await.unwrap();
    assert_ne!(other.id, report.id);
    for (caller, name, reason, expected) in [
        (Caller::anonymous(), "@acme/pdf", "x", Code::Unauthenticated),
        (hub.eve(), "@acme/none", "x", Code::SkillNotFound),
        (hub.eve(), "@acme/pdf", "  ", Code::InvalidRequest),
    ] {
        assert_eq!(code(hub.registry.report(&caller, &reference(name), reason).await), expected);
    }
    let seen = async |caller: Caller| {
        let page = hub.registry.reports(&caller, &ReportFilter::default(), PageSize::default(), None).await;
        page.unwrap().items.len()
    };
    assert_eq!((seen(hub.eve()).await, seen(hub.ada()).await, seen(hub.administrator()).await), (2, 0, 2));
    assert_eq!(code(hub.registry.close_report(&hub.ada(), report.id, true, "").await), Code::Forbidden);
    let closed = hub.registry.close_report(&hub.administrator(), report.id, true, "thank you").await.unwrap();
    assert_eq!((closed.state, closed.answer.as_deref()), (ReportState::Upheld, Some("thank you")));
    let twice = hub.registry.close_report(&hub.administrator(), report.id, false, "").await;
    assert_eq!(code(twice), Code::Conflict);
}
