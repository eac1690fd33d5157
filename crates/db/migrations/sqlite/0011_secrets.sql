-- Publishers' named secrets, and which runs may be given them.

-- One secret of a publisher, sealed by a key that is not in the database. The row stays when it is removed, without its
-- value, so that no number is given twice.
create table secret (
    publisher_id blob not null references publisher (id),
    name         text not null,
    version      integer not null,
    sealed       blob,
    set_by       blob references person (id),
    set_at       integer not null,
    removed_at   integer,
    primary key (publisher_id, name)
) strict;

-- Which bytes of which skill may be given a secret. `reference` is the version's name when it was granted.
create table secret_release (
    publisher_id blob not null,
    name         text not null,
    skill_id     blob not null,
    digest       blob not null,
    reference    text not null,
    granted_by   blob references person (id),
    granted_at   integer not null,
    primary key (publisher_id, name, skill_id, digest),
    foreign key (publisher_id, name) references secret (publisher_id, name)
) strict;
