use kontor_types::{Code, Problem, Role, Scope};

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
    #[error("the token is bound to other publishers")]
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
    /// The database failed.
    #[error("a query about people failed")]
    Database(#[from] kontor_db::Error),
}

impl Error {
    /// What the user is told.
    pub fn problem(&self) -> Problem {
        let text = self.to_string();
        match self {
            Self::Unauthenticated => {
                Problem::new(Code::Unauthenticated, text).hint("sign in with `kontor login`, or set KONTOR_TOKEN")
            }
            Self::Scope { scope } => Problem::new(Code::Forbidden, text)
                .hint(format!("make one with `kontor token new --scope {scope}`, then sign in with it")),
            Self::Bound => {
                Problem::new(Code::Forbidden, text).hint("use a token that is not bound, or bound to this one")
            }
            Self::Role { .. } => Problem::new(Code::Forbidden, text).hint("ask an owner of the publisher"),
            Self::Administrator => Problem::new(Code::Forbidden, text),
            Self::Database(_) => Problem::new(Code::Internal, "the database failed"),
        }
    }
}
