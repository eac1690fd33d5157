//! `bench gateway`: what the hub adds to a call of a model with tokens, policy, metering and a budget, beside a bare hop.

pub mod hop;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::hub::{Hub, TOKEN};
use crate::load::{self, Call};
use crate::machine;
use crate::product::{self, Product};
use crate::report::{Limit, Report, median};
use hop::{HOP, PROVIDER, Server};

/// What the hub may add at the middle, in microseconds.
const ADDED: f64 = 100.0;
/// What a call may take of a processor, in microseconds.
const PROCESSOR: f64 = 40.0;
/// How long a peer may take to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    product: Product,
    /// How often each is measured, by turns; the middle counts
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Milliseconds of a turn
    #[arg(long, default_value_t = 2_000)]
    turn_ms: u64,
    /// Connections at once for the rate
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// LiteLLM's program, to be measured beside it: `litellm` of an environment with `litellm[proxy]`
    #[arg(long, value_name = "PATH")]
    peers: Option<PathBuf>,
}

/// Somebody who is asked.
struct Asked {
    name: &'static str,
    address: SocketAddr,
    call: Call,
    stream: Call,
    process: Option<u32>,
    middles: Vec<f64>,
    tails: Vec<f64>,
    processor: Vec<f64>,
    rates: Vec<f64>,
    busy: Vec<f64>,
    streams: Vec<f64>,
}

/// Measures, prints, and fails when a limit is missed.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.product.json)
}

fn measure(options: &Options) -> Result<Report> {
    let provider = Server::start(PROVIDER, None)?;
    let hop = Server::start(HOP, Some(provider.address))?;
    let folder = tempfile::tempdir_in(product::data()?)?;
    let hub = start_hub(options, folder.path(), provider.address)?;
    let mut all = vec![
        Asked::new("no hop", provider.address, "/v1/chat/completions", None),
        Asked::new("bare hop", hop.address, "/v1/chat/completions", Some(hop.id())),
        Asked::new("kontor", hub.address, "/openai/v1/chat/completions", Some(hub.id())),
    ];
    let peer =
        options.peers.as_deref().map(|program| Peer::start(program, folder.path(), provider.address)).transpose()?;
    all.extend(
        peer.as_ref().map(|peer| Asked::new("litellm", peer.address, "/v1/chat/completions", Some(peer.child.id()))),
    );
    let turn = Duration::from_millis(options.turn_ms.max(100));
    for asked in &mut all {
        asked.warm(turn / 4)?;
    }
    for _ in 0..options.rounds.max(1) {
        for asked in &mut all {
            asked.turn(turn, options.connections)?;
        }
    }
    let mut report = Report::of("gateway");
    let direct = median(all[0].middles.clone());
    for asked in &all {
        let ours = asked.name == "kontor";
        let judged = |limit: f64| if ours { Limit::AtMost(limit) } else { Limit::None };
        let name = asked.name;
        report.figure(format!("{name}, p50 of one caller"), median(asked.middles.clone()), "µs", Limit::None);
        report.figure(format!("{name}, p99 of one caller"), median(asked.tails.clone()), "µs", Limit::None);
        if asked.process.is_some() {
            report.figure(format!("{name}, added p50"), median(asked.middles.clone()) - direct, "µs", judged(ADDED));
            report.figure(format!("{name}, processor a call"), median(asked.busy.clone()), "µs", judged(PROCESSOR));
            let alone = median(asked.processor.clone());
            report.figure(format!("{name}, processor a call of one caller"), alone, "µs", Limit::None);
        }
        report.figure(format!("{name}, calls of many"), median(asked.rates.clone()), "calls/s", Limit::None);
        report.figure(format!("{name}, stream of 22 events"), median(asked.streams.clone()), "µs", Limit::None);
    }
    report.figure("kontor, memory afterwards", hub.resident(), "MB", Limit::None);
    check_books(&hub)?;
    report.setting(machine::describe());
    report.setting(format!(
        "{} turns of {} ms each by turns, middles; many: {} connections; a provider in a process of its own that answers at once",
        options.rounds, options.turn_ms, options.connections
    ));
    report.setting(
        "kontor: token, policy, metering and a budget on, over SQLite with fsync; the bare hop has none of it",
    );
    hub.stop()?;
    Ok(report)
}

