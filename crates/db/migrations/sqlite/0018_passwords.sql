-- Passwords, kept only as what Argon2id makes of them.
create table password (
    person_id  blob primary key references person (id),
    hash       text not null,
    changed_at integer not null
) strict;

-- Wrong passwords of late, to make guessing slow. `account` is a digest of the person, or a rough one of a name that nobody has.
create table password_try (
    account blob not null,
    network text not null,
    at      integer not null
) strict;
create index password_try_account on password_try (account, at);
create index password_try_network on password_try (network, at);

-- Networks from which somebody signed in with their password: who guesses from elsewhere does not lock them out there.
create table password_place (
    person_id blob not null references person (id),
    network   text not null,
    at        integer not null,
    primary key (person_id, network)
) strict;

-- Whether a session began with a one-time link or with a password.
alter table browser_session add column opened_by text not null default 'link';

-- A change of password ends the person's links.
create index sign_in_link_person on sign_in_link (person_id);
