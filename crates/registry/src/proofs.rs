//! What the log says of a version, for those who may see the version.

use kontor_crypto::{Envelope, Statement};
use kontor_translog::{ProofFile, ProvenStatement};
use kontor_types::{Handle, Viewer};

use crate::lookup::Found;
use crate::observed::apart;
use crate::statements::key_digest;
use crate::{Error, Registry};

impl Registry {
    /// The statements about a version that was found for a viewer, with their proofs, and what the log says of the key that
    /// signed it; waits a little for what is on its way into the log.
    pub async fn proof(&self, found: &Found) -> Result<ProofFile, Error> {
        let notary = self.log();
        let mut file = notary.proof(&found.version.digest, found.version.id).await?;
        if let Some(signature) = found.version.signature() {
            let about = notary.about(&key_digest(&signature.public_key)).await?;
            // Another publisher may hold the same key, and that is not told here.
            file.statements.extend(about.into_iter().filter(|proven| is_of(proven, &signature.publisher)));
        }
        Ok(file)
    }

    /// The same with what is said to those only who may see all runs in a publisher's name.
    pub async fn proof_for(&self, viewer: &Viewer, found: &Found) -> Result<ProofFile, Error> {
        let mut file = self.proof(found).await?;
        let digest = &found.version.digest;
        let theirs = kontor_db::observed::apart(&mut self.read().await?, viewer, digest).await?;
        for publisher in theirs {
            file.statements.extend(self.log().about(&apart(publisher, digest)).await?);
        }
        Ok(file)
    }
}

fn is_of(proven: &ProvenStatement, publisher: &Handle) -> bool {
    let read = Envelope::parse(proven.statement.as_bytes()).and_then(|envelope| Statement::parse(&envelope.payload()?));
    read.is_ok_and(|said| said.subject.iter().any(|subject| subject.name == format!("@{publisher}")))
}
