//! Blobs that everybody may see, kept in memory.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use bytes::Bytes;
use kontor_blob::{Blobs, Error};
use kontor_types::Digest;
use tempfile::TempDir;

async fn open(folder: &TempDir) -> Blobs {
    Blobs::open(folder.path().to_str().unwrap()).await.unwrap()
}

#[tokio::test]
async fn memory_holds_only_what_was_asked_for_as_shared() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let digest = blobs.put("words".into()).await.unwrap();
    blobs.get(&digest).await.unwrap();
    blobs.get_range(&digest, 0..5).await.unwrap();
    assert_eq!(blobs.held(&digest), None, "reading for somebody keeps nothing for everybody");
    assert_eq!(blobs.get_shared(&digest).await.unwrap().unwrap(), "words");
    assert_eq!(blobs.held(&digest).unwrap(), "words");
    assert!(blobs.delete(&digest).await.unwrap());
    assert_eq!(blobs.held(&digest), None, "a removed blob leaves the memory");
    assert!(matches!(blobs.get_shared(&digest).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_large_blob_is_not_kept() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let large = Bytes::from(vec![7; (8 << 20) + 1]);
    let digest = blobs.put(large.clone()).await.unwrap();
    assert_eq!(digest, Digest::of(&large));
    assert_eq!(blobs.get_shared(&digest).await.unwrap(), None);
    assert_eq!(blobs.held(&digest), None);
}
