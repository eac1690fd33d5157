use bytes::Bytes;
use kontor_types::{Digest, Handle, SkillRef, Slug, TagName, TransferId, Version};
use kontor_wire as wire;
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};
use crate::transport::{Request, Transport};

/// A hub, as a client sees it.
#[derive(Debug)]
pub struct Client {
    pub(crate) transport: Transport,
}

/// The largest proof file that is read.
const MOST_PROOF: u64 = 64 << 20;
/// The largest evidence file: a skill with everything that is told of it.
const MOST_EVIDENCE: u64 = 768 << 20;

/// The largest file of a log that is read.
const MOST_LOG_FILE: u64 = 1 << 20;

/// Copies that are asked about in one request.
const COPIES: usize = 200;

/// The longest word of a hub on its state that is read.
const MOST_STATE: u64 = 4096;

/// The longest history of keys that is read.
const MOST_KEYS: u64 = 1 << 20;

/// `api/kontor/v1` as path segments.
pub(crate) const API: &str = "api/kontor/v1";

impl Client {
    /// A client of the hub at `registry`, signed in when there is a token.
    pub fn new(registry: &str, token: Option<&str>) -> Result<Self, Error> {
        Transport::new(registry, token).map(|transport| Self { transport })
    }

    /// The hub's address, without a slash at the end.
    pub fn registry(&self) -> &str {
        self.transport.registry()
    }

    /// What the hub's operator would be told of its state: `ready` in the first line, and below what does not work.
    pub async fn readiness(&self) -> Result<String, Error> {
        let bytes = self.transport.bytes(Request::new(Method::GET, &["readyz"]), MOST_STATE, "the hub's state").await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether requests carry a token.
    pub fn is_signed_in(&self) -> bool {
        self.transport.has_token()
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &impl Serialize) -> Result<T, Error> {
        let path = [&[API], path].concat();
        self.transport.json(Request::new(Method::GET, &path).query(query)?).await
    }

    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let path = [&[API], path].concat();
        self.transport.json(Request::new(method, &path).json(body)?).await
    }

    pub(crate) async fn order(&self, method: Method, path: &[&str]) -> Result<(), Error> {
        let path = [&[API], path].concat();
        self.transport.empty(Request::new(method, &path)).await
    }

    /// Sends without a body and reads an answer.
    pub(crate) async fn change<T: DeserializeOwned>(&self, method: Method, path: &[&str]) -> Result<T, Error> {
        let path = [&[API], path].concat();
        self.transport.json(Request::new(method, &path)).await
    }
}

/// What was found in versions and decided about them.
impl Client {
    /// What was found in a version, and what was decided.
    pub async fn assessment(&self, skill: &Name<'_>, version: &Version) -> Result<wire::Assessment, Error> {
        let version = version.to_string();
        self.get(&["skills", skill.0.as_str(), skill.1.as_str(), "versions", &version, "assessment"], &()).await
    }

    /// The same of several versions at once, with the gravest finding of each.
    pub async fn assessments(&self, versions: Vec<SkillRef>) -> Result<wire::AssessmentList, Error> {
        self.send(Method::POST, &["assessments"], &wire::AssessmentRequest { versions }).await
    }

    /// What waits to be scanned, and what could not be.
    pub async fn waiting(&self) -> Result<wire::WaitingList, Error> {
        self.get(&["assessments", "waiting"], &()).await
    }

    /// Asks for another look at a version.
    pub async fn appeal(
        &self,
        skill: &Name<'_>,
        version: &Version,
        appeal: &wire::Appeal,
    ) -> Result<wire::Assessment, Error> {
        let version = version.to_string();
        let path = ["skills", skill.0.as_str(), skill.1.as_str(), "versions", &version, "appeal"];
        self.send(Method::POST, &path, appeal).await
    }

    /// What the caller was told.
    pub async fn notices(&self) -> Result<wire::NoticeList, Error> {
        self.get(&["notices"], &()).await
    }

