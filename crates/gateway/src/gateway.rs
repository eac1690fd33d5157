use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kontor_access::Caller;
use kontor_db::model_budgets::OwnerKind;
use kontor_db::{Db, publishers};
use kontor_ledger::Ledger;
use kontor_types::{Clock, Handle, PublisherId, Role, Scope};
use moka::sync::Cache;
use tokio_util::sync::CancellationToken;

use crate::dispatch::{self, Forwarded};
use crate::lease::Leases;
use crate::meter::{Account, Meter, Over};
use crate::permission::Permissions;
use crate::price::micros_of_minor;
use crate::provider::Vault;
use crate::purse::{Purse, Taken};
use crate::request::Asked;
use crate::table::{ConfigError, ModelCard, Route, Table, Upstream};
use crate::{ChatAnswer, ChatRequest, Cost, Error, Settings, Usage};

/// How often what was metered is written.
const WRITTEN: Duration = Duration::from_millis(100);
/// How often budgets and the policy are looked at.
const LOOKED: Duration = Duration::from_secs(1);
/// Looks without a call after which a process gives back what it holds of a budget.
const IDLE: u32 = 3;
/// How many looks pass between two words that this process lives.
const LIVES: u32 = 5;
/// Longest id of a run or an errand.
const LONGEST_ID: usize = 100;
const HANDLES: u64 = 10_000;

/// What a gateway works with.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The books that budgets are in.
    pub ledger: Ledger,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Opens keys of providers that are secrets of publishers.
    pub vault: Option<Arc<dyn Vault>>,
    /// Providers and models.
    pub settings: Settings,
}

/// What a call is for; it is metered under this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purpose {
    /// The publisher in whose name; the caller is its member, and its budget counts too.
    pub publisher: Option<Handle>,
    /// The run.
    pub run: Option<String>,
    /// The errand; its budget counts too.
    pub errand: Option<String>,
}

/// Calls models for everybody; cheap to clone.
#[derive(Clone)]
pub struct Gateway(pub(crate) Arc<Inner>);

pub struct Inner {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub table: Table,
    pub meter: Meter,
    pub purse: Purse,
    permissions: Permissions,
    publishers: Cache<Handle, PublisherId>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").field("models", &self.0.table.listed.len()).finish_non_exhaustive()
    }
}

impl Gateway {
    /// A gateway to these providers. Nothing works in the background until [`Gateway::work`].
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(parts: Parts) -> Result<Self, ConfigError> {
        let Parts { db, ledger, clock, vault, settings } = parts;
        let table = Table::build(&settings, vault.as_ref())?;
        let meter = Meter::new(db.clone(), Arc::clone(&clock));
        let leases = Leases::new(db.clone(), ledger, Arc::clone(&clock), meter.process().to_owned());
        let (purse, permissions) = (Purse::new(leases), Permissions::new(db.clone()));
        let publishers = Cache::new(HANDLES);
        Ok(Self(Arc::new(Inner { db, clock, table, meter, purse, permissions, publishers })))
    }

    /// The models that can be asked for, in the order of the settings.
    pub fn models(&self) -> Vec<ModelCard> {
        self.0.table.listed.iter().map(|route| route.card()).collect()
    }

    /// A model by its name.
    pub fn model(&self, name: &str) -> Option<ModelCard> {
        self.0.table.get(name).map(|route| route.card())
    }

    /// Passes when the caller may see which models there are.
    pub fn check_caller(&self, caller: &Caller) -> Result<(), Error> {
        Ok(caller.require(Scope::Models)?)
    }

    /// One chat completion in one piece.
    pub async fn chat(&self, caller: &Caller, purpose: &Purpose, request: &ChatRequest) -> Result<ChatAnswer, Error> {
        let asked = Asked::read(request.to_bytes())?;
        let model = asked.model.clone();
        match self.forward_asked(caller, purpose, asked).await? {
            Forwarded::Whole { body, upstream, usage, cost, attempts } => {
                let unreadable = |_| Error::UpstreamFailed { model: model.clone(), reason: "no JSON".to_owned() };
                let body = serde_json::from_slice(&body).map_err(unreadable)?;
                Ok(ChatAnswer { body, model, upstream: upstream.to_string(), usage, cost, attempts })
            }
            Forwarded::Stream(_) => Err(Error::UpstreamFailed { model, reason: "a stream came".to_owned() }),
        }
    }

