-- Which contents say almost the same, which names are almost the same, and what that made of a version.

-- The signature of a content's text; one that is too short to compare has no places.
create table likeness (
    digest blob primary key references blob (digest),
    places blob not null,
    bands  blob not null
) strict;

-- The buckets in which contents with like texts meet: the first that came to each.
create table likeness_band (
    band   integer not null,
    digest blob not null,
    primary key (band, digest)
) strict, without rowid;

-- Contents with like texts, each pair in both directions, with the share of text in common in percent.
create table likeness_pair (
    digest   blob not null references likeness (digest),
    other    blob not null references likeness (digest),
    likeness integer not null,
    primary key (digest, other)
) strict, without rowid;
create index likeness_pair_other on likeness_pair (other);

-- What a version was taken for when it was last decided.
create table resemblance (
    version_id blob primary key references version (id),
    copy_of    blob,
    likeness   integer,
    gained     text not null,
    looks_like blob
) strict;

-- The first and the last half of the name without hyphens, with the length of the whole: of two names that differ in one
-- slip one half is equal. Nothing for the shortest names.
alter table skill add column fore text;
alter table skill add column back text;
update skill set
    fore = length(replace(slug, '-', '')) || '<'
        || substr(replace(slug, '-', ''), 1, (length(replace(slug, '-', '')) - 1) / 2),
    back = length(replace(slug, '-', '')) || '>'
        || substr(replace(slug, '-', ''), length(replace(slug, '-', '')) / 2 + 2)
    where length(replace(slug, '-', '')) >= 5;
create index skill_fore on skill (fore);
create index skill_back on skill (back);
