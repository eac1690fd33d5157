use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kontor_types::SkillId;
use serde::{Deserialize, Serialize};
use tantivy::directory::{Directory, INDEX_WRITER_LOCK, MmapDirectory};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyError};

use crate::access::Remembered;
use crate::looks::Rooms;
use crate::ranking::Weights;
use crate::schema::{FORMAT, Fields, tokenizers};
use crate::snapshot::Snapshot;
use crate::{Change, Error};

/// What the writer may hold in memory while it takes in documents.
///
/// It is the least that the library takes: more would only make fewer, larger segments of a bulk import.
const WRITER_MEMORY: usize = 15_000_000;

/// The search index of one hub process.
///
/// Everything here blocks: searching for microseconds to milliseconds, applying changes for longer.
pub struct Index {
    store: tantivy::Index,
    fields: Fields,
    reader: IndexReader,
    writer: Mutex<Option<IndexWriter>>,
    sequence: AtomicU64,
    building: Mutex<Option<Building>>,
    remembered: Arc<Remembered>,
    rooms: Rooms,
    /// What the last search saw, unless something has changed since.
    snapshot: Mutex<Option<Arc<Snapshot>>>,
    weights: Weights,
}

/// An index as it was found.
pub enum Opened {
    /// It holds everything up to its sequence.
    Kept(Index),
    /// It was missing, broken or of another format: it is empty and wants to be fed from the beginning.
    Fresh(Index),
}

impl Opened {
    /// The index, however it was found.
    pub fn into_index(self) -> Index {
        match self {
            Self::Kept(index) | Self::Fresh(index) => index,
        }
    }
}

/// What a commit says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    format: u32,
    sequence: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    building: Option<Building>,
}

/// How far an index has come that is fed from the beginning: whoever feeds it goes on there, also after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Building {
    /// The sequence that holds when everything is in.
    pub until: u64,
    /// The last skill that was looked at, in the order of ids.
    pub after: SkillId,
}

impl Index {
    /// Opens the index in a folder, which is made if missing and emptied if its content is of no use.
    pub fn open(folder: &Path) -> Result<Opened, Error> {
        match Self::open_kept(folder) {
            Some(index) => Ok(Opened::Kept(index)),
            None => Self::create(folder).map(Opened::Fresh),
        }
    }

    /// An empty index that lives in memory.
    pub fn in_memory() -> Result<Self, Error> {
        let fields = Fields::new();
        let index = tantivy::Index::builder()
            .schema(fields.schema.clone())
            .settings(settings())
            .tokenizers(tokenizers())
            .create_in_ram()?;
        Self::over(index, fields, 0, None)
    }

    fn open_kept(folder: &Path) -> Option<Self> {
        let fields = Fields::new();
        let mut index = tantivy::Index::open_in_dir(folder).ok()?;
        let payload: Payload = serde_json::from_str(index.load_metas().ok()?.payload.as_deref()?).ok()?;
        let same = payload.format == FORMAT && index.schema() == fields.schema;
        if !same || !index.validate_checksum().ok()?.is_empty() {
            return None;
        }
        index.set_tokenizers(tokenizers());
        Self::over(index, fields, payload.sequence, payload.building).ok()
    }

    fn create(folder: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Folder { path: folder.to_owned(), source };
        if folder.exists() {
            refuse_if_written(folder)?;
            std::fs::remove_dir_all(folder).map_err(failed)?;
        }
        std::fs::create_dir_all(folder).map_err(failed)?;
        let fields = Fields::new();
        let directory = MmapDirectory::open(folder).map_err(TantivyError::from)?;
        let mut index = tantivy::Index::create(directory, fields.schema.clone(), settings())?;
        index.set_tokenizers(tokenizers());
        Self::over(index, fields, 0, None)
    }

