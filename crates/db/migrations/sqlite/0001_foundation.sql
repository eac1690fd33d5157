-- People, publishers and how they sign in.

create table person (
    id           blob primary key,
    handle       text not null unique,
    display_name text not null,
    administrator integer not null default 0,
    created_at   integer not null,
    disabled_at  integer
) strict;

create table publisher (
    id           blob primary key,
    handle       text not null unique,
    kind         text not null check (kind in ('person', 'organisation')),
    display_name text not null,
    created_at   integer not null
) strict;

create table publisher_member (
    publisher_id blob not null references publisher (id),
    person_id    blob not null references person (id),
    role         text not null check (role in ('owner', 'admin', 'maintainer', 'reviewer', 'member')),
    created_at   integer not null,
    primary key (publisher_id, person_id)
) strict;
create index publisher_member_person on publisher_member (person_id);

-- Secrets are stored as SHA-256 hashes and shown once.
create table token (
    id           blob primary key,
    person_id    blob not null references person (id),
    hash         blob not null unique,
    label        text not null,
    scopes       text not null,
    publishers   text,
    created_at   integer not null,
    expires_at   integer,
    last_used_at integer,
    revoked_at   integer
) strict;
create index token_person on token (person_id, created_at);

create table sign_in_link (
    hash       blob primary key,
    person_id  blob not null references person (id),
    scopes     text not null,
    created_at integer not null,
    expires_at integer not null,
    used_at    integer
) strict;

create table browser_session (
    id           blob primary key,
    hash         blob not null unique,
    person_id    blob not null references person (id),
    label        text not null,
    scopes       text not null,
    created_at   integer not null,
    expires_at   integer not null,
    last_seen_at integer not null,
    revoked_at   integer
) strict;

create table device_login (
    id             blob primary key,
    device_hash    blob not null unique,
    user_code      text not null unique,
    label          text not null,
    scopes         text not null,
    decision       text check (decision in ('approved', 'denied')),
    person_id      blob references person (id),
    created_at     integer not null,
    expires_at     integer not null,
    poll_seconds   integer not null,
    last_polled_at integer,
    collected_at   integer
) strict;
create index device_login_expiry on device_login (expires_at);

-- Wrong codes that a person typed, to stop guessing.
create table device_attempt (
    person_id blob not null references person (id),
    at        integer not null
) strict;
create index device_attempt_person on device_attempt (person_id, at);

create table audit_event (
    id           blob primary key,
    at           integer not null,
    person_id    blob,
    token_id     blob,
    action       text not null,
    publisher_id blob,
    subject      text not null,
    detail       text not null,
    address      text,
    request_id   text
) strict;
create index audit_event_at on audit_event (at, id);
create index audit_event_action on audit_event (action, at, id);
create index audit_event_person on audit_event (person_id, at, id);
create index audit_event_publisher on audit_event (publisher_id, at, id);

create table setting (
    name  text primary key,
    value text not null
) strict;

-- Skills and their immutable versions.

create table skill (
    id                  blob primary key,
    publisher_id        blob not null references publisher (id),
    slug                text not null,
    look                text not null,
    display_name        text not null,
    description         text not null,
    description_derived integer not null default 0,
    visibility          text not null check (visibility in ('public', 'unlisted', 'organisation', 'private')),
    license             text,
    categories          text not null,
    keywords            text not null,
    latest_version_id   blob,
    spec_valid          integer not null default 0,
    stars               integer not null default 0 check (stars >= 0),
    downloads           integer not null default 0 check (downloads >= 0),
    installs            integer not null default 0 check (installs >= 0),
    trending            integer not null default 0,
    created_at          integer not null,
    updated_at          integer not null,
    hidden_at           integer,
    hidden_reason       text,
    deleted_at          integer,
    deprecated_at       integer,
    deprecation_message text,
    successor           text
) strict;
create index skill_publisher on skill (publisher_id, slug);
create index skill_slug on skill (slug, id);
-- What the name looks like: names that the eye does not tell apart have the same.
create index skill_look on skill (look);
create index skill_updated on skill (updated_at, id);
create index skill_created on skill (created_at, id);
create index skill_downloads on skill (downloads, id);
create index skill_installs on skill (installs, id);
create index skill_stars on skill (stars, id);
create index skill_trending on skill (trending, id);

-- Every name a skill has, had or holds back: one row a publisher and slug, so no name ever means two things.
create table skill_name (
    publisher_id blob not null references publisher (id),
    slug         text not null,
    skill_id     blob not null references skill (id),
    kind         text not null check (kind in ('current', 'redirect', 'reserved')),
    until        integer,
    created_at   integer not null,
    primary key (publisher_id, slug)
) strict;
create index skill_name_slug on skill_name (slug);
create index skill_name_skill on skill_name (skill_id);

create table blob (
    digest     blob primary key,
    size       integer not null check (size >= 0),
    created_at integer not null
) strict;

create table version (
    id                  blob primary key,
    skill_id            blob not null references skill (id),
    number              text not null,
    digest              blob not null references blob (digest),
    size                integer not null check (size >= 0),
    file_count          integer not null check (file_count > 0),
    fingerprint         blob not null,
    state               text not null check (state in ('pending', 'visible', 'held', 'rejected')),
    display_name        text not null,
    description         text not null,
    description_derived integer not null,
    license             text,
    categories          text not null,
    keywords            text not null,
    spec_valid          integer not null,
    skill_file          text not null,
    front_matter        text not null,
    manifest            text,
    findings            text not null,
    changelog           text not null,
    origin              text,
    published_by        blob references person (id),
    created_at          integer not null,
    yanked_at           integer,
    yank_reason         text,
    hidden_at           integer,
    hidden_reason       text,
    unique (skill_id, number)
) strict;
create index version_skill on version (skill_id, created_at);
create index version_fingerprint on version (skill_id, fingerprint);
create index version_digest on version (digest);

