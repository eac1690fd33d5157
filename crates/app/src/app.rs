use std::sync::{Arc, OnceLock};

use kontor_access::Access;
use kontor_agents::Agents;
use kontor_blob::Blobs;
use kontor_commerce::Commerce;
use kontor_db::{Backend, Db, idempotency};
use kontor_dispatch::Runs;
use kontor_gateway::Gateway;
use kontor_ledger::Ledger;
use kontor_outbound::Outbound;
use kontor_registry::secrets::Secrets;
use kontor_registry::webhooks::{WebhookKey, Webhooks};
use kontor_registry::{Examiner, Parts, Registry};
use kontor_search::{Index, Opened};
use kontor_translog::Notary;
use kontor_types::Clock;
use kontor_workflow::Workflows;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Error, Settings, evidence, folder, keys, models, work};

/// A hub without its HTTP face.
pub struct App {
    /// The database.
    pub db: Db,
    /// The bytes of skills.
    pub blobs: Blobs,
    /// People, publishers, tokens.
    pub access: Access,
    /// Skills.
    pub registry: Registry,
    /// Runs of skills.
    pub runs: Runs,
    /// Publishers' sealed secrets.
    pub secrets: Secrets,
    /// The books.
    pub ledger: Ledger,
    /// Purchases, mandates and purses.
    pub commerce: Commerce,
    /// Calls of models.
    pub gateway: Gateway,
    /// What is done step by step, over journals.
    pub workflows: Workflows,
    /// Errands.
    pub agents: Agents,
    /// The hub's signed statements and their log.
    pub notary: Notary,
    /// Telling other programs what happened.
    pub webhooks: Webhooks,
    /// The search index.
    pub index: Arc<Index>,
    /// The client for addresses that somebody else chose.
    pub outbound: Outbound,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    settings: Settings,
    log_fault: evidence::Fault,
    stop: CancellationToken,
    tasks: Mutex<JoinSet<()>>,
}

impl App {
    /// Opens everything; nothing works in the background yet.
    pub async fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Arc<Self>, Error> {
        folder::make_private(&settings.data)?;
        let db = Db::open(&kontor_db::Options::url(&settings.database)).await?;
        if db.backend() == Backend::Sqlite {
            // One hub serves such a database, so clients need not wait for answers that a dead one owes them.
            db.write(|tx| Box::pin(async move { idempotency::release_unanswered(tx).await })).await?;
        }
        evidence::require_keys(&settings, &db).await?;
        let blobs = Blobs::open(&settings.blobs).await?;
        let access = Access::new(db.clone(), clock.clone(), settings.access.clone());
        let index = match Index::open(&settings.index_folder())? {
            Opened::Kept(index) => index,
            Opened::Fresh(index) => {
                tracing::info!("the search index is built anew");
                index
            }
        };
        let index = Arc::new(index);
        let outbound = Outbound::new(settings.outbound.clone())?;
        let key = WebhookKey::new(keys::load(&settings.keys(), "webhooks")?);
        let webhooks = Webhooks::new(db.clone(), outbound.clone(), clock.clone(), key);
        let (notary, sealer) = evidence::open(&settings, &db, &clock).await?;
        let registry = Registry::new(Parts {
            db: db.clone(),
            blobs: blobs.clone(),
            index: index.clone(),
            clock: clock.clone(),
            outbound: outbound.clone(),
            notary: notary.clone(),
            limits: settings.limits,
        })
        .on_node(&keys::node(&settings.keys())?);
        let registry = match settings.scanner.clone() {
            Some((program, arguments)) => {
                let examiner = Examiner::in_processes(program, arguments, settings.limits)?;
                registry.with_examiner(match settings.detonator.clone() {
                    Some((program, arguments)) => examiner.that_detonates(program, arguments, settings.limits),
                    None => examiner,
                })
            }
            None => registry,
        };
        registry.take_back().await?;
        let secrets = Secrets::new(registry.clone(), sealer);
        let ledger = Ledger::start(db.clone(), clock.clone());
        let gateway = models::gateway(&settings, (&db, &ledger, &secrets), &clock)?;
        let runs = work::runs(&settings, (&db, &blobs), (&registry, &access, &secrets), &clock, notary.hub())?;
        let commerce = work::commerce(&settings, (&db, &ledger, &outbound), &clock, &notary)?;
        let workflows = work::workflows(&settings, &db, &clock);
        let agents = Agents::new(kontor_agents::Parts {
            access: access.clone(),
            registry: registry.clone(),
            runs: runs.clone(),
            gateway: gateway.clone(),
            commerce: commerce.clone(),
            workflows: workflows.clone(),
            clock: clock.clone(),
            settings: settings.errands.clone(),
        });
        runs.clear_rooms()?;
        if db.backend() == Backend::Sqlite {
            runs.take_back().await?;
            workflows.take_back().await?;
        }
        if let Err(error) = registry.policy().await {
            let error = error.problem().detail;
            tracing::error!(error, "nothing is decided or handed out until an administrator sets another policy");
        }
        Ok(Arc::new(Self {
            db,
            blobs,
            access,
            registry,
            runs,
            secrets,
            ledger,
            commerce,
            gateway,
            workflows,
            agents,
            notary,
            webhooks,
            index,
            outbound,
            clock,
            settings,
            log_fault: Arc::new(OnceLock::new()),
            stop: CancellationToken::new(),
            tasks: Mutex::default(),
        }))
    }

