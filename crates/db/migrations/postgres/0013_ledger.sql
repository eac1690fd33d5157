-- The ledger: accounts, transfers between them, and the legs of transfers, of which every balance is the sum.

-- While this row is here the rules below hold; a restore takes it away before it puts rows back as they were.
create table ledger_rule (
    sealed bigint primary key check (sealed = 1)
);
insert into ledger_rule (sealed) values (1);

-- How many there are of each, when the newest commit was made, and the digest of everything so far. Whoever writes to the ledger
-- takes this row first, so that all writing is one history. While `writing` is 2 rows may come; only a row of `ledger_batch`
-- that counts them all takes it away again, and a transaction that leaves it behind cannot commit.
create table ledger_counter (
    sealed    bigint primary key check (sealed = 1) references ledger_rule (sealed) deferrable initially deferred,
    commits   bigint not null,
    accounts  bigint not null,
    closings  bigint not null,
    transfers bigint not null,
    legs      bigint not null,
    made_at   bigint not null,
    digest    bytea not null,
    writing   bigint check (writing = 2) references ledger_rule (sealed) deferrable initially deferred
) with (fillfactor = 50);
insert into ledger_counter (sealed, commits, accounts, closings, transfers, legs, made_at, digest)
    values (1, 0, 0, 0, 0, 0, 0, decode(repeat('00', 32), 'hex'));

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

-- The end of an account: from then on it takes nothing new. An account ends once.
create table ledger_closing (
    number    bigint primary key,
    account   bigint not null unique references ledger_account (number),
    closed_at bigint not null
);

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
-- touched the accounts last, 0 for none. That transfer and accounts exist is checked for all legs of a commit at once below.
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

-- One commit: how many there are of each after it, and the digest of the commit before with all that this one added.
create table ledger_batch (
    number    bigint primary key,
    accounts  bigint not null,
    closings  bigint not null,
    transfers bigint not null,
    legs      bigint not null,
    made_at   bigint not null,
    digest    bytea not null
);

create function ledger_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'ledger: %', tg_argv[0] using errcode = 'check_violation';
end
$$;

-- Rows come only between the two: after `writing` was set, and before the commit's own row.
create function ledger_comes() returns trigger language plpgsql as $$
begin
    if exists (select 1 from ledger_rule) and not exists (select 1 from ledger_counter where writing = 2) then
        raise exception 'ledger: rows are added by a commit' using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create trigger ledger_account_comes before insert on ledger_account for each statement execute function ledger_comes();
create trigger ledger_closing_comes before insert on ledger_closing for each statement execute function ledger_comes();
create trigger ledger_transfer_comes before insert on ledger_transfer for each statement execute function ledger_comes();
create trigger ledger_leg_comes before insert on ledger_leg for each statement execute function ledger_comes();

create function ledger_account_opens() returns trigger language plpgsql as $$
begin
    if exists (select 1 from ledger_rule) then
        raise exception 'ledger: an account begins empty and open' using errcode = 'check_violation';
    end if;
    return new;
end
$$;
create trigger ledger_account_opens before insert on ledger_account for each row
    when (new.debits <> 0 or new.credits <> 0 or new.held_debits <> 0 or new.held_credits <> 0 or new.last_leg <> 0
        or new.closed_at is not null)
    execute function ledger_account_opens();

-- Everything that a commit added is judged and counted when its own row comes.
-- The plans of this function are kept by the connection, often from a time when the tables were small.
create function ledger_batch_counts() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    c ledger_counter%rowtype;
    changed bigint;
    wanted bigint;