create table version_file (
    version_id blob not null references version (id),
    path       text not null,
    position   integer not null,
    size       integer not null,
    digest     blob not null,
    primary key (version_id, path)
) strict;

create table skill_tag (
    skill_id   blob not null references skill (id),
    name       text not null,
    version_id blob not null references version (id),
    updated_at integer not null,
    primary key (skill_id, name)
) strict;
create index skill_tag_version on skill_tag (version_id);

create table requirement (
    version_id blob not null references version (id),
    publisher  text not null,
    slug       text not null,
    range      text not null,
    primary key (version_id, publisher, slug)
) strict;
create index requirement_target on requirement (publisher, slug);

create table star (
    skill_id   blob not null references skill (id),
    person_id  blob not null references person (id),
    created_at integer not null,
    primary key (skill_id, person_id)
) strict;
create index star_person on star (person_id, created_at);

create table report (
    id         blob primary key,
    skill_id   blob not null references skill (id),
    version_id blob references version (id),
    person_id  blob references person (id),
    reason     text not null,
    state      text not null check (state in ('open', 'upheld', 'dismissed')),
    created_at integer not null,
    closed_at  integer,
    closed_by  blob references person (id),
    answer     text
) strict;
create index report_state on report (state, id);

create table usage_day (
    skill_id   blob not null references skill (id),
    version_id blob not null references version (id),
    day        integer not null,
    downloads  integer not null default 0,
    installs   integer not null default 0,
    primary key (skill_id, version_id, day)
) strict;
create index usage_day_day on usage_day (day);

-- Which folder of which source made which skill, so that importing again changes only what changed.
create table import_path (
    publisher_id blob not null references publisher (id),
    source       text not null,
    path         text not null,
    skill_id     blob not null references skill (id),
    digest       blob not null,
    imported_at  integer not null,
    primary key (publisher_id, source, path)
) strict;
create index import_path_skill on import_path (skill_id);

-- An operator's manifest over somebody else's skill: its own version chain, apart from the author's bytes.
create table overlay (
    id           blob primary key,
    publisher_id blob not null references publisher (id),
    skill_id     blob not null references skill (id),
    number       text not null,
    manifest     text not null,
    digest       blob not null,
    created_by   blob references person (id),
    created_at   integer not null,
    unique (publisher_id, skill_id, number)
) strict;

create table upload_ticket (
    id           blob primary key,
    secret_hash  blob not null unique,
    person_id    blob not null references person (id),
    path         text not null,
    size         integer not null,
    digest       blob not null,
    state        text not null check (state in ('open', 'stored', 'used')),
    created_at   integer not null,
    expires_at   integer not null
) strict;
create index upload_ticket_expiry on upload_ticket (expires_at);

create table transfer (
    id             blob primary key,
    skill_id       blob not null references skill (id),
    from_publisher blob not null references publisher (id),
    to_publisher   blob not null references publisher (id),
    message        text not null,
    state          text not null check (state in ('pending', 'accepted', 'rejected', 'cancelled')),
    created_by     blob not null references person (id),
    created_at     integer not null,
    decided_by     blob references person (id),
    decided_at     integer
) strict;
create index transfer_skill on transfer (skill_id, state);
create index transfer_to on transfer (to_publisher, state);
create index transfer_from on transfer (from_publisher, state);

-- The signing secret of a webhook is derived from a key file and the id; none is stored here.
create table webhook (
    id           blob primary key,
    publisher_id blob references publisher (id),
    url          text not null,
    events       text not null,
    created_by   blob not null references person (id),
    created_at   integer not null,
    disabled_at  integer,
    last_status  integer,
    last_at      integer
) strict;
create index webhook_publisher on webhook (publisher_id);

-- What changed, gapless and in the order of commits; the search index and caches follow it.
create table change (
    seq  integer primary key,
    kind text not null,
    id   blob not null,
    at   integer not null
) strict;

create table change_counter (
    single integer primary key check (single = 1),
    seq    integer not null
) strict;
insert into change_counter (single, seq) values (1, 0);

-- Durable background work.
create table job (
    id           blob primary key,
    kind         text not null,
    key          text,
    payload      text not null,
    state        text not null check (state in ('ready', 'running', 'done', 'dead')),
    run_at       integer not null,
    attempts     integer not null default 0,
    max_attempts integer not null,
    lease_until  integer,
    worker       text,
    error        text,
    created_at   integer not null,
    finished_at  integer
) strict;
create index job_due on job (state, run_at);
create unique index job_key on job (kind, key) where key is not null and state in ('ready', 'running');

-- Answers to writes that carried an Idempotency-Key.
create table idempotency (
    person_id  blob not null references person (id),
    key        text not null,
    request    blob not null,
    status     integer,
    headers    text,
    body       blob,
    created_at integer not null,
    expires_at integer not null,
    primary key (person_id, key)
) strict;
create index idempotency_expiry on idempotency (expires_at);
