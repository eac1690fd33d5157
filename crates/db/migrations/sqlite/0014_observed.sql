-- What runs of some bytes were seen to do, apart for each publisher in whose name they ran.
create table observed (
    digest       blob not null,
    publisher_id blob not null references publisher (id),
    kind         text not null,
    -- A host and port, a name, a kind of file; empty in the row that counts the runs with a name that is not known.
    name         text not null,
    -- Whether telling it tells nothing but what stands in the bytes themselves.
    known        integer not null check (known in (0, 1)),
    runs         integer not null,
    first_at     integer not null,
    last_at      integer not null,
    primary key (digest, publisher_id, kind, name)
) strict;

-- How many runs that was, and what of it was said last to those who may see all of the publisher's runs.
create table observed_by (
    digest       blob not null,
    publisher_id blob not null references publisher (id),
    runs         integer not null,
    said         blob,
    primary key (digest, publisher_id)
) strict;

-- Publishers that let everybody who sees a version see what their runs of it did.
create table observed_sharing (
    publisher_id blob primary key references publisher (id),
    since        integer not null
) strict;

-- What was said last to everybody who sees a version.
create table observed_openly (
    version_id blob primary key,
    said       blob not null
) strict;
