//! Reviews: who may take part, one for each version, opened again with new approvals.

use kontor_db::assessments;
use kontor_db::decisions::Outcome;
use kontor_db::reviews::{self, NoteKind, ReviewState};
use kontor_db::scan_reports::Severity;
use kontor_db::versions::VersionState;
use kontor_types::{PageSize, Role, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, handle, later, number, slug};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_review_is_seen_by_those_who_may_take_part(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Private).await;
    let version = world.version(pdf, "2.0.0", VersionState::Held, NOW).await;
    write!(world.db(), |tx| reviews::open(tx, version, Outcome::Review, Severity::Medium, later(1)));
    let mut conn = world.conn().await;
    let id = reviews::of_version(&mut conn, version).await.unwrap().unwrap().id;
    let reviewer = Viewer::person(world.bob, vec![(world.acme, Role::Reviewer)]);
    let member = Viewer::person(world.bob, vec![(world.acme, Role::Member)]);
    for (viewer, sees) in [
        (Viewer::anonymous(), false),
        (world.stranger(), false),
        (member, false),
        (reviewer, true),
        (Viewer::hub(), true),
    ] {
        let page =
            reviews::list(&mut conn, &viewer, ReviewState::Open, PageSize::default(), None).await.unwrap().unwrap();
        assert_eq!(page.items.len(), usize::from(sees));
        assert_eq!(reviews::find(&mut conn, &viewer, id).await.unwrap().is_some(), sees);
        let named = reviews::named(&mut conn, &viewer, &handle("acme"), &slug("pdf"), &number("2.0.0")).await.unwrap();
        assert_eq!(named.is_some(), sees);
    }
}

#[rstest]
#[tokio::test]
async fn a_review_opens_again_and_approvals_begin_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let version = world.version(pdf, "2.0.0", VersionState::Held, NOW).await;
    write!(world.db(), |tx| reviews::open(tx, version, Outcome::Review, Severity::Medium, later(1)));
    let mut conn = world.conn().await;
    let (ada, bob) = (world.ada, world.bob);
    let id = reviews::of_version(&mut conn, version).await.unwrap().unwrap().id;
    write!(world.db(), |tx| reviews::claim(tx, id, Some(ada), later(2)));
    for (person, at) in [(ada, 3), (ada, 4), (bob, 5)] {
        write!(world.db(), |tx| reviews::note(tx, id, Some(person), NoteKind::Approve, "fine", later(at)));
    }
    let subject = assessments::subjects(&mut conn, &[version]).await.unwrap().remove(0);
    assert_eq!((subject.review, subject.approvals), (Some(ReviewState::Open), 2));
    assert_eq!(subject.reviewed_severity, Some(Severity::Medium));
    let close =
        |state| world.db().write(move |tx| Box::pin(async move { reviews::close(tx, version, state, later(6)).await }));
    assert!(close(ReviewState::Approved).await.unwrap());
    assert!(!close(ReviewState::Rejected).await.unwrap(), "it is decided once");
    write!(world.db(), |tx| reviews::open(tx, version, Outcome::Quarantine, Severity::High, later(7)));
    let review = reviews::of_version(&mut conn, version).await.unwrap().unwrap();
    assert_eq!((review.id, review.state, review.severity), (id, ReviewState::Open, Severity::High));
    assert_eq!((review.claimed_by, review.closed_at), (Some(ada), None));
    assert_eq!(assessments::subjects(&mut conn, &[version]).await.unwrap()[0].approvals, 0);
    let notes = reviews::notes(&mut conn, id).await.unwrap();
    assert_eq!((notes.len(), notes[0].person.as_ref().unwrap().as_str()), (3, "ada"));
}
