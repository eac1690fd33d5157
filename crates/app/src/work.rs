//! The work in the background: the handlers of every kind of job, and what recurs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kontor_access::Access;
use kontor_blob::Blobs;
use kontor_commerce::Commerce;
use kontor_crypto::{Keyring, Purpose};
use kontor_db::Db;
use kontor_dispatch::Runs;
use kontor_jobs::{Failure, Workers};
use kontor_ledger::Ledger;
use kontor_outbound::Outbound;
use kontor_registry::collect::{GRACE, collect};
use kontor_registry::secrets::Secrets;
use kontor_registry::webhooks::DELIVERY;
use kontor_registry::{BACKFILL, JUDGE_SIGNED, REJUDGE, Registry, SCAN};
use kontor_translog::Notary;
use kontor_types::Clock;
use kontor_workflow::Workflows;

use crate::{App, Error, Settings};

/// How often runs are looked at that nobody will take, and files of runs whose time is over.
const MINUTE: Duration = Duration::from_mins(1);

/// How often ended sessions and the like are forgotten.
const SWEEP: Duration = Duration::from_hours(1);

/// How often what is no longer needed is removed: deleted skills after their reservation, blobs that nothing points to, the
/// beginning of the change feed.
const COLLECTION: Duration = Duration::from_hours(24);

/// Runs of skills on this hub, with its key for receipts.
pub(crate) fn runs(
    settings: &Settings,
    (db, blobs): (&Db, &Blobs),
    (registry, access, secrets): (&Registry, &Access, &Secrets),
    clock: &Arc<dyn Clock>,
    hub: &str,
) -> Result<Runs, Error> {
    Ok(Runs::new(kontor_dispatch::Parts {
        db: db.clone(),
        blobs: blobs.clone(),
        registry: registry.clone(),
        access: access.clone(),
        secrets: secrets.clone(),
        clock: clock.clone(),
        key: Keyring::open(&settings.keys())?.signing_key(Purpose::Receipt)?,
        hub: hub.strip_suffix("/log").unwrap_or(hub).to_owned(),
        settings: settings.runs.clone(),
        worker: worker_name(),
    }))
}

/// Purchases, with the hub's key for receipts.
pub(crate) fn commerce(
    settings: &Settings,
    (db, ledger, outbound): (&Db, &Ledger, &Outbound),
    clock: &Arc<dyn Clock>,
    notary: &Notary,
) -> Result<Commerce, Error> {
    let hub = notary.hub();
    Ok(Commerce::new(kontor_commerce::Parts {
        db: db.clone(),
        ledger: ledger.clone(),
        outbound: outbound.clone(),
        clock: clock.clone(),
        log: notary.log().clone(),
        key: Keyring::open(&settings.keys())?.signing_key(Purpose::Receipt)?,
        hub: hub.strip_suffix("/log").unwrap_or(hub).to_owned(),
    }))
}

/// Workflows on this hub.
pub(crate) fn workflows(settings: &Settings, db: &Db, clock: &Arc<dyn Clock>) -> Workflows {
    Workflows::new(kontor_workflow::Parts {
        db: db.clone(),
        clock: clock.clone(),
        settings: settings.workflows.clone(),
        worker: worker_name(),
    })
}

impl App {
    /// The handlers of every kind of job.
    pub(crate) fn workers(&self) -> Workers {
        let (access, registry, webhooks) = (self.access.clone(), self.registry.clone(), self.webhooks.clone());
        let (purging, pruning) = (self.registry.clone(), self.registry.clone());
        let (scanning, judging, filling) = (self.registry.clone(), self.registry.clone(), self.registry.clone());
        let (signed, runs) = (self.registry.clone(), self.runs.clone());
        let (db, blobs) = (self.db.clone(), self.blobs.clone());
        let (ledger, commerce) = (self.ledger.clone(), self.commerce.clone());
        Workers::new(self.db.clone(), self.clock.clone(), worker_name())
            .woken_by(self.registry.jobs_queued())
            .handle(SCAN, move |job| {
                let registry = scanning.clone();
                async move { registry.scan_again(job).await }
            })
            .handle(REJUDGE, move |_| {
                let registry = judging.clone();
                async move { again(registry.rejudge().await).map(drop) }
            })
            .handle(BACKFILL, move |_| {
                let registry = filling.clone();
                async move { again(registry.backfill_log().await).map(drop) }
            })
            .handle(JUDGE_SIGNED, move |job| {
                let registry = signed.clone();
                async move { registry.judge_signed(job).await }
            })
            .handle(DELIVERY, move |job| {
                let webhooks = webhooks.clone();
                async move { webhooks.deliver(job).await }
            })
            .every("access.sweep", SWEEP, move |_| {
                let access = access.clone();
                async move { again(access.sweep().await).map(drop) }
            })
            .every("runs.sweep", MINUTE, move |_| {
                let runs = runs.clone();
                async move { again(runs.sweep().await).map(drop) }
            })
            .every("ledger.expire", MINUTE, move |_| {
                let ledger = ledger.clone();
                async move { again(ledger.expire().await).map(drop) }
            })
            .every("commerce.resume", MINUTE, move |_| {
                let commerce = commerce.clone();
                async move { again(commerce.resume().await).map(drop) }
            })
            .every("uploads.sweep", SWEEP, move |_| {
                let registry = registry.clone();
                async move { again(registry.forget_uploads().await).map(drop) }
            })
            .every("skills.purge", COLLECTION, move |_| {
                let registry = purging.clone();
                async move { again(registry.purge().await).map(drop) }
            })
            .every("feed.prune", COLLECTION, move |_| {
                let registry = pruning.clone();
                async move { again(registry.prune_feed().await).map(drop) }
            })
            .every("blobs.collect", COLLECTION, move |_| {
                let (db, blobs) = (db.clone(), blobs.clone());
                async move { again(collect(&db, &blobs, SystemTime::now(), GRACE).await).map(drop) }
            })
    }
}

/// What failed now may succeed later.
fn again<T, E: std::error::Error>(outcome: Result<T, E>) -> Result<T, Failure> {
    outcome.map_err(|error| Failure::Retry(error.to_string()))
}

fn worker_name() -> String {
    format!("process-{}", std::process::id())
}