    /// Passes a request on, and the answer back.
    ///
    /// # Errors
    /// Why no upstream was asked, or none answered; nothing was sent to the caller then.
    pub async fn forward(&self, caller: &Caller, purpose: &Purpose, body: Bytes) -> Result<Forwarded, Error> {
        self.check_caller(caller)?;
        self.forward_asked(caller, purpose, Asked::read(body)?).await
    }

    async fn forward_asked(&self, caller: &Caller, purpose: &Purpose, asked: Asked) -> Result<Forwarded, Error> {
        let inner = &self.0;
        self.check_caller(caller)?;
        let route = inner.table.get(&asked.model).ok_or_else(|| Error::ModelUnknown { model: asked.model.clone() })?;
        inner.permissions.check(caller, route).await?;
        inner.meter.check()?;
        let publisher = inner.publisher(caller, purpose.publisher.as_ref()).await?;
        let account = Account {
            person: caller.person_id(),
            publisher,
            run: id(purpose.run.as_deref(), "run")?,
            errand: id(purpose.errand.as_deref(), "errand")?,
            model: Arc::clone(&route.name),
        };
        let worst = worst(route, &asked);
        let mut owners = Vec::with_capacity(3);
        owners.extend(account.errand.as_ref().map(|errand| (OwnerKind::Errand, errand.to_string())));
        owners.extend(account.person.map(|person| (OwnerKind::Person, person.to_string())));
        owners.extend(publisher.map(|publisher| (OwnerKind::Publisher, publisher.to_string())));
        let taken = inner.purse.take(owners, account.person, route, worst).await?;
        let ticket = Ticket {
            inner: Arc::clone(inner),
            account,
            route: Arc::clone(route),
            about_prompt: if taken.is_bounded() { 0 } else { asked.body.len() as u64 / 4 },
            taken: Some(taken),
            upstream: None,
            attempts: 0,
        };
        dispatch::run(route, &asked, ticket).await
    }

    /// Writes what was metered, and gives back what this process holds of budgets that nobody uses at the moment.
    pub async fn flush(&self) -> Result<(), Error> {
        self.0.meter.flush().await?;
        self.0.give_back(0).await
    }

    /// Looks for budgets and policies that were set elsewhere, and for processes that died.
    pub async fn look(&self) -> Result<(), Error> {
        self.0.purse.refresh().await?;
        self.0.permissions.refresh().await?;
        self.0.give_back(IDLE).await?;
        self.0.purse.forget_unused();
        Ok(())
    }

    /// Says that this process lives, and counts as spent what dead ones held.
    pub async fn renew(&self) -> Result<(), Error> {
        if self.0.purse.holds_any() {
            let kept = self.0.purse.leases.renew().await?;
            self.0.purse.lose_all_but(&kept);
        }
        self.0.purse.leases.bury().await?;
        Ok(())
    }

    /// Does all this in its time until told to stop; then once more what must not be lost.
    pub async fn work(self, stop: CancellationToken) {
        if self.0.table.listed.is_empty() {
            return stop.cancelled().await;
        }
        let (mut write, mut look) = (tokio::time::interval(WRITTEN), tokio::time::interval(LOOKED));
        let mut looks: u32 = 0;
        loop {
            let outcome = tokio::select! {
                () = stop.cancelled() => break,
                _ = write.tick() => self.0.meter.flush().await.map_err(Error::from),
                _ = look.tick() => {
                    looks = looks.wrapping_add(1);
                    let renewed = if looks.is_multiple_of(LIVES) { self.renew().await } else { Ok(()) };
                    renewed.and(self.look().await)
                }
            };
            if let Err(error) = outcome {
                tracing::error!(error = &error as &dyn std::error::Error, "use of models is written down later");
                // A database that is away is not asked ten times a second.
                tokio::time::sleep(LOOKED).await;
            }
        }
        if let Err(error) = self.flush().await {
            tracing::error!(error = &error as &dyn std::error::Error, "use of models was not written down");
        }
    }
}

