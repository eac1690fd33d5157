-- The ledger: accounts, transfers between them, and the legs of transfers, of which every balance is the sum.

-- While this row is here the rules below hold; a restore takes it away before it puts rows back as they were.
create table ledger_rule (
    sealed integer primary key check (sealed = 1)
) strict;
insert into ledger_rule (sealed) values (1);

-- How many there are of each, when the newest commit was made, and the digest of everything so far. Whoever writes to the ledger
-- takes this row first, so that all writing is one history. While `writing` is 2 rows may come; only a row of `ledger_batch`
-- that counts them all takes it away again, and a transaction that leaves it behind cannot commit.
create table ledger_counter (
    sealed    integer primary key check (sealed = 1) references ledger_rule (sealed) deferrable initially deferred,
    commits   integer not null,
    accounts  integer not null,
    closings  integer not null,
    transfers integer not null,
    legs      integer not null,
    made_at   integer not null,
    digest    blob not null,
    writing   integer check (writing = 2) references ledger_rule (sealed) deferrable initially deferred
) strict;
insert into ledger_counter (sealed, commits, accounts, closings, transfers, legs, made_at, digest)
    values (1, 0, 0, 0, 0, 0, 0, zeroblob(32));

create table ledger_account (
    number       integer primary key,
    owner_kind   text not null,
    owner        text not null,
    code         text not null,
    currency     text not null check (length(currency) = 3),
    side         text not null check (side in ('debit', 'credit')),
    guarded      integer not null check (guarded in (0, 1)),
    opened_at    integer not null,
    closed_at    integer,
    debits       integer not null default 0 check (debits >= 0),
    credits      integer not null default 0 check (credits >= 0),
    held_debits  integer not null default 0 check (held_debits >= 0),
    held_credits integer not null default 0 check (held_credits >= 0),
    last_leg     integer not null default 0,
    unique (owner_kind, owner, code, currency),
    constraint ledger_account_not_negative check (guarded = 0
        or case side when 'credit' then credits - debits - held_debits else debits - credits - held_credits end >= 0)
) strict;

-- The end of an account: from then on it takes nothing new. An account ends once.
create table ledger_closing (
    number    integer primary key,
    account   integer not null unique references ledger_account (number),
    closed_at integer not null
) strict;

create table ledger_transfer (
    number     integer primary key,
    key        text not null unique,
    kind       text not null check (kind in ('move', 'reserve', 'post', 'void', 'refund')),
    request    blob not null,
    origin     integer references ledger_transfer (number),
    first_leg  integer not null,
    legs       integer not null check (legs > 0),
    expires_at integer,
    memo       text not null,
    created_at integer not null,
    check ((origin is null) = (kind in ('move', 'reserve'))),
    check (expires_at is null or kind = 'reserve')
) strict;
create unique index ledger_transfer_settled on ledger_transfer (origin) where kind in ('post', 'void');
create index ledger_transfer_refunds on ledger_transfer (origin) where kind = 'refund';

-- One amount from the debited account to the credited one: no leg can be out of balance, so no transfer can.
-- `held` is what it adds to, or takes from, what both accounts hold for a reservation. The two `before` are the legs that
-- touched the accounts last, 0 for none. That the accounts exist is checked for all legs of a commit at once below.
create table ledger_leg (
    number        integer primary key,
    transfer      integer not null references ledger_transfer (number),
    kind          text not null,
    debit         integer not null,
    credit        integer not null,
    currency      text not null,
    amount        integer not null,
    held          integer not null,
    origin        integer references ledger_leg (number),
    debit_before  integer not null,
    credit_before integer not null,
    check (debit <> credit),
    check (case kind
        when 'move' then amount > 0 and held = 0 and origin is null
        when 'reserve' then amount = 0 and held > 0 and origin is null
        when 'post' then amount >= 0 and held < 0 and amount <= -held and origin is not null
        when 'void' then amount = 0 and held < 0 and origin is not null
        when 'refund' then amount > 0 and held = 0 and origin is not null
        else false end)
) strict;
create unique index ledger_leg_settled on ledger_leg (origin) where kind in ('post', 'void');
create index ledger_leg_refunds on ledger_leg (origin) where kind = 'refund';

-- Reservations that are neither posted nor void.
create table ledger_hold (
    transfer   integer primary key,
    expires_at integer
) strict;
create index ledger_hold_expiry on ledger_hold (expires_at) where expires_at is not null;

-- One commit: how many there are of each after it, and the digest of the commit before with all that this one added.
create table ledger_batch (
    number    integer primary key,
    accounts  integer not null,
    closings  integer not null,
    transfers integer not null,
    legs      integer not null,
    made_at   integer not null,
    digest    blob not null
) strict;

