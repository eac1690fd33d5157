-- The ledger: accounts, transfers between them, and the legs of transfers, of which every balance is the sum.

-- While this row is here the rules below hold; a restore takes it away before it puts rows back as they were.
create table ledger_rule (
    sealed integer primary key check (sealed = 1)
) strict;
insert into ledger_rule (sealed) values (1);

-- How many there are of each, and the digest of everything so far. Whoever writes to the ledger changes this row first, so
-- that all writing is one history.
create table ledger_counter (
    sealed    integer primary key check (sealed = 1),
    accounts  integer not null,
    transfers integer not null,
    legs      integer not null,
    digest    blob not null
) strict;
insert into ledger_counter (sealed, accounts, transfers, legs, digest) values (1, 0, 0, 0, zeroblob(32));

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
-- touched the accounts last, 0 for none.
create table ledger_leg (
    number        integer primary key,
    transfer      integer not null references ledger_transfer (number),
    kind          text not null,
    debit         integer not null references ledger_account (number),
    credit        integer not null references ledger_account (number),
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

-- The transfers of one commit, and the digest of the ones before with these.
create table ledger_batch (
    last   integer primary key,
    first  integer not null,
    digest blob not null
) strict;

create trigger ledger_leg_counts after insert on ledger_leg when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: a leg is no part of its transfer') where not exists (
        select 1 from ledger_transfer t where t.number = new.transfer and t.kind = new.kind
            and new.number >= t.first_leg and new.number < t.first_leg + t.legs);
    update ledger_account set debits = debits + new.amount, held_debits = held_debits + new.held, last_leg = new.number
        where number = new.debit and currency = new.currency and last_leg = new.debit_before
            and (closed_at is null or new.kind in ('void', 'refund'));
    select raise(abort, 'ledger: the debited account does not take this leg') where changes() <> 1;
    update ledger_account set credits = credits + new.amount, held_credits = held_credits + new.held, last_leg = new.number
        where number = new.credit and currency = new.currency and last_leg = new.credit_before
            and (closed_at is null or new.kind in ('void', 'refund'));
    select raise(abort, 'ledger: the credited account does not take this leg') where changes() <> 1;
    select raise(abort, 'ledger: a leg does not settle its reservation')
        where new.kind in ('post', 'void') and not exists (
            select 1 from ledger_leg o where o.number = new.origin and o.kind = 'reserve' and o.debit = new.debit
                and o.credit = new.credit and o.currency = new.currency and o.held = -new.held);
    select raise(abort, 'ledger: more is refunded than was captured')
        where new.kind = 'refund' and not exists (
            select 1 from ledger_leg o where o.number = new.origin and o.kind in ('move', 'post') and o.debit = new.credit
                and o.credit = new.debit and o.currency = new.currency and o.amount >= (
                    select sum(r.amount) from ledger_leg r where r.origin = new.origin and r.kind = 'refund'));
end;

create trigger ledger_transfer_holds after insert on ledger_transfer when exists (select 1 from ledger_rule) begin
    insert into ledger_hold (transfer, expires_at) select new.number, new.expires_at where new.kind = 'reserve';
    delete from ledger_hold where transfer = new.origin and new.kind in ('post', 'void');
    select raise(abort, 'ledger: the reservation is settled already')
        where new.kind in ('post', 'void') and changes() <> 1;
end;

-- An account changes by its newest leg and by nothing else.
create trigger ledger_account_moves before update of debits, credits, held_debits, held_credits, last_leg on ledger_account
begin
    select raise(abort, 'ledger: a balance changes by legs only') where not exists (
        select 1 from ledger_leg l where l.number = new.last_leg and l.number > old.last_leg and (
            (l.debit = new.number and new.debits = old.debits + l.amount and new.held_debits = old.held_debits + l.held
                and new.credits = old.credits and new.held_credits = old.held_credits)
            or (l.credit = new.number and new.credits = old.credits + l.amount
                and new.held_credits = old.held_credits + l.held
                and new.debits = old.debits and new.held_debits = old.held_debits)));
end;
create trigger ledger_account_opens after insert on ledger_account when exists (select 1 from ledger_rule) begin
    select raise(abort, 'ledger: an account begins empty')
        where new.debits + new.credits + new.held_debits + new.held_credits + new.last_leg <> 0;
end;
create trigger ledger_account_stays before update of number, owner_kind, owner, code, currency, side, guarded, opened_at
    on ledger_account begin
    select raise(abort, 'ledger: an account stays what it is');
end;
create trigger ledger_account_kept before delete on ledger_account begin
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
    select raise(abort, 'ledger: a batch stays what it is');
end;
create trigger ledger_batch_kept before delete on ledger_batch begin
    select raise(abort, 'ledger: nothing is taken away');
end;
