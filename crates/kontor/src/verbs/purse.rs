//! `kontor purse`: the money that purchases are paid from.

use kontor_types::{Handle, Money};
use kontor_wire::NewTopUp;

use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;

/// Look into your purse, and fill one
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what is in your purse, and what purchases under way hold
    Show,
    /// Put money from the simulated bank into a purse, for administrators
    TopUp {
        /// How much, for example `¥100` or `20.00 EUR`
        amount: Money,
        /// Whose purse; your own unless told
        #[arg(long, value_name = "NAME")]
        person: Option<Handle>,
    },
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let terminal = &session.terminal;
    match args.action {
        Action::Show => {
            let purse = client.purse().await?;
            if terminal.json {
                terminal.json(&purse);
            } else if purse.items.is_empty() {
                terminal.note("your purse is empty; an administrator fills it with `kontor purse top-up`");
            } else {
                let mut table = Table::titled(&["balance", "free", "account"]);
                for one in &purse.items {
                    table.row([one.balance.to_string(), one.free.to_string(), one.account.to_string()]);
                }
                terminal.data(&table.render(terminal));
            }
        }
        Action::TopUp { amount, person } => {
            let balance = client.top_up(&NewTopUp { person, amount }).await?;
            if terminal.json {
                terminal.json(&balance);
            } else {
                terminal.data(&format!("{} are in the purse, {} of it free", balance.balance, balance.free));
            }
        }
    }
    Ok(Exit::Done)
}
