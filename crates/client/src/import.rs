//! Importing a source: discover, read, pack and send, with bounded memory, in discovery order.

mod publishers;
mod reading;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt as _;
use kontor_package::{Discovered, DiscoveryLimits, Limits, discover};
use kontor_types::{Code, Handle, Problem, Slug, Visibility};
use kontor_wire::{ImportItem, ImportQuery, ImportStatus, OnConflict};
use serde::Serialize;
use tokio::sync::{Semaphore, watch};

use crate::api::Client;
use crate::error::{Error, ErrorKind};
use crate::source::{Place, Tree};

use publishers::Publishers;
use reading::Prepared;

/// How the message of a skill begins that got another name.
const RENAMED: &str = "renamed:";
/// Requests under way at once.
const IN_FLIGHT: usize = 8;
/// Skills being read at once.
const READING: usize = 8;
/// Bytes of skills in memory at once, in KiB, before they are packed.
const BUDGET_KIB: u32 = 48 << 10;

/// How a source is imported.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The name under which the hub remembers the source.
    pub source: String,
    /// Who shall own the skills.
    pub publisher: Ownership,
    /// What to do when another path has made a skill of the same name.
    pub on_conflict: OnConflict,
    /// Who may see skills that are new.
    pub visibility: Option<Visibility>,
    /// How much one skill may hold.
    pub limits: Limits,
}

/// Who shall own imported skills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// One publisher owns all.
    One(Handle),
    /// Each folder at the top of the source is a publisher.
    TopFolder,
}

/// What became of every skill of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// New skills.
    pub imported: u64,
    /// New versions of skills.
    pub updated: u64,
    /// Skills that were there already.
    pub unchanged: u64,
    /// Skills that were not taken.
    pub refused: u64,
    /// New skills that got another name, since theirs was taken.
    pub renamed: u64,
    /// One for each skill, in the order of their paths.
    pub items: Vec<ImportItem>,
    /// Links and unreadable folders that were passed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
}

impl ImportReport {
    fn count(&mut self, item: ImportItem) {
        let has_other_name = item.message.as_ref().is_some_and(|message| message.starts_with(RENAMED));
        self.renamed += u64::from(item.status == ImportStatus::Imported && has_other_name);
        match item.status {
            ImportStatus::Imported => self.imported += 1,
            ImportStatus::Updated => self.updated += 1,
            ImportStatus::Unchanged => self.unchanged += 1,
            ImportStatus::Refused => self.refused += 1,
        }
        self.items.push(item);
    }
}

/// Is told how an import goes on.
pub trait ImportWatcher: Send + Sync {
    /// More skills were found.
    fn found(&self, skills: usize);
    /// One more skill is done.
    fn done(&self, item: &ImportItem);
}

/// Imports trees of one source, one after the other.
#[derive(Debug)]
pub struct Importer<'a> {
    client: &'a Client,
    options: ImportOptions,
    publishers: Publishers,
    report: ImportReport,
}

/// One skill on its way.
struct Job {
    path: String,
    publisher: Handle,
    name: Slug,
    query: ImportQuery,
    prepared: Prepared,
    /// Ends when the skill before it, of the same publisher and name, is done.
    before: Option<watch::Receiver<()>>,
    /// Lets the next one of this name begin.
    after: watch::Sender<()>,
}

impl<'a> Importer<'a> {
    /// Begins an import.
    pub fn new(client: &'a Client, options: ImportOptions) -> Self {
        Self { client, options, publishers: Publishers::default(), report: ImportReport::default() }
    }

    /// What was done so far.
    pub fn into_report(self) -> ImportReport {
        self.report
    }

