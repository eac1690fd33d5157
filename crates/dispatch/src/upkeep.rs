//! What is done for runs from time to time.

use std::path::Path;

use kontor_db::runs::{self, EventKind, RunState};
use serde_json::json;

use crate::{Error, KIND, Runs};

/// Runs that are looked at in one unit.
const PART: u32 = 100;

impl Runs {
    /// Ends runs that nobody will ever take, and forgets files whose time is over. Returns how many runs that concerned.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let mut swept: u64 = 0;
        let now = self.now();
        let kept = self.keep_until(now);
        for id in runs::orphans(&mut self.read().await?, PART).await? {
            let lost = self.write(move |tx| {
                Box::pin(async move {
                    let why = ("lost", "its place in the queue is gone; retry it");
                    if !runs::end(tx, id, None, RunState::Lost, Some(why), (now, kept)).await? {
                        return Ok(false);
                    }
                    runs::record(tx, id, EventKind::State, &json!({ "state": "lost" }), now).await?;
                    Ok(true)
                })
            });
            swept = swept.saturating_add(u64::from(lost.await?));
        }
        loop {
            let forgotten =
                self.write(move |tx| Box::pin(async move { Ok(runs::forget(tx, now, PART).await?) })).await?;
            swept = swept.saturating_add(forgotten);
            if forgotten < u64::from(PART) {
                return Ok(swept);
            }
        }
    }

    /// Takes back the runs of a process that died. Only for a process that knows to be the only one on its database.
    pub async fn take_back(&self) -> Result<u64, Error> {
        let now = self.now();
        self.write(move |tx| Box::pin(async move { Ok(kontor_jobs::release(tx, KIND, now).await?) })).await
    }

    /// Removes what processes that are gone have left of runs under way.
    pub fn clear_rooms(&self) -> Result<(), Error> {
        let rooms = self.settings().folder.join("rooms");
        let listed = match std::fs::read_dir(&rooms) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::Folder(error)),
        };
        for room in listed {
            let room = room.map_err(Error::Folder)?;
            let name = room.file_name();
            let owner = name.to_str().and_then(|name| name.parse::<u32>().ok());
            let lives = owner.is_some_and(|owner| {
                owner != std::process::id() && Path::new("/proc").join(owner.to_string()).exists()
            });
            if !lives && let Err(error) = std::fs::remove_dir_all(room.path()) {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what a run left behind cannot be removed");
            }
        }
        Ok(())
    }
}
