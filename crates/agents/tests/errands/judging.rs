use kontor_agents::{Facts, Ground, Scanned, choose, judge};
use kontor_types::Digest;
use rstest::rstest;

fn facts(name: &str) -> Facts {
    Facts {
        skill: format!("@acme/{name}@1.0.0"),
        digest: Digest::of(name.as_bytes()),
        tool: Some("find".to_owned()),
        misfit: Vec::new(),
        verdict: Scanned::Clean,
        network: Vec::new(),
        secrets: Vec::new(),
        spec_valid: true,
        installs: 0,
        place: 0,
        deprecated: false,
        forbidden: None,
        price: None,
        allowed: true,
        must_ask: None,
    }
}

#[rstest]
#[case::best(|_: &mut Facts| {}, 90)]
#[case::unscanned(|facts: &mut Facts| facts.verdict = Scanned::Never, 50)]
#[case::incomplete(|facts: &mut Facts| facts.verdict = Scanned::Incomplete, 65)]
#[case::reaches_out(|facts: &mut Facts| facts.network = vec!["shop.example:443".to_owned()], 80)]
#[case::form(|facts: &mut Facts| facts.spec_valid = false, 80)]
#[case::far_behind(|facts: &mut Facts| facts.place = 40, 80)]
#[case::used(|facts: &mut Facts| facts.installs = 999, 96)]
#[case::much_used(|facts: &mut Facts| facts.installs = u64::MAX, 100)]
#[case::costs(|facts: &mut Facts| facts.price = Some("0.10 CNY".to_owned()), 80)]
fn marks_add_up(#[case] change: impl Fn(&mut Facts), #[case] total: u32) {
    let mut facts = facts("a");
    change(&mut facts);
    let judged = judge(facts, &["shop.example:443".to_owned()]);
    assert_eq!((judged.refused, judged.marks.total), (None, total));
}

#[rstest]
#[case(|facts: &mut Facts| facts.verdict = Scanned::Malicious, Ground::Malicious)]
#[case(|facts: &mut Facts| facts.verdict = Scanned::Suspicious, Ground::Suspicious)]
#[case(|facts: &mut Facts| facts.forbidden = Some("by policy".to_owned()), Ground::Forbidden)]
#[case(|facts: &mut Facts| facts.deprecated = true, Ground::Deprecated)]
#[case(|facts: &mut Facts| facts.secrets = vec!["TOKEN".to_owned()], Ground::Secrets)]
#[case(|facts: &mut Facts| facts.network = vec!["evil.example:443".to_owned()], Ground::Network)]
#[case(|facts: &mut Facts| facts.tool = None, Ground::Misfit)]
fn what_may_not_be_used_is_refused(#[case] change: impl Fn(&mut Facts), #[case] ground: Ground) {
    let mut facts = facts("a");
    change(&mut facts);
    let judged = judge(facts, &["shop.example:443".to_owned()]);
    assert_eq!((judged.refused, judged.marks.total), (Some(ground), 0));
    assert!(choose(&[judged]).is_none());
}

#[test]
fn the_most_marks_win_and_equals_go_by_place_and_name() {
    let (mut first, mut second, third) = (facts("b"), facts("a"), facts("c"));
    (first.place, second.place) = (1, 1);
    let judged = |all: &[&Facts]| {
        choose(&all.iter().map(|one| judge((*one).clone(), &[])).collect::<Vec<_>>()).unwrap().facts.skill.clone()
    };
    assert_eq!(judged(&[&first, &second, &third]), "@acme/c@1.0.0");
    assert_eq!(judged(&[&first, &second]), "@acme/a@1.0.0");
    first.installs = 10;
    assert_eq!(judged(&[&first, &second]), "@acme/b@1.0.0");
}
