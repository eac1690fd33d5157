//! What is let into an agent's folders: versions whose publication the hub has signed and logged.

use std::sync::Arc;

use kontor_client::{Client, Judge};
use kontor_translog::{Outcome, ProofFile, verify};
use kontor_wire::PlanItem;

use crate::session::{HubKeys, KnownHubs, Session};
use crate::verbs::proof::trust_in;

/// A judge with the hub's keys, which are remembered at the first meeting and compared at every later one.
pub async fn of(client: &Client, session: &Session) -> anyhow::Result<Arc<Judge>> {
    let keys = HubKeys::parse(&client.log_keys().await?)?;
    let mut known = KnownHubs::read()?;
    if known.meet(client.registry(), keys.clone())?
        && let Err(error) = known.write()
    {
        session.terminal.warn(&format!("the hub's keys are not remembered: {error:#}"));
    }
    Ok(Arc::new(move |item: &PlanItem, proof: &[u8]| judge(&keys, item, proof)))
}

fn judge(keys: &HubKeys, item: &PlanItem, proof: &[u8]) -> Result<(), String> {
    let file = ProofFile::parse(proof).map_err(|error| error.to_string())?;
    let trust = trust_in(std::slice::from_ref(keys), Some(item.digest)).map_err(|error| format!("{error:#}"))?;
    if trust.log_keys.is_empty() || trust.statement_keys.is_empty() {
        return Err("the hub names no key that counts".to_owned());
    }
    let report = verify(&file, &trust);
    match report.with(Outcome::Failed).next() {
        Some(failed) => Err(format!("{}: {}", failed.name.replace('_', " "), failed.detail)),
        None => Ok(()),
    }
}
