//! Verbs that work on a hub's own data: `fsck`, `backup`, `restore`, `doctor`.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use kontor_blob::Blobs;
use kontor_crypto::{KeyFiles, Keyring};
use kontor_db::{Db, dump};
use kontor_registry::{backup, fsck};
use kontor_types::{Clock as _, SystemClock};
use serde_json::json;

use crate::amounts::{count, moment, size};
use crate::config::{self, Config, HubFlags};
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::{Style, plain};

/// Check a hub's database and blobs against each other
///
/// It may run beside a working hub. Ends with code 1 when something is wrong that was not mended.
#[derive(Debug, clap::Args)]
pub struct FsckArgs {
    #[command(flatten)]
    hub: HubFlags,
    /// Mend what can be mended
    #[arg(long)]
    mend: bool,
    /// Read every blob again and compare it with its digest, instead of only its size
    #[arg(long)]
    deep: bool,
}

/// Write a whole hub to one file
///
/// It may run beside a working hub: the file holds one moment. Keys are in it only with `--with-keys`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to write, for example `hub.kontor-backup`
    file: PathBuf,
    /// Put the hub's keys in it too, sealed with a passphrase [env: KONTOR_PASSPHRASE]
    #[arg(long)]
    with_keys: bool,
    #[command(flatten)]
    hub: HubFlags,
}

/// Fill a new hub from a backup
///
/// Into a new data folder, or an empty database and blob store. The hub must not be running.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The file that `kontor backup` wrote
    file: PathBuf,
    /// Leave out the keys that are in it; otherwise it asks for their passphrase [env: KONTOR_PASSPHRASE]
    #[arg(long)]
    without_keys: bool,
    #[command(flatten)]
    hub: HubFlags,
}

/// Opens the stores of the hub that the flags name.
pub(super) async fn open(hub: &HubFlags, session: &Session, must_exist: bool) -> anyhow::Result<(Config, Db, Blobs)> {
    let loaded = config::load(&hub.given(), hub.config_file().as_deref(), &session.secrets)?;
    for warning in &loaded.warnings {
        session.terminal.warn(warning);
    }
    let settings = config::app_settings(&loaded.config)?;
    if must_exist && loaded.config.database.is_empty() && !loaded.config.data.join("kontor.db").is_file() {
        let data = loaded.config.data.display();
        return Err(crate::exit::UsageError(format!("there is no hub in {data}; name its folder with --data")).into());
    }
    if !must_exist {
        let mut private = std::fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(&settings.data).with_context(|| format!("cannot make {}", settings.data.display()))?;
    }
    let db = Db::open(&kontor_db::Options::url(&settings.database)).await.context("cannot open the database")?;
    let blobs = Blobs::open(&settings.blobs).await.context("cannot open the blob store")?;
    Ok((loaded.config, db, blobs))
}

