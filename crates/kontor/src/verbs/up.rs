//! `kontor up`: run a hub.

mod administrator;
pub mod logging;
pub mod occupancy;
pub mod remedy;
pub mod signals;
mod waiting;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kontor_app::App;
use kontor_front::Hub;
use kontor_types::SystemClock;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, HubFlags};
use crate::exit::{Exit, Hint, UsageError};
use crate::session::{LOCAL_HUB, Session, shown};
use crate::starter;
use crate::terminal::{Style, plain};

use administrator::Prepared;

/// Run a hub
///
/// Everything it keeps is in one folder. The first start makes the administrator, writes their token to a file that only
/// you can read, and publishes the starter skills. Ctrl-C lets requests under way finish.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    hub: HubFlags,
    /// The address to listen on; port 0 takes a free one [env: KONTOR_LISTEN]
    #[arg(long, value_name = "ADDR:PORT", help_heading = "Hub")]
    listen: Option<String>,
    /// The hub's address as clients see it [env: KONTOR_PUBLIC_URL]
    #[arg(long, value_name = "URL", help_heading = "Hub")]
    public_url: Option<String>,
    /// Leave out the starter skills on the first start [env: KONTOR_NO_STARTER]
    #[arg(long, help_heading = "Hub")]
    no_starter: bool,
    /// Serve plain HTTP on an address that others can reach [env: KONTOR_INSECURE_HTTP]
    #[arg(long, help_heading = "Hub")]
    insecure_http: bool,
    /// Believe the forwarding headers of reverse proxies in this network [env: KONTOR_TRUSTED_PROXY]
    #[arg(long, value_name = "NETWORK", help_heading = "Hub")]
    trusted_proxy: Vec<String>,
}

impl Args {
    /// What was given, as (flag, key, value).
    fn given(&self) -> Vec<(String, String, String)> {
        let mut given = self.hub.given();
        let proxies = (!self.trusted_proxy.is_empty()).then(|| self.trusted_proxy.join(","));
        let named = [
            ("--listen", "listen", self.listen.clone()),
            ("--public-url", "public_url", self.public_url.clone()),
            ("--no-starter", "no_starter", self.no_starter.then(|| "true".to_owned())),
            ("--insecure-http", "insecure_http", self.insecure_http.then(|| "true".to_owned())),
            ("--trusted-proxy", "trusted_proxy", proxies),
        ];
        given
            .extend(named.into_iter().filter_map(|(flag, key, value)| Some((flag.to_owned(), key.to_owned(), value?))));
        given
    }
}

/// Runs a hub until it is told to stop.
pub async fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let loaded = config::load(&args.given(), args.hub.config_file().as_deref(), &session.secrets)?;
    for warning in &loaded.warnings {
        session.terminal.warn(warning);
    }
    let config = loaded.config;
    logging::start(&config)?;
    let stop = CancellationToken::new();
    signals::watch(&stop)?;
    signals::raise_file_limit();
    let listener = bind(&config).await?;
    let address = listener.local_addr().context("the socket has no address")?;
    let url = format!("http://{address}");
    let api = config::api_config(&config, &url)?;
    let _occupied = occupancy::take(&config.data)?;
    let opening = App::open(config::app_settings(&config)?, Arc::new(SystemClock));
    let app = waiting::told(opening, &config, &session.terminal).await;
    let app = app.map_err(|error| remedy::for_store(error, &config))?;
    let administrator = administrator::prepare(&app, session.secrets.get("KONTOR_ADMIN_TOKEN")).await?;
    app.start().await;
    let hub = Hub::new(Arc::clone(&app), api);
    let drain = Duration::from_secs(u64::from(config.drain_seconds));
    let surfaces = kontor_api::routes().and(kontor_web::routes(kontor_api::skill_document));
    let router = kontor_front::router(&hub, surfaces, kontor_web::failed);
    let serving = tokio::spawn(kontor_front::serve(listener, router, stop.clone(), drain));
    starter::publish(&app, config.no_starter).await.map_err(remedy::for_blobs)?;
    hub.health.set_serving();
    let running = Running { url: hub.absolute(""), data: config.data.clone(), administrator };
    running.announce(session);
    if let Some(fault) = app.log_fault() {
        let data = shown(&config.data);
        session.terminal.warn(&format!(
            "the transparency log takes nothing in: {}; stop this hub, then: kontor log restart --data {data}",
            plain(fault)
        ));
    }
    stop.cancelled().await;
    hub.health.set_stopping();
    session.terminal.note("stopping: requests under way may finish");
    serving.await.context("the server failed")?;
    app.stop().await;
    session.terminal.note("stopped");
    Ok(Exit::Done)
}