    /// How this hub was set up.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Why the transparency log takes nothing in, and what to do about it; nothing while it does.
    pub fn log_fault(&self) -> Option<&str> {
        self.log_fault.get().map(String::as_str)
    }

    /// Starts the work in the background: jobs and the search feed.
    pub async fn start(self: &Arc<Self>) {
        let sequencer = evidence::sequencer(&self.settings, &self.notary).await;
        if let Err(error) = &sequencer {
            let _ = self.log_fault.set(evidence::fault_of(error));
        }
        let mut tasks = self.tasks.lock().await;
        let (feed, counter) = (self.registry.clone(), self.registry.clone());
        let (first, second) = (self.stop.clone(), self.stop.clone());
        tasks.spawn(async move { feed.follow(first).await });
        tasks.spawn(async move { counter.keep_counting(second).await });
        let (home, third) = (self.registry.clone(), self.stop.clone());
        tasks.spawn(async move { home.keep_home(third).await });
        tasks.spawn(evidence::keep(sequencer, self.notary.clone(), self.stop.clone(), self.log_fault.clone()));
        tasks.spawn(self.gateway.clone().work(self.stop.clone()));
        if self.settings.run_workers > 0 {
            tasks.spawn(self.runs.workers(&self.stop).run(self.settings.run_workers, self.stop.clone()));
        }
        if self.settings.workflow_workers > 0 {
            let (workflows, stop, parallel) =
                (self.workflows.clone(), self.stop.clone(), self.settings.workflow_workers);
            tasks.spawn(async move { workflows.run(parallel, stop).await });
        }
        if self.settings.workers > 0 {
            if let Err(error) = self.registry.plan_backfill().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what the log does not say yet was not queued"
                );
            }
            match self.secrets.reseal().await {
                Ok(0) => {}
                Ok(resealed) => tracing::info!(secrets = resealed, "secrets were sealed anew with the newest key"),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "secrets stay sealed with an older key; the next start tries again"
                ),
            }
            let (keeper, third) = (self.registry.clone(), self.stop.clone());
            tasks.spawn(async move { keeper.keep_assessing(third).await });
            tasks.spawn(self.workers().run(self.settings.workers, self.stop.clone()));
        }
    }

    /// Does every job that is due now, recurring ones included, and returns how many attempts that took.
    pub async fn run_due_jobs(&self) -> Result<usize, Error> {
        let workers = self.workers();
        workers.plan_recurring().await;
        Ok(workers.run_due().await?)
    }

    /// Brings everything that was handed in into the published log; how many entries that were.
    pub async fn publish_log(&self) -> Result<u64, Error> {
        let mut sequencer = evidence::sequencer(&self.settings, &self.notary).await?;
        let mut added: u64 = 0;
        while let Some(round) = sequencer.round().await? {
            added = added.saturating_add(round.added);
        }
        Ok(added)
    }

    /// Ends the work in the background and closes the database; jobs under way are finished first.
    pub async fn stop(&self) {
        self.stop.cancel();
        let mut tasks = self.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
        if let Err(error) = self.gateway.flush().await {
            tracing::error!(error = &error as &dyn std::error::Error, "use of models was not written down");
        }
        self.db.close().await;
    }
}
