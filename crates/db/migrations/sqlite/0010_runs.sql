-- Runs on the hub: what was asked for, how far it has come, and what came of it.

create table run (
    id           blob primary key,
    -- In whose name it runs: whose overlay, secrets and quota.
    publisher_id blob not null references publisher (id),
    person_id    blob not null references person (id),
    -- What runs, by name and by bytes; the skill may be gone later.
    skill        text not null,
    skill_id     blob not null,
    version_id   blob not null,
    digest       blob not null,
    entry        text not null,
    asked        text not null,
    job_id       blob not null,
    retry_of     blob,
    state        text not null check (state in ('queued', 'preparing', 'running', 'finished', 'failed', 'cancelled', 'lost')),
    -- The last step that is written down and is never done again.
    step         text not null check (step in ('accepted', 'prepared', 'executed', 'recorded')),
    -- How often a worker took it; fences what an earlier one still wants to write.
    attempt      integer not null,
    -- How often its program was started.
    executions   integer not null,
    worker       text,
    layer        text,
    result       text,
    receipt      blob,
    salts        text,
    error_code   text,
    error        text,
    events       integer not null,
    created_at   integer not null,
    started_at   integer,
    cancel_at    integer,
    ended_at     integer,
    -- When its files and what it said are forgotten, and whether they were.
    keep_until   integer,
    forgotten_at integer
) strict;
create index run_person on run (person_id, id);
create index run_person_day on run (person_id, created_at);
create index run_person_open on run (person_id) where ended_at is null;
create index run_publisher on run (publisher_id, id);
create index run_publisher_day on run (publisher_id, created_at);
create index run_publisher_open on run (publisher_id) where ended_at is null;
create index run_state on run (state, created_at);
create index run_open on run (id) where ended_at is null;
create index run_kept on run (keep_until) where forgotten_at is null;

-- Files that went in, came out, or hold what was said.
create table run_file (
    run_id blob not null references run (id),
    way    text not null check (way in ('in', 'out', 'said')),
    path   text not null,
    size   integer not null,
    digest blob not null references blob (digest),
    primary key (run_id, way, path)
) strict;
create index run_file_digest on run_file (digest);

-- What happened in a run, and what its program said while it ran.
create table run_event (
    run_id blob not null references run (id),
    number integer not null,
    at     integer not null,
    kind   text not null check (kind in ('state', 'stdout', 'stderr', 'note')),
    data   text not null,
    primary key (run_id, number)
) strict, without rowid;