    /// Imports every skill of a tree.
    ///
    /// # Errors
    /// Only when the import cannot go on: no hub, no permission, an unreadable tree. What is wrong with one skill is in
    /// the report. What was done until then stays done; importing again goes on.
    pub async fn tree(&mut self, tree: &Tree, watcher: &dyn ImportWatcher) -> Result<(), Error> {
        let place = tree.place.clone();
        let discovery = tokio::task::spawn_blocking(move || match place {
            Place::Folder(root) => discover(&root, &DiscoveryLimits::default()),
            Place::Memory(held, _) => Ok(held.discover()),
        });
        let discovery = discovery
            .await
            .map_err(|error| Error::Usage(error.to_string()))?
            .map_err(|source| Error::Package { what: tree.place.to_string(), source })?;
        let skills: Vec<Discovered> = discovery.skills.into_iter().filter(|skill| tree.has(&skill.path)).collect();
        let found: BTreeSet<&str> = skills.iter().map(|skill| skill.path.as_str()).collect();
        let missing = tree.listed.iter().flat_map(BTreeMap::keys).filter(|path| !found.contains(path.as_str()));
        let refused: Vec<ImportItem> =
            tree.refused.iter().cloned().chain(missing.map(|path| without_text(path))).collect();
        watcher.found(skills.len() + refused.len());
        for item in refused {
            watcher.done(&item);
            self.report.count(item);
        }
        self.report.passed_over.extend(discovery.passed_over);
        self.publishers.prepare(self.client, &self.options.publisher, &skills).await?;
        let items = self.send_all(tree, skills, watcher).await?;
        for item in items {
            self.report.count(item);
        }
        Ok(())
    }

    async fn send_all(
        &self,
        tree: &Tree,
        skills: Vec<Discovered>,
        watcher: &dyn ImportWatcher,
    ) -> Result<Vec<ImportItem>, Error> {
        let budget = Arc::new(Semaphore::new(BUDGET_KIB as usize));
        let mut chains: HashMap<(Handle, Slug), watch::Receiver<()>> = HashMap::new();
        let total = skills.len();
        let prepared =
            futures::stream::iter(by_preference(skills))
                .map(|(place, skill)| {
                    let (from, limits, budget) = (tree.place.clone(), self.options.limits, Arc::clone(&budget));
                    let folder = skill.folder_name().map(str::to_owned).or_else(|| tree.root_name.clone());
                    async move {
                        (place, skill.path.clone(), reading::prepare(from, skill.path, folder, limits, budget).await)
                    }
                })
                .buffered(READING);
        let jobs = prepared.map(|(place, path, prepared)| (place, self.job(tree, path, prepared, &mut chains)));
        let mut sending = std::pin::pin!(
            jobs.map(|(place, job)| async move {
                match job {
                    Ok(job) => (place, self.send(job).await),
                    Err(item) => (place, Ok(*item)),
                }
            })
            .buffer_unordered(IN_FLIGHT)
        );
        let mut items: Vec<Option<ImportItem>> = vec![None; total];
        while let Some((place, outcome)) = sending.next().await {
            let item = outcome?;
            watcher.done(&item);
            if let Some(slot) = items.get_mut(place) {
                *slot = Some(item);
            }
        }
        Ok(items.into_iter().flatten().collect())
    }

    /// Joins the skill to those of the same name, so that which one wins never depends on chance.
    fn job(
        &self,
        tree: &Tree,
        path: String,
        prepared: Result<Prepared, Box<ImportItem>>,
        chains: &mut HashMap<(Handle, Slug), watch::Receiver<()>>,
    ) -> Result<Job, Box<ImportItem>> {
        let prepared = prepared?;
        let publisher = self.publishers.of(&self.options.publisher, &path)?;
        let told = tree.told_of(&path);
        let (after, receiver) = watch::channel(());
        let name = told.slug.clone().unwrap_or_else(|| prepared.slug.clone());
        let before = chains.insert((publisher.clone(), name.clone()), receiver);
        let origin = told.origin;
        let query = ImportQuery {
            source: self.options.source.clone(),
            path: path.clone(),
            folder: prepared.folder.clone(),
            slug: told.slug,
            version: told.version,
            on_conflict: self.options.on_conflict,
            visibility: self.options.visibility,
            origin_kind: origin.kind,
            origin_url: origin.url,
            origin_commit: origin.commit,
            origin_version: origin.version,
            origin_author: origin.author,
            origin_before: origin.before,
        };
        Ok(Job { path, publisher, name, query, prepared, before, after })
    }