-- Rows come only between the two: after `writing` was set, and before the commit's own row.
create trigger ledger_account_opens before insert on ledger_account when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: an account is opened by a commit, behind all others')
        where not exists (select 1 from ledger_counter where writing = 2 and accounts < new.number)
            or exists (select 1 from ledger_account where owner_kind = new.owner_kind and owner = new.owner
                and code = new.code and currency = new.currency);
    select raise(abort, 'ledger: an account begins empty and open') where new.closed_at is not null
        or new.debits + new.credits + new.held_debits + new.held_credits + new.last_leg <> 0;
end;
create trigger ledger_closing_comes before insert on ledger_closing when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: an account is closed by a commit, once')
        where not exists (select 1 from ledger_counter where writing = 2 and closings < new.number)
            or exists (select 1 from ledger_closing where account = new.account);
end;
create trigger ledger_transfer_comes before insert on ledger_transfer when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: a transfer is added by a commit, behind all others')
        where not exists (select 1 from ledger_counter where writing = 2 and transfers < new.number);
end;
create trigger ledger_leg_comes before insert on ledger_leg when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: a leg is added by a commit, behind all others')
        where not exists (select 1 from ledger_counter where writing = 2 and legs < new.number);
end;
create trigger ledger_leg_follows before insert on ledger_leg
    when new.kind in ('post', 'void') and exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: the leg is settled already')
        where exists (select 1 from ledger_leg where origin = new.origin and kind in ('post', 'void'));
end;
create trigger ledger_batch_comes before insert on ledger_batch when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: a commit follows on the one before') where not exists (
        select 1 from ledger_counter where writing = 2 and commits + 1 = new.number and made_at <= new.made_at);
end;

-- Everything that a commit added is judged and counted when its own row comes.
create trigger ledger_batch_counts after insert on ledger_batch when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: the rows of a commit are not those that it counts') from ledger_counter c
        where new.accounts - c.accounts <> (select count(*) from ledger_account where number > c.accounts)
            or new.accounts <> coalesce((select max(number) from ledger_account), 0)
            or new.closings - c.closings <> (select count(*) from ledger_closing where number > c.closings)
            or new.closings <> coalesce((select max(number) from ledger_closing), 0)
            or new.transfers - c.transfers <> (select count(*) from ledger_transfer where number > c.transfers)
            or new.transfers <> coalesce((select max(number) from ledger_transfer), 0)
            or new.legs - c.legs <> (select coalesce(sum(legs), 0) from ledger_transfer where number > c.transfers)
            or new.legs <> coalesce((select max(number) from ledger_leg), 0);
    select raise(abort, 'ledger: a leg is no part of its transfer') from ledger_counter c
        where new.legs - c.legs <> (select count(*) from ledger_leg l cross join ledger_transfer t on t.number = l.transfer
            where l.number > c.legs and t.number > c.transfers and t.kind = l.kind
                and l.number >= t.first_leg and l.number < t.first_leg + t.legs);
    select raise(abort, 'ledger: a transfer does not settle its whole reservation') from ledger_counter c
        where exists (select 1 from ledger_transfer t where t.number > c.transfers and t.origin is not null
            and not exists (select 1 from ledger_transfer o where o.number = t.origin
                and (t.kind = 'refund' or (o.kind = 'reserve' and o.legs = t.legs))));
    select raise(abort, 'ledger: a leg does not settle its reservation') from ledger_counter c
        where exists (select 1 from ledger_leg l cross join ledger_transfer t on t.number = l.transfer
            where l.number > c.legs and l.held < 0 and not exists (
                select 1 from ledger_leg o where o.number = l.origin and o.transfer = t.origin and o.debit = l.debit
                    and o.credit = l.credit and o.currency = l.currency and o.held = -l.held));
    select raise(abort, 'ledger: more is refunded than was captured') from ledger_counter c
        where exists (select 1 from ledger_leg l cross join ledger_transfer t on t.number = l.transfer
            where l.number > c.legs and l.held = 0 and l.origin is not null and not exists (
                select 1 from ledger_leg o where o.number = l.origin and o.transfer = t.origin
                    and o.kind in ('move', 'post') and o.debit = l.credit and o.credit = l.debit
                    and o.currency = l.currency and o.amount >= (
                        select sum(r.amount) from ledger_leg r where r.origin = l.origin and r.kind = 'refund')));
    select raise(abort, 'ledger: a leg does not continue its account') from ledger_counter c where exists (
        select 1 from (
            select account, before, lag(number) over (partition by account order by number) as previous from (
                select number, debit as account, debit_before as before from ledger_leg where number > c.legs
                union all
                select number, credit, credit_before from ledger_leg where number > c.legs)) s
            left join ledger_account a on s.previous is null and a.number = s.account
        where s.before is not coalesce(s.previous, a.last_leg));
    update ledger_account set debits = ledger_account.debits + t.debits, credits = ledger_account.credits + t.credits,
            held_debits = ledger_account.held_debits + t.held_debits,
            held_credits = ledger_account.held_credits + t.held_credits, last_leg = t.last
        from (select account, min(currency) as currency, max(currency) as other, max(number) as last,
                max(kind not in ('void', 'refund')) as opens, sum(debits) as debits, sum(credits) as credits,
                sum(held_debits) as held_debits, sum(held_credits) as held_credits
            from (select number, kind, debit as account, currency, amount as debits, 0 as credits, held as held_debits,
                        0 as held_credits from ledger_leg where number > (select legs from ledger_counter)
                    union all
                    select number, kind, credit, currency, 0, amount, 0, held
                        from ledger_leg where number > (select legs from ledger_counter))
            group by account) t
        where ledger_account.number = t.account and ledger_account.currency = t.currency and t.currency = t.other
            and (ledger_account.closed_at is null or not t.opens);
    select raise(abort, 'ledger: an account does not take its legs') from ledger_counter c
        where changes() <> (select count(*) from (select debit from ledger_leg where number > c.legs
            union select credit from ledger_leg where number > c.legs));
    insert into ledger_hold (transfer, expires_at) select number, expires_at from ledger_transfer
        where number > (select transfers from ledger_counter) and kind = 'reserve';
    delete from ledger_hold where transfer in (select case when kind in ('post', 'void') then origin end from ledger_transfer
        where number > (select transfers from ledger_counter) and origin is not null);
    select raise(abort, 'ledger: the reservation is settled already') from ledger_counter c
        where changes() <> (select count(case when kind in ('post', 'void') then 1 end) from ledger_transfer
            where number > c.transfers);
    update ledger_account set closed_at = s.closed_at from ledger_closing s
        where s.number > (select closings from ledger_counter) and ledger_account.number = s.account;
    update ledger_counter set commits = new.number, accounts = new.accounts, closings = new.closings,
        transfers = new.transfers, legs = new.legs, made_at = new.made_at, digest = new.digest, writing = null;
