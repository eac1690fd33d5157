//! What is let into an agent's folders: versions whose publication the hub has signed and logged, in the log as it was seen.

use std::sync::Arc;

use kontor_client::{Client, Distrust, Error, Judge};
use kontor_translog::{ProofFile, require_admitted, verify};
use kontor_types::{Outcome, SkillRef, VersionSelector};
use kontor_wire::PlanItem;

use crate::session::{HubKeys, Session};
use crate::verbs::proof::trust_in;
use crate::watch;

/// A judge with the hub's keys and its log, which are remembered at the first meeting and compared at every later one.
pub async fn of(client: &Client, session: &Session) -> anyhow::Result<Arc<Judge>> {
    let (watch, _) = watch::meet(client, session).await?;
    Ok(Arc::new(move |item: PlanItem, proof: Vec<u8>| {
        let watch = Arc::clone(&watch);
        Box::pin(async move {
            let file = judge(watch.keys(), &item, &proof).map_err(|reason| {
                let hint = "nothing was changed; ask the hub's operator, or install with --no-verify at your own risk";
                let message = format!("{}@{} is not proven: {reason}", item.reference, item.version);
                Error::distrusted(Distrust::NotProven, message, hint)
            })?;
            for statement in &file.statements {
                watch.confirm(&statement.proof.checkpoint).await?;
            }
            Ok(())
        })
    }))
}

fn judge(keys: &HubKeys, item: &PlanItem, proof: &[u8]) -> Result<ProofFile, String> {
    let file = ProofFile::parse(proof).map_err(|error| error.to_string())?;
    let mut trust = trust_in(std::slice::from_ref(keys), Some(item.digest)).map_err(|error| format!("{error:#}"))?;
    if let Some(signer) = &item.signer {
        // That this key signed is the hub's word until its signature was seen.
        trust.publisher_keys =
            vec![signer.public_key.parse().map_err(|_| "the hub names a signer's key that is none")?];
    }
    if trust.log_keys.is_empty() || trust.statement_keys.is_empty() {
        return Err("the hub names no key that counts".to_owned());
    }
    let report = verify(&file, &trust);
    if let Some(failed) = report.with(Outcome::Failed).next() {
        return Err(format!("{}: {}", failed.name.replace('_', " "), failed.detail));
    }
    // What holds may still be about another version: these bytes under this name are what is wanted.
    let name = SkillRef { version: Some(VersionSelector::Exact(item.version.clone())), ..item.reference.clone() };
    let histories: Vec<String> = keys.histories().into_iter().map(|history| history.origin).collect();
    require_admitted(&file, (&name, &item.digest), &trust.statement_keys, &histories)?;
    Ok(file)
}
