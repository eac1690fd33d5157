-- Every frequent lookup has an index that serves it.

-- Use is counted by version and summed by skill; a version that is removed must not search the whole table.
drop index usage_day_day;
alter table usage_day drop constraint usage_day_pkey;
alter table usage_day add primary key (version_id, day);
create index usage_day_skill on usage_day (skill_id, day);

-- Actions are sorted by their bytes, so that one range holds all of a noun.
alter table audit_event alter column action type text collate "C";

-- What is put away, and what is no longer held back.
create index skill_hidden on skill (updated_at, id) where hidden_at is not null;
create index skill_deleted on skill (updated_at, id) where deleted_at is not null;
create index skill_name_reserved on skill_name (skill_id, until) where kind = 'reserved';
drop index version_skill;
create index version_skill on version (skill_id, created_at, id);

-- Parts of a skill, found when it is removed.
create index report_skill on report (skill_id, person_id);
create index report_version on report (version_id);
create index report_person on report (person_id, id);
create index overlay_skill on overlay (skill_id);

-- What belongs to a person.
create index upload_ticket_person on upload_ticket (person_id, expires_at);
create index browser_session_person on browser_session (person_id);
create index person_administrator on person (created_at, id) where administrator;

-- Offers under way, the newest first.
create index transfer_pending on transfer (id) where state = 'pending';

-- Work that is due, in its order; and the leases that ran out.
drop index job_due;
create index job_due on job (run_at, id) where state = 'ready';
create index job_lease on job (lease_until, id) where state = 'running';
create index job_dead on job (finished_at, id) where state = 'dead';
create index job_done on job (finished_at) where state = 'done';
