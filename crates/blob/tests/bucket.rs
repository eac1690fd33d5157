//! Blobs in a bucket, on a real S3 server that the test starts on loopback.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::stream;
use kontor_blob::{Blobs, Error, Health, Listed, Stored};
use kontor_types::Digest;

const BUCKET: &str = "KONTOR_BLOB_CHILD_BUCKET";

/// The Python with the server's packages, as `cargo xtask setup` makes it.
fn python() -> Option<PathBuf> {
    let made = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/python/bin/python");
    let python = env::var_os("KONTOR_TEST_PYTHON").map_or_else(|| PathBuf::from(made), PathBuf::from);
    let probe = Command::new(&python).args(["-c", "import moto, flask"]).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success()).then_some(python)
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(python: PathBuf) -> Self {
        let mut process = Command::new(python)
            .args(["-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("http://127.0.0.1:")).unwrap();
        let address = line.rsplit("http://").next().unwrap().trim().parse().unwrap();
        // The log must go on being read, or the server blocks.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { process, address };
        server.ask("PUT /skills HTTP/1.1");
        server
    }

    /// Speaks to the server without a client; it does not ask who we are.
    fn ask(&self, line: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "{line}\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Starts the server, and itself again with what a client of S3 reads from its environment.
#[test]
fn a_bucket_keeps_blobs_as_a_folder_does() {
    let Some(python) = python() else {
        eprintln!("SKIPPED: no S3 server is here (cargo xtask setup brings one)");
        return;
    };
    let server = Server::start(python);
    for prefix in ["", "/hub/one"] {
        let location = format!("s3://skills{prefix}?endpoint=http://{}&region=us-east-1", server.address);
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "inside_the_child", "--nocapture"])
            .env(BUCKET, location)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let listed = server.ask("GET /skills?list-type=2 HTTP/1.1");
    let hex = Digest::of(b"words").hex();
    let key = format!("<Key>hub/one/{}/{}/{hex}</Key>", &hex[..2], &hex[2..4]);
    assert!(listed.contains(&key), "{key} in {listed}");
}

/// Runs only as the child of the test above.
#[tokio::test]
async fn inside_the_child() {
    let Ok(location) = env::var(BUCKET) else { return };
    let blobs = Blobs::open(&location).await.unwrap();
    let words = blobs.put("words".into()).await.unwrap();
    assert_eq!(words, Digest::of(b"words"));
    assert_eq!(blobs.put("words".into()).await.unwrap(), words);
    assert_eq!(blobs.get(&words).await.unwrap(), "words");
    assert_eq!(blobs.size(&words).await.unwrap(), Some(5));
    assert_eq!(blobs.check(&words).await.unwrap(), Health::Sound { size: 5 });
    assert!(blobs.open_local(&words).is_none() && blobs.local_path(&words).is_none());
    ranges(&blobs, &words).await;

    let absent = Digest::of(b"never put");
    assert!(matches!(blobs.get(&absent).await, Err(Error::NotFound { .. })));
    assert!(matches!(blobs.get_range(&absent, 0..1).await, Err(Error::NotFound { .. })));
    assert!(matches!(blobs.stream(&absent, 0..1).await.err(), Some(Error::NotFound { .. })));
    assert_eq!(blobs.check(&absent).await.unwrap(), Health::Missing);
    assert!(!blobs.exists(&absent).await.unwrap() && !blobs.delete(&absent).await.unwrap());
    assert!(matches!(blobs.put_as(&absent, "other".into()).await, Err(Error::Mismatch { .. })));

    let nothing = blobs.put_stream(stream::empty::<Result<_, Error>>(), 0).await.unwrap();
    assert_eq!(nothing, Stored { digest: Digest::of(b""), size: 0 });
    assert_eq!(blobs.check(&nothing.digest).await.unwrap(), Health::Sound { size: 0 });
    let large = large(&blobs).await;
    let many: Vec<Bytes> = (0..20).map(|number| format!("blob {}", number % 15).into()).collect();
    let digests = blobs.put_many(many.clone()).await.unwrap();
    assert_eq!(digests, many.iter().map(|bytes| Digest::of(bytes)).collect::<Vec<_>>());

    let listed: Vec<Listed> = blobs.list().try_collect().await.unwrap();
    let mine = [words, large.digest].into_iter().chain(digests);
    for digest in mine {
        assert!(listed.iter().any(|found| matches!(found, Listed::Blob { digest: found, .. } if *found == digest)));
    }
    for digest in [large.digest, Digest::of(b"blob 3")] {
        assert!(blobs.delete(&digest).await.unwrap());
        assert!(!blobs.exists(&digest).await.unwrap());
    }
}

async fn ranges(blobs: &Blobs, words: &Digest) {
    assert_eq!(blobs.get_range(words, 1..4).await.unwrap(), "ord");
    assert_eq!(blobs.get_range(words, 5..5).await.unwrap(), "");
    assert!(matches!(blobs.get_range(words, 3..6).await, Err(Error::OutOfRange { size: 5, .. })));
    assert!(matches!(blobs.stream(words, 3..6).await.err(), Some(Error::OutOfRange { size: 5, .. })));
    let pieces: Vec<Bytes> = blobs.stream(words, 1..5).await.unwrap().try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"ords");
}

/// Larger than one part in either direction.
async fn large(blobs: &Blobs) -> Stored {
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|number| (number % 251) as u8).collect();
    let source = stream::iter(bytes.chunks(1_000_003).map(|chunk| Ok::<_, Error>(Bytes::copy_from_slice(chunk))));
    let stored = blobs.put_stream(source, u64::MAX).await.unwrap();
    assert_eq!(stored, Stored { digest: Digest::of(&bytes), size: 20_000_000 });
    let pieces: Vec<Bytes> = blobs.stream(&stored.digest, 10..19_999_999).await.unwrap().try_collect().await.unwrap();
    assert!(pieces.len() > 2 && pieces.concat() == bytes[10..19_999_999]);
    stored
}
