-- The transparency log: statements, the places they got in it, and its signed heads.

-- One row for each history; only the newest grows. The lease says who may give places away, its token fences off whoever
-- held it before.
create table log_origin (
    number       bigint primary key,
    origin       text collate "C" not null unique,
    started_at   bigint not null,
    lease_holder text,
    lease_token  bigint not null default 0,
    lease_until  bigint not null default 0
);

-- An entry waits without a place until the sequencer gives it one. Only `leaf` becomes public.
create table log_entry (
    id         uuid primary key,
    kind       text collate "C" not null,
    subject    bytea,
    version    uuid,
    statement  bytea not null,
    salt       bytea not null,
    leaf       bytea not null,
    created_at bigint not null,
    log        bigint references log_origin (number),
    place      bigint,
    unique (log, place)
);
create index log_entry_waiting on log_entry (id) where place is null;
create index log_entry_subject on log_entry (subject, id) where subject is not null;

-- A head without a note is committed and not yet signed.
create table log_head (
    log     bigint not null references log_origin (number),
    size    bigint not null,
    root    bytea not null,
    peaks   bytea not null,
    note    text,
    token   bigint not null,
    made_at bigint not null,
    primary key (log, size)
);
