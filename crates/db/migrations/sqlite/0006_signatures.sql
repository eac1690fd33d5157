-- Who holds which key, and who signed which version.

-- Whether versions without a signature are refused.
alter table publisher add column require_signature integer not null default 0;

-- Every key that a publisher ever signed with; rows are only added to. `created_at` is what the holder says, the rest is
-- the hub's time.
create table publisher_key (
    publisher_id    blob not null references publisher (id),
    key_id          text not null,
    public_key      text not null,
    created_at      integer not null,
    registered_at   integer not null,
    registered_by   blob references person (id),
    endorsed_by     text,
    endorsement     text,
    retired_at      integer,
    revoked_from    integer,
    revoked_at      integer,
    revoke_reason   text,
    primary key (publisher_id, key_id)
) strict;

-- The envelope as the publisher's client sent it.
create table version_signature (
    version_id   blob primary key references version (id),
    publisher_id blob not null,
    key_id       text not null,
    envelope     blob not null,
    taken_at     integer not null,
    foreign key (publisher_id, key_id) references publisher_key (publisher_id, key_id)
) strict;
create index version_signature_key on version_signature (publisher_id, key_id, version_id);
