-- Purchases: merchants that the hub knows, keys that sign mandates, mandates, and checkouts from quote to end.

create table merchant (
    slug           text primary key,
    known_as       text not null,
    name           text not null,
    url            text not null,
    endpoint       text not null,
    public_key     text not null,
    platform_share integer not null check (platform_share between 0 and 10000),
    author_share   integer not null check (author_share between 0 and 10000),
    added_at       integer not null,
    removed_at     integer,
    check (platform_share + author_share <= 10000)
) strict;

create table mandate_key (
    person_id     blob not null references person (id),
    key_id        text not null,
    public_key    text not null,
    registered_at integer not null,
    retired_at    integer,
    primary key (person_id, key_id)
) strict;

-- What a person's key has signed. The limit is in the ledger account `account`; how often it was used is here, and both change
-- in one transaction.
create table mandate (
    id          blob primary key,
    person_id   blob not null references person (id),
    key_id      text not null,
    envelope    blob not null,
    account     integer not null references ledger_account (number),
    uses        integer not null default 0,
    most        integer not null check (most > 0),
    accepted_at integer not null,
    revoked_at  integer,
    foreign key (person_id, key_id) references mandate_key (person_id, key_id),
    constraint mandate_uses check (uses between 0 and most)
) strict;
create index mandate_person on mandate (person_id, accepted_at);

create table checkout (
    id             blob primary key,
    person_id      blob not null references person (id),
    key            text not null,
    request        blob not null,
    merchant       text not null references merchant (slug),
    wanted         text not null,
    state          text not null check (state in ('open', 'quoted', 'reserved', 'paid', 'refused', 'cancelled', 'refunded')),
    attempt        integer not null default 1,
    session        text,
    quote          text,
    quote_digest   blob,
    merchant_key   text,
    shares         text,
    mandate_id     blob references mandate (id),
    spend_key      text,
    reservation    integer references ledger_transfer (number),
    asked_at       integer,
    posting        integer references ledger_transfer (number),
    order_id       text,
    refusal        text,
    refusal_detail text,
    receipt        blob,
    created_at     integer not null,
    changed_at     integer not null,
    unique (person_id, key),
    check ((state = 'refused') = (refusal is not null)),
    check (state not in ('reserved', 'paid', 'refunded') or (mandate_id is not null and reservation is not null)),
    check (state not in ('paid', 'refunded') or (posting is not null and order_id is not null))
) strict;
create index checkout_person on checkout (person_id, created_at);
create index checkout_mandate on checkout (mandate_id) where mandate_id is not null;
create index checkout_waiting on checkout (changed_at) where state = 'reserved';
-- One quote is paid once.
create unique index checkout_quote on checkout (quote_digest) where state in ('reserved', 'paid', 'refunded');
