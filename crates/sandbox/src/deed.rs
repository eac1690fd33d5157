use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Something that a process is about to do. Paths are as the process sees them, absolute and without `..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// It opens a file.
    Open {
        /// Which one.
        path: PathBuf,
        /// Whether to change it.
        write: bool,
    },
    /// It becomes another program.
    Start {
        /// The program's file.
        program: PathBuf,
        /// The command line.
        words: Vec<String>,
    },
    /// It connects, or sends a datagram.
    Reach {
        /// Where to.
        to: SocketAddr,
    },
    /// It removes a file or an empty folder.
    Remove {
        /// Which one.
        path: PathBuf,
    },
    /// It gives a file another name, a second one, or a link to it.
    Name {
        /// The file that is there.
        from: PathBuf,
        /// The new name.
        to: PathBuf,
    },
    /// It sleeps.
    Sleep {
        /// For how long; for a time on the clock nothing is said.
        time: Option<Duration>,
    },
    /// It leaves its session, as what wants to outlive its caller does.
    Leave,
    /// It asks for what no sandbox allows.
    Refused {
        /// The call's name.
        call: &'static str,
    },
    /// Something that could not be read, or is of no interest.
    Other,
}
