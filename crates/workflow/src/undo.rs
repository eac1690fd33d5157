use std::sync::Arc;

use futures::future::BoxFuture;
use kontor_types::Digest;

use crate::{Attempt, Journal, StepError, Stop};

type Body = Arc<dyn Fn(Attempt) -> BoxFuture<'static, Result<(), StepError>> + Send + Sync>;

/// What takes something back.
#[derive(Clone)]
pub(crate) struct Undo {
    pub name: String,
    pub input: Digest,
    pub body: Body,
}

/// The branch on which something is taken back.
pub(crate) fn branch(name: &str) -> String {
    format!("undo/{name}")
}

/// Whether something is taken back on a branch.
pub(crate) fn is_undo(branch: &str) -> bool {
    branch.starts_with("undo/")
}

impl Journal {
    /// Takes back what was done, the newest first. All of it is tried, whatever fails.
    pub(crate) async fn take_back(&self) -> Result<(), Stop> {
        let mut failed = None;
        for undo in self.core().take_undo() {
            let Undo { name, input, body } = undo;
            let journal = self.on(&branch(&name));
            let done = journal.step_of::<(), _, _>(name.into(), input, |attempt| body(attempt)).await;
            match done {
                Ok(()) => {}
                Err(stop @ (Stop::Refused { .. } | Stop::Lost { .. } | Stop::Exhausted { .. })) => {
                    failed = failed.or(Some(stop));
                }
                Err(stop) => return Err(stop),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}
