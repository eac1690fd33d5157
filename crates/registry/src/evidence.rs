//! One file for an auditor: a version's bytes and everything that the hub can show about them, in plain words and as JSON.

mod check;
mod ran;
mod readme;

use kontor_access::Caller;
use kontor_access::policy::preset;
use kontor_crypto::Statement;
use kontor_db::{policies, publisher_keys, reviews, scan_reports, version_signatures};
use kontor_package::{Content, Limits, pack};
use kontor_translog::{ProofFile, told};
use kontor_types::{Digest, Role, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::intake::away;
use crate::lookup::Found;
use crate::{Error, Registry, statements};

pub use check::{Checked, check};
pub use ran::RunFacts;

const FORMAT: &str = "kontor-evidence/v1";
/// The page for people; the bytes of its name put it first.
const README: &str = "README.md";
const ARCHIVE: &str = "archive.zip";
const FACTS: &str = "evidence.json";
const POLICY: &str = "policy.cedar";
const PROOF: &str = "proof.json";
const RUNS: &str = "runs.json";
const BILL: &str = "sbom.cdx.json";
/// The presets, whose texts are known without having been set.
const PRESETS: [&str; 3] = ["open", "balanced", "enterprise"];
/// The program that writes and reads these files.
const PROGRAM: &str = concat!("kontor ", env!("CARGO_PKG_VERSION"));

/// What is in `evidence.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What this is, and in which form.
    pub format: String,
    /// When the file was made.
    pub made_at: Timestamp,
    /// The program that made it.
    pub made_by: String,
    /// The hub that tells it: the name of its log.
    pub hub: String,
    /// For whom it was made; nobody stands for somebody who is not signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<String>,
    /// The version.
    pub version: Facts,
    /// Its files, by the bytes of their paths.
    pub files: Vec<FileFacts>,
    /// What the scanner found when it looked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanFacts>,
    /// What was decided, oldest first, as the statements say it.
    pub decisions: Vec<Value>,
    /// What runs were seen to do, as the statements say it that the viewer may see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<Value>,
    /// Runs of it that the viewer may see, and who let them run, as their receipts say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunFacts>,
    /// The policies that decided, as far as the viewer may read them.
    pub policies: Vec<PolicyText>,
    /// The publisher's own signature over the bytes, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureFacts>,
    /// What was said in the review, as far as the viewer may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewFacts>,
    /// All keys of the hub there ever were.
    pub keys: Value,
    /// What there is and the viewer may not see, in words.
    pub withheld: Vec<String>,
}

/// A version, as the hub's own records have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Its full name of today.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The digest of its canonical archive.
    pub digest: Digest,
    /// Bytes of that archive.
    pub size: u64,
    /// How far it has come.
    pub state: String,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The licence that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// When it was published.
    pub published_at: Timestamp,
    /// Where the bytes came from, when they were imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Value>,
    /// When it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yanked_at: Option<Timestamp>,
    /// Why it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yank_reason: Option<String>,
    /// When it was hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_at: Option<Timestamp>,
}

/// A file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its path.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// A scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanFacts {
    /// When.
    pub at: Timestamp,
    /// The digest of the rules.
    pub rules: Digest,
    /// The whole report.
    pub report: Value,
}

/// A policy that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyText {
    /// The SHA-256 of its text.
    pub digest: Digest,
    /// The preset's name, or `own`.
    pub name: String,
    /// Since when it was in force; nothing for the preset that a hub begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Its text.
    pub text: String,
}

/// A publisher's signature over a version, and what the hub knows of its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureFacts {
    /// The DSSE envelope, byte for byte as the publisher made it.
    pub envelope: String,
    /// The public key that the hub knows as the publisher's.
    pub key: String,
    /// When the hub took the signature.
    pub taken_at: Timestamp,
    /// From when on nothing that the key signed is to be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_from: Option<Timestamp>,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewFacts {
    /// What it came to.
    pub state: String,
    /// What was said and done, in its order.
    pub notes: Vec<NoteFacts>,
}

/// Something said or done in a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteFacts {
    /// Its id, which the digest in the log covers together with the words.
    pub id: String,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What was done.
    pub kind: String,
    /// The words.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

