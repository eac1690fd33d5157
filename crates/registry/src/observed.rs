//! What runs on this hub were seen to do: kept for whoever may see those runs, said in the log when something new is seen.

use kontor_access::{Caller, audit};
use kontor_db::observed;
use kontor_db::{Tx, publishers};
use kontor_package::Permissions;
use kontor_translog::{Notary, Said};
use kontor_types::{Digest, Handle, PublisherId, Role, Scope, Timestamp, VersionId, Viewer};
use serde_json::{Value, json};

use crate::{Error, Found, Registry};

pub use kontor_db::observed::{Behaviour, Observed, Seen};

/// The kind of these statements.
const KIND: &str = "observed";
/// Most things that one run adds.
const MOST: usize = 64;
/// The longest name that is kept.
const LONGEST: usize = 160;

/// A run that has ended, and what it was seen to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// What people call the version.
    pub name: String,
    /// The version.
    pub version: VersionId,
    /// The digest of its bytes.
    pub digest: Digest,
    /// In whose name it ran.
    pub publisher: PublisherId,
    /// What it did, foreign words as they came.
    pub seen: Vec<Seen>,
}

/// What of the behaviour of a version's runs somebody may see, beside what the version says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behaved {
    /// What the author's manifest asks for.
    pub declared: Permissions,
    /// In how many runs.
    pub runs: u64,
    /// Each thing, by its kind and name; the empty name stands for those that may not be told here.
    pub items: Vec<Observed>,
}

/// Counts a run within the transaction that ends it. What was not seen before, or twice as often as when it was said last, is
/// said in the log: apart to those who may see the publisher's runs, and to everybody who sees the version when the publisher
/// shares it.
pub async fn record(tx: &mut Tx, notary: &Notary, ran: &Ran, now: Timestamp) -> Result<(), kontor_db::Error> {
    observed::add(tx, &ran.digest, ran.publisher, &fit(&ran.seen), now).await?;
    let own = observed::of_publisher(tx, &ran.digest, ran.publisher).await?;
    if observed::say(tx, &ran.digest, ran.publisher, &summary(&own)).await? {
        let told = predicate("those who may see these runs", &own, now);
        let said = Said::of_bytes(KIND, &ran.name, ran.digest, told);
        notary.append_apart(tx, said, apart(ran.publisher, &ran.digest), now).await?;
    }
    if observed::shares(tx, ran.publisher).await? {
        let all = observed::shared(tx, &ran.digest).await?;
        if observed::say_openly(tx, ran.version, &summary(&all)).await? {
            let told = predicate("everybody who sees the version", &all, now);
            notary.append(tx, Said::of_version(KIND, &ran.name, ran.digest, ran.version, told), now).await?;
        }
    }
    Ok(())
}

/// What finds the statements that are for those who may see a publisher's runs; it is in no public place.
pub(crate) fn apart(publisher: PublisherId, digest: &Digest) -> Digest {
    Digest::of(format!("kontor observed v1\n{publisher}\n{digest}\n").as_bytes())
}

/// Foreign words, bounded, each once; of each kind one row without a name for those that the bytes do not hold.
fn fit(seen: &[Seen]) -> Vec<Seen> {
    let plain = |name: &String| name.chars().filter(|char| !char.is_control()).take(LONGEST).collect::<String>();
    let mut fit: Vec<_> = seen.iter().map(|one| Seen { name: plain(&one.name), ..one.clone() }).collect();
    fit.retain(|one| !one.name.is_empty());
    fit.sort();
    fit.dedup_by(|one, two| (one.kind, &one.name) == (two.kind, &two.name));
    fit.truncate(MOST);
    let unnamed =
        fit.iter().filter(|one| !one.known).map(|one| Seen { name: String::new(), known: true, ..one.clone() });
    let unnamed: Vec<_> = unnamed.collect();
    fit.extend(unnamed);
    fit.sort();
    fit.dedup();
    fit
}

/// What tells one state of things from another: which things, and roughly in how many runs.
fn summary((runs, items): &(u64, Vec<Observed>)) -> Digest {
    let mut lines = vec![runs.checked_ilog2().unwrap_or_default().to_string()];
    lines.extend(items.iter().map(|one| format!("{} {}", one.kind, one.name)));
    Digest::of(lines.join("\n").as_bytes())
}

fn predicate(told_to: &str, (runs, items): &(u64, Vec<Observed>), now: Timestamp) -> Value {
    let of = |kind: Behaviour| -> Vec<Value> {
        let name = |one: &Observed| if one.name.is_empty() { Value::Null } else { json!(one.name) };
        items.iter().filter(|one| one.kind == kind).map(|one| json!({ "name": name(one), "runs": one.runs })).collect()
    };
    json!({
        "runs": runs,
        "granted": { "network": of(Behaviour::Granted), "secrets": of(Behaviour::Given) },
        "connected": of(Behaviour::Connected),
        "refused": of(Behaviour::Refused),
        "wrote": of(Behaviour::Wrote),
        "started": of(Behaviour::Started),
        "ended": of(Behaviour::Ended),
        "said_to_want": {
            "hosts": of(Behaviour::WantedHost),
            "variables": of(Behaviour::WantedVariable),
            "programs": of(Behaviour::WantedProgram),
        },
        "told_to": told_to,
        "at": now,
    })
}

impl Registry {
    /// What runs of a version's bytes were seen to do, as far as the viewer may see: of publishers that they administer, and
    /// of those that share it. Whose runs they were is not told.
    pub async fn behaved(&self, viewer: &Viewer, found: &Found) -> Result<Behaved, Error> {
        let (runs, items) = observed::visible(&mut self.read().await?, viewer, &found.version.digest).await?;
        let manifest = self.reading(viewer, found.version.id).await?.manifest;
        let manifest = manifest.and_then(|manifest| serde_json::from_value::<kontor_package::Manifest>(manifest).ok());
        Ok(Behaved { declared: manifest.unwrap_or_default().permissions, runs, items })
    }

    /// Lets everybody who sees a version see what runs in this publisher's name did, or ends that. For admins.
    ///
    /// # Errors
    /// [`Error::PublisherNotFound`], [`Error::Access`].
    pub async fn share_behaviour(&self, caller: &Caller, handle: &Handle, share: bool) -> Result<(), Error> {
        let found = publishers::find(&mut self.read().await?, caller.viewer(), handle).await?;
        let publisher = found.ok_or_else(|| Error::PublisherNotFound { handle: handle.clone() })?;
        caller.require_role(publisher.id, Role::Admin, Scope::Admin)?;
        let (caller, now) = (caller.clone(), self.now());
        self.write(move |tx| {
            let (caller, publisher) = (caller.clone(), publisher.clone());
            Box::pin(async move {
                if observed::share(tx, publisher.id, share, now).await? {
                    let event = audit::Event::new("publisher.share_behaviour", publisher.handle.as_str());
                    let event = event.publisher(publisher.id).detail(json!({ "share": share }));
                    audit::record(tx, &caller, event, now).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
