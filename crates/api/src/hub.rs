use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use kontor_app::App;
use tokio::sync::Semaphore;

use crate::foreign::Prepared;
use crate::front::Limiter;
use crate::{Config, mcp, measure, openai};

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
    pub(crate) prepared: Prepared,
    /// Room for large files that are held whole while they are sent.
    pub(crate) large_reads: Semaphore,
    /// Room for large requests to models that are held whole until they are answered.
    pub(crate) large_calls: Semaphore,
    pub(crate) typed: mcp::typed::Known,
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
        let large_reads = Semaphore::new(mcp::LARGE_READS);
        let large_calls = Semaphore::new(openai::LARGE_CALLS);
        let typed = mcp::typed::Known::default();
        Self(Arc::new(Inner { app, config, health, limiter, prepared, large_reads, large_calls, typed }))
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
