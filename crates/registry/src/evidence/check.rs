//! Checking an evidence file that somebody else made, with nothing but the file and what is known already.

use std::collections::BTreeMap;

use kontor_crypto::{SignedVersion, Statement, VerifyingKey};
use kontor_package::{Content, Limits};
use kontor_translog::{Check, ProofFile, Report, Told, Trust, json_digest, told, verify};
use kontor_types::{Digest, Outcome};
use serde_json::{Value, json};

use super::{ARCHIVE, BILL, Evidence, FACTS, FORMAT, POLICY, PROGRAM, PROOF, README, RUNS, predicates, ran, readme};

/// How much an evidence file may hold: a skill of the default limits many times over.
const LIMITS: Limits = Limits { file_bytes: 512 << 20, skill_bytes: 768 << 20, files: 7 };
/// The largest page, facts, policy and bill; the proofs have their own bound.
const TEXT: usize = 64 << 20;

/// What came of checking an evidence file.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Every check that was made, and those that could not be.
    pub report: Report,
    /// What the file is about, when that could be read.
    pub evidence: Option<Evidence>,
    /// What its statements say, in their order.
    pub stories: Vec<Told>,
}

/// Checks an evidence file without a network.
pub fn check(bytes: &[u8], trust: &Trust) -> Checked {
    let mut checker = Checker { report: Report { checks: Vec::new() } };
    let (mut told_of, mut stories) = (None, Vec::new());
    if let Some(parts) = checker.parts(bytes) {
        let digest = checker.bytes(&parts, trust);
        if let Some(proof) = checker.proof(&parts) {
            let known = Trust { digest: Some(digest), ..trust.clone() };
            // The digest there is the file's own: whether those are the bytes at hand was asked above.
            let own = verify(&proof, &known).checks.into_iter().filter(|check| check.name != "bytes");
            checker.report.checks.extend(own);
            let said: Vec<Option<Statement>> = proof.said();
            stories = said.iter().flatten().map(told).collect();
            let runs = checker.runs(&parts, digest, trust, said.len());
            stories.extend(runs.iter().flatten().map(told));
            if let Some(evidence) = checker.facts(&parts) {
                let same = evidence.runs == ran::facts(&runs);
                checker.settle(
                    "runs",
                    same,
                    "runs are told as their receipts say",
                    "runs are told otherwise than in their receipts",
                );
                checker.agreement(&evidence, &parts, &proof, &said, digest);
                told_of = Some(evidence);
            }
        }
    }
    Checked { report: checker.report, evidence: told_of, stories }
}

struct Checker {
    report: Report,
}

impl Checker {
    fn add(&mut self, name: &'static str, outcome: Outcome, detail: impl Into<String>) {
        self.report.checks.push(Check { name, statement: None, outcome, detail: detail.into() });
    }

    /// Notes how a check ended; what holds is worth as many words as what does not.
    fn settle(&mut self, name: &'static str, holds: bool, good: &str, bad: &str) {
        if holds {
            self.add(name, Outcome::Passed, good);
        } else {
            self.add(name, Outcome::Failed, bad);
        }
    }

    /// The files of the archive, which must be in the one form in which they are written.
    fn parts(&mut self, bytes: &[u8]) -> Option<Opened> {
        let content = match Content::from_canonical(bytes, &LIMITS) {
            Ok(content) => content,
            Err(error) => {
                self.add("file", Outcome::Failed, format!("it is no evidence file as Kontor writes them: {error}"));
                return None;
            }
        };
        for needed in [README, ARCHIVE, FACTS, PROOF, BILL] {
            if content.get(needed).is_none() {
                self.add("file", Outcome::Failed, format!("it has no {needed}"));
                return None;
            }
        }
        for (path, bytes) in content.files() {
            let known = [README, ARCHIVE, FACTS, PROOF, RUNS, BILL, POLICY].contains(&path);
            let fits = path == ARCHIVE || bytes.len() <= TEXT;
            if !known || !fits {
                let detail =
                    format!("it has a {} of {} bytes, which is no part of an evidence file", shown(path), bytes.len());
                self.add("file", Outcome::Failed, detail);
                return None;
            }
        }
        self.add("file", Outcome::Passed, "it has the parts of an evidence file and nothing else");
        Some(Opened(content))
    }