    /// Reviews that the caller may take part in.
    pub async fn reviews(&self, query: &wire::ReviewQuery) -> Result<wire::ReviewPage, Error> {
        self.get(&["reviews"], query).await
    }

    /// One review.
    pub async fn review(&self, id: &str) -> Result<wire::ReviewDetail, Error> {
        self.get(&["reviews", id], &()).await
    }

    /// The canonical archive of a version under review, held to its digest.
    pub async fn review_archive(&self, id: &str, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        self.undecided(&[API, "reviews", id, "archive"], &(), digest, limit).await
    }

    /// The canonical archive of a version of one's own that was not admitted, held to its digest.
    pub async fn held_archive(&self, skill: &Name<'_>, version: &wire::VersionSummary) -> Result<Vec<u8>, Error> {
        let number = version.version.to_string();
        let path = [API, "skills", skill.0.as_str(), skill.1.as_str(), "versions", &number, "archive"];
        self.undecided(&path, &serde_json::json!({"held": "true"}), &version.digest, version.size).await
    }

    async fn undecided(
        &self,
        path: &[&str],
        query: &impl serde::Serialize,
        digest: &Digest,
        limit: u64,
    ) -> Result<Vec<u8>, Error> {
        let what = "the archive under review";
        let bytes = self.transport.bytes(Request::new(Method::GET, path).query(query)?, limit, what).await?;
        let found = Digest::of(&bytes);
        if found != *digest {
            return Err(Error::Digest { what: what.to_owned(), expected: *digest, found });
        }
        Ok(bytes)
    }

    /// What differs between a version under review and the one admitted last before it.
    pub async fn review_difference(&self, id: &str) -> Result<wire::ReviewDifference, Error> {
        self.get(&["reviews", id, "difference"], &()).await
    }

    /// Does something in a review.
    pub async fn act_on_review(&self, id: &str, act: &wire::ReviewAct) -> Result<wire::ReviewDetail, Error> {
        self.send(Method::POST, &["reviews", id, "notes"], act).await
    }

    /// The policy in force.
    pub async fn policy(&self) -> Result<wire::Policy, Error> {
        self.get(&["policy"], &()).await
    }

    /// Sets another policy.
    pub async fn set_policy(&self, policy: &wire::NewPolicy) -> Result<wire::Policy, Error> {
        self.send(Method::PUT, &["policy"], policy).await
    }

    /// What another policy would change.
    pub async fn preview_policy(&self, policy: &wire::NewPolicy) -> Result<wire::PolicyPreview, Error> {
        self.send(Method::POST, &["policy", "preview"], policy).await
    }

    /// Why a version is decided as it is.
    pub async fn explanation(&self, skill: &Name<'_>, version: &Version) -> Result<wire::Explanation, Error> {
        let version = version.to_string();
        self.get(&["skills", skill.0.as_str(), skill.1.as_str(), "versions", &version, "explanation"], &()).await
    }
}

/// Finding and reading skills.
impl Client {
    /// Skills in a list.
    pub async fn skills(&self, query: &wire::SkillQuery) -> Result<wire::SkillPage, Error> {
        self.get(&["skills"], query).await
    }

    /// Skills that fit a search.
    pub async fn search(&self, query: &wire::SearchQuery) -> Result<wire::SearchPage, Error> {
        self.get(&["search"], query).await
    }

    /// All about one skill; a bare name must be unique.
    pub async fn skill(&self, publisher: Option<&Handle>, slug: &Slug) -> Result<wire::Skill, Error> {
        match publisher {
            Some(publisher) => self.get(&["skills", publisher.as_str(), slug.as_str()], &()).await,
            None => self.get(&["skills", slug.as_str()], &()).await,
        }
    }

    /// The full name of the skill that `reference` means, asking the hub when the publisher is missing.
    pub async fn full_name(&self, reference: &SkillRef) -> Result<(Handle, Slug), Error> {
        if let Some(publisher) = &reference.publisher {
            return Ok((publisher.clone(), reference.slug.clone()));
        }
        let skill = self.skill(None, &reference.slug).await?;
        Ok((skill.summary.publisher, skill.summary.slug))
    }

