-- Purchases: merchants that the hub knows, keys that sign mandates, mandates, and checkouts from quote to end.

create table merchant (
    slug           text primary key,
    known_as       text not null,
    name           text not null,
    url            text not null,
    endpoint       text not null,
    public_key     text not null,
    platform_share bigint not null check (platform_share between 0 and 10000),
    author_share   bigint not null check (author_share between 0 and 10000),
    added_at       bigint not null,
    removed_at     bigint,
    check (platform_share + author_share <= 10000)
);

create table mandate_key (
    person_id     uuid not null references person (id),
    key_id        text not null,
    public_key    text not null,
    registered_at bigint not null,
    retired_at    bigint,
    primary key (person_id, key_id)
);

-- What a person's key has signed. The limit is in the ledger account `account`; how often it was used is here, and both change
-- in one transaction.
create table mandate (
    id          uuid primary key,
    person_id   uuid not null references person (id),
    key_id      text not null,
    envelope    bytea not null,
    account     bigint not null references ledger_account (number),
    uses        bigint not null default 0,
    most        bigint not null check (most > 0),
    accepted_at bigint not null,
    revoked_at  bigint,
    foreign key (person_id, key_id) references mandate_key (person_id, key_id),
    constraint mandate_uses check (uses between 0 and most)
);
create index mandate_person on mandate (person_id, accepted_at);

create table checkout (
    id             uuid primary key,
    person_id      uuid not null references person (id),
    key            text not null,
    request        bytea not null,
    merchant       text not null references merchant (slug),
    wanted         jsonb not null,
    state          text not null check (state in ('open', 'quoted', 'reserved', 'paid', 'refused', 'cancelled', 'refunded')),
    attempt        bigint not null default 1,
    session        text,
    quote          text,
    quote_digest   bytea,
    merchant_key   text,
    shares         jsonb,
    mandate_id     uuid references mandate (id),
    spend_key      text,
    reservation    bigint references ledger_transfer (number),
    asked_at       bigint,
    posting        bigint references ledger_transfer (number),
    order_id       text,
    refusal        text,
    refusal_detail text,
    receipt        bytea,
    created_at     bigint not null,
    changed_at     bigint not null,
    unique (person_id, key),
    check ((state = 'refused') = (refusal is not null)),
    check (state not in ('reserved', 'paid', 'refunded') or (mandate_id is not null and reservation is not null)),
    check (state not in ('paid', 'refunded') or (posting is not null and order_id is not null))
);
create index checkout_person on checkout (person_id, created_at);
create index checkout_mandate on checkout (mandate_id) where mandate_id is not null;
create index checkout_waiting on checkout (changed_at) where state = 'reserved';
-- One quote is paid once.
create unique index checkout_quote on checkout (quote_digest) where state in ('reserved', 'paid', 'refunded');
