//! The books as text that other accountants' programs read. What is held is not in it: only money that moved.

use std::collections::HashMap;
use std::io::Write;

use kontor_db::Conn;
use kontor_db::ledger_accounts::{self, Account, Side};
use kontor_db::ledger_transfers::{self, Counter, Leg, Transfer};
use kontor_types::{Currency, Timestamp};

use crate::{Error, Ledger};

/// Rows that are read at a time.
const PAGE: u32 = 1_000;
const DAY: i64 = 86_400_000_000;

/// Whose text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A journal of hledger (and of ledger).
    Hledger,
    /// A file of beancount.
    Beancount,
}

impl Ledger {
    /// Writes accounts, transfers in their order, and what must be in each account at the end, which the reader checks.
    pub async fn export(&self, format: Format, out: &mut (impl Write + Send)) -> Result<(), Error> {
        // History only grows and is numbered, so the end of it is a moment: nothing holds up whoever writes meanwhile.
        let mut conn = self.db().read().await?;
        let end = ledger_transfers::counter(&mut conn).await?;
        write(&mut conn, format, &end, out).await
    }
}

async fn write(conn: &mut Conn, format: Format, end: &Counter, out: &mut (impl Write + Send)) -> Result<(), Error> {
    let mut accounts = Vec::new();
    loop {
        let page =
            ledger_accounts::after(conn, accounts.last().map_or(0, |account: &Account| account.number), PAGE).await?;
        if page.is_empty() {
            break;
        }
        let all = page.last().is_none_or(|account| account.number >= end.accounts);
        accounts.extend(page.into_iter().take_while(|account| account.number <= end.accounts));
        if all {
            break;
        }
    }
    // What is in an account, counted on its debit side.
    let mut balances: HashMap<i64, i128> = HashMap::new();
    let names: HashMap<i64, String> = accounts.iter().map(|account| (account.number, name(account))).collect();
    // Clocks may disagree: an account is open from the first day on that anything has.
    let opened = accounts.iter().map(|account| account.opened_at).min();
    let first = ledger_transfers::after(conn, 0, 1).await?.first().map(|transfer| transfer.created_at);
    let mut days =
        Days { first: opened.into_iter().chain(first).min().unwrap_or(Timestamp::from_micros(0)), last: None };
    head(format, &accounts, &names, days.first, out)?;
    let mut after = 0;
    loop {
        let mut transfers = ledger_transfers::after(conn, after, PAGE).await?;
        transfers.retain(|transfer| transfer.number <= end.transfers);
        let Some(last) = transfers.last() else { break };
        after = last.number;
        let numbers: Vec<i64> = transfers.iter().map(|transfer| transfer.number).collect();
        let mut legs = ledger_transfers::legs_of(conn, &numbers).await?.into_iter().peekable();
        for transfer in &transfers {
            let mut mine = Vec::new();
            while let Some(leg) = legs.next_if(|leg| leg.transfer == transfer.number) {
                *balances.entry(leg.debit).or_default() += i128::from(leg.amount);
                *balances.entry(leg.credit).or_default() -= i128::from(leg.amount);
                mine.push(leg);
            }
            mine.retain(|leg| leg.amount > 0);
            if !mine.is_empty() {
                one(format, transfer, &mine, &names, &mut days, out)?;
            }
        }
    }
    tail(format, &accounts, (&names, &balances), &days, out)
}

/// The first day and the last; a transfer is never before the first.
struct Days {
    first: Timestamp,
    last: Option<Timestamp>,
}

fn head(
    format: Format,
    accounts: &[Account],
    names: &HashMap<i64, String>,
    first: Timestamp,
    out: &mut impl Write,
) -> Result<(), Error> {
    let mut currencies: Vec<Currency> = accounts.iter().map(|account| account.currency).collect();
    currencies.sort_unstable();
    currencies.dedup();
    for currency in currencies {
        match format {
            Format::Hledger if currency.exponent() == 0 => writeln!(out, "commodity 1000. {currency}")?,
            Format::Hledger => writeln!(
                out,
                "commodity {} {currency}",
                currency.minor(10_i64.pow(currency.exponent().into()) * 1000).amount()
            )?,
            Format::Beancount => writeln!(out, "{} commodity {currency}", first.day())?,
        }
    }
    for account in accounts {
        let name = names.get(&account.number).map_or("", String::as_str);
        let Account { owner_kind, owner, code, currency, .. } = account;
        match format {
            Format::Hledger => {
                writeln!(out, "account {name}  ; {} {} {}", comment(owner_kind), comment(owner), comment(code))?;
            }
            Format::Beancount => {
                writeln!(out, "{} open {name} {currency}", first.day())?;
                for (key, text) in [("owner_kind", owner_kind), ("owner", owner), ("code", code)] {
                    writeln!(out, "  {key}: {}", quoted(text))?;
                }
            }
        }
    }
    Ok(())
}