    /// The versions of a skill, newest first.
    pub async fn versions(&self, skill: &Name<'_>, query: &wire::PageQuery) -> Result<wire::VersionPage, Error> {
        self.get(&["skills", skill.0.as_str(), skill.1.as_str(), "versions"], query).await
    }

    /// All about one version; `selector` is a number, a tag or a range.
    pub async fn version(&self, skill: &Name<'_>, selector: &str) -> Result<wire::VersionDetail, Error> {
        self.get(&["skills", skill.0.as_str(), skill.1.as_str(), "versions", selector], &()).await
    }

    /// The files of one version.
    pub async fn files(&self, skill: &Name<'_>, selector: &str) -> Result<wire::FileList, Error> {
        self.get(&["skills", skill.0.as_str(), skill.1.as_str(), "versions", selector, "files"], &()).await
    }

    /// The bytes of one file of a version, at most `limit`.
    pub async fn file(&self, skill: &Name<'_>, selector: &str, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let path = [API, "skills", skill.0.as_str(), skill.1.as_str(), "versions", selector, "files", path];
        self.transport.bytes(Request::new(Method::GET, &path), limit, "the file").await
    }

    /// The canonical archive of a version that a plan names, held to its size and its digest.
    pub async fn archive(&self, item: &wire::PlanItem) -> Result<Vec<u8>, Error> {
        let what = format!("{}@{}", item.reference, item.version);
        let path = item.archive.trim_start_matches('/');
        let bytes = self.transport.bytes(Request::new(Method::GET, &[path]), item.size, &what).await?;
        let found = Digest::of(&bytes);
        if found != item.digest {
            return Err(Error::Digest { what, expected: item.digest, found });
        }
        Ok(bytes)
    }

    /// The proof file of one version, as bytes to be judged.
    pub async fn proof(&self, skill: &Name<'_>, version: &Version) -> Result<Vec<u8>, Error> {
        let version = version.to_string();
        let path = [API, "skills", skill.0.as_str(), skill.1.as_str(), "versions", &version, "proof"];
        self.transport.bytes(Request::new(Method::GET, &path), MOST_PROOF, "the proof").await
    }

    /// The bill of materials of one version, as bytes to be kept.
    pub async fn sbom(&self, skill: &Name<'_>, version: &Version) -> Result<Vec<u8>, Error> {
        let version = version.to_string();
        let path = [API, "skills", skill.0.as_str(), skill.1.as_str(), "versions", &version, "sbom"];
        self.transport.bytes(Request::new(Method::GET, &path), MOST_PROOF, "the bill of materials").await
    }

    /// The evidence file of one version, as bytes to be judged.
    pub async fn evidence(&self, skill: &Name<'_>, version: &Version) -> Result<Vec<u8>, Error> {
        let version = version.to_string();
        let path = [API, "skills", skill.0.as_str(), skill.1.as_str(), "versions", &version, "evidence"];
        self.transport.bytes(Request::new(Method::GET, &path), MOST_EVIDENCE, "the evidence file").await
    }

    /// The keys of the hub and of its log, as bytes to be judged.
    pub async fn log_keys(&self) -> Result<Vec<u8>, Error> {
        self.transport.bytes(Request::new(Method::GET, &["log", "keys"]), MOST_KEYS, "the hub's keys").await
    }

