//! `kontor demo`: things to try the hub with.

mod model;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use kontor_crypto::{Keyring, Purpose};
use kontor_merchants::{Catalogue, Merchant, Mischief, Running};
use kontor_types::{Clock as _, Currency, Slug, SystemClock};
use kontor_wire::NewMerchant;
use serde_json::json;

use crate::exit::Exit;
use crate::session::{Session, settings_folder};

/// Start things to try a hub with
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Answer errands by a few rules in the place of a model, until Ctrl-C; no provider's key is needed
    ///
    /// It is no model: it reads short requests of the form of the examples. It prints what to write into the hub's kontor.toml.
    Model {
        /// The port to listen on; 0 takes a free one
        #[arg(long, default_value_t = 7_910)]
        port: u16,
    },
    /// Open two simulated merchants on this machine, a tea house and a corner shop, until Ctrl-C
    ///
    /// They sell by signed quotes, take no money and bring nothing. The hub must be allowed to reach this machine: set
    /// `outbound.allow` to `127.0.0.1` in its configuration.
    Merchants {
        /// The port of the tea house; the corner shop has the next one. 0 takes free ones
        #[arg(long, default_value_t = 7_901)]
        port: u16,
        /// Tell the hub of them, as its administrator
        #[arg(long)]
        register: bool,
        /// The currency of their prices
        #[arg(long, default_value = "CNY")]
        currency: Currency,
        /// Let one misbehave: `tea-house=raise-price`; may be given more than once
        #[arg(long, value_name = "MERCHANT=WHAT", value_parser = mischief)]
        mischief: Vec<(String, Mischief)>,
    },
}

fn mischief(text: &str) -> Result<(String, Mischief), String> {
    let (merchant, what) = text.split_once('=').ok_or("write MERCHANT=WHAT, for example tea-house=raise-price")?;
    if !["tea-house", "corner-shop"].contains(&merchant) {
        return Err("the merchants are `tea-house` and `corner-shop`".to_owned());
    }
    Ok((merchant.to_owned(), what.parse()?))
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let (port, register, currency, mischief) = match args.action {
        Action::Model { port } => return model::run(port, session).await,
        Action::Merchants { port, register, currency, mischief } => (port, register, currency, mischief),
    };
    let shops = [Catalogue::tea_house(currency), Catalogue::corner_shop(currency)];
    let mut open = Vec::new();
    for (place, shop) in shops.into_iter().enumerate() {
        let port = if port == 0 { 0 } else { port.saturating_add(u16::try_from(place).unwrap_or(0)) };
        let name: Slug = shop.id.parse()?;
        let running = start(shop, &name, port).await?;
        let script: Vec<Mischief> =
            mischief.iter().filter(|(merchant, _)| *merchant == name.as_str()).map(|(_, what)| what.clone()).collect();
        running.script(&script);
        open.push((name, running));
    }
    if register {
        let client = session.client()?;
        for (name, running) in &open {
            let new = NewMerchant { url: running.url(), platform_share: None, author_share: None };
            client.put_merchant(name, &new).await?;
        }
    }
    tell(&open, register, session);
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    Ok(Exit::Done)
}

/// A shop keeps its key from one start to the next, so that a hub that knows it goes on to believe its quotes.
async fn start(shop: Catalogue, name: &Slug, port: u16) -> anyhow::Result<Running> {
    let folder = settings_folder()?.join("demo-merchants").join(name.as_str());
    let mut ring = Keyring::open(&folder)?;
    ring.ensure(&[Purpose::Merchant], SystemClock.now())?;
    let key = ring.signing_key(Purpose::Merchant)?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let opened = Merchant::start(shop, key, address, Arc::new(SystemClock)).await;
    opened.with_context(|| format!("cannot listen on {address}; choose another with --port"))
}

fn tell(open: &[(Slug, Running)], registered: bool, session: &Session) {
    let terminal = &session.terminal;
    if terminal.json {
        let items: Vec<_> =
            open.iter().map(|(name, running)| json!({ "merchant": name, "url": running.url() })).collect();
        terminal.json(&json!({ "items": items, "registered": registered }));
        return;
    }
    for (name, running) in open {
        terminal.data(&format!("{name} is open at {}", running.url()));
        if !registered {
            terminal.note(&format!("kontor merchant add {name} {}", running.url()));
        }
    }
    terminal.note("they are open until Ctrl-C");
}
