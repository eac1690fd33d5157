use std::sync::Arc;

use kontor_db::Tx;
use kontor_db::idempotency::{self, Answer};
use kontor_db::runs::Run;
use kontor_types::PersonId;

/// How a run that is accepted is answered.
type Shape = dyn Fn(&Run) -> Option<Answer> + Send + Sync;

/// The key under which the answer about a run is kept, and what it says; whoever answers has taken the key before.
#[derive(Clone)]
pub struct Kept {
    person: PersonId,
    key: String,
    shape: Arc<Shape>,
}

impl Kept {
    /// The answer that `shape` makes of the run is kept under a person's key.
    pub fn new(person: PersonId, key: String, shape: impl Fn(&Run) -> Option<Answer> + Send + Sync + 'static) -> Self {
        Self { person, key, shape: Arc::new(shape) }
    }

    pub(crate) async fn keep(&self, tx: &mut Tx, run: &Run) -> Result<(), kontor_db::Error> {
        match (self.shape)(run) {
            Some(answer) => idempotency::answer(tx, self.person, &self.key, &answer).await,
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Kept").field("key", &self.key).finish_non_exhaustive()
    }
}