    /// A file of the published log, its path from the root of the hub: `log/checkpoint`, `log/tile/0/000`; nothing when the hub
    /// does not have it.
    pub async fn log_file(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.transport.bytes(Request::new(Method::GET, &[path]), MOST_LOG_FILE, "the file of the log").await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::Unexpected { status: 404, .. }) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What became of installed copies, in the order given, whatever their number.
    pub async fn copies(&self, copies: &[wire::InstalledCopy]) -> Result<Vec<wire::CopyItem>, Error> {
        let path = [API, "installs", "check"];
        let mut items = Vec::with_capacity(copies.len());
        for part in copies.chunks(COPIES) {
            let asked = wire::CopiesRequest { copies: part.to_vec() };
            let request = Request::new(Method::POST, &path).json(&asked)?.repeatable();
            let told: wire::CopyList = self.transport.json(request).await?;
            if told.items.len() != part.len() {
                return Err(Error::Unexpected {
                    registry: self.registry().to_owned(),
                    status: 200,
                    text: format!("{} answers to {} questions", told.items.len(), part.len()),
                });
            }
            items.extend(told.items);
        }
        Ok(items)
    }

    /// One version of each skill that is needed for what is wanted.
    pub async fn resolve(&self, request: &wire::ResolveRequest) -> Result<wire::Plan, Error> {
        self.send(Method::POST, &["resolve"], request).await
    }

    /// How installed skills compare with the hub.
    pub async fn outdated(&self, request: &wire::OutdatedRequest) -> Result<wire::OutdatedList, Error> {
        self.send(Method::POST, &["outdated"], request).await
    }

    /// Tells the hub what was installed.
    pub async fn report_installs(&self, report: &wire::InstallReport) -> Result<(), Error> {
        let path = [API, "installs"];
        self.transport.empty(Request::new(Method::POST, &path).json(report)?).await
    }
}

/// A publisher and a skill of it.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a>(pub &'a Handle, pub &'a Slug);

/// Publishing and changing skills.
impl Client {
    /// Publishes the skill whose archive is `body`.
    pub async fn publish(
        &self,
        publisher: &Handle,
        query: &wire::PublishQuery,
        body: Bytes,
    ) -> Result<wire::Published, Error> {
        let path = [API, "publishers", publisher.as_str(), "skills"];
        self.transport.json(Request::new(Method::POST, &path).query(query)?.zip(body)).await
    }

    /// Imports the one skill whose archive is `body`.
    pub async fn import(
        &self,
        publisher: &Handle,
        query: &wire::ImportQuery,
        body: Bytes,
    ) -> Result<wire::ImportItem, Error> {
        let path = [API, "publishers", publisher.as_str(), "imports"];
        // The hub remembers the folder with its content, so the same import again changes nothing.
        self.transport.json(Request::new(Method::POST, &path).query(query)?.zip(body).repeatable()).await
    }

    /// Changes visibility or deprecation.
    pub async fn change_skill(&self, skill: &Name<'_>, change: &wire::SkillChange) -> Result<wire::Skill, Error> {
        self.send(Method::PATCH, &["skills", skill.0.as_str(), skill.1.as_str()], change).await
    }

    /// Deletes a skill; its name is held back for a while.
    pub async fn delete_skill(&self, skill: &Name<'_>, deletion: &wire::Deletion) -> Result<wire::Deleted, Error> {
        let path = [API, "skills", skill.0.as_str(), skill.1.as_str()];
        self.transport.json(Request::new(Method::DELETE, &path).query(deletion)?).await
    }

    /// Brings a deleted skill back.
    pub async fn restore_skill(&self, skill: &Name<'_>) -> Result<wire::Skill, Error> {
        self.change(Method::POST, &["skills", skill.0.as_str(), skill.1.as_str(), "restore"]).await
    }

    /// Gives a skill another name; the old one leads to it.
    pub async fn rename_skill(&self, skill: &Name<'_>, rename: &wire::Rename) -> Result<wire::Skill, Error> {
        self.send(Method::POST, &["skills", skill.0.as_str(), skill.1.as_str(), "rename"], rename).await
    }

    /// Withdraws a version.
    pub async fn yank(
        &self,
        skill: &Name<'_>,
        version: &Version,
        reason: &wire::Reason,
    ) -> Result<wire::VersionSummary, Error> {
        let version = version.to_string();
        self.send(Method::POST, &["skills", skill.0.as_str(), skill.1.as_str(), "versions", &version, "yank"], reason)
            .await
    }

