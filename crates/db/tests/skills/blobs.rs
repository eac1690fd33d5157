//! Recorded blobs: put once, listed in order, forgotten when no version points to them.

use kontor_db::blobs;
use kontor_types::{Digest, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn blobs_are_recorded_once_and_forgotten_when_unused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    world.skill(world.acme, "pdf", Visibility::Public).await;
    let used = Digest::of(b"1.0.0");
    let unused: Vec<Digest> = (0..5_u8).map(|byte| Digest::of(&[byte])).collect();
    let all = unused.clone();
    write!(world.db(), |tx| async {
        for digest in &all {
            blobs::put(tx, digest, 7, NOW).await?;
            blobs::put(tx, digest, 7, later(1)).await?;
        }
        Ok::<(), kontor_db::Error>(())
    });
    let mut conn = world.conn().await;
    assert_eq!(
        blobs::find(&mut conn, &unused[0]).await.unwrap().map(|blob| (blob.size, blob.created_at)),
        Some((7, NOW))
    );
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = blobs::list(&mut conn, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.digest);
        seen.extend(page.iter().map(|blob| blob.digest));
    }
    let mut expected = [unused.as_slice(), &[used]].concat();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    let stranger = Digest::of(b"never seen");
    assert_eq!(blobs::known(&mut conn, &[used, stranger]).await.unwrap(), [used]);
    assert_eq!(write!(world.db(), |tx| blobs::forget_unused(tx)), 5);
    assert_eq!(blobs::list(&mut conn, None, 10).await.unwrap().len(), 1);
}
