//! The gateway to models, and how it comes to the keys of providers.

use std::sync::Arc;

use futures::future::BoxFuture;
use kontor_crypto::Zeroizing;
use kontor_db::Db;
use kontor_gateway::{Gateway, Parts, Vault};
use kontor_ledger::Ledger;
use kontor_registry::secrets::Secrets;
use kontor_types::{Clock, Handle};

use crate::{Error, Settings};

/// Keys of providers that are secrets of publishers.
struct Keys(Secrets);

impl Vault for Keys {
    fn open<'a>(
        &'a self,
        publisher: &'a Handle,
        name: &'a str,
        provider: &'a str,
    ) -> BoxFuture<'a, Result<Zeroizing<String>, String>> {
        Box::pin(async move {
            let value = self.0.for_provider(publisher, name, provider).await;
            value.map_err(|error| error.problem().detail)
        })
    }
}

/// The gateway of a hub.
pub(crate) fn gateway(
    settings: &Settings,
    (db, ledger, secrets): (&Db, &Ledger, &Secrets),
    clock: &Arc<dyn Clock>,
) -> Result<Gateway, Error> {
    Ok(Gateway::new(Parts {
        db: db.clone(),
        ledger: ledger.clone(),
        clock: clock.clone(),
        vault: Some(Arc::new(Keys(secrets.clone()))),
        settings: settings.models.clone(),
    })?)
}
