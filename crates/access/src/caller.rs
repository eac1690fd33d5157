use std::net::IpAddr;

use kontor_types::{Handle, PersonId, PublisherId, Role, Scope, SessionId, TokenId, Viewer};

use crate::Error;

/// Who asks for something, with what rights, from where.
///
/// Rights come together from three sides: what the person may do, what the token's scopes allow, and the publishers it is
/// bound to. Every scope includes reading. The powers of a hub administrator need scope `admin` on a token that is not
/// bound; any other token of an administrator acts as an ordinary person's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// What the caller may see.
    pub viewer: Viewer,
    /// The person who is signed in.
    pub person: Option<(PersonId, Handle)>,
    /// What the token or session may be used for.
    pub scopes: Vec<Scope>,
    /// The publishers the token is bound to; `None` means any.
    pub publishers: Option<Vec<PublisherId>>,
    /// The token that was shown.
    pub token: Option<TokenId>,
    /// The browser session that was shown.
    pub session: Option<SessionId>,
    /// The address the request came from.
    pub address: Option<IpAddr>,
    /// The id of the request, as in errors and logs.
    pub request_id: Option<String>,
    hub: bool,
}

impl Caller {
    /// Somebody who is not signed in.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// The hub itself: background work and first start.
    pub fn hub() -> Self {
        Self { viewer: Viewer::hub(), scopes: Scope::ALL.to_vec(), hub: true, ..Self::default() }
    }

    /// A person with the rights of a token or a session.
    pub fn person(
        (person, handle): (PersonId, Handle),
        administrator: bool,
        memberships: Vec<(PublisherId, Role)>,
        scopes: Vec<Scope>,
        publishers: Option<Vec<PublisherId>>,
    ) -> Self {
        let bound = |id: PublisherId| publishers.as_ref().is_none_or(|allowed| allowed.contains(&id));
        let memberships = memberships.into_iter().filter(|(id, _)| bound(*id)).collect();
        let viewer = if administrator && publishers.is_none() && scopes.contains(&Scope::Admin) {
            Viewer::administrator(person, memberships)
        } else {
            Viewer::person(person, memberships)
        };
        Self { viewer, person: Some((person, handle)), scopes, publishers, ..Self::default() }
    }

    /// Says where the request came from and what it is called in errors and logs.
    #[must_use]
    pub fn via(mut self, address: Option<IpAddr>, request_id: Option<String>) -> Self {
        self.address = address;
        self.request_id = request_id;
        self
    }

    /// What the caller may see.
    pub const fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Whether this is the hub itself.
    pub const fn is_hub(&self) -> bool {
        self.hub
    }

    /// The person who is signed in, whatever the scopes.
    pub fn person_id(&self) -> Option<PersonId> {
        self.person.as_ref().map(|(id, _)| *id)
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is.
    pub fn require_person(&self) -> Result<PersonId, Error> {
        self.person_id().ok_or(Error::Unauthenticated)
    }

    /// Passes when the token or session has `scope`.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Scope`] otherwise.
    pub fn require(&self, scope: Scope) -> Result<(), Error> {
        if self.hub {
            return Ok(());
        }
        self.require_person()?;
        if scope == Scope::Read || self.scopes.contains(&scope) { Ok(()) } else { Err(Error::Scope { scope }) }
    }

    /// Passes when the caller has `scope` and in `publisher` at least `role`, or is an administrator.
    ///
    /// # Errors
    /// As [`Caller::require`]; [`Error::Bound`] and [`Error::Role`].
    pub fn require_role(&self, publisher: PublisherId, role: Role, scope: Scope) -> Result<(), Error> {
        self.require(scope)?;
        if self.publishers.as_ref().is_some_and(|bound| !bound.contains(&publisher)) {
            return Err(Error::Bound);
        }
        let enough = self.viewer.role_in(publisher).is_some_and(|has| has.includes(role));
        if enough || self.viewer.is_administrator() { Ok(()) } else { Err(Error::Role { needed: role }) }
    }

    /// Passes for a hub administrator with scope `admin`, and for the hub itself.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Administrator`] otherwise.
    pub fn require_administrator(&self) -> Result<(), Error> {
        self.require(Scope::Admin).map_err(|error| match error {
            // Most who are told this are no administrators, and no token makes them one.
            Error::Scope { .. } => Error::Administrator,
            other => other,
        })?;
        if self.viewer.is_administrator() { Ok(()) } else { Err(Error::Administrator) }
    }
}
