//! `kontor ledger`: accounts and what went through them; the whole books, checked and exported.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use kontor_ledger::{Format, Ledger};
use kontor_types::SystemClock;
use kontor_wire::LedgerAccount;
use serde_json::json;

use crate::amounts::count;
use crate::config::HubFlags;
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::{Style, plain};
use crate::verbs::{every_page, write_out};

/// Read the books of a hub
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List your accounts and those of publishers that you administer; all of them for an administrator of the hub
    Accounts,
    /// Show the newest lines of an account
    Statement {
        /// The account's number
        account: i64,
    },
    /// Add the whole history up again, on the hub's own machine; it may run beside a working hub
    ///
    /// Ends with code 1 when something does not agree.
    Check {
        #[command(flatten)]
        hub: Box<HubFlags>,
    },
    /// Write the books for another program, on the hub's own machine; it may run beside a working hub
    Export {
        /// For which program: `hledger` or `beancount`
        #[arg(long, value_name = "PROGRAM", value_parser = format)]
        format: Format,
        /// The file to write; `-` for standard output
        #[arg(long, short, value_name = "FILE", default_value = "-")]
        output: PathBuf,
        #[command(flatten)]
        hub: Box<HubFlags>,
    },
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "hledger" => Ok(Format::Hledger),
        "beancount" => Ok(Format::Beancount),
        _ => Err("write `hledger` or `beancount`".to_owned()),
    }
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    match args.action {
        Action::Accounts => accounts(session).await,
        Action::Statement { account } => statement(account, session).await,
        Action::Check { hub } => check(&hub, session).await,
        Action::Export { format, output, hub } => export(format, &output, &hub, session).await,
    }
}

async fn accounts(session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let all = every_page(async |query| client.ledger_accounts(query).await.map(|page| (page.items, page.next_cursor)))
        .await?;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "items": all }));
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["account", "owner", "for", "balance", "free", ""]);
    for one in &all {
        let closed = if one.closed_at.is_some() { "closed" } else { "" };
        table.row([
            one.number.to_string(),
            owner(one),
            plain(&one.code),
            one.balance.to_string(),
            one.free.to_string(),
            closed.to_owned(),
        ]);
    }
    terminal.data(&table.render(terminal));
    Ok(Exit::Done)
}

fn owner(account: &LedgerAccount) -> String {
    plain(&format!("{}/{}", account.owner_kind, account.owner))
}

async fn statement(account: i64, session: &Session) -> anyhow::Result<Exit> {
    let statement = session.client()?.ledger_statement(account).await?;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&statement);
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["when", "what", "about", "with", "change", "held", "balance"]);
    for line in &statement.items {
        table.row([
            line.at.to_string(),
            plain(&line.kind),
            plain(&line.memo),
            line.other.to_string(),
            line.change.amount(),
            line.held.amount(),
            line.balance.to_string(),
        ]);
    }
    terminal.data(&table.render(terminal));
    terminal.note(&format!("{}, {}", owner(&statement.account), plain(&statement.account.code)));
    Ok(Exit::Done)
}

async fn check(hub: &HubFlags, session: &Session) -> anyhow::Result<Exit> {
    let (_, db, _) = super::maintenance::open(hub, session, true).await?;
    let findings =
        Ledger::start(db.clone(), Arc::new(SystemClock)).check().await.context("the check could not finish")?;
    db.close().await;
    let terminal = &session.terminal;
    let (clean, complaints) = (findings.are_clean(), &findings.complaints);
    if terminal.json {
        terminal.json(&json!({
            "agrees": clean, "accounts": findings.accounts, "transfers": findings.transfers, "legs": findings.legs,
            "wrong": findings.wrong, "complaints": complaints,
        }));
    } else {
        for complaint in complaints {
            terminal.data(&plain(complaint));
        }
        let read = format!("{}, {}", count(findings.accounts, "account"), count(findings.transfers, "transfer"));
        terminal.data(&if clean {
            format!("{} ({read})", terminal.paint(Style::Green, "the books agree"))
        } else {
            format!("{} ({read})", terminal.paint(Style::Red, &count(findings.wrong, "complaint")))
        });
    }
    Ok(if clean { Exit::Done } else { Exit::Failed })
}

async fn export(format: Format, output: &Path, hub: &HubFlags, session: &Session) -> anyhow::Result<Exit> {
    let (_, db, _) = super::maintenance::open(hub, session, true).await?;
    let ledger = Ledger::start(db.clone(), Arc::new(SystemClock));
    if output == Path::new("-") {
        let mut out = Vec::new();
        ledger.export(format, &mut out).await?;
        write_out(output, &out)?;
    } else {
        let file = File::create(output).with_context(|| format!("cannot write {}", output.display()))?;
        let mut out = BufWriter::new(file);
        ledger.export(format, &mut out).await?;
        out.flush().with_context(|| format!("cannot write {}", output.display()))?;
        session.terminal.note(&format!("{} holds the books", plain(&output.display().to_string())));
    }
    db.close().await;
    Ok(Exit::Done)
}