    /// The digest of the bytes, by themselves and against what is at hand.
    fn bytes(&mut self, parts: &Opened, trust: &Trust) -> Digest {
        let archive = parts.get(ARCHIVE);
        let digest = Digest::of(archive);
        let canonical = Content::from_canonical(archive, &Limits::CEILING);
        let bad = canonical.as_ref().err().map(|error| format!("{ARCHIVE} is no canonical archive: {error}"));
        self.settle(
            "archive",
            bad.is_none(),
            &format!("{ARCHIVE} is in canonical form and has the digest {digest}"),
            &bad.unwrap_or_default(),
        );
        if let Some(at_hand) = trust.digest {
            let bad = format!("the bytes at hand have the digest {at_hand}, those of the file {digest}");
            self.settle("bytes_at_hand", at_hand == digest, "the bytes at hand are those of the file", &bad);
        } else {
            let detail = "no bytes were given: compare the digest of what you have with that of the archive";
            self.add("bytes_at_hand", Outcome::NotChecked, detail);
        }
        digest
    }

    fn proof(&mut self, parts: &Opened) -> Option<ProofFile> {
        match ProofFile::parse(parts.get(PROOF)) {
            Ok(proof) => Some(proof),
            Err(error) => {
                self.add("proof", Outcome::Failed, format!("{PROOF} cannot be read: {error}"));
                None
            }
        }
    }

    /// What the receipts of runs say, each held to the hub's keys for receipts, to the log and to these bytes. Their
    /// statements are numbered after those of the version.
    fn runs(&mut self, parts: &Opened, digest: Digest, trust: &Trust, before: usize) -> Vec<Option<Statement>> {
        let Some(bytes) = parts.0.get(RUNS) else { return Vec::new() };
        let proof = match ProofFile::parse(bytes) {
            Ok(proof) => proof,
            Err(error) => {
                self.add("runs", Outcome::Failed, format!("{RUNS} cannot be read: {error}"));
                return Vec::new();
            }
        };
        let known = Trust {
            digest: Some(digest),
            statement_keys: trust.receipt_keys.clone(),
            publisher_keys: Vec::new(),
            ..trust.clone()
        };
        let own = verify(&proof, &known).checks.into_iter();
        let own = own.filter(|check| check.statement.is_some() || matches!(check.name, "log_key" | "statement_key"));
        let numbered = |check: Check| Check { statement: check.statement.map(|number| number + before), ..check };
        self.report.checks.extend(own.map(numbered));
        proof.said()
    }

    fn facts(&mut self, parts: &Opened) -> Option<Evidence> {
        let read = serde_json::from_slice::<Evidence>(parts.get(FACTS)).map_err(|error| error.to_string());
        match read.and_then(
            |facts| if facts.format == FORMAT { Ok(facts) } else { Err(format!("its format is not {FORMAT}")) },
        ) {
            Ok(facts) => Some(facts),
            Err(reason) => {
                self.add("facts", Outcome::Failed, format!("{FACTS} cannot be read: {}", shown(&reason)));
                None
            }
        }
    }

    /// Whether what people read is what the statements say.
    fn agreement(
        &mut self,
        evidence: &Evidence,
        parts: &Opened,
        proof: &ProofFile,
        said: &[Option<Statement>],
        digest: Digest,
    ) {
        let whole: Vec<Statement> = said.iter().flatten().cloned().collect();
        let subject = evidence.version.digest == digest && proof.subject == Some(digest);
        let bad = format!("{FACTS} and {PROOF} are not about the bytes in {ARCHIVE}");
        self.settle("facts_subject", subject, "facts, proofs and bytes are about one version", &bad);
        self.files(evidence, parts);
        self.origin(evidence, &whole);
        self.signature(evidence, digest, &whole);
        self.scan(evidence, &whole);
        self.decisions(evidence, &whole);
        self.observed(evidence, &whole);
        self.policies(evidence, parts);
        self.reviews(evidence, &whole);
        self.withdrawal(evidence, &whole);
        self.bill(evidence, parts, digest);
        self.keys(evidence, proof);
        self.page(evidence, parts, said);
        for withheld in &evidence.withheld {
            self.add(
                "withheld",
                Outcome::NotChecked,
                format!("the hub did not show to whom it made this: {}", shown(withheld)),
            );
        }
        let records =
            "state, description, licence and times of withdrawal are the hub's records, not signed by themselves";
        self.add("records", Outcome::NotChecked, records);
        let people = "who the people behind the handles are: the hub knows them by their sign-in";
        self.add("people", Outcome::NotChecked, people);
        self.add(
            "scanner",
            Outcome::NotChecked,
            format!("whether the scanner is right: scan {ARCHIVE} yourself to compare"),
        );
    }

