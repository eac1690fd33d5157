use std::time::Duration;

use kontor_crypto::{Envelope, KeyId, Purpose, STATEMENT_TYPE, SigningKey, Statement, Subject, VerifyingKey};
use kontor_types::{Digest, Handle, MandateId, Money, Timestamp};
use serde::{Deserialize, Serialize};

use crate::quote::shown;
use crate::{Checkout, Quote, Refusal, Why};

/// The predicate of a signed mandate.
pub const MANDATE_TYPE: &str = "urn:kontor:statement:mandate:v1";
/// How far a person's clock may be ahead of the hub's: a mandate that begins no later than this from now has begun. The end has no
/// such grace.
pub const SKEW: Duration = Duration::from_mins(1);
/// The largest signed mandate that is read.
const LARGEST: usize = 64 * 1024;
/// Most merchants or categories that one names.
const MOST_NAMED: usize = 50;
/// The largest amount in minor units: what every program counts exactly.
pub const LARGEST_AMOUNT: i64 = (1 << 53) - 1;

/// How a mandate was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// For one quote, which the person has seen.
    Instant,
    /// In advance, within limits.
    Delegated,
}

/// What a person allows to be bought in their name, as their key signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Its id, which the person's program chooses.
    pub id: MandateId,
    /// The hub that it is for.
    pub hub: String,
    /// Whose purse pays.
    pub person: Handle,
    /// How it was given.
    pub mode: Mode,
    /// The most that may be spent altogether.
    pub total: Money,
    /// The most for one purchase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Money>,
    /// The merchants that may be bought from, by the hub's names; none named means any that the hub knows.
    #[serde(default)]
    pub merchants: Vec<String>,
    /// The categories of things that may be bought; none named means any.
    #[serde(default)]
    pub categories: Vec<String>,
    /// From when on.
    pub not_before: Timestamp,
    /// Until when; at that moment it has ended.
    pub until: Timestamp,
    /// How many purchases.
    pub count: u32,
    /// The digest of the one quote that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Digest>,
    /// When it was signed, as the signer says.
    pub signed_at: Timestamp,
}

impl Terms {
    /// What confirms this checkout and nothing else; nothing when it has no quote.
    pub fn instant(hub: &str, person: Handle, checkout: &Checkout, now: Timestamp) -> Option<Self> {
        let quote = checkout.quote.as_ref()?;
        let total = quote.currency.minor(quote.total);
        Some(Self::confirming(hub, person, &checkout.merchant, (total, checkout.quote_digest?, quote.expires_at), now))
    }

    /// What confirms one quote of a merchant: its total, its digest and when it ends.
    pub fn confirming(
        hub: &str,
        person: Handle,
        merchant: &str,
        (total, quote, until): (Money, Digest, Timestamp),
        now: Timestamp,
    ) -> Self {
        Self {
            id: MandateId::new(now),
            hub: hub.to_owned(),
            person,
            mode: Mode::Instant,
            total,
            each: None,
            merchants: vec![merchant.to_owned()],
            categories: Vec::new(),
            not_before: now,
            until,
            count: 1,
            quote: Some(quote),
            signed_at: now,
        }
    }

    /// Signs it with a person's key for mandates.
    ///
    /// # Errors
    /// [`Why::MandateSignature`] for a key of another purpose.
    pub fn sign(&self, key: &SigningKey) -> Result<Envelope, Refusal> {
        if key.purpose() != Purpose::Mandate {
            return Err(unsigned(format!("a key for {} signs no mandate", key.purpose())));
        }
        let predicate = serde_json::to_value(self).unwrap_or_default();
        let subject = Subject::new(format!("mandate {}", self.id), &self.digest());
        Ok(Statement::new(vec![subject], MANDATE_TYPE, predicate).sign(&[key]))
    }

    fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a signed mandate and which key it names, whoever signed it.
    ///
    /// # Errors
    /// [`Why::MandateSignature`] for anything else.
    pub fn read(envelope: &[u8]) -> Result<(Self, KeyId), Refusal> {
        if envelope.len() > LARGEST {
            return Err(unsigned("it is longer than 64 KiB"));
        }
        let envelope = Envelope::parse(envelope).map_err(|error| unsigned(error.to_string()))?;
        let [signature] = envelope.signatures.as_slice() else {
            return Err(unsigned("a mandate has exactly one signature"));
        };
        let key = signature.keyid.parse().map_err(|_| unsigned("its signature names no key"))?;
        if envelope.payload_type != STATEMENT_TYPE {
            return Err(unsigned(format!("its type is not {STATEMENT_TYPE}")));
        }
        let payload = envelope.payload().map_err(|error| unsigned(error.to_string()))?;
        let statement = Statement::parse(&payload).map_err(|error| unsigned(error.to_string()))?;
        if statement.predicate_type != MANDATE_TYPE {
            return Err(unsigned("what was signed is no mandate"));
        }
        let terms: Self = serde_json::from_value(statement.predicate.clone())
            .map_err(|error| unsigned(format!("the mandate cannot be read: {error}")))?;
        if statement.subject.len() != 1 || !statement.is_about(&terms.digest()) {
            return Err(unsigned("its subject is not the mandate itself"));
        }
        Ok((terms, key))
    }

