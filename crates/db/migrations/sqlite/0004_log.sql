-- The transparency log: statements, the places they got in it, and its signed heads.

-- One row for each history; only the newest grows. The lease says who may give places away, its token fences off whoever
-- held it before.
create table log_origin (
    number       integer primary key,
    origin       text not null unique,
    started_at   integer not null,
    lease_holder text,
    lease_token  integer not null default 0,
    lease_until  integer not null default 0
) strict;

-- An entry waits without a place until the sequencer gives it one. Only `leaf` becomes public.
create table log_entry (
    id         blob primary key,
    kind       text not null,
    subject    blob,
    version    blob,
    statement  blob not null,
    salt       blob not null,
    leaf       blob not null,
    created_at integer not null,
    log        integer references log_origin (number),
    place      integer,
    unique (log, place)
) strict;
create index log_entry_waiting on log_entry (id) where place is null;
create index log_entry_subject on log_entry (subject, id) where subject is not null;

-- A head without a note is committed and not yet signed.
create table log_head (
    log     integer not null references log_origin (number),
    size    integer not null,
    root    blob not null,
    peaks   blob not null,
    note    text,
    token   integer not null,
    made_at integer not null,
    primary key (log, size)
) strict;
