-- What was found in contents, what was decided about versions, and who looks at what waits.

-- The rules and the policy by which a version was last decided, as one digest.
alter table version add column judged bytea;
create index version_pending on version (id) where state = 'pending';

-- What the scanner said of a content, once for each set of rules.
create table scan_report (
    digest     bytea not null references blob (digest),
    rules      bytea not null,
    verdict    text not null check (verdict in ('clean', 'incomplete', 'suspicious', 'malicious')),
    severity   text not null check (severity in ('none', 'info', 'low', 'medium', 'high', 'critical')),
    report     jsonb not null,
    scanned_at bigint not null,
    primary key (digest, rules)
);

-- Scans that began and have not led to a decision, with the node that began them; one that ends the program leaves its row.
create table scan_attempt (
    version_id uuid primary key references version (id),
    owner      text not null,
    attempts   bigint not null,
    error      text,
    at         bigint not null
);

-- Tags that a version gets when it is admitted.
create table tag_wish (
    version_id uuid not null references version (id),
    name       text not null,
    primary key (version_id, name)
);

create table decision (
    id         uuid primary key,
    version_id uuid not null references version (id),
    outcome    text not null check (outcome in ('admit', 'review', 'quarantine', 'reject')),
    reasons    jsonb not null,
    facts      jsonb not null,
    policy     bytea not null,
    rules      bytea not null,
    cause      text not null,
    person_id  uuid references person (id),
    created_at bigint not null
);
create index decision_version on decision (version_id, id);

-- One for each version that a person had to look at.
create table review (
    id         uuid primary key,
    version_id uuid not null unique references version (id),
    outcome    text not null check (outcome in ('admit', 'review', 'quarantine', 'reject')),
    state      text not null check (state in ('open', 'approved', 'changes', 'rejected', 'settled')),
    severity   text not null check (severity in ('none', 'info', 'low', 'medium', 'high', 'critical')),
    claimed_by uuid references person (id),
    claimed_at bigint,
    opened_at  bigint not null,
    closed_at  bigint
);
create index review_open on review (id) where state = 'open';
create index review_state on review (state, id);

create table review_note (
    id         uuid primary key,
    review_id  uuid not null references review (id),
    person_id  uuid references person (id),
    kind       text not null check (kind in ('claim', 'release', 'comment', 'approve', 'reject', 'changes', 'appeal')),
    text       text not null,
    created_at bigint not null
);
create index review_note_review on review_note (review_id, id);

-- What people are told about versions.
create table notice (
    id         uuid primary key,
    person_id  uuid not null references person (id),
    version_id uuid not null references version (id),
    text       text not null,
    created_at bigint not null,
    read_at    bigint
);
create index notice_person on notice (person_id, id);
create index notice_version on notice (version_id);

-- Every policy that was ever in force; the newest is.
create table policy (
    id         uuid primary key,
    name       text not null,
    text       text not null,
    digest     bytea not null,
    set_by     uuid references person (id),
    created_at bigint not null
);
