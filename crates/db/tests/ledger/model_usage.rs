use kontor_db::model_usage::{self, By, Filter, Use};
use rstest::rstest;

use crate::fixtures::{NOW, later};
use crate::support::On;

fn used(hour: i64, person: &str, publisher: &str, calls: i64) -> Use {
    Use {
        hour,
        person: person.to_owned(),
        publisher: publisher.to_owned(),
        model: "small".to_owned(),
        calls,
        prompt: 10 * calls,
        ..Use::default()
    }
}

#[rstest]
#[tokio::test]
async fn a_batch_counts_once_and_only_what_one_may_see_is_added_up(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(opened) = on.open().await else { return };
    let db = &opened.db;
    let batch = |number: i64, uses: Vec<Use>| {
        db.write(move |tx| Box::pin(async move { model_usage::add(tx, "here", number, &uses, NOW).await }))
    };
    assert!(batch(1, vec![used(5, "ada", "acme", 1), used(30, "ada", "", 2), used(5, "bob", "", 4)]).await.unwrap());
    assert!(!batch(1, vec![used(5, "ada", "acme", 100)]).await.unwrap());
    assert!(batch(2, vec![used(5, "ada", "acme", 1)]).await.unwrap());
    let mut conn = db.read().await.unwrap();
    let all = Filter { to: 100, ..Filter::default() };
    let by_day = model_usage::sums(&mut conn, &all, &[By::Day, By::Person], 10).await.unwrap();
    let told: Vec<_> = by_day.iter().map(|sum| (sum.hour, sum.person.as_str(), sum.calls, sum.prompt)).collect();
    assert_eq!(told, [(0, "ada", 2, 20), (0, "bob", 4, 40), (1, "ada", 2, 20)]);
    for (seen, calls) in [(("bob".to_owned(), vec![]), 4), (("bob".to_owned(), vec!["acme".to_owned()]), 6)] {
        let filter = Filter { seen: Some(seen), ..all.clone() };
        assert_eq!(model_usage::sums(&mut conn, &filter, &[], 10).await.unwrap()[0].calls, calls);
    }
    drop(conn);
    let forgotten = db.write(|tx| Box::pin(async move { model_usage::forget_processes(tx, later(1)).await }));
    assert_eq!(forgotten.await.unwrap(), 1);
}