impl Registry {
    /// The evidence file of a version that the caller found: a ZIP archive with a page for people, facts, proofs, a bill of
    /// materials, the policy and the version's canonical archive. Equal evidence at one time gives equal bytes.
    pub async fn evidence(&self, caller: &Caller, found: &Found) -> Result<Vec<u8>, Error> {
        let proof = self.proof_for(caller.viewer(), found).await?;
        let said: Vec<Statement> = proof.said().into_iter().flatten().collect();
        let mut evidence = self.facts_told(caller, found, &said).await?;
        let runs = self.receipts(caller, found, &mut evidence.withheld).await?;
        evidence.runs = runs.as_ref().map(|runs| ran::facts(&runs.said())).unwrap_or_default();
        let bill = self.sbom(found).await?;
        let archive = self.archive_bytes(&found.version).await?;
        away(move || assemble(&evidence, &proof, runs.as_ref(), bill, archive.to_vec())).await
    }

    async fn facts_told(&self, caller: &Caller, found: &Found, said: &[Statement]) -> Result<Evidence, Error> {
        let version = &found.version;
        let files = self.files(&kontor_types::Viewer::hub(), version.id).await?;
        let decisions: Vec<Value> = predicates(said, "decision").cloned().collect();
        let mut withheld = Vec::new();
        let keys = serde_json::to_value(&self.log().keys().keys).unwrap_or_default();
        let mut evidence = Evidence {
            format: FORMAT.to_owned(),
            made_at: self.now(),
            made_by: PROGRAM.to_owned(),
            hub: self.log().hub().to_owned(),
            viewer: caller.person.as_ref().map(|(_, handle)| handle.to_string()),
            version: Facts {
                reference: found.reference().to_string(),
                digest: version.digest,
                size: version.size,
                state: version.state.as_str().to_owned(),
                name: version.display_name.clone(),
                description: version.description.clone(),
                license: version.license.clone(),
                published_at: version.created_at,
                origin: version.origin.clone(),
                yanked_at: version.yanked_at,
                yank_reason: version.yank_reason.clone().filter(|reason| !reason.is_empty()),
                hidden_at: version.hidden_at,
            },
            files: files
                .into_iter()
                .map(|file| FileFacts { path: file.path, size: file.size, digest: file.digest })
                .collect(),
            scan: self.scan_told(found, said).await?,
            policies: Vec::new(),
            decisions,
            observed: predicates(said, "observed").cloned().collect(),
            runs: Vec::new(),
            signature: self.signature_told(found).await?,
            review: None,
            keys,
            withheld: Vec::new(),
        };
        if caller.person_id().is_some() {
            evidence.policies = self.policies_told(&evidence.decisions).await?;
        } else if !evidence.decisions.is_empty() {
            withheld.push("the texts of the policies: whoever is signed in on the hub may read them".to_owned());
        }
        self.review_told(caller, found, &mut evidence, &mut withheld).await?;
        evidence.withheld = withheld;
        Ok(evidence)
    }

    /// The report of the scan that the log tells of last.
    async fn scan_told(&self, found: &Found, said: &[Statement]) -> Result<Option<ScanFacts>, Error> {
        let digest = |key: &str| predicates(said, "scan").last()?.get(key)?.as_str()?.parse::<Digest>().ok();
        let (Some(rules), Some(report)) = (digest("rules"), digest("report")) else { return Ok(None) };
        let scan = scan_reports::find(&mut self.read().await?, &found.version.digest, &rules).await?;
        let told = scan.map(|scan| ScanFacts { at: scan.scanned_at, rules, report: statements::report(&scan) });
        Ok(told.filter(|scan| kontor_translog::json_digest(&scan.report) == report))
    }

    /// The publisher's signature with its key.
    async fn signature_told(&self, found: &Found) -> Result<Option<SignatureFacts>, Error> {
        let mut conn = self.read().await?;
        let signature = version_signatures::of_version(&mut conn, found.version.id).await?;
        let Some(signature) = signature else { return Ok(None) };
        let key = publisher_keys::find(&mut conn, signature.publisher_id, &signature.key_id).await?;
        let envelope = String::from_utf8(signature.envelope).ok();
        Ok(key.zip(envelope).map(|(key, envelope)| SignatureFacts {
            envelope,
            key: key.public_key,
            taken_at: signature.taken_at,
            revoked_from: key.revoked_from,
        }))
    }

