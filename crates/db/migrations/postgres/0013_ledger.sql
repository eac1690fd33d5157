-- The ledger: accounts, transfers between them, and the legs of transfers, of which every balance is the sum.

-- While this row is here the rules below hold; a restore takes it away before it puts rows back as they were.
create table ledger_rule (
    sealed bigint primary key check (sealed = 1)
);
insert into ledger_rule (sealed) values (1);

-- How many there are of each, and the digest of everything so far. Whoever writes to the ledger changes this row first, so
-- that all writing is one history.
create table ledger_counter (
    sealed    bigint primary key check (sealed = 1),
    accounts  bigint not null,
    transfers bigint not null,
    legs      bigint not null,
    digest    bytea not null
);
insert into ledger_counter (sealed, accounts, transfers, legs, digest)
    values (1, 0, 0, 0, decode(repeat('00', 32), 'hex'));

create table ledger_account (
    number       bigint primary key,
    owner_kind   text collate "C" not null,
    owner        text collate "C" not null,
    code         text collate "C" not null,
    currency     text collate "C" not null check (length(currency) = 3),
    side         text collate "C" not null check (side in ('debit', 'credit')),
    guarded      boolean not null,
    opened_at    bigint not null,
    closed_at    bigint,
    debits       bigint not null default 0 check (debits >= 0),
    credits      bigint not null default 0 check (credits >= 0),
    held_debits  bigint not null default 0 check (held_debits >= 0),
    held_credits bigint not null default 0 check (held_credits >= 0),
    last_leg     bigint not null default 0,
    unique (owner_kind, owner, code, currency),
    constraint ledger_account_not_negative check (not guarded
        or case side when 'credit' then credits - debits - held_debits else debits - credits - held_credits end >= 0)
) with (fillfactor = 60);

create table ledger_transfer (
    number     bigint primary key,
    key        text collate "C" not null unique,
    kind       text collate "C" not null check (kind in ('move', 'reserve', 'post', 'void', 'refund')),
    request    bytea not null,
    origin     bigint,
    first_leg  bigint not null,
    legs       bigint not null check (legs > 0),
    expires_at bigint,
    memo       text collate "C" not null,
    created_at bigint not null,
    check ((origin is null) = (kind in ('move', 'reserve'))),
    check (expires_at is null or kind = 'reserve')
);
create unique index ledger_transfer_settled on ledger_transfer (origin) where kind in ('post', 'void');
create index ledger_transfer_refunds on ledger_transfer (origin) where kind = 'refund';

-- One amount from the debited account to the credited one: no leg can be out of balance, so no transfer can.
-- `held` is what it adds to, or takes from, what both accounts hold for a reservation. The two `before` are the legs that
-- touched the accounts last, 0 for none. That transfer and accounts exist is checked for all new legs at once below.
create table ledger_leg (
    number        bigint primary key,
    transfer      bigint not null,
    kind          text collate "C" not null,
    debit         bigint not null,
    credit        bigint not null,
    currency      text collate "C" not null,
    amount        bigint not null,
    held          bigint not null,
    origin        bigint,
    debit_before  bigint not null,
    credit_before bigint not null,
    check (debit <> credit),
    check (case kind
        when 'move' then amount > 0 and held = 0 and origin is null
        when 'reserve' then amount = 0 and held > 0 and origin is null
        when 'post' then amount >= 0 and held < 0 and amount <= -held and origin is not null
        when 'void' then amount = 0 and held < 0 and origin is not null
        when 'refund' then amount > 0 and held = 0 and origin is not null
        else false end)
);
create unique index ledger_leg_settled on ledger_leg (origin) where kind in ('post', 'void');
create index ledger_leg_refunds on ledger_leg (origin) where kind = 'refund';

-- Reservations that are neither posted nor void.
create table ledger_hold (
    transfer   bigint primary key,
    expires_at bigint
);
create index ledger_hold_expiry on ledger_hold (expires_at) where expires_at is not null;

-- The transfers of one commit, and the digest of the ones before with these.
create table ledger_batch (
    last   bigint primary key,
    first  bigint not null,
    digest bytea not null
);

