//! Searches that found nothing: added up by day and words, bounded, forgotten.

use kontor_db::unanswered_searches::{self, MOST_A_DAY, Unanswered};
use kontor_types::Day;
use rstest::rstest;

use crate::fixtures::World;
use crate::support::On;

fn one(day: i64, words: &str, searches: i64, callers: i64) -> Unanswered {
    Unanswered { day: Day::from(day), words: words.to_owned(), searches, callers }
}

async fn add(world: &World, one: Unanswered) {
    write!(world.db(), |tx| unanswered_searches::add(tx, &one));
}

async fn found(world: &World, since: i64, words: u32) -> Vec<(i64, String, i64, i64)> {
    let rows = unanswered_searches::since(&mut world.conn().await, Day::from(since), words).await.unwrap();
    rows.into_iter().map(|row| (row.day.number(), row.words, row.searches, row.callers)).collect()
}

#[rstest]
#[tokio::test]
async fn searches_for_the_same_words_add_up(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    for search in [one(5, "tax form", 1, 0b001), one(5, "tax form", 2, 0b100), one(6, "tax form", 1, 0b001)] {
        add(&world, search).await;
    }
    add(&world, one(6, "报税", 9, 1 << 61)).await;
    add(&world, one(4, "old", 50, 1)).await;
    let (tax, chinese) = ("tax form".to_owned(), "报税".to_owned());
    let expected = [(6, chinese.clone(), 9, 1 << 61), (5, tax.clone(), 3, 0b101), (6, tax, 1, 0b001)];
    assert_eq!(found(&world, 5, 10).await, expected);
    assert_eq!(found(&world, 5, 1).await, [(6, chinese, 9, 1 << 61)]);
    write!(world.db(), |tx| unanswered_searches::purge(tx, Day::from(6)));
    assert_eq!(found(&world, 0, 10).await.len(), 2);
}

#[rstest]
#[tokio::test]
async fn a_day_keeps_so_many_words_and_no_more(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let unit = world.db().write(|tx| {
        Box::pin(async move {
            for number in 0..MOST_A_DAY {
                unanswered_searches::add(tx, &one(7, &format!("words {number}"), 1, 1)).await?;
            }
            Ok::<_, kontor_db::Error>(())
        })
    });
    unit.await.unwrap();
    add(&world, one(7, "one more", 1, 1)).await;
    add(&world, one(7, "words 3", 1, 2)).await;
    add(&world, one(8, "one more", 1, 1)).await;
    let found = found(&world, 7, 5_000).await;
    assert_eq!(i64::try_from(found.len()).unwrap(), MOST_A_DAY + 1);
    assert_eq!(found[0], (7, "words 3".to_owned(), 2, 3));
    assert_eq!(found.iter().filter(|row| row.1 == "one more").map(|row| row.0).collect::<Vec<_>>(), [8]);
}
