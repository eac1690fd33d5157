-- Workflows: what is done step by step, and the journal that says how far each has come.

create table workflow (
    id           blob primary key,
    -- Which definition it runs, and which version of it, as long as it lives.
    kind         text not null,
    version      integer not null,
    -- Under which it was asked for: a person's second request with one key finds the first.
    key          text not null,
    title        text not null,
    person_id    blob not null references person (id),
    publisher_id blob references publisher (id),
    parent       blob,
    retry_of     blob,
    -- The digest of what was asked for.
    request      blob not null,
    state        text not null
        check (state in ('queued', 'running', 'waiting', 'finished', 'failed', 'cancelled', 'stalled')),
    -- How often a worker took it; fences what an earlier one still wants to write.
    attempt      integer not null,
    -- How often workers died with it since its journal last grew.
    crashes      integer not null,
    worker       text,
    lease_until  integer,
    -- When it goes on by itself.
    wake_at      integer,
    -- How often something happened that it may wait for.
    signals      integer not null,
    -- How long its journal is, and the digest of the newest entry.
    entries      integer not null,
    head         blob not null,
    -- Whether it can no longer be cancelled.
    sealed       integer not null check (sealed in (0, 1)),
    output       text,
    error_code   text,
    error        text,
    created_at   integer not null,
    cancel_at    integer,
    cancelled_by blob references person (id),
    ended_at     integer,
    unique (person_id, kind, key)
) strict;
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
    workflow_id blob not null,
    number      integer not null,
    at          integer not null,
    kind        text not null,
    branch      text not null,
    -- Where it stands in the definition; nothing for what comes from outside.
    place       integer,
    name        text not null,
    input       blob,
    data        text not null,
    digest      blob not null,
    primary key (workflow_id, number)
) strict;

-- What a workflow asks people. An answer is given once.
create table workflow_question (
    workflow_id blob not null references workflow (id),
    -- The journal's entry in which it was asked.
    number      integer not null,
    name        text not null,
    text        text not null,
    form        text not null,
    detail      text not null,
    who         text not null check (who in ('owner', 'publisher', 'persons')),
    asked_at    integer not null,
    deadline    integer,
    answered_at integer,
    answered_by blob references person (id),
    answer      text,
    -- When it was answered in vain: too late, or the workflow is over.
    closed_at   integer,
    primary key (workflow_id, number)
) strict;
create unique index workflow_question_open on workflow_question (workflow_id, name)
    where answered_at is null and closed_at is null;

-- Persons who were asked by name; they see the workflow.
create table workflow_asked (
    workflow_id blob not null references workflow (id),
    number      integer not null,
    person_id   blob not null references person (id),
    primary key (workflow_id, number, person_id)
) strict;
create index workflow_asked_person on workflow_asked (person_id, workflow_id);