fn one(
    format: Format,
    transfer: &Transfer,
    legs: &[Leg],
    names: &HashMap<i64, String>,
    days: &mut Days,
    out: &mut impl Write,
) -> Result<(), Error> {
    let Transfer { number, key, kind, memo, created_at, .. } = transfer;
    let moment = (*created_at).max(days.first);
    days.last = days.last.max(Some(moment));
    let day = moment.day();
    match format {
        Format::Hledger => {
            writeln!(out, "\n{day} * ({number}) {}", plain(memo))?;
            writeln!(out, "    ; {kind} {}", comment(key))?;
        }
        Format::Beancount => {
            writeln!(out, "\n{day} * {}", quoted(memo))?;
            writeln!(out, "  number: \"{number}\"\n  kind: \"{kind}\"\n  key: {}", quoted(key))?;
        }
    }
    for leg in legs {
        let amount = leg.currency.minor(leg.amount);
        let name = |account: i64| names.get(&account).map_or("", String::as_str);
        writeln!(out, "  {}  {amount}", name(leg.debit))?;
        writeln!(out, "  {}  -{amount}", name(leg.credit))?;
    }
    Ok(())
}

fn tail(
    format: Format,
    accounts: &[Account],
    (names, balances): (&HashMap<i64, String>, &HashMap<i64, i128>),
    days: &Days,
    out: &mut impl Write,
) -> Result<(), Error> {
    let last = days.last.unwrap_or(days.first);
    // Beancount looks at the beginning of the day.
    let next = Timestamp::from_micros(last.micros().saturating_add(DAY)).day();
    if format == Format::Hledger && !accounts.is_empty() {
        writeln!(out, "\n{} * balances", last.day())?;
    }
    if format == Format::Beancount {
        writeln!(out)?;
    }
    for account in accounts {
        let name = names.get(&account.number).map_or("", String::as_str);
        let balance = balances.get(&account.number).copied().unwrap_or(0);
        let balance = account.currency.minor(i64::try_from(balance).unwrap_or(i64::MAX));
        match format {
            Format::Hledger => {
                writeln!(out, "  {name}  {} = {balance}", account.currency.minor(0))?;
            }
            // Without a tolerance of its own it would let the last digit pass.
            Format::Beancount => {
                writeln!(out, "{next} balance {name} {} ~ 0 {}", balance.amount(), balance.currency)?;
            }
        }
    }
    Ok(())
}

/// Letters, digits and dashes that both programs take; the number keeps it unique.
fn name(account: &Account) -> String {
    let root = if account.side == Side::Debit { "Assets" } else { "Liabilities" };
    let part = |text: &str| {
        let safe = text.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' });
        let safe: String = safe.take(40).collect();
        let mut safe = safe.trim_start_matches('-').to_owned();
        if let Some(first) = safe.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        if safe.is_empty() { "X".to_owned() } else { safe }
    };
    let (kind, owner, code) = (part(&account.owner_kind), part(&account.owner), part(&account.code));
    format!("{root}:{kind}:{owner}:{code}:N{}", account.number)
}

/// A description of hledger ends at a semicolon, so another one stands for it.
fn plain(text: &str) -> String {
    text.chars().map(|char| if char == ';' { '；' } else { char }).filter(|char| !char.is_control()).collect()
}

/// In a comment hledger reads `date:` and `[2026-01-01]`, so other signs stand for these too.
fn comment(text: &str) -> String {
    let other = |char| match char {
        ':' => '：',
        '[' => '［',
        char => char,
    };
    plain(text).chars().map(other).collect()
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars().filter(|char| !char.is_control()) {
        if matches!(char, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}