    fn files(&mut self, evidence: &Evidence, parts: &Opened) {
        let Ok(content) = Content::from_canonical(parts.get(ARCHIVE), &Limits::CEILING) else { return };
        let listed = evidence.files.iter().map(|file| (file.path.as_str(), (file.size, file.digest)));
        let listed: BTreeMap<_, _> = listed.collect();
        let there = content.files().map(|(path, bytes)| (path, (bytes.len() as u64, Digest::of(bytes))));
        let same = evidence.files.len() == content.len() && listed == there.collect::<BTreeMap<_, _>>();
        let good = format!("the list of files is that of {ARCHIVE}");
        self.settle("files", same, &good, &format!("{FACTS} lists other files than {ARCHIVE} has"));
    }

    fn origin(&mut self, evidence: &Evidence, said: &[Statement]) {
        let Some(parameters) = published_with(said) else {
            return self.add(
                "origin",
                Outcome::Failed,
                "no statement says who published the bytes and where they came from",
            );
        };
        let source = parameters.get("source").filter(|source| !source.is_null());
        let bad = format!("{FACTS} tells another origin than the hub's statement");
        self.settle(
            "origin",
            source == evidence.version.origin.as_ref(),
            "the origin is the one that the hub signed",
            &bad,
        );
        let signed = published_as(said).unwrap_or_default();
        if signed == evidence.version.reference {
            self.add("name", Outcome::Passed, format!("it was published as {}", shown(&signed)));
        } else {
            let moved = said.iter().any(|statement| {
                let action = statement.predicate.get("action").and_then(Value::as_str);
                matches!(action, Some("rename" | "transfer" | "merge"))
            });
            let detail = format!("published as {}, shown as {}", shown(&signed), shown(&evidence.version.reference));
            let outcome = if moved { Outcome::NotChecked } else { Outcome::Failed };
            self.add("name", outcome, detail);
        }
    }

    /// The publisher's own signature, by the key that the hub knows as theirs.
    fn signature(&mut self, evidence: &Evidence, digest: Digest, said: &[Statement]) {
        let Some(signature) = &evidence.signature else {
            return self.add(
                "publisher",
                Outcome::NotChecked,
                "the publisher did not sign it, or the file does not show it",
            );
        };
        let signed = || -> Result<SignedVersion, String> {
            let key: VerifyingKey = signature.key.parse().map_err(|_| "its key is none".to_owned())?;
            let opened = SignedVersion::open(signature.envelope.as_bytes(), &[key]);
            opened.map(|(signed, _)| signed).map_err(|error| error.to_string())
        };
        match signed() {
            Err(reason) => {
                self.add("publisher", Outcome::Failed, format!("the publisher's signature: {}", shown(&reason)));
            }
            Ok(signed) if signed.digest != digest => {
                self.add("publisher", Outcome::Failed, "the publisher's signature is about other bytes");
            }
            Ok(signed) if published_as(said).is_none_or(|name| name != signed.name.to_string()) => {
                let detail = format!("the publisher signed these bytes as {}", shown(&signed.name.to_string()));
                self.add("publisher", Outcome::Failed, detail);
            }
            Ok(_) if signature.revoked_from.is_some_and(|from| from <= signature.taken_at) => {
                self.add(
                    "publisher",
                    Outcome::Failed,
                    "the key of the publisher's signature was revoked before it was taken",
                );
            }
            Ok(_) => {
                self.add("publisher", Outcome::Passed, format!("the key {} signed these bytes", shown(&signature.key)));
                let whose = "whether that key is the publisher's: only the hub's records say so; ask the publisher";
                self.add("publisher_key", Outcome::NotChecked, whose);
            }
        }
    }

