//! Which names are worth comparing with a new one.

use kontor_db::look_alikes::{self, Sought};
use kontor_db::skills;
use kontor_types::{PublisherId, Timestamp, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, later, slug};
use crate::support::On;

/// The names that are compared with one of the publisher.
async fn compared(world: &World, name: &str, publisher: PublisherId, since: Timestamp) -> Vec<String> {
    let (name, looks, slugs) = (slug(name), ["tool".to_owned()], ["bare".to_owned()]);
    let sought = Sought { slug: &name, publisher, looks: &looks, slugs: &slugs, since };
    let found = look_alikes::candidates(&mut world.conn().await, &sought).await.unwrap();
    found.iter().map(|named| named.slug.to_string()).collect()
}

#[rstest]
#[tokio::test]
async fn names_are_found_by_look_and_by_what_they_adorn(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    world.skill(world.acme, "t0ol", Visibility::Public).await;
    world.skill(world.acme, "bare", Visibility::Public).await;
    world.skill(world.acme, "to0l", Visibility::Private).await;
    assert_eq!(compared(&world, "tool", world.other, NOW).await, ["t0ol", "bare"]);
    assert_eq!(compared(&world, "t0ol", world.other, NOW).await, ["bare"], "the very name is not a look-alike");
    assert!(compared(&world, "tool", world.acme, NOW).await.is_empty(), "nor is an own one");
    assert!(compared(&world, "tool", world.other, later(-1)).await.is_empty(), "nor one that came later");
    world.skill(world.other, "bare", Visibility::Public).await;
    assert_eq!(compared(&world, "tool", world.other, NOW).await, ["t0ol"], "nor one that the publisher has too");
}

/// A letter at each place of a name left out, added, replaced and swapped with the next.
fn slips(name: &str) -> Vec<String> {
    let with = |at: usize, middle: &str, from: usize| format!("{}{middle}{}", &name[..at], &name[from..]);
    let letters = (0..name.len()).filter(|at| name.as_bytes()[*at] != b'-');
    let mut slips: Vec<String> =
        letters.flat_map(|at| [with(at, "", at + 1), with(at, "q", at), with(at, "q", at + 1)]).collect();
    let swapped =
        |at: usize| name.get(at..at + 2).map(|pair| with(at, &pair.chars().rev().collect::<String>(), at + 2));
    slips.extend((0..name.len()).filter_map(swapped));
    slips.retain(|slip| slip != name && kontor_types::Slug::parse(slip).is_ok());
    slips
}

#[rstest]
#[case("meters")]
#[case("gas-meter")]
#[case("gas-meters")]
#[tokio::test]
async fn every_name_that_is_one_slip_away_is_found_by_one_half(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] name: &'static str,
) {
    let Some(world) = World::new(on).await else { return };
    let skill = world.skill(world.acme, "older-name", Visibility::Public).await;
    write!(world.db(), |tx| skills::set_name(tx, skill, world.acme, &slug(name), name));
    assert!(compared(&world, "older-nane", world.other, NOW).await.is_empty(), "what it was called is forgotten");
    let slips = slips(name);
    assert!(slips.len() > 20, "{slips:?}");
    for slip in slips {
        assert_eq!(compared(&world, &slip, world.other, NOW).await, [name], "{slip}");
    }
    assert!(compared(&world, "water-pump", world.other, NOW).await.is_empty());
    assert!(compared(&world, &name[..3], world.other, NOW).await.is_empty(), "too short for a slip");
}
