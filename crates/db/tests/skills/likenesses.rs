//! Signatures, the buckets in which contents meet, and who is the original for whom.

use kontor_db::likenesses::{self, Asked, Fresh, Met, NewLikeness, Own};
use kontor_db::versions::VersionState;
use kontor_db::{purge, skills, versions};
use kontor_types::{Digest, PublisherId, SkillId, VersionId, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, a_version, later};
use crate::support::On;

/// A version with this text, published `seconds` later, as `latest`.
pub async fn publish(
    world: &World,
    publisher: PublisherId,
    name: &str,
    text: &str,
    seconds: i64,
) -> (SkillId, VersionId) {
    publish_as(world, publisher, name, text, seconds, Visibility::Public).await
}

pub async fn publish_as(
    world: &World,
    publisher: PublisherId,
    name: &str,
    text: &str,
    seconds: i64,
    visibility: Visibility,
) -> (SkillId, VersionId) {
    let skill = world.bare_skill(publisher, name, visibility, later(seconds)).await;
    let mut version = a_version(skill, "1.0.0", VersionState::Visible, later(seconds));
    version.digest = Digest::of(text.as_bytes());
    let id = version.id;
    write!(world.db(), |tx| async {
        kontor_db::blobs::put(tx, &version.digest, 10, NOW).await?;
        versions::insert(tx, &version).await?;
        skills::set_latest(tx, skill, Some((id, &version.facts))).await
    });
    keep(world, text).await;
    (skill, id)
}

async fn keep(world: &World, text: &str) {
    let digest = Digest::of(text.as_bytes());
    let new = NewLikeness { digest, places: vec![7], bands: vec![1, -2] };
    write!(world.db(), |tx| async {
        likenesses::keep(tx, std::slice::from_ref(&new)).await?;
        likenesses::fill(tx, &[(1, digest), (-2, digest)]).await
    });
}

pub async fn pair(world: &World, one: &str, other: &str, likeness: u32) {
    let (one, other) = (Digest::of(one.as_bytes()), Digest::of(other.as_bytes()));
    write!(world.db(), |tx| likenesses::pair(tx, &[(one, other, likeness)]));
}

/// What is the original of a version of this text and skill, for the viewer.
async fn original(
    world: &World,
    viewer: &Viewer,
    (skill, version): (SkillId, VersionId),
    publisher: PublisherId,
    text: &str,
    own: Own,
) -> Option<(String, u64)> {
    let asked = Asked { version, skill, publisher, digest: Digest::of(text.as_bytes()), since: later(900) };
    let found = likenesses::original(&mut world.conn().await, viewer, &asked, own).await.unwrap();
    found.map(|found| (format!("@{}/{}@{}", found.publisher, found.slug, found.number), found.likeness))
}

fn named(name: &str, likeness: u64) -> (String, u64) {
    (format!("{name}@1.0.0"), likeness)
}

#[rstest]
#[tokio::test]
async fn contents_meet_in_their_buckets(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    publish(&world, world.acme, "pdf", "one", 0).await;
    let mut conn = world.conn().await;
    let (one, two, none) = (Digest::of(b"one"), Digest::of(b"two"), Digest::of(b"no version has it"));
    assert_eq!(likenesses::kept(&mut conn, &[one, none]).await.unwrap(), [one]);
    let mut met = likenesses::met(&mut conn, &[5, -2, 1]).await.unwrap();
    met.sort_by_key(|met| met.band);
    let member = |band| Met { band, digest: one, places: vec![7] };
    assert_eq!(met, [member(-2), member(1)]);
    assert!(likenesses::met(&mut conn, &[5]).await.unwrap().is_empty());
    assert!(likenesses::met(&mut conn, &[]).await.unwrap().is_empty());
    for (slug, shared) in [("first", false), ("second", true)] {
        let skill = world.bare_skill(world.acme, slug, Visibility::Public, NOW).await;
        let mut version = a_version(skill, "1.0.0", VersionState::Pending, NOW);
        version.digest = two;
        write!(world.db(), |tx| async {
            kontor_db::blobs::put(tx, &two, 10, NOW).await?;
            versions::insert(tx, &version).await
        });
        let fresh = likenesses::fresh(&mut conn, &[one, two, none]).await.unwrap();
        assert_eq!(fresh, [Fresh { digest: two, shared }]);
    }
}