    async fn send(&self, job: Job) -> Result<ImportItem, Error> {
        if let Some(mut before) = job.before {
            // An error says that the one before is gone, which is what is waited for.
            let _ = before.changed().await;
        }
        let outcome = self.client.import(&job.publisher, &job.query, job.prepared.archive).await;
        drop(job.prepared.memory);
        drop(job.after);
        match outcome {
            Ok(mut item) => {
                item.path = job.path;
                let name = item.reference.as_ref().map(|reference| &reference.slug);
                if item.status == ImportStatus::Imported && name.is_some_and(|name| *name != job.name) {
                    item.message = Some(format!("{RENAMED} `{}` is another skill's name", job.name));
                }
                Ok(item)
            }
            Err(error) if ends_everything(&error) || self.is_shut_out(&error) => Err(error),
            Err(error) => Ok(refusal(job.path, &error)),
        }
    }

    /// Whether no skill of this import can get in: all go to one publisher, and the caller may not publish there.
    fn is_shut_out(&self, error: &Error) -> bool {
        matches!(self.options.publisher, Ownership::One(_)) && error.code() == Some(Code::Forbidden)
    }
}

/// The order of sending, each with its place in the report: of several skills with one name the first keeps it, and that
/// should be the one people mean. `skills/pdf` goes before `docs/ja/skills/pdf`, and hidden copies go last.
fn by_preference(skills: Vec<Discovered>) -> Vec<(usize, Discovered)> {
    let mut ordered: Vec<(usize, Discovered)> = skills.into_iter().enumerate().collect();
    ordered.sort_by_key(|(place, skill)| {
        let hidden = skill.path.split('/').any(|part| part.starts_with('.'));
        (hidden, skill.path.split('/').count(), *place)
    });
    ordered
}

fn ends_everything(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Usage) || error.code() == Some(Code::Unauthenticated)
}

/// A skill that the source names, whose folder has no text of a skill.
fn without_text(path: &str) -> ImportItem {
    let problem = Problem::new(Code::PackageRefused, "there is no SKILL.md in what the source gives for it");
    refusal(path.to_owned(), &Error::from_problem(problem.hint("tell the operator of the source")))
}

/// A refused skill, from what went wrong with it.
fn refusal(path: String, error: &Error) -> ImportItem {
    let finding = match error {
        Error::Problem(problem) => problem.findings.first(),
        _ => None,
    };
    let code = finding.map(|finding| finding.code.clone()).or_else(|| error.code().map(|code| code.to_string()));
    ImportItem {
        path,
        status: ImportStatus::Refused,
        reference: None,
        version: None,
        digest: None,
        code: Some(code.unwrap_or_else(|| "failed".to_owned())),
        message: Some(finding.map_or_else(|| error.to_string(), |finding| finding.message.clone())),
        hint: finding.map(|finding| finding.remedy.clone()).or_else(|| error.hint()),
        file: finding.map(|finding| finding.file.clone()).filter(|file| !file.is_empty()),
        line: finding.map(|finding| finding.line).filter(|line| *line > 0),
    }
}

#[cfg(test)]
mod tests {
    use kontor_package::Discovered;

    use super::by_preference;

    #[test]
    fn the_plainest_path_keeps_a_name() {
        let paths = [".agents/skills/pdf", "docs/ja/skills/pdf", "pdf", "skills/pdf"];
        let skills = paths.map(|path| Discovered { path: path.to_owned(), file: "SKILL.md".to_owned() });
        let order: Vec<usize> = by_preference(skills.into()).into_iter().map(|(place, _)| place).collect();
        assert_eq!(order, [2, 3, 1, 0]);
    }
}
