//! `kontor import`: bring the skills of a source to a hub.

mod summary;

use std::path::PathBuf;
use std::sync::OnceLock;

use indicatif::ProgressBar;
use kontor_client::{Error, Export, ImportOptions, ImportReport, ImportWatcher, Importer, Ownership, Source};
use kontor_package::Limits;
use kontor_types::{Clock as _, Handle, SkillRef, SystemClock, Timestamp, VersionSelector, Visibility};
use kontor_wire::{Assessment, ImportItem, ImportStatus, OnConflict};

use crate::amounts::since;
use crate::exit::{Exit, Hint, UsageError};
use crate::session::{Session, read_token};
use crate::terminal::{Terminal, plain};
use crate::verbs::decided;

/// Bring the skills of a source to the hub
///
/// SOURCE is a folder that holds skills at any depth, an archive (zip, whl, tar, tar.gz, tar.zst) or its address on the web, the
/// address of a git repository, `npm:NAME[@VERSION]` or `pip:NAME[==VERSION]` for a package of these registries, or
/// `clawhub:URL` for a hub that speaks ClawHub, whose skills keep their names and numbers. Importing again changes nothing;
/// when the source has changed, exactly the changed skills get their next version.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the skills are
    source: String,
    /// Who shall own them; made on demand
    #[arg(long, value_name = "NAME", required_unless_present = "publisher_by_top_folder")]
    publisher: Option<Handle>,
    /// Let each folder at the top of the source be a publisher; made on demand
    #[arg(long, conflicts_with = "publisher")]
    publisher_by_top_folder: bool,
    /// What to do when another source or path has made a skill of the same name
    #[arg(long, value_enum, default_value_t = Conflict::Refuse)]
    on_conflict: Conflict,
    /// Who may see skills that are new: public, unlisted, organisation, private
    #[arg(long)]
    visibility: Option<Visibility>,
    /// Only what changed since then: `2026-03-01`, or a moment, `2026-03-01T12:00:00Z` (clawhub: sources)
    #[arg(long, value_name = "DATE", value_parser = since)]
    since: Option<Timestamp>,
    /// Go on after this page (clawhub: sources); an import that broke off prints it
    #[arg(long)]
    cursor: Option<String>,
    /// A file that holds the token of the hub that is read (clawhub: sources) [env: CLAWHUB_TOKEN]
    #[arg(long, value_name = "FILE")]
    source_token_file: Option<PathBuf>,
    /// The name under which the hub remembers the source, when its address is not the same every time
    #[arg(long, value_name = "NAME")]
    source_name: Option<String>,
    /// Do not wait for what is found in the skills and decided
    #[arg(long)]
    no_wait: bool,
    /// End with code 6 when a skill was refused
    #[arg(long)]
    fail_on_refused: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Conflict {
    /// Refuse it
    Refuse,
    /// Give it the next free name
    Rename,
}

impl From<Conflict> for OnConflict {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Refuse => Self::Refuse,
            Conflict::Rename => Self::Rename,
        }
    }
}

/// Imports and tells what became of each skill.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let source = Source::parse(&args.source, args.since)?;
    if args.cursor.is_some() && !matches!(source, Source::Clawhub { .. }) {
        return Err(UsageError("--cursor is for clawhub: sources only".to_owned()).into());
    }
    let client = session.client()?;
    let options = ImportOptions {
        source: match &args.source_name {
            Some(name) => name.clone(),
            None => source.identity()?,
        },
        publisher: args.publisher.clone().map_or(Ownership::TopFolder, Ownership::One),
        on_conflict: args.on_conflict.into(),
        visibility: args.visibility,
        limits: Limits::default(),
    };
    let mut importer = Importer::new(&client, options);
    let watcher = Bar { terminal: session.terminal.clone(), bar: OnceLock::new() };
    let outcome = bring(&args, &source, &mut importer, &watcher, session).await;
    watcher.finish();
    let report = importer.into_report();
    if let Err(error) = outcome {
        if !report.items.is_empty() {
            session
                .terminal
                .warn(&format!("the import broke off after {} skills; import again to go on", report.items.len()));
        }
        return Err(error);
    }
    let (decided, silent) = match decided(&client, &report, args.no_wait, session).await {
        Ok(decided) => (decided, None),
        // What was taken in is there, whatever becomes of it.
        Err(error) => (Decided::default(), Some(error)),
    };
    summary::show(&report, &decided, silent.is_some(), args.publisher.as_ref(), session);
    if let Some(error) = silent {
        return Err(error);
    }
    Ok(if args.fail_on_refused && report.refused > 0 { Exit::Refused } else { Exit::Done })
}

