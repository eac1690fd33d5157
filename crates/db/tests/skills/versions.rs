//! Versions: what is stored comes back, numbers are unique, orders hold.

use kontor_db::versions::{self, VersionState};
use kontor_types::{Cursor, PageSize, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, a_version, facts, later, number};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn what_is_stored_comes_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let skill = world.bare_skill(world.acme, "pdf", Visibility::Public, NOW).await;
    let mut new = a_version(skill, "1.2.3-rc.1+build", VersionState::Pending, later(3));
    new.published_by = Some(world.ada);
    new.manifest = Some(serde_json::json!({"kind": "workflow"}));
    let stored = new.clone();
    write!(world.db(), |tx| async {
        kontor_db::blobs::put(tx, &stored.digest, stored.size, NOW).await?;
        versions::insert(tx, &stored).await
    });
    let mut conn = world.conn().await;
    let version = versions::find(&mut conn, &world.owner(), new.id).await.unwrap().unwrap();
    assert_eq!((&version.number, version.digest, version.size), (&new.number, new.digest, 10));
    assert_eq!((version.fingerprint, version.state, version.file_count), (new.fingerprint, VersionState::Pending, 1));
    assert_eq!((version.facts(), version.origin.clone()), (facts("skill"), new.origin.clone()));
    assert_eq!((&version.changelog, &version.skill_file), (&new.changelog, &new.skill_file));
    assert_eq!((version.published_by, version.created_at), (Some(world.ada), later(3)));
    assert_eq!(version.published_by_handle.unwrap().as_str(), "ada");
    let reading = versions::reading(&mut conn, &Viewer::hub(), new.id).await.unwrap().unwrap();
    assert_eq!(
        (reading.front_matter, reading.manifest, reading.findings),
        (new.front_matter.clone(), new.manifest, new.findings)
    );
    let several = versions::front_matter_of(&mut conn, &Viewer::hub(), &[new.id]).await.unwrap();
    assert_eq!(several, [versions::FrontMatter { id: new.id, front_matter: new.front_matter }]);
    assert_eq!(versions::front_matter_of(&mut conn, &Viewer::anonymous(), &[new.id]).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn a_number_is_given_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let skill = world.skill(world.acme, "pdf", Visibility::Public).await;
    let again = a_version(skill, "1.0.0", VersionState::Visible, NOW);
    let refused = world.db().write(move |tx| Box::pin(async move { versions::insert(tx, &again).await })).await;
    assert!(refused.unwrap_err().is_duplicate());
}

#[rstest]
#[tokio::test]
async fn lists_have_the_newest_first_and_candidates_the_highest(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let skill = world.bare_skill(world.acme, "pdf", Visibility::Public, NOW).await;
    for (place, text) in ["1.10.0", "1.9.0", "2.0.0-rc.1", "1.2.0"].into_iter().enumerate() {
        world.version(skill, text, VersionState::Visible, later(i64::try_from(place).unwrap())).await;
    }
    let held = world.version(skill, "3.0.0", VersionState::Held, later(9)).await;
    let mut conn = world.conn().await;
    let (mut seen, mut after): (Vec<String>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let anybody = Viewer::anonymous();
        let page = versions::list(&mut conn, &anybody, skill, PageSize::clamped(3), after.as_ref()).await;
        let page = page.unwrap().unwrap();
        seen.extend(page.items.iter().map(|version| version.number.to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["1.2.0", "2.0.0-rc.1", "1.9.0", "1.10.0"]);
    let foreign = Cursor::of(&[&"x"]);
    let page = versions::list(&mut conn, &Viewer::hub(), skill, PageSize::default(), Some(&foreign)).await.unwrap();
    assert_eq!(page, None);
    let numbers = |rows: Vec<versions::Candidate>| -> Vec<String> {
        rows.iter().map(|row| format!("{}{}", row.number, if row.is_eligible() { "" } else { "!" })).collect()
    };
    let public = versions::candidates(&mut conn, &Viewer::anonymous(), skill).await.unwrap();
    assert_eq!(numbers(public), ["2.0.0-rc.1", "1.10.0", "1.9.0", "1.2.0"]);
    write!(world.db(), |tx| async {
        versions::set_state(tx, held, VersionState::Visible).await?;
        versions::set_yanked(tx, held, Some((later(10), "it eats files"))).await
    });
    let yanked = versions::by_number(&mut conn, &Viewer::anonymous(), skill, &number("3.0.0")).await.unwrap().unwrap();
    assert_eq!((yanked.yanked_at, yanked.yank_reason.as_deref()), (Some(later(10)), Some("it eats files")));
    let all = versions::all(&mut conn, skill).await.unwrap();
    assert_eq!(numbers(all), ["3.0.0!", "2.0.0-rc.1", "1.10.0", "1.9.0", "1.2.0"]);
    write!(world.db(), |tx| async {
        versions::set_yanked(tx, held, None).await?;
        versions::set_hidden(tx, held, Some((later(11), "by mistake"))).await
    });
    assert_eq!(versions::by_number(&mut conn, &Viewer::anonymous(), skill, &number("3.0.0")).await.unwrap(), None);
    let mine = versions::find(&mut conn, &world.owner(), held).await.unwrap().unwrap();
    assert_eq!(
        (mine.hidden_at, mine.hidden_reason.as_deref(), mine.is_shown()),
        (Some(later(11)), Some("by mistake"), false)
    );
}

#[rstest]
#[tokio::test]
async fn text_that_postgres_cannot_hold_is_stored_all_the_same(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let skill = world.skill(world.acme, "pdf", Visibility::Public).await;
    let mut new = a_version(skill, "2.0.0", VersionState::Visible, NOW);
    new.changelog = "a\0b".to_owned();
    new.front_matter = serde_json::json!({"k\0": ["\0"]});
    let id = new.id;
    write!(world.db(), |tx| async {
        kontor_db::blobs::put(tx, &new.digest, 1, NOW).await?;
        versions::insert(tx, &new).await
    });
    let mut conn = world.conn().await;
    let version = versions::find(&mut conn, &Viewer::hub(), id).await.unwrap().unwrap();
    let reading = versions::reading(&mut conn, &Viewer::hub(), id).await.unwrap().unwrap();
    assert_eq!(version.changelog, "a\u{fffd}b");
    assert_eq!(reading.front_matter, serde_json::json!({"k\u{fffd}": ["\u{fffd}"]}));
}
