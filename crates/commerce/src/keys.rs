use kontor_access::Caller;
use kontor_access::audit::{self, Event};
use kontor_crypto::{KeyRecord, Purpose, VerifyingKey, vouched_for};
use kontor_db::mandates;
use kontor_types::{PersonId, Timestamp};
use serde::Serialize;
use serde_json::json;

use crate::commerce::{person, record};
use crate::{Commerce, Error, Why};

/// A key that signs a person's mandates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MandateKey {
    /// Which key.
    pub key_id: String,
    /// Its public half.
    pub public_key: VerifyingKey,
    /// Since when the hub knows it.
    pub registered_at: Timestamp,
    /// When another took its place.
    pub retired_at: Option<Timestamp>,
}

impl Commerce {
    /// The keys of a person, the oldest first.
    pub async fn mandate_keys(&self, id: PersonId) -> Result<Vec<MandateKey>, Error> {
        let rows = mandates::keys(&mut self.read().await?, id).await?;
        rows.into_iter().map(MandateKey::of).collect()
    }

    /// Registers a person's key. `claim` is the key's signature over the person's name, and a key that takes another's place
    /// needs that one's word, which is in its record: whoever has a person's token must not be able to spend their money by a
    /// key of their own.
    ///
    /// # Errors
    /// [`Why::MandateSignature`] when the claim does not hold or the word is missing.
    pub async fn register_key(&self, id: PersonId, new: &KeyRecord, claim: &str) -> Result<MandateKey, Error> {
        let refuse = |text: &str| Error::refused(Why::MandateSignature, text);
        let key = new.public_key.filter(|key| key.purpose() == Purpose::Mandate && new.purpose == Purpose::Mandate);
        let key = key.ok_or_else(|| refuse("this is no key for mandates"))?;
        let (record_of, claim, now) = (new.clone(), claim.to_owned(), self.now());
        self.unit(move |tx| {
            let (new, claim) = (record_of.clone(), claim.clone());
            Box::pin(async move {
                let person = person(tx, id).await?;
                key.check_claim(&person.handle, new.created_at, &claim)
                    .map_err(|_| Error::refused(Why::MandateSignature, "whoever registers a key has to hold it: its claim does not fit"))?;
                let known = mandates::keys(tx, id).await?;
                if let Some(row) = known.iter().find(|row| row.key_id == key.id().to_string()) {
                    return MandateKey::of(row.clone());
                }
                if let Some(active) = known.iter().find(|row| row.retired_at.is_none()) {
                    let believed: VerifyingKey = active.public_key.parse().map_err(|_| Error::Damaged { what: "a key" })?;
                    let mut records: Vec<KeyRecord> = vec![new.clone()];
                    records.push(KeyRecord { public_key: Some(believed), id: believed.id(), endorsement: None, ..new.clone() });
                    if !vouched_for(believed, key, &records) {
                        let text = "another key of this person is in use, and it does not vouch for this one: use that one, or make the new one with it";
                        return Err(Error::refused(Why::MandateSignature, text));
                    }
                }
                let row = mandates::MandateKey {
                    person_id: id,
                    key_id: key.id().to_string(),
                    public_key: key.to_string(),
                    registered_at: now,
                    retired_at: None,
                };
                mandates::retire_keys(tx, id, &row.key_id, now).await?;
                mandates::add_key(tx, &row).await?;
                let event = Event::new("mandate_key.add", person.handle.as_str()).detail(json!({ "key": row.key_id }));
                record(tx, &person, event, now).await?;
                MandateKey::of(row)
            })
        })
        .await
    }

    /// Puts every key of a person out of use, for one who lost theirs. What they signed before stays. Whoever calls has judged the
    /// right.
    pub async fn release_keys(&self, caller: &Caller, id: PersonId) -> Result<u64, Error> {
        let (caller, now) = (caller.clone(), self.now());
        self.unit(move |tx| {
            let caller = caller.clone();
            Box::pin(async move {
                let person = person(tx, id).await?;
                let event = Event::new("mandate_key.release", person.handle.as_str());
                audit::record(tx, &caller, event, now).await?;
                Ok(mandates::retire_keys(tx, id, "", now).await?)
            })
        })
        .await
    }
}

impl MandateKey {
    fn of(row: mandates::MandateKey) -> Result<Self, Error> {
        let public_key = row.public_key.parse().map_err(|_| Error::Damaged { what: "a key for mandates" })?;
        Ok(Self { key_id: row.key_id, public_key, registered_at: row.registered_at, retired_at: row.retired_at })
    }
}
