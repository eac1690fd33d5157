use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kontor_access::Access;
use kontor_blob::Blobs;
use kontor_db::Db;
use kontor_jobs::{Failure, Workers};
use kontor_outbound::Outbound;
use kontor_search::{Index, Opened};
use kontor_types::Clock;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Error, Settings};

/// How often ended sessions and the like are forgotten.
const SWEEP: Duration = Duration::from_hours(1);

/// A hub without its HTTP face.
pub struct App {
    /// The database.
    pub db: Db,
    /// The bytes of skills.
    pub blobs: Blobs,
    /// People, publishers, tokens.
    pub access: Access,
    /// The search index.
    pub index: Arc<Index>,
    /// The client for addresses that somebody else chose.
    pub outbound: Outbound,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    settings: Settings,
    stop: CancellationToken,
    tasks: Mutex<JoinSet<()>>,
}

impl App {
    /// Opens everything; nothing works in the background yet.
    pub async fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Arc<Self>, Error> {
        private_folder(&settings.data)?;
        let db = Db::open(&kontor_db::Options::url(&settings.database)).await?;
        let blobs = Blobs::open(&settings.blobs).await?;
        let access = Access::new(db.clone(), clock.clone(), settings.access.clone());
        let index = match Index::open(&settings.index_folder())? {
            Opened::Kept(index) => index,
            Opened::Fresh(index) => {
                tracing::info!("the search index is built anew");
                index
            }
        };
        let outbound = Outbound::new(settings.outbound.clone())?;
        Ok(Arc::new(Self {
            db,
            blobs,
            access,
            index: Arc::new(index),
            outbound,
            clock,
            settings,
            stop: CancellationToken::new(),
            tasks: Mutex::default(),
        }))
    }

    /// How this hub was set up.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Starts the work in the background: jobs and the search feed.
    pub async fn start(self: &Arc<Self>) {
        let mut tasks = self.tasks.lock().await;
        if self.settings.workers > 0 {
            tasks.spawn(self.workers().run(self.settings.workers, self.stop.clone()));
        }
    }

    /// Ends the work in the background and closes the database; jobs under way are finished first.
    pub async fn stop(&self) {
        self.stop.cancel();
        let mut tasks = self.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
        self.db.close().await;
    }

    /// The handlers of every kind of job.
    fn workers(&self) -> Workers {
        let access = self.access.clone();
        Workers::new(self.db.clone(), self.clock.clone(), worker_name()).every("access.sweep", SWEEP, move |_| {
            let access = access.clone();
            async move {
                let swept = access.sweep().await.map_err(|error| Failure::Retry(error.to_string()))?;
                tracing::debug!(rows = swept, "ended sessions, links and answers were forgotten");
                Ok(())
            }
        })
    }
}

fn worker_name() -> String {
    format!("process-{}", std::process::id())
}

/// Makes a folder that only its owner may read; one that exists keeps its rights.
fn private_folder(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    if path.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)
}
