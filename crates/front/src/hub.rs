use std::any::Any;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use kontor_app::App;
use tokio::sync::Semaphore;

use crate::foreign::Prepared;
use crate::limiter::Limiter;
use crate::{Config, measure};

/// Large files that are held whole at a time while they are sent.
const LARGE_READS: usize = 4;
/// Large requests to models that are held whole at a time.
const LARGE_CALLS: usize = 64;

/// What every handler works with; cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

/// The parts of a [`Hub`].
pub struct Inner {
    /// The services.
    pub app: Arc<App>,
    /// How the server presents and protects itself.
    pub config: Config,
    /// Whether it serves, starts or stops.
    pub health: Health,
    pub(crate) limiter: Limiter,
    /// Answers about archives that were made before.
    pub prepared: Prepared,
    /// Room for large files that are held whole while they are sent.
    pub large_reads: Semaphore,
    /// Room for large requests to models that are held whole until they are answered.
    pub large_calls: Semaphore,
    kept: RwLock<Vec<Arc<dyn Any + Send + Sync>>>,
}

impl std::ops::Deref for Hub {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Hub {
    /// A hub over these services.
    pub fn new(app: Arc<App>, config: Config) -> Self {
        measure::install();
        let limiter = Limiter::new(&config.rates);
        let (health, prepared) = (Health::default(), Prepared::default());
        let large_reads = Semaphore::new(LARGE_READS);
        let large_calls = Semaphore::new(LARGE_CALLS);
        Self(Arc::new(Inner {
            app,
            config,
            health,
            limiter,
            prepared,
            large_reads,
            large_calls,
            kept: RwLock::default(),
        }))
    }

    /// What one surface keeps in memory beside the services, made when it is first asked for.
    pub fn kept<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let find =
            |kept: &[Arc<dyn Any + Send + Sync>]| kept.iter().find_map(|one| Arc::clone(one).downcast::<T>().ok());
        if let Some(known) = find(&self.kept.read().unwrap_or_else(PoisonError::into_inner)) {
            return known;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        find(&kept).unwrap_or_else(|| {
            let made = Arc::new(T::default());
            kept.push(made.clone());
            made
        })
    }

    /// An absolute URL of a path that begins with `/`.
    pub fn absolute(&self, path: &str) -> String {
        self.config.absolute(path)
    }
}

/// Whether the hub starts, serves or stops; `/healthz` and `/readyz` tell it.
#[derive(Debug, Default)]
pub struct Health(AtomicU8);

const STARTING: u8 = 0;
const SERVING: u8 = 1;
const STOPPING: u8 = 2;

impl Health {
    /// Everything is prepared: migrated, starter skills visible.
    pub fn set_serving(&self) {
        self.0.store(SERVING, Ordering::SeqCst);
    }

    /// No new work, please.
    pub fn set_stopping(&self) {
        self.0.store(STOPPING, Ordering::SeqCst);
    }

    /// Whether preparation is over.
    pub fn is_prepared(&self) -> bool {
        self.0.load(Ordering::SeqCst) != STARTING
    }

    /// Whether new requests are welcome.
    pub fn is_serving(&self) -> bool {
        self.0.load(Ordering::SeqCst) == SERVING
    }
}
