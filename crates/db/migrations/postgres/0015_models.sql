-- Calls of models: what was used, the budgets they are paid from, and what processes hold of these.

-- Use by hour and everything it is told apart by; a text is empty where there is nothing to name.
create table model_usage (
    hour       bigint not null,
    person     text collate "C" not null,
    publisher  text collate "C" not null,
    run        text collate "C" not null,
    errand     text collate "C" not null,
    model      text collate "C" not null,
    upstream   text collate "C" not null,
    currency   text collate "C" not null,
    calls      bigint not null,
    failed     bigint not null,
    estimated  bigint not null,
    prompt     bigint not null,
    cached     bigint not null,
    completion bigint not null,
    -- Millionths of one major unit of the currency.
    cost       bigint not null,
    primary key (hour, person, publisher, run, errand, model, upstream, currency)
);
create index model_usage_person on model_usage (person, hour);
create index model_usage_publisher on model_usage (publisher, hour);
create index model_usage_run on model_usage (run, hour) where run <> '';
create index model_usage_errand on model_usage (errand, hour) where errand <> '';

-- How many batches of use each process has written: one that comes again changes nothing.
create table model_meter (
    process text collate "C" primary key,
    batches bigint not null,
    at      bigint not null
);

-- An amount that somebody may spend on models: an account of the ledger with its limit.
create table model_budget (
    account    bigint primary key references ledger_account (number),
    owner_kind text collate "C" not null check (owner_kind in ('person', 'publisher', 'errand')),
    owner      text collate "C" not null,
    currency   text collate "C" not null,
    -- In minor units.
    ceiling    bigint not null check (ceiling >= 0),
    -- Spent, but not yet posted, in millionths of one major unit.
    carry      bigint not null default 0 check (carry >= 0),
    set_by     uuid,
    set_at     bigint not null,
    closed_at  bigint,
    unique (owner_kind, owner, currency)
);
create index model_budget_set on model_budget (set_at);

-- What a process has reserved of a budget and spends from without asking again.
create table model_lease (
    reservation bigint primary key references ledger_transfer (number),
    account     bigint not null references model_budget (account),
    process     text collate "C" not null,
    -- In minor units.
    amount      bigint not null check (amount > 0),
    renewed_at  bigint not null
);
create index model_lease_process on model_lease (process);
create index model_lease_renewed on model_lease (renewed_at);