#[rstest]
#[tokio::test]
async fn the_original_is_the_earliest_that_the_viewer_may_find(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (anonymous, owner) = (Viewer::anonymous(), world.owner());
    publish_as(&world, world.acme, "secret", "zero", 1, Visibility::Private).await;
    publish_as(&world, world.acme, "quiet", "zero", 2, Visibility::Unlisted).await;
    let (pdf, _) = publish(&world, world.acme, "pdf", "one", 3).await;
    publish(&world, world.acme, "pdf-2", "two", 4).await;
    let copy = publish(&world, world.other, "copy", "three", 5).await;
    publish(&world, world.other, "later", "four", 1_000).await;
    for (text, likeness) in [("zero", 95), ("one", 80), ("two", 90), ("four", 99)] {
        pair(&world, text, "three", likeness).await;
    }
    let of_copy = async |viewer: &Viewer, own| original(&world, viewer, copy, world.other, "three", own).await;
    assert_eq!(of_copy(&anonymous, Own::Skill).await, Some(named("@acme/pdf", 80)));
    assert_eq!(of_copy(&world.stranger(), Own::Publisher).await, Some(named("@acme/pdf", 80)));
    assert_eq!(of_copy(&owner, Own::Skill).await, Some(named("@acme/secret", 95)), "its owner may know");
    assert_eq!(of_copy(&world.member(), Own::Skill).await, Some(named("@acme/quiet", 95)));
    write!(world.db(), |tx| skills::set_hidden(tx, pdf, Some((NOW, "spam"))));
    assert_eq!(of_copy(&anonymous, Own::Skill).await, Some(named("@acme/pdf-2", 90)), "the next takes its place");
    write!(world.db(), |tx| skills::set_hidden(tx, pdf, None));
    let best = likenesses::of_skill(&mut world.conn().await, &anonymous, &Digest::of(b"three"), pdf, 8).await.unwrap();
    assert_eq!(best.iter().map(|one| one.likeness).collect::<Vec<_>>(), [80]);
}

#[rstest]
#[tokio::test]
async fn who_had_a_text_first_copies_nobody(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (anonymous, acme) = (Viewer::anonymous(), world.acme);
    let (pdf, _) = publish(&world, acme, "pdf", "one", 1).await;
    publish(&world, world.other, "copy", "one", 2).await;
    let next = world.version(pdf, "1.1.0", VersionState::Visible, later(3)).await;
    keep(&world, "1.1.0").await;
    pair(&world, "1.1.0", "one", 90).await;
    for own in [Own::Skill, Own::Publisher] {
        assert_eq!(original(&world, &anonymous, (pdf, next), acme, "1.1.0", own).await, None);
    }
    let twin = publish(&world, acme, "twin", "one", 4).await;
    assert_eq!(original(&world, &anonymous, twin, acme, "one", Own::Skill).await, Some(named("@acme/pdf", 100)));
    assert_eq!(original(&world, &anonymous, twin, acme, "one", Own::Publisher).await, None, "it is their own");
}

#[rstest]
#[tokio::test]
async fn signatures_go_with_the_last_version_of_a_content(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (pdf, _) = publish(&world, world.acme, "pdf", "one", 1).await;
    let (copy, _) = publish(&world, world.other, "copy", "one", 2).await;
    publish(&world, world.other, "near", "two", 3).await;
    pair(&world, "one", "two", 90).await;
    for (skill, left) in [(pdf, 2), (copy, 1)] {
        write!(world.db(), |tx| async {
            skills::set_deleted(tx, skill, Some(NOW)).await?;
            assert!(purge::remove(tx, skill).await?);
            Ok::<_, kontor_db::Error>(())
        });
        assert_eq!(likenesses::met(&mut world.conn().await, &[1]).await.unwrap().len(), left);
    }
    write!(world.db(), |tx| async { kontor_db::blobs::forget_unused(tx).await.map(drop) });
    assert_eq!(likenesses::met(&mut world.conn().await, &[1]).await.unwrap().len(), 1);
}
