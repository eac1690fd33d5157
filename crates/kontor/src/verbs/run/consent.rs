//! Asking once what a version may do, and keeping the answer.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use kontor_client::{Error, Name};
use kontor_package::{Manifest, Permissions, RunLimits};
use kontor_runs::{
    Building, CallerGrants, Ceiling, Consent, Entry, Granted, Holds, Layer, Layers, Lock, Need, Observation, Overlay,
    Program, RunnerKeys, SessionId, Stored, Wanted, beyond, explain, observe,
};
use kontor_scan::Verdict;
use kontor_types::{Clock as _, SkillRef, SystemClock};

use super::{Args, HowLong, Places, Target};
use crate::amounts::count;
use crate::exit::UsageError;
use crate::session::Session;
use crate::terminal::{Style, plain};
use crate::verbs::sandbox::Held;

/// How long the trial may take.
const TRIAL: Duration = Duration::from_secs(10);
/// Most lines of one kind that are shown.
const SHOWN: usize = 12;

/// Hosts whose addresses are names of formats in files; nothing is fetched from there.
const NAMES_OF_FORMATS: &[&str] =
    &["www.w3.org", "schemas.openxmlformats.org", "schemas.microsoft.com", "purl.org", "json-schema.org"];

/// What is needed to ask.
pub struct Asking<'a> {
    pub args: &'a Args,
    pub session: &'a Session,
    pub target: &'a Target,
    pub places: &'a Places,
    pub keys: &'a RunnerKeys,
    pub layers: &'a Layers,
    pub ceiling: &'a Ceiling,
}

/// What was agreed.
pub struct Agreed {
    /// The overlay in force.
    pub stored: Stored,
    /// The packages of this entry.
    pub lock: Lock,
    /// Where they are.
    pub layer: Layer,
    /// How, as receipts say it.
    pub consent: &'static str,
}

/// What stands to be confirmed.
struct Proposal {
    permissions: Permissions,
    limits: RunLimits,
    wanted: Wanted,
    because: Vec<String>,
    /// What the skill seems to want and is not given.
    withheld: Vec<String>,
    /// Whether the script was tried once, with nothing granted.
    tried: bool,
}

