//! The index follows the change feed, and survives what happens to folders.

use std::fs;
use std::path::Path;

use kontor_search::{Building, Change, Error, Index, Opened, Query};
use kontor_types::Viewer;
use rstest::rstest;

use crate::world::{World, slugs};

fn world() -> World {
    let mut world = World::new();
    world.add("acme", "alpha", "First letter.");
    world.add("acme", "beta", "Second letter.");
    world
}

fn found(index: &Index, text: &str) -> Vec<String> {
    let hits = index.search(&Query::new(text, &Viewer::anonymous())).unwrap();
    slugs(&hits).into_iter().map(str::to_owned).collect()
}

fn kept(folder: &Path) -> Option<Index> {
    match Index::open(folder).unwrap() {
        Opened::Kept(index) => Some(index),
        Opened::Fresh(_) => None,
    }
}

#[test]
fn what_was_applied_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let Opened::Fresh(index) = Index::open(folder.path()).unwrap() else { panic!("a new folder opened as kept") };
    assert_eq!((index.sequence(), index.is_empty()), (0, true));
    index.apply(&world().changes(), 41).unwrap();
    index.apply(&[], 42).unwrap();
    assert_eq!(index.sequence(), 42);
    drop(index);

    let index = kept(folder.path()).unwrap();
    assert_eq!((index.sequence(), index.len()), (42, 2));
    assert_eq!(found(&index, "second letter")[0], "beta");
}

#[test]
fn an_index_that_is_not_complete_says_so_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let world = world();
    let building = Building { until: 41, after: world.documents[0].skill };
    let index = Index::open(folder.path()).unwrap().into_index();
    assert_eq!(index.building(), None);
    index.build(&world.changes()[..1], building).unwrap();
    drop(index);

    let index = kept(folder.path()).unwrap();
    assert_eq!((index.sequence(), index.building(), index.len()), (0, Some(building), 1));
    index.apply(&world.changes()[1..], 41).unwrap();
    assert_eq!((index.building(), index.len()), (None, 2));
    drop(index);
    let index = kept(folder.path()).unwrap();
    assert_eq!((index.sequence(), index.building(), index.len()), (41, None, 2));
    index.build(&[], building).unwrap();
    index.clear().unwrap();
    assert_eq!((index.sequence(), index.building(), index.len()), (0, None, 0));
}

#[test]
fn a_commit_that_a_death_cut_short_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let head = folder.path().join("meta.json");
    let world = world();
    let remove = [Change::Remove(world.documents[1].skill)];
    let index = Index::open(folder.path()).unwrap().into_index();
    index.apply(&world.changes(), 1).unwrap();
    drop(index);
    let before = fs::read(&head).unwrap();
    kept(folder.path()).unwrap().apply(&remove, 2).unwrap();
    // As if it had died just before the head was written: the files of the commit are there already.
    fs::write(&head, before).unwrap();

    let index = kept(folder.path()).unwrap();
    assert_eq!((index.sequence(), index.len()), (1, 2));
    index.apply(&remove, 2).unwrap();
    assert_eq!((index.sequence(), index.len()), (2, 1));
}

#[test]
fn changes_replace_and_remove() {
    let mut world = world();
    let index = world.index();
    world.documents[0].description = "Something about giraffes.".to_owned();
    let beta = world.documents[1].skill;
    let again = Change::Upsert(Box::new(world.documents[0].clone()));
    index.apply(&[again.clone(), Change::Remove(beta), again], 2).unwrap();
    assert_eq!(found(&index, "giraffe"), ["alpha"]);
    assert_eq!(found(&index, "first"), [""; 0]);
    assert_eq!(found(&index, "beta"), [""; 0]);
    assert_eq!(index.len(), 1);
    index.apply(&[Change::Remove(world.documents[0].skill), Change::Remove(beta)], 3).unwrap();
    assert!(index.is_empty());
}

#[test]
fn many_small_commits_and_rests_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap().into_index();
    let mut world = World::new();
    for place in 0..40_u64 {
        world.add("acme", &format!("skill-{place}"), "The same words for all.");
        index.apply(&world.changes().split_off(usize::try_from(place).unwrap()), place + 1).unwrap();
        if place % 10 == 9 {
            index.rest().unwrap();
        }
        assert_eq!(index.len(), place + 1);
    }
    assert_eq!(index.search(&Query::new("same words", &Viewer::anonymous())).unwrap().total.count, 40);
    drop(index);
    assert_eq!(kept(folder.path()).unwrap().len(), 40);
}

#[rstest]
#[case::other_format("meta.json", |text: String| text.replace("\\\"format\\\":", "\\\"format\\\":9"))]
#[case::no_payload("meta.json", |text: String| text.replace("payload", "freight"))]
#[case::no_json("meta.json", |_| "{".to_owned())]
fn an_index_of_no_use_opens_fresh(#[case] file: &str, #[case] spoil: fn(String) -> String) {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap().into_index();
    index.apply(&world().changes(), 7).unwrap();
    drop(index);
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let spoilt = spoil(text.clone());
    assert_ne!(text, spoilt);
    fs::write(&path, spoilt).unwrap();

    let index = Index::open(folder.path()).unwrap();
    assert!(matches!(&index, Opened::Fresh(_)));
    let index = index.into_index();
    assert_eq!((index.sequence(), index.len()), (0, 0));
    index.apply(&world().changes(), 7).unwrap();
    assert_eq!(found(&index, "beta"), ["beta"]);
}

#[rstest]
fn a_damaged_file_opens_fresh(
    #[values("term", "store", "fast", "idx", "fieldnorm")] kind: &str,
    #[values(true, false)] cut: bool,
) {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap().into_index();
    index.apply(&world().changes(), 7).unwrap();
    index.rest().unwrap();
    drop(index);
    let damaged = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let damaged: Vec<_> = damaged.filter(|path| path.extension().is_some_and(|extension| extension == kind)).collect();
    assert!(!damaged.is_empty());
    for path in damaged {
        let mut bytes = fs::read(&path).unwrap();
        if cut {
            bytes.truncate(bytes.len() / 2);
        } else {
            bytes[3] ^= 0x55;
        }
        fs::write(&path, bytes).unwrap();
    }
    assert!(kept(folder.path()).is_none());
}

#[test]
fn two_writers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Index::open(folder.path()).unwrap().into_index();
    first.apply(&world().changes(), 7).unwrap();
    let second = Index::open(folder.path()).unwrap().into_index();
    assert!(matches!(second.apply(&[], 8), Err(Error::InUse)));
    first.rest().unwrap();
    second.apply(&[], 8).unwrap();
    assert_eq!(second.sequence(), 8);
}
