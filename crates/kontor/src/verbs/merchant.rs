//! `kontor merchant`: whom the hub buys from.

use kontor_types::{Money, Slug};
use kontor_wire::{NewMerchant, OfferQuery};

use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::plain;

/// List merchants that the hub buys from, add and remove them
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the merchants
    List,
    /// Ask every merchant what it sells
    Search {
        /// What to look for
        words: Vec<String>,
        /// Only things of this category
        #[arg(long)]
        category: Option<String>,
        /// Only things that cost no more, for example `¥20`
        #[arg(long, value_name = "AMOUNT")]
        most: Option<Money>,
    },
    /// Add a merchant, or read again what it says of itself, for administrators
    ///
    /// The key that it shows now is the one that signs its quotes; another key is believed only when it is added again.
    Add {
        /// The hub's name for it, which mandates name
        name: Slug,
        /// Where its discovery document is below
        url: String,
        /// What the platform keeps of a sale, in basis points [default: 1500]
        #[arg(long, value_name = "POINTS")]
        platform_share: Option<u32>,
        /// What the authors of the skills that led to a sale get together, in basis points [default: 500]
        #[arg(long, value_name = "POINTS")]
        author_share: Option<u32>,
    },
    /// Buy nothing there any more, for administrators
    Remove {
        /// The hub's name for it
        name: Slug,
    },
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let terminal = &session.terminal;
    match args.action {
        Action::List => {
            let merchants = client.merchants().await?;
            if terminal.json {
                terminal.json(&merchants);
            } else if merchants.items.is_empty() {
                terminal.note("the hub knows no merchant; an administrator adds one with `kontor merchant add`");
            } else {
                let mut table = Table::titled(&["merchant", "name", "address", "platform", "authors"]);
                for one in &merchants.items {
                    let percent = |points: u32| format!("{}.{:02} %", points / 100, points % 100);
                    table.row([
                        plain(&one.slug),
                        plain(&one.name),
                        plain(&one.url),
                        percent(one.platform_share),
                        percent(one.author_share),
                    ]);
                }
                terminal.data(&table.render(terminal));
            }
        }
        Action::Search { words, category, most } => {
            let most = most.map(|most| most.to_string());
            let found = client.offers(&OfferQuery { q: words.join(" "), category, most, limit: None }).await?;
            for one in &found.silent {
                terminal.warn(&format!("{} did not answer: {}", plain(&one.merchant), plain(&one.reason)));
            }
            for one in &found.set_aside {
                let (merchant, about, field) = (plain(&one.merchant), plain(&one.about), plain(&one.field));
                terminal.warn(&format!(
                    "{about} of {merchant} was left out: its {field} gives orders to programs (“{}”)",
                    plain(&one.text)
                ));
            }
            if terminal.json {
                terminal.json(&found);
                return Ok(Exit::Done);
            }
            let mut table = Table::titled(&["merchant", "item", "what", "price", "delivery", "left"]);
            for offer in &found.items {
                let text = |name: &str| plain(offer[name].as_str().unwrap_or_default());
                let money =
                    |name: &str| serde_json::from_value::<Money>(offer[name].clone()).map(|money| money.to_string());
                table.row([
                    text("merchant"),
                    text("item"),
                    text("title"),
                    money("price").unwrap_or_default(),
                    money("delivery").unwrap_or_default(),
                    offer["stock"].to_string(),
                ]);
            }
            terminal.data(&table.render(terminal));
        }
        Action::Add { name, url, platform_share, author_share } => {
            let merchant = client.put_merchant(&name, &NewMerchant { url, platform_share, author_share }).await?;
            if terminal.json {
                terminal.json(&merchant);
            } else {
                terminal.data(&format!("{}: {}", plain(&merchant.slug), plain(&merchant.name)));
                terminal.note(&format!("its quotes are signed with {}", plain(&merchant.public_key)));
            }
        }
        Action::Remove { name } => {
            client.remove_merchant(&name).await?;
            terminal.note(&format!("nothing is bought from {name} any more"));
        }
    }
    Ok(Exit::Done)
}
