use kontor_access::policy::{Action, Reason};
use kontor_package::Finding;
use kontor_types::{Code, Handle, Problem, SkillRef, Slug, Timestamp, Version};

/// Why a verb of the registry was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The version was not admitted, so nobody installs it; its maintainers see it all the same.
    #[error("{version} is {state} and cannot be installed")]
    NotAdmitted {
        /// The version.
        version: Box<SkillRef>,
        /// How far it has come.
        state: kontor_db::versions::VersionState,
    },
    /// The policy in force does not permit it to whoever asked.
    #[error("{version} may not be {} here: {}", done(*action), because(reasons))]
    Forbidden {
        /// The version.
        version: Box<SkillRef>,
        /// What was asked for.
        action: Action,
        /// The policies that forbid it; none when no policy permits it.
        reasons: Vec<Reason>,
    },
    /// Secrets are not given to a run.
    #[error("{}", refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    SecretsRefused {
        /// Which, and why.
        refusals: Vec<crate::secrets::SecretRefusal>,
    },
    /// The publisher has no such secret.
    #[error("@{publisher} has no secret `{name}`")]
    SecretNotFound {
        /// The publisher.
        publisher: Handle,
        /// The name that was asked for.
        name: String,
    },
    /// The secrets of this hub cannot be sealed.
    #[error("the secret cannot be sealed")]
    Sealing(#[source] kontor_crypto::Error),
    /// The policy in force cannot be read by this program, so nothing is decided or handed out.
    #[error("the policy of this hub cannot be used")]
    NoPolicy(#[source] kontor_access::Error),
    /// The publisher takes only versions that are signed.
    #[error("@{handle} takes only signed versions, and this one is not signed")]
    SignatureRequired {
        /// The publisher.
        handle: Handle,
    },
    /// A signature does not hold, is about something else, or was made with a key that may not sign.
    #[error("the signature is refused: {reason}")]
    SignatureRefused {
        /// Why.
        reason: String,
    },
    /// The scanner's own rules cannot be read.
    #[error("the scanner cannot start: {reason}")]
    Scanner {
        /// What is wrong with them.
        reason: String,
    },
    /// The caller may not do this.
    #[error(transparent)]
    Access(#[from] kontor_access::Error),
    /// No publisher of that name that the viewer may know of.
    #[error("there is no publisher @{handle}")]
    PublisherNotFound {
        /// The name.
        handle: Handle,
    },
    /// No skill of that name that the viewer may see.
    #[error("Skill not found: {reference}")]
    SkillNotFound {
        /// The name as it was given.
        reference: Box<SkillRef>,
    },
    /// The skill has no such version that the viewer may see.
    #[error("{skill} has no version {wanted}")]
    VersionNotFound {
        /// The skill.
        skill: Box<SkillRef>,
        /// The number, tag or range that was asked for.
        wanted: String,
    },
    /// The version has no such file.
    #[error("{version} has no file `{}`", shown(path))]
    FileNotFound {
        /// The version.
        version: Box<SkillRef>,
        /// The path that was asked for.
        path: String,
    },
    /// Nothing of that kind and name that the viewer may see.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// Several skills that the viewer may see have the name.
    #[error("`{slug}` may mean {}", list(matches))]
    AmbiguousSlug {
        /// The name.
        slug: Slug,
        /// The skills that it may mean, as far as the viewer may see them.
        matches: Vec<SkillRef>,
    },
    /// The version exists with other content.
    #[error("{skill} has a version {number} with other content")]
    VersionTaken {
        /// The skill.
        skill: Box<SkillRef>,
        /// The number that is taken.
        number: Version,
        /// The next number that is free.
        next: Version,
    },
    /// The name belongs to another skill.
    #[error("the name {name} is taken{}", moved(target.as_deref()))]
    NameTaken {
        /// The name.
        name: Box<SkillRef>,
        /// The skill it leads to, where the caller may know.
        target: Option<Box<SkillRef>>,
    },
    /// The name is held back after a deletion.
    #[error("the name {name} is held back until {until} after a deletion")]
    NameReserved {
        /// The name.
        name: Box<SkillRef>,
        /// Until when.
        until: Timestamp,
    },
    /// Another path of this or another source already made this skill.
    #[error("{name} is there already, {}", made(made_by.as_ref()))]
    ImportConflict {
        /// The name.
        name: Box<SkillRef>,
        /// The folder and source that made it; none for a skill that was published.
        made_by: Option<String>,
    },
    /// The content cannot be accepted.
    #[error("the skill is refused: {}", first(findings))]
    Refused {
        /// The reasons, each with file, line and remedy.
        findings: Vec<Finding>,
    },
    /// The files cannot become a skill's content.
    #[error("the files cannot become a skill")]
    Content(#[from] kontor_package::Error),
    /// Something in the request breaks a rule.
    #[error("{detail}")]
    Invalid {
        /// What, and what to do.
        detail: String,
    },
    /// The page cursor is not one of this list.
    #[error("the cursor does not belong to this list: begin again without it")]
    Cursor,
    /// The present state does not allow this.
    #[error("{detail}")]
    Conflict {
        /// What stands against it.
        detail: String,
        /// What to do.
        hint: &'static str,
    },
    /// Skills require each other in a circle.
    #[error("skills require each other in a circle: {chain}")]
    RequiresCycle {
        /// The circle in words.
        chain: String,
    },
    /// No set of versions meets every requirement.
    #[error("{explanation}")]
    RequiresConflict {
        /// Who requires what, in words.
        explanation: String,
    },
    /// An address may not be reached or is none.
    #[error("the address cannot be used: {reason}")]
    Address {
        /// Why.
        reason: String,
    },
    /// The database failed.
    #[error("a query about skills failed")]
    Database(#[source] kontor_db::Error),
    /// The blob store failed.
    #[error("the blob store failed")]
    Blobs(#[from] kontor_blob::Error),
    /// The search index failed.
    #[error("the search index failed")]
    Search(#[source] kontor_search::Error),
    /// The transparency log failed, or has no answer.
    #[error("the transparency log cannot prove it")]
    Log(#[from] kontor_translog::Error),
    /// Another policy was set while a decision was made by the one before; nothing was decided.
    #[error("the policy was changed meanwhile")]
    PolicyChanged,
    /// The process is shutting down.
    #[error("the work was interrupted")]
    Interrupted,
}

impl From<kontor_db::Error> for Error {
    fn from(source: kontor_db::Error) -> Self {
        Self::Database(source)
    }
}

impl From<kontor_search::Error> for Error {
    fn from(source: kontor_search::Error) -> Self {
        match source {
            kontor_search::Error::Cursor => Self::Cursor,
            other => Self::Search(other),
        }
    }
}

impl Error {
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::Invalid { detail: detail.into() }
    }

    pub(crate) fn conflict(detail: impl Into<String>, hint: &'static str) -> Self {
        Self::Conflict { detail: detail.into(), hint }
    }

    /// Whether the same unit of work may succeed when it is tried again: another one was faster.
    pub(crate) fn is_race(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_race())
    }

    /// What the user is told.
    pub fn problem(&self) -> Problem {
        let text = self.to_string();
        match self {
            Self::Access(error) => error.problem(),
            Self::PublisherNotFound { .. } => Problem::new(Code::PublisherNotFound, text)
                .hint("look at `kontor publisher list` for those you know of"),
            Self::SkillNotFound { .. } => Problem::new(Code::SkillNotFound, text)
                .hint("look for it with `kontor search`; a private skill needs a token of a member"),
            Self::VersionNotFound { .. } => {
                Problem::new(Code::VersionNotFound, text).hint("`kontor info` shows the versions there are")
            }
            Self::FileNotFound { .. } => Problem::new(Code::FileNotFound, text),
            Self::NotFound { what: "tag" } => {
                Problem::new(Code::NotFound, text).hint("`kontor tag REF` lists the tags")
            }
            Self::NotFound { what: "transfer" } => {
                Problem::new(Code::NotFound, text).hint("`kontor transfer list` shows those that wait for you")
            }
            Self::NotFound { .. } => Problem::new(Code::NotFound, text),
            Self::AmbiguousSlug { slug, .. } => {
                Problem::new(Code::AmbiguousSlug, text).hint(format!("name the publisher: @publisher/{slug}"))
            }
            Self::VersionTaken { next, .. } => {
                Problem::new(Code::VersionTaken, text).hint(format!("publish it as {next}: versions never change"))
            }
            Self::NameTaken { .. } => Problem::new(Code::NameTaken, text).hint("choose another name"),
            Self::NameReserved { .. } => Problem::new(Code::NameReserved, text)
                .hint("bring the deleted skill back with `kontor undelete`, or choose another name"),
            Self::ImportConflict { .. } => Problem::new(Code::ImportConflict, text)
                .hint("import with `--on-conflict rename`, or give it another name"),
            Self::Refused { findings } => refused(findings, text),
            Self::Content(error) => content(error),
            Self::Invalid { .. } => Problem::new(Code::InvalidRequest, text),
            Self::Cursor => Problem::new(Code::InvalidCursor, text),
            Self::Conflict { hint, .. } => Problem::new(Code::Conflict, text).hint(*hint),
            Self::RequiresCycle { .. } => Problem::new(Code::RequiresCycle, text)
                .hint("ask the authors to break the circle, or pin versions that have none"),
            Self::RequiresConflict { .. } => Problem::new(Code::RequiresConflict, text)
                .hint("ask for other versions, or ask the authors to widen their ranges"),
            Self::Address { .. } => Problem::new(Code::ForbiddenAddress, text),
            Self::NotAdmitted { .. } => Problem::new(Code::NotAdmitted, text).hint(
                "`kontor info` shows what was found and decided; a publisher may appeal with `kontor review appeal`",
            ),
            Self::Forbidden { version, .. } => Problem::new(Code::PolicyForbids, text)
                .hint(format!("`kontor policy explain {version}` names the facts; ask an administrator of the hub")),
            Self::SecretsRefused { .. } => Problem::new(Code::SecretRefused, text)
                .hint("`kontor secret list` shows what may be given which secret; `kontor secret grant` releases one"),
            Self::SecretNotFound { .. } => {
                Problem::new(Code::SecretNotFound, text).hint("`kontor secret list` shows those there are")
            }
            Self::Sealing(_) => Problem::new(Code::Internal, "the secret cannot be sealed"),
            Self::NoPolicy(_) => Problem::new(Code::Unavailable, text).hint(
                "an administrator sets another with `kontor policy set`; the hub's log has what is wrong with it",
            ),
            Self::SignatureRequired { .. } => Problem::new(Code::SignatureRequired, text)
                .hint("make a key with `kontor key new`; `kontor publish` signs with it"),
            Self::SignatureRefused { .. } => Problem::new(Code::SignatureRefused, text).hint(
                "`kontor key list` shows the publisher's keys; publish with `--no-sign` to leave the signature out",
            ),
            Self::Scanner { .. } => Problem::new(Code::Internal, "the scanner cannot start"),
            Self::Database(_) => Problem::new(Code::Internal, "the database failed"),
            Self::Blobs(_) => Problem::new(Code::Internal, "the blob store failed"),
            Self::Search(_) => Problem::new(Code::Internal, "the search index failed"),
            Self::Log(kontor_translog::Error::Silent) => {
                Problem::new(Code::NotFound, "the log says nothing of this version: it is older than the hub's log")
            }
            Self::Log(kontor_translog::Error::Waiting) => {
                Problem::new(Code::Unavailable, "what the log says of this version is not published yet")
                    .hint("try again in a moment; if it stays so, the hub's operator finds the reason in its log")
            }
            Self::Log(_) => Problem::new(Code::Internal, "the transparency log failed"),
            Self::PolicyChanged => Problem::new(Code::Conflict, text).hint("try again: it is decided by the new one"),
            Self::Interrupted => Problem::new(Code::Unavailable, text).hint("try again in a moment"),
        }
    }
}

const fn done(action: Action) -> &'static str {
    match action {
        Action::Run => "run",
        _ => "installed",
    }
}

fn because(reasons: &[Reason]) -> String {
    let told: Vec<String> = reasons.iter().map(|reason| format!("{} ({})", reason.text, reason.policy)).collect();
    if told.is_empty() { "no policy permits it".to_owned() } else { told.join("; ") }
}

fn made(by: Option<&String>) -> String {
    by.map_or_else(|| "published by hand".to_owned(), |by| format!("made by {by}"))
}

fn refused(findings: &[Finding], text: String) -> Problem {
    let problem = Problem::new(Code::PackageRefused, text);
    match findings.first().filter(|finding| !finding.remedy.is_empty()) {
        Some(finding) => problem.hint(finding.remedy.clone()),
        None => problem,
    }
}

fn content(error: &kontor_package::Error) -> Problem {
    let code = match error.code() {
        "file_too_large" | "skill_too_large" | "too_many_files" => Code::TooLarge,
        _ => Code::PackageRefused,
    };
    Problem::new(code, error.to_string()).hint(error.finding().remedy)
}

fn first(findings: &[Finding]) -> String {
    let Some(finding) = findings.first() else { return "it breaks a rule".to_owned() };
    match (finding.file.as_str(), finding.line) {
        ("", _) => finding.message.clone(),
        (file, 0) => format!("{file}: {}", finding.message),
        (file, line) => format!("{file}:{line}: {}", finding.message),
    }
}

fn list(matches: &[SkillRef]) -> String {
    match matches {
        [] => "a skill that was deleted".to_owned(),
        [one] => format!("{one} or a skill that was deleted"),
        many => many.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn moved(target: Option<&SkillRef>) -> String {
    target.map(|target| format!(": it leads to {target}")).unwrap_or_default()
}

/// A foreign path fit for a message.
fn shown(path: &str) -> String {
    path.chars().take(200).filter(|char| !char.is_control()).collect()
}
