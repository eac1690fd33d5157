//! One start of one program in its made-up home.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kontor_runs::Observation;
use kontor_sandbox::{Ended, Job, Outcome, Sandbox, Shown, Stopped, Watched};

use crate::home::{Changes, HOME, MACHINE, Room};
use crate::later;
use crate::net::{Authority, Net, Traffic};
use crate::plan::{Script, Start};
use crate::witness::{Event, Known, Log, watch};
use crate::{Budget, Error};

/// How much of each stream is kept.
const KEPT: usize = 1 << 20;
/// How often it is looked at what a run puts into its home.
const LOOK: Duration = Duration::from_millis(250);
/// How long processes that a script leaves behind are watched.
const LINGER: Duration = Duration::from_secs(3);
/// Where names are asked for.
const NAMES: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 178, 1));

/// What came of one start.
#[derive(Debug)]
pub struct Trial {
    /// The command line for people.
    pub shown: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What it said.
    pub said: Vec<u8>,
    /// What it seems to lack.
    pub lacks: Observation,
    /// What was seen.
    pub log: Log,
    /// What it sent.
    pub traffic: Vec<Traffic>,
    /// Which hosts and ports it reached for.
    pub reached: BTreeSet<(String, u16)>,
    /// What it changed.
    pub changes: Changes,
    /// Secrets whose files were read, by whatever way.
    pub touched: Vec<usize>,
}

/// Runs it; nothing comes of one that fills its home until it must be ended.
pub async fn run(
    sandbox: &Sandbox,
    room: &mut Room,
    script: &Script,
    start: &Start,
    budget: &Budget,
    authority: &Arc<Authority>,
) -> Result<Option<Trial>, Error> {
    room.age().map_err(Error::Home)?;
    let failed = |error: kontor_sandbox::Error| {
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        Error::Sandbox { reason: format!("{error}{hint}") }
    };
    let (running, witness) = sandbox.spawn_watched(&job(room, script, start, budget)).map_err(failed)?;
    let net = Net::new(Arc::clone(authority), &room.probe);
    let over = Arc::new(AtomicBool::new(false));
    let known = Known {
        identities: room.identities.clone(),
        places: room
            .identities
            .values()
            .filter_map(|number| Some((room.canaries.all.get(*number)?.place.clone(), *number)))
            .collect(),
        probe: room.probe.clone(),
    };
    let watching = {
        let (net, over) = (net.clone(), Arc::clone(&over));
        tokio::task::spawn_blocking(move || watch(witness, &known, &net, &over))
    };
    // When the other branch comes first, the command ends with what waits for it.
    let finished = tokio::select! {
        finished = running.finish(&start.input, KEPT) => Some(finished),
        () = overfull(room.home.clone()) => None,
    };
    over.store(true, Ordering::SeqCst);
    let log = watching.await.unwrap_or_default();
    let Some(finished) = finished else { return Ok(None) };
    let finished = finished.map_err(failed)?;
    let mut reached = BTreeSet::new();
    for event in &log.events {
        if let Event::Reached { address, port } = event
            && *address != NAMES
        {
            reached.insert((net.name(*address), *port));
        }
    }
    let traffic = net.finish().await;
    reached.extend(traffic.iter().filter(|one| one.way == "dns").map(|one| (one.host.clone(), 53)));
    let lacks = Observation::of(&finished.stdout.bytes, &finished.stderr.bytes);
    let mut said = finished.stdout.bytes;
    said.extend(&finished.stderr.bytes);
    let touched = room.touched();
    let changes = room.changes();
    Ok(Some(Trial {
        shown: start.shown.clone(),
        outcome: finished.outcome,
        said,
        lacks,
        log,
        traffic,
        reached,
        changes,
        touched,
    }))
}

/// Waits until a run has put more into its home than it may.
async fn overfull(home: PathBuf) {
    loop {
        tokio::time::sleep(LOOK).await;
        let home = home.clone();
        if tokio::task::spawn_blocking(move || Room::is_overfull(&home)).await.unwrap_or(false) {
            return;
        }
    }
}

fn job(room: &Room, script: &Script, start: &Start, budget: &Budget) -> Job {
    let mut job = Job::new(&start.words);
    job.directory = start.directory.clone().into();
    job.watched = Some(Watched { host_name: MACHINE.to_owned() });
    job.limits.wall = budget.each;
    job.limits.cpu = budget.each;
    job.limits.memory = budget.memory;
    job.limits.disk = 128 << 20;
    job.limits.processes = 128;
    job.limits.linger = LINGER;
    job.permissions.write.push(Shown { from: room.home.clone(), at: HOME.into() });
    let read = &mut job.permissions.read;
    read.extend(room.settings.iter().map(|(from, at)| Shown { from: from.clone(), at: at.clone() }));
    read.extend(script.folders.iter().map(|folder| Shown::in_place(folder)));
    for (name, value) in room.variables() {
        job.permissions.environment.set(name, value);
    }
    let mut path = Vec::new();
    if start.late {
        job.permissions.read.push(Shown { from: room.later.clone(), at: later::PLACE.into() });
        for (name, value) in later::variables() {
            job.permissions.environment.set(name, value);
        }
        path.push(format!("{}/bin", later::PLACE));
    }
    path.push(format!("{HOME}/.local/bin"));
    path.extend(script.path.iter().map(|folder| folder.display().to_string()));
    path.extend(["/usr/local/bin", "/usr/bin", "/bin"].map(str::to_owned));
    job.permissions.environment.set("PATH", path.join(":"));
    job
}

impl Trial {
    /// How it ended, in words.
    pub fn ending(&self) -> String {
        match (self.outcome.stopped, self.outcome.ended) {
            (Some(Stopped::Wall), _) => "its time on the clock was over".to_owned(),
            (Some(Stopped::Cpu), _) => "its time on processors was over".to_owned(),
            (Some(Stopped::Memory), _) => "its memory was over".to_owned(),
            (Some(Stopped::Cancelled), _) => "it was ended".to_owned(),
            (None, Ended::Exit(code)) => format!("code {code}"),
            (None, Ended::Signal(signal)) => format!("signal {signal}"),
        }
    }

    /// Whether it came to its own end without an error.
    pub fn is_done(&self) -> bool {
        self.outcome.stopped.is_none() && self.outcome.ended == Ended::Exit(0)
    }
}