    fn over(index: tantivy::Index, fields: Fields, sequence: u64, building: Option<Building>) -> Result<Self, Error> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self {
            store: index,
            fields,
            reader,
            writer: Mutex::new(None),
            sequence: AtomicU64::new(sequence),
            building: Mutex::new(building),
            remembered: Arc::default(),
            rooms: Rooms::default(),
            snapshot: Mutex::default(),
            weights: Weights::default(),
        })
    }

    /// Ranks by other weights: for whoever measures what a change of them does.
    #[must_use]
    pub fn ranking_by(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self.snapshot = Mutex::default();
        self
    }

    /// The number of the last change that the index contains; 0 when it contains none.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// How far it has come, while it is fed from the beginning.
    pub fn building(&self) -> Option<Building> {
        *self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many skills the index contains.
    pub fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Whether the index contains no skill.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in changes in their order, the last of which has the number `sequence`.
    ///
    /// When this returns, they are on the disk and every later search sees them. After an error nothing of them is
    /// seen, and they may be applied again.
    pub fn apply(&self, changes: &[Change], sequence: u64) -> Result<(), Error> {
        self.take_in(sequence, None, |writer, fields| add(writer, fields, changes))
    }

    /// Takes in some of the skills of an index that is fed from the beginning, and remembers how far that has come; the
    /// sequence stays 0 until [`Self::apply`] ends it.
    pub fn build(&self, changes: &[Change], building: Building) -> Result<(), Error> {
        self.take_in(0, Some(building), |writer, fields| add(writer, fields, changes))
    }

    /// Forgets every skill, as if the index were new: for one that knows changes which the database has not.
    pub fn clear(&self) -> Result<(), Error> {
        self.take_in(0, None, |writer, _| writer.delete_all_documents().map(drop))
    }

    fn take_in(
        &self,
        sequence: u64,
        building: Option<Building>,
        change: impl FnOnce(&mut IndexWriter, &Fields) -> tantivy::Result<()>,
    ) -> Result<(), Error> {
        let mut slot = self.writer();
        let writer = match slot.take() {
            Some(writer) => writer,
            None => self.open_writer()?,
        };
        let writer = slot.insert(writer);
        let payload = Payload { format: FORMAT, sequence, building };
        if let Err(error) = change(writer, &self.fields).and_then(|()| commit(writer, &payload)) {
            *slot = None;
            return Err(Error::Write(error));
        }
        self.reload()?;
        *self.building.lock().unwrap_or_else(PoisonError::into_inner) = building;
        self.sequence.store(sequence, Ordering::Release);
        Ok(())
    }

    /// Gives back the memory and the threads of the writer until the next change; for quiet times.
    pub fn rest(&self) -> Result<(), Error> {
        self.rooms.empty();
        let mut slot = self.writer();
        slot.take().map_or(Ok(()), |writer| writer.wait_merging_threads().map_err(Error::Write))?;
        self.reload()?;
        Ok(())
    }

    fn open_writer(&self) -> Result<IndexWriter, Error> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(WRITER_MEMORY)
            .build();
        let writer: IndexWriter = self.store.writer_with_options(options).map_err(|error| match error {
            TantivyError::LockFailure(..) => Error::InUse,
            other => Error::Write(other),
        })?;
        let mut merging = LogMergePolicy::default();
        merging.set_min_num_segments(4);
        merging.set_min_layer_size(2_000);
        merging.set_del_docs_ratio_before_merge(0.3);
        writer.set_merge_policy(Box::new(merging));
        // What a commit that never ended has left bears the names that the next one gives.
        writer.garbage_collect_files().wait().map_err(Error::Write)?;
        Ok(writer)
    }

    fn writer(&self) -> MutexGuard<'_, Option<IndexWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets every later search see what was committed.
    fn reload(&self) -> Result<(), Error> {
        self.reader.reload()?;
        *self.seen() = None;
        Ok(())
    }

    /// The index as it stands.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        let mut seen = self.seen();
        if let Some(snapshot) = seen.as_ref() {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = Arc::new(Snapshot::open(self.reader.searcher(), &self.fields, self.weights)?);
        *seen = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    fn seen(&self) -> MutexGuard<'_, Option<Arc<Snapshot>>> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    pub(crate) const fn remembered(&self) -> &Arc<Remembered> {
        &self.remembered
    }

    pub(crate) const fn fields(&self) -> &Fields {
        &self.fields
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Index").field("sequence", &self.sequence()).field("skills", &self.len()).finish()
    }
}

fn add(writer: &IndexWriter, fields: &Fields, changes: &[Change]) -> tantivy::Result<()> {
    for change in changes {
        match change {
            Change::Upsert(document) => {
                writer.delete_term(fields.id_term(document.skill));
                writer.add_document(fields.document(document))?;
            }
            Change::Remove(skill) => {
                writer.delete_term(fields.id_term(*skill));
            }
        }
    }
    Ok(())
}

fn commit(writer: &mut IndexWriter, payload: &Payload) -> tantivy::Result<()> {
    let mut prepared = writer.prepare_commit()?;
    prepared.set_payload(&serde_json::to_string(payload).unwrap_or_default());
    prepared.commit().map(drop)
}

/// Refuses to empty a folder that another process writes.
fn refuse_if_written(folder: &Path) -> Result<(), Error> {
    let directory = MmapDirectory::open(folder).map_err(TantivyError::from)?;
    let free = directory.acquire_lock(&INDEX_WRITER_LOCK).map(drop);
    free.map_err(|_| Error::InUse)
}

/// Small blocks of stored cards, because a page reads some dozen far apart.
fn settings() -> IndexSettings {
    IndexSettings { docstore_blocksize: 1_024, docstore_compress_dedicated_thread: false, ..IndexSettings::default() }
}