    fn scan(&mut self, evidence: &Evidence, said: &[Statement]) {
        let last = predicates(said, "scan").last();
        match (&evidence.scan, last) {
            (None, None) => self.add("scan", Outcome::NotChecked, "the file tells of no scan"),
            (None, Some(_)) => {
                self.add(
                    "scan",
                    Outcome::NotChecked,
                    "the whole report of the last scan is not in the file, its statement is",
                );
            }
            (Some(_), None) => self.add("scan", Outcome::Failed, "no statement carries the report that the file shows"),
            (Some(scan), Some(last)) => {
                let same = last.get("report") == Some(&json!(json_digest(&scan.report)))
                    && last.get("rules") == Some(&json!(scan.rules))
                    && last.get("at") == Some(&json!(scan.at));
                let bad = "the report in the file is not the one that the hub signed";
                self.settle("scan", same, "the scan's report is the one that the hub signed", bad);
            }
        }
    }

    fn decisions(&mut self, evidence: &Evidence, said: &[Statement]) {
        let signed: Vec<&Value> = predicates(said, "decision").collect();
        let same = signed.len() == evidence.decisions.len() && evidence.decisions.iter().eq(signed);
        let good = format!("{} as the hub signed them", counted(evidence.decisions.len(), "decision"));
        self.settle("decisions", same, &good, &format!("the decisions in {FACTS} are not those that the hub signed"));
    }

    fn observed(&mut self, evidence: &Evidence, said: &[Statement]) {
        let same = evidence.observed.iter().eq(predicates(said, "observed"));
        if evidence.observed.is_empty() && same {
            return self.add("observed", Outcome::NotChecked, "the file tells of no run of the version");
        }
        let bad = format!("what runs did stands otherwise in {FACTS} than the hub signed it");
        self.settle("observed", same, "what runs were seen to do is what the hub signed", &bad);
    }

    fn policies(&mut self, evidence: &Evidence, parts: &Opened) {
        let of = |decision: &Value| decision.get("policy").and_then(Value::as_str).map(str::to_owned);
        let wanted: Vec<String> = evidence.decisions.iter().filter_map(of).collect();
        let wrong = evidence.policies.iter().any(|policy| {
            Digest::of(policy.text.as_bytes()) != policy.digest || !wanted.contains(&policy.digest.to_string())
        });
        let there = parts.0.get(POLICY).map(|text| Digest::of(text).to_string());
        if wrong || there.as_ref().is_some_and(|digest| Some(digest) != wanted.last()) {
            self.add("policy", Outcome::Failed, "the text of a policy is not the one by which was decided");
        } else if there.is_some() {
            self.add("policy", Outcome::Passed, format!("{POLICY} is the text by which was decided last"));
        } else {
            self.add(
                "policy",
                Outcome::NotChecked,
                "the text of the policy is not in the file; only its digest is signed",
            );
        }
    }

    /// Each deed in the review has its statement, and each statement about a deed its note.
    fn reviews(&mut self, evidence: &Evidence, said: &[Statement]) {
        let signed: Vec<&Value> = predicates(said, "review").collect();
        let Some(review) = &evidence.review else {
            if !signed.is_empty() {
                self.add(
                    "review",
                    Outcome::NotChecked,
                    "the words of the reviewers are not in the file; that they decided is signed",
                );
            }
            return;
        };
        let deed = |kind: &str| matches!(kind, "approve" | "reject" | "changes" | "appeal");
        let told: Vec<_> = review.notes.iter().filter(|note| deed(&note.kind)).collect();
        let same = told.len() == signed.len()
            && told.iter().zip(&signed).all(|(note, signed)| {
                let words = Digest::of(format!("{}\n{}", note.id, note.text).as_bytes());
                let words = if note.text.is_empty() { Value::Null } else { json!(words) };
                signed.get("decision") == Some(&json!(note.kind))
                    && signed.get("by").unwrap_or(&Value::Null) == &json!(note.by)
                    && signed.get("at") == Some(&json!(note.at))
                    && signed.get("comment").unwrap_or(&Value::Null) == &words
            });
        let good = format!("{} with the words that the hub signed the digests of", counted(told.len(), "deed"));
        self.settle("review", same, &good, "what people did in the review is not what the hub signed");
        let rest = review.notes.len() - told.len();
        if rest > 0 {
            let detail = format!("{} that decided nothing: only the hub's records tell of them", counted(rest, "note"));
            self.add("review_notes", Outcome::NotChecked, detail);
        }
    }

