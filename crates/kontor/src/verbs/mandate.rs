//! `kontor mandate`: what may be bought in your name.

use std::time::Duration;

use kontor_client::Client;
use kontor_commerce::{Mode, Terms};
use kontor_types::{CheckoutId, Clock as _, Handle, MandateId, Money, SystemClock, Timestamp};
use kontor_wire::{Checkout, Mandate, NewMandate};

use crate::exit::{Exit, UsageError};
use crate::session::{Session, mandate_keys};
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::{confirm, id};

/// Say what may be bought in your name, and take it back
///
/// A mandate is signed with a key that only you have. The hub holds its limit in an account of its ledger, so that no number of
/// purchases at once can spend more.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Allow purchases in advance within limits, or confirm one checkout
    New(Box<New>),
    /// List your mandates, newest first
    List,
    /// Show what a mandate allows and what is left of it
    Show {
        /// The mandate's id
        #[arg(value_parser = id::<MandateId>)]
        mandate: MandateId,
    },
    /// Take a mandate back: nothing new is bought with it
    Revoke {
        /// The mandate's id
        #[arg(value_parser = id::<MandateId>)]
        mandate: MandateId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Let a person who lost their key make another, for administrators
    Release {
        /// Whose keys
        person: Handle,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
struct New {
    /// Confirm this checkout and nothing else
    #[arg(long, value_name = "ID", value_parser = id::<CheckoutId>,
        conflicts_with_all = ["total", "each", "merchant", "category", "from", "until", "hours", "count"])]
    checkout: Option<CheckoutId>,
    /// The most that may be spent altogether, for example `¥50` or `20.00 EUR`
    #[arg(long, value_name = "AMOUNT", required_unless_present = "checkout")]
    total: Option<Money>,
    /// The most for one purchase
    #[arg(long, value_name = "AMOUNT")]
    each: Option<Money>,
    /// Only from these merchants, by the names of `kontor merchant list`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    merchant: Vec<String>,
    /// Only things of these categories, for example `drinks`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    category: Vec<String>,
    /// From when on, such as 2026-01-31T12:00:00Z; from now on unless told
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Until when
    #[arg(long, value_name = "TIME", conflicts_with = "hours")]
    until: Option<Timestamp>,
    /// For how many hours
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=8_760))]
    hours: u64,
    /// For how many purchases
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    match args.action {
        Action::New(new) => make(&client, *new, session).await,
        Action::List => list(&client, session).await,
        Action::Show { mandate } => {
            show(&client.mandate(mandate).await?, session);
            Ok(Exit::Done)
        }
        Action::Revoke { mandate, yes } => {
            if !confirm(session, yes, "Nothing new will be bought with this mandate. Take it back?")? {
                return Ok(Exit::Failed);
            }
            show(&client.revoke_mandate(mandate).await?, session);
            Ok(Exit::Done)
        }
        Action::Release { person, yes } => {
            let question =
                format!("Mandates of @{person} are signed with another key from then on. Put the old one out of use?");
            if !confirm(session, yes, &question)? {
                return Ok(Exit::Failed);
            }
            client.release_mandate_keys(&person).await?;
            session.terminal.note(&format!("@{person} can make another key with `kontor mandate new`"));
            Ok(Exit::Done)
        }
    }
}

async fn make(client: &Client, new: New, session: &Session) -> anyhow::Result<Exit> {
    let signed = match new.checkout {
        Some(checkout) => {
            let checkout = client.checkout(checkout).await?;
            if !confirm(session, new.yes, &format!("{} Confirm it?", asked(&checkout)))? {
                return Ok(Exit::Failed);
            }
            mandate_keys::confirm(session, client, &checkout).await?
        }
        None => match delegated(client, new, session).await? {
            Some(signed) => signed,
            None => return Ok(Exit::Failed),
        },
    };
    show(&client.give_mandate(&NewMandate { signed }).await?, session);
    Ok(Exit::Done)
}

async fn delegated(client: &Client, new: New, session: &Session) -> anyhow::Result<Option<String>> {
    let total = new.total.ok_or_else(|| UsageError("say with --total how much may be spent".to_owned()))?;
    let now = SystemClock.now();
    let not_before = new.from.unwrap_or(now);
    let until = new.until.unwrap_or_else(|| not_before.after(Duration::from_hours(new.hours)));
    let hub = client.mandates().await?.hub;
    let (person, key) = mandate_keys::signing_key(session, client).await?;
    let terms = Terms {
        id: MandateId::new(now),
        hub,
        person,
        mode: Mode::Delegated,
        total,
        each: new.each,
        merchants: new.merchant,
        categories: new.category,
        not_before,
        until,
        count: new.count,
        quote: None,
        signed_at: now,
    };
    let any =
        |named: &[String], what: &str| if named.is_empty() { format!("any {what}") } else { plain(&named.join(", ")) };
    let question = format!(
        "Up to {total} in at most {} from {}, {}, until {until}, without asking you again. Allow it?",
        crate::amounts::count(u64::from(terms.count), "purchase"),
        any(&terms.merchants, "merchant"),
        any(&terms.categories, "category"),
    );
    if !confirm(session, new.yes, &question)? {
        return Ok(None);
    }
    Ok(Some(mandate_keys::signed(&terms, &key)?))
}

/// What a checkout is about, in a sentence.
pub fn asked(checkout: &Checkout) -> String {
    let Some(quote) = &checkout.quote else {
        return format!("The checkout at {} has no quote.", plain(&checkout.merchant));
    };
    let lines: Vec<String> =
        quote.lines.iter().map(|line| format!("{} × {}", line.quantity, plain(&line.title))).collect();
    let total = checkout.total.map(|total| total.to_string()).unwrap_or_default();
    format!("{} from {} for {total}, delivery included.", lines.join(", "), plain(&checkout.merchant))
}

async fn list(client: &Client, session: &Session) -> anyhow::Result<Exit> {
    let mandates = client.mandates().await?;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&mandates);
        return Ok(Exit::Done);
    }
    if mandates.items.is_empty() {
        terminal.note("nothing may be bought in your name; `kontor mandate new` allows something");
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["mandate", "mode", "state", "left", "of", "used", "until"]);
    for one in &mandates.items {
        table.row([
            one.id.to_string(),
            plain(&one.mode),
            plain(&one.state),
            one.left.to_string(),
            one.total.to_string(),
            format!("{} of {}", one.used, one.count),
            one.until.to_string(),
        ]);
    }
    terminal.data(&table.render(terminal));
    Ok(Exit::Done)
}

fn show(mandate: &Mandate, session: &Session) {
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(mandate);
        return;
    }
    let any = |named: &[String]| if named.is_empty() { "any".to_owned() } else { plain(&named.join(", ")) };
    let each = mandate.each.map(|each| format!(", at most {each} each")).unwrap_or_default();
    terminal.data(&format!("mandate {}: {}, {}", mandate.id, plain(&mandate.mode), plain(&mandate.state)));
    terminal.data(&format!("limit {}{each}; left {}, held {}", mandate.total, mandate.left, mandate.held));
    terminal.data(&format!("merchants {}; categories {}", any(&mandate.merchants), any(&mandate.categories)));
    terminal.data(&format!(
        "{} of {} purchases; {} until {}",
        mandate.used, mandate.count, mandate.not_before, mandate.until
    ));
    if let Some(quote) = &mandate.quote {
        terminal.data(&format!("for the quote {quote} only"));
    }
}
