//! `kontor publish`: publish one skill.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use kontor_client::{Client, Name};
use kontor_crypto::{Keyring, Purpose, SignedVersion, SigningKey};
use kontor_package::{Content, Limits, inspect, pack};
use kontor_types::{
    Clock as _, Digest, Handle, SkillRef, Slug, SystemClock, TagName, Version, VersionSelector, Visibility,
};
use kontor_wire::{Assessment, Outcome, PublishQuery, PublishStatus, Published, VersionState};

use crate::exit::{Exit, UsageError};
use crate::session::{Session, publisher_keys};
use crate::terminal::{Style, plain};
use crate::verbs::{decided, show_finding};

/// Publish a skill
///
/// PATH is its folder, or an archive of it. The version comes from `kontor.toml` or the front matter; without one the next
/// patch release is taken. The same bytes again are no error. It is signed when `kontor key new` made a key for its publisher.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The skill's folder or archive
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Who owns it; your own publisher unless told
    #[arg(long, value_name = "NAME")]
    publisher: Option<Handle>,
    /// Its name; from the skill unless told
    #[arg(long, value_name = "NAME")]
    slug: Option<Slug>,
    /// Its version; from the skill unless told
    #[arg(long)]
    version: Option<Version>,
    /// What has changed
    #[arg(long)]
    changelog: Option<String>,
    /// A tag to point to this version, besides `latest`
    #[arg(long)]
    tag: Option<TagName>,
    /// Who may see it when it is new: public, unlisted, organisation, private
    #[arg(long)]
    visibility: Option<Visibility>,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Do not sign it, although there is a key for its publisher
    #[arg(long, conflicts_with = "key")]
    no_sign: bool,
    /// Sign with the key in this file, as `kontor key show` names it, instead of the one in your settings
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Do not wait for what is found in it and decided
    #[arg(long)]
    no_wait: bool,
}

/// Packs, checks and publishes.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let Packed { archive, digest, slug, written, folder } = packed(&args.path)?;
    let publisher = match args.publisher {
        Some(publisher) => publisher,
        None => client.whoami().await?.handle,
    };
    let key = signing_key((&client, session), args.no_sign || args.dry_run, args.key.as_deref(), &publisher).await?;
    let signed_with = key.as_ref().map(SigningKey::id);
    let mut query = PublishQuery {
        slug: args.slug,
        version: args.version,
        folder,
        changelog: args.changelog,
        tag: args.tag,
        visibility: args.visibility,
        signature: None,
        dry_run: args.dry_run,
    };
    if let Some(key) = key {
        if query.version.is_none() && written.is_none() {
            // Only the hub knows which number comes next; what is signed has a number.
            let asked = PublishQuery { dry_run: true, ..query.clone() };
            query.version = Some(client.publish(&publisher, &asked, archive.clone()).await?.version);
        }
        let named = query.slug.clone().unwrap_or(slug);
        let number = query.version.clone().or(written).unwrap_or_else(Version::first);
        query.signature = Some(sign(&key, &publisher, named, number, digest)?);
    }
    let done = client.publish(&publisher, &query, archive).await?;
    let terminal = &session.terminal;
    let (judged, silent) = match judged(&client, &done, args.no_wait || args.dry_run, session).await {
        Ok(judged) => (judged, None),
        // What was taken in is there, whatever becomes of it.
        Err(error) => (None, Some(error)),
    };
    for finding in &done.findings {
        terminal.note(&show_finding(finding));
    }
    let exit = match judged.as_ref().map(|judged| (judged.state, judged.outcome)) {
        Some((VersionState::Rejected, _) | (_, Some(Outcome::Quarantine))) => Exit::Refused,
        _ => Exit::Done,
    };
    if terminal.json {
        let mut told = serde_json::to_value(&done)?;
        if let Some(judged) = &judged {
            told["state"] = serde_json::to_value(judged.state)?;
            told["assessment"] = serde_json::to_value(judged)?;
        }
        told["decision_unknown"] = silent.is_some().into();
        terminal.json(&told);
        return silent.map_or(Ok(exit), Err);
    }
    let told = match (done.status, args.dry_run) {
        (PublishStatus::Unchanged, _) => "was there already",
        (PublishStatus::Created, true) => "would be published as a new skill",
        (PublishStatus::Updated, true) => "would be published",
        // Nobody but its maintainers sees it: that is not what people call published.
        (_, false) if judged.as_ref().is_some_and(|judged| judged.state != VersionState::Visible) => {
            "was taken in; others do not see it"
        }
        (PublishStatus::Created | PublishStatus::Updated, false) if judged.is_none() => "was taken in",
        (PublishStatus::Created, false) => "is published as a new skill",
        (PublishStatus::Updated, false) => "is published",
    };
    let name = format!("{}@{}", done.reference, done.version);
    terminal.data(&format!("{} {told}", terminal.paint(Style::Bold, &name)));
    terminal.data(&terminal.paint(Style::Dim, &done.digest.to_string()));
    if let Some(key) = signed_with.filter(|_| done.status != PublishStatus::Unchanged) {
        terminal.data(&terminal.paint(Style::Dim, &format!("signed by @{publisher} with the key {key}")));
    }
    if let Some(page) = &done.page_url {
        terminal.data(&plain(page));
    }
    if let Some(judged) = &judged {
        decided::show(judged, terminal, &["none", "info", "low"]);
        if judged.state != VersionState::Visible {
            terminal.note(&next_for(judged, &name));
            return Ok(exit);
        }
    }
    if let Some(error) = silent {
        terminal.note(&format!(
            "the hub stopped answering while it was decided; see what becomes of it with: kontor info {name}"
        ));
        return Err(error);
    }
    let only_some =
        args.visibility.filter(|visibility| matches!(visibility, Visibility::Private | Visibility::Organisation));
    match (done.status, args.dry_run) {
        (_, true) | (PublishStatus::Unchanged, _) => {}
        (PublishStatus::Created, _) if only_some.is_some() => terminal.note(&format!(
            "only members of its publisher see it; show it to all with: kontor visibility {} public",
            done.reference
        )),
        (PublishStatus::Created, _) => terminal.note(&format!("others get it with: kontor install {}", done.reference)),
        (PublishStatus::Updated, _) => terminal.note("who has installed it gets this version with: kontor update"),
    }
    Ok(exit)
}

