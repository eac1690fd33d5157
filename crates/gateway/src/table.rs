use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use kontor_access::policy::ModelFacts;
use kontor_types::Currency;

use crate::circuit::Circuit;
use crate::link::Pools;
use crate::price::{PriceError, Rates};
use crate::provider::{KeySource, Provider, Vault};
use crate::{Settings, settings};

/// Longest name of a model or provider.
const LONGEST_NAME: usize = 100;

/// What is wrong with the settings of providers.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A name is none.
    #[error("provider `{0}`: a name is 1 to 100 characters without spaces")]
    Name(String),
    /// Two providers have one name.
    #[error("provider `{0}`: there are two of this name")]
    Twice(String),
    /// The address is none.
    #[error("provider `{provider}`: `{url}` is no address: write https://api.example.com/v1")]
    Address {
        /// Whose.
        provider: String,
        /// What was written.
        url: String,
    },
    /// The reference to a secret is none.
    #[error("provider `{provider}`: `{text}` is no secret of a publisher: write @acme/OPENAI_KEY")]
    Secret {
        /// Whose.
        provider: String,
        /// What was written.
        text: String,
    },
    /// A price cannot be read.
    #[error("provider `{provider}`, model `{model}`: {source}")]
    Price {
        /// Whose.
        provider: String,
        /// The model.
        model: String,
        /// What is wrong with it.
        source: PriceError,
    },
    /// A route leads nowhere.
    #[error("route `{route}`: there is no `{to}`: write a provider's name, a slash, and the name of one of its models")]
    Route {
        /// Which.
        route: String,
        /// What was written.
        to: String,
    },
    /// The upstreams of one name cannot stand for each other.
    #[error("model `{0}`: its upstreams must all be priced in one currency, or none of them")]
    Currencies(String),
    /// The certificates of this machine cannot be used.
    #[error("connections cannot be encrypted on this machine: {0}")]
    Tls(#[from] rustls::Error),
}

/// A model that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCard {
    /// Its name.
    pub id: String,
    /// The providers that may answer, in their order.
    pub providers: Vec<String>,
    /// What its price is counted in, if it has one.
    pub currency: Option<Currency>,
    /// The most tokens of an answer that a budget has to have room for when a request does not say.
    pub max_output: u32,
}

/// A model of a provider.
#[derive(Debug)]
pub struct Upstream {
    pub provider: Arc<Provider>,
    /// `provider/model`.
    pub name: Arc<str>,
    pub model: String,
    pub rates: Option<Rates>,
    pub max_output: u32,
    pub circuit: Circuit,
}

/// A name and who answers to it.
#[derive(Debug)]
pub struct Route {
    pub name: Arc<str>,
    pub upstreams: Vec<Arc<Upstream>>,
    pub currency: Option<Currency>,
    pub facts: ModelFacts,
}

impl Route {
    pub fn card(&self) -> ModelCard {
        let providers = self.upstreams.iter().map(|upstream| upstream.provider.name.clone());
        let max_output = self.upstreams.iter().map(|upstream| upstream.max_output).max();
        ModelCard {
            id: self.name.to_string(),
            providers: providers.collect(),
            currency: self.currency,
            max_output: max_output.unwrap_or_default(),
        }
    }

    /// The longest time that a call may take.
    pub fn total(&self) -> Duration {
        self.upstreams.iter().map(|upstream| upstream.provider.total).max().unwrap_or_default()
    }
}

/// Every model by its names, and in the order of the settings those that are listed.
#[derive(Debug, Default)]
pub struct Table {
    by_name: HashMap<String, Arc<Route>>,
    pub listed: Vec<Arc<Route>>,
}

