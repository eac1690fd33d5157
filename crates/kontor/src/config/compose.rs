//! What the configuration means to the parts of the hub.

use std::time::Duration;

use kontor_front::config::Rate;
use url::Url;

use super::settings::{Config, Rates};
use crate::exit::UsageError;
use crate::verbs::sandbox::LAUNCHER;
use crate::verbs::{detonate_worker, scan_worker};

/// A third more than one skill, for what an archive adds.
const ARCHIVE_EXTRA: u64 = 16 << 20;

/// The database's address.
fn database_url(config: &Config) -> String {
    if config.database.is_empty() {
        return format!("sqlite:{}", config.data.join("kontor.db").display());
    }
    config.database.clone()
}

/// The settings of the services.
pub fn app_settings(config: &Config) -> Result<kontor_app::Settings, UsageError> {
    let mut settings = kontor_app::Settings::in_folder(&config.data);
    settings.database = database_url(config);
    if !config.blobs.is_empty() {
        settings.blobs.clone_from(&config.blobs);
    }
    settings.key_folder = Some(config.key_dir.clone()).filter(|folder| !folder.as_os_str().is_empty());
    settings.log_name = log_name(config);
    settings.workers = usize::try_from(config.workers).unwrap_or(usize::MAX);
    settings.access.token_days = config.sign_in.token_days;
    settings.access.session = Duration::from_hours(24).saturating_mul(config.sign_in.session_days);
    settings.access.anyone_makes_organisations = config.sign_in.anyone_makes_organisations;
    let allowed = config.outbound.allow.iter().map(|text| text.parse());
    settings.outbound.exceptions = allowed
        .collect::<Result<_, _>>()
        .map_err(|error: kontor_outbound::ExceptionError| UsageError(format!("outbound.allow: {error}")))?;
    settings.limits = kontor_package::Limits {
        file_bytes: config.limits.file_bytes.0,
        skill_bytes: config.limits.skill_bytes.0,
        files: usize::try_from(config.limits.files).unwrap_or(usize::MAX),
    };
    settings.scanner = scan_worker::command();
    settings.run_workers = usize::try_from(config.runs.workers).unwrap_or(usize::MAX);
    settings.runs = runs(config)?;
    settings.models = models(config);
    settings.errands = errands(config)?;
    settings.workflow_workers = usize::try_from(config.errands.workers).unwrap_or(usize::MAX);
    settings.detonator = config.detonate.then(detonate_worker::command).flatten();
    Ok(settings)
}

/// What is set about errands.
fn errands(config: &Config) -> Result<kontor_agents::Settings, UsageError> {
    let currency = config.errands.currency.parse();
    let currency =
        currency.map_err(|error: kontor_types::MoneyError| UsageError(format!("errands.currency: {error}")))?;
    Ok(kontor_agents::Settings {
        model: Some(config.errands.model.clone()).filter(|model| !model.is_empty()),
        currency: Some(currency),
        patience: Duration::from_mins(u64::from(config.errands.patience_minutes)),
    })
}

/// Providers of models; their key files lie in the data folder unless told.
fn models(config: &Config) -> kontor_gateway::Settings {
    let mut providers = config.provider.clone();
    for provider in providers.iter_mut().filter(|provider| !provider.key_file.as_os_str().is_empty()) {
        provider.key_file = config.data.join(&provider.key_file);
    }
    kontor_gateway::Settings { providers, routes: config.route.clone() }
}

/// What the operator sets about runs.
fn runs(config: &Config) -> Result<kontor_dispatch::Settings, UsageError> {
    let wanted = &config.runs;
    let mut runs = kontor_dispatch::Settings::in_folder(config.data.join("runs"));
    runs.launcher = scan_worker::command().map(|(program, _)| (program, vec![LAUNCHER.to_owned()]));
    runs.accept_weaker = wanted.accept_weaker;
    runs.packages = wanted.packages;
    runs.person_open = wanted.person_open;
    runs.publisher_open = wanted.publisher_open;
    runs.person_daily = wanted.person_daily;
    runs.executions = wanted.executions.max(1);
    runs.kept = Duration::from_hours(24).saturating_mul(wanted.keep_days);
    let wall = wanted.wall.parse().map_err(|error| UsageError(format!("runs.wall: {error}")))?;
    let memory = format!("{}B", wanted.memory.0).parse();
    let memory = memory.map_err(|error| UsageError(format!("runs.memory: {error}")))?;
    (runs.ceiling.wall, runs.ceiling.memory) = (Some(wall), Some(memory));
    if !wanted.network.is_empty() {
        let named = wanted.network.iter().map(|text| text.parse());
        let named = named.collect::<Result<Vec<_>, kontor_package::UnitError>>();
        runs.ceiling.network = Some(named.map_err(|error| UsageError(format!("runs.network: {error}")))?);
    }
    Ok(runs)
}

/// The log of a hub with a public address is called like that address; a new address changes no log that has begun.
fn log_name(config: &Config) -> Option<String> {
    let url = Url::parse(&config.public_url).ok()?;
    let host = url.host_str()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{host}{port}{}/log", url.path().trim_end_matches('/')))
}

/// How the HTTP server presents and protects itself under `address`, unless the configuration names another.
pub fn api_config(config: &Config, address: &str) -> Result<kontor_front::Config, UsageError> {
    let text = if config.public_url.is_empty() { address } else { &config.public_url };
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    let url =
        url.ok_or_else(|| UsageError(format!("public_url: `{text}` is no address; write https://skills.example.com")))?;
    let mut api = kontor_front::Config::new(url);
    api.hosts.clone_from(&config.hosts);
    let networks = config.trusted_proxy.iter().map(|text| {
        text.parse()
            .or_else(|_| text.parse::<std::net::IpAddr>().map(Into::into))
            .map_err(|_| UsageError(format!("trusted_proxy: `{text}` is no network; write 10.0.0.0/8 or 127.0.0.1")))
    });
    api.trusted_proxies = networks.collect::<Result<_, _>>()?;
    api.rates = rates(&config.rates);
    api.sizes.upload = usize::try_from(config.limits.skill_bytes.0.saturating_add(ARCHIVE_EXTRA)).unwrap_or(usize::MAX);
    api.open_metrics = config.open_metrics;
    Ok(api)
}

fn rates(wanted: &Rates) -> kontor_front::config::Rates {
    let known = kontor_front::config::Rates::default();
    // Who may ask more often may also ask more at once, in the same proportion.
    let rate = |per_minute: u32, default: Option<Rate>| {
        let default = default.filter(|_| per_minute > 0)?;
        let burst = u64::from(default.burst.get()) * u64::from(per_minute) / u64::from(default.per_minute.get());
        Some(Rate::new(per_minute, u32::try_from(burst).unwrap_or(u32::MAX)))
    };
    kontor_front::config::Rates {
        read: rate(wanted.read, known.read),
        write: rate(wanted.write, known.write),
        upload: rate(wanted.upload, known.upload),
        import: rate(wanted.import, known.import),
        model: rate(wanted.models, known.model),
        sign_in: rate(wanted.sign_in, known.sign_in),
        loopback: wanted.loopback,
    }
}