/// What to do about a version that others do not see.
fn next_for(judged: &Assessment, name: &str) -> String {
    let appeal = format!("ask for another look with: kontor review appeal {name} -m WHY");
    match (judged.state, judged.outcome) {
        (VersionState::Pending, _) => format!("see what becomes of it with: kontor info {name}"),
        (VersionState::Held, Some(Outcome::Review)) => {
            format!("a reviewer looks at it; mend it and publish again if the finding is right, or {appeal}")
        }
        _ => format!("mend it and publish again; if the finding is wrong, {appeal}"),
    }
}

/// What is found in the version and decided about it.
async fn judged(
    client: &Client,
    done: &Published,
    no_wait: bool,
    session: &Session,
) -> anyhow::Result<Option<Assessment>> {
    if no_wait {
        return Ok(None);
    }
    let mut name = done.reference.clone();
    name.version = Some(VersionSelector::Exact(done.version.clone()));
    let waiting = session.terminal.spinner("waiting for the scan");
    let decided = decided::wait(client, vec![name], &waiting).await;
    waiting.finish_and_clear();
    decided?;
    let (publisher, slug) = client.full_name(&done.reference).await?;
    Ok(Some(client.assessment(&Name(&publisher, &slug), &done.version).await?))
}

/// The key to sign with, if one was ever made here for the publisher.
async fn signing_key(
    (client, session): (&Client, &Session),
    unsigned: bool,
    file: Option<&Path>,
    publisher: &Handle,
) -> anyhow::Result<Option<SigningKey>> {
    if unsigned {
        return Ok(None);
    }
    if let Some(file) = file {
        return Ok(Some(Keyring::key_in(file, Purpose::Publisher)?));
    }
    let Some(mut ring) = publisher_keys::kept(&session.registry()?, publisher)? else { return Ok(None) };
    publisher_keys::follow_revocations(&mut ring, &client.publisher_keys(publisher).await?.items)?;
    if ring.history().active(Purpose::Publisher).is_none() {
        // Whoever signed before does not stop doing so by accident: who has installed it would refuse the next version.
        let text = format!(
            "every key of @{publisher} here was revoked: make another with `kontor key new --publisher {publisher}`, \
             or publish without a signature with --no-sign"
        );
        return Err(UsageError(text).into());
    }
    Ok(Some(ring.signing_key(Purpose::Publisher)?))
}

/// The publisher's signature over bytes and full name, as the hub takes it.
fn sign(key: &SigningKey, publisher: &Handle, slug: Slug, number: Version, digest: Digest) -> anyhow::Result<String> {
    let mut name = SkillRef::new(publisher.clone(), slug);
    name.version = Some(VersionSelector::Exact(number));
    let envelope = SignedVersion { name, digest, signed_at: SystemClock.now() }.sign(key)?;
    Ok(URL_SAFE_NO_PAD.encode(envelope.to_json()))
}

/// A skill in its canonical form, and what it says of itself.
struct Packed {
    archive: Bytes,
    digest: Digest,
    slug: Slug,
    written: Option<Version>,
    folder: Option<String>,
}

/// The canonical archive of what lies at `path`.
fn packed(path: &Path) -> anyhow::Result<Packed> {
    let what = path.display().to_string();
    let refused = |source| kontor_client::Error::Package { what: what.clone(), source };
    let (content, folder) = if path.is_dir() {
        let real = path.canonicalize().map_err(|error| kontor_client::Error::io("find", path, error))?;
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned());
        (Content::from_directory(&real, &Limits::default()).map_err(refused)?, name)
    } else {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        (Content::from_archive(&read(path)?, &Limits::default()).map_err(refused)?, name)
    };
    let inspection = inspect(&content, folder.as_deref());
    if let Some(finding) = inspection.errors().next() {
        let place = if finding.line > 0 { format!("{}:{}", finding.file, finding.line) } else { finding.file.clone() };
        let place = if place.is_empty() { what.clone() } else { format!("{what}/{place}") };
        return Err(
            kontor_client::Error::refused(format!("{place}: {}", finding.message), finding.remedy.clone()).into()
        );
    }
    let package = pack(&content);
    Ok(Packed {
        slug: inspection.slug(&package.digest),
        written: inspection.facts.version,
        archive: package.bytes.into(),
        digest: package.digest,
        folder,
    })
}

/// The bytes of an archive; more than any skill may have end it early.
fn read(path: &Path) -> Result<Vec<u8>, kontor_client::Error> {
    let limit = Limits::default().skill_bytes.saturating_add(16 << 20);
    let failed = |error| kontor_client::Error::io("read", path, error);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(kontor_client::Error::TooLarge { what: path.display().to_string(), limit });
    }
    Ok(bytes)
}
