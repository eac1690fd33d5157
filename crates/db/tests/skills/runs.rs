//! The contract of every query about runs, on both databases.

mod events;
mod files;
mod progress;
mod rows;

use kontor_db::runs::{self, NewRun, Run};
use kontor_types::{Digest, JobId, PersonId, PublisherId, RunId, SkillId, Timestamp, VersionId};
use serde_json::json;

use crate::fixtures::World;

impl World {
    /// A run that waits for a worker; no job stands behind it.
    pub async fn run(&self, person: PersonId, publisher: PublisherId, now: Timestamp) -> RunId {
        let run = a_run(person, publisher, now);
        let id = run.id;
        write!(self.db(), |tx| runs::insert(tx, &run));
        id
    }

    /// The run as it stands now.
    pub async fn shown(&self, id: RunId) -> Run {
        runs::by_id(&mut self.conn().await, id).await.unwrap().unwrap()
    }
}

pub fn a_run(person: PersonId, publisher: PublisherId, now: Timestamp) -> NewRun {
    NewRun {
        id: RunId::new(now),
        publisher_id: publisher,
        person_id: person,
        skill: "@acme/pdf@1.0.0".to_owned(),
        skill_id: SkillId::new(now),
        version_id: VersionId::new(now),
        digest: Digest::of(b"pdf"),
        entry: "extract".to_owned(),
        asked: json!({"input": {"pages": [1, "二"]}, "limit": null}),
        job_id: JobId::new(now),
        retry_of: None,
        now,
    }
}