/// Checks.
pub async fn fsck(args: &FsckArgs, session: &Session) -> anyhow::Result<Exit> {
    let (config, db, blobs) = open(&args.hub, session, true).await?;
    let options = fsck::Options { deep: args.deep, mend: args.mend };
    let bar = session.terminal.spinner("checking");
    let report = fsck::check(&db, &blobs, options, SystemClock.now(), |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    let mut report = report.context("the check could not finish")?;
    let keys = config::app_settings(&config)?.keys();
    let ring = keys.is_dir().then(|| Keyring::open(&keys)).transpose()?;
    let sealer = ring.and_then(|ring| ring.sealer().ok());
    fsck::check_secrets(&db, sealer.as_ref(), &mut report).await.context("the secrets could not be checked")?;
    db.close().await;
    let terminal = &session.terminal;
    if terminal.json {
        let faults: Vec<_> = report
            .faults
            .iter()
            .map(|fault| {
                json!({"kind": fault.kind.as_str(), "subject": fault.subject, "detail": fault.detail, "mended": fault.mended})
            })
            .collect();
        terminal.json(&json!({
            "sound": report.is_sound(), "blobs": report.blobs, "bytes": report.bytes, "faults": faults,
        }));
    } else {
        show_faults(&report, session);
    }
    Ok(if report.is_sound() { Exit::Done } else { Exit::Failed })
}

fn show_faults(report: &fsck::Report, session: &Session) {
    let terminal = &session.terminal;
    if !report.faults.is_empty() {
        let mut table = Table::titled(&["fault", "where", "what", ""]);
        for fault in &report.faults {
            let mended = if fault.mended { "mended" } else { "" };
            let kind = fault.kind.as_str().to_owned();
            table.row([kind, fault.subject.clone(), fault.detail.clone(), mended.to_owned()]);
        }
        terminal.data(&table.render(terminal));
    }
    let left = report.faults.iter().filter(|fault| !fault.mended).count();
    let looked = format!("{}, {}", count(report.blobs, "blob"), size(report.bytes));
    if left == 0 {
        terminal.data(&format!("{} ({looked})", terminal.paint(Style::Green, "sound")));
    } else {
        terminal.data(&format!("{} ({looked})", terminal.paint(Style::Red, &count(left as u64, "fault"))));
        terminal.note("`kontor fsck --mend` mends what can be mended");
    }
}

/// Backs up.
pub async fn backup(args: &BackupArgs, session: &Session) -> anyhow::Result<Exit> {
    let (config, db, blobs) = open(&args.hub, session, true).await?;
    let keys = if args.with_keys { Some(seal_keys(&config, session)?) } else { None };
    let bar = session.terminal.spinner("backing up");
    let progress = |done| bar.set_position(done);
    let outcome = backup::back_up(&db, &blobs, &args.file, keys.as_deref(), SystemClock.now(), progress).await;
    bar.finish_and_clear();
    let manifest = outcome.context("the backup failed")?;
    db.close().await;
    tell(&manifest, &args.file, "written", session);
    let note = match &manifest.keys {
        Some(_) => "the hub's keys are in it, sealed: without the passphrase they cannot be restored",
        None => "the hub's keys are not in it: keep a copy of the folder `keys` apart, and safe, or give --with-keys",
    };
    session.terminal.note(note);
    Ok(Exit::Done)
}

fn seal_keys(config: &Config, session: &Session) -> anyhow::Result<Vec<u8>> {
    let keys = KeyFiles::read(&config::app_settings(config)?.keys())?;
    if keys.is_empty() {
        return Err(crate::exit::UsageError("the hub has no keys yet: leave out --with-keys".to_owned()).into());
    }
    Ok(keys.seal(&passphrase(session, true)?)?)
}

/// From the environment, or from a person.
fn passphrase(session: &Session, anew: bool) -> anyhow::Result<String> {
    if let Some(passphrase) = session.secrets.get("KONTOR_PASSPHRASE") {
        return Ok(passphrase.to_owned());
    }
    if !session.terminal.can_ask() {
        let message = "the keys are sealed with a passphrase: set KONTOR_PASSPHRASE, or run this in a terminal";
        return Err(crate::exit::UsageError(message.to_owned()).into());
    }
    let passphrase = rpassword::prompt_password("passphrase: ")?;
    if anew && rpassword::prompt_password("again: ")? != passphrase {
        return Err(crate::exit::UsageError("the two passphrases differ".to_owned()).into());
    }
    Ok(passphrase)
}

/// Restores.
pub async fn restore(args: &RestoreArgs, session: &Session) -> anyhow::Result<Exit> {
    let (config, db, blobs) = open(&args.hub, session, false).await?;
    let keys = keys_of(args, session)?;
    if let Some(keys) = &keys {
        let empty = dump::is_empty(&mut db.read().await.context("cannot read the database")?).await;
        if !empty.context("cannot read the database")? {
            return Err(backup::Error::NotEmpty.into());
        }
        // Before the rows: a hub that finds rows but no keys makes new ones.
        keys.write(&config::app_settings(&config)?.keys())?;
    }
    let bar = session.terminal.spinner("restoring");
    let outcome = backup::restore(&db, &blobs, &args.file, |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    let manifest = outcome.context("the restore failed")?;
    db.close().await;
    forget_index(&config)?;
    tell(&manifest, &args.file, "restored", session);
    let data = crate::session::shown(&config.data);
    let note = match keys {
        Some(_) => format!("start it: kontor up --data {data}"),
        None => format!("put the hub's folder `keys` into {data}, then start it: kontor up --data {data}"),
    };
    session.terminal.note(&note);
    Ok(Exit::Done)
}

/// The keys in a backup, unless they are to be left out.
fn keys_of(args: &RestoreArgs, session: &Session) -> anyhow::Result<Option<KeyFiles>> {
    if args.without_keys {
        return Ok(None);
    }
    let Some(sealed) = backup::sealed_keys(&args.file)? else { return Ok(None) };
    Ok(Some(KeyFiles::open(&sealed, &passphrase(session, false)?)?))
}

/// The search index is made anew from what was restored.
fn forget_index(config: &Config) -> anyhow::Result<()> {
    let index = config.data.join("index");
    match std::fs::remove_dir_all(&index) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove the old search index {}", index.display()))
        }
        _ => Ok(()),
    }
}

fn tell(manifest: &backup::Manifest, file: &std::path::Path, done: &str, session: &Session) {
    let rows: u64 = manifest.tables.values().map(|table| table.rows).sum();
    if session.terminal.json {
        session.terminal.json(&json!({
            "file": file, "made_at": manifest.created_at, "rows": rows,
            "blobs": manifest.blobs, "blob_bytes": manifest.blob_bytes,
        }));
        return;
    }
    session.terminal.data(&format!(
        "{} {done}: {}, {} of {}, as of {}",
        plain(&file.display().to_string()),
        count(rows, "row"),
        count(manifest.blobs, "blob"),
        size(manifest.blob_bytes),
        moment(manifest.created_at)
    ));
}
