//! Workers: they take what can go on, keep it while they work on it, and leave it when the process ends.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kontor_db::workflows::{self, Claimed, Wanted};
use kontor_types::WorkflowId;
use tokio_util::sync::CancellationToken;

use crate::recorder::BELL;
use crate::workflows::Inner;
use crate::{Error, Workflows};

/// How often idle workers look when nothing wakes them: what another process queued.
const POLL: Duration = Duration::from_secs(1);
/// How often it is looked whether somebody at another process cancelled what is under way here.
const LOOK: Duration = Duration::from_millis(500);
/// Workflows that are taken at a time.
const PART: u32 = 64;

impl Workflows {
    /// Works on up to `parallel` workflows at once until `stop` is cancelled. Steps under way are then given some time to end;
    /// what is not over goes on in another process, or at the next start.
    pub async fn run(&self, parallel: usize, stop: CancellationToken) {
        let inner = &self.0;
        let permits = u32::try_from(parallel.max(1)).unwrap_or(u32::MAX);
        inner.slots.add_permits(permits as usize);
        let over = CancellationToken::new();
        let keeper = tokio::spawn(keep(Arc::clone(inner), over.clone()));
        let hearing = tokio::spawn(hear(Arc::clone(inner), over.clone()));
        while !stop.is_cancelled() {
            let woken = inner.wake.notified();
            let mut woken = std::pin::pin!(woken);
            woken.as_mut().enable();
            let pause = match self.take_some().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "workflows could not be taken");
                    Some(POLL)
                }
            };
            let Some(pause) = pause else { continue };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                () = woken => {}
            }
        }
        inner.stopping.cancel();
        if tokio::time::timeout(inner.settings.grace, inner.slots.acquire_many(permits)).await.is_err() {
            inner.halt.cancel();
        }
        if let Ok(Ok(all)) = tokio::time::timeout(POLL, inner.slots.acquire_many(permits)).await {
            all.forget();
        }
        over.cancel();
        // They only end by themselves.
        let _ = tokio::join!(keeper, hearing);
    }

    /// Does all that is due now, until it is over or waits; returns how often something was taken.
    pub async fn run_due(&self) -> Result<usize, Error> {
        let mut attempts: usize = 0;
        loop {
            let taken = self.claim(PART).await?;
            if taken.is_empty() {
                return Ok(attempts);
            }
            attempts = attempts.saturating_add(taken.len());
            join_all(taken.into_iter().map(|claimed| self.0.drive(claimed, None))).await;
        }
    }

    /// Takes back what a process that died had. Only for a process that knows to be the only one on its database.
    pub async fn take_back(&self) -> Result<u64, Error> {
        let now = self.now();
        let taken = self.0.db.write(move |tx| Box::pin(async move { workflows::release(tx, now).await }));
        Ok(taken.await?)
    }

    /// Takes what there is room for; how long to wait then, or nothing when there may be more.
    async fn take_some(&self) -> Result<Option<Duration>, Error> {
        let free = u32::try_from(self.0.slots.available_permits()).unwrap_or(u32::MAX).min(PART);
        if free == 0 {
            // Whoever ends makes room.
            let waiting = tokio::time::timeout(POLL, self.0.slots.acquire()).await;
            drop(waiting);
            return Ok(None);
        }
        // A look without writing first: an idle hub must not take the writer's lock every second.
        let due = workflows::next_due(&mut self.read().await?, &self.0.known()).await?;
        let now = self.now();
        match due {
            Some(due) if due <= now => {}
            Some(due) => return Ok(Some(due.since(now).min(POLL))),
            None => return Ok(Some(POLL)),
        }
        let taken = self.claim(free).await?;
        if taken.is_empty() {
            return Ok(Some(LOOK));
        }
        for claimed in taken {
            let Ok(permit) = Arc::clone(&self.0.slots).acquire_owned().await else { return Ok(Some(POLL)) };
            let inner = Arc::clone(&self.0);
            tokio::spawn(async move {
                inner.drive(claimed, None).await;
                drop(permit);
            });
        }
        Ok(None)
    }

    async fn claim(&self, most: u32) -> Result<Vec<Claimed>, Error> {
        let now = self.now();
        let wanted = Wanted {
            definitions: self.0.known(),
            worker: self.0.worker.clone(),
            now,
            until: now.after(self.0.settings.lease),
            most,
        };
        let taken = self.0.db.write(move |tx| Box::pin(async move { workflows::claim(tx, &wanted).await })).await?;
        for claimed in &taken {
            self.0.news.tell(claimed.id);
        }
        Ok(taken)
    }
}

/// Wakes the workers when another process rings.
async fn hear(inner: Arc<Inner>, over: CancellationToken) {
    while !over.is_cancelled() {
        let listening = async {
            let Some(mut bell) = inner.db.bell(BELL).await? else {
                return std::future::pending::<Result<(), kontor_db::Error>>().await;
            };
            loop {
                bell.rung().await?;
                inner.wake.notify_waiters();
            }
        };
        tokio::select! {
            () = over.cancelled() => return,
            broken = listening => {
                if let Err(error) = broken {
                    tracing::warn!(error = &error as &dyn std::error::Error, "other processes cannot be heard");
                }
            }
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Renews the leases of what is under way, and looks whether somebody wants it to end.
async fn keep(inner: Arc<Inner>, over: CancellationToken) {
    let mut renewed = tokio::time::Instant::now();
    loop {
        tokio::select! {
            () = over.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let held: Vec<(WorkflowId, i64)> = inner.under_way().iter().map(|core| (core.id, core.attempt)).collect();
        if held.is_empty() {
            continue;
        }
        if let Err(error) = look(&inner).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "it cannot be seen what is cancelled");
        }
        if renewed.elapsed() < inner.settings.lease / 3 {
            continue;
        }
        match renew(&inner, held).await {
            Ok(()) => renewed = tokio::time::Instant::now(),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the leases of workflows were not renewed");
            }
        }
    }
}

async fn look(inner: &Inner) -> Result<(), kontor_db::Error> {
    for id in workflows::stopping(&mut inner.db.read().await?, &inner.worker).await? {
        inner.cancel_here(id);
    }
    Ok(())
}

async fn renew(inner: &Inner, held: Vec<(WorkflowId, i64)>) -> Result<(), kontor_db::Error> {
    let until = inner.clock.now().after(inner.settings.lease);
    let mine: HashSet<(WorkflowId, i64)> = held.iter().copied().collect();
    let kept = inner.db.write(move |tx| Box::pin(async move { workflows::keep(tx, &held, until).await })).await?;
    let kept: HashSet<WorkflowId> = kept.into_iter().collect();
    for core in inner.under_way() {
        if mine.contains(&(core.id, core.attempt)) && !kept.contains(&core.id) {
            core.fence.cancel();
        }
    }
    Ok(())
}
