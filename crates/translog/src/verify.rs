use kontor_crypto::{Envelope, KeyId, NoteVerifier, STATEMENT_TYPE, Statement, VerifyingKey};
use kontor_types::{Digest, Outcome};
use serde::Serialize;

use crate::signatures::{Keys, about_key, is_publishers};
use crate::{
    Checkpoint, Error, ProofFile, ProvenStatement, SALT_LENGTH, leaf, leaf_hash, verify_consistency, verify_inclusion,
};

/// What the one who checks knows already.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The keys of the log, from elsewhere than the file.
    pub log_keys: Vec<NoteVerifier>,
    /// The keys of the hub that sign statements, from elsewhere than the file.
    pub statement_keys: Vec<VerifyingKey>,
    /// The keys of the hub that sign receipts of runs, from elsewhere than the file.
    pub receipt_keys: Vec<VerifyingKey>,
    /// The publisher's keys, from elsewhere than the file and the hub; another key's signature fails then.
    pub publisher_keys: Vec<VerifyingKey>,
    /// The digest of the bytes at hand.
    pub digest: Option<Digest>,
    /// A checkpoint of the log that was seen before.
    pub seen: Option<Checkpoint>,
}

/// One thing that was checked, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was asked, as a name that stays.
    pub name: &'static str,
    /// The statement's number in the file, from 0; none when it is about the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<usize>,
    /// How it ended.
    pub outcome: Outcome,
    /// What that means, for people.
    pub detail: String,
}

/// Everything that was checked, and everything that could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The checks in the order in which they were made.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether nothing failed.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.outcome != Outcome::Failed)
    }

    /// The checks that ended so.
    pub fn with(&self, outcome: Outcome) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(move |check| check.outcome == outcome)
    }

    pub(crate) fn add(
        &mut self,
        name: &'static str,
        statement: Option<usize>,
        outcome: Outcome,
        detail: impl Into<String>,
    ) {
        self.checks.push(Check { name, statement, outcome, detail: detail.into() });
    }

    pub(crate) fn settle<T>(
        &mut self,
        name: &'static str,
        statement: usize,
        detail: impl FnOnce(&T) -> String,
        outcome: Result<T, String>,
    ) -> Option<T> {
        match outcome {
            Ok(value) => {
                self.add(name, Some(statement), Outcome::Passed, detail(&value));
                Some(value)
            }
            Err(reason) => {
                self.add(name, Some(statement), Outcome::Failed, reason);
                None
            }
        }
    }
}

/// Checks a proof file with what is at hand and without a network, and says what it could not check.
///
/// Without known keys the file's own are used: then it is consistent in itself, and the report says that nothing vouches
/// for the keys.
pub fn verify(file: &ProofFile, trust: &Trust) -> Report {
    let mut report = Report { checks: Vec::new() };
    let log_keys = choose("log_key", &trust.log_keys, &file.log_keys, &mut report);
    let statement_keys = choose("statement_key", &trust.statement_keys, &file.statement_keys, &mut report);
    if file.statements.is_empty() {
        report.add("statements", None, Outcome::Failed, "there is no statement in the file");
    }
    let publishers = Keys::read(file, statement_keys);
    if !trust.publisher_keys.is_empty() && !file.statements.iter().any(is_publishers) {
        report.add("publisher_key", None, Outcome::Failed, "its publisher has not signed it");
    }
    for (number, statement) in file.statements.iter().enumerate() {
        let said = if is_publishers(statement) {
            publishers.check(number, statement, &trust.publisher_keys, &mut report)
        } else {
            check_signature(number, statement, statement_keys, &mut report)
        };
        check_inclusion(number, statement, log_keys, trust.seen.as_ref(), &mut report);
        if let Some(about) = said.as_ref().and_then(about_key) {
            report.settle("subject", number, |()| "it is about a publisher's key".to_owned(), about);
        } else if let (Some(said), Some(digest)) = (said, trust.digest.or(file.subject)) {
            let about = if said.is_about(&digest) { Ok(()) } else { Err(format!("it is not about {digest}")) };
            report.settle("subject", number, |()| format!("it is about {digest}"), about);
        }
    }
    check_bytes(file, trust, &mut report);
    name_the_rest(trust, &mut report);
    report
}

fn choose<'k, K>(name: &'static str, known: &'k [K], own: &'k [K], report: &mut Report) -> &'k [K] {
    if known.is_empty() {
        let detail =
            "the keys are those that the file brings along; get them from the hub by another way and name them";
        report.add(name, None, Outcome::NotChecked, detail);
        own
    } else {
        report.add(name, None, Outcome::Passed, "the keys were known before");
        known
    }
}

