//! What the services say when they fail.

use std::time::Duration;

use kontor_types::{Code, SkillRef};
use kontor_wire as wire;

use super::Failure;

/// When to ask again for a purchase of which the merchant has not said how it ended.
const LATER: Duration = Duration::from_secs(2);

impl From<kontor_access::Error> for Failure {
    fn from(error: kontor_access::Error) -> Self {
        let failure = Self::from(error.problem()).cause(&error);
        match error.wait() {
            Some(wait) => failure.retry_after(wait),
            None => failure,
        }
    }
}

impl From<kontor_db::Error> for Failure {
    fn from(error: kontor_db::Error) -> Self {
        Self::new(Code::Internal, "the database failed").cause(&error)
    }
}

impl From<kontor_registry::Error> for Failure {
    fn from(error: kontor_registry::Error) -> Self {
        let failure = Self::from(error.problem());
        match error {
            kontor_registry::Error::AmbiguousSlug { matches, .. } => {
                let named = |reference: SkillRef| wire::Match { name: reference.slug.to_string(), reference };
                failure.matches(matches.into_iter().map(named).collect())
            }
            kontor_registry::Error::Refused { findings } => {
                failure.findings(findings.into_iter().map(finding).collect())
            }
            kontor_registry::Error::Content(error) => failure.findings(vec![finding(error.finding())]),
            other => failure.cause(&other),
        }
    }
}

impl From<kontor_dispatch::Error> for Failure {
    fn from(error: kontor_dispatch::Error) -> Self {
        if let kontor_dispatch::Error::Registry(error) = error {
            return error.into();
        }
        let failure = Self::from(error.problem()).cause(&error);
        match error.retry_after() {
            Some(wait) => failure.retry_after(wait),
            None => failure,
        }
    }
}

impl From<kontor_gateway::Error> for Failure {
    fn from(error: kontor_gateway::Error) -> Self {
        let failure = Self::from(error.problem()).cause(&error);
        match error.retry_after() {
            Some(wait) => failure.retry_after(wait),
            None => failure,
        }
    }
}

impl From<kontor_workflow::Error> for Failure {
    fn from(error: kontor_workflow::Error) -> Self {
        Self::from(error.problem()).cause(&error)
    }
}

impl From<kontor_agents::Error> for Failure {
    fn from(error: kontor_agents::Error) -> Self {
        Self::from(error.problem()).cause(&error)
    }
}

impl From<kontor_commerce::Error> for Failure {
    fn from(error: kontor_commerce::Error) -> Self {
        let failure = Self::from(error.problem()).cause(&error);
        match error {
            kontor_commerce::Error::Unknown { .. } => failure.retry_after(LATER),
            _ => failure,
        }
    }
}

/// What a check noticed.
pub fn finding(finding: kontor_package::Finding) -> wire::Finding {
    wire::Finding {
        code: finding.code.into_owned(),
        severity: match finding.severity {
            kontor_package::Severity::Error => wire::Severity::Error,
            kontor_package::Severity::Warning => wire::Severity::Warning,
            kontor_package::Severity::Note => wire::Severity::Note,
        },
        file: finding.file,
        line: finding.line,
        message: finding.message,
        remedy: finding.remedy,
    }
}
