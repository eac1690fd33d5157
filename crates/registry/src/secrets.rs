//! Named secrets of publishers: sealed at rest, set and released by their admins, given to runs of exactly the bytes that
//! they were released to.
//!
//! A value goes in once and comes out only in [`Secrets::release`]. What waits for a run holds a [`SecretRef`], never a value.

mod refusal;

use std::collections::BTreeMap;
use std::sync::Arc;

use kontor_access::{Caller, Publisher, audit};
use kontor_crypto::{Sealer, Zeroizing};
use kontor_db::publishers;
use kontor_db::secrets::{self, NewRelease, Release, SealedSecret, Secret};
use kontor_db::{Conn, Db};
use kontor_types::{Digest, Handle, PublisherId, Role, RunId, Scope, SkillRef, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Error, Found, Registry};

pub use refusal::{SecretRefusal, Withheld};

/// Most secrets of one publisher.
const MOST: usize = 200;
/// Most versions that one publisher's secrets are released to.
const MOST_RELEASES: usize = 2_000;
/// Most secrets of one run.
const MOST_IN_RUN: usize = 50;
/// The longest name, as in a manifest.
const LONGEST_NAME: usize = 128;
/// A shorter value could not be kept out of what a run says.
const SHORTEST: usize = 6;
/// No key or token is longer.
const LONGEST: usize = 64 << 10;
/// Rows that are sealed anew or checked at a time.
const PAGE: u32 = 200;

/// The secrets of a hub's publishers; cheap to clone.
#[derive(Debug, Clone)]
pub struct Secrets {
    registry: Registry,
    sealer: Arc<Sealer>,
}

/// A secret that a run asks for, as it waits in a queue: a name and, once the run was accepted, which setting of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    /// The name.
    pub name: String,
    /// The number of its setting; the newest when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// A secret with what may be given it, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSecret {
    /// Name, number, and who set it.
    pub secret: Secret,
    /// To what it was released.
    pub releases: Vec<Release>,
}

/// Values by their names, in the clear; they are wiped when they are dropped and are never shown.
pub type Values = BTreeMap<String, Zeroizing<String>>;

impl Secrets {
    /// The secrets of this registry's publishers, under these keys.
    pub fn new(registry: Registry, sealer: Sealer) -> Self {
        Self { registry, sealer: Arc::new(sealer) }
    }

    /// Every secret of a publisher, by name, for those who maintain its skills; values never come back.
    ///
    /// # Errors
    /// [`Error::PublisherNotFound`] when the caller may not know of it; [`Error::Access`] without the role.
    pub async fn list(&self, caller: &Caller, publisher: &Handle) -> Result<Vec<KnownSecret>, Error> {
        let owner = self.owner(caller, publisher, Role::Maintainer, Scope::Read).await?;
        let mut conn = self.registry.read().await?;
        let mut releases: BTreeMap<String, Vec<Release>> = BTreeMap::new();
        for release in secrets::releases(&mut conn, owner.id).await? {
            releases.entry(release.name.clone()).or_default().push(release);
        }
        let all = secrets::list(&mut conn, owner.id).await?;
        let known =
            |secret: Secret| KnownSecret { releases: releases.remove(&secret.name).unwrap_or_default(), secret };
        Ok(all.into_iter().map(known).collect())
    }

    /// Sets a secret; what was released before stays released. For admins, with scope `admin`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name or value that no run could be given, [`Error::Conflict`] when there are too many or
    /// somebody else set it at the same moment.
    pub async fn set(
        &self,
        caller: &Caller,
        publisher: &Handle,
        name: &str,
        value: Zeroizing<String>,
    ) -> Result<KnownSecret, Error> {
        let owner = self.owner(caller, publisher, Role::Admin, Scope::Admin).await?;
        check_name(name)?;
        check_value(&value)?;
        let (keys, value) = (Arc::clone(&self.sealer), Arc::new(value));
        let (writer, label, now) = (caller.clone(), name.to_owned(), self.registry.now());
        self.registry
            .write(move |tx| {
                let (keys, value) = (Arc::clone(&keys), Arc::clone(&value));
                let (writer, name, owner) = (writer.clone(), label.clone(), owner.clone());
                Box::pin(async move {
                    let before = secrets::number(tx, owner.id, &name).await?;
                    if before.is_none() && secrets::list(tx, owner.id).await?.len() >= MOST {
                        let text = format!("@{} has {MOST} secrets, which is the most", owner.handle);
                        return Err(Error::conflict(text, "remove some with `kontor secret remove`"));
                    }
                    let version = before.unwrap_or(0).saturating_add(1);
                    let sealed = keys.seal(value.as_bytes(), &context(owner.id, &name, version));
                    let sealed = Some(sealed.map_err(Error::Sealing)?);
                    let row = SealedSecret { publisher_id: owner.id, name: name.clone(), version, sealed };
                    if !secrets::put(tx, &row, writer.person_id(), now).await? {
                        let text = format!("somebody else set `{name}` at the same moment");
                        return Err(Error::conflict(text, "look at `kontor secret list`, then set it again"));
                    }
                    tell(tx, &writer, "secret.set", &owner, &name, json!({ "version": version }), now).await
                })
            })
            .await?;
        self.known(caller, publisher, name).await
    }

