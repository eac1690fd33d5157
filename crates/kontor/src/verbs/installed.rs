//! `kontor installed`: the copies on this machine, whole or not, and what their hubs say of them now.

mod aside;
mod ask;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use kontor_client::{FileChanges, Lock, LockedSkill, Presence, Site, Stray, UserFolders, strays, survey};
use kontor_types::Digest;
use kontor_wire::CopyItem;
use serde::Serialize;

use crate::exit::Exit;
use crate::session::{Session, settings_folder};
use crate::terminal::plain;
use crate::verbs::install::Place;

/// Look after the copies that are installed
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List every copy on this machine, with its hub and its state on the disk
    ///
    /// In this project and in your own folders; also skills in agents' folders that no lock file names. No hub is asked.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Check every copy: whole on the disk, still served, and what its hub says of it now
    ///
    /// Looks in this project and in your own folders unless told. Each hub is asked once for all its copies, and its log is
    /// compared with what it showed before. Skills that no lock file names are recognised by their bytes. Ends with code 7 when
    /// something needs attention, with 3 when all that could be checked is fine but a hub did not answer, with 0 when all is
    /// well. A newer version is no problem.
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    #[command(flatten)]
    place: Place,
    /// Ask no hub, and look only at the disk
    #[arg(long)]
    offline: bool,
    /// Move what its hub has blocked out of the agents' folders; nothing is deleted, your changes stay in it
    #[arg(long, conflicts_with = "offline")]
    quarantine: bool,
}

/// A place with what is installed there.
struct Looked {
    name: &'static str,
    site: Site,
    copies: Vec<Copy>,
    strays: Vec<StrayCopy>,
}

/// A copy that a lock file names.
#[derive(Debug)]
struct Copy {
    locked: LockedSkill,
    folders: Vec<Folder>,
    told: Option<CopyItem>,
}

/// One folder of a copy.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    presence: Presence,
    changes: Option<FileChanges>,
    moved_to: Option<PathBuf>,
}

/// A skill that no lock file names.
#[derive(Debug)]
struct StrayCopy {
    stray: Stray,
    registry: Option<String>,
    told: Option<CopyItem>,
    moved_to: Option<PathBuf>,
}

/// How asking one hub went.
#[derive(Debug, Serialize)]
struct Asked {
    registry: String,
    checked: bool,
    /// Why it could not be asked, or why it is not believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How many entries its log has.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_entries: Option<u64>,
    #[serde(skip)]
    distrusted: bool,
}

/// Lists or checks.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    match args.verb {
        Verb::List { place } => {
            let places = look(&place, session)?;
            report::list(&places, session);
            Ok(Exit::Done)
        }
        Verb::Check(args) => check(args, session).await,
    }
}

async fn check(args: CheckArgs, session: &Session) -> anyhow::Result<Exit> {
    let mut places = look(&args.place, session)?;
    let hubs = if args.offline { ask::nobody(&places) } else { ask::everybody(&mut places, session).await? };
    if args.quarantine {
        for place in &mut places {
            aside::move_blocked(place, session);
        }
    }
    Ok(report::checked(&places, &hubs, session))
}

/// Looks at the disk.
fn look(place: &Place, session: &Session) -> anyhow::Result<Vec<Looked>> {
    let mut sites = Vec::new();
    if !place.is_global() {
        sites.push(("project", place.site()?));
    }
    if !place.is_project()
        && let (Some(folders), Ok(settings)) = (UserFolders::own(), settings_folder())
    {
        sites.push(("user", Site::user(folders, settings.join("kontor.lock"))));
    }
    let mut seen = BTreeSet::new();
    let mut places = Vec::with_capacity(sites.len());
    for (name, site) in sites {
        let bar = session.terminal.spinner("looking at what is installed");
        let copies: Vec<Copy> = survey(&site)?.into_iter().map(|found| copy(found.locked, found.folders)).collect();
        for folder in copies.iter().flat_map(|copy| &copy.folders) {
            seen.extend(std::fs::canonicalize(&folder.path));
        }
        let mut others = Vec::new();
        for stray in strays(&site, &Lock::read(&site.lock)?)? {
            // A project may be the home folder: what was seen there is not told twice.
            if std::fs::canonicalize(&stray.folder).is_ok_and(|real| seen.insert(real)) {
                others.push(StrayCopy { stray, registry: None, told: None, moved_to: None });
            }
        }
        bar.finish_and_clear();
        places.push(Looked { name, site, copies, strays: others });
    }
    let named: BTreeSet<PathBuf> = places.iter().flat_map(Looked::real_folders).collect();
    for place in &mut places {
        place
            .strays
            .retain(|stray| std::fs::canonicalize(&stray.stray.folder).is_ok_and(|real| !named.contains(&real)));
    }
    Ok(places)
}

fn copy(locked: LockedSkill, folders: BTreeMap<PathBuf, Presence>) -> Copy {
    let folders = folders.into_iter();
    let folders = folders.map(|(path, presence)| Folder { path, presence, changes: None, moved_to: None }).collect();
    Copy { locked, folders, told: None }
}

impl Looked {
    fn real_folders(&self) -> impl Iterator<Item = PathBuf> + '_ {
        let folders = self.copies.iter().flat_map(|copy| &copy.folders);
        folders.filter_map(|folder| std::fs::canonicalize(&folder.path).ok())
    }

    fn show(&self, path: &Path) -> String {
        let text = self.site.show(path);
        if Path::new(&text).is_absolute() { crate::session::shown(path) } else { plain(&text) }
    }
}

impl Folder {
    /// How it compares with the lock file, in a word.
    fn state(&self, digest: Digest) -> &'static str {
        match self.presence {
            _ if self.moved_to.is_some() => "moved",
            Presence::Exact(found) if found == digest => "whole",
            Presence::Missing => "missing",
            Presence::Exact(_) => "changed",
            Presence::Unreadable => "unreadable",
        }
    }
}
