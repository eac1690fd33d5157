//! The plain way, by `pgbench`: one transaction for each transfer, which locks both accounts in their order.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

const CLIENTS: &str = "8";

const TABLES: &str = "
create table account (id bigint primary key, currency char(3) not null, debits bigint not null default 0 check (debits >= 0),
    credits bigint not null default 0 check (credits >= 0), overdraft boolean not null default true,
    check (overdraft or credits >= debits));
create table transfer (id uuid primary key, currency char(3) not null, created timestamptz not null default now());
create table entry (transfer uuid references transfer (id), account bigint references account (id),
    amount bigint not null check (amount <> 0), primary key (transfer, account));
insert into account select g, 'CNY' from generate_series(1, ACCOUNTS) g;
analyze account;
";

const TRANSFER: &str = r"
\set b 1 + (:a + random(0, ACCOUNTS - 2)) % ACCOUNTS
\set amount random(1, 10000)
\set low least(:a, :b)
\set high greatest(:a, :b)
begin;
with t as (insert into transfer (id, currency) values (gen_random_uuid(), 'CNY') returning id) insert into entry select id, :a::bigint, 0 - :amount::bigint from t union all select id, :b::bigint, :amount::bigint from t;
update account set debits = debits + case when id = :a::bigint then :amount::bigint else 0 end, credits = credits + case when id = :b::bigint then :amount::bigint else 0 end where id = :low::bigint;
update account set debits = debits + case when id = :a::bigint then :amount::bigint else 0 end, credits = credits + case when id = :b::bigint then :amount::bigint else 0 end where id = :high::bigint;
commit;
";

/// Transfers a second in this empty database.
pub fn measure(address: &str, accounts: u64, hot: bool, seconds: u32) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let count = accounts.to_string();
    capture(Command::new(program("psql")).args([address, "-qc", &TABLES.replace("ACCOUNTS", &count)]))?;
    let first = if hot { r"\set a 1".to_owned() } else { format!(r"\set a random(1, {count})") };
    let script = folder.path().join("transfer.sql");
    std::fs::write(&script, first + &TRANSFER.replace("ACCOUNTS", &count))?;
    let mut bench = Command::new(program("pgbench"));
    bench.args(["-n", "-M", "prepared", "-c", CLIENTS, "-j", "2", "-T", &seconds.to_string(), "-f"]);
    let told = capture(bench.arg(script).arg(address))?;
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.with_context(|| format!("pgbench does not tell its rate: {told}"))
}

/// The newest that the system has, or the one on the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.is_file()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

fn capture(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{}: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
