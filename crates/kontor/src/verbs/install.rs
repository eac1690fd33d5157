//! `kontor install`, `update`, `remove`, `list` and `outdated`.

pub mod judge;

use std::path::{Path, PathBuf};

use kontor_client::{
    AGENTS, Agent, Change, ChangeStatus, Client, Installer, LocalChanges, Lock, Presence, Site, Surveyed, UserFolders,
    survey,
};
use kontor_types::SkillRef;
use kontor_wire::OutdatedItem;
use serde_json::json;

use crate::exit::{Exit, UsageError};
use crate::near;
use crate::session::{Session, settings_folder, shown};
use crate::table::Table;
use crate::terminal::{Style, plain};

/// Where to install.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// In this project: the working folder, with `kontor.lock` in it; so unless told otherwise
    #[arg(long, conflicts_with = "global")]
    project: bool,
    /// In your own folders, for all projects
    #[arg(long)]
    global: bool,
    /// The project's folder
    #[arg(long, value_name = "DIR", conflicts_with = "global")]
    dir: Option<PathBuf>,
}

impl Place {
    /// The user's own folders.
    const GLOBAL: Self = Self { project: false, global: true, dir: None };

    /// Whether only the project was asked for.
    pub const fn is_project(&self) -> bool {
        self.project || self.dir.is_some()
    }

    /// Whether only the user's own folders were asked for.
    pub const fn is_global(&self) -> bool {
        self.global
    }

    /// The place; the project's unless told otherwise.
    pub fn site(&self) -> anyhow::Result<Site> {
        if self.global {
            let folders = UserFolders::own().ok_or_else(|| UsageError("there is no home folder".to_owned()))?;
            return Ok(Site::user(folders, settings_folder()?.join("kontor.lock")));
        }
        Ok(Site::project(&self.dir.clone().unwrap_or_else(|| PathBuf::from(".")))?)
    }
}

/// Install skills for agents
///
/// With everything they need, where the agents look for skills: `--agent claude-code`, several at once, or the folder
/// `.agents/skills`, which many read, when none is named. What is installed is written to `kontor.lock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which skills: `@publisher/skill`, `@publisher/skill@^1.2`; what the lock file has when none is named
    #[arg(value_name = "REF")]
    references: Vec<SkillRef>,
    /// For which agents; `--agent list` shows them
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    agent: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Install exactly what the lock file says, and fail on any difference, also when the hub has blocked something since
    #[arg(long)]
    frozen: bool,
    /// Replace folders that were changed by hand
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    trust: Trust,
}

/// What is believed.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Trust {
    /// Leave out what the hub's transparency log says; the digest is compared all the same
    #[arg(long)]
    no_verify: bool,
    /// Take versions that are unsigned, or signed with another key than the one in the lock file
    #[arg(long)]
    accept_signer: bool,
}

/// Bring installed skills up to date
///
/// Each stays in the range it was asked for with.
#[derive(Debug, clap::Args)]
pub struct UpdateArgs {
    /// Which skills; all when none is named
    #[arg(value_name = "REF")]
    references: Vec<SkillRef>,
    #[command(flatten)]
    place: Place,
    /// Replace folders that were changed by hand
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    trust: Trust,
}

/// Remove installed skills, and what only they needed
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// Which skills
    #[arg(value_name = "REF", required = true)]
    references: Vec<SkillRef>,
    #[command(flatten)]
    place: Place,
    /// Remove folders that were changed by hand
    #[arg(long)]
    force: bool,
}

/// List installed skills
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    place: Place,
}

/// Show which installed skills have newer versions
#[derive(Debug, clap::Args)]
pub struct OutdatedArgs {
    #[command(flatten)]
    place: Place,
    /// End with code 1 when there are any
    #[arg(long)]
    exit_code: bool,
}

/// Installs.
pub async fn install(args: Args, session: &Session) -> anyhow::Result<Exit> {
    if args.agent.iter().any(|name| name == "list") {
        show_agents(session);
        return Ok(Exit::Done);
    }
    let agents = find_agents(&args.agent)?;
    let site = args.place.site()?;
    if args.references.is_empty() {
        return by_lock(&site, &args, &agents, session).await;
    }
    let client = session.client()?;
    let mut installer = open(&client, &site, (args.force, args.trust), session).await?;
    let changes = if args.frozen {
        installer.install_frozen(&args.references, &agents).await?
    } else {
        installer.install(&args.references, &agents).await?
    };
    show_changes(&changes, &site, session);
    Ok(Exit::Done)
}

