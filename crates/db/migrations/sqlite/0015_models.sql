-- Calls of models: what was used, the budgets they are paid from, and what processes hold of these.

-- Use by hour and everything it is told apart by; a text is empty where there is nothing to name.
create table model_usage (
    hour       integer not null,
    person     text not null,
    publisher  text not null,
    run        text not null,
    errand     text not null,
    model      text not null,
    upstream   text not null,
    currency   text not null,
    calls      integer not null,
    failed     integer not null,
    estimated  integer not null,
    prompt     integer not null,
    cached     integer not null,
    completion integer not null,
    -- Millionths of one major unit of the currency.
    cost       integer not null,
    primary key (hour, person, publisher, run, errand, model, upstream, currency)
) strict, without rowid;
create index model_usage_person on model_usage (person, hour);
create index model_usage_publisher on model_usage (publisher, hour);
create index model_usage_run on model_usage (run, hour) where run <> '';
create index model_usage_errand on model_usage (errand, hour) where errand <> '';

-- How many batches of use each process has written: one that comes again changes nothing.
create table model_meter (
    process text primary key,
    batches integer not null,
    at      integer not null
) strict;

-- An amount that somebody may spend on models: an account of the ledger with its limit.
create table model_budget (
    account    integer primary key references ledger_account (number),
    owner_kind text not null check (owner_kind in ('person', 'publisher', 'errand')),
    owner      text not null,
    currency   text not null,
    -- In minor units.
    ceiling    integer not null check (ceiling >= 0),
    -- Spent, but not yet posted, in millionths of one major unit.
    carry      integer not null default 0 check (carry >= 0),
    set_by     blob,
    set_at     integer not null,
    closed_at  integer,
    unique (owner_kind, owner, currency)
) strict;
create index model_budget_set on model_budget (set_at);

-- What a process has reserved of a budget and spends from without asking again.
create table model_lease (
    reservation integer primary key references ledger_transfer (number),
    account     integer not null references model_budget (account),
    process     text not null,
    -- In minor units.
    amount      integer not null check (amount > 0),
    renewed_at  integer not null
) strict;
create index model_lease_process on model_lease (process);
create index model_lease_renewed on model_lease (renewed_at);
