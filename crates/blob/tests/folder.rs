//! Blobs in a folder of this machine.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use kontor_blob::{Blobs, Error, Health, Listed, Stored};
use kontor_types::Digest;
use rstest::rstest;
use tempfile::TempDir;

async fn open(folder: &TempDir) -> Blobs {
    Blobs::open(folder.path().to_str().unwrap()).await.unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { pending.push(path) } else { found.push(path) }
        }
    }
    let mut names: Vec<_> =
        found.iter().map(|path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_put_is_found_under_its_digest() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let digest = blobs.put("words".into()).await.unwrap();
    assert_eq!(digest, Digest::of(b"words"));
    assert_eq!(blobs.get(&digest).await.unwrap(), "words");
    assert_eq!(blobs.size(&digest).await.unwrap(), Some(5));
    assert!(blobs.exists(&digest).await.unwrap());
    let hex = digest.hex();
    let path = format!("{}/{}/{hex}", &hex[..2], &hex[2..4]);
    assert_eq!(files(folder.path()), [path.as_str(), "lock"]);
    assert_eq!(blobs.local_path(&digest).unwrap(), folder.path().join(path));
    drop(blobs);
    assert_eq!(open(&folder).await.get(&digest).await.unwrap(), "words", "a second start finds it");
}

#[tokio::test]
async fn putting_again_changes_nothing_and_mends_what_is_damaged() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let digest = blobs.put("words".into()).await.unwrap();
    let path = blobs.local_path(&digest).unwrap();
    let file = |path: &Path| fs::metadata(path).unwrap().ino();
    let written = file(&path);
    blobs.put("words".into()).await.unwrap();
    blobs.put_many(vec!["words".into(), "words".into()]).await.unwrap();
    assert_eq!(file(&path), written);

    fs::write(&path, "wor").unwrap();
    assert!(matches!(blobs.check(&digest).await.unwrap(), Health::Corrupt { size: 3, .. }));
    blobs.put("words".into()).await.unwrap();
    assert_eq!(blobs.check(&digest).await.unwrap(), Health::Sound { size: 5 });
}

#[tokio::test]
async fn bytes_must_be_those_that_were_announced() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let announced = Digest::of(b"words");
    let error = blobs.put_as(&announced, "other words".into()).await.unwrap_err();
    assert!(matches!(error, Error::Mismatch { expected, .. } if expected == announced));
    assert!(!blobs.exists(&announced).await.unwrap());
    assert!(!blobs.exists(&Digest::of(b"other words")).await.unwrap());
    blobs.put_as(&announced, "words".into()).await.unwrap();
    assert!(blobs.exists(&announced).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_put_the_same_bytes_at_once() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let bytes = Bytes::from(vec![7; 300_000]);
    let puts = (0..32).map(|_| {
        tokio::spawn({
            let (blobs, bytes) = (blobs.clone(), bytes.clone());
            async move { blobs.put(bytes).await }
        })
    });
    let digests = futures::future::join_all(puts).await;
    let digest = Digest::of(&bytes);
    assert!(digests.into_iter().all(|put| put.unwrap().unwrap() == digest));
    assert_eq!(blobs.check(&digest).await.unwrap(), Health::Sound { size: 300_000 });
    assert_eq!(files(folder.path()).len(), 2, "one blob, the lock, and no temporary file");
}

#[tokio::test]
async fn a_batch_answers_in_its_order() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let batch: Vec<Bytes> = (0..100).map(|number| format!("blob {}", number % 90).into()).collect();
    let digests = blobs.put_many(batch.clone()).await.unwrap();
    for (bytes, digest) in batch.iter().zip(&digests) {
        assert_eq!(blobs.get(digest).await.unwrap(), bytes);
    }
    assert_eq!(files(folder.path()).len(), 91);
}