/// What the hub says of what was imported.
#[derive(Debug, Default)]
struct Decided {
    /// Of what is new; nothing where nobody waited for it.
    new: Option<Vec<Assessment>>,
    /// Of what was there already.
    unchanged: Vec<Assessment>,
}

/// What was decided about everything that is new, and how what was there before stands.
async fn decided(
    client: &kontor_client::Client,
    report: &ImportReport,
    no_wait: bool,
    session: &Session,
) -> anyhow::Result<Decided> {
    let names = |statuses: &[ImportStatus]| -> Vec<SkillRef> {
        let items = report.items.iter().filter(|item| statuses.contains(&item.status));
        items.filter_map(named).collect()
    };
    let unchanged = decided::ask(client, &names(&[ImportStatus::Unchanged])).await?;
    if no_wait {
        return Ok(Decided { new: None, unchanged });
    }
    let names = names(&[ImportStatus::Imported, ImportStatus::Updated]);
    if names.is_empty() {
        return Ok(Decided { new: Some(Vec::new()), unchanged });
    }
    let bar = session.terminal.bar(names.len() as u64, "deciding");
    let new = decided::wait(client, names, &bar).await;
    bar.finish_and_clear();
    Ok(Decided { new: Some(new?), unchanged })
}

/// The version that an item became.
fn named(item: &ImportItem) -> Option<SkillRef> {
    let version = Some(VersionSelector::Exact(item.version.clone()?));
    Some(SkillRef { version, ..item.reference.clone()? })
}

async fn bring(
    args: &Args,
    source: &Source,
    importer: &mut Importer<'_>,
    watcher: &Bar,
    session: &Session,
) -> anyhow::Result<()> {
    let note = |notes: &[String]| {
        for line in notes.iter().take(20) {
            session.terminal.note(&format!("left out: {}", plain(line)));
        }
    };
    let Source::Clawhub { url, since } = source else {
        let waiting = session.terminal.spinner(&format!("fetching {}", plain(&source.to_string())));
        let tree = source.fetch().await;
        waiting.finish_and_clear();
        let tree = tree?;
        note(&tree.notes);
        importer.tree(&tree, watcher).await?;
        return Ok(());
    };
    let token = match &args.source_token_file {
        Some(file) => Some(read_token(file)?),
        None => std::env::var("CLAWHUB_TOKEN").ok().filter(|token| !token.is_empty()),
    };
    let mut export = Export::new(url, token, *since, args.cursor.clone(), SystemClock.now())?;
    loop {
        let cursor = export.cursor().map(str::to_owned);
        let page = page(&mut export, importer, watcher).await;
        match page {
            Ok(Some(notes)) => note(&notes),
            Ok(None) => return Ok(()),
            Err(error) => {
                if let Some(cursor) = cursor {
                    session.terminal.tell(&format!("to go on from here: --cursor {}", plain(&cursor)));
                }
                return Err(error);
            }
        }
    }
}

/// Imports one page; its notes, or nothing when there is none left.
async fn page(export: &mut Export, importer: &mut Importer<'_>, watcher: &Bar) -> anyhow::Result<Option<Vec<String>>> {
    let Some(tree) = export.next_page().await.map_err(of_source)? else { return Ok(None) };
    importer.tree(&tree, watcher).await?;
    Ok(Some(tree.notes))
}

/// A failure of the hub that is read, which is another than the one that is written to.
fn of_source(error: Error) -> anyhow::Error {
    match error {
        Error::Connect { .. } => anyhow::Error::from(error)
            .context(Hint("check the address behind clawhub:, and try again later".to_owned())),
        other => other.into(),
    }
}

/// A bar that appears when there is something to count.
struct Bar {
    terminal: Terminal,
    bar: OnceLock<ProgressBar>,
}

impl Bar {
    fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

impl ImportWatcher for Bar {
    fn found(&self, skills: usize) {
        if skills > 0 {
            self.bar.get_or_init(|| self.terminal.bar(0, "importing")).inc_length(skills as u64);
        }
    }

    fn done(&self, _: &ImportItem) {
        if let Some(bar) = self.bar.get() {
            bar.inc(1);
        }
    }
}
