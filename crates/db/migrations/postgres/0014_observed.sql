-- What runs of some bytes were seen to do, apart for each publisher in whose name they ran.
create table observed (
    digest       bytea not null,
    publisher_id uuid not null references publisher (id),
    kind         text not null,
    -- A host and port, a name, a kind of file; empty in the row that counts the runs with a name that is not known.
    name         text not null,
    -- Whether telling it tells nothing but what stands in the bytes themselves.
    known        boolean not null,
    runs         bigint not null,
    first_at     bigint not null,
    last_at      bigint not null,
    primary key (digest, publisher_id, kind, name)
);

-- How many runs that was, and what of it was said last to those who may see all of the publisher's runs.
create table observed_by (
    digest       bytea not null,
    publisher_id uuid not null references publisher (id),
    runs         bigint not null,
    said         bytea,
    primary key (digest, publisher_id)
);

-- Publishers that let everybody who sees a version see what their runs of it did.
create table observed_sharing (
    publisher_id uuid primary key references publisher (id),
    since        bigint not null
);

-- What was said last to everybody who sees a version.
create table observed_openly (
    version_id uuid primary key,
    said       bytea not null
);