/// Installs for these agents, in the user's own folders.
pub async fn for_agents(references: Vec<SkillRef>, agent: Vec<String>, session: &Session) -> anyhow::Result<Exit> {
    let trust = Trust { no_verify: false, accept_signer: false };
    install(Args { references, agent, place: Place::GLOBAL, frozen: false, force: false, trust }, session).await
}

/// Removes from the user's own folders.
pub fn remove_for_agents(references: Vec<SkillRef>, force: bool, session: &Session) -> anyhow::Result<Exit> {
    remove(&RemoveArgs { references, place: Place::GLOBAL, force }, session)
}

/// An installer that lets pass only what the hub's log proves, unless told otherwise.
async fn open<'a>(
    client: &'a Client,
    site: &'a Site,
    (force, trust): (bool, Trust),
    session: &Session,
) -> anyhow::Result<Installer<'a>> {
    let installer = Installer::open(client, site, on_force(force))?.accepting_signers(trust.accept_signer);
    if trust.no_verify {
        session.terminal.warn("nothing is checked against the hub's log");
        return Ok(installer);
    }
    Ok(installer.judged_by(judge::of(client, session).await?))
}

/// Installs what the lock file has, from each hub that it names.
async fn by_lock(site: &Site, args: &Args, agents: &[&'static Agent], session: &Session) -> anyhow::Result<Exit> {
    let lock = Lock::read(&site.lock)?;
    if lock.skills.is_empty() {
        let message = format!("name a skill to install; there is nothing in {}", site.lock.display());
        return Err(UsageError(message).into());
    }
    let mut done = Done::default();
    for registry in lock.registries() {
        let bring = async || -> anyhow::Result<Vec<Change>> {
            let client = client_of(&registry, session)?;
            let mut installer = open(&client, site, (args.force, args.trust), session).await?;
            if args.frozen {
                return Ok(installer.install_frozen(&[], agents).await?);
            }
            Ok(installer.install_locked(agents).await?)
        };
        done.add(&registry, bring().await);
    }
    done.show(site, session)
}

/// What was done, and which hubs it could not be done with.
#[derive(Default)]
struct Done {
    changes: Vec<Change>,
    failures: Vec<(String, anyhow::Error)>,
}

impl Done {
    fn add(&mut self, registry: &str, outcome: anyhow::Result<Vec<Change>>) {
        match outcome {
            Ok(changes) => self.changes.extend(changes),
            Err(error) => self.failures.push((registry.to_owned(), error)),
        }
    }

    /// Shows what was done; the gravest failure, the others are said before.
    fn show(mut self, site: &Site, session: &Session) -> anyhow::Result<Exit> {
        if !self.changes.is_empty() || self.failures.is_empty() {
            show_changes(&self.changes, site, session);
        }
        self.failures.sort_by_key(|(_, error)| gravity(Exit::of(error)));
        let Some((_, worst)) = self.failures.pop() else { return Ok(Exit::Done) };
        for (registry, error) in &self.failures {
            session.terminal.warn(&format!("{registry}: {}", plain(&format!("{error:#}"))));
        }
        Err(worst)
    }
}

/// A hub that is not believed is worse than one that does not answer.
const fn gravity(exit: Exit) -> u8 {
    match exit {
        Exit::Refused => 4,
        Exit::Denied | Exit::NotFound => 3,
        Exit::Unreachable => 1,
        _ => 2,
    }
}

/// Updates.
pub async fn update(args: UpdateArgs, session: &Session) -> anyhow::Result<Exit> {
    let site = args.place.site()?;
    let lock = Lock::read(&site.lock)?;
    refuse_unknown(&lock, &args.references, &site)?;
    let mut done = Done::default();
    for registry in lock.registries() {
        let own: Vec<SkillRef> =
            args.references.iter().filter(|name| is_there(&lock, &registry, name)).cloned().collect();
        if own.is_empty() && !args.references.is_empty() {
            continue;
        }
        let bring = async || -> anyhow::Result<Vec<Change>> {
            let client = client_of(&registry, session)?;
            let mut installer = open(&client, &site, (args.force, args.trust), session).await?;
            Ok(installer.update(&own).await?)
        };
        done.add(&registry, bring().await);
    }
    if lock.skills.is_empty() && !session.terminal.json {
        nothing_installed(session);
        return Ok(Exit::Done);
    }
    done.show(&site, session)
}

fn nothing_installed(session: &Session) {
    session.terminal.note("nothing is installed here; `kontor install @publisher/skill` does that");
}

/// Removes.
pub fn remove(args: &RemoveArgs, session: &Session) -> anyhow::Result<Exit> {
    let site = args.place.site()?;
    let lock = Lock::read(&site.lock)?;
    refuse_unknown(&lock, &args.references, &site)?;
    let mut changes = Vec::new();
    for registry in lock.registries() {
        let own: Vec<SkillRef> =
            args.references.iter().filter(|name| is_there(&lock, &registry, name)).cloned().collect();
        if !own.is_empty() {
            let client = Client::new(&registry, None)?;
            changes.extend(Installer::open(&client, &site, on_force(args.force))?.remove(&own)?);
        }
    }
    show_changes(&changes, &site, session);
    Ok(Exit::Done)
}

/// Lists.
pub fn list(args: &ListArgs, session: &Session) -> anyhow::Result<Exit> {
    let site = args.place.site()?;
    let found = survey(&site)?;
    let terminal = &session.terminal;
    if terminal.json {
        let items: Vec<_> = found.iter().map(|found| as_json(found, &site)).collect();
        terminal.json(&json!({ "items": items }));
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        nothing_installed(session);
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["skill", "version", "asked for", "folder", "state"]);
    for found in &found {
        let locked = &found.locked;
        let requested = locked.requested.clone().unwrap_or_else(|| "(needed)".to_owned());
        for (folder, presence) in &found.folders {
            table.row([
                locked.reference.to_string(),
                locked.version.to_string(),
                requested.clone(),
                place(&site, folder),
                state(found, *presence).to_owned(),
            ]);
        }
    }
    terminal.data(&table.render(terminal));
    Ok(Exit::Done)
}

/// Compares with the hubs.
pub async fn outdated(args: OutdatedArgs, session: &Session) -> anyhow::Result<Exit> {
    let site = args.place.site()?;
    let lock = Lock::read(&site.lock)?;
    let mut items = Vec::new();
    for registry in lock.registries() {
        let client = client_of(&registry, session)?;
        items.extend(Installer::open(&client, &site, LocalChanges::Keep)?.outdated().await?);
    }
    let old: Vec<OutdatedItem> = items.into_iter().filter(is_outdated).collect();
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "items": old }));
    } else if lock.skills.is_empty() {
        nothing_installed(session);
    } else if old.is_empty() {
        terminal.note("everything is up to date");
    } else {
        let mut table = Table::titled(&["skill", "installed", "wanted", "latest", "note"]);
        for item in &old {
            let version =
                |version: &Option<kontor_types::Version>| version.as_ref().map(ToString::to_string).unwrap_or_default();
            let note = match (&item.deprecation, item.missing, item.yanked) {
                (_, true, _) => "not on the hub any more".to_owned(),
                (_, _, true) => "withdrawn".to_owned(),
                (Some(deprecation), ..) => format!("deprecated: {}", deprecation.message),
                _ => String::new(),
            };
            let (wanted, latest) = (version(&item.wanted), version(&item.latest));
            table.row([item.reference.to_string(), item.installed.to_string(), wanted, latest, note]);
        }
        terminal.data(&table.render(terminal));
        if old.iter().any(|item| item.wanted.as_ref().is_some_and(|wanted| *wanted != item.installed)) {
            terminal.note("`kontor update` installs what is wanted");
        } else if old.iter().any(|item| item.latest.as_ref().is_some_and(|latest| *latest != item.installed)) {
            terminal.note("the latest is outside of what was asked for; `kontor install NAME` goes to it");
        }
    }
    Ok(if args.exit_code && !old.is_empty() { Exit::Failed } else { Exit::Done })
}