#[rstest]
#[case::all(0..5, Some("words"))]
#[case::inside(1..4, Some("ord"))]
#[case::nothing(2..2, Some(""))]
#[case::nothing_at_the_end(5..5, Some(""))]
#[case::beyond_the_end(3..6, None)]
#[case::after_the_end(6..7, None)]
#[case::backwards(std::ops::Range { start: 3, end: 2 }, None)]
#[case::huge(0..u64::MAX, None)]
#[tokio::test]
async fn a_range_lies_inside_the_blob(#[case] range: std::ops::Range<u64>, #[case] expected: Option<&str>) {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let digest = blobs.put("words".into()).await.unwrap();
    let read = blobs.get_range(&digest, range.clone()).await;
    let streamed = match blobs.stream(&digest, range.clone()).await {
        Ok(pieces) => pieces.try_collect::<Vec<_>>().await.map(|pieces| pieces.concat()),
        Err(error) => Err(error),
    };
    if let Some(expected) = expected {
        assert_eq!(read.unwrap(), expected);
        assert_eq!(streamed.unwrap(), expected.as_bytes());
    } else {
        assert!(matches!(read, Err(Error::OutOfRange { size: 5, .. })));
        assert!(matches!(streamed, Err(Error::OutOfRange { size: 5, .. })));
    }
}

#[tokio::test]
async fn a_large_blob_streams_in_and_out() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let source = stream::iter(bytes.chunks(7_777).map(|chunk| Ok::<_, Error>(Bytes::copy_from_slice(chunk))));
    let stored = blobs.put_stream(source, 3_000_000).await.unwrap();
    assert_eq!(stored, Stored { digest: Digest::of(&bytes), size: 3_000_000 });
    let pieces: Vec<Bytes> = blobs.stream(&stored.digest, 100..2_999_999).await.unwrap().try_collect().await.unwrap();
    assert!(pieces.len() > 5, "it comes in pieces");
    assert_eq!(pieces.concat(), bytes[100..2_999_999]);
    let (mut file, size) = blobs.open_local(&stored.digest).unwrap().unwrap();
    assert_eq!(size, 3_000_000);
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut file, &mut read).unwrap();
    assert!(read == bytes);
}

#[tokio::test]
async fn a_stream_that_fails_or_goes_on_too_long_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let endless = stream::repeat_with(|| Ok::<_, Error>(Bytes::from_static(&[0; 1024]))).take(1 << 20);
    let error = blobs.put_stream(endless, 1_000_000).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1_000_000 }));
    let broken = stream::iter([Ok(Bytes::from_static(b"wo")), Err("the line is cut")]);
    let error = blobs.put_stream(broken, 1_000_000).await.unwrap_err();
    assert!(matches!(error, Error::Source(_)));
    assert_eq!(files(folder.path()), ["lock"]);
}

#[tokio::test]
async fn what_is_not_here_is_said_so() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let digest = Digest::of(b"never put");
    assert!(matches!(blobs.get(&digest).await, Err(Error::NotFound { .. })));
    assert!(matches!(blobs.get_range(&digest, 0..1).await, Err(Error::NotFound { .. })));
    assert!(matches!(blobs.stream(&digest, 0..1).await.err(), Some(Error::NotFound { .. })));
    assert!(matches!(blobs.open_local(&digest), Some(Err(Error::NotFound { .. }))));
    assert_eq!(blobs.size(&digest).await.unwrap(), None);
    assert_eq!(blobs.check(&digest).await.unwrap(), Health::Missing);
    assert!(!blobs.delete(&digest).await.unwrap());
}

#[tokio::test]
async fn a_removed_blob_is_gone_and_can_be_put_again() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let digest = blobs.put("words".into()).await.unwrap();
    assert!(blobs.delete(&digest).await.unwrap());
    assert!(!blobs.exists(&digest).await.unwrap());
    blobs.put("words".into()).await.unwrap();
    assert!(blobs.exists(&digest).await.unwrap());
}

