//! What a caller may do: person, scopes and bound publishers together.

use kontor_access::{Caller, Error};
use kontor_types::{Code, Handle, PersonId, PublisherId, Role, Scope, Timestamp};
use rstest::rstest;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

struct Case {
    ours: PublisherId,
    theirs: PublisherId,
}

impl Case {
    fn new() -> Self {
        Self { ours: PublisherId::new(NOW), theirs: PublisherId::new(NOW) }
    }

    fn caller(&self, administrator: bool, role: Role, scopes: &[Scope], bound: Option<Vec<PublisherId>>) -> Caller {
        let person = (PersonId::new(NOW), Handle::parse("ada").unwrap());
        Caller::person(person, administrator, vec![(self.ours, role)], scopes.to_vec(), bound)
    }
}

#[rstest]
#[case::owner(Role::Owner, &[Scope::Publish], None)]
#[case::same_role(Role::Maintainer, &[Scope::Publish], None)]
#[case::too_small(Role::Reviewer, &[Scope::Publish], Some(Code::Forbidden))]
#[case::wrong_scope(Role::Owner, &[Scope::Read, Scope::Admin], Some(Code::Forbidden))]
fn role_and_scope_are_both_needed(#[case] role: Role, #[case] scopes: &[Scope], #[case] refused: Option<Code>) {
    let case = Case::new();
    let outcome = case.caller(false, role, scopes, None).require_role(case.ours, Role::Maintainer, Scope::Publish);
    assert_eq!(outcome.err().map(|error| error.problem().code), refused);
}

#[test]
fn every_scope_includes_reading_and_nobody_is_nobody() {
    let case = Case::new();
    assert!(case.caller(false, Role::Member, &[Scope::Publish], None).require(Scope::Read).is_ok());
    assert!(matches!(Caller::anonymous().require(Scope::Read), Err(Error::Unauthenticated)));
    assert!(Caller::hub().require_administrator().is_ok());
}

#[test]
fn an_administrator_needs_the_scope_and_an_unbound_token() {
    let case = Case::new();
    let all = Scope::ALL;
    assert!(case.caller(true, Role::Member, all, None).require_role(case.theirs, Role::Owner, Scope::Publish).is_ok());
    for caller in [
        case.caller(true, Role::Member, &[Scope::Publish, Scope::Read], None),
        case.caller(true, Role::Member, all, Some(vec![case.ours])),
    ] {
        assert!(!caller.viewer().is_administrator());
        assert!(caller.require_administrator().is_err());
        assert!(caller.require_role(case.theirs, Role::Member, Scope::Publish).is_err());
    }
}

#[test]
fn a_bound_token_neither_sees_nor_changes_other_publishers() {
    let case = Case::new();
    let caller = case.caller(false, Role::Owner, Scope::ALL, Some(vec![case.theirs]));
    assert_eq!(caller.viewer().role_in(case.ours), None);
    assert!(matches!(caller.require_role(case.ours, Role::Member, Scope::Publish), Err(Error::Bound)));
    assert!(matches!(caller.require_role(case.theirs, Role::Member, Scope::Publish), Err(Error::Role { .. })));
}