    /// Removes a secret and all its releases. For admins, with scope `admin`.
    ///
    /// # Errors
    /// [`Error::SecretNotFound`].
    pub async fn remove(&self, caller: &Caller, publisher: &Handle, name: &str) -> Result<(), Error> {
        let owner = self.owner(caller, publisher, Role::Admin, Scope::Admin).await?;
        let (writer, label, now) = (caller.clone(), name.to_owned(), self.registry.now());
        self.registry
            .write(move |tx| {
                let (writer, name, owner) = (writer.clone(), label.clone(), owner.clone());
                Box::pin(async move {
                    if !secrets::remove(tx, owner.id, &name, writer.person_id(), now).await? {
                        return Err(missing(&owner.handle, &name));
                    }
                    tell(tx, &writer, "secret.remove", &owner, &name, json!({}), now).await
                })
            })
            .await
    }

    /// Releases a secret to the bytes of one version that the caller sees; the same again changes nothing. For admins, with
    /// scope `admin`. When `digest` is given, the version must have these bytes.
    ///
    /// # Errors
    /// [`Error::SecretNotFound`], [`Error::VersionNotFound`] and the like, [`Error::Conflict`] for other bytes.
    pub async fn grant(
        &self,
        caller: &Caller,
        publisher: &Handle,
        name: &str,
        to: &SkillRef,
        digest: Option<Digest>,
    ) -> Result<KnownSecret, Error> {
        let owner = self.owner(caller, publisher, Role::Admin, Scope::Admin).await?;
        self.existing(&mut self.registry.read().await?, &owner, name).await?;
        let found = self.registry.version(caller.viewer(), to).await?;
        if digest.is_some_and(|digest| digest != found.version.digest) {
            let text = format!("{} has other bytes: {}", found.reference(), found.version.digest);
            return Err(Error::conflict(text, "look at the version again, then release the secret to its bytes"));
        }
        let now = self.registry.now();
        let release = NewRelease {
            publisher: owner.id,
            name: name.to_owned(),
            skill: found.skill.id,
            digest: found.version.digest,
            reference: found.reference().to_string(),
            by: caller.person_id(),
            now,
        };
        let writer = caller.clone();
        self.registry
            .write(move |tx| {
                let (writer, release, owner) = (writer.clone(), release.clone(), owner.clone());
                Box::pin(async move {
                    if secrets::sealed(tx, owner.id, &release.name).await?.is_none() {
                        return Err(missing(&owner.handle, &release.name));
                    }
                    if secrets::releases(tx, owner.id).await?.len() >= MOST_RELEASES {
                        let text = format!("@{} has released its secrets {MOST_RELEASES} times", owner.handle);
                        return Err(Error::conflict(text, "take some back with `kontor secret revoke`"));
                    }
                    if !secrets::grant(tx, &release).await? {
                        return Ok(());
                    }
                    let to = json!({ "to": release.reference, "digest": release.digest });
                    tell(tx, &writer, "secret.grant", &owner, &release.name, to, now).await
                })
            })
            .await?;
        self.known(caller, publisher, name).await
    }

