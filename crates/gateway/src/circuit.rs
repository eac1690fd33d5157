use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Errors further back do not count.
const WINDOW: Duration = Duration::from_secs(30);
/// How long somebody with too many errors is left alone before one call tries again.
const REST: Duration = Duration::from_secs(10);

/// Microseconds since this process first asked; never 0.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_micros()).unwrap_or(u64::MAX).saturating_add(1)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A moment until which something is left alone.
#[derive(Debug, Default)]
pub struct Rest(AtomicU64);

impl Rest {
    pub fn set(&self, wait: Duration) {
        self.0.store(now().saturating_add(micros(wait)), Ordering::Relaxed);
    }

    /// How long it still lasts.
    pub fn left(&self) -> Option<Duration> {
        let until = self.0.load(Ordering::Relaxed);
        (until != 0).then(|| until.saturating_sub(now())).filter(|left| *left > 0).map(Duration::from_micros)
    }
}

/// Leaves an upstream alone that failed too often in a short time; after a rest, one call finds out how it is.
#[derive(Debug)]
pub struct Circuit {
    /// Until when it is open; 0 when it is closed.
    open_until: AtomicU64,
    most: u32,
    errors: Mutex<(u64, u32)>,
}

impl Circuit {
    pub fn new(most: u32) -> Self {
        Self { open_until: AtomicU64::new(0), most: most.max(1), errors: Mutex::new((0, 0)) }
    }

    /// Whether a call may go; otherwise how long to wait.
    pub fn admit(&self) -> Result<(), Duration> {
        let until = self.open_until.load(Ordering::Relaxed);
        if until == 0 {
            return Ok(());
        }
        let now = now();
        if now < until {
            return Err(Duration::from_micros(until - now));
        }
        // One call goes; the others wait for what becomes of it.
        let next = now.saturating_add(micros(REST));
        let first = self.open_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed);
        first.map(drop).map_err(|_| REST)
    }

    pub fn succeeded(&self) {
        if self.open_until.load(Ordering::Relaxed) != 0 {
            self.open_until.store(0, Ordering::Relaxed);
            *self.errors.lock().unwrap_or_else(PoisonError::into_inner) = (0, 0);
        }
    }

    pub fn failed(&self) {
        let now = now();
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(errors.0) > micros(WINDOW) {
            *errors = (now, 0);
        }
        errors.1 += 1;
        if errors.1 >= self.most {
            self.open_until.store(now.saturating_add(micros(REST)), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Circuit;

    #[test]
    fn many_errors_open_it_and_an_answer_closes_it() {
        let circuit = Circuit::new(3);
        circuit.failed();
        circuit.failed();
        assert!(circuit.admit().is_ok());
        circuit.failed();
        assert!(circuit.admit().is_err());
        circuit.succeeded();
        assert!(circuit.admit().is_ok());
    }
}
