//! Looks at a hub that was started again: what it acknowledged is there, what it did not is there whole or not at all.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use kontor_types::Digest;
use serde_json::Value;

use super::client::{Client, Door, PUBLISHER};
use super::hub::PATIENCE;
use super::skill::{Attempt, Package, Skill};

/// How long to wait before the index is asked again.
const BREATH: Duration = Duration::from_millis(20);

/// What somebody saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// What was acknowledged and is not there.
    pub lost: Vec<String>,
    /// What else is not as it should be.
    pub wrong: Vec<String>,
}

impl Seen {
    /// Looks at what a client knows and has not looked at since it was acknowledged.
    pub async fn of(client: &mut Client, door: &Door) -> Result<Self> {
        let mut seen = Self::default();
        let landed = match &client.pending {
            Some(attempt) => seen.half_done(attempt, door).await?,
            None => false,
        };
        for skill in &mut client.skills {
            if skill.versions.iter().all(|version| version.seen) {
                continue;
            }
            let pending = client.pending.as_ref().filter(|attempt| landed && attempt.slug == skill.slug);
            seen.acknowledged(skill, pending, door).await?;
        }
        Ok(seen)
    }

    async fn acknowledged(&mut self, skill: &mut Skill, pending: Option<&Attempt>, door: &Door) -> Result<()> {
        for version in skill.versions.iter_mut().filter(|version| !version.seen) {
            let number = format!("0.1.{}", version.number);
            if let Some(what) = differs(&skill.slug, &number, &version.package, door).await? {
                self.lost.push(what);
            }
            version.seen = true;
        }
        let newest = skill.versions.last().map(|version| version.number).max(pending.map(|attempt| attempt.number));
        let newest = format!("0.1.{}", newest.unwrap_or_default());
        let shown = door.read(&format!("/skills/{PUBLISHER}/{}", skill.slug)).await?;
        if shown["latest"] != newest {
            self.wrong.push(format!("@{PUBLISHER}/{} has latest {} in place of {newest}", skill.slug, shown["latest"]));
        }
        if !found(&skill.slug, &newest, door).await? {
            self.lost.push(format!("@{PUBLISHER}/{} with {newest} is not found", skill.slug));
        }
        Ok(())
    }

    /// Whether what was not acknowledged is there; it must be there whole or not at all.
    async fn half_done(&mut self, attempt: &Attempt, door: &Door) -> Result<bool> {
        let (slug, number) = (&attempt.slug, attempt.version());
        let there = !door.read(&format!("/skills/{PUBLISHER}/{slug}/versions/{number}")).await?.is_null();
        if there {
            if let Some(what) = differs(slug, &number, &attempt.package, door).await? {
                self.wrong.push(format!("half visible: {what}"));
            }
        } else if attempt.number == 0 {
            let skill = door.read(&format!("/skills/{PUBLISHER}/{slug}")).await?;
            let hits = hits(slug, door).await?;
            if !skill.is_null() || hits.iter().any(|hit| hit["slug"] == **slug) {
                self.wrong.push(format!("half visible: @{PUBLISHER}/{slug} without its version: {skill} {hits:?}"));
            }
        }
        Ok(there)
    }

    /// Compares everything that the hub lists with everything that it acknowledged, after all was looked at and settled.
    pub async fn of_all(clients: &[Client], door: &Door) -> Result<Self> {
        let mut seen = Self::default();
        let skills = clients.iter().flat_map(|client| &client.skills);
        let mut expected: BTreeMap<String, i64> = skills.clone().map(|skill| (skill.slug.clone(), 0)).collect();
        let listed = pages(&format!("/skills?publisher={PUBLISHER}&limit=200"), door).await?;
        seen.compare("list", &mut expected, listed.iter().filter_map(|item| item["slug"].as_str()));
        let versions = skills.flat_map(|skill| skill.versions.iter().map(move |version| (skill, version.number)));
        let name = |(skill, number): (&Skill, usize)| format!("@{PUBLISHER}/{}@0.1.{number}", skill.slug);
        let mut expected: BTreeMap<String, i64> = versions.map(|version| (name(version), 0)).collect();
        let mut events = Vec::new();
        for action in ["version.publish", "version.import"] {
            events.extend(pages(&format!("/audit?publisher={PUBLISHER}&action={action}&limit=200"), door).await?);
        }
        seen.compare("audit trail", &mut expected, events.iter().filter_map(|item| item["subject"].as_str()));
        Ok(seen)
    }

    /// Everything expected is there once, and nothing else.
    fn compare<'a>(&mut self, place: &str, expected: &mut BTreeMap<String, i64>, there: impl Iterator<Item = &'a str>) {
        for name in there {
            match expected.get_mut(name) {
                Some(count) => *count += 1,
                None => self.wrong.push(format!("{place}: {name} is there and nobody was told so")),
            }
        }
        for (name, count) in expected.iter().filter(|(_, count)| **count != 1) {
            self.wrong.push(format!("{place}: {name} is there {count} times"));
        }
    }
}

/// What is wrong with a version, byte for byte.
async fn differs(slug: &str, number: &str, package: &Package, door: &Door) -> Result<Option<String>> {
    let path = format!("/skills/{PUBLISHER}/{slug}/versions/{number}");
    let detail = door.read(&path).await?;
    if detail["digest"] != package.digest.to_string() || detail["file_count"] != 2 {
        return Ok(Some(format!("@{PUBLISHER}/{slug}@{number} is {detail} in place of {}", package.digest)));
    }
    let files = door.read(&format!("{path}/files")).await?;
    let (status, bytes) = door.get(&format!("{path}/archive?held=true")).await?;
    if status != 200 || Digest::of(&bytes) != package.digest || bytes != package.bytes {
        return Ok(Some(format!("@{PUBLISHER}/{slug}@{number}: the archive is {status} with {} bytes", bytes.len())));
    }
    let count = files["items"].as_array().map_or(0, Vec::len);
    Ok((count != 2).then(|| format!("@{PUBLISHER}/{slug}@{number} has {count} files in place of 2")))
}

/// Whether the search finds the skill with this version, within the time the index may take.
async fn found(slug: &str, newest: &str, door: &Door) -> Result<bool> {
    let begun = Instant::now();
    loop {
        if hits(slug, door).await?.iter().any(|hit| hit["slug"] == *slug && hit["latest"] == *newest) {
            return Ok(true);
        }
        if begun.elapsed() > PATIENCE {
            return Ok(false);
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn hits(slug: &str, door: &Door) -> Result<Vec<Value>> {
    let answer = door.read(&format!("/search?q={slug}&limit=5")).await?;
    Ok(answer["items"].as_array().cloned().unwrap_or_default())
}

/// Every item of a list.
async fn pages(path: &str, door: &Door) -> Result<Vec<Value>> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = door.read(&format!("{path}{cursor}")).await?;
        items.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(items),
        }
    }
}
