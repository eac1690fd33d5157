//! What is said of an order afterwards, signed: an in-toto statement in a DSSE envelope.

use kontor_crypto::{Envelope, Purpose, STATEMENT_TYPE, SigningKey, Statement, Subject, VerifyingKey};
use kontor_types::{CheckoutId, Digest, Handle, Money, RunId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Refusal, Share, Why};

/// The predicate of a receipt of an order.
pub const ORDER_TYPE: &str = "urn:kontor:statement:order:v1";
/// The largest receipt that is read.
const LARGEST: usize = 4 << 20;

/// What happened in one purchase, and what led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderReceipt {
    /// Which purchase.
    pub checkout: CheckoutId,
    /// The hub that did it.
    pub hub: String,
    /// Whose purse paid.
    pub buyer: Handle,
    /// What whoever asked for it knows.
    pub tied: Tied,
    /// The hub's name for the merchant.
    pub merchant: String,
    /// The merchant's key for quotes, as the hub knew it.
    pub merchant_key: VerifyingKey,
    /// The signed quote.
    pub quote: String,
    /// Its digest.
    pub quote_digest: Digest,
    /// The merchant's name for the order.
    pub order: String,
    /// What was paid.
    pub total: Money,
    /// Who got which part.
    pub shares: Vec<Share>,
    /// What allowed it.
    pub mandate: TiedMandate,
    /// What the ledger did: held the money, and moved it.
    pub postings: Vec<Posting>,
}

/// What led to a purchase, as whoever asked for it says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tied {
    /// The words of the errand.
    pub request: String,
    /// What was chosen, and what was not.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Runs of skills.
    #[serde(default)]
    pub runs: Vec<TiedRun>,
    /// What was asked of models.
    #[serde(default)]
    pub tokens: Vec<TiedTokens>,
    /// The workflow that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
}

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Of what.
    pub what: String,
    /// What was taken.
    pub chosen: String,
    /// What was not.
    #[serde(default)]
    pub refused: Vec<String>,
    /// Why.
    pub reason: String,
}

/// One run of a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TiedRun {
    /// Which.
    pub run: RunId,
    /// The skill, by name.
    pub skill: String,
    /// The skill, by its bytes.
    pub digest: Digest,
    /// The digest of the bytes of its receipt.
    pub receipt: Digest,
}

/// What one model was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TiedTokens {
    /// Which model.
    pub model: String,
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// What that cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

/// The mandate of a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TiedMandate {
    /// As it was signed.
    pub envelope: Envelope,
    /// The person's key, as the hub knew it.
    pub key: VerifyingKey,
}

/// One transfer of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posting {
    /// Its number.
    pub transfer: i64,
    /// `reserve` or `post`.
    pub kind: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// What it held or moved.
    pub legs: Vec<PostingLeg>,
}

/// One amount from an account to another; accounts are written `KIND/OWNER/CODE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostingLeg {
    /// The account that pays.
    pub from: String,
    /// The account that gets it.
    pub to: String,
    /// How much.
    pub amount: Money,
}

impl OrderReceipt {
    /// Signs it with a key for receipts.
    pub(crate) fn sign(&self, key: &SigningKey) -> Envelope {
        let subject = Subject::new(self.subject(), &self.quote_digest);
        let predicate = serde_json::to_value(self).unwrap_or_default();
        Statement::new(vec![subject], ORDER_TYPE, predicate).sign(&[key])
    }

    fn subject(&self) -> String {
        format!("order {} at {}", self.order, self.merchant)
    }

    /// Reads a receipt of an order, whoever signed it.
    ///
    /// # Errors
    /// [`Why::Invalid`] for anything else.
    pub fn read(bytes: &[u8]) -> Result<(Self, Envelope), Refusal> {
        let broken = |reason: String| Refusal::new(Why::Invalid, format!("this is no receipt of an order: {reason}"));
        if bytes.len() > LARGEST {
            return Err(broken("it is larger than 4 MiB".to_owned()));
        }
        let envelope = Envelope::parse(bytes).map_err(|error| broken(error.to_string()))?;
        if envelope.payload_type != STATEMENT_TYPE {
            return Err(broken(format!("its type is not {STATEMENT_TYPE}")));
        }
        let payload = envelope.payload().map_err(|error| broken(error.to_string()))?;
        let statement = Statement::parse(&payload).map_err(|error| broken(error.to_string()))?;
        if statement.predicate_type != ORDER_TYPE {
            return Err(broken("it says something else than what was bought".to_owned()));
        }
        let receipt: Self =
            serde_json::from_value(statement.predicate.clone()).map_err(|error| broken(error.to_string()))?;
        let about = matches!(statement.subject.as_slice(), [one] if one.name == receipt.subject());
        if !about || !statement.is_about(&receipt.quote_digest) {
            return Err(broken("its subject is not the order that it tells of".to_owned()));
        }
        Ok((receipt, envelope))
    }

    /// Whether an envelope holds a receipt of an order, and not something else.
    pub fn is_one(bytes: &[u8]) -> bool {
        let payload = Envelope::parse(bytes).and_then(|envelope| envelope.payload());
        payload.and_then(|payload| Statement::parse(&payload)).is_ok_and(|said| said.predicate_type == ORDER_TYPE)
    }

    /// The known key for receipts that signed it, if one did.
    pub(crate) fn signer(envelope: &Envelope, keys: &[VerifyingKey]) -> Result<String, kontor_crypto::Error> {
        let own: Vec<VerifyingKey> = keys.iter().filter(|key| key.purpose() == Purpose::Receipt).copied().collect();
        let verified = envelope.verify(&own)?;
        verified.signers.first().map(ToString::to_string).ok_or(kontor_crypto::Error::Unsigned)
    }
}