begin
    if not exists (select 1 from ledger_rule) then
        return null;
    end if;
    select * into c from ledger_counter where sealed = 1;
    if c.writing is distinct from 2 or c.commits + 1 <> new.number or c.made_at > new.made_at then
        raise exception 'ledger: a commit follows on the one before' using errcode = 'check_violation';
    end if;
    if new.accounts - c.accounts <> (select count(*) from ledger_account where number > c.accounts)
        or new.accounts <> coalesce((select max(number) from ledger_account), 0)
        or new.closings - c.closings <> (select count(*) from ledger_closing where number > c.closings)
        or new.closings <> coalesce((select max(number) from ledger_closing), 0)
        or new.transfers - c.transfers <> (select count(*) from ledger_transfer where number > c.transfers)
        or new.transfers <> coalesce((select max(number) from ledger_transfer), 0)
        or new.legs - c.legs <> (select coalesce(sum(legs), 0) from ledger_transfer where number > c.transfers)
        or new.legs <> coalesce((select max(number) from ledger_leg), 0)
    then
        raise exception 'ledger: the rows of a commit are not those that it counts' using errcode = 'check_violation';
    end if;
    if new.legs - c.legs <> (select count(*) from ledger_leg l join ledger_transfer t on t.number = l.transfer
        where l.number > c.legs and t.number > c.transfers and t.kind = l.kind
            and l.number >= t.first_leg and l.number < t.first_leg + t.legs)
    then
        raise exception 'ledger: a leg is no part of its transfer' using errcode = 'check_violation';
    end if;
    if exists (select 1 from ledger_transfer t where t.number > c.transfers and t.origin is not null
        and not exists (select 1 from ledger_transfer o where o.number = t.origin
            and (t.kind = 'refund' or (o.kind = 'reserve' and o.legs = t.legs))))
    then
        raise exception 'ledger: a transfer does not settle its whole reservation' using errcode = 'check_violation';
    end if;
    if exists (select 1 from ledger_leg l join ledger_transfer t on t.number = l.transfer
        where l.number > c.legs and l.held < 0 and not exists (
            select 1 from ledger_leg o where o.number = l.origin and o.transfer = t.origin and o.debit = l.debit
                and o.credit = l.credit and o.currency = l.currency and o.held = -l.held))
    then
        raise exception 'ledger: a leg does not settle its reservation' using errcode = 'check_violation';
    end if;
    if exists (select 1 from ledger_leg l join ledger_transfer t on t.number = l.transfer
        where l.number > c.legs and l.held = 0 and l.origin is not null and not exists (
            select 1 from ledger_leg o where o.number = l.origin and o.transfer = t.origin
                and o.kind in ('move', 'post') and o.debit = l.credit and o.credit = l.debit
                and o.currency = l.currency and o.amount >= (
                    select sum(r.amount) from ledger_leg r where r.origin = l.origin and r.kind = 'refund')))
    then
        raise exception 'ledger: more is refunded than was captured' using errcode = 'check_violation';
    end if;
    if exists (
        select 1 from (
            select account, before, lag(number) over (partition by account order by number) as previous from (
                select number, debit as account, debit_before as before from ledger_leg where number > c.legs
                union all
                select number, credit, credit_before from ledger_leg where number > c.legs) e) s
            left join ledger_account a on s.previous is null and a.number = s.account
        where s.before is distinct from coalesce(s.previous, a.last_leg))
    then
        raise exception 'ledger: a leg does not continue its account' using errcode = 'check_violation';
    end if;
    with side as (
        select number, kind, debit as account, currency, amount as debits, 0::bigint as credits, held as held_debits,
            0::bigint as held_credits from ledger_leg where number > c.legs
        union all
        select number, kind, credit, currency, 0, amount, 0, held from ledger_leg where number > c.legs
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
            and (a.closed_at is null or not t.opens)
        returning 1
    )
    select (select count(*) from moved), (select count(*) from total) into changed, wanted;
    if changed <> wanted then
        raise exception 'ledger: an account does not take its legs' using errcode = 'check_violation';
    end if;
    insert into ledger_hold (transfer, expires_at)
        select number, expires_at from ledger_transfer where number > c.transfers and kind = 'reserve';
    delete from ledger_hold h using ledger_transfer t
        where t.number > c.transfers and h.transfer = case when t.kind in ('post', 'void') then t.origin end;
    get diagnostics changed = row_count;
    if changed <> (select count(case when kind in ('post', 'void') then 1 end) from ledger_transfer
            where number > c.transfers) then
        raise exception 'ledger: the reservation is settled already' using errcode = 'check_violation';
    end if;
    update ledger_account a set closed_at = s.closed_at from ledger_closing s
        where s.number > c.closings and a.number = s.account;
    update ledger_counter set commits = new.number, accounts = new.accounts, closings = new.closings,
        transfers = new.transfers, legs = new.legs, made_at = new.made_at, digest = new.digest, writing = null
        where sealed = 1;
    return null;
end
$$;
create trigger ledger_batch_counts after insert on ledger_batch for each row execute function ledger_batch_counts();

-- The counter, the accounts and what is held change by a commit's own row, and at no other time.
create function ledger_counter_counts() returns trigger language plpgsql as $$
begin
    if exists (select 1 from ledger_rule) then
        raise exception 'ledger: the counter changes by commits only' using errcode = 'check_violation';
    end if;
    return coalesce(new, old);
end
$$;
create trigger ledger_counter_counts before update on ledger_counter for each row
    when (pg_trigger_depth() = 0 and (new.writing is null or (old.sealed, old.commits, old.accounts, old.closings,
        old.transfers, old.legs, old.made_at, old.digest) is distinct from (new.sealed, new.commits, new.accounts,
        new.closings, new.transfers, new.legs, new.made_at, new.digest)))
    execute function ledger_counter_counts();
create trigger ledger_counter_kept before delete on ledger_counter
    for each row execute function ledger_counter_counts();
create trigger ledger_account_moves before update on ledger_account for each row
    when (pg_trigger_depth() = 0 and (old.debits, old.credits, old.held_debits, old.held_credits, old.last_leg, old.closed_at)
        is distinct from (new.debits, new.credits, new.held_debits, new.held_credits, new.last_leg, new.closed_at))
    execute function ledger_refuse('a balance changes by legs only, and an account is closed by a closing only');
create function ledger_hold_comes() returns trigger language plpgsql as $$
begin
    if exists (select 1 from ledger_rule) then
        raise exception 'ledger: money is held by a reservation only' using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create trigger ledger_hold_comes before insert on ledger_hold for each statement
    when (pg_trigger_depth() = 0) execute function ledger_hold_comes();
create trigger ledger_hold_kept before update or delete on ledger_hold for each statement
    when (pg_trigger_depth() = 0) execute function ledger_refuse('money is freed by a settlement only');
create trigger ledger_hold_cleared before truncate on ledger_hold
    for each statement execute function ledger_refuse('nothing is taken away');
create trigger ledger_account_stays before update of number, owner_kind, owner, code, currency, side, guarded, opened_at
    on ledger_account for each statement execute function ledger_refuse('an account stays what it is');
create trigger ledger_account_kept before delete or truncate on ledger_account
    for each statement execute function ledger_refuse('nothing is taken away');
create trigger ledger_closing_stays before update on ledger_closing
    for each statement execute function ledger_refuse('a closing stays what it is');
create trigger ledger_closing_kept before delete or truncate on ledger_closing
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
    for each statement execute function ledger_refuse('a commit stays what it is');
create trigger ledger_batch_kept before delete or truncate on ledger_batch
    for each statement execute function ledger_refuse('nothing is taken away');
