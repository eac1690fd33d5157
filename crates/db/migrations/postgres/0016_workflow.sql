-- Workflows: what is done step by step, and the journal that says how far each has come.

create table workflow (
    id           uuid primary key,
    -- Which definition it runs, and which version of it, as long as it lives.
    kind         text collate "C" not null,
    version      bigint not null,
    -- Under which it was asked for: a person's second request with one key finds the first.
    key          text collate "C" not null,
    title        text collate "C" not null,
    person_id    uuid not null references person (id),
    publisher_id uuid references publisher (id),
    parent       uuid,
    retry_of     uuid,
    -- The digest of what was asked for.
    request      bytea not null,
    state        text collate "C" not null
        check (state in ('queued', 'running', 'waiting', 'finished', 'failed', 'cancelled', 'stalled')),
    -- How often a worker took it; fences what an earlier one still wants to write.
    attempt      bigint not null,
    -- How often workers died with it since its journal last grew.
    crashes      bigint not null,
    worker       text collate "C",
    lease_until  bigint,
    -- When it goes on by itself.
    wake_at      bigint,
    -- How often something happened that it may wait for.
    signals      bigint not null,
    -- How long its journal is, and the digest of the newest entry.
    entries      bigint not null,
    head         bytea not null,
    -- Whether it can no longer be cancelled.
    sealed       boolean not null,
    output       text,
    error_code   text,
    error        text,
    created_at   bigint not null,
    cancel_at    bigint,
    cancelled_by uuid references person (id),
    ended_at     bigint,
    unique (person_id, kind, key)
) with (fillfactor = 70);
create index workflow_person on workflow (person_id, id);
create index workflow_publisher on workflow (publisher_id, id) where publisher_id is not null;
create index workflow_parent on workflow (parent) where parent is not null;
create index workflow_due on workflow (wake_at) where wake_at is not null;
create index workflow_lease on workflow (lease_until) where lease_until is not null;
create index workflow_open on workflow (state) where ended_at is null;
create index workflow_stopping on workflow (id) where cancel_at is not null and ended_at is null;

-- The journal. Each entry has the digest of the one before it in its own. `data` is the very text that the digest is about.
-- Entries are only ever added together with a change of their workflow's row, so that row is there.
create table workflow_entry (
    workflow_id uuid not null,
    number      bigint not null,
    at          bigint not null,
    kind        text collate "C" not null,
    branch      text collate "C" not null,
    -- Where it stands in the definition; nothing for what comes from outside.
    place       bigint,
    name        text collate "C" not null,
    input       bytea,
    data        text collate "C" not null,
    digest      bytea not null,
    primary key (workflow_id, number)
);

-- What a workflow asks people. An answer is given once.
create table workflow_question (
    workflow_id uuid not null references workflow (id),
    -- The journal's entry in which it was asked.
    number      bigint not null,
    name        text collate "C" not null,
    text        text not null,
    form        text not null,
    detail      text not null,
    who         text collate "C" not null check (who in ('owner', 'publisher', 'persons')),
    asked_at    bigint not null,
    deadline    bigint,
    answered_at bigint,
    answered_by uuid references person (id),
    answer      text,
    -- When it was answered in vain: too late, or the workflow is over.
    closed_at   bigint,
    primary key (workflow_id, number)
);
create unique index workflow_question_open on workflow_question (workflow_id, name)
    where answered_at is null and closed_at is null;

-- Persons who were asked by name; they see the workflow.
create table workflow_asked (
    workflow_id uuid not null references workflow (id),
    number      bigint not null,
    person_id   uuid not null references person (id),
    primary key (workflow_id, number, person_id)
);
create index workflow_asked_person on workflow_asked (person_id, workflow_id);
