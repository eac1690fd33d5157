use std::time::Duration;

use kontor_types::{Code, Handle, Problem, Role, Scope};

/// Why a verb of this crate was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in, or the token is unknown, expired or revoked.
    #[error("this needs a valid token")]
    Unauthenticated,
    /// The token lacks a scope.
    #[error("this needs a token with scope `{scope}`")]
    Scope {
        /// The scope that is missing.
        scope: Scope,
    },
    /// The token is bound to other publishers.
    #[error("the token is bound to certain publishers, and this goes beyond them")]
    Bound,
    /// The person has too small a role in the publisher.
    #[error("this needs the role `{needed}` in the publisher")]
    Role {
        /// The least role that may do this.
        needed: Role,
    },
    /// Only a hub administrator may do this.
    #[error("only an administrator of the hub may do this")]
    Administrator,
    /// No such publisher that the caller may see.
    #[error("there is no publisher `{handle}`")]
    PublisherNotFound {
        /// The name asked for.
        handle: Handle,
    },
    /// No such person.
    #[error("there is no person `{handle}`")]
    PersonNotFound {
        /// The name asked for.
        handle: Handle,
    },
    /// The person does not belong to the publisher.
    #[error("`{handle}` is not a member of the publisher")]
    MemberNotFound {
        /// The name asked for.
        handle: Handle,
    },
    /// The caller has no such token.
    #[error("there is no such token")]
    TokenNotFound,
    /// The caller has no such browser session.
    #[error("there is no such session")]
    SessionNotFound,
    /// A person or organisation has the name.
    #[error("the name `{handle}` is taken")]
    NameTaken {
        /// The name asked for.
        handle: Handle,
    },
    /// A publisher must keep an owner.
    #[error("the publisher would be left without an owner")]
    LastOwner,
    /// The hub must keep an administrator.
    #[error("the hub would be left without an administrator")]
    LastAdministrator,
    /// One person's publisher has no other members.
    #[error("`{handle}` is one person's publisher and takes no other members")]
    Personal {
        /// The publisher.
        handle: Handle,
    },
    /// A value breaks a rule.
    #[error("{reason}")]
    Invalid {
        /// Which value, and the rule.
        reason: String,
    },
    /// The token would outlive the one that makes it.
    #[error("a token cannot outlive the token that makes it")]
    Outlives,
    /// The person has as many working tokens as anyone may.
    #[error("you have {limit} working tokens, which is the most")]
    TooManyTokens {
        /// The most that one person may have.
        limit: i64,
    },
    /// No sign-in waits for this code.
    #[error("no sign-in waits for this code")]
    UserCode,
    /// The person typed too many wrong codes.
    #[error("too many wrong codes; wait ten minutes before the next")]
    TooManyTries,
    /// Too many device sign-ins wait at once.
    #[error("too many sign-ins wait for a decision; try again in a few minutes")]
    TooManySignIns,
    /// The one-time link is unknown, used or expired.
    #[error("this link was used before or is too old")]
    Link,
    /// The name or the password is not right.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// Too many wrong passwords.
    #[error("too many wrong passwords; the next is taken in {}", told(*wait))]
    TooManyPasswords {
        /// How long until the next is taken.
        wait: Duration,
    },
    /// Nothing shows that the caller may set the password.
    #[error("this needs your password as it is, or a one-time link of the last 15 minutes")]
    NoProof,
    /// Too many passwords wait for their turn.
    #[error("too many people sign in at this moment")]
    Busy,
    /// A password could not be hashed or asked.
    #[error("a password could not be asked")]
    Hash(#[from] kontor_crypto::Error),
    /// A page cursor is not one of ours.
    #[error("the cursor is not one that this hub gave out for this list")]
    Cursor,
    /// A policy cannot be used.
    #[error("the policy cannot be used: {}", listed(faults))]
    Policy {
        /// Everything that is wrong with it.
        faults: Vec<crate::policy::PolicyFault>,
    },
    /// The policy in force forbids it.
    #[error("the policy does not permit this{}", because(reasons))]
    Forbidden {
        /// The policies that forbid it.
        reasons: Vec<crate::policy::Reason>,
    },
    /// The database failed.
    #[error("a query about people failed")]
    Database(#[from] kontor_db::Error),
}

fn listed(faults: &[crate::policy::PolicyFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn told(wait: Duration) -> String {
    match wait.as_secs().div_ceil(60) {
        0 | 1 => "a minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

fn because(reasons: &[crate::policy::Reason]) -> String {
    let told: Vec<String> = reasons.iter().map(|reason| format!("{} ({})", reason.text, reason.policy)).collect();
    if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) }
}

impl Error {
    const fn code(&self) -> Code {
        match self {
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Scope { .. }
            | Self::Bound
            | Self::Role { .. }
            | Self::Administrator
            | Self::Outlives
            | Self::WrongPassword
            | Self::NoProof
            | Self::Forbidden { .. } => Code::Forbidden,
            Self::PublisherNotFound { .. } => Code::PublisherNotFound,
            Self::PersonNotFound { .. }
            | Self::MemberNotFound { .. }
            | Self::TokenNotFound
            | Self::SessionNotFound
            | Self::UserCode => Code::NotFound,
            Self::NameTaken { .. } => Code::NameTaken,
            Self::LastOwner | Self::LastAdministrator | Self::Personal { .. } | Self::TooManyTokens { .. } => {
                Code::Conflict
            }
            Self::Invalid { .. } | Self::Policy { .. } => Code::InvalidRequest,
            Self::TooManyTries | Self::TooManySignIns | Self::TooManyPasswords { .. } => Code::RateLimited,
            Self::Busy => Code::Unavailable,
            Self::Link => Code::Gone,
            Self::Cursor => Code::InvalidCursor,
            Self::Hash(_) | Self::Database(_) => Code::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unauthenticated => "sign in with `kontor login`, or set KONTOR_TOKEN",
            Self::Scope { scope } => {
                return Some(format!(
                    "`kontor login --scope {scope}` signs in again and adds it to what you may; or use a token that has it"
                ));
            }
            Self::Bound => "use a token that is not bound to publishers",
            Self::Role { .. } => "ask an owner of the publisher",
            Self::Administrator => "ask an administrator of the hub; their own token needs scope `admin`",
            Self::PersonNotFound { .. } => "`kontor person list` shows administrators who is known",
            Self::MemberNotFound { .. } => "`kontor publisher members NAME` shows who is",
            Self::PublisherNotFound { .. } => "look at `kontor publisher list` for those you know of",
            Self::TokenNotFound => "`kontor token list` shows yours",
            Self::SessionNotFound => "`kontor login sessions` shows yours",
            Self::NameTaken { .. } => "choose another name",
            Self::LastOwner => "make another member an owner first",
            Self::LastAdministrator => "make another person an administrator first",
            Self::Personal { .. } => "make an organisation with `kontor publisher create`",
            Self::Outlives => "give fewer days, or make it with a token that lasts longer",
            Self::TooManyTokens { .. } => "revoke some with `kontor token revoke`",
            Self::UserCode => "look at the device again: the code changes with every attempt and lasts ten minutes",
            Self::Policy { .. } => {
                "the policy in force stays; try yours with `kontor policy check FILE` until it passes"
            }
            Self::Forbidden { .. } => "ask an administrator; `kontor policy show` has the rules",
            Self::Link => "make a new one with `kontor login --web`",
            Self::WrongPassword => {
                "a one-time link from `kontor login --web`, or from an administrator, lets you in without one"
            }
            Self::TooManyPasswords { .. } => "or come in by a one-time link, which always works",
            Self::NoProof => "send the current password, or ask an administrator for `kontor person link NAME`",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// How long the user should wait, where that is known.
    pub const fn wait(&self) -> Option<Duration> {
        match self {
            Self::TooManyPasswords { wait } => Some(*wait),
            _ => None,
        }
    }

    /// What the user is told.
    pub fn problem(&self) -> Problem {
        let detail = match self {
            Self::Database(_) => "the database failed".to_owned(),
            other => other.to_string(),
        };
        Problem { code: self.code(), detail, hint: self.hint() }
    }
}
