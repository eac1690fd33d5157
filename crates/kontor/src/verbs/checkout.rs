//! `kontor checkout`: buying by hand, one step after another.

use kontor_client::Client;
use kontor_types::{CheckoutId, Handle, MandateId, Money};
use kontor_wire::{Checkout, NewCheckout, NewCheckoutLine, NewMandate, NewRefund};

use crate::exit::{Exit, UsageError};
use crate::session::{Session, mandate_keys};
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::mandate::asked;
use crate::verbs::{confirm, id};

/// Ask a merchant for a quote, pay it, take an order back
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Ask a merchant for a signed quote; nothing is paid
    New(New),
    /// List your checkouts, newest first
    List,
    /// Show a checkout
    Show {
        /// The checkout's id
        #[arg(value_parser = id::<CheckoutId>)]
        checkout: CheckoutId,
    },
    /// Pay a checkout, after you have confirmed it or under a mandate that you gave before
    Pay {
        /// The checkout's id
        #[arg(value_parser = id::<CheckoutId>)]
        checkout: CheckoutId,
        /// The mandate that allows it; without one you are asked
        #[arg(long, value_parser = id::<MandateId>)]
        mandate: Option<MandateId>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// End a checkout that is not paid
    Cancel {
        /// The checkout's id
        #[arg(value_parser = id::<CheckoutId>)]
        checkout: CheckoutId,
    },
    /// Ask the merchant to take an order back
    Refund {
        /// The checkout's id
        #[arg(value_parser = id::<CheckoutId>)]
        checkout: CheckoutId,
        /// How much; all that is left unless told
        #[arg(long)]
        amount: Option<Money>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
struct New {
    /// The merchant, by its name in `kontor merchant list`
    merchant: String,
    /// What: the merchant's id of an item, with `=NUMBER` for more than one
    #[arg(required = true, value_name = "ITEM", value_parser = line)]
    items: Vec<NewCheckoutLine>,
    /// What takes something off
    #[arg(long, value_name = "CODE")]
    coupon: Option<String>,
    /// Where to, in words
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    to: String,
    /// The most that it may cost; a quote for more is refused
    #[arg(long, value_name = "AMOUNT")]
    most: Option<Money>,
    /// Publishers of skills that led here; they share in the sale
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    author: Vec<Handle>,
}

fn line(text: &str) -> Result<NewCheckoutLine, String> {
    let (item, quantity) = text.rsplit_once('=').unwrap_or((text, "1"));
    let quantity = quantity.parse().map_err(|_| "write ITEM or ITEM=NUMBER, for example classic-milk-tea=2")?;
    Ok(NewCheckoutLine { item: item.to_owned(), quantity })
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    match args.action {
        Action::New(new) => {
            let new = NewCheckout {
                merchant: new.merchant,
                lines: new.items,
                coupon: new.coupon,
                deliver_to: new.to,
                authors: new.author,
                most: new.most,
            };
            let checkout = client.new_checkout(&new).await?;
            show(&checkout, session);
            session.terminal.note(&format!("pay it with: kontor checkout pay {}", checkout.id));
            Ok(Exit::Done)
        }
        Action::List => list(&client, session).await,
        Action::Show { checkout } => {
            show(&client.checkout(checkout).await?, session);
            Ok(Exit::Done)
        }
        Action::Pay { checkout, mandate, yes } => pay(&client, checkout, mandate, yes, session).await,
        Action::Cancel { checkout } => {
            show(&client.cancel_checkout(checkout).await?, session);
            Ok(Exit::Done)
        }
        Action::Refund { checkout, amount, yes } => {
            if !confirm(session, yes, "The merchant is asked to take the order back. Go on?")? {
                return Ok(Exit::Failed);
            }
            show(&client.refund_checkout(checkout, &NewRefund { amount }).await?, session);
            Ok(Exit::Done)
        }
    }
}

async fn pay(
    client: &Client,
    id: CheckoutId,
    mandate: Option<MandateId>,
    yes: bool,
    session: &Session,
) -> anyhow::Result<Exit> {
    let mandate = if let Some(mandate) = mandate {
        mandate
    } else {
        let checkout = client.checkout(id).await?;
        if checkout.state != "quoted" {
            return Err(
                UsageError(format!("the checkout is {}: there is nothing to pay", plain(&checkout.state))).into()
            );
        }
        if !confirm(session, yes, &format!("{} Buy it?", asked(&checkout)))? {
            return Ok(Exit::Failed);
        }
        let signed = mandate_keys::confirm(session, client, &checkout).await?;
        client.give_mandate(&NewMandate { signed }).await?.id
    };
    let done = client.complete_checkout(id, mandate).await?;
    show(&done, session);
    Ok(if done.state == "paid" { Exit::Done } else { Exit::Failed })
}

async fn list(client: &Client, session: &Session) -> anyhow::Result<Exit> {
    let checkouts = client.checkouts().await?;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&checkouts);
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["checkout", "merchant", "state", "total", "when"]);
    for one in &checkouts.items {
        let total = one.total.map(|total| total.to_string()).unwrap_or_default();
        table.row([one.id.to_string(), plain(&one.merchant), plain(&one.state), total, one.created_at.to_string()]);
    }
    terminal.data(&table.render(terminal));
    Ok(Exit::Done)
}

fn show(checkout: &Checkout, session: &Session) {
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(checkout);
        return;
    }
    terminal.data(&format!("checkout {}: {}", checkout.id, plain(&checkout.state)));
    terminal.data(&asked(checkout));
    if let Some(quote) = &checkout.quote {
        terminal.data(&format!("the quote holds until {}", quote.expires_at));
    }
    if let Some(order) = &checkout.order {
        terminal.data(&format!("{} calls the order {}", plain(&checkout.merchant), plain(order)));
    }
    if let Some(refusal) = &checkout.refusal {
        terminal.data(&format!("it came to nothing: {} ({})", plain(&refusal.detail), plain(&refusal.code)));
    }
}
