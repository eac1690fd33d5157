use std::path::PathBuf;
use std::time::Duration;

use kontor_types::{Code, Digest, Problem};
use kontor_wire::ProblemBody;

/// Why something asked of a hub, a source or a folder did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The hub's address cannot be used.
    #[error("`{text}` is not the address of a hub: write it like {}", like(text))]
    Address {
        /// What was given.
        text: String,
    },
    /// No answer came.
    #[error("the hub at {registry} does not answer")]
    Connect {
        /// The hub's address.
        registry: String,
        /// What the connection says.
        #[source]
        source: reqwest::Error,
    },
    /// An answer began but did not end well.
    #[error("the answer of {registry} broke off")]
    Transfer {
        /// The hub's address.
        registry: String,
        /// What the connection says.
        #[source]
        source: reqwest::Error,
    },
    /// The hub says no, and why.
    #[error("{}", .0.detail)]
    Problem(Box<ProblemBody>),
    /// An answer that no hub gives.
    #[error("{registry} answered {status}: {text}")]
    Unexpected {
        /// The hub's address.
        registry: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        text: String,
    },
    /// An answer in another form than expected.
    #[error("{registry} answered something that is not of this API")]
    Decode {
        /// The hub's address.
        registry: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// More bytes than announced or allowed.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The most bytes allowed.
        limit: u64,
    },
    /// The bytes are not those that were promised.
    #[error("{what} has the digest {found}, not {expected}; nothing was installed")]
    Digest {
        /// What was downloaded.
        what: String,
        /// The digest promised.
        expected: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// The hub that is imported from says no.
    #[error("{registry} shows its skills' files only to who has a token of it")]
    SourceDenied {
        /// The hub's address.
        registry: String,
    },
    /// A file could not be fetched from the web.
    #[error("cannot fetch {address}")]
    Download {
        /// The address, without credentials.
        address: String,
        /// What went wrong.
        #[source]
        source: kontor_outbound::Error,
    },
    /// A package breaks a rule.
    #[error("{what} cannot be read")]
    Package {
        /// Which package.
        what: String,
        /// The rule.
        #[source]
        source: kontor_package::Error,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `rename`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The command line names something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// A program of the user's own failed.
    #[error("{program} failed: {message}")]
    Program {
        /// Which program.
        program: String,
        /// What kind of failure it is, as far as its words tell.
        kind: ErrorKind,
        /// The end of what it said.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// What a hub shows is not what may be believed of it.
    #[error("{message}")]
    Distrusted {
        /// What is wrong, in a word that stays.
        why: Distrust,
        /// What is wrong, for people.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Understood, but not done, so that nothing is lost.
    #[error("{message}")]
    Refused {
        /// Why.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

/// Why a hub is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// A version's proof does not hold.
    NotProven,
    /// The hub shows other keys than before.
    KeysReplaced,
    /// The log has fewer entries than it had.
    LogRolledBack,
    /// The log tells another history than it told.
    LogForked,
    /// The log goes by another name than before.
    LogReplaced,
    /// A version is signed with another key than the one that is pinned.
    SignerChanged,
    /// A version is not signed, though the one that is installed is.
    Unsigned,
    /// The key that signed a version was revoked.
    SignerRevoked,
    /// The hub does not admit a version any more.
    Blocked,
    /// The hub has other bytes under a version that is locked.
    Replaced,
}

impl Distrust {
    /// The word, as programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotProven => "not_proven",
            Self::KeysReplaced => "keys_replaced",
            Self::LogRolledBack => "log_rolled_back",
            Self::LogForked => "log_forked",
            Self::LogReplaced => "log_replaced",
            Self::SignerChanged => "signer_changed",
            Self::Unsigned => "unsigned",
            Self::SignerRevoked => "signer_revoked",
            Self::Blocked => "blocked",
            Self::Replaced => "replaced",
        }
    }
}

/// What kind of failure it is, for exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The hub did not answer.
    Unreachable,
    /// Not signed in, or not allowed.
    Denied,
    /// Nothing of that name.
    NotFound,
    /// Understood, but refused.
    Refused,
    /// What was asked cannot be.
    Usage,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// The kind in one word that stays.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::Other => "failed",
        }
    }
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Download {
                source: kontor_outbound::Error::Refused { .. } | kontor_outbound::Error::TooLarge { .. },
                ..
            }
            | Self::Digest { .. }
            | Self::Package { .. }
            | Self::Distrusted { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. } => ErrorKind::Refused,
            Self::Connect { .. } | Self::Transfer { .. } | Self::Download { .. } => ErrorKind::Unreachable,
            Self::Problem(problem) => match problem.status {
                401 | 403 => ErrorKind::Denied,
                404 | 410 => ErrorKind::NotFound,
                409 | 413 | 422 => ErrorKind::Refused,
                429 | 503 => ErrorKind::Unreachable,
                _ => ErrorKind::Other,
            },
            Self::SourceDenied { .. } => ErrorKind::Denied,
            Self::Address { .. } | Self::Usage(_) => ErrorKind::Usage,
            Self::Program { kind, .. } => *kind,
            Self::Unexpected { .. } | Self::Decode { .. } | Self::Io { .. } => ErrorKind::Other,
        }
    }

    /// The hub's code, when it gave one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// The failure in one word that stays: the hub's code when it gave one.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Problem(problem) => problem.code.as_str(),
            Self::Distrusted { why, .. } => why.as_str(),
            Self::Digest { .. } => "digest_mismatch",
            Self::TooLarge { .. } => "too_large",
            Self::Package { .. } => "package_refused",
            other => other.kind().as_str(),
        }
    }

    /// What to do next, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Problem(problem) => problem.hint.clone().or_else(|| hint_for(problem)),
            Self::Connect { registry, source } if answers_plainly(source) => {
                Some(format!("it speaks plain HTTP: use {}", registry.replacen("https://", "http://", 1)))
            }
            Self::Connect { .. } => {
                Some("start a hub with `kontor up`, or name another with --registry or KONTOR_REGISTRY".to_owned())
            }
            Self::Download { source: kontor_outbound::Error::Refused { .. }, .. } => {
                Some("it is redirected there; name that address itself if you trust it".to_owned())
            }
            Self::SourceDenied { .. } => {
                Some("make one there with `kontor token new` and give it with --source-token-file".to_owned())
            }
            Self::Unexpected { .. } | Self::Decode { .. } => {
                Some("check that --registry names a Kontor hub, and that its version is not much older".to_owned())
            }
            Self::Package { source, .. } => Some(source.finding().remedy).filter(|remedy| !remedy.is_empty()),
            Self::Digest { .. } => {
                Some("try again; if it stays, tell the hub's operator to run `kontor fsck`".to_owned())
            }
            Self::Program { hint, .. } | Self::Refused { hint, .. } => hint.clone(),
            Self::Distrusted { hint, .. } => Some(hint.clone()),
            _ => None,
        }
    }

    /// Makes an IO failure of something done to `path`.
    pub fn io(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { action, path: path.into(), source }
    }

    /// A refusal with what to do next.
    pub fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), hint: Some(hint.into()) }
    }

    /// A reason not to believe a hub, with what to do next.
    pub fn distrusted(why: Distrust, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Distrusted { why, message: message.into(), hint: hint.into() }
    }

    /// What a hub would answer for `problem`.
    pub fn from_problem(problem: Problem) -> Self {
        Self::Problem(Box::new(ProblemBody {
            kind: String::new(),
            title: problem.code.title().to_owned(),
            status: problem.code.status(),
            code: problem.code,
            detail: problem.detail,
            hint: problem.hint,
            request_id: None,
            matches: Vec::new(),
            findings: Vec::new(),
        }))
    }
}

