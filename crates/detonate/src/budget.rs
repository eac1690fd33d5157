use std::time::Duration;

/// How much the runs of one skill may take together.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Time on the clock for each start of a program.
    pub each: Duration,
    /// Time on the clock for all of them.
    pub whole: Duration,
    /// Scripts and commands that are started; each some times.
    pub scripts: usize,
    /// How many run at the same time.
    pub at_once: usize,
    /// Memory of each in bytes.
    pub memory: u64,
}

impl Default for Budget {
    /// Ten seconds each, three minutes in all, 40 scripts, two at once with 512 MiB each.
    fn default() -> Self {
        Self {
            each: Duration::from_secs(10),
            whole: Duration::from_mins(3),
            scripts: 40,
            at_once: 2,
            memory: 512 << 20,
        }
    }
}
