//! The user's key for mandates: it lies with their keys as a publisher, is made at its first use and registered on the hub.

use anyhow::Context as _;
use kontor_client::Client;
use kontor_commerce::Terms;
use kontor_crypto::{KeyRecord, Purpose, SigningKey, VerifyingKey};
use kontor_types::{Clock as _, Handle, SystemClock};
use kontor_wire::{Checkout, NewPublisherKey};

use super::{Session, publisher_keys};

/// The key that signs the caller's mandates and their name; made and registered when there is none.
pub async fn signing_key(session: &Session, client: &Client) -> anyhow::Result<(Handle, SigningKey)> {
    let handle = client.whoami().await?.handle;
    let mut ring = publisher_keys::open(&session.registry()?, &handle)?;
    ring.ensure(&[Purpose::Mandate], SystemClock.now())?;
    let record = ring.history().active(Purpose::Mandate).context("there is no key for mandates")?.clone();
    let key = ring.signing_key(Purpose::Mandate)?;
    let known = client.mandate_keys().await?.items;
    if !known.iter().any(|known| known.key_id == record.id.to_string() && known.retired_at.is_none()) {
        register(client, &handle, &key, &record).await?;
    }
    Ok((handle, key))
}

async fn register(client: &Client, handle: &Handle, key: &SigningKey, record: &KeyRecord) -> anyhow::Result<()> {
    let new = NewPublisherKey {
        public_key: key.verifying_key().to_string(),
        created_at: record.created_at,
        claim: key.claim(handle, record.created_at),
        endorsed_by: record.endorsement.as_ref().map(|word| word.by.to_string()),
        endorsement: record.endorsement.as_ref().map(|word| word.signature.clone()),
    };
    client.register_mandate_key(&new).await?;
    Ok(())
}

/// The public halves of every key for mandates that was ever made here.
pub fn own() -> anyhow::Result<Vec<VerifyingKey>> {
    publisher_keys::own_for(Purpose::Mandate)
}

/// Confirms a checkout as the hub shows it, and nothing else: the signed mandate as JSON text. Whoever calls has shown it and asked.
pub async fn confirm(session: &Session, client: &Client, checkout: &Checkout) -> anyhow::Result<String> {
    let (handle, key) = signing_key(session, client).await?;
    let hub = client.mandates().await?.hub;
    let quoted = checkout.total.zip(checkout.quote_digest).zip(checkout.quote.as_ref());
    let ((total, digest), quote) = quoted.context("the checkout has no quote that could be confirmed")?;
    let promise = (total, digest, quote.expires_at);
    let terms = Terms::confirming(&hub, handle, &checkout.merchant, promise, SystemClock.now());
    signed(&terms, &key)
}

/// Signs terms: the envelope as JSON text.
pub fn signed(terms: &Terms, key: &SigningKey) -> anyhow::Result<String> {
    Ok(String::from_utf8(terms.sign(key)?.to_json())?)
}
