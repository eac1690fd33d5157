use std::sync::Arc;
use std::time::Duration;

use kontor_db::Db;
use kontor_types::Clock;

/// What an operator sets about workflows.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a workflow stays with a worker that is not heard of.
    pub lease: Duration,
    /// How often workers may die with a workflow, without any step between, before a person must look at it.
    pub crashes: u32,
    /// The longest text of what goes into a workflow or a step, or comes out of one.
    pub text: usize,
    /// The most entries of one journal.
    pub entries: u32,
    /// How long commits are tried again while the database does not answer.
    pub patience: Duration,
    /// How long steps under way are waited for when the process ends.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            crashes: 5,
            text: 256 << 10,
            entries: 5_000,
            patience: Duration::from_mins(2),
            grace: Duration::from_secs(10),
        }
    }
}

/// What the service is made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// What the operator set.
    pub settings: Settings,
    /// What this process is called among those that work on the database.
    pub worker: String,
}