/// How a hub's address is written, with what was given where that is one without its beginning.
fn like(text: &str) -> String {
    let example = || "https://skills.example.com".to_owned();
    match url::Url::parse(&format!("http://{text}")) {
        Ok(_) if text.contains('/') => example(),
        Ok(url) if crate::transport::is_loopback(&url) => format!("http://{text}"),
        Ok(_) => format!("https://{text}"),
        Err(_) => example(),
    }
}

/// Whether what came in place of TLS is something else: most often HTTP without it.
fn answers_plainly(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).any(|text| text.contains("InvalidContentType"))
}

fn hint_for(problem: &ProblemBody) -> Option<String> {
    match problem.code {
        Code::Unauthenticated => Some("sign in with `kontor login`, or give --token-file or KONTOR_TOKEN".to_owned()),
        Code::AmbiguousSlug => {
            let names: Vec<String> = problem.matches.iter().take(10).map(|found| found.reference.to_string()).collect();
            (!names.is_empty()).then(|| format!("name one of {}", names.join(", ")))
        }
        _ => None,
    }
}

/// How long to wait before the next try.
pub(crate) fn pause(attempt: u32, wanted: Option<Duration>) -> Duration {
    /// Nobody waits longer than this for one answer.
    const LONGEST: Duration = Duration::from_mins(1);
    let step = Duration::from_millis(100).saturating_mul(1 << attempt.min(6));
    wanted.unwrap_or(step).min(LONGEST)
}