/// A hub with a priced model and a budget.
fn start_hub(options: &Options, folder: &Path, provider: SocketAddr) -> Result<Hub> {
    let data = folder.join("hub");
    fs::create_dir_all(&data)?;
    let price = r#"{ currency = "USD", input = "0.25", output = "2" }"#;
    let text = format!(
        "[[provider]]\nname = \"bench\"\nurl = \"http://{provider}/v1\"\nkey_file = \"bench.key\"\nconcurrency = 512\nmodels = [{{ name = \"small\", upstream = \"provided\", price = {price} }}]\n"
    );
    fs::write(data.join("kontor.toml"), text)?;
    fs::write(data.join("bench.key"), "sk-provided")?;
    fs::set_permissions(data.join("bench.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let hub = Hub::start(&options.product.binary()?, &data)?;
    let limit = json!({"limit": "1000000.00", "currency": "USD"});
    let set = Call::send("PUT", "/api/kontor/v1/budgets/person:admin", Some(TOKEN), &limit).once(hub.address)?;
    if set.status != 200 {
        bail!("the hub takes no budget: {}", String::from_utf8_lossy(&set.body));
    }
    Ok(hub)
}

/// What was metered has a price, and the budget paid for it.
fn check_books(hub: &Hub) -> Result<()> {
    let ask = |path: &str| -> Result<Value> {
        let answer = Call::send("GET", path, Some(TOKEN), &Value::Null).once(hub.address)?;
        Ok(serde_json::from_slice(&answer.body)?)
    };
    let used = ask("/api/kontor/v1/usage?by=model")?;
    let micros = used["items"][0]["cost_micros"].as_i64().context("nothing was metered")?;
    let budget = ask("/api/kontor/v1/budgets/person:admin")?;
    let spent = budget["items"][0]["spent"].as_str().context("no budget")?.replace('.', "").parse::<i64>()?;
    if spent != (micros + 9_999) / 10_000 {
        bail!("{micros} millionths were metered, and {spent} cents spent");
    }
    Ok(())
}

impl Asked {
    fn new(name: &'static str, address: SocketAddr, target: &str, process: Option<u32>) -> Self {
        let content = "hello ".repeat(33);
        let messages = json!([{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": content}]);
        let body = json!({"model": "small", "messages": messages});
        let mut streamed = body.clone();
        streamed["stream"] = true.into();
        let token = Some(TOKEN);
        let (call, stream) = (Call::send("POST", target, token, &body), Call::send("POST", target, token, &streamed));
        let [middles, tails, processor, rates, busy, streams] = [const { Vec::new() }; 6];
        Self { name, address, call, stream, process, middles, tails, processor, rates, busy, streams }
    }

    fn seconds(&self) -> f64 {
        self.process.and_then(machine::seconds_of).unwrap_or(f64::NAN)
    }

    fn warm(&self, length: Duration) -> Result<()> {
        load::times(self.address, &self.call, length)
            .with_context(|| format!("{} does not answer", self.name))
            .map(drop)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    fn turn(&mut self, length: Duration, connections: usize) -> Result<()> {
        let before = self.seconds();
        let mut times = load::times(self.address, &self.call, length)?;
        self.processor.push((self.seconds() - before) * 1e6 / times.len() as f64);
        times.sort();
        let micros = |at: usize| times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6);
        self.middles.push(micros(times.len() / 2));
        self.tails.push(micros(times.len() * 99 / 100));
        let before = self.seconds();
        let started = Instant::now();
        let many = load::drive(self.address, std::slice::from_ref(&self.call), connections, length)?;
        let answers = many.answers * started.elapsed().as_secs_f64();
        self.busy.push((self.seconds() - before) * 1e6 / answers);
        self.rates.push(many.answers);
        let mut streams = load::streams(self.address, &self.stream, length / 4)?;
        streams.sort();
        self.streams.push(streams.get(streams.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6));
        Ok(())
    }
}

/// LiteLLM as a process of its own.
struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Peer {
    fn start(program: &Path, folder: &Path, provider: SocketAddr) -> Result<Self> {
        let free = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = free.local_addr()?;
        drop(free);
        let parameters =
            json!({"model": "openai/provided", "api_base": format!("http://{provider}/v1"), "api_key": "sk-provided"});
        let models = json!([{"model_name": "small", "litellm_params": parameters}]);
        // JSON is YAML.
        let settings = json!({"model_list": models, "general_settings": {"master_key": TOKEN}});
        let file = folder.join("litellm.yaml");
        fs::write(&file, settings.to_string())?;
        let mut command = Command::new(program);
        command.arg("--config").arg(file).args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
        command.args(["--num_workers", "1"]).env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("LITELLM_LOG", "ERROR");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let peer = Self { child: command.spawn().context("litellm does not start")?, address };
        let started = Instant::now();
        while Call::get("/health/liveliness").status(address) != Some(200) {
            if started.elapsed() > PATIENCE {
                bail!("litellm was not ready within {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(peer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
