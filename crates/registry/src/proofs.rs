//! What the log says of a version, for those who may see the version.

use kontor_translog::ProofFile;

use crate::lookup::Found;
use crate::{Error, Registry};

impl Registry {
    /// The statements about a version that was found for a viewer, with their proofs; waits a little for what is on its way
    /// into the log.
    pub async fn proof(&self, found: &Found) -> Result<ProofFile, Error> {
        Ok(self.log().proof(&found.version.digest, found.version.id).await?)
    }
}