#[tokio::test]
async fn a_list_tells_blobs_in_order_and_what_does_not_belong() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let mut expected = Vec::new();
    for number in 0..50 {
        let text = format!("blob {number}");
        let digest = blobs.put(text.clone().into()).await.unwrap();
        expected.push(Listed::Blob { digest, size: text.len() as u64 });
    }
    expected.sort_by_key(|listed| match listed {
        Listed::Blob { digest, .. } => *digest,
        Listed::Stray { .. } => unreachable!(),
    });
    let listed: Vec<_> = blobs.list().try_collect().await.unwrap();
    assert_eq!(listed, expected);

    fs::write(folder.path().join("00/note.txt"), "hello").unwrap();
    let misplaced = format!("00/{}", Digest::of(b"elsewhere").hex());
    fs::write(folder.path().join(&misplaced), "elsewhere").unwrap();
    let listed: Vec<_> = blobs.list().try_collect().await.unwrap();
    let strays: Vec<_> = listed.into_iter().filter(|listed| matches!(listed, Listed::Stray { .. })).collect();
    let stray = |path: &str, size| Listed::Stray { path: path.into(), size };
    assert_eq!(strays, [stray(&misplaced, 9), stray("00/note.txt", 5)]);
}

#[tokio::test]
async fn temporary_files_of_the_dead_are_swept_and_those_of_the_living_are_not() {
    let folder = TempDir::new().unwrap();
    let living = open(&folder).await;
    let forgotten = folder.path().join("tmp/put-forgotten");
    fs::write(&forgotten, "half a bl").unwrap();
    assert!(open(&folder).await.leftovers().is_empty());
    assert!(forgotten.exists(), "another process may still be writing it");
    drop(living);
    let blobs = open(&folder).await;
    assert_eq!(blobs.leftovers().len(), 1);
    assert_eq!(blobs.leftovers()[0].path, Path::new("tmp/put-forgotten"));
    assert_eq!(blobs.leftovers()[0].size, 9);
    assert!(!forgotten.exists());
}

#[tokio::test]
async fn only_an_idle_blob_is_collected() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    let digest = blobs.put("words".into()).await.unwrap();
    let age = |by: Duration| {
        let file = fs::File::open(blobs.local_path(&digest).unwrap()).unwrap();
        file.set_modified(SystemTime::now() - by).unwrap();
    };
    let yesterday = || SystemTime::now() - Duration::from_hours(24);
    assert!(!blobs.delete_idle(&digest, yesterday()).await.unwrap());
    age(Duration::from_hours(25));
    blobs.put("words".into()).await.unwrap();
    assert!(!blobs.delete_idle(&digest, yesterday()).await.unwrap(), "putting it again is asking for it");
    assert!(blobs.last_put(&digest).await.unwrap() > Some(yesterday()));
    age(Duration::from_hours(25));
    assert!(blobs.delete_idle(&digest, yesterday()).await.unwrap());
    assert!(!blobs.exists(&digest).await.unwrap());
    assert_eq!(blobs.last_put(&digest).await.unwrap(), None);
    assert!(!blobs.delete_idle(&digest, yesterday()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_put_at_the_moment_of_collection_is_not_lost() {
    let folder = TempDir::new().unwrap();
    let blobs = open(&folder).await;
    for number in 0..200 {
        let bytes = Bytes::from(format!("blob {number}"));
        let digest = blobs.put(bytes.clone()).await.unwrap();
        let path = blobs.local_path(&digest).unwrap();
        fs::File::open(path).unwrap().set_modified(SystemTime::now() - Duration::from_hours(25)).unwrap();
        let moment = SystemTime::now() - Duration::from_hours(24);
        let (collector, author) = (blobs.clone(), blobs.clone());
        let (collected, put) = tokio::join!(
            tokio::spawn(async move { collector.delete_idle(&digest, moment).await }),
            tokio::spawn(async move { author.put(bytes).await }),
        );
        collected.unwrap().unwrap();
        put.unwrap().unwrap();
        assert!(blobs.exists(&digest).await.unwrap(), "blob {number} was put last");
    }
}