fn check_signature(
    number: usize,
    proven: &ProvenStatement,
    keys: &[VerifyingKey],
    report: &mut Report,
) -> Option<Statement> {
    let verified = || -> Result<(Statement, Vec<KeyId>), kontor_crypto::Error> {
        let envelope = Envelope::parse(proven.statement.as_bytes())?;
        let verified = envelope.verify(keys)?;
        if envelope.payload_type != STATEMENT_TYPE {
            let (what, reason) = ("in-toto statement", format!("its type is not {STATEMENT_TYPE}"));
            return Err(kontor_crypto::Error::Malformed { what, reason });
        }
        Ok((Statement::parse(&verified.payload)?, verified.signers))
    };
    let detail = |(said, signers): &(Statement, Vec<KeyId>)| {
        let signers: Vec<_> = signers.iter().map(ToString::to_string).collect();
        format!("{} is signed by {}", said.predicate_type, signers.join(", "))
    };
    let outcome = verified().map_err(|error| error.to_string());
    report.settle("signature", number, detail, outcome).map(|(said, _)| said)
}

fn check_inclusion(
    number: usize,
    proven: &ProvenStatement,
    keys: &[NoteVerifier],
    seen: Option<&Checkpoint>,
    report: &mut Report,
) {
    let ProvenStatement { statement, salt, proof } = proven;
    let checkpoint = Checkpoint::open(proof.checkpoint.as_bytes(), keys).map_err(|error| chain(&error));
    let detail = |checkpoint: &Checkpoint| format!("`{}` signed {} entries", checkpoint.origin, checkpoint.size);
    let Some(checkpoint) = report.settle("checkpoint", number, detail, checkpoint) else { return };
    let included = || {
        let salt: &[u8; SALT_LENGTH] =
            salt.as_slice().try_into().map_err(|_| Error::refuted(format!("its salt has not {SALT_LENGTH} bytes")))?;
        let hash = leaf_hash(leaf(salt, statement.as_bytes()).as_bytes());
        verify_inclusion(hash, proof.index, checkpoint.size, &proof.path, &checkpoint.root)
    };
    let outcome = included().map_err(|error| chain(&error));
    report.settle("inclusion", number, |()| format!("it is entry {} of the log", proof.index), outcome);
    if let Some(seen) = seen {
        check_seen(number, &checkpoint, seen, report);
    }
}

/// Two checkpoints can be compared without more only when they have one size; else a consistency proof is needed.
fn check_seen(number: usize, checkpoint: &Checkpoint, seen: &Checkpoint, report: &mut Report) {
    if checkpoint.origin != seen.origin {
        let detail = format!("the checkpoint seen before is of `{}`, another log", seen.origin);
        report.add("same_history", Some(number), Outcome::NotChecked, detail);
    } else if checkpoint.size == seen.size {
        let same = verify_consistency((seen.size, &seen.root), (checkpoint.size, &checkpoint.root), &[]);
        let outcome = same.map_err(|_| "the log has shown another history of the same size".to_owned());
        report.settle("same_history", number, |()| "it is the history seen before".to_owned(), outcome);
    } else {
        let detail = "the checkpoint seen before has another size: read the log's tiles to compare the histories";
        report.add("same_history", Some(number), Outcome::NotChecked, detail);
    }
}

fn check_bytes(file: &ProofFile, trust: &Trust, report: &mut Report) {
    match (trust.digest, file.subject) {
        (Some(digest), Some(subject)) if digest != subject => {
            let detail = format!("the file is about {subject}, the bytes at hand are {digest}");
            report.add("bytes", None, Outcome::Failed, detail);
        }
        (Some(_), _) => report.add("bytes", None, Outcome::Passed, "the digest of the bytes at hand was given"),
        (None, _) => {
            let detail = "no bytes were given: compare the digest of what you have with the subject";
            report.add("bytes", None, Outcome::NotChecked, detail);
        }
    }
}

/// What no file can prove.
fn name_the_rest(trust: &Trust, report: &mut Report) {
    let later = "whether something was withdrawn or revoked after the checkpoint: ask the hub";
    report.add("later_statements", None, Outcome::NotChecked, later);
    if trust.seen.is_none() {
        let detail = "whether others are shown the same log: compare checkpoints with somebody else";
        report.add("same_history", None, Outcome::NotChecked, detail);
    }
    let detail = "whether witnesses have seen the checkpoint: their signatures are not looked at";
    report.add("witnesses", None, Outcome::NotChecked, detail);
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
