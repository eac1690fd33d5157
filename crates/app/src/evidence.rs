//! The hub's own keys, and the log that they sign.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kontor_crypto::{Keyring, NoteVerifier, PrivateFolder, Purpose, Sealer};
use kontor_db::{Backend, Db, log_entries};
use kontor_translog::{Log, Notary, Options, Publisher, Sequencer, Signer};
use kontor_types::{Clock, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Error, Settings};

/// How long the log rests after a round: an import of many skills goes in together.
const REST: Duration = Duration::from_millis(100);

/// What the hub has keys for.
const PURPOSES: [Purpose; 4] = [Purpose::Log, Purpose::Attestation, Purpose::Receipt, Purpose::Sealing];

/// Refuses a database that was used with keys which are not here: a restored hub would make others, and neither its log nor its
/// sealed secrets go on with those. Asked before anything is written into the folder of keys.
pub(crate) async fn require_keys(settings: &Settings, db: &Db) -> Result<(), Error> {
    // In this order: where another node is at its first start, its keys are there before its log.
    let newest = log_entries::newest(&mut db.read().await?).await?;
    match newest {
        Some(newest) if !has_keys(settings)? => Err(Error::KeysGone { folder: settings.keys(), origin: newest.origin }),
        _ => Ok(()),
    }
}

/// Whether the folder of keys has one for the log. A folder that is not there is not made.
pub fn has_keys(settings: &Settings) -> Result<bool, Error> {
    let folder = settings.keys();
    Ok(folder.is_dir() && Keyring::open(&folder)?.history().active(Purpose::Log).is_some())
}

/// Makes those of the hub's keys that are missing.
pub fn make_keys(settings: &Settings, now: Timestamp) -> Result<(), Error> {
    Ok(Keyring::open(&settings.keys())?.ensure(&PURPOSES, now)?)
}

/// Opens the keys, which the first start makes, and the log, which the first start begins.
pub(crate) async fn open(settings: &Settings, db: &Db, clock: &Arc<dyn Clock>) -> Result<(Notary, Sealer), Error> {
    let mut keys = Keyring::open(&settings.keys())?;
    keys.ensure(&PURPOSES, clock.now())?;
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

/// Why the log takes nothing in, once that is known.
pub(crate) type Fault = Arc<OnceLock<String>>;

/// Sequences until the hub stops. A log that may not be signed takes nothing in; the hub works on, and what it says waits.
pub(crate) async fn keep(sequencer: Result<Sequencer, Error>, notary: Notary, stop: CancellationToken, fault: Fault) {
    if let Err(error) = publish_signed(&notary).await {
        tracing::error!(error = &error as &dyn std::error::Error, "what the log has signed could not be published");
    }
    let (told, stopped) = watch::channel(false);
    let outcome = match sequencer {
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
        let _ = fault.set(fault_of(&error));
        tracing::error!(
            error = &error as &dyn std::error::Error,
            log.origin = notary.hub(),
            "the transparency log takes nothing in: what the hub says waits unproven until this is mended"
        );
    }
}

/// What is wrong with the log, in one sentence: the last cause says what to do.
pub(crate) fn fault_of(error: &Error) -> String {
    std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source())
        .last()
        .map_or_else(String::new, ToString::to_string)
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
