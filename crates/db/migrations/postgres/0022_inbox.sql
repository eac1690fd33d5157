-- What a notice is about, so that it can be told in the language of whoever reads it, and what a person gave as the reason.
alter table notice add column kind text not null default 'told';
alter table notice add column reason text not null default '';

-- How many somebody has not read stands on every page.
create index notice_unread on notice (person_id) where read_at is null;

-- Who was told about a version is shown to its reviewers.
drop index notice_version;
create index notice_version on notice (version_id, person_id);
