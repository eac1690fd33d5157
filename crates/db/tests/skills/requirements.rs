//! Requirements, and who depends on a skill.

use kontor_db::requirements::{self, Requirement};
use kontor_db::skills;
use kontor_types::{PageSize, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{World, handle, slug};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn requirements_come_back_and_tell_who_depends(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let needs = |slug_text: &str, range: &str| Requirement {
        publisher: handle("acme"),
        slug: slug(slug_text),
        range: range.parse().unwrap(),
    };
    let mut expected = Vec::new();
    for (name, visibility) in
        [("a", Visibility::Public), ("b", Visibility::Private), ("c", Visibility::Public), ("d", Visibility::Public)]
    {
        let skill = world.skill(world.acme, name, visibility).await;
        let latest =
            skills::find(&mut world.conn().await, &Viewer::hub(), skill).await.unwrap().unwrap().latest_version_id;
        let rows = vec![needs("pdf", "^1.4"), needs("doc", ">=1, <2")];
        write!(world.db(), |tx| requirements::insert(tx, latest.unwrap(), &rows));
        let of = async |viewer: Viewer| {
            requirements::of_version(&mut world.conn().await, &viewer, latest.unwrap()).await.unwrap()
        };
        assert_eq!(of(Viewer::hub()).await, [needs("doc", ">=1, <2"), needs("pdf", "^1.4")]);
        assert_eq!(of(Viewer::anonymous()).await.is_empty(), visibility != Visibility::Public);
        let seen = requirements::of_skill(&mut world.conn().await, &Viewer::anonymous(), skill).await.unwrap();
        assert_eq!(seen.len(), if visibility == Visibility::Public { 2 } else { 0 });
        assert!(seen.iter().all(|row| Some(row.version_id) == latest));
        if visibility == Visibility::Public {
            expected.push(name.to_owned());
        }
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = requirements::dependents(
            &mut world.conn().await,
            &Viewer::anonymous(),
            (&handle("acme"), &slug("pdf")),
            PageSize::clamped(2),
            after.as_ref(),
        )
        .await
        .unwrap()
        .unwrap();
        seen.extend(page.items.iter().map(|row| row.slug.to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
}
