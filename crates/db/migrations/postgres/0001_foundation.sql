-- People, publishers and how they sign in.

create table person (
    id           uuid primary key,
    handle       text collate "C" not null unique,
    display_name text not null,
    administrator boolean not null default false,
    created_at   bigint not null,
    disabled_at  bigint
);

create table publisher (
    id           uuid primary key,
    handle       text collate "C" not null unique,
    kind         text not null check (kind in ('person', 'organisation')),
    display_name text not null,
    created_at   bigint not null
);

create table publisher_member (
    publisher_id uuid not null references publisher (id),
    person_id    uuid not null references person (id),
    role         text not null check (role in ('owner', 'admin', 'maintainer', 'reviewer', 'member')),
    created_at   bigint not null,
    primary key (publisher_id, person_id)
);
create index publisher_member_person on publisher_member (person_id);

-- Secrets are stored as SHA-256 hashes and shown once.
create table token (
    id           uuid primary key,
    person_id    uuid not null references person (id),
    hash         bytea not null unique,
    label        text not null,
    scopes       text not null,
    publishers   jsonb,
    created_at   bigint not null,
    expires_at   bigint,
    last_used_at bigint,
    revoked_at   bigint
);
create index token_person on token (person_id, created_at);

create table sign_in_link (
    hash       bytea primary key,
    person_id  uuid not null references person (id),
    scopes     text not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at    bigint
);

create table browser_session (
    id           uuid primary key,
    hash         bytea not null unique,
    person_id    uuid not null references person (id),
    label        text not null,
    scopes       text not null,
    created_at   bigint not null,
    expires_at   bigint not null,
    last_seen_at bigint not null,
    revoked_at   bigint
);

create table device_login (
    id             uuid primary key,
    device_hash    bytea not null unique,
    user_code      text not null unique,
    label          text not null,
    scopes         text not null,
    decision       text check (decision in ('approved', 'denied')),
    person_id      uuid references person (id),
    created_at     bigint not null,
    expires_at     bigint not null,
    poll_seconds   bigint not null,
    last_polled_at bigint,
    collected_at   bigint
);
create index device_login_expiry on device_login (expires_at);

-- Wrong codes that a person typed, to stop guessing.
create table device_attempt (
    person_id uuid not null references person (id),
    at        bigint not null
);
create index device_attempt_person on device_attempt (person_id, at);

create table audit_event (
    id           uuid primary key,
    at           bigint not null,
    person_id    uuid,
    token_id     uuid,
    action       text not null,
    publisher_id uuid,
    subject      text not null,
    detail       jsonb not null,
    address      text,
    request_id   text
);
create index audit_event_at on audit_event (at, id);
create index audit_event_action on audit_event (action, at, id);
create index audit_event_person on audit_event (person_id, at, id);
create index audit_event_publisher on audit_event (publisher_id, at, id);

create table setting (
    name  text primary key,
    value text not null
);

-- Skills and their immutable versions.

create table skill (
    id                  uuid primary key,
    publisher_id        uuid not null references publisher (id),
    slug                text collate "C" not null,
    look                text collate "C" not null,
    display_name        text not null,
    description         text not null,
    description_derived boolean not null default false,
    visibility          text not null check (visibility in ('public', 'unlisted', 'organisation', 'private')),
    license             text,
    categories          jsonb not null,
    keywords            jsonb not null,
    latest_version_id   uuid,
    spec_valid          boolean not null default false,
    stars               bigint not null default 0 check (stars >= 0),
    downloads           bigint not null default 0 check (downloads >= 0),
    installs            bigint not null default 0 check (installs >= 0),
    trending            bigint not null default 0,
    created_at          bigint not null,
    updated_at          bigint not null,
    hidden_at           bigint,
    hidden_reason       text,
    deleted_at          bigint,
    deprecated_at       bigint,
    deprecation_message text,
    successor           text
);
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
    publisher_id uuid not null references publisher (id),
    slug         text collate "C" not null,
    skill_id     uuid not null references skill (id),
    kind         text not null check (kind in ('current', 'redirect', 'reserved')),
    until        bigint,
    created_at   bigint not null,
    primary key (publisher_id, slug)
);
create index skill_name_slug on skill_name (slug);
create index skill_name_skill on skill_name (skill_id);

create table blob (
    digest     bytea primary key,
    size       bigint not null check (size >= 0),
    created_at bigint not null
);

create table version (
    id                  uuid primary key,
    skill_id            uuid not null references skill (id),
    number              text not null,
    digest              bytea not null references blob (digest),
    size                bigint not null check (size >= 0),
    file_count          bigint not null check (file_count > 0),
    fingerprint         bytea not null,
    state               text not null check (state in ('pending', 'visible', 'held', 'rejected')),
    display_name        text not null,
    description         text not null,
    description_derived boolean not null,
    license             text,
    categories          jsonb not null,
    keywords            jsonb not null,
    spec_valid          boolean not null,
    skill_file          text not null,
    front_matter        jsonb not null,
    manifest            jsonb,
    findings            jsonb not null,
    changelog           text not null,
    origin              jsonb,
    published_by        uuid references person (id),
    created_at          bigint not null,
    yanked_at           bigint,
    yank_reason         text,
    hidden_at           bigint,
    hidden_reason       text,
    unique (skill_id, number)
);
create index version_skill on version (skill_id, created_at);
create index version_fingerprint on version (skill_id, fingerprint);
create index version_digest on version (digest);

