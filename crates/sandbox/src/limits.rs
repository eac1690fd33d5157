use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much a command and all that it starts may use together, unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Time on the clock; then everything is killed.
    pub wall: Duration,
    /// How long processes may go on that are left when the command has ended; none unless said otherwise.
    #[serde(default)]
    pub linger: Duration,
    /// Time on processors, of all processes together.
    pub cpu: Duration,
    /// Memory in bytes, of all processes together.
    pub memory: u64,
    /// Processes and threads at the same time.
    pub processes: u64,
    /// Open files of each process.
    pub open_files: u64,
    /// Bytes in `/tmp`, `/dev/shm` and a fresh work folder together, and of any one file.
    pub disk: u64,
    /// Files and folders in `/tmp`, `/dev/shm` and a fresh work folder together.
    pub files: u64,
}

impl Default for Limits {
    /// Five minutes, 1 GiB of memory, 256 processes, 512 MiB in 64 Ki files.
    fn default() -> Self {
        Self {
            wall: Duration::from_mins(5),
            linger: Duration::ZERO,
            cpu: Duration::from_mins(5),
            memory: 1 << 30,
            processes: 256,
            open_files: 1024,
            disk: 512 << 20,
            files: 64 << 10,
        }
    }
}
