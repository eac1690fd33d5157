//! Where values of granted secrets come from.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use kontor_types::{Digest, PersonId, PublisherId, SkillId};
use zeroize::Zeroizing;

/// Values of secrets by their names.
pub type Values = BTreeMap<String, Zeroizing<String>>;

/// Which secrets a run asks for, and in whose name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretsAsked {
    /// In whose name it runs.
    pub publisher: PublisherId,
    /// Who asked for the run.
    pub person: PersonId,
    /// The skill.
    pub skill: SkillId,
    /// The digest of its content.
    pub digest: Digest,
    /// The names.
    pub names: Vec<String>,
}

/// Keeps secrets for the runs of publishers.
pub trait SecretStore: Send + Sync {
    /// Those of the names that such a run may have; asked when it is accepted, so that values are not opened.
    ///
    /// # Errors
    /// Why nothing can be said.
    fn permitted<'a>(&'a self, asked: &'a SecretsAsked) -> BoxFuture<'a, Result<Vec<String>, String>>;

    /// The values, asked for when its program is about to start. A name that may not be had any longer is an error.
    ///
    /// # Errors
    /// Why a value cannot be had.
    fn open<'a>(&'a self, asked: &'a SecretsAsked) -> BoxFuture<'a, Result<Values, String>>;
}

/// A hub without secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

impl SecretStore for NoSecrets {
    fn permitted<'a>(&'a self, _: &'a SecretsAsked) -> BoxFuture<'a, Result<Vec<String>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn open<'a>(&'a self, asked: &'a SecretsAsked) -> BoxFuture<'a, Result<Values, String>> {
        Box::pin(async move {
            if asked.names.is_empty() { Ok(Values::new()) } else { Err("this hub keeps no secrets".to_owned()) }
        })
    }
}