    /// Takes a release back from these bytes. For admins, with scope `admin`.
    ///
    /// # Errors
    /// [`Error::SecretNotFound`]; [`Error::NotFound`] when it was not released to them.
    pub async fn revoke(&self, caller: &Caller, publisher: &Handle, name: &str, digest: Digest) -> Result<(), Error> {
        let owner = self.owner(caller, publisher, Role::Admin, Scope::Admin).await?;
        self.existing(&mut self.registry.read().await?, &owner, name).await?;
        let (writer, label, now) = (caller.clone(), name.to_owned(), self.registry.now());
        self.registry
            .write(move |tx| {
                let (writer, name, owner) = (writer.clone(), label.clone(), owner.clone());
                Box::pin(async move {
                    let all = secrets::releases(tx, owner.id).await?;
                    let mut gone = all.into_iter().filter(|one| one.name == name && one.digest == digest).peekable();
                    if gone.peek().is_none() {
                        return Err(Error::NotFound { what: "release of this secret" });
                    }
                    for release in gone {
                        secrets::revoke(tx, owner.id, &name, release.skill_id, &digest).await?;
                        let from = json!({ "from": release.reference, "digest": digest });
                        tell(tx, &writer, "secret.revoke", &owner, &name, from, now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Whether a run of a version by the caller could be given these secrets now; the references to keep with the run until
    /// then. Nothing is opened.
    ///
    /// # Errors
    /// As [`Secrets::release`].
    pub async fn promise(
        &self,
        caller: &Caller,
        publisher: &Handle,
        found: &Found,
        names: &[String],
    ) -> Result<Vec<SecretRef>, Error> {
        let wanted: Vec<SecretRef> = names.iter().map(|name| SecretRef { name: name.clone(), version: None }).collect();
        let (_, rows) = self.allowed(caller, publisher, found, &wanted).await?;
        Ok(rows.into_iter().map(|row| SecretRef { name: row.name, version: Some(row.version) }).collect())
    }

    /// The values of secrets for a run of a version that the caller started: a member of the owner, with scope `run`. Each
    /// was released to the skill and its very bytes, and the policy permits it. The trail says which run was given them.
    ///
    /// # Errors
    /// [`Error::SecretsRefused`] with every secret that is not given and why; then none is. [`Error::NotAdmitted`] and
    /// [`Error::Forbidden`] when the version may not be run at all; [`Error::Access`] without scope or membership.
    pub async fn release(
        &self,
        caller: &Caller,
        publisher: &Handle,
        found: &Found,
        wanted: &[SecretRef],
        run: RunId,
    ) -> Result<Values, Error> {
        let (owner, rows) = self.allowed(caller, publisher, found, wanted).await?;
        if rows.is_empty() {
            return Ok(Values::new());
        }
        let (mut values, mut refusals) = (Values::new(), Vec::new());
        for row in &rows {
            match self.open(row) {
                Some(value) => drop(values.insert(row.name.clone(), value)),
                None => refusals.push(SecretRefusal { name: row.name.clone(), why: Withheld::Unreadable }),
            }
        }
        if !refusals.is_empty() {
            return Err(Error::SecretsRefused { refusals });
        }
        let given: Vec<Value> = rows.iter().map(|row| json!({ "name": row.name, "version": row.version })).collect();
        let detail = json!({ "run": run, "secrets": given, "digest": found.version.digest });
        let event = audit::Event::new("secret.release", found.reference().to_string()).publisher(owner.id);
        let (event, writer, now) = (event.detail(detail), caller.clone(), self.registry.now());
        self.registry
            .write(move |tx| {
                let (event, writer) = (event.clone(), writer.clone());
                Box::pin(async move { Ok(audit::record(tx, &writer, event, now).await?) })
            })
            .await?;
        Ok(values)
    }

    /// The value of a secret that the hub's operator named as the key of a provider of models; the trail says that it was
    /// given.
    ///
    /// # Errors
    /// [`Error::SecretNotFound`]; [`Error::SecretsRefused`] when it does not open with the hub's keys.
    pub async fn for_provider(
        &self,
        publisher: &Handle,
        name: &str,
        provider: &str,
    ) -> Result<Zeroizing<String>, Error> {
        let mut conn = self.registry.read().await?;
        let owner = publishers::by_handle(&mut conn, publisher).await?;
        let owner = owner.ok_or_else(|| missing(publisher, name))?;
        let row = secrets::sealed(&mut conn, owner.id, name).await?.ok_or_else(|| missing(publisher, name))?;
        drop(conn);
        let unreadable = || SecretRefusal { name: shown(name), why: Withheld::Unreadable };
        let value = self.open(&row).ok_or_else(|| Error::SecretsRefused { refusals: vec![unreadable()] })?;
        let detail = json!({ "secret": name, "version": row.version });
        let event = audit::Event::new("secret.provider", provider).publisher(owner.id).detail(detail);
        let now = self.registry.now();
        self.registry
            .write(move |tx| {
                let event = event.clone();
                Box::pin(async move { Ok(audit::record(tx, &Caller::hub(), event, now).await?) })
            })
            .await?;
        Ok(value)
    }

    /// Seals with the newest key what an older one sealed; how many values that were. What does not open stays as it is.
    pub async fn reseal(&self) -> Result<usize, Error> {
        let mut after: Option<(PublisherId, String)> = None;
        let mut resealed = 0;
        loop {
            let from = after.as_ref().map(|(publisher, name)| (*publisher, name.as_str()));
            let page = secrets::every(&mut self.registry.read().await?, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(resealed) };
            after = Some((last.publisher_id, last.name.clone()));
            for row in page {
                let outdated = |sealed: &Vec<u8>| self.sealer.is_outdated(sealed).unwrap_or(false);
                if !row.sealed.as_ref().is_some_and(outdated) {
                    continue;
                }
                let Some(value) = self.open(&row) else { continue };
                let context = context(row.publisher_id, &row.name, row.version);
                let sealed = Some(self.sealer.seal(value.as_bytes(), &context).map_err(Error::Sealing)?);
                let row = SealedSecret { sealed, ..row };
                let replaced = self.registry.write(move |tx| {
                    let row = row.clone();
                    Box::pin(async move { Ok(secrets::reseal(tx, &row).await?) })
                });
                resealed += usize::from(replaced.await?);
            }
        }
    }

    /// The secrets that may be given, or every one that may not.
    async fn allowed(
        &self,
        caller: &Caller,
        publisher: &Handle,
        found: &Found,
        wanted: &[SecretRef],
    ) -> Result<(Publisher, Vec<SealedSecret>), Error> {
        let owner = self.owner(caller, publisher, Role::Member, Scope::Run).await?;
        if caller.viewer().role_in(owner.id).is_none() {
            // Who administers the hub is no member by that.
            return Err(kontor_access::Error::Role { needed: Role::Member }.into());
        }
        if wanted.len() > MOST_IN_RUN {
            return Err(Error::invalid(format!("a run is given at most {MOST_IN_RUN} secrets")));
        }
        self.registry.may_run(caller, found).await?;
        let (mut rows, mut refusals) = (Vec::new(), Vec::new());
        for one in wanted {
            match self.look_up(caller, &owner, found, one).await? {
                Ok(row) => rows.push(row),
                Err(why) => refusals.push(SecretRefusal { name: shown(&one.name), why }),
            }
        }
        if refusals.is_empty() { Ok((owner, rows)) } else { Err(Error::SecretsRefused { refusals }) }
    }

    async fn look_up(
        &self,
        caller: &Caller,
        owner: &Publisher,
        found: &Found,
        wanted: &SecretRef,
    ) -> Result<Result<SealedSecret, Withheld>, Error> {
        let mut conn = self.registry.read().await?;
        let row = secrets::sealed(&mut conn, owner.id, &wanted.name).await?;
        let row = match (row, wanted.version) {
            (Some(row), Some(version)) if row.version != version => return Ok(Err(Withheld::Replaced)),
            (None, Some(_)) => return Ok(Err(Withheld::Replaced)),
            (None, None) => return Ok(Err(Withheld::Missing)),
            (Some(row), _) => row,
        };
        let released = secrets::released_to(&mut conn, owner.id, &wanted.name, found.skill.id).await?;
        drop(conn);
        if released.is_empty() {
            return Ok(Err(Withheld::NotReleased));
        }
        if !released.contains(&found.version.digest) {
            return Ok(Err(Withheld::OtherBytes));
        }
        match self.registry.may_use_secret(caller, found, &owner.handle, &wanted.name).await? {
            Ok(()) => Ok(Ok(row)),
            Err(reasons) => Ok(Err(Withheld::Policy(reasons))),
        }
    }

    fn open(&self, row: &SealedSecret) -> Option<Zeroizing<String>> {
        opened(&self.sealer, row)
    }

    async fn known(&self, caller: &Caller, publisher: &Handle, name: &str) -> Result<KnownSecret, Error> {
        let all = self.list(caller, publisher).await?;
        all.into_iter().find(|one| one.secret.name == name).ok_or_else(|| missing(publisher, name))
    }

    async fn existing(&self, conn: &mut Conn, owner: &Publisher, name: &str) -> Result<(), Error> {
        let found = secrets::sealed(conn, owner.id, name).await?;
        found.map(drop).ok_or_else(|| missing(&owner.handle, name))
    }

    async fn owner(&self, caller: &Caller, handle: &Handle, role: Role, scope: Scope) -> Result<Publisher, Error> {
        let found = publishers::find(&mut self.registry.read().await?, caller.viewer(), handle).await?;
        let publisher = found.ok_or_else(|| Error::PublisherNotFound { handle: handle.clone() })?;
        caller.require_role(publisher.id, role, scope)?;
        Ok(publisher)
    }
}

/// The secrets that do not open with these keys, as `@publisher NAME`; all of them without keys.
pub async fn unreadable(db: &Db, sealer: Option<&Sealer>) -> Result<Vec<String>, kontor_db::Error> {
    let mut conn = db.read().await?;
    let mut after: Option<(PublisherId, String)> = None;
    let mut found = Vec::new();
    loop {
        let from = after.as_ref().map(|(publisher, name)| (*publisher, name.as_str()));
        let page = secrets::every(&mut conn, from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some((last.publisher_id, last.name.clone()));
        for row in &page {
            if sealer.and_then(|sealer| opened(sealer, row)).is_none() {
                let owner = publishers::by_id(&mut conn, row.publisher_id).await?;
                let owner = owner.map_or_else(|| row.publisher_id.to_string(), |owner| owner.handle.to_string());
                found.push(format!("@{owner} {}", row.name));
            }
        }
    }
}

fn opened(keys: &Sealer, row: &SealedSecret) -> Option<Zeroizing<String>> {
    let sealed = row.sealed.as_ref()?;
    let plain = keys.open(sealed, &context(row.publisher_id, &row.name, row.version)).ok()?;
    std::str::from_utf8(&plain).ok().map(|text| Zeroizing::new(text.to_owned()))
}

/// What sealed bytes are bound to: no row opens in the place of another, nor an older value in that of a newer.
fn context(publisher: PublisherId, name: &str, version: u64) -> String {
    format!("kontor secret v1\npublisher {publisher}\nname {name}\nversion {version}\n")
}

fn missing(publisher: &Handle, name: &str) -> Error {
    Error::SecretNotFound { publisher: publisher.clone(), name: shown(name) }
}

/// A foreign name fit for a message.
fn shown(name: &str) -> String {
    name.chars().take(LONGEST_NAME).filter(|char| !char.is_control()).collect()
}

fn check_name(name: &str) -> Result<(), Error> {
    let word = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let fits = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(word);
    if fits && !name.starts_with(|char: char| char.is_ascii_digit()) {
        return Ok(());
    }
    let rule = "a secret's name is that of a variable: capitals, digits and `_`, not beginning with a digit";
    Err(Error::invalid(format!("{rule}, at most {LONGEST_NAME}")))
}

/// A run takes secrets out of what it says, which needs values that can be told from other text.
fn check_value(value: &str) -> Result<(), Error> {
    match value.len() {
        length if length < SHORTEST => Err(Error::invalid(format!(
            "a value has at least {SHORTEST} bytes: a shorter one cannot be kept out of outputs"
        ))),
        length if length > LONGEST => Err(Error::invalid(format!("a value has at most {LONGEST} bytes"))),
        _ if value.contains('\0') => Err(Error::invalid("a value has no zero byte: no environment can hold it")),
        _ => Ok(()),
    }
}

async fn tell(
    tx: &mut kontor_db::Tx,
    caller: &Caller,
    action: &'static str,
    owner: &Publisher,
    name: &str,
    detail: Value,
    now: Timestamp,
) -> Result<(), Error> {
    let subject = format!("@{} {name}", owner.handle);
    let event = audit::Event::new(action, subject).publisher(owner.id).detail(detail);
    Ok(audit::record(tx, caller, event, now).await?)
}
