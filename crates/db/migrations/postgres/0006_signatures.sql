-- Who holds which key, and who signed which version.

-- Whether versions without a signature are refused.
alter table publisher add column require_signature boolean not null default false;

-- Every key that a publisher ever signed with; rows are only added to. `created_at` is what the holder says, the rest is
-- the hub's time.
create table publisher_key (
    publisher_id    uuid not null references publisher (id),
    key_id          text not null,
    public_key      text not null,
    created_at      bigint not null,
    registered_at   bigint not null,
    registered_by   uuid references person (id),
    endorsed_by     text,
    endorsement     text,
    retired_at      bigint,
    revoked_from    bigint,
    revoked_at      bigint,
    revoke_reason   text,
    primary key (publisher_id, key_id)
);

-- The envelope as the publisher's client sent it.
create table version_signature (
    version_id   uuid primary key references version (id),
    publisher_id uuid not null,
    key_id       text not null,
    envelope     bytea not null,
    taken_at     bigint not null,
    foreign key (publisher_id, key_id) references publisher_key (publisher_id, key_id)
);
create index version_signature_key on version_signature (publisher_id, key_id, version_id);