impl Table {
    pub fn build(settings: &Settings, vault: Option<&Arc<dyn Vault>>) -> Result<Self, ConfigError> {
        let mut upstreams: Vec<(String, Arc<Upstream>)> = Vec::new();
        let mut known = BTreeSet::new();
        for wanted in &settings.providers {
            check_name(&wanted.name)?;
            if !known.insert(wanted.name.as_str()) {
                return Err(ConfigError::Twice(wanted.name.clone()));
            }
            let provider = Arc::new(provider(wanted, vault)?);
            for model in &wanted.models {
                check_name(&model.name)?;
                upstreams.push((model.name.clone(), Arc::new(upstream(wanted, &provider, model)?)));
            }
        }
        let mut table = Self::default();
        for wanted in &settings.routes {
            check_name(&wanted.model)?;
            let mut chosen = Vec::new();
            for to in &wanted.to {
                let full = |(name, one): &&(String, Arc<Upstream>)| format!("{}/{name}", one.provider.name) == *to;
                let found = upstreams.iter().find(full);
                let missing = || ConfigError::Route { route: wanted.model.clone(), to: to.clone() };
                chosen.push(Arc::clone(&found.ok_or_else(missing)?.1));
            }
            if chosen.is_empty() {
                return Err(ConfigError::Route { route: wanted.model.clone(), to: String::new() });
            }
            table.add(&wanted.model, chosen, true)?;
        }
        for (name, one) in &upstreams {
            let same = upstreams.iter().filter(|(other, _)| other == name).map(|(_, one)| Arc::clone(one));
            table.add(name, same.collect(), true)?;
            table.add(&format!("{}/{name}", one.provider.name), vec![Arc::clone(one)], false)?;
        }
        Ok(table)
    }

    /// Adds a name that is not there yet.
    fn add(&mut self, name: &str, upstreams: Vec<Arc<Upstream>>, list: bool) -> Result<(), ConfigError> {
        if self.by_name.contains_key(name) {
            return Ok(());
        }
        let mut currencies = upstreams.iter().map(|upstream| upstream.rates.map(|rates| rates.currency));
        let currency = currencies.next().flatten();
        if currencies.any(|other| other != currency) {
            return Err(ConfigError::Currencies(name.to_owned()));
        }
        let providers = upstreams.iter().map(|upstream| upstream.provider.name.clone()).collect();
        let facts = ModelFacts { name: name.to_owned(), providers, priced: currency.is_some() };
        let route = Arc::new(Route { name: name.into(), upstreams, currency, facts });
        if list {
            self.listed.push(Arc::clone(&route));
        }
        self.by_name.insert(name.to_owned(), route);
        Ok(())
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Route>> {
        self.by_name.get(name)
    }
}

fn check_name(name: &str) -> Result<(), ConfigError> {
    let good = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(|char| char.is_ascii_graphic());
    if good { Ok(()) } else { Err(ConfigError::Name(name.chars().take(LONGEST_NAME).collect())) }
}

fn provider(wanted: &settings::Provider, vault: Option<&Arc<dyn Vault>>) -> Result<Provider, ConfigError> {
    let address = || ConfigError::Address { provider: wanted.name.clone(), url: wanted.url.clone() };
    let text = format!("{}/chat/completions", wanted.url.trim_end_matches('/'));
    let completions: Uri = text.parse().map_err(|_| address())?;
    let secure = match completions.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(address()),
    };
    // A key in an address would stand in logs.
    if completions.authority().is_none_or(|authority| authority.as_str().contains('@')) {
        return Err(address());
    }
    let pools = Pools::new(secure, Duration::from_secs(u64::from(wanted.connect_seconds.max(1))))?;
    let source = key_source(wanted)?;
    Ok(Provider::new(wanted, completions, pools, (source, vault.map(Arc::clone))))
}

fn key_source(wanted: &settings::Provider) -> Result<KeySource, ConfigError> {
    if !wanted.key_secret.is_empty() {
        let text = &wanted.key_secret;
        let refuse = || ConfigError::Secret { provider: wanted.name.clone(), text: text.clone() };
        let (publisher, name) = text.strip_prefix('@').and_then(|rest| rest.split_once('/')).ok_or_else(refuse)?;
        return Ok(KeySource::Secret(publisher.parse().map_err(|_| refuse())?, name.to_owned()));
    }
    if wanted.key_file.as_os_str().is_empty() {
        return Ok(KeySource::None);
    }
    Ok(KeySource::File(wanted.key_file.clone()))
}

fn upstream(
    wanted: &settings::Provider,
    provider: &Arc<Provider>,
    model: &settings::Model,
) -> Result<Upstream, ConfigError> {
    let rates = model.price.as_ref().map(Rates::read).transpose().map_err(|source| ConfigError::Price {
        provider: wanted.name.clone(),
        model: model.name.clone(),
        source,
    })?;
    Ok(Upstream {
        provider: Arc::clone(provider),
        name: format!("{}/{}", wanted.name, model.upstream).into(),
        model: model.upstream.clone(),
        rates,
        max_output: model.max_output.max(1),
        circuit: Circuit::new(wanted.errors),
    })
}