end;

-- The counter and the accounts change with a commit, when its row is there and the counter not yet there, and at no other time.
create trigger ledger_counter_counts before update on ledger_counter when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: the counter changes by commits only') where not (
        (new.commits = old.commits and new.accounts = old.accounts and new.closings = old.closings
            and new.transfers = old.transfers and new.legs = old.legs and new.made_at = old.made_at
            and new.digest = old.digest and new.writing is not null)
        or (new.commits = old.commits + 1 and new.writing is null and exists (
            select 1 from ledger_batch b where b.number = new.commits and b.accounts = new.accounts
                and b.closings = new.closings and b.transfers = new.transfers and b.legs = new.legs
                and b.made_at = new.made_at and b.digest = new.digest)));
end;
create trigger ledger_counter_comes before insert on ledger_counter when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: there is one counter');
end;
create trigger ledger_counter_kept before delete on ledger_counter when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: nothing is taken away');
end;
create trigger ledger_account_moves before update of debits, credits, held_debits, held_credits, last_leg, closed_at
    on ledger_account begin
    select raise(abort, 'ledger: a balance changes by legs only') where not exists (
        select 1 from ledger_counter c join ledger_batch b on b.number = c.commits + 1);
    select raise(abort, 'ledger: what is closed stays closed') where old.closed_at is not null and new.closed_at is not old.closed_at;
end;
create trigger ledger_hold_comes before insert on ledger_hold when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: money is held by a reservation only') where not exists (
        select 1 from ledger_counter c join ledger_batch b on b.number = c.commits + 1);
end;
create trigger ledger_hold_stays before update on ledger_hold begin
    select raise(abort, 'ledger: money is held by a reservation only');
end;
create trigger ledger_hold_kept before delete on ledger_hold begin
    select raise(abort, 'ledger: money is freed by a settlement only') where not exists (
        select 1 from ledger_counter c join ledger_batch b on b.number = c.commits + 1);
end;
create trigger ledger_account_stays before update of number, owner_kind, owner, code, currency, side, guarded, opened_at
    on ledger_account begin
    select raise(abort, 'ledger: an account stays what it is');
end;
create trigger ledger_account_kept before delete on ledger_account begin
    select raise(abort, 'ledger: nothing is taken away');
end;
create trigger ledger_closing_stays before update on ledger_closing begin
    select raise(abort, 'ledger: a closing stays what it is');
end;
create trigger ledger_closing_kept before delete on ledger_closing begin
    select raise(abort, 'ledger: nothing is taken away');
end;
create trigger ledger_transfer_stays before update on ledger_transfer begin
    select raise(abort, 'ledger: a transfer stays what it is');
end;
create trigger ledger_transfer_kept before delete on ledger_transfer begin
    select raise(abort, 'ledger: nothing is taken away');
end;
create trigger ledger_leg_stays before update on ledger_leg begin
    select raise(abort, 'ledger: a leg stays what it is');
end;
create trigger ledger_leg_kept before delete on ledger_leg begin
    select raise(abort, 'ledger: nothing is taken away');
end;
create trigger ledger_batch_stays before update on ledger_batch begin
    select raise(abort, 'ledger: a commit stays what it is');
end;
create trigger ledger_batch_kept before delete on ledger_batch begin
    select raise(abort, 'ledger: nothing is taken away');
end;