    fn withdrawal(&mut self, evidence: &Evidence, said: &[Statement]) {
        let last = |done: &str, undone: &str| {
            let types = [done, undone].map(|kind| format!("urn:kontor:statement:{kind}:v1"));
            let last = said.iter().rfind(|statement| types.contains(&statement.predicate_type));
            last.is_some_and(|statement| statement.predicate_type == types[0])
        };
        let same = last("yank", "unyank") == evidence.version.yanked_at.is_some()
            && last("hide", "restore") == evidence.version.hidden_at.is_some();
        let bad = format!("{FACTS} and the statements disagree about whether it was withdrawn or hidden");
        self.settle("withdrawal", same, "withdrawals are those that the hub signed", &bad);
    }

    fn bill(&mut self, evidence: &Evidence, parts: &Opened, digest: Digest) {
        let bill: Value = serde_json::from_slice(parts.get(BILL)).unwrap_or_default();
        let hash =
            |component: &Value| component.pointer("/hashes/0/content").and_then(Value::as_str).map(str::to_owned);
        let components = bill.get("components").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let named = |component: &Value| Some((component.get("name")?.as_str()?.to_owned(), hash(component)?));
        let files = components.iter().filter(|component| component.get("type").and_then(Value::as_str) == Some("file"));
        let files: BTreeMap<String, String> = files.filter_map(named).collect();
        let listed = evidence.files.iter().map(|file| (file.path.clone(), file.digest.hex()));
        let same = files == listed.collect::<BTreeMap<_, _>>()
            && bill.pointer("/metadata/component").and_then(hash) == Some(digest.hex());
        let bad = format!("{BILL} is not about these bytes");
        self.settle("sbom", same, "the bill of materials is about these bytes and files", &bad);
        let derived = "which packages it asks for: the bill derives that from the bytes, nobody signed it";
        self.add("sbom_packages", Outcome::NotChecked, derived);
    }

    /// The keys by which the statements were checked are among those that the file tells the history of.
    fn keys(&mut self, evidence: &Evidence, proof: &ProofFile) {
        let told = evidence.keys.as_array().map(Vec::as_slice).unwrap_or_default();
        let known = |key: &str| told.iter().any(|record| record.get("public_key").and_then(Value::as_str) == Some(key));
        let missing = proof.statement_keys.iter().map(ToString::to_string).filter(|key| !known(key)).count();
        let bad = format!("{} of {PROOF} are not in the history of keys", counted(missing, "key"));
        self.settle("keys", missing == 0, "the history of keys has the keys of the statements", &bad);
    }

    /// The page says what the same program would write.
    fn page(&mut self, evidence: &Evidence, parts: &Opened, said: &[Option<Statement>]) {
        let stories: Vec<Option<Told>> = said.iter().map(|said| said.as_ref().map(told)).collect();
        if readme::page(evidence, &stories).as_bytes() == parts.get(README) {
            self.add("page", Outcome::Passed, format!("{README} is what follows from the other files"));
        } else if evidence.made_by == PROGRAM {
            self.add(
                "page",
                Outcome::Failed,
                format!("{README} says something else than the other files: do not believe it"),
            );
        } else {
            let by = shown(&evidence.made_by);
            let detail =
                format!("{README} was written by {by}, this is {PROGRAM}: read what is told here, not the page");
            self.add("page", Outcome::NotChecked, detail);
        }
    }
}

/// An opened file with all its needed parts.
struct Opened(Content);

impl Opened {
    fn get(&self, part: &str) -> &[u8] {
        self.0.get(part).unwrap_or_default()
    }
}

pub(super) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Other people's words, short enough to be told.
fn shown(text: &str) -> String {
    text.chars().take(200).map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// What the hub's statement about publishing says that it was published with.
fn published_with(said: &[Statement]) -> Option<&Value> {
    let provenance = said.iter().find(|statement| statement.predicate_type == "https://slsa.dev/provenance/v1")?;
    Some(provenance.predicate.pointer("/buildDefinition/externalParameters").unwrap_or(&Value::Null))
}

/// The full name by which it was published.
fn published_as(said: &[Statement]) -> Option<String> {
    let parameters = published_with(said)?;
    let part = |key: &str| parameters.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(format!("@{}/{}@{}", part("publisher"), part("skill"), part("version")))
}
