//! Runs of a version in its evidence: their receipts with the proofs that they are in the log, and in short what they say.

use kontor_access::Caller;
use kontor_crypto::Statement;
use kontor_db::runs;
use kontor_translog::{Error as LogError, ProofFile};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lookup::Found;
use crate::{Error, Registry};

/// Most receipts in one file, and most bytes of them all.
const MOST: (u32, usize) = (200, 16 << 20);
/// What a receipt says.
const RECEIPT: &str = "urn:kontor:statement:run:v1";

/// A run in short, as its receipt says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// Which run.
    pub run: Value,
    /// When it began.
    pub started_at: Value,
    /// Who ran it.
    pub runner: Value,
    /// What of the version was run.
    pub entry: Value,
    /// Who let it run, under which policy, and why.
    pub decision: Value,
    /// The operator's overlay that was in force.
    pub overlay: Value,
    /// What was granted, and what of it was used.
    pub permissions: Value,
    /// How it ended.
    pub exit: Value,
}

/// What these receipts say, in their order.
pub(super) fn facts(said: &[Option<Statement>]) -> Vec<RunFacts> {
    let receipts = said.iter().flatten().filter(|statement| statement.predicate_type == RECEIPT);
    let short = |receipt: &Statement| {
        let part = |key: &str| receipt.predicate.get(key).cloned().unwrap_or_default();
        RunFacts {
            run: part("run"),
            started_at: part("started_at"),
            runner: part("runner"),
            entry: part("entry"),
            decision: part("decision"),
            overlay: part("overlay"),
            permissions: part("permissions"),
            exit: part("exit"),
        }
    };
    receipts.map(short).collect()
}

impl Registry {
    /// The receipts of the version's newest runs that the caller may see, with their proofs; nothing when there are none.
    /// What is left out is said.
    pub(super) async fn receipts(
        &self,
        caller: &Caller,
        found: &Found,
        withheld: &mut Vec<String>,
    ) -> Result<Option<ProofFile>, Error> {
        let bound = caller.publishers.as_deref();
        let mut conn = self.read().await?;
        let mut kept = runs::receipts(&mut conn, caller.viewer(), bound, found.version.id, MOST.0 + 1).await?;
        drop(conn);
        let mut bytes = 0_usize;
        let fit = kept.iter().take_while(|receipt| {
            bytes = bytes.saturating_add(receipt.len());
            bytes <= MOST.1
        });
        let most = fit.count().min(MOST.0 as usize);
        if kept.len() > most {
            withheld.push(format!("receipts of runs before the newest {most}: ask for them one by one"));
            kept.truncate(most);
        }
        let (mut statements, mut waiting) = (Vec::new(), 0_usize);
        let mut whole: Option<ProofFile> = None;
        for receipt in &kept {
            match self.log().receipt_proof(receipt).await {
                Ok(proof) => {
                    statements.extend(proof.statements.iter().cloned());
                    whole.get_or_insert(proof);
                }
                Err(LogError::Waiting | LogError::Silent) => waiting += 1,
                Err(error) => return Err(error.into()),
            }
            if waiting > 1 {
                break;
            }
        }
        if waiting > 0 {
            withheld.push("receipts that are not in the log yet: make the file again in a moment".to_owned());
        }
        if let Some(whole) = &mut whole {
            whole.statements = statements;
        }
        Ok(whole)
    }
}
