//! The hub's own keys, and the log that they sign.

use std::sync::Arc;
use std::time::Duration;

use kontor_crypto::{Keyring, NoteVerifier, PrivateFolder, Purpose, Sealer};
use kontor_db::{Backend, Db};
use kontor_translog::{Log, Notary, Options, Publisher, Sequencer, Signer};
use kontor_types::Clock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Error, Settings};

/// How long the log rests after a round: an import of many skills goes in together.
const REST: Duration = Duration::from_millis(100);

/// Opens the keys, which the first start makes, and the log, which the first start begins.
pub(crate) async fn open(settings: &Settings, db: &Db, clock: &Arc<dyn Clock>) -> Result<(Notary, Sealer), Error> {
    let mut keys = Keyring::open(&settings.keys())?;
    keys.ensure(&[Purpose::Log, Purpose::Attestation, Purpose::Receipt, Purpose::Sealing], clock.now())?;
    let mut options = Options::new(settings.log_folder(), holder(db));
    options.rest = REST;
    let log = Log::new(db.clone(), clock.clone(), options);
    let id = keys.signing_key(Purpose::Log)?.id().to_string();
    let name = settings.log_name.clone();
    let name = name.unwrap_or_else(|| format!("kontor-{}/log", id.get(..12).unwrap_or(&id)));
    let history = log.open(&name).await?;
    let sealer = keys.sealer()?;
    let key = keys.signing_key(Purpose::Attestation)?;
    Ok((Notary::new(log, key, keys.history().clone(), history.origin), sealer))
}

/// Who gives the entries their places, unless this process may not sign.
pub(crate) async fn sequencer(settings: &Settings, notary: &Notary) -> Result<Sequencer, Error> {
    let keys = Keyring::open(&settings.keys())?;
    let signer = Signer::new(PrivateFolder::open(&settings.keys())?, notary.hub(), keys.signing_key(Purpose::Log)?)?;
    let histories = notary.log().histories().await?;
    let current = signer.verifier().clone();
    let earlier: Vec<NoteVerifier> =
        notary.log_keys(&histories).into_iter().filter(|key| *key != current && key.name() == current.name()).collect();
    Ok(Sequencer::new(notary.log().clone(), signer, earlier).await?)
}

/// Sequences until the hub stops. A log that may not be signed takes nothing in; the hub works on, and what it says waits.
pub(crate) async fn keep(settings: Settings, notary: Notary, stop: CancellationToken) {
    if let Err(error) = publish_signed(&notary).await {
        tracing::error!(error = &error as &dyn std::error::Error, "what the log has signed could not be published");
    }
    let (told, stopped) = watch::channel(false);
    let outcome = match sequencer(&settings, &notary).await {
        Ok(sequencer) => {
            let mut running = std::pin::pin!(sequencer.run(stopped));
            tokio::select! {
                outcome = &mut running => outcome.map_err(Error::from),
                () = stop.cancelled() => {
                    let _ = told.send(true);
                    running.await.map_err(Error::from)
                }
            }
        }
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            log.origin = notary.hub(),
            "the transparency log takes nothing in: what the hub says waits unproven until this is mended"
        );
    }
}

/// Publishes what was signed in every history, also where nothing more may be signed: the files may be gone, after a restore.
async fn publish_signed(notary: &Notary) -> Result<(), Error> {
    let log = notary.log();
    let histories = log.histories().await?;
    for history in &histories {
        let publisher = Publisher::new(log.tiles(history.number), notary.log_keys(std::slice::from_ref(history)));
        log.follow(history.number, publisher).await?;
    }
    Ok(())
}

/// What this process calls itself before the log. One hub serves an SQLite database, so it takes its own lease back at once
/// after a crash; on Postgres others wait for the lease's end.
fn holder(db: &Db) -> String {
    match db.backend() {
        Backend::Sqlite => "hub".to_owned(),
        Backend::Postgres => format!("process-{}-{:08x}", std::process::id(), rand::random::<u32>()),
    }
}