fn is_outdated(item: &OutdatedItem) -> bool {
    let newer =
        |version: &Option<kontor_types::Version>| version.as_ref().is_some_and(|version| *version != item.installed);
    newer(&item.wanted) || newer(&item.latest) || item.yanked || item.missing || item.deprecation.is_some()
}

/// The hub of lock entries. Its token comes from the login file, or was given for the hub in use.
fn client_of(registry: &str, session: &Session) -> anyhow::Result<Client> {
    let token = session.token_for(registry)?;
    Ok(Client::new(registry, token.as_deref())?)
}

fn is_there(lock: &Lock, registry: &str, name: &SkillRef) -> bool {
    lock.skills.iter().any(|skill| skill.registry == registry && means(name, &skill.reference))
}

fn means(name: &SkillRef, reference: &SkillRef) -> bool {
    name.slug == reference.slug && (name.publisher.is_none() || name.publisher == reference.publisher)
}

fn refuse_unknown(lock: &Lock, names: &[SkillRef], site: &Site) -> anyhow::Result<()> {
    let unknown = names.iter().find(|name| !lock.skills.iter().any(|skill| means(name, &skill.reference)));
    match unknown {
        None => Ok(()),
        Some(name) => {
            let message = format!("`{name}` is not in {}", site.lock.display());
            Err(kontor_client::Error::refused(message, "`kontor list` shows what is installed").into())
        }
    }
}