    /// Brings a withdrawn version back.
    pub async fn restore(&self, skill: &Name<'_>, version: &Version) -> Result<wire::VersionSummary, Error> {
        let version = version.to_string();
        self.change(Method::POST, &["skills", skill.0.as_str(), skill.1.as_str(), "versions", &version, "restore"])
            .await
    }

    /// The tags of a skill.
    pub async fn tags(&self, skill: &Name<'_>) -> Result<wire::TagList, Error> {
        self.get(&["skills", skill.0.as_str(), skill.1.as_str(), "tags"], &()).await
    }

    /// Points a tag to a version.
    pub async fn set_tag(&self, skill: &Name<'_>, tag: &TagName, version: &Version) -> Result<wire::Tag, Error> {
        let target = wire::TagTarget { version: version.clone() };
        self.send(Method::PUT, &["skills", skill.0.as_str(), skill.1.as_str(), "tags", tag.as_str()], &target).await
    }

    /// Takes a tag away.
    pub async fn remove_tag(&self, skill: &Name<'_>, tag: &TagName) -> Result<(), Error> {
        self.order(Method::DELETE, &["skills", skill.0.as_str(), skill.1.as_str(), "tags", tag.as_str()]).await
    }

    /// Stars a skill, or takes the star away.
    pub async fn star(&self, skill: &Name<'_>, wanted: bool) -> Result<wire::Starred, Error> {
        let method = if wanted { Method::PUT } else { Method::DELETE };
        self.change(method, &["skills", skill.0.as_str(), skill.1.as_str(), "star"]).await
    }

    /// Makes a version active for the caller's agents, the newest unless told; `allow` is what its runs may always have.
    pub async fn activate(
        &self,
        skill: &Name<'_>,
        version: Option<Version>,
        allow: Option<wire::Allowed>,
    ) -> Result<wire::Activation, Error> {
        let target = wire::ActivationTarget { version, allow };
        self.send(Method::PUT, &["skills", skill.0.as_str(), skill.1.as_str(), "activation"], &target).await
    }

    /// Takes a skill away from the caller's agents.
    pub async fn deactivate(&self, skill: &Name<'_>) -> Result<(), Error> {
        self.order(Method::DELETE, &["skills", skill.0.as_str(), skill.1.as_str(), "activation"]).await
    }

    /// What is active for the caller's agents.
    pub async fn activations(&self) -> Result<wire::ActivationList, Error> {
        self.get(&["activations"], &()).await
    }

    /// How a skill was used day by day.
    pub async fn usage(&self, skill: &Name<'_>, query: &wire::UsageQuery) -> Result<wire::Usage, Error> {
        self.get(&["skills", skill.0.as_str(), skill.1.as_str(), "usage"], query).await
    }

    /// Reports abuse.
    pub async fn report(&self, skill: &Name<'_>, report: &wire::NewReport) -> Result<wire::Report, Error> {
        self.send(Method::POST, &["skills", skill.0.as_str(), skill.1.as_str(), "reports"], report).await
    }

    /// Offers a skill to another publisher.
    pub async fn offer_transfer(
        &self,
        skill: &Name<'_>,
        transfer: &wire::NewTransfer,
    ) -> Result<wire::Transfer, Error> {
        self.send(Method::POST, &["skills", skill.0.as_str(), skill.1.as_str(), "transfers"], transfer).await
    }

    /// Pending offers.
    pub async fn transfers(&self, query: &wire::TransferQuery) -> Result<wire::TransferPage, Error> {
        self.get(&["transfers"], query).await
    }

    /// Answers an offer: `accept`, `reject` or `cancel`.
    pub async fn decide_transfer(&self, id: TransferId, decision: &str) -> Result<wire::Transfer, Error> {
        self.change(Method::POST, &["transfers", &id.to_string(), decision]).await
    }
}
