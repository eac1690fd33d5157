//! `kontor checkout`: buying by hand, one step after another.

use kontor_client::Client;
use kontor_types::{CheckoutId, MandateId, Money, RunId};
use kontor_wire::{Checkout, CheckoutDecision, NewCheckout, NewCheckoutLine, NewMandate, NewRefund, OrderFate};

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
    /// List purchases whose merchants have not said how they ended, for administrators
    Undecided,
    /// End a purchase whose merchant does not answer, for administrators
    ///
    /// The merchant is asked once more, and what it says then counts. Find out by another way whether it took the order: money for
    /// an order that it did not take is free again, money for one that it took moves, each once. Ten minutes after the merchant
    /// was asked first, not before.
    Decide(Decide),
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
struct Decide {
    /// The checkout's id
    #[arg(value_parser = id::<CheckoutId>)]
    checkout: CheckoutId,
    /// The merchant did not take the order: the money is free again
    #[arg(long, required_unless_present = "taken", conflicts_with = "taken")]
    not_taken: bool,
    /// The merchant took the order, under this name: the money moves
    #[arg(long, value_name = "ORDER")]
    taken: Option<String>,
    /// How you know, for the audit trail and the buyer
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
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
    /// Runs of yours on the hub that led here; the publishers of their skills share in the sale
    #[arg(long = "run", value_name = "RUN", value_delimiter = ',')]
    runs: Vec<RunId>,
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
                runs: new.runs,
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
        Action::Undecided => undecided(&client, session).await,
        Action::Decide(said) => decide(&client, said, session).await,
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

async fn undecided(client: &Client, session: &Session) -> anyhow::Result<Exit> {
    let found = client.undecided_checkouts().await?;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&found);
    } else if found.items.is_empty() {
        terminal.note("every merchant has said how its purchases ended");
    } else {
        let mut table = Table::titled(&["checkout", "buyer", "merchant", "total", "asked"]);
        for one in &found.items {
            let total = one.checkout.total.map(|total| total.to_string()).unwrap_or_default();
            let (buyer, merchant) = (one.buyer.to_string(), plain(&one.checkout.merchant));
            table.row([one.checkout.id.to_string(), buyer, merchant, total, one.asked_at.to_string()]);
        }
        terminal.data(&table.render(terminal));
        terminal.note("ask the merchant by another way; then: kontor checkout decide CHECKOUT --not-taken|--taken ORDER --reason TEXT");
    }
    Ok(Exit::Done)
}

async fn decide(client: &Client, said: Decide, session: &Session) -> anyhow::Result<Exit> {
    let (decision, what) = match said.taken {
        Some(_) => (OrderFate::Taken, "The money is paid to the merchant."),
        None => (
            OrderFate::NotTaken,
            "The money is given back to the buyer, and the merchant is not paid whatever it says later.",
        ),
    };
    if !confirm(session, said.yes, &format!("{what} This cannot be undone here. Go on?"))? {
        return Ok(Exit::Failed);
    }
    let decision = CheckoutDecision { decision, order: said.taken, reason: said.reason };
    show(&client.decide_checkout(said.checkout, &decision).await?, session);
    Ok(Exit::Done)
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
