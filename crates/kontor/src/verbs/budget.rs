//! `kontor budget`: what people, organisations and errands may spend on models.

use clap::Subcommand;
use kontor_types::{Currency, Money};
use kontor_wire::{Budget, BudgetLimit};
use serde_json::json;

use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::confirm;

/// Limit what people, organisations and errands may spend on models
///
/// The most that a call can cost is reserved before it and settled after it, so that no number of calls at once spends more
/// than the limit. A call for which there is not enough is refused with status 402.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Set a limit: the whole amount, with what is spent already
    Set {
        /// Whose: `person:ada`, `publisher:acme` or `errand:ID`
        owner: String,
        /// The amount in major units, for example `20` or `20.50`
        amount: String,
        /// The currency, for example `USD` or `CNY`; that of the models' prices
        currency: Currency,
    },
    /// List the budgets that you may see
    List,
    /// Show where a budget stands
    Show {
        /// Whose: `person:ada`, `publisher:acme` or `errand:ID`
        owner: String,
    },
    /// Let nothing more be spent; setting a limit opens it again
    Close {
        /// Whose: `person:ada`, `publisher:acme` or `errand:ID`
        owner: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    match args.action {
        Action::Set { owner, amount, currency } => {
            let limit: Money = currency.parse_amount(&amount).map_err(|error| UsageError(error.to_string()))?;
            let limit = BudgetLimit { limit: limit.amount(), currency: currency.to_string() };
            tell(&[client.set_budget(&owner, &limit).await?], session);
        }
        Action::List => tell(&client.budgets().await?.items, session),
        Action::Show { owner } => tell(&client.budget(&owner).await?.items, session),
        Action::Close { owner, yes } => {
            let question = format!("Nothing more is spent from the budget of {}. Close it?", plain(&owner));
            if !confirm(session, yes, &question)? {
                return Ok(Exit::Failed);
            }
            client.close_budget(&owner).await?;
            tell(&client.budget(&owner).await?.items, session);
        }
    }
    Ok(Exit::Done)
}

fn tell(budgets: &[Budget], session: &Session) {
    if session.terminal.json {
        session.terminal.json(&json!({ "items": budgets }));
        return;
    }
    if budgets.is_empty() {
        session.terminal.note("there is no budget that you may see; `kontor budget set` makes one");
        return;
    }
    let mut table = Table::titled(&["owner", "currency", "limit", "spent", "held", "free", "state"]);
    for one in budgets.iter().cloned() {
        let state = if one.closed { "closed" } else { "open" };
        table.row([one.owner, one.currency, one.limit, one.spent, one.held, one.free, state.to_owned()]);
    }
    session.terminal.data(&table.render(&session.terminal));
}
