use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, Write};
use std::path::Path;

use kontor_blob::Blobs;
use kontor_db::dump::{Snapshot, TABLES};
use kontor_db::{Db, blobs};
use kontor_types::{Digest, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{Error, FORMAT, KEYS, MANIFEST, Manifest, Table};

/// Zstandard's level for backups: fast, and text shrinks to a quarter.
const LEVEL: i32 = 3;

/// Rows of blobs read at a time.
const PAGE: u32 = 1_000;

/// Writes everything the hub knows at this moment to a new file; the hub may go on working meanwhile.
///
/// The file appears under its name only when it is whole and on disk. `keys` are the hub's, sealed already. `progress` is told
/// the number of blobs written.
///
/// # Errors
/// [`Error::Exists`] when the file is there already; [`Error::File`], [`Error::Database`] and [`Error::Blobs`].
pub async fn back_up(
    db: &Db,
    store: &Blobs,
    path: &Path,
    keys: Option<&[u8]>,
    now: Timestamp,
    mut progress: impl FnMut(u64),
) -> Result<Manifest, Error> {
    if path.exists() {
        return Err(Error::Exists { path: path.to_owned() });
    }
    let failed = |source| Error::File { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let file = OpenOptions::new().write(true).open(draft.path()).map_err(failed)?;
    let compressor = zstd::Encoder::new(BufWriter::new(file), LEVEL).map_err(failed)?;
    let mut archive = tar::Builder::new(compressor);
    if let Some(keys) = keys {
        append(&mut archive, KEYS, keys.len() as u64, keys).map_err(failed)?;
    }

    let mut snapshot = Snapshot::begin(db).await?;
    let mut manifest = Manifest {
        format: FORMAT,
        schema: snapshot.schema().await?,
        created_at: now,
        blobs: 0,
        blob_bytes: 0,
        tables: std::collections::BTreeMap::new(),
        keys: keys.map(Digest::of),
    };
    let mut drafts = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let (rows, lines) = spool(&mut snapshot, table, path).await?;
        manifest.tables.insert((*table).to_owned(), rows);
        drafts.push((*table, lines));
    }
    snapshot.end().await?;

    let mut after: Option<Digest> = None;
    loop {
        let page = blobs::list(&mut db.read().await?, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.digest);
        for blob in page {
            let bytes = store.get(&blob.digest).await?;
            append(&mut archive, &format!("blobs/{}", blob.digest.hex()), bytes.len() as u64, &bytes[..])
                .map_err(failed)?;
            manifest.blobs += 1;
            manifest.blob_bytes += bytes.len() as u64;
            progress(manifest.blobs);
        }
    }
    for (table, mut lines) in drafts {
        let size = lines.metadata().map_err(failed)?.len();
        lines.rewind().map_err(failed)?;
        append(&mut archive, &format!("rows/{table}.jsonl"), size, lines).map_err(failed)?;
    }
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| failed(error.into()))?;
    append(&mut archive, MANIFEST, text.len() as u64, &text[..]).map_err(failed)?;
    let compressor = archive.into_inner().map_err(failed)?;
    let file = compressor.finish().map_err(failed)?.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    draft.persist_noclobber(path).map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(manifest)
}

/// Writes a table's rows to an unnamed temporary file, because tar wants to know the size first.
async fn spool(snapshot: &mut Snapshot, table: &'static str, path: &Path) -> Result<(Table, File), Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut lines = BufWriter::new(tempfile::tempfile().map_err(failed)?);
    let mut hash = Sha256::new();
    let rows = snapshot
        .rows(table, |row| {
            hash.update(row);
            hash.update(b"\n");
            lines.write_all(row.as_bytes()).and_then(|()| lines.write_all(b"\n")).map_err(failed)
        })
        .await?;
    let file = lines.into_inner().map_err(|error| failed(error.into_error()))?;
    Ok((Table { rows, digest: Digest::from_bytes(hash.finalize().into()) }, file))
}

fn append(archive: &mut tar::Builder<impl Write>, name: &str, size: u64, bytes: impl Read) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    header.set_mtime(0);
    archive.append_data(&mut header, name, bytes)
}
