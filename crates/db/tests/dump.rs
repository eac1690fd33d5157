//! A dump read into the other database gives the same dump again.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod support;

use kontor_db::dump::{self, Snapshot, TABLES};
use kontor_db::jobs::{self, NewJob};
use kontor_db::persons::{self, Person};
use kontor_db::tokens::{self, Token};
use kontor_db::{Db, Error, changes, settings};
use kontor_types::{Digest, PersonId, PublisherId, Scope, SkillId, Timestamp, TokenId};
use rstest::rstest;
use serde_json::json;
use support::On;

const NOW: Timestamp = Timestamp::from_micros(1_763_800_000_000_001);

async fn fill(db: &Db) -> Result<(), Error> {
    db.write(|tx| {
        Box::pin(async move {
            let person = PersonId::new(NOW);
            let handle = "ada".parse().unwrap();
            persons::insert(
                tx,
                &Person {
                    id: person,
                    handle,
                    display_name: "Ada \"Λ\" 艾达\n".into(),
                    administrator: true,
                    created_at: NOW,
                    disabled_at: None,
                },
            )
            .await?;
            let token = Token {
                id: TokenId::new(NOW),
                person_id: person,
                label: String::new(),
                scopes: vec![Scope::Read, Scope::Publish],
                publishers: Some(vec![PublisherId::new(NOW)]),
                created_at: NOW,
                expires_at: None,
                last_used_at: None,
                revoked_at: None,
            };
            tokens::insert(tx, &token, &Digest::of(b"secret")).await?;
            settings::set(tx, "name", "{\"not\": \"parsed\"}").await?;
            let payload = json!({"list": [1, null, {"deep": "ü"}], "flag": true});
            let job = NewJob { kind: "mail".into(), key: None, payload, run_at: NOW, max_attempts: 3 };
            jobs::enqueue(tx, &job, NOW).await?;
            changes::record(tx, changes::ChangeKind::Skill, SkillId::new(NOW).uuid(), NOW).await.map(drop)
        })
    })
    .await
}

async fn lines(db: &Db) -> Result<Vec<(&'static str, Vec<serde_json::Value>)>, Error> {
    let mut snapshot = Snapshot::begin(db).await?;
    let mut tables = Vec::new();
    for table in TABLES {
        let mut rows = Vec::new();
        snapshot
            .rows(table, |row| {
                rows.push(serde_json::from_str(row).unwrap());
                Ok::<(), Error>(())
            })
            .await?;
        tables.push((*table, rows));
    }
    snapshot.end().await?;
    Ok(tables)
}

/// Documents come back as text whose spacing and order of keys are each database's own.
fn plain(tables: Vec<(&'static str, Vec<serde_json::Value>)>) -> Vec<(&'static str, Vec<serde_json::Value>)> {
    let document = |value: &mut serde_json::Value| {
        if let Some(parsed) = value.as_str().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
            && (parsed.is_object() || parsed.is_array())
        {
            *value = parsed;
        }
    };
    tables
        .into_iter()
        .map(|(table, mut rows)| {
            rows.iter_mut().filter_map(|row| row.as_object_mut()).flat_map(|row| row.values_mut()).for_each(document);
            (table, rows)
        })
        .collect()
}

#[rstest]
#[tokio::test]
async fn a_dump_survives_any_way_between_the_databases(
    #[values(On::Sqlite, On::Postgres)] from: On,
    #[values(On::Sqlite, On::Postgres)] to: On,
) {
    let (Some(from), Some(to)) = (from.open().await, to.open().await) else { return };
    fill(&from.db).await.unwrap();
    assert!(dump::is_empty(&mut to.db.read().await.unwrap()).await.unwrap());
    let tables = lines(&from.db).await.unwrap();
    let copy = tables.clone();
    to.db
        .write(move |tx| {
            Box::pin(async move {
                dump::make_room(tx).await?;
                for (table, rows) in &copy {
                    let texts: Vec<String> = rows.iter().map(ToString::to_string).collect();
                    dump::insert(tx, table, texts.iter().map(String::as_str)).await?;
                }
                Ok::<(), Error>(())
            })
        })
        .await
        .unwrap();
    assert_eq!(plain(lines(&to.db).await.unwrap()), plain(tables));
    assert!(!dump::is_empty(&mut to.db.read().await.unwrap()).await.unwrap());
}

#[rstest]
#[tokio::test]
async fn every_table_is_dumped(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let mut known: Vec<String> = TABLES.iter().map(ToString::to_string).collect();
    known.sort();
    assert_eq!(kontor_db::testing::table_names(&mut test.db.read().await.unwrap()).await.unwrap(), known);
}