impl Inner {
    /// The publisher in whose name a call is made: one that the caller belongs to.
    async fn publisher(&self, caller: &Caller, handle: Option<&Handle>) -> Result<Option<PublisherId>, Error> {
        let Some(handle) = handle else { return Ok(None) };
        let id = if let Some(id) = self.publishers.get(handle) {
            id
        } else {
            let found = publishers::by_handle(&mut self.db.read().await?, handle).await?;
            let missing = || kontor_access::Error::PublisherNotFound { handle: handle.clone() };
            let id = found.ok_or_else(missing)?.id;
            self.publishers.insert(handle.clone(), id);
            id
        };
        // Whoever administers the hub does not spend an organisation's money by that.
        if caller.is_hub() || caller.viewer().role_in(id).is_some_and(|role| role.includes(Role::Member)) {
            return Ok(Some(id));
        }
        Err(kontor_access::Error::PublisherNotFound { handle: handle.clone() }.into())
    }

    /// Gives back what was fetched from budgets and not used for so many looks; what was spent is posted.
    async fn give_back(&self, idle: u32) -> Result<(), Error> {
        for pot in self.purse.known() {
            // Nobody fetches meanwhile: it would find what is given back here still reserved.
            let Ok(_one) = pot.fetching.try_lock() else { continue };
            let Some((leases, spent, free)) = pot.state().surplus(idle, micros_of_minor(pot.currency)) else {
                continue;
            };
            let outcome = self.purse.leases.give_back(pot.account, pot.currency, leases.clone(), spent).await;
            if let Err(error) = outcome {
                let mut state = pot.state();
                state.leases.splice(0..0, leases);
                state.spent = state.spent.saturating_add(spent);
                state.free = state.free.saturating_add(free);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// One call, until it is metered and settled.
pub struct Ticket {
    inner: Arc<Inner>,
    account: Account,
    route: Arc<Route>,
    taken: Option<Taken>,
    about_prompt: u64,
    upstream: Option<Arc<Upstream>>,
    pub attempts: u32,
}

impl Ticket {
    /// Whether a budget bounds the call.
    pub fn is_bounded(&self) -> bool {
        self.taken.as_ref().is_some_and(Taken::is_bounded)
    }

    /// The call goes to this upstream now.
    pub fn sent(&mut self, upstream: &Arc<Upstream>) {
        self.upstream = Some(Arc::clone(upstream));
        self.attempts += 1;
    }

    /// The call is over; what it cost.
    pub fn finish(mut self, usage: &Usage) -> Option<Cost> {
        let rates = self.upstream.as_ref().and_then(|upstream| upstream.rates);
        let cost = rates.map(|rates| Cost { currency: rates.currency, micros: rates.cost(usage) });
        self.close(&Over { usage: *usage, cost: cost.map_or(0, |cost| cost.micros), failed: false });
        cost
    }

    /// No upstream answered.
    pub fn fail(mut self) {
        self.close(&Over { failed: true, ..Over::default() });
    }

    fn close(&mut self, over: &Over) {
        let Some(taken) = self.taken.take() else { return };
        taken.settle(over.cost);
        let nobody = Arc::from("");
        let upstream = self.upstream.as_ref().map_or(&nobody, |upstream| &upstream.name);
        self.inner.meter.count(&self.account, upstream, self.route.currency, over);
    }
}

impl Drop for Ticket {
    /// The caller left before the answer: nobody knows what the upstream will charge, so all that was taken is spent.
    fn drop(&mut self) {
        let Some(taken) = &self.taken else { return };
        let usage = Usage { prompt: self.about_prompt, estimated: true, ..Usage::default() };
        let cost = if self.upstream.is_some() { taken.most() } else { 0 };
        self.close(&Over { usage, cost, failed: true });
    }
}

/// The most that a call can cost with any of its upstreams.
fn worst(route: &Route, asked: &Asked) -> i64 {
    if route.currency.is_none() {
        return 0;
    }
    let prompt = asked.most_prompt();
    let cost = |upstream: &Arc<Upstream>| {
        let each = asked.bound.unwrap_or(u64::from(upstream.max_output));
        let usage = Usage { prompt, cached: 0, completion: each.saturating_mul(asked.choices), estimated: true };
        upstream.rates.map_or(0, |rates| rates.cost(&usage).max(rates.cost(&Usage { cached: prompt, ..usage })))
    };
    route.upstreams.iter().map(cost).max().unwrap_or_default()
}

fn id(text: Option<&str>, what: &'static str) -> Result<Option<Arc<str>>, Error> {
    let Some(text) = text else { return Ok(None) };
    if text.is_empty() || text.len() > LONGEST_ID || text.chars().any(char::is_control) {
        return Err(Error::invalid(
            format!("the id of a {what} is 1 to {LONGEST_ID} bytes without control characters"),
            None,
        ));
    }
    Ok(Some(text.into()))
}