impl Asking<'_> {
    /// Takes what was confirmed before when it covers this run; else shows what is new and asks.
    pub async fn agree(&self, manifest: &Manifest, entry: &Entry, program: &Program) -> anyhow::Result<Agreed> {
        let here = SessionId::own();
        let stored = self.places.overlays().in_force(&self.target.skill.digest, self.keys, here.as_ref())?;
        let known = stored.as_ref().map_or(&manifest.permissions, |stored| &stored.overlay.permissions);
        let flags = CallerGrants {
            network: self.args.allow_net.clone(),
            secrets: self.args.secret.clone(),
            ..CallerGrants::default()
        };
        let more = beyond(known, &flags);
        self.allowed(&more)?;
        let building = Building { install_scripts: self.args.install_scripts };
        let locked = stored.as_ref().and_then(|stored| stored.overlay.locks.get(entry.name()));
        let fits = locked.filter(|lock| lock.python.as_ref().is_none_or(|python| python.tag == program.tag));
        if let (Some(stored), Some(lock)) = (&stored, fits)
            && more == Permissions::default()
        {
            let layer = self.spin(self.layers.build(lock, program, building), lock.is_empty()).await?;
            let consent = if stored.overlay.holds == Holds::Always { "stored" } else { "stored_for_session" };
            return Ok(Agreed { stored: stored.clone(), lock: lock.clone(), layer, consent });
        }
        let proposal = self.propose(manifest, stored.as_ref(), &more, entry, program).await?;
        let (consent, holds) = self.ask(&proposal, entry, program, here)?;
        let nothing = proposal.wanted.is_empty();
        let (lock, layer) = self.spin(self.layers.lock(&proposal.wanted, program, building), nothing).await?;
        self.tell_closure(&proposal.wanted, &lock);
        let mut locks = stored.map(|stored| stored.overlay.locks).unwrap_or_default();
        locks.insert(entry.name().to_owned(), lock.clone());
        let word = match (consent, &holds) {
            (Consent::Asked, Holds::Always) => "asked",
            (Consent::Asked, Holds::Session(_)) => "asked_for_session",
            (Consent::Asked, Holds::Once) => "asked_once",
            (Consent::Flag, Holds::Always) => "flag",
            (Consent::Flag, Holds::Session(_)) => "flag_for_session",
            (Consent::Flag, Holds::Once) => "flag_once",
        };
        let stored = self.store(proposal, locks, (consent, holds))?;
        let consent = word;
        Ok(Agreed { stored, lock, layer, consent })
    }

    /// Refuses what is asked for beyond what the operator lets any run have.
    fn allowed(&self, more: &Permissions) -> anyhow::Result<()> {
        let cut = self.ceiling.cut(more);
        let over = cut.network.iter().map(ToString::to_string).chain(cut.secrets.iter().cloned()).next();
        match over {
            None => Ok(()),
            Some(over) => {
                let hint = "`kontor run --help` names the files that say how much a run may get";
                Err(Error::refused(format!("run.toml lets no run on this machine have {over}"), hint).into())
            }
        }
    }

    async fn spin<T>(
        &self,
        work: impl Future<Output = Result<T, kontor_runs::Error>>,
        quiet: bool,
    ) -> anyhow::Result<T> {
        let bar = (!quiet).then(|| self.session.terminal.spinner("bringing the packages that it needs"));
        let done = work.await;
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        Ok(done?)
    }

    async fn propose(
        &self,
        manifest: &Manifest,
        stored: Option<&Stored>,
        more: &Permissions,
        entry: &Entry,
        program: &Program,
    ) -> anyhow::Result<Proposal> {
        let content = &self.target.content;
        let mut because = Vec::new();
        let (mut permissions, limits) = match stored {
            Some(stored) => {
                because.push(format!("version {} of what you confirmed", stored.overlay.number));
                (stored.overlay.permissions.clone(), stored.overlay.limits)
            }
            None => (manifest.permissions.clone(), manifest.limits),
        };
        if stored.is_none() && *manifest != Manifest::default() {
            because.push("the author's kontor.toml".to_owned());
        }
        because.extend(more.network.iter().map(|grant| format!("{grant}: --allow-net")));
        because.extend(more.secrets.iter().map(|name| format!("{name}: --secret")));
        permissions.network.extend(more.network.iter().cloned());
        permissions.secrets.extend(more.secrets.iter().cloned());
        let wanted = match entry.file(content) {
            Some(file) => Wanted::of(content, file, program, &manifest.dependencies)?,
            None => Wanted::default(),
        };
        because
            .extend(wanted.python.iter().chain(&wanted.node).map(|asked| format!("{}: {}", asked.text, asked.reason)));
        let cut = self.ceiling.cut(&permissions);
        permissions = self.ceiling.bound(&permissions);
        let mut withheld = self.seen(&permissions);
        withheld
            .extend(cut.network.iter().map(|grant| format!("connections to {grant}: run.toml lets no run have them")));
        withheld.extend(cut.secrets.iter().map(|name| format!("the variable {name}: run.toml lets no run have it")));
        withheld.extend(
            wanted.unknown.iter().map(|module| format!("the module `{module}`, for which nobody names a package")),
        );
        if stored.is_none() {
            withheld.extend(self.seen_on_hub(&permissions).await);
        }
        // A secret is given when this command line names it, whatever the manifest asks for.
        let unnamed = permissions.secrets.iter().filter(|name| !self.args.secret.contains(name));
        withheld.extend(unnamed.map(|name| secret(name)));
        let tried = stored.is_none() && wanted.is_empty() && !entry.is_tool();
        if tried {
            withheld.extend(self.trial(entry, program, &permissions).await);
        }
        withheld.sort();
        withheld.dedup();
        Ok(Proposal { permissions, limits, wanted, because, withheld, tried })
    }

    /// What the scanner sees the scripts use and nobody has granted.
    fn seen(&self, permissions: &Permissions) -> Vec<String> {
        let seen = &self.target.scan.capabilities;
        let granted = |host: &str| permissions.network.iter().any(|grant| grant.host() == host);
        let told = |host: &&String| !granted(host) && !NAMES_OF_FORMATS.contains(&host.as_str());
        let mut withheld: Vec<String> = seen.network.iter().filter(told).map(|host| network(host)).collect();
        let variable = |name: &&String| {
            !permissions.secrets.contains(name)
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        };
        withheld.extend(seen.secrets.iter().filter(variable).map(|name| secret(name)));
        withheld
    }

    /// What runs of these bytes on the hub were seen to reach and were given, as far as this user may see, and nobody has
    /// granted here. A hub that tells nothing of them stops nobody.
    async fn seen_on_hub(&self, permissions: &Permissions) -> Vec<String> {
        let skill = &self.target.skill;
        let Some(name) = skill.registry.as_ref().and_then(|_| skill.name.parse::<SkillRef>().ok()) else {
            return Vec::new();
        };
        let (Some(publisher), Some(version)) = (&name.publisher, &name.version) else { return Vec::new() };
        let Ok(client) = self.session.client() else { return Vec::new() };
        let Ok(observed) = client.observed(&Name(publisher, &name.slug), &version.to_string()).await else {
            return Vec::new();
        };
        let told = observed.items.into_iter().filter_map(|one| {
            let runs = count(one.runs, "run");
            let what = one.name?;
            let host = what.rsplit_once(':').map_or(what.as_str(), |(host, _)| host);
            let granted = permissions.network.iter().any(|grant| grant.host() == host);
            match one.kind.as_str() {
                "connected" if !granted => {
                    Some(format!("connections to {host}, made in {runs} on the hub: --allow-net {what} grants them"))
                }
                "refused" if !granted => {
                    Some(format!("connections to {host}, tried in {runs} on the hub: --allow-net {what} grants them"))
                }
                "given" if !permissions.secrets.contains(&what) => {
                    Some(format!("the variable {what}, given in {runs} on the hub: --secret {what} grants it"))
                }
                "wanted_variable" if !permissions.secrets.contains(&what) => Some(secret(&what)),
                _ => None,
            }
        });
        told.collect()
    }

    /// Runs the script once with nothing, to see what it misses.
    async fn trial(&self, entry: &Entry, program: &Program, permissions: &Permissions) -> Vec<String> {
        let Ok(sandbox) = super::sandboxes() else { return Vec::new() };
        let layer = Layer::default();
        let help = [OsString::from("--help")];
        let bar = self.session.terminal.spinner("trying it with nothing granted, to see what it misses");
        let tried =
            observe(&self.target.content, entry, program, &layer, &help, (TRIAL, self.args.tier.into()), &sandbox)
                .await;
        bar.finish_and_clear();
        let Ok((_, stdout, stderr)) = tried else { return Vec::new() };
        let needs = Observation::of(&stdout.bytes, &stderr.bytes).needs;
        let told = needs.into_iter().filter_map(|need| match need {
            Need::Network(Some(host)) => {
                (!permissions.network.iter().any(|grant| grant.host() == host)).then(|| network(&host))
            }
            Need::Variable(name) => (!permissions.secrets.contains(&name)).then(|| secret(&name)),
            Need::Network(None) | Need::Module(_) | Need::Program(_) => None,
        });
        told.collect()
    }

    /// Shows what is proposed, and takes the answer: how it was confirmed, and for how long.
    fn ask(
        &self,
        proposal: &Proposal,
        entry: &Entry,
        program: &Program,
        here: Option<SessionId>,
    ) -> anyhow::Result<(Consent, Holds)> {
        self.show(proposal, entry, program);
        let session = |here: Option<SessionId>| {
            let told = "this system does not tell one session from another; confirm it once, or always";
            here.map(Holds::Session).ok_or_else(|| UsageError(told.to_owned()))
        };
        if self.args.yes {
            let holds = match self.args.holds {
                None | Some(HowLong::Always) => Holds::Always,
                Some(HowLong::Session) => session(here)?,
                Some(HowLong::Once) => Holds::Once,
            };
            return Ok((Consent::Flag, holds));
        }
        let question = "Let it run [o]nce, for this [s]ession, [a]lways in this version, or [N]ot?";
        let Some(answer) = self.session.terminal.answer(question) else {
            let hint = "read what it says above and add --yes, or run it on a terminal";
            return Err(Error::refused("what it may do was not confirmed yet, and nobody is here to ask", hint).into());
        };
        let holds = match answer.to_lowercase().as_str() {
            "o" | "once" | "y" | "yes" | "j" | "ja" | "是" | "一次" => Holds::Once,
            "s" | "session" | "会话" => session(here)?,
            "a" | "always" | "总是" => Holds::Always,
            _ => return Err(Error::refused("you did not confirm it, so nothing was run", "nothing was changed").into()),
        };
        Ok((Consent::Asked, holds))
    }

    fn show(&self, proposal: &Proposal, entry: &Entry, program: &Program) {
        let terminal = &self.session.terminal;
        let caller = CallerGrants {
            network: proposal.permissions.network.clone(),
            secrets: self.args.secret.clone(),
            wall: self.args.wall,
            memory: self.args.memory,
            disk: self.args.disk,
        };
        let granted = Granted::of(&proposal.permissions, &proposal.limits, self.ceiling, &caller);
        let name = terminal.paint_note(Style::Bold, &plain(&self.target.skill.name));
        terminal.tell(&format!("{name} may, when `{}` runs:", plain(entry.name())));
        for line in explain::grants(&granted) {
            terminal.tell(&format!("  - {}", plain(&line)));
        }
        let shown = program.shown();
        if !shown.is_empty() {
            terminal.tell(&format!(
                "  - read what its program {} needs of your machine: {}",
                program.name,
                plain(&shown.join(", "))
            ));
        }
        if self.args.tier == Held::Landlock {
            terminal.tell(
                "  - see the names, sizes and times of all files of this machine: the tier `landlock` has no root of its own",
            );
        }
        let packages: Vec<_> = proposal.wanted.python.iter().chain(&proposal.wanted.node).collect();
        if !packages.is_empty() {
            terminal.tell("  - use these packages of others, which are brought before it starts:");
            for asked in packages.iter().take(SHOWN * 2) {
                let guess = if asked.guessed { "; nobody names it, so look twice" } else { "" };
                terminal.tell(&format!("      {} ({}{guess})", plain(&asked.text), plain(&asked.reason)));
            }
        }
        if proposal.tried {
            terminal.tell(
                "To know more, its script was tried once with `--help` and nothing granted, for ten seconds at most.",
            );
        }
        if !proposal.withheld.is_empty() {
            terminal.tell("It seems to want more, which it does not get:");
            for line in proposal.withheld.iter().take(SHOWN) {
                terminal.tell(&format!("  - {}", plain(line)));
            }
        }
        let scan = &self.target.scan;
        if scan.verdict != Verdict::Clean {
            terminal.tell(&format!("The scan finds it {}:", scan.verdict.word()));
            for finding in scan.findings.iter().take(3) {
                terminal.tell(&format!("  - {}", plain(&finding.message)));
            }
        }
    }

    /// Names the packages that the asked ones bring along: they are known once all are resolved, before anything is stored
    /// or run.
    fn tell_closure(&self, wanted: &Wanted, lock: &Lock) {
        let asked: Vec<String> =
            wanted.python.iter().chain(&wanted.node).map(|asked| asked.text.to_lowercase().replace('_', "-")).collect();
        let is_asked = |name: &str| asked.iter().any(|text| text.starts_with(&name.to_lowercase().replace('_', "-")));
        let more: Vec<String> = lock
            .packages()
            .filter(|(_, package)| !is_asked(&package.name))
            .map(|(_, package)| format!("{} {}", package.name, package.version))
            .collect();
        if !more.is_empty() {
            self.session.terminal.tell(&format!("These packages bring along {}:", count(more.len() as u64, "other")));
            for line in more.chunks(8) {
                self.session.terminal.tell(&format!("  {}", plain(&line.join(", "))));
            }
        }
    }

    fn store(
        &self,
        proposal: Proposal,
        locks: BTreeMap<String, Lock>,
        (consent, holds): (Consent, Holds),
    ) -> anyhow::Result<Stored> {
        let overlay = Overlay {
            skill: self.target.skill.name.clone(),
            number: 0,
            previous: None,
            permissions: proposal.permissions,
            limits: proposal.limits,
            locks,
            because: proposal.because,
            consent,
            holds,
            confirmed_at: SystemClock.now(),
        };
        Ok(self.places.overlays().add(&self.target.skill.digest, overlay, self.keys)?)
    }
}

fn network(host: &str) -> String {
    format!("connections to {host}: --allow-net {host}:443 grants them")
}

fn secret(name: &str) -> String {
    format!("the variable {name}: --secret {name} grants it")
}
