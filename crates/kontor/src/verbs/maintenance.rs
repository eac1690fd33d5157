//! Verbs that work on a hub's own data: `fsck`, `backup`, `restore`, `doctor`.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use kontor_blob::Blobs;
use kontor_db::Db;
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
/// It may run beside a working hub: the file holds one moment. Keys are never in it.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to write, for example `hub.kontor-backup`
    file: PathBuf,
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
    #[command(flatten)]
    hub: HubFlags,
}

/// Opens the stores of the hub that the flags name.
async fn open(hub: &HubFlags, session: &Session, must_exist: bool) -> anyhow::Result<(Config, Db, Blobs)> {
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
    let (_, db, blobs) = open(&args.hub, session, true).await?;
    let options = fsck::Options { deep: args.deep, mend: args.mend };
    let bar = session.terminal.spinner("checking");
    let report = fsck::check(&db, &blobs, options, SystemClock.now(), |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    let report = report.context("the check could not finish")?;
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
    let (_, db, blobs) = open(&args.hub, session, true).await?;
    let bar = session.terminal.spinner("backing up");
    let outcome = backup::back_up(&db, &blobs, &args.file, SystemClock.now(), |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    let manifest = outcome.context("the backup failed")?;
    db.close().await;
    tell(&manifest, &args.file, "written", session);
    session.terminal.note("the hub's keys are not in it: keep a copy of the folder `keys` apart, and safe");
    Ok(Exit::Done)
}

/// Restores.
pub async fn restore(args: &RestoreArgs, session: &Session) -> anyhow::Result<Exit> {
    let (config, db, blobs) = open(&args.hub, session, false).await?;
    let bar = session.terminal.spinner("restoring");
    let outcome = backup::restore(&db, &blobs, &args.file, |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    let manifest = outcome.context("the restore failed")?;
    db.close().await;
    forget_index(&config)?;
    tell(&manifest, &args.file, "restored", session);
    let data = crate::session::shown(&config.data);
    session.terminal.note(&format!("put the hub's folder `keys` into {data}, then start it: kontor up --data {data}"));
    Ok(Exit::Done)
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
