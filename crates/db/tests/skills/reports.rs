//! Reports: seen by who made them and by administrators, decided once.

use kontor_db::reports::{self, Filter, NewReport, ReportState};
use kontor_db::skills;
use kontor_types::{PageSize, ReportId, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn reports_are_seen_by_few_and_decided_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let version = skills::find(&mut world.conn().await, &Viewer::hub(), pdf).await.unwrap().unwrap().latest_version_id;
    let mut ids = Vec::new();
    for (person, version_id) in [(world.eve, None), (world.eve, version), (world.bob, None)] {
        let id = ReportId::new(NOW);
        let reason = "it steals keys".to_owned();
        let report = NewReport { id, skill_id: pdf, version_id, person_id: person, reason, now: NOW };
        write!(world.db(), |tx| reports::insert(tx, &report));
        ids.push(id);
    }
    let mut conn = world.conn().await;
    assert_eq!(reports::open_by(&mut conn, pdf, None, world.eve).await.unwrap(), Some(ids[0]));
    assert_eq!(reports::open_by(&mut conn, pdf, version, world.eve).await.unwrap(), Some(ids[1]));
    assert_eq!(reports::open_by(&mut conn, pdf, version, world.bob).await.unwrap(), None);
    for (viewer, seen) in [(Viewer::anonymous(), 0), (world.owner(), 0), (world.stranger(), 2), (Viewer::hub(), 3)] {
        let page = reports::list(&mut conn, &viewer, &Filter::default(), PageSize::default(), None).await.unwrap();
        assert_eq!(page.unwrap().items.len(), seen);
        assert_eq!(reports::find(&mut conn, &viewer, ids[1]).await.unwrap().is_some(), seen > 0);
    }
    let (first, by) = (ids[0], world.ada);
    let close = |state| {
        world.db().write(move |tx| {
            Box::pin(async move { reports::close(tx, first, state, Some(by), "thank you", later(1)).await })
        })
    };
    assert!(close(ReportState::Upheld).await.unwrap());
    assert!(!close(ReportState::Dismissed).await.unwrap());
    let report = reports::find(&mut conn, &world.stranger(), first).await.unwrap().unwrap();
    assert_eq!(
        (report.state, report.closed_at, report.answer.as_deref()),
        (ReportState::Upheld, Some(later(1)), Some("thank you"))
    );
    let open = Filter { state: Some(ReportState::Open), skill: Some(pdf), person: Some(world.eve) };
    let page = reports::list(&mut conn, &Viewer::hub(), &open, PageSize::default(), None).await.unwrap().unwrap();
    assert_eq!(page.items.iter().map(|report| report.id).collect::<Vec<_>>(), [ids[1]]);
    let (hub, all, two) = (Viewer::hub(), Filter::default(), PageSize::clamped(2));
    let first_page = reports::list(&mut conn, &hub, &all, two, None).await.unwrap().unwrap();
    let rest = reports::list(&mut conn, &hub, &all, two, first_page.next.as_ref()).await.unwrap().unwrap();
    assert_eq!((first_page.items.len(), rest.items.len()), (2, 1));
}