create table version_file (
    version_id uuid not null references version (id),
    path       text collate "C" not null,
    position   bigint not null,
    size       bigint not null,
    digest     bytea not null,
    primary key (version_id, path)
);

create table skill_tag (
    skill_id   uuid not null references skill (id),
    name       text collate "C" not null,
    version_id uuid not null references version (id),
    updated_at bigint not null,
    primary key (skill_id, name)
);
create index skill_tag_version on skill_tag (version_id);

create table requirement (
    version_id uuid not null references version (id),
    publisher  text collate "C" not null,
    slug       text collate "C" not null,
    range      text not null,
    primary key (version_id, publisher, slug)
);
create index requirement_target on requirement (publisher, slug);

create table star (
    skill_id   uuid not null references skill (id),
    person_id  uuid not null references person (id),
    created_at bigint not null,
    primary key (skill_id, person_id)
);
create index star_person on star (person_id, created_at);

create table report (
    id         uuid primary key,
    skill_id   uuid not null references skill (id),
    version_id uuid references version (id),
    person_id  uuid references person (id),
    reason     text not null,
    state      text not null check (state in ('open', 'upheld', 'dismissed')),
    created_at bigint not null,
    closed_at  bigint,
    closed_by  uuid references person (id),
    answer     text
);
create index report_state on report (state, id);

create table usage_day (
    skill_id   uuid not null references skill (id),
    version_id uuid not null references version (id),
    day        bigint not null,
    downloads  bigint not null default 0,
    installs   bigint not null default 0,
    primary key (skill_id, version_id, day)
);
create index usage_day_day on usage_day (day);

-- Which folder of which source made which skill, so that importing again changes only what changed.
create table import_path (
    publisher_id uuid not null references publisher (id),
    source       text not null,
    path         text collate "C" not null,
    skill_id     uuid not null references skill (id),
    digest       bytea not null,
    imported_at  bigint not null,
    primary key (publisher_id, source, path)
);
create index import_path_skill on import_path (skill_id);

-- An operator's manifest over somebody else's skill: its own version chain, apart from the author's bytes.
create table overlay (
    id           uuid primary key,
    publisher_id uuid not null references publisher (id),
    skill_id     uuid not null references skill (id),
    number       text not null,
    manifest     text not null,
    digest       bytea not null,
    created_by   uuid references person (id),
    created_at   bigint not null,
    unique (publisher_id, skill_id, number)
);

create table upload_ticket (
    id           uuid primary key,
    secret_hash  bytea not null unique,
    person_id    uuid not null references person (id),
    path         text not null,
    size         bigint not null,
    digest       bytea not null,
    state        text not null check (state in ('open', 'stored', 'used')),
    created_at   bigint not null,
    expires_at   bigint not null
);
create index upload_ticket_expiry on upload_ticket (expires_at);

create table transfer (
    id             uuid primary key,
    skill_id       uuid not null references skill (id),
    from_publisher uuid not null references publisher (id),
    to_publisher   uuid not null references publisher (id),
    message        text not null,
    state          text not null check (state in ('pending', 'accepted', 'rejected', 'cancelled')),
    created_by     uuid not null references person (id),
    created_at     bigint not null,
    decided_by     uuid references person (id),
    decided_at     bigint
);
create index transfer_skill on transfer (skill_id, state);
create index transfer_to on transfer (to_publisher, state);
create index transfer_from on transfer (from_publisher, state);

-- The signing secret of a webhook is derived from a key file and the id; none is stored here.
create table webhook (
    id           uuid primary key,
    publisher_id uuid references publisher (id),
    url          text not null,
    events       jsonb not null,
    created_by   uuid not null references person (id),
    created_at   bigint not null,
    disabled_at  bigint,
    last_status  bigint,
    last_at      bigint
);
create index webhook_publisher on webhook (publisher_id);

-- What changed, gapless and in the order of commits; the search index and caches follow it.
create table change (
    seq  bigint primary key,
    kind text not null,
    id   uuid not null,
    at   bigint not null
);

create table change_counter (
    single bigint primary key check (single = 1),
    seq    bigint not null
);
insert into change_counter (single, seq) values (1, 0);

-- Durable background work.
create table job (
    id           uuid primary key,
    kind         text not null,
    key          text,
    payload      jsonb not null,
    state        text not null check (state in ('ready', 'running', 'done', 'dead')),
    run_at       bigint not null,
    attempts     bigint not null default 0,
    max_attempts bigint not null,
    lease_until  bigint,
    worker       text,
    error        text,
    created_at   bigint not null,
    finished_at  bigint
);
create index job_due on job (state, run_at);
create unique index job_key on job (kind, key) where key is not null and state in ('ready', 'running');

-- Answers to writes that carried an Idempotency-Key.
create table idempotency (
    person_id  uuid not null references person (id),
    key        text not null,
    request    bytea not null,
    status     bigint,
    headers    jsonb,
    body       bytea,
    created_at bigint not null,
    expires_at bigint not null,
    primary key (person_id, key)
);
create index idempotency_expiry on idempotency (expires_at);
