//! A hub with many skills.

use kontor_db::persons::Person;
use kontor_db::publishers::Publisher;
use kontor_db::skill_names::{Name, NameKind};
use kontor_db::skills::{Facts, NewSkill};
use kontor_db::version_files::File;
use kontor_db::versions::{NewVersion, VersionState};
use kontor_db::{Db, Error, Tx, blobs, persons, publishers, skill_names, skills, tags, version_files, versions};
use kontor_types::{
    Digest, PersonId, PublisherId, PublisherKind, Role, SkillId, TagName, Timestamp, VersionId, Viewer, Visibility,
};
use serde_json::json;

pub const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

/// Enough that reading all of them would be the worse plan.
const SKILLS: u32 = 2_000;

/// Who and what is there.
#[derive(Clone, Copy)]
pub struct Stock {
    pub person: PersonId,
    pub publisher: PublisherId,
    pub skill: SkillId,
    pub version: VersionId,
}

impl Stock {
    /// One who maintains the publisher.
    pub fn maintainer(&self) -> Viewer {
        Viewer::person(self.person, vec![(self.publisher, Role::Owner)])
    }
}

/// Makes one person, one publisher and many skills.
pub async fn fill(db: &Db) -> Stock {
    db.write(|tx| Box::pin(stock(tx))).await.unwrap()
}

async fn stock(tx: &mut Tx) -> Result<Stock, Error> {
    let (person, publisher) = (PersonId::new(NOW), PublisherId::new(NOW));
    let ada = Person {
        id: person,
        handle: "ada".parse().unwrap(),
        display_name: "Ada".to_owned(),
        administrator: true,
        created_at: NOW,
        disabled_at: None,
    };
    let acme = Publisher {
        id: publisher,
        handle: "acme".parse().unwrap(),
        kind: PublisherKind::Organisation,
        display_name: "Acme".to_owned(),
        created_at: NOW,
        require_signature: false,
    };
    persons::insert(tx, &ada).await?;
    publishers::insert(tx, &acme).await?;
    blobs::put(tx, &Digest::of(b"bytes"), 10, NOW).await?;
    let mut last = skill(tx, publisher, 0).await?;
    for number in 1..SKILLS {
        last = skill(tx, publisher, number).await?;
    }
    Ok(Stock { person, publisher, skill: last.0, version: last.1 })
}

async fn skill(tx: &mut Tx, publisher_id: PublisherId, number: u32) -> Result<(SkillId, VersionId), Error> {
    let (id, version_id) = (SkillId::new(NOW), VersionId::new(NOW));
    let slug: kontor_types::Slug = format!("skill-{number}").parse().unwrap();
    let facts = Facts {
        display_name: slug.to_string(),
        description: "does something".to_owned(),
        description_derived: false,
        license: None,
        categories: Vec::new(),
        keywords: Vec::new(),
        spec_valid: true,
    };
    let skill = NewSkill {
        id,
        publisher_id,
        slug: slug.clone(),
        look: slug.to_string(),
        visibility: Visibility::Public,
        facts: facts.clone(),
        latest: Some(version_id),
        now: NOW,
    };
    let version = NewVersion {
        id: version_id,
        skill_id: id,
        number: "1.0.0".parse().unwrap(),
        digest: Digest::of(b"bytes"),
        size: 10,
        file_count: 1,
        fingerprint: Digest::of(b"fingerprint"),
        state: VersionState::Visible,
        facts,
        skill_file: "SKILL.md".to_owned(),
        front_matter: json!({}),
        manifest: None,
        findings: json!([]),
        changelog: String::new(),
        origin: None,
        published_by: None,
        now: NOW,
    };
    let file = File { path: "SKILL.md".to_owned(), position: 0, size: 10, digest: Digest::of(b"bytes") };
    skills::insert(tx, &skill).await?;
    versions::insert(tx, &version).await?;
    version_files::insert(tx, version_id, &[file]).await?;
    tags::put(tx, id, &TagName::latest(), version_id, NOW).await?;
    let name = Name { publisher_id, slug, skill_id: id, kind: NameKind::Current, until: None };
    skill_names::insert(tx, &name, NOW).await?;
    Ok((id, version_id))
}
