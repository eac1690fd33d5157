//! A log that was tampered with is refused; `verifiers.rs` shows the same logs to verifiers that are not ours.

use kontor_translog::{Error, Tiles, audit};
use rstest::rstest;

use crate::support::On;
use crate::tampered::{SIZES, Tampering};

#[rstest]
#[tokio::test]
async fn a_log_that_was_tampered_with_is_refused(
    #[values(
        Tampering::FlippedLeaf,
        Tampering::FlippedHash,
        Tampering::Fork,
        Tampering::TruncatedTile,
        Tampering::RolledBack,
        Tampering::WrongOrigin,
        Tampering::ReusedIndex,
        Tampering::MissingTile,
        Tampering::ForgedCheckpoint
    )]
    tampering: Tampering,
) {
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&SIZES).await;
    let seen = audit(&world.tiles(), &world.known(), None).unwrap().checkpoint;
    let copy = world.copy();
    let sound = audit(&Tiles::new(copy.path()), &world.known(), Some(&seen)).unwrap();
    assert_eq!((sound.checkpoint.size, sound.tiles), (seen.size, 7));
    tampering.apply(&world, copy.path());
    let refused = audit(&Tiles::new(copy.path()), &world.known(), Some(&seen)).unwrap_err();
    let expected = match tampering {
        Tampering::MissingTile => matches!(refused, Error::Absent { .. }),
        Tampering::WrongOrigin | Tampering::ForgedCheckpoint => matches!(refused, Error::Crypto(_)),
        _ => matches!(refused, Error::Refuted { .. }),
    };
    assert!(expected, "{refused:?}");
}
