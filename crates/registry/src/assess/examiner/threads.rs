use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use kontor_package::{Content, Limits};
use kontor_scan::{Report, Scanner};
use tokio::sync::oneshot;

use super::{Examination, not_done};

/// Scans that ran over their deadline and still run, before no more are begun.
const MOST_LOST: usize = 4;
/// Parsers of scripts go deep.
pub(super) const STACK: usize = 16 << 20;

type Examine = dyn Fn(&str, &Content) -> Result<Report, String> + Send + Sync;

/// Scans on threads of this process, one each: a panic is caught, and a scan that does not end is left behind.
pub(super) struct Threads {
    examine: Arc<Examine>,
    limits: Limits,
    lost: Arc<AtomicUsize>,
}

/// Tells when a scan ends for which nobody waits any longer.
struct Answer {
    sender: Option<oneshot::Sender<Result<Examination, String>>>,
    lost: Arc<AtomicUsize>,
}

impl Answer {
    fn give(mut self, outcome: Result<Examination, String>) {
        if let Some(sender) = self.sender.take()
            && sender.send(outcome).is_err()
        {
            self.lost.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Threads {
    pub(super) fn embedded(limits: Limits) -> Self {
        Self::new(limits, by_embedded_rules())
    }

    pub(super) fn new(
        limits: Limits,
        examine: impl Fn(&str, &Content) -> Result<Report, String> + Send + Sync + 'static,
    ) -> Self {
        Self { examine: Arc::new(examine), limits, lost: Arc::default() }
    }

    pub(super) async fn examine(
        &self,
        name: String,
        archive: Bytes,
        deadline: Duration,
    ) -> Result<Examination, String> {
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
                Ok(Examination::of(examine(&name, &content)?, &content))
            }));
            answer.give(outcome.unwrap_or_else(|_| Err("the scanner crashed on it".to_owned())));
        };
        let started = std::thread::Builder::new().name("scan".to_owned()).stack_size(STACK).spawn(work);
        started.map_err(|error| format!("no thread for the scan: {error}"))?;
        match tokio::time::timeout(deadline, receiver).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("the scanner crashed on it".to_owned()),
            Err(_) => {
                self.lost.fetch_add(1, Ordering::SeqCst);
                Err(not_done(deadline))
            }
        }
    }
}

/// Scans by the rules that came with the program, which are made ready for the first scan.
pub(super) fn by_embedded_rules() -> impl Fn(&str, &Content) -> Result<Report, String> + Send + Sync {
    let ready: OnceLock<Result<Scanner, String>> = OnceLock::new();
    move |name, content| {
        let scanner = ready.get_or_init(|| Scanner::new().map_err(|error| error.to_string())).as_ref();
        scanner.map(|scanner| scanner.scan_content(name, content)).map_err(Clone::clone)
    }
}