    /// Reads a signed mandate that one of these keys has signed.
    ///
    /// # Errors
    /// [`Why::MandateSignature`].
    pub fn open(envelope: &[u8], keys: &[VerifyingKey]) -> Result<(Self, KeyId), Refusal> {
        let (terms, id) = Self::read(envelope)?;
        // A hint that names no known key must not lead to one by trial.
        let key = keys.iter().find(|key| key.id() == id && key.purpose() == Purpose::Mandate);
        let key = key.ok_or_else(|| unsigned("no key of this person that the hub knows has signed it"))?;
        let envelope = Envelope::parse(envelope).map_err(|error| unsigned(error.to_string()))?;
        envelope.verify(&[*key]).map_err(|error| unsigned(error.to_string()))?;
        Ok((terms, id))
    }

    /// Whether what was signed makes sense at all.
    pub(crate) fn check(&self, hub: &str, person: &Handle, now: Timestamp) -> Result<(), Refusal> {
        let refuse = |text: String| Err(Refusal::new(Why::MandateSignature, text));
        if self.hub != hub {
            return refuse(format!("the mandate is for another hub than {hub}"));
        }
        if self.person != *person {
            return refuse("the mandate is somebody else's".to_owned());
        }
        let amounts = [Some(self.total), self.each];
        if let Some(amount) = amounts.into_iter().flatten().find(|amount| !(1..=LARGEST_AMOUNT).contains(&amount.minor))
        {
            let text = format!(
                "{} minor units are no amount for a mandate: it is more than nothing, at most 2^53-1",
                amount.minor
            );
            return Err(Refusal::new(Why::AmountInvalid, text));
        }
        if self.each.is_some_and(|each| each.currency != self.total.currency) {
            return Err(Refusal::new(Why::MandateCurrency, "a mandate has one currency"));
        }
        if !(1..=10_000).contains(&self.count) {
            return Err(Refusal::new(Why::AmountInvalid, "a mandate is for 1 to 10,000 purchases"));
        }
        let named = |list: &[String]| {
            list.len() <= MOST_NAMED
                && list.iter().all(|name| (1..=100).contains(&name.len()) && !name.chars().any(char::is_control))
        };
        if !named(&self.merchants) || !named(&self.categories) {
            return refuse("a mandate names at most 50 merchants and 50 categories, each of 1 to 100 bytes".to_owned());
        }
        if self.until <= self.not_before {
            return refuse("the mandate ends before it begins".to_owned());
        }
        if self.until <= now {
            return Err(Refusal::new(Why::MandateExpired, format!("the mandate has ended at {}", self.until)));
        }
        match (self.mode, self.quote, self.count) {
            (Mode::Instant, Some(_), 1) | (Mode::Delegated, None, _) => Ok(()),
            (Mode::Instant, ..) => refuse("an instant mandate names one quote and is for one purchase".to_owned()),
            (Mode::Delegated, ..) => refuse("a delegated mandate names no quote".to_owned()),
        }
    }

    /// Whether it allows a quote of a merchant at a moment, as far as the terms alone say.
    ///
    /// # Errors
    /// What stands against it.
    pub fn allow(&self, merchant: &str, quote: &Quote, digest: &Digest, at: Timestamp) -> Result<(), Refusal> {
        if at.after(SKEW) < self.not_before {
            return Err(Refusal::new(Why::MandateNotYet, format!("the mandate begins at {}", self.not_before)));
        }
        if at >= self.until {
            return Err(Refusal::new(Why::MandateExpired, format!("the mandate has ended at {}", self.until)));
        }
        if self.quote.is_some_and(|wanted| wanted != *digest) {
            return Err(Refusal::new(Why::MandateQuote, "the mandate confirms another quote than this one"));
        }
        if !self.merchants.is_empty() && !self.merchants.iter().any(|allowed| allowed == merchant) {
            return Err(Refusal::new(
                Why::MandateMerchant,
                format!("the mandate does not allow the merchant `{merchant}`"),
            ));
        }
        if !self.categories.is_empty() {
            let other = quote.lines.iter().find(|line| !self.categories.contains(&line.category));
            if let Some(line) = other {
                let text = format!("the mandate does not allow the category `{}`", shown(&line.category));
                return Err(Refusal::new(Why::MandateCategory, text));
            }
        }
        if quote.currency != self.total.currency {
            let text = format!("the mandate is in {}, the quote in {}", self.total.currency, quote.currency);
            return Err(Refusal::new(Why::MandateCurrency, text));
        }
        let most = self.each.map_or(self.total.minor, |each| each.minor.min(self.total.minor));
        if quote.total > most {
            let (total, most) = (quote.currency.minor(quote.total), quote.currency.minor(most));
            return Err(Refusal::new(
                Why::MandateOverLimit,
                format!("{total} is more than the {most} that the mandate allows for one purchase"),
            ));
        }
        Ok(())
    }
}

fn unsigned(detail: impl Into<String>) -> Refusal {
    Refusal::new(Why::MandateSignature, detail)
}
