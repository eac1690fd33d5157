use kontor_package::{NetworkGrant, Permissions, RunLimits};
use kontor_runs::{CallerGrants, Ceiling, Granted, USUAL_MEMORY, beyond};
use rstest::rstest;

fn grants(list: &[&str]) -> Vec<NetworkGrant> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

#[rstest]
#[case::nothing_asked(&[], &["a.example.com:443"], None, &[])]
#[case::nothing_granted(&["a.example.com:443"], &[], None, &[])]
#[case::both(&["a.example.com:443", "b.example.com:443"], &["a.example.com:443"], None, &["a.example.com:443"])]
#[case::another_port(&["a.example.com:443"], &["a.example.com:80"], None, &[])]
#[case::the_narrower_of_two(&["*.example.com:443"], &["a.example.com:443"], None, &["a.example.com:443"])]
#[case::a_wildcard_is_not_its_root(&["*.example.com:443"], &["example.com:443"], None, &[])]
#[case::no_suffix_trick(&["*.example.com:443"], &["evilexample.com:443"], None, &[])]
#[case::below_the_ceiling(&["a.example.com:443"], &["a.example.com:443"], Some(vec![]), &[])]
#[case::within_the_ceiling(&["a.example.com:443"], &["a.example.com:443"], Some(vec!["*.example.com:443"]), &["a.example.com:443"])]
fn what_is_granted_was_asked_for_and_granted_and_allowed(
    #[case] asked: &[&str],
    #[case] caller: &[&str],
    #[case] ceiling: Option<Vec<&str>>,
    #[case] expected: &[&str],
) {
    let asked = Permissions { network: grants(asked), ..Permissions::default() };
    let caller = CallerGrants { network: grants(caller), ..CallerGrants::default() };
    let ceiling = Ceiling { network: ceiling.map(|list| grants(&list)), ..Ceiling::default() };
    let granted = Granted::of(&asked, &RunLimits::default(), &ceiling, &caller);
    assert_eq!(granted.network, grants(expected));
}

#[test]
fn secrets_and_limits_are_the_least_of_all() {
    let asked = Permissions { secrets: vec!["A_KEY".to_owned(), "B_KEY".to_owned()], ..Permissions::default() };
    let limits = RunLimits { wall: Some("30s".parse().unwrap()), memory: None };
    let caller = CallerGrants { secrets: vec!["B_KEY".to_owned(), "C_KEY".to_owned()], ..CallerGrants::default() };
    let granted = Granted::of(&asked, &limits, &Ceiling::default(), &caller);
    assert_eq!((granted.secrets, granted.wall_ms, granted.memory), (vec!["B_KEY".to_owned()], 30_000, USUAL_MEMORY));

    let ceiling: Ceiling =
        Ceiling { secrets: Some(Vec::new()), wall: Some("2s".parse().unwrap()), ..Ceiling::default() };
    let granted = Granted::of(&asked, &limits, &ceiling, &caller);
    assert_eq!((granted.secrets, granted.wall_ms), (Vec::new(), 2_000));
}

#[test]
fn what_goes_beyond_is_named() {
    let asked = Permissions { network: grants(&["*.example.com:443"]), ..Permissions::default() };
    let caller = CallerGrants {
        network: grants(&["a.example.com:443", "other.example:443"]),
        secrets: vec!["A_KEY".to_owned()],
        ..CallerGrants::default()
    };
    let more = beyond(&asked, &caller);
    assert_eq!((more.network, more.secrets), (grants(&["other.example:443"]), vec!["A_KEY".to_owned()]));
}
