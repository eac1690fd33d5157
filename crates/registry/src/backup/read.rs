use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use bytes::Bytes;
use kontor_blob::Blobs;
use kontor_db::dump::{self, TABLES};
use kontor_db::{Db, Tx};
use kontor_types::Digest;
use sha2::{Digest as _, Sha256};

use super::{Error, FORMAT, KEYS, MANIFEST, Manifest, Table};

/// The largest blob that a backup may hold: more than the largest skill, so a broken header cannot fill the memory.
const MOST_BLOB_BYTES: u64 = 1 << 30;

/// The largest bundle of sealed keys.
const MOST_KEY_BYTES: u64 = 64 << 20;

/// The largest manifest.
const MOST_MANIFEST_BYTES: u64 = 1 << 20;

/// Lines of a table that are held in memory at a time.
const LINES: usize = 500;

/// What was read before anything is written to the database.
struct Contents {
    manifest: Manifest,
    tables: BTreeMap<&'static str, File>,
}

/// Fills an empty database and a blob store from a backup.
///
/// Blobs are stored as they are read; rows go in together at the end, so a restore that fails leaves an empty database.
///
/// # Errors
/// [`Error::NotEmpty`] when the database has content, [`Error::Damaged`] when the file is not whole, [`Error::Schema`] when
/// another version of the program made it.
pub async fn restore(db: &Db, store: &Blobs, path: &Path, mut progress: impl FnMut(u64)) -> Result<Manifest, Error> {
    if !dump::is_empty(&mut db.read().await?).await? {
        return Err(Error::NotEmpty);
    }
    let contents = read(store, path, &mut progress).await?;
    let known = dump::schema(&mut db.read().await?).await?;
    if contents.manifest.schema != known {
        return Err(Error::Schema { found: contents.manifest.schema, known });
    }
    let (mut tables, file) = (contents.tables, path.to_owned());
    db.write(move |tx| {
        Box::pin(async move {
            dump::make_room(tx).await?;
            for table in TABLES {
                if let Some(lines) = tables.remove(table) {
                    insert(tx, table, lines, &file).await?;
                }
            }
            Ok::<(), Error>(())
        })
    })
    .await?;
    Ok(contents.manifest)
}

/// The sealed keys of a backup, without reading the rest.
pub fn sealed_keys(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = File::open(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let first = || -> std::io::Result<Option<Vec<u8>>> {
        let mut archive = tar::Archive::new(zstd::Decoder::new(file)?);
        let Some(entry) = archive.entries()?.next() else { return Ok(None) };
        let mut entry = entry?;
        let ours = *entry.path_bytes() == *KEYS.as_bytes();
        if ours { bounded(&mut entry, MOST_KEY_BYTES).map(Some) } else { Ok(None) }
    };
    first().map_err(|error| Error::Damaged { path: path.to_owned(), reason: error.to_string() })
}

async fn read(store: &Blobs, path: &Path, progress: &mut impl FnMut(u64)) -> Result<Contents, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let damaged = |reason: String| Error::Damaged { path: path.to_owned(), reason };
    let file = File::open(path).map_err(failed)?;
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).map_err(|error| damaged(error.to_string()))?);
    let (mut manifest, mut tables, mut blobs, mut keys) = (None, BTreeMap::new(), 0, None);
    for entry in archive.entries().map_err(|error| damaged(error.to_string()))? {
        let mut entry = entry.map_err(|error| damaged(error.to_string()))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if let Some(hex) = name.strip_prefix("blobs/") {
            let digest = Digest::from_hex(hex).map_err(|error| damaged(error.to_string()))?;
            let bytes = bounded(&mut entry, MOST_BLOB_BYTES).map_err(|error| damaged(error.to_string()))?;
            store.put_as(&digest, Bytes::from(bytes)).await?;
            blobs += 1;
            progress(blobs);
        } else if let Some(table) = TABLES.iter().find(|table| name == format!("rows/{table}.jsonl")) {
            let mut lines = tempfile::tempfile().map_err(failed)?;
            std::io::copy(&mut entry, &mut lines).map_err(|error| damaged(error.to_string()))?;
            tables.insert(*table, lines);
        } else if name == KEYS {
            let sealed = bounded(&mut entry, MOST_KEY_BYTES).map_err(|error| damaged(error.to_string()))?;
            keys = Some(Digest::of(&sealed));
        } else if name == MANIFEST {
            let text = bounded(&mut entry, MOST_MANIFEST_BYTES).map_err(|error| damaged(error.to_string()))?;
            let read: Manifest = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
            manifest = Some(read);
        } else {
            return Err(damaged(format!("it holds `{}`, which no backup has", name.escape_debug())));
        }
    }
    let manifest = manifest.ok_or_else(|| damaged("its end is missing".to_owned()))?;
    if manifest.format != FORMAT {
        return Err(damaged(format!("its format is {}, this program reads {FORMAT}", manifest.format)));
    }
    if manifest.blobs != blobs {
        return Err(damaged(format!("{blobs} of {} blobs are there", manifest.blobs)));
    }
    if manifest.keys != keys {
        return Err(damaged("its keys are not what was written".to_owned()));
    }
    for (table, expected) in &manifest.tables {
        let lines = tables.get_mut(table.as_str()).ok_or_else(|| damaged(format!("table {table} is missing")))?;
        if measure(lines).map_err(failed)? != *expected {
            return Err(damaged(format!("table {table} is not what was written")));
        }
    }
    Ok(Contents { manifest, tables })
}

fn bounded(entry: &mut impl Read, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(std::io::Error::other(format!("an entry is larger than {limit} bytes")));
    }
    Ok(bytes)
}

fn measure(lines: &mut File) -> std::io::Result<Table> {
    lines.rewind()?;
    let (mut hash, mut rows, mut reader) = (Sha256::new(), 0, BufReader::new(&*lines));
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        hash.update(&line);
        rows += 1;
        line.clear();
    }
    Ok(Table { rows, digest: Digest::from_bytes(hash.finalize().into()) })
}

async fn insert(tx: &mut Tx, table: &'static str, mut lines: File, path: &Path) -> Result<(), Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    lines.rewind().map_err(failed)?;
    let mut lines = BufReader::new(lines).lines();
    loop {
        let batch: Vec<String> = lines.by_ref().take(LINES).collect::<Result<_, _>>().map_err(failed)?;
        if batch.is_empty() {
            return Ok(());
        }
        dump::insert(tx, table, batch.iter().map(String::as_str)).await?;
    }
}
