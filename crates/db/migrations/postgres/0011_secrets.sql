-- Publishers' named secrets, and which runs may be given them.

-- One secret of a publisher, sealed by a key that is not in the database. The row stays when it is removed, without its
-- value, so that no number is given twice.
create table secret (
    publisher_id uuid not null references publisher (id),
    name         text not null,
    version      bigint not null,
    sealed       bytea,
    set_by       uuid references person (id),
    set_at       bigint not null,
    removed_at   bigint,
    primary key (publisher_id, name)
);

-- Which bytes of which skill may be given a secret. `reference` is the version's name when it was granted.
create table secret_release (
    publisher_id uuid not null,
    name         text not null,
    skill_id     uuid not null,
    digest       bytea not null,
    reference    text not null,
    granted_by   uuid references person (id),
    granted_at   bigint not null,
    primary key (publisher_id, name, skill_id, digest),
    foreign key (publisher_id, name) references secret (publisher_id, name)
);
