-- Which skills a person has made live, each in the version that was chosen.
create table activation (
    person_id  blob not null references person (id),
    skill_id   blob not null references skill (id),
    version_id blob not null references version (id),
    created_at integer not null,
    primary key (person_id, skill_id)
) strict, without rowid;
create index activation_skill on activation (skill_id);
create index activation_version on activation (version_id);

-- What a person lets a version have whenever their agents run it.
create table consent (
    id         blob primary key,
    person_id  blob not null references person (id),
    version_id blob not null references version (id),
    -- The version's full name then, for the list that is shown.
    skill      text not null,
    -- Everything that may be had, in one spelling: another list is another consent.
    asked      text not null,
    -- The token with which it ends; nothing when it holds for all of the person's.
    token_id   blob,
    created_at integer not null,
    expires_at integer
) strict;
create index consent_person on consent (person_id, version_id);
create index consent_version on consent (version_id);

-- Questions that were put to people through their agents' clients and are not answered yet.
create table consent_question (
    -- The digest of what comes back with the answer.
    id         blob primary key,
    person_id  blob not null references person (id),
    -- The digest of exactly the call that it is about.
    about      blob not null,
    expires_at integer not null
) strict;
create index consent_question_person on consent_question (person_id, expires_at);
