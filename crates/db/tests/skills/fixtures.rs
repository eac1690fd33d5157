//! A small hub: publishers `acme` and `other`, Ada who owns acme, Bob who is a member of it, and Eve, a stranger.

use kontor_db::persons::Person;
use kontor_db::publishers::Publisher;
use kontor_db::skill_names::{Name, NameKind};
use kontor_db::skills::{Facts, NewSkill};
use kontor_db::versions::{NewVersion, VersionState};
use kontor_db::{Conn, Db, blobs, persons, publishers, skill_names, skills, tags, versions};
use kontor_types::{
    Digest, Handle, PersonId, PublisherId, PublisherKind, Role, SkillId, Slug, TagName, Timestamp, Version, VersionId,
    Viewer, Visibility,
};
use serde_json::json;

use crate::support::{On, TestDb};

pub const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

/// Runs a unit of writing that must succeed.
macro_rules! write {
    ($db:expr, |$tx:ident| $unit:expr) => {
        $db.write(move |$tx| Box::pin(async move { $unit.await })).await.unwrap()
    };
}

pub struct World {
    test: TestDb,
    pub acme: PublisherId,
    pub other: PublisherId,
    pub ada: PersonId,
    pub bob: PersonId,
    pub eve: PersonId,
}

pub fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

pub fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

pub fn number(text: &str) -> Version {
    text.parse().unwrap()
}

pub fn later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() + seconds * 1_000_000)
}

pub fn facts(name: &str) -> Facts {
    Facts {
        display_name: name.to_uppercase(),
        description: format!("what {name} does"),
        description_derived: false,
        license: Some("MIT".to_owned()),
        categories: vec!["office".to_owned()],
        keywords: vec!["50%_off".to_owned(), name.to_owned()],
        spec_valid: true,
    }
}

impl World {
    pub async fn new(on: On) -> Option<Self> {
        let test = on.open().await?;
        let (ada, bob, eve) = (PersonId::new(NOW), PersonId::new(NOW), PersonId::new(NOW));
        for (id, name) in [(ada, "ada"), (bob, "bob"), (eve, "eve")] {
            let person = Person {
                id,
                handle: handle(name),
                display_name: name.to_owned(),
                administrator: false,
                created_at: NOW,
                disabled_at: None,
            };
            write!(test.db, |tx| persons::insert(tx, &person));
        }
        let (acme, other) = (PublisherId::new(NOW), PublisherId::new(NOW));
        for (id, name) in [(acme, "acme"), (other, "other")] {
            let publisher = Publisher {
                id,
                handle: handle(name),
                kind: PublisherKind::Organisation,
                display_name: name.to_owned(),
                created_at: NOW,
                require_signature: false,
            };
            write!(test.db, |tx| publishers::insert(tx, &publisher));
        }
        Some(Self { test, acme, other, ada, bob, eve })
    }

    pub fn db(&self) -> &Db {
        &self.test.db
    }

    pub async fn conn(&self) -> Conn {
        self.test.db.read().await.unwrap()
    }

    /// Ada, who owns acme.
    pub fn owner(&self) -> Viewer {
        Viewer::person(self.ada, vec![(self.acme, Role::Owner)])
    }

    /// Bob, who is only a member of acme.
    pub fn member(&self) -> Viewer {
        Viewer::person(self.bob, vec![(self.acme, Role::Member)])
    }

    /// Eve, who owns another publisher.
    pub fn stranger(&self) -> Viewer {
        Viewer::person(self.eve, vec![(self.other, Role::Owner)])
    }

    /// A skill with one version, 1.0.0, which is visible and `latest`.
    pub async fn skill(&self, publisher: PublisherId, name: &str, visibility: Visibility) -> SkillId {
        let skill = self.bare_skill(publisher, name, visibility, NOW).await;
        let version = self.version(skill, "1.0.0", VersionState::Visible, NOW).await;
        let facts = facts(name);
        write!(self.db(), |tx| async {
            skills::set_latest(tx, skill, Some((version, &facts))).await?;
            tags::put(tx, skill, &TagName::latest(), version, NOW).await
        });
        skill
    }

    /// A skill without a version.
    pub async fn bare_skill(
        &self,
        publisher: PublisherId,
        name: &str,
        visibility: Visibility,
        now: Timestamp,
    ) -> SkillId {
        let id = SkillId::new(now);
        let skill = NewSkill {
            id,
            publisher_id: publisher,
            slug: slug(name),
            look: name.replace('0', "o"),
            visibility,
            facts: facts(name),
            latest: None,
            now,
        };
        let name =
            Name { publisher_id: publisher, slug: slug(name), skill_id: id, kind: NameKind::Current, until: None };
        write!(self.db(), |tx| async {
            skills::insert(tx, &skill).await?;
            skill_names::insert(tx, &name, now).await
        });
        id
    }

    /// A version whose content is its number.
    pub async fn version(&self, skill: SkillId, text: &str, state: VersionState, now: Timestamp) -> VersionId {
        let version = a_version(skill, text, state, now);
        let id = version.id;
        write!(self.db(), |tx| async {
            blobs::put(tx, &version.digest, version.size, now).await?;
            versions::insert(tx, &version).await
        });
        id
    }
}

pub fn a_version(skill: SkillId, text: &str, state: VersionState, now: Timestamp) -> NewVersion {
    NewVersion {
        id: VersionId::new(now),
        skill_id: skill,
        number: number(text),
        digest: Digest::of(text.as_bytes()),
        size: 10,
        file_count: 1,
        fingerprint: Digest::of(format!("fingerprint of {text}").as_bytes()),
        state,
        facts: facts("skill"),
        skill_file: "SKILL.md".to_owned(),
        front_matter: json!({"name": "skill", "metadata": {"a": [1, "二"]}}),
        manifest: None,
        findings: json!([{"code": "name_differs"}]),
        changelog: format!("all about {text}"),
        origin: Some(json!({"kind": "git"})),
        published_by: None,
        now,
    }
}
