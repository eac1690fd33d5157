use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use kontor_blob::Blobs;
use kontor_db::{Db, Options};
use kontor_outbound::{Outbound, Policy};
use kontor_package::Limits;
use kontor_registry::backup::{self, Error};
use kontor_registry::{Parts, Registry};
use kontor_search::Index;
use kontor_types::Viewer;
use rstest::rstest;

use crate::hub::{Hub, On, START, reference, skill};

/// An empty place to restore to.
async fn fresh(on: On, folder: &Path) -> Option<(Db, Blobs)> {
    let options = match on {
        On::Sqlite => Options::sqlite(folder.join("restored.db")),
        On::Postgres => {
            let server = std::env::var("KONTOR_TEST_POSTGRES").ok()?;
            Options::url(kontor_db::testing::create_database(&server).await.unwrap())
        }
    };
    let blobs = Blobs::open(&folder.join("restored").display().to_string()).await.unwrap();
    Some((Db::open(&options).await.unwrap(), blobs))
}

/// A registry over another database and store.
fn over(hub: &Hub, db: Db, blobs: Blobs) -> Registry {
    Registry::new(Parts {
        db,
        blobs,
        index: Arc::new(Index::in_memory().unwrap()),
        clock: hub.clock.clone(),
        outbound: Outbound::new(Policy::default()).unwrap(),
        notary: hub.registry.log().clone(),
        limits: Limits::default(),
    })
}

#[rstest]
#[tokio::test]
async fn a_restored_hub_serves_the_same_skills(
    #[values(On::Sqlite, On::Postgres)] from: On,
    #[values(On::Sqlite, On::Postgres)] to: On,
) {
    let Some(hub) = Hub::new(from).await else { return };
    let first = hub.publish(skill("pdf", "Reads 文档.")).await.unwrap();
    hub.publish(skill("pdf", "Reads and writes.")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.kontor");
    let written = backup::back_up(&hub.db, &hub.blobs, &file, None, START, |_| ()).await.unwrap();
    assert_eq!((written.blobs, written.tables["version"].rows), (2, 2));

    let Some((db, blobs)) = fresh(to, folder.path()).await else { return };
    let read = backup::restore(&db, &blobs, &file, |_| ()).await.unwrap();
    assert_eq!(read, written);
    let restored = over(&hub, db.clone(), blobs.clone());
    let found = restored.version(&Viewer::anonymous(), &reference("@acme/pdf@0.1.0")).await.unwrap();
    assert_eq!(found.version.digest, first.digest);
    let bytes = restored.archive_bytes(&found.version).await.unwrap();
    assert_eq!(kontor_types::Digest::of(&bytes), first.digest);
    // The hub goes on: the next change follows the last one of the backup.
    let again = backup::restore(&db, &blobs, &file, |_| ()).await;
    assert!(matches!(again, Err(Error::NotEmpty)), "{again:?}");
}

#[tokio::test]
async fn sealed_keys_travel_with_the_backup() {
    let hub = Hub::new(On::Sqlite).await.unwrap();
    hub.publish(skill("pdf", "Reads.")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (with, without) = (folder.path().join("with"), folder.path().join("without"));
    backup::back_up(&hub.db, &hub.blobs, &with, Some(b"sealed"), START, |_| ()).await.unwrap();
    backup::back_up(&hub.db, &hub.blobs, &without, None, START, |_| ()).await.unwrap();
    assert_eq!(backup::sealed_keys(&with).unwrap().as_deref(), Some(b"sealed".as_slice()));
    assert_eq!(backup::sealed_keys(&without).unwrap(), None);
    let (db, blobs) = fresh(On::Sqlite, folder.path()).await.unwrap();
    let read = backup::restore(&db, &blobs, &with, |_| ()).await.unwrap();
    assert_eq!(read.keys, Some(kontor_types::Digest::of(b"sealed")));
}

#[tokio::test]
async fn a_cut_or_changed_backup_is_refused_and_leaves_nothing() {
    let hub = Hub::new(On::Sqlite).await.unwrap();
    hub.publish(skill("pdf", "Reads.")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.kontor");
    backup::back_up(&hub.db, &hub.blobs, &file, None, START, |_| ()).await.unwrap();
    let mut plain = Vec::new();
    zstd::Decoder::new(std::fs::File::open(&file).unwrap()).unwrap().read_to_end(&mut plain).unwrap();
    let at = plain.windows(5).position(|five| five == b"\"ada\"").unwrap();
    let changed: Vec<u8> = [&plain[..at], b"\"eve\"", &plain[at + 5..]].concat();
    for (name, bytes) in [("cut", &plain[..plain.len() / 2]), ("changed", &changed), ("empty", &[])] {
        let broken = folder.path().join(name);
        let mut encoder = zstd::Encoder::new(std::fs::File::create(&broken).unwrap(), 1).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap();
        let place = tempfile::tempdir().unwrap();
        let (db, blobs) = fresh(On::Sqlite, place.path()).await.unwrap();
        let refused = backup::restore(&db, &blobs, &broken, |_| ()).await;
        assert!(matches!(refused, Err(Error::Damaged { .. })), "{name}: {refused:?}");
        assert!(kontor_db::dump::is_empty(&mut db.read().await.unwrap()).await.unwrap());
    }
    let over = backup::back_up(&hub.db, &hub.blobs, &file, None, START, |_| ()).await;
    assert!(matches!(over, Err(Error::Exists { .. })));
}