-- The plans of this function are kept by the connection, often from a time when the tables were small.
create function ledger_leg_counts() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    missing bigint;
begin
    if not exists (select 1 from ledger_rule) then
        return null;
    end if;
    if exists (select 1 from added n where not exists (
        select 1 from ledger_transfer t where t.number = n.transfer and t.kind = n.kind
            and n.number >= t.first_leg and n.number < t.first_leg + t.legs))
    then
        raise exception 'ledger: a leg is no part of its transfer' using errcode = 'check_violation';
    end if;
    with side as (
        select number, kind, debit as account, currency, amount as debits, 0::bigint as credits, held as held_debits,
            0::bigint as held_credits from added
        union all
        select number, kind, credit, currency, 0, amount, 0, held from added
    ), total as materialized (
        select account, min(currency) as currency, max(currency) as other, max(number) as last,
            bool_or(kind not in ('void', 'refund')) as opens, sum(debits)::bigint as debits,
            sum(credits)::bigint as credits, sum(held_debits)::bigint as held_debits,
            sum(held_credits)::bigint as held_credits
        from side group by account
    ), moved as (
        update ledger_account a set debits = a.debits + t.debits, credits = a.credits + t.credits,
            held_debits = a.held_debits + t.held_debits, held_credits = a.held_credits + t.held_credits,
            last_leg = t.last
        from total t where a.number = t.account and a.currency = t.currency and t.currency = t.other
            and a.last_leg < t.last and (a.closed_at is null or not t.opens)
        returning 1
    )
    select (select count(*) from total) - (select count(*) from moved) into missing;
    if missing <> 0 then
        raise exception 'ledger: an account does not take its legs' using errcode = 'check_violation';
    end if;
    if exists (select 1 from added n where n.kind in ('post', 'void') and not exists (
        select 1 from ledger_leg o where o.number = n.origin and o.kind = 'reserve' and o.debit = n.debit
            and o.credit = n.credit and o.currency = n.currency and o.held = -n.held))
    then
        raise exception 'ledger: a leg does not settle its reservation' using errcode = 'check_violation';
    end if;
    if exists (select 1 from added n where n.kind = 'refund' and not exists (
        select 1 from ledger_leg o where o.number = n.origin and o.kind in ('move', 'post') and o.debit = n.credit
            and o.credit = n.debit and o.currency = n.currency and o.amount >= (
                select sum(r.amount) from ledger_leg r where r.origin = n.origin and r.kind = 'refund')))
    then
        raise exception 'ledger: more is refunded than was captured' using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create trigger ledger_leg_counts after insert on ledger_leg
    referencing new table as added for each statement execute function ledger_leg_counts();

create function ledger_transfer_holds() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    missing bigint;
begin
    if not exists (select 1 from ledger_rule) then
        return null;
    end if;
    insert into ledger_hold (transfer, expires_at) select number, expires_at from added where kind = 'reserve';
    with gone as (
        delete from ledger_hold h using added n where h.transfer = n.origin and n.kind in ('post', 'void') returning 1
    )
    select (select count(*) from added where kind in ('post', 'void')) - (select count(*) from gone) into missing;
    if missing <> 0 then
        raise exception 'ledger: the reservation is settled already' using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create trigger ledger_transfer_holds after insert on ledger_transfer
    referencing new table as added for each statement execute function ledger_transfer_holds();

create function ledger_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'ledger: %', tg_argv[0] using errcode = 'check_violation';
end
$$;
create function ledger_account_opens() returns trigger language plpgsql as $$
begin
    if exists (select 1 from ledger_rule) then
        raise exception 'ledger: an account begins empty' using errcode = 'check_violation';
    end if;
    return new;
end
$$;

-- An account changes by legs and by nothing else.
create trigger ledger_account_moves before update on ledger_account for each row
    when (pg_trigger_depth() = 0 and (old.debits, old.credits, old.held_debits, old.held_credits, old.last_leg)
        is distinct from (new.debits, new.credits, new.held_debits, new.held_credits, new.last_leg))
    execute function ledger_refuse('a balance changes by legs only');
create trigger ledger_account_opens before insert on ledger_account for each row
    when (new.debits <> 0 or new.credits <> 0 or new.held_debits <> 0 or new.held_credits <> 0 or new.last_leg <> 0)
    execute function ledger_account_opens();
create trigger ledger_account_stays before update of number, owner_kind, owner, code, currency, side, guarded, opened_at
    on ledger_account for each statement execute function ledger_refuse('an account stays what it is');
create trigger ledger_account_kept before delete or truncate on ledger_account
    for each statement execute function ledger_refuse('nothing is taken away');
create trigger ledger_transfer_stays before update on ledger_transfer
    for each statement execute function ledger_refuse('a transfer stays what it is');
create trigger ledger_transfer_kept before delete or truncate on ledger_transfer
    for each statement execute function ledger_refuse('nothing is taken away');
create trigger ledger_leg_stays before update on ledger_leg
    for each statement execute function ledger_refuse('a leg stays what it is');
create trigger ledger_leg_kept before delete or truncate on ledger_leg
    for each statement execute function ledger_refuse('nothing is taken away');
create trigger ledger_batch_stays before update on ledger_batch
    for each statement execute function ledger_refuse('a batch stays what it is');
create trigger ledger_batch_kept before delete or truncate on ledger_batch
    for each statement execute function ledger_refuse('nothing is taken away');
