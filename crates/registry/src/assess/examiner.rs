//! Running a scan where it can neither take the hub with it nor hold it up.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use kontor_package::{Content, Limits};
use kontor_scan::{Report, RulePack, Scanner};
use kontor_types::Digest;
use tokio::sync::oneshot;

use crate::Error;

/// How long one scan may take; the largest skills take some seconds on a slow machine.
const DEADLINE: Duration = Duration::from_mins(1);
/// Scans that ran over their deadline and still run, before no more are begun.
const MOST_LOST: usize = 4;
/// Parsers of scripts go deep.
const STACK: usize = 16 << 20;

type Examine = dyn Fn(&str, &Content) -> Result<Report, String> + Send + Sync;

/// Scans contents by one set of rules, each on a thread of its own, within a deadline.
#[derive(Clone)]
pub struct Examiner {
    examine: Arc<Examine>,
    rules: Digest,
    limits: Limits,
    deadline: Duration,
    lost: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Examiner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Examiner").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Tells when a scan ends for which nobody waits any longer.
struct Answer {
    sender: Option<oneshot::Sender<Result<Report, String>>>,
    lost: Arc<AtomicUsize>,
}

impl Answer {
    fn give(mut self, outcome: Result<Report, String>) {
        if let Some(sender) = self.sender.take()
            && sender.send(outcome).is_err()
        {
            self.lost.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Examiner {
    /// The rules that came with the program. They are made ready for the first scan, not before: a hub that takes nothing
    /// in keeps the memory.
    pub fn embedded(limits: Limits) -> Result<Self, Error> {
        let rules = RulePack::embedded().map_err(|error| Error::Scanner { reason: error.to_string() })?.digest;
        let ready: OnceLock<Result<Scanner, String>> = OnceLock::new();
        let examine = move |name: &str, content: &Content| -> Result<Report, String> {
            let scanner = ready.get_or_init(|| Scanner::new().map_err(|error| error.to_string())).as_ref();
            scanner.map(|scanner| scanner.scan_content(name, content)).map_err(Clone::clone)
        };
        Ok(Self { examine: Arc::new(examine), rules, limits, deadline: DEADLINE, lost: Arc::default() })
    }

    /// Any way of scanning, with the digest that stands for its rules.
    pub fn new(
        rules: Digest,
        limits: Limits,
        examine: impl Fn(&str, &Content) -> Report + Send + Sync + 'static,
    ) -> Self {
        let examine = move |name: &str, content: &Content| -> Result<Report, String> { Ok(examine(name, content)) };
        Self { examine: Arc::new(examine), rules, limits, deadline: DEADLINE, lost: Arc::default() }
    }

    /// The same with another deadline.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long one scan may take.
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The digest of the rules.
    pub const fn rules(&self) -> Digest {
        self.rules
    }

    /// Scans an archive; an error says in words why there is no report.
    pub(super) async fn examine(&self, name: String, archive: Bytes) -> Result<Report, String> {
        if self.lost.load(Ordering::SeqCst) >= MOST_LOST {
            return Err(format!("{MOST_LOST} scans before it do not end; restart the hub to be rid of them"));
        }
        let (sender, receiver) = oneshot::channel();
        let answer = Answer { sender: Some(sender), lost: Arc::clone(&self.lost) };
        let (examine, limits) = (Arc::clone(&self.examine), self.limits);
        let work = move || {
            let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
                let content = Content::from_archive(&archive, &limits).map_err(|error| error.to_string())?;
                drop(archive);
                examine(&name, &content)
            }));
            answer.give(outcome.unwrap_or_else(|_| Err("the scanner crashed on it".to_owned())));
        };
        let started = std::thread::Builder::new().name("scan".to_owned()).stack_size(STACK).spawn(work);
        started.map_err(|error| format!("no thread for the scan: {error}"))?;
        match tokio::time::timeout(self.deadline, receiver).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("the scanner crashed on it".to_owned()),
            Err(_) => {
                self.lost.fetch_add(1, Ordering::SeqCst);
                Err(format!("the scan was not done within {} seconds", self.deadline.as_secs_f32()))
            }
        }
    }
}