    async fn policies_told(&self, decisions: &[Value]) -> Result<Vec<PolicyText>, Error> {
        let mut texts: Vec<PolicyText> = Vec::new();
        let mut conn = self.read().await?;
        for decision in decisions {
            let digest = decision.get("policy").and_then(Value::as_str).and_then(|text| text.parse::<Digest>().ok());
            let Some(digest) = digest.filter(|digest| texts.iter().all(|text| text.digest != *digest)) else {
                continue;
            };
            if let Some(row) = policies::with_digest(&mut conn, &digest).await? {
                let since = Some(row.created_at);
                texts.push(PolicyText { digest, name: row.name, since, text: row.text });
            } else {
                let named = PRESETS.iter().filter_map(|name| Some((*name, preset(name)?)));
                let same = named.into_iter().find(|(_, text)| Digest::of(text.as_bytes()) == digest);
                texts.extend(same.map(|(name, text)| PolicyText {
                    digest,
                    name: name.to_owned(),
                    since: None,
                    text: text.to_owned(),
                }));
            }
        }
        Ok(texts)
    }

    async fn review_told(
        &self,
        caller: &Caller,
        found: &Found,
        evidence: &mut Evidence,
        withheld: &mut Vec<String>,
    ) -> Result<(), Error> {
        let mut conn = self.read().await?;
        let Some(review) = reviews::of_version(&mut conn, found.version.id).await? else { return Ok(()) };
        let maintains = caller.require_role(found.skill.publisher_id, Role::Maintainer, Scope::Read).is_ok();
        let reviews_it = caller.require(Scope::Review).is_ok()
            && reviews::find(&mut conn, caller.viewer(), review.id).await?.is_some();
        if !maintains && !reviews_it {
            let who = "whoever maintains the skill or may review it reads them";
            withheld.push(format!("the words that were said in the review: {who}"));
            return Ok(());
        }
        let notes = reviews::notes(&mut conn, review.id).await?;
        let note = |note: reviews::ReviewNote| NoteFacts {
            id: note.id.to_string(),
            by: note.person.map(|handle| handle.to_string()),
            kind: note.kind.as_str().to_owned(),
            text: note.text,
            at: note.created_at,
        };
        let notes = notes.into_iter().map(note).collect();
        evidence.review = Some(ReviewFacts { state: review.state.as_str().to_owned(), notes });
        Ok(())
    }
}

/// What the statements of one kind say, in their order.
fn predicates<'s>(said: &'s [Statement], kind: &str) -> impl DoubleEndedIterator<Item = &'s Value> {
    let wanted = format!("urn:kontor:statement:{kind}:v1");
    said.iter().filter(move |statement| statement.predicate_type == wanted).map(|statement| &statement.predicate)
}

/// The archive of all parts, in the canonical form that skills have too.
fn assemble(
    evidence: &Evidence,
    proof: &ProofFile,
    runs: Option<&ProofFile>,
    bill: Vec<u8>,
    archive: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let stories: Vec<_> = proof.said().iter().map(|said| said.as_ref().map(told)).collect();
    let mut facts = serde_json::to_vec_pretty(evidence).unwrap_or_default();
    facts.push(b'\n');
    let mut files = vec![
        (README.to_owned(), readme::page(evidence, &stories).into_bytes()),
        (ARCHIVE.to_owned(), archive),
        (FACTS.to_owned(), facts),
        (PROOF.to_owned(), proof.to_json()?.into_bytes()),
        (BILL.to_owned(), bill),
    ];
    if let Some(runs) = runs {
        files.push((RUNS.to_owned(), runs.to_json()?.into_bytes()));
    }
    if let Some(policy) = last_policy(evidence) {
        files.push((POLICY.to_owned(), policy.text.clone().into_bytes()));
    }
    Ok(pack(&Content::from_files(files, &Limits::CEILING)?).bytes)
}

/// The policy that decided last, when its text is there.
fn last_policy(evidence: &Evidence) -> Option<&PolicyText> {
    let digest = evidence.decisions.last()?.get("policy")?.as_str()?;
    evidence.policies.iter().find(|policy| policy.digest.to_string() == digest)
}
