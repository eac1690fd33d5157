//! The threads that serve connections, one a processor.
//!
//! A connection stays on the thread it was given to, and so does everything its requests do: no other thread is woken for
//! an answer, and memory is given back where it was taken. Work that blocks goes to other threads as everywhere.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Threads of each lane for work that blocks.
const BLOCKING_THREADS: usize = 2;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One thread with what it has to do.
struct Lane {
    work: UnboundedSender<Work>,
    busy: Arc<AtomicUsize>,
}

/// They live as long as the process: connections to a database that were opened on one of them are used by all.
static LANES: OnceLock<Vec<Lane>> = OnceLock::new();

/// Runs the work to its end on the thread that has the least of it.
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    let lanes = LANES.get_or_init(open);
    let Some(lane) = lanes.iter().min_by_key(|lane| lane.busy.load(Ordering::Relaxed)) else {
        tokio::spawn(work);
        return;
    };
    let share = Share::of(&lane.busy);
    let work: Work = Box::pin(async move {
        work.await;
        drop(share);
    });
    // A lane that is gone takes nothing; then whoever called runs it.
    if let Err(refused) = lane.work.send(work) {
        tokio::spawn(refused.0);
    }
}

/// Counts work as long as it is there.
struct Share(Arc<AtomicUsize>);

impl Share {
    fn of(busy: &Arc<AtomicUsize>) -> Self {
        busy.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(busy))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn open() -> Vec<Lane> {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (0..threads).filter_map(|number| lane(number).ok()).collect()
}

fn lane(number: usize) -> std::io::Result<Lane> {
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build()?;
    let (work, mut waiting) = unbounded_channel();
    thread::Builder::new().name(format!("serve-{number}")).spawn(move || run(&runtime, &mut waiting))?;
    Ok(Lane { work, busy: Arc::default() })
}

fn run(runtime: &Runtime, waiting: &mut UnboundedReceiver<Work>) {
    runtime.block_on(async {
        while let Some(work) = waiting.recv().await {
            tokio::spawn(work);
        }
    });
}
