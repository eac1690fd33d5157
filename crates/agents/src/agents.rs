use std::sync::Arc;
use std::time::Duration;

use kontor_access::{Access, Caller};
use kontor_commerce::Commerce;
use kontor_dispatch::Runs;
use kontor_gateway::Gateway;
use kontor_registry::Registry;
use kontor_types::{Clock, Code, Currency, Scope};
use kontor_workflow::{StepError, Workflows, define};

use crate::errand::errand;
use crate::order::Order;

/// The kind of the workflows in which errands are done.
pub const KIND: &str = "errand";
/// Raised whenever the order, the names or the inputs of the steps change.
const VERSION: u32 = 2;

/// What an operator sets about errands.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The model that reads requests; the first that there is unless named.
    pub model: Option<String>,
    /// What amounts without a mark are in.
    pub currency: Option<Currency>,
    /// How long a question is waited for.
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { model: None, currency: None, patience: Duration::from_mins(15) }
    }
}

/// What the service is made of.
pub struct Parts {
    /// People, in whose name errands act.
    pub access: Access,
    /// Skills.
    pub registry: Registry,
    /// Runs of skills.
    pub runs: Runs,
    /// Models.
    pub gateway: Gateway,
    /// Merchants, mandates and purses.
    pub commerce: Commerce,
    /// Where errands are kept and done.
    pub workflows: Workflows,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// What the operator set.
    pub settings: Settings,
}

/// What an errand's steps use.
pub(crate) struct Means {
    pub access: Access,
    pub registry: Registry,
    pub runs: Runs,
    pub gateway: Gateway,
    pub commerce: Commerce,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
}

impl Means {
    /// Who asked, with what an errand needs and no more.
    pub async fn caller(&self, order: &Order) -> Result<Caller, StepError> {
        let scopes = vec![Scope::Read, Scope::Run, Scope::Models];
        let caller = self.access.in_the_name_with(&order.person, scopes, None).await;
        caller.map_err(|error| match error.problem().code {
            Code::Internal => StepError::retry(error.to_string()),
            _ => StepError::refused("person_unknown", error.to_string()),
        })
    }
}

/// Errands on this hub; cheap to clone.
#[derive(Clone)]
pub struct Agents {
    pub(crate) means: Arc<Means>,
    pub(crate) workflows: Workflows,
}

impl std::fmt::Debug for Agents {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Agents").field("settings", &self.means.settings).finish_non_exhaustive()
    }
}

impl Agents {
    /// The verbs over these parts. Errands are done by the workers of `parts.workflows`.
    pub fn new(parts: Parts) -> Self {
        let Parts { access, registry, runs, gateway, commerce, workflows, clock, settings } = parts;
        let means = Arc::new(Means { access, registry, runs, gateway, commerce, clock, settings });
        let doing = Arc::clone(&means);
        workflows
            .define(define(KIND, VERSION, move |journal, order: Order| errand(Arc::clone(&doing), journal, order)));
        Self { means, workflows }
    }
}
