use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kontor_types::LogEntryId;
use tokio::sync::oneshot;

/// Who waits in this process for an entry to be in the log.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<HashMap<LogEntryId, oneshot::Sender<u64>>>);

impl Waiters {
    /// Waits from now on; what comes is the entry's place.
    pub(crate) fn add(&self, id: LogEntryId) -> oneshot::Receiver<u64> {
        let (sender, receiver) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        receiver
    }

    /// Nobody waits for it any more.
    pub(crate) fn remove(&self, id: LogEntryId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Tells everybody whose entry got a place from `first` on.
    pub(crate) fn tell(&self, first: u64, entries: &[LogEntryId]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, place) in entries.iter().zip(first..) {
            if let Some(sender) = waiting.remove(id) {
                // Whoever waited may have gone away; the entry is in the log all the same.
                let _ = sender.send(place);
            }
        }
    }
}
