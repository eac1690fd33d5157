//! The published files.

use kontor_crypto::{NoteSigner, Purpose, SigningKey, sign_note};
use kontor_translog::{Checkpoint, Frontier, Publisher, TileKind, TilePath, Tiles, audit, leaf_hash};
use kontor_types::Digest;
use rstest::rstest;
use tempfile::TempDir;

use crate::support::{ORIGIN, On, files};

#[rstest]
#[case(TileKind::Hashes(0), 0, 256, "tile/0/000")]
#[case(TileKind::Hashes(3), 1_234_067, 256, "tile/3/x001/x234/067")]
#[case(TileKind::Entries, 273, 112, "tile/entries/273.p/112")]
#[case(TileKind::Entries, 1000, 1, "tile/entries/x001/000.p/1")]
fn paths_are_written_as_the_specification_says(
    #[case] kind: TileKind,
    #[case] index: u64,
    #[case] width: u16,
    #[case] text: &str,
) {
    let path = TilePath { kind, index, width };
    assert_eq!(path.to_string(), text);
    assert_eq!(text.parse::<TilePath>().unwrap(), path);
}

#[rstest]
fn what_is_no_path_is_refused(
    #[values(
        "",
        "tile",
        "tile/0",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/../000",
        "tile/0/+00",
        "/tile/0/000",
        "tile/0/000/",
        "tile/entries/x1/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/data/000",
        "../keys/history.json",
        "tile/0/00\u{0}"
    )]
    text: &str,
) {
    assert!(text.parse::<TilePath>().is_err());
}

/// Publishes a log of numbered leaves at these sizes.
fn publish(tiles: &Tiles, sizes: &[u64]) {
    let signer = NoteSigner::new(ORIGIN, SigningKey::from_secret(Purpose::Log, &[7; 32])).unwrap();
    let mut publisher = Publisher::new(tiles.clone(), vec![signer.verifier().clone()]);
    let mut edge = Frontier::default();
    for size in sizes {
        let leaves: Vec<_> = (edge.size()..*size).map(|number| Digest::of(&number.to_be_bytes())).collect();
        for leaf in &leaves {
            edge.push(leaf_hash(leaf.as_bytes()));
        }
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: *size, root: edge.root() };
        publisher.publish(&sign_note(&checkpoint.to_string(), &[&signer]).unwrap(), &leaves).unwrap();
    }
    audit(tiles, &[signer.verifier().clone()], None).unwrap();
}

#[test]
fn a_log_has_the_files_of_its_sizes_and_serves_no_others() {
    let folder = TempDir::new().unwrap();
    let tiles = Tiles::new(folder.path());
    publish(&tiles, &[10, 510, 66_000]);
    let all = files(tiles.folder());
    let names: Vec<_> = all.iter().map(|path| path.strip_prefix(tiles.folder()).unwrap().to_str().unwrap()).collect();
    for expected in [
        "checkpoint",
        "tile/0/000",
        "tile/0/256",
        "tile/0/257.p/208",
        "tile/1/000",
        "tile/1/001.p/1",
        "tile/2/000.p/1",
        "tile/entries/256",
        "tile/entries/257.p/208",
    ] {
        assert!(names.contains(&expected), "{expected} is not among {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("tile/0/000.p")), "narrow forms of a full tile are removed");
    assert!(!names.iter().any(|name| name.contains("draft")));

    let served = |path: &str| tiles.resource(path).unwrap();
    let checkpoint = served("checkpoint").unwrap();
    assert_eq!((checkpoint.content_type, checkpoint.immutable), ("text/plain; charset=utf-8", false));
    let full = served("tile/0/000").unwrap();
    assert_eq!((full.bytes.len(), full.content_type, full.immutable), (8192, "application/octet-stream", true));
    assert_eq!(served("tile/0/000.p/10").unwrap().bytes, full.bytes[..320], "a narrow tile is cut from the full one");
    assert_eq!(served("tile/entries/257.p/208").unwrap().bytes.len(), 208 * 34);
    for absent in ["tile/0/258", "tile/0/257.p/207", "tile/7/000", "tile/0/257", "checkpoint/", ".lock", "tile"] {
        assert_eq!(served(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn nothing_private_is_in_any_file() {
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&[20]).await;
    for path in files(world.tiles().folder()) {
        let bytes = std::fs::read(&path).unwrap();
        for private in ["secret-agency", "skill-", "predicate", "scan"] {
            assert!(!bytes.windows(private.len()).any(|window| window == private.as_bytes()), "{}", path.display());
        }
        let digest = crate::support::version(3);
        assert!(!bytes.windows(32).any(|window| window == digest.as_bytes()), "a digest could be guessed");
    }
}