const fn on_force(force: bool) -> LocalChanges {
    if force { LocalChanges::Overwrite } else { LocalChanges::Keep }
}

fn find_agents(names: &[String]) -> Result<Vec<&'static Agent>, UsageError> {
    let find = |name: &String| {
        Agent::find(name).ok_or_else(|| {
            let near = near::alike(name, AGENTS.iter().map(|agent| agent.id)).join("` or `");
            let meant = if near.is_empty() { String::new() } else { format!("did you mean `{near}`? ") };
            let hint = format!("{meant}`kontor install --agent list` shows those known");
            UsageError(format!("there is no agent `{}`; {hint}", plain(name)))
        })
    };
    names.iter().map(find).collect()
}

fn show_agents(session: &Session) {
    let terminal = &session.terminal;
    let folders = UserFolders::own();
    let user = |agent: &Agent| folders.as_ref().map(|folders| agent.user_folder(folders));
    if terminal.json {
        let items: Vec<_> = AGENTS
            .iter()
            .map(|agent| json!({"id": agent.id, "name": agent.name, "project": agent.project, "global": user(agent).map(|folder| folder.display().to_string())}))
            .collect();
        terminal.json(&json!({ "items": items }));
        return;
    }
    let mut table = Table::titled(&["agent", "name", "project", "global"]);
    for agent in AGENTS {
        let (id, name, project) = (agent.id.to_owned(), agent.name.to_owned(), agent.project.to_owned());
        table.row([id, name, project, user(agent).map(|folder| shown(&folder)).unwrap_or_default()]);
    }
    terminal.data(&table.render(terminal));
}

fn show_changes(changes: &[Change], site: &Site, session: &Session) {
    let terminal = &session.terminal;
    for warning in changes.iter().flat_map(|change| &change.warnings) {
        terminal.warn(&plain(warning));
    }
    if terminal.json {
        terminal.json(&json!({ "items": changes, "lock": site.lock }));
        return;
    }
    for change in changes {
        let name = terminal.paint(Style::Bold, &change.reference.to_string());
        let (style, told) = match (change.status, &change.previous) {
            (ChangeStatus::Installed, _) => (Style::Green, format!("{} installed", change.version)),
            (ChangeStatus::Updated, Some(previous)) => (Style::Green, format!("{previous} → {}", change.version)),
            (ChangeStatus::Updated, None) => (Style::Green, format!("{} updated", change.version)),
            (ChangeStatus::Unchanged, _) => (Style::Dim, format!("{} unchanged", change.version)),
            (ChangeStatus::Removed, _) => (Style::Yellow, format!("{} removed", change.version)),
        };
        let folders: Vec<String> = change.folders.iter().map(|folder| place(site, folder)).collect();
        let folders = if change.status == ChangeStatus::Removed { String::new() } else { folders.join(", ") };
        terminal.data(format!("{name} {} {}", terminal.paint(style, &told), plain(&folders)).trim_end());
    }
    if changes.is_empty() {
        terminal.note("nothing to do");
    } else if changes.iter().any(|change| matches!(change.status, ChangeStatus::Installed | ChangeStatus::Updated)) {
        terminal.note("agents find it when they begin their next session");
    }
}

/// A folder as people write it: in the project, or below their home.
fn place(site: &Site, folder: &Path) -> String {
    let text = site.show(folder);
    if Path::new(&text).is_absolute() { shown(folder) } else { text }
}

fn state(found: &Surveyed, presence: Presence) -> &'static str {
    match presence {
        Presence::Exact(digest) if digest == found.locked.digest => "as installed",
        Presence::Missing => "missing",
        Presence::Exact(_) | Presence::Unreadable => "changed by hand",
    }
}

fn as_json(found: &Surveyed, site: &Site) -> serde_json::Value {
    let locked = &found.locked;
    let folders: Vec<_> = found
        .folders
        .iter()
        .map(|(folder, presence)| json!({"path": site.show(folder), "state": state(found, *presence)}))
        .collect();
    json!({
        "ref": locked.reference,
        "version": locked.version,
        "digest": locked.digest,
        "registry": locked.registry,
        "requested": locked.requested,
        "agents": locked.agents,
        "folders": folders,
    })
}
