use crate::{PersonId, PublisherId, Role, Visibility};

/// Who looks: a required argument of every read, so that nothing hidden leaks by forgetting a filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Viewer {
    person: Option<PersonId>,
    administrator: bool,
    memberships: Vec<(PublisherId, Role)>,
}

impl Viewer {
    /// Somebody who is not signed in.
    pub const fn anonymous() -> Self {
        Self { person: None, administrator: false, memberships: Vec::new() }
    }

    /// A signed-in person with the publishers they belong to.
    pub const fn person(person: PersonId, memberships: Vec<(PublisherId, Role)>) -> Self {
        Self { person: Some(person), administrator: false, memberships }
    }

    /// A hub administrator, who sees everything.
    pub const fn administrator(person: PersonId, memberships: Vec<(PublisherId, Role)>) -> Self {
        Self { person: Some(person), administrator: true, memberships }
    }

    /// The hub itself, for background work such as building the index.
    pub const fn hub() -> Self {
        Self { person: None, administrator: true, memberships: Vec::new() }
    }

    /// The signed-in person.
    pub const fn person_id(&self) -> Option<PersonId> {
        self.person
    }

    /// Whether this viewer sees everything.
    pub const fn is_administrator(&self) -> bool {
        self.administrator
    }

    /// The role in a publisher, if any.
    pub fn role_in(&self, publisher: PublisherId) -> Option<Role> {
        self.memberships.iter().find(|(id, _)| *id == publisher).map(|(_, role)| *role)
    }

    /// Publishers whose `organisation` skills this viewer sees: every membership.
    pub fn member_of(&self) -> impl Iterator<Item = PublisherId> + '_ {
        self.memberships.iter().map(|(id, _)| *id)
    }

    /// Publishers whose `private` and hidden skills this viewer sees: owner, admin or maintainer there.
    pub fn maintainer_of(&self) -> impl Iterator<Item = PublisherId> + '_ {
        self.memberships.iter().filter(|(_, role)| role.includes(Role::Maintainer)).map(|(id, _)| *id)
    }

    /// Publishers whose held versions this viewer may decide on: reviewer there or more.
    pub fn reviewer_of(&self) -> impl Iterator<Item = PublisherId> + '_ {
        self.memberships.iter().filter(|(_, role)| role.includes(Role::Reviewer)).map(|(id, _)| *id)
    }

    /// Whether a skill of `publisher` with `visibility` may be opened by name.
    pub fn may_open(&self, publisher: PublisherId, visibility: Visibility) -> bool {
        match visibility {
            _ if self.administrator => true,
            Visibility::Public | Visibility::Unlisted => true,
            Visibility::Organisation => self.role_in(publisher).is_some(),
            Visibility::Private => self.role_in(publisher).is_some_and(|role| role.includes(Role::Maintainer)),
        }
    }

    /// Whether such a skill may also appear in lists, counts and search results.
    pub fn may_list(&self, publisher: PublisherId, visibility: Visibility) -> bool {
        match visibility {
            Visibility::Unlisted => self.administrator || self.role_in(publisher).is_some(),
            other => self.may_open(publisher, other),
        }
    }
}
