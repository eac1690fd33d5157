//! Which skills show the same text, for whom, and who is looked at again when one changes.

use kontor_db::{copies, skills};
use kontor_types::Visibility;
use rstest::rstest;

use crate::fixtures::{NOW, World};
use crate::likenesses::{pair, publish, publish_as};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_copy_has_a_head_that_whoever_finds_it_finds_too(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (private, _) = publish_as(&world, world.acme, "private", "text", 1, Visibility::Private).await;
    let (inside, _) = publish_as(&world, world.acme, "inside", "text", 2, Visibility::Organisation).await;
    let (public, _) = publish(&world, world.acme, "public", "text", 3).await;
    let (near, _) = publish(&world, world.other, "near", "almost the text", 4).await;
    let (late, _) = publish_as(&world, world.other, "late", "text", 5, Visibility::Private).await;
    let (alone, _) = publish(&world, world.other, "alone", "else", 6).await;
    pair(&world, "text", "almost the text", 90).await;
    let mut conn = world.conn().await;
    let mut heads = copies::heads(&mut conn, &[private, inside, public, near, late, alone]).await.unwrap();
    heads.sort_unstable();
    let mut expected = vec![(near, public), (late, public)];
    expected.sort_unstable();
    assert_eq!(heads, expected, "the private and the inner one are nobody's head but their publisher's");
    let (own, _) = publish_as(&world, world.acme, "own", "text", 7, Visibility::Private).await;
    assert_eq!(copies::heads(&mut conn, &[own]).await.unwrap(), [(own, private)]);
}

#[rstest]
#[tokio::test]
async fn the_next_takes_the_place_of_a_head_that_is_gone(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (first, _) = publish(&world, world.acme, "first", "text", 1).await;
    let (second, _) = publish(&world, world.other, "second", "text", 2).await;
    let (third, _) = publish(&world, world.other, "third", "near", 3).await;
    pair(&world, "text", "near", 80).await;
    let mut conn = world.conn().await;
    assert_eq!(copies::heads(&mut conn, &[third]).await.unwrap(), [(third, first)]);
    let mut followers = copies::followers(&mut conn, &[first]).await.unwrap();
    followers.sort_unstable();
    let mut expected = vec![first, second, third];
    expected.sort_unstable();
    assert_eq!(followers, expected);
    assert_eq!(copies::followers(&mut conn, &[third]).await.unwrap(), [third], "nobody came later");
    write!(world.db(), |tx| skills::set_deleted(tx, first, Some(NOW)));
    assert_eq!(copies::heads(&mut conn, &[second, third]).await.unwrap(), [(third, second)]);
}
