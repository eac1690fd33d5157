//! Clients that publish and import until the hub is gone, and remember what it acknowledged.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::hub::{PATIENCE, TOKEN};
use super::skill::{Attempt, Package, Skill, Version, package, word};

/// Who owns what the clients make.
pub const PUBLISHER: &str = "crash";

/// Stands for the status of an answer whose body breaks off.
const BROKEN_OFF: u16 = 0;

/// The way to a hub for as long as it lives.
pub struct Door {
    http: reqwest::Client,
    url: String,
    /// Whether a key may be used again after the hub died. With several nodes the others cannot know that the one which
    /// took the key is dead, so they wait for it.
    keys_outlive: bool,
}

impl Door {
    /// To the hub that answers at `url`.
    pub fn new(url: String, keys_outlive: bool) -> Result<Self> {
        let http = kontor_outbound::client().timeout(PATIENCE).pool_max_idle_per_host(8).build()?;
        Ok(Self { http, url, keys_outlive })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/kontor/v1{path}", self.url)).bearer_auth(TOKEN)
    }

    /// Reads; the hub must be there.
    pub async fn get(&self, path: &str) -> Result<(u16, Vec<u8>)> {
        let answer = self.request(Method::GET, path).send().await.with_context(|| format!("no answer to {path}"))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await;
        Ok(body.map_or((BROKEN_OFF, Vec::new()), |body| (status, body.to_vec())))
    }

    /// Reads JSON; null for anything but success.
    pub async fn read(&self, path: &str) -> Result<Value> {
        match self.get(path).await? {
            (200, body) => Ok(serde_json::from_slice(&body)?),
            (404, _) => Ok(Value::Null),
            (status, body) => bail!("{path}: {status} {}", String::from_utf8_lossy(&body)),
        }
    }

    /// Waits until everything that was taken in is scanned and decided: only then it is there for all.
    pub async fn decided(&self) -> Result<()> {
        let begun = std::time::Instant::now();
        loop {
            let waiting = self.read("/assessments/waiting").await?;
            if waiting["pending"] == 0 {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                bail!("versions wait to be decided for {PATIENCE:?}: {waiting}");
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Makes the publisher unless it is there.
    pub async fn make_publisher(&self) -> Result<()> {
        let answer = self.request(Method::POST, "/publishers").json(&json!({ "handle": PUBLISHER })).send().await?;
        if !matches!(answer.status().as_u16(), 201 | 409) {
            bail!("the publisher cannot be made: {}", answer.text().await?);
        }
        Ok(())
    }
}

/// One client, which has skills of its own.
pub struct Client {
    random: StdRng,
    /// What the hub acknowledged.
    pub skills: Vec<Skill>,
    /// What was sent and not answered.
    pub pending: Option<Attempt>,
    /// How many publishes and imports were acknowledged.
    pub acknowledged: u64,
}

impl Client {
    /// A client that chooses by `seed`.
    pub fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), skills: Vec::new(), pending: None, acknowledged: 0 }
    }

    /// Sends one thing after the other until the hub is gone.
    pub async fn work(&mut self, door: &Door) -> Result<()> {
        loop {
            let attempt = match self.pending.take() {
                Some(attempt) => attempt,
                None => self.next()?,
            };
            if !self.send(door, attempt).await? {
                return Ok(());
            }
        }
    }

    /// Sends what was not answered, until it is.
    pub async fn settle(&mut self, door: &Door) -> Result<()> {
        let Some(attempt) = self.pending.take() else { return Ok(()) };
        if !self.send(door, attempt).await? {
            bail!("the hub does not answer");
        }
        Ok(())
    }

    /// A new skill, the bytes of another one under a new name, or a new version.
    fn next(&mut self) -> Result<Attempt> {
        let key = word(&mut self.random);
        // A key makes the hub write once more between the commit and the answer.
        let key = self.random.random_bool(0.5).then_some(key);
        let old = if self.skills.is_empty() { None } else { Some(self.random.random_range(0..self.skills.len())) };
        let skill = old.and_then(|place| self.skills.get(place));
        if let Some(skill) = skill
            && self.random.random_bool(0.35)
        {
            let (slug, imported) = (skill.slug.clone(), skill.imported);
            let number = skill.versions.len();
            let package = package(&slug, &mut self.random)?;
            return Ok(Attempt { slug, imported, number, package, key, tries: 0 });
        }
        let slug = word(&mut self.random);
        let twin = skill.and_then(|skill| skill.versions.first()).map(|version| version.package.clone());
        let package: Package = match twin {
            Some(twin) if self.random.random_bool(0.2) => twin,
            _ => package(&slug, &mut self.random)?,
        };
        let imported = self.random.random_bool(0.5);
        Ok(Attempt { slug, imported, number: 0, package, key, tries: 0 })
    }

    /// Sends; `false` when the hub is gone, and the attempt is kept.
    async fn send(&mut self, door: &Door, mut attempt: Attempt) -> Result<bool> {
        attempt.tries += 1;
        let (slug, publisher) = (&attempt.slug, PUBLISHER);
        let path = if attempt.imported {
            format!("/publishers/{publisher}/imports?source=crash&path={slug}&slug={slug}&on_conflict=refuse")
        } else {
            format!("/publishers/{publisher}/skills?slug={slug}")
        };
        let request = door.request(Method::POST, &path).header("content-type", "application/zip");
        let request = match &attempt.key {
            None => request,
            Some(key) if door.keys_outlive => request.header("idempotency-key", key),
            Some(key) => request.header("idempotency-key", format!("{key}-{}", attempt.tries)),
        };
        let request = request.body(attempt.package.bytes.clone());
        let begun = std::time::Instant::now();
        let answer = async {
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        };
        let Ok((status, body)) = answer.await else {
            if begun.elapsed() > PATIENCE.saturating_sub(Duration::from_secs(1)) {
                bail!("the hub does not answer {path}");
            }
            self.pending = Some(attempt);
            return Ok(false);
        };
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let digest = attempt.package.digest.to_string();
        if !matches!(status, 200 | 201) || said["digest"] != digest || said["version"] != attempt.version() {
            let body = String::from_utf8_lossy(&body);
            bail!("{path}, try {}: {status} in place of {digest} as {}: {body}", attempt.tries, attempt.version());
        }
        self.acknowledge(attempt);
        Ok(true)
    }

    fn acknowledge(&mut self, attempt: Attempt) {
        self.acknowledged += 1;
        let version = Version { number: attempt.number, package: attempt.package, seen: false };
        match self.skills.iter_mut().find(|skill| skill.slug == attempt.slug) {
            Some(skill) => skill.versions.push(version),
            None => {
                self.skills.push(Skill { slug: attempt.slug, imported: attempt.imported, versions: vec![version] });
            }
        }
    }
}