/// Takes the address, unless tokens would travel readable on it.
async fn bind(config: &Config) -> anyhow::Result<TcpListener> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host(&config.listen)
        .await
        .map_err(|error| {
            UsageError(format!("listen: `{}` is no address ({error}); write 127.0.0.1:7878", config.listen))
        })?
        .collect();
    let open = addresses.iter().find(|address| !address.ip().is_loopback());
    if let Some(open) = open
        && !config.insecure_http
        && config.trusted_proxy.is_empty()
    {
        let wrong = UsageError(format!("others can reach {open}, and plain HTTP would show them every token"));
        return Err(anyhow::Error::from(wrong).context(Hint(
            "put a reverse proxy with TLS before the hub and name its network with --trusted-proxy, listen on 127.0.0.1, \
             or accept the risk with --insecure-http"
                .to_owned(),
        )));
    }
    TcpListener::bind(addresses.as_slice())
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))
        .map_err(|error| match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(std::io::ErrorKind::AddrInUse) => error.context(Hint(
                "perhaps a hub runs there already: stop it, or choose another port with --listen 127.0.0.1:7879"
                    .to_owned(),
            )),
            Some(std::io::ErrorKind::PermissionDenied) => error
                .context(Hint("the system keeps this port for itself: choose one above 1023 with --listen".to_owned())),
            _ => error,
        })
}

/// A hub that is up.
struct Running {
    url: String,
    data: PathBuf,
    administrator: Prepared,
}

impl Running {
    fn announce(&self, session: &Session) {
        let terminal = &session.terminal;
        let url = self.url.trim_end_matches('/');
        let data = std::path::absolute(&self.data).unwrap_or_else(|_| self.data.clone());
        let token_file =
            self.administrator.file.as_ref().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()));
        if terminal.json {
            terminal.json(&json!({ "url": url, "data": data, "token_file": token_file }));
        }
        let version = env!("CARGO_PKG_VERSION");
        let mut lines = vec![
            format!("Kontor {version} is ready at {}", terminal.paint_note(Style::Bold, url)),
            format!("  data   {}", shown(&data)),
        ];
        match (&token_file, &self.administrator.secret) {
            (Some(file), Some(secret)) if terminal.is_person() && self.administrator.first_start => {
                lines.push(format!("  token  {}", terminal.paint_note(Style::Yellow, secret)));
                lines.push(format!("         in {}, for the administrator only", shown(file)));
            }
            (Some(file), _) => lines.push(format!("  token  in {}", shown(file))),
            (None, _) => {}
        }
        let hub = if url == LOCAL_HUB { String::new() } else { format!(" --registry {url}") };
        let sign_in = match &token_file {
            Some(file) => format!("kontor login{hub} --token-file {}", shown(file)),
            None => format!("kontor login{hub} --prompt"),
        };
        lines.push(String::new());
        lines.push("Sign in, in another terminal:".to_owned());
        lines.push(format!("  {}", terminal.paint_note(Style::Cyan, &sign_in)));
        lines.push("Then try:".to_owned());
        for command in [
            "kontor import npm:ecc-universal@2.0.0 --publisher ecc --on-conflict rename",
            "kontor search meeting minutes",
            "kontor install @kontor/meeting-minutes --agent claude-code",
        ] {
            lines.push(format!("  {}", terminal.paint_note(Style::Cyan, command)));
        }
        terminal.note(&lines.join("\n"));
    }
}
