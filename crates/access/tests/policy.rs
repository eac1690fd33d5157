//! Policies: what the presets decide about which facts, and which texts never become one.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

use kontor_access::policy::{Action, Actor, Depends, Outcome, PRESETS, Policy, PurchaseFacts, VersionFacts, preset};
use rstest::rstest;

fn load(name: &str) -> Policy {
    Policy::load(name, preset(name).unwrap()).unwrap()
}

/// Facts in words: the verdict and what else differs from a clean version that somebody published themselves.
fn facts(words: &str) -> VersionFacts {
    let mut facts = VersionFacts { license: "MIT".to_owned(), ..VersionFacts::default() };
    for word in words.split(' ') {
        match word {
            "clean" => {}
            "low" => facts.severity = 2,
            "suspicious" => (facts.verdict, facts.severity) = (word.to_owned(), 3),
            "malicious" => (facts.verdict, facts.severity) = (word.to_owned(), 5),
            "incomplete" => (facts.verdict, facts.complete) = (word.to_owned(), false),
            "partly" => facts.complete = false,
            "approved" => (facts.review, facts.approvals) = (word.to_owned(), 1),
            "twice" => facts.approvals = 2,
            "rejected" | "open" => word.clone_into(&mut facts.review),
            "imported" => "git".clone_into(&mut facts.origin),
            "secrets" => facts.secrets.insert("TOKEN".to_owned()).then_some(()).unwrap(),
            "signed" => (facts.signer, facts.signature) = ("acme".to_owned(), "valid".to_owned()),
            "revoked" => word.clone_into(&mut facts.signature),
            "unlicensed" => facts.license.clear(),
            "organisation" => word.clone_into(&mut facts.visibility),
            "copy" => (facts.copy_of, facts.likeness) = ("@acme/pdf@1.0.0".to_owned(), 98),
            "changed" => {
                facts.payload_changed = ["starts bash", "talks to evil.example"].map(str::to_owned).into();
            }
            "not-run" => "failed".clone_into(&mut facts.detonated),
            "run-partly" => "partly".clone_into(&mut facts.detonated),
            "look-alike" => "@acme/pdf".clone_into(&mut facts.looks_like),
            other => unreachable!("{other}"),
        }
    }
    facts
}

#[rstest]
#[case("balanced", "clean", Outcome::Admit, "admit-examined")]
#[case("balanced", "clean low", Outcome::Admit, "admit-examined")]
#[case("balanced", "clean imported unlicensed secrets", Outcome::Admit, "admit-examined")]
#[case("balanced", "suspicious", Outcome::Review, "review-suspicious")]
#[case("balanced", "suspicious open", Outcome::Review, "review-suspicious")]
#[case("balanced", "suspicious approved", Outcome::Admit, "admit-examined")]
#[case("balanced", "incomplete", Outcome::Review, "review-incomplete")]
#[case("balanced", "suspicious partly", Outcome::Review, "review-incomplete, review-suspicious")]
#[case("open", "clean not-run", Outcome::Review, "review-not-run")]
#[case("balanced", "clean not-run", Outcome::Review, "review-not-run")]
#[case("balanced", "clean not-run approved", Outcome::Admit, "admit-examined")]
#[case("balanced", "clean run-partly", Outcome::Admit, "admit-examined")]
#[case("enterprise", "clean run-partly", Outcome::Review, "review-not-run")]
#[case("balanced", "malicious", Outcome::Quarantine, "quarantine-malicious")]
#[case("balanced", "malicious partly", Outcome::Quarantine, "quarantine-malicious, review-incomplete")]
#[case("balanced", "malicious approved", Outcome::Admit, "admit-examined")]
#[case("balanced", "clean rejected", Outcome::Reject, "reject-refused")]
#[case("balanced", "clean signed", Outcome::Admit, "admit-examined")]
#[case("balanced", "clean revoked", Outcome::Quarantine, "quarantine-revoked-key")]
#[case("balanced", "clean revoked approved", Outcome::Admit, "admit-examined")]
#[case("open", "clean revoked", Outcome::Review, "review-revoked-key")]
#[case("enterprise", "clean imported signed", Outcome::Review, "review-imports")]
#[case("enterprise", "clean revoked approved", Outcome::Quarantine, "quarantine-revoked-key")]
#[case("enterprise", "clean revoked approved twice", Outcome::Admit, "admit-examined")]
#[case("balanced", "clean copy", Outcome::Admit, "admit-examined")]
#[case("balanced", "clean copy changed", Outcome::Review, "review-changed-copy")]
#[case("balanced", "clean copy changed approved", Outcome::Admit, "admit-examined")]
#[case("balanced", "clean look-alike", Outcome::Review, "review-look-alike")]
#[case("balanced", "malicious look-alike", Outcome::Quarantine, "quarantine-malicious, review-look-alike")]
#[case("open", "clean copy changed look-alike", Outcome::Admit, "admit-all, warn-changed-copy, warn-look-alike")]
#[case("open", "suspicious", Outcome::Admit, "admit-all")]
#[case("open", "incomplete", Outcome::Admit, "admit-all")]
#[case("open", "malicious", Outcome::Quarantine, "quarantine-malicious")]
#[case("open", "clean rejected", Outcome::Reject, "reject-refused")]
#[case("enterprise", "clean", Outcome::Admit, "admit-examined")]
#[case("enterprise", "clean imported", Outcome::Review, "review-imports")]
#[case("enterprise", "clean imported approved", Outcome::Admit, "admit-examined")]
#[case("enterprise", "clean unlicensed", Outcome::Review, "review-without-licence")]
#[case("enterprise", "clean secrets", Outcome::Review, "review-capabilities")]
#[case("enterprise", "suspicious approved", Outcome::Review, "two-people-for-suspicious")]
#[case("enterprise", "suspicious approved twice", Outcome::Admit, "admit-examined")]
#[case("enterprise", "clean copy", Outcome::Admit, "admit-examined")]
#[case("enterprise", "clean copy changed approved", Outcome::Quarantine, "quarantine-changed-copy")]
#[case("enterprise", "clean copy changed approved twice", Outcome::Admit, "admit-examined")]
#[case("enterprise", "clean look-alike approved", Outcome::Review, "two-people-for-look-alike")]
#[case("enterprise", "incomplete", Outcome::Quarantine, "quarantine-incomplete")]
#[case("enterprise", "malicious approved twice", Outcome::Reject, "reject-malicious")]
fn presets_decide(#[case] name: &str, #[case] words: &str, #[case] outcome: Outcome, #[case] by: &str) {
    let decided = load(name).admit(&Actor::default(), &facts(words));
    let named: Vec<&str> = decided.reasons.iter().map(|reason| reason.policy.as_str()).collect();
    assert_eq!((decided.outcome, named.join(", ").as_str()), (outcome, by));
    assert!(decided.reasons.iter().all(|reason| reason.text.contains(' ')), "reasons are sentences");
}

#[test]
fn what_comes_with_the_program_needs_no_person_even_in_an_enterprise() {
    let hub = Actor { hub: true, ..Actor::default() };
    for (name, text) in PRESETS {
        let policy = Policy::load(name, text).unwrap();
        assert_eq!(
            policy.admit(&hub, &facts("clean secrets unlicensed copy changed look-alike")).outcome,
            Outcome::Admit,
            "{name}"
        );
    }
}

#[test]
fn reasons_name_the_facts_that_they_speak_of() {
    let decided = load("balanced").admit(&Actor::default(), &facts("clean copy changed look-alike"));
    let told: Vec<&str> = decided.reasons.iter().map(|reason| reason.text.as_str()).collect();
    assert!(
        told[0].starts_with(
            "it repeats the text of @acme/pdf@1.0.0 and does what that does not: starts bash, talks to evil.example;"
        ),
        "{told:?}"
    );
    assert!(told[1].starts_with("its name is easily taken for @acme/pdf;"), "{told:?}");
    let own =
        "@id(\"a\") @reason(\"{nothing} of {severity}\") permit (principal, action == Action::\"admit\", resource);
        @id(\"b\") permit (principal, action == Action::\"administer\", resource);";
    let decided = Policy::load("own", own).unwrap().admit(&Actor::default(), &facts("low"));
    assert_eq!(decided.reasons[0].text, "{nothing} of 2", "what is no fact stays as it is");
}

#[rstest]
#[case::administrator("balanced", "malicious", "admin", true)]
#[case::own_skill_of_an_administrator("balanced", "suspicious", "admin author", true)]
#[case::member("balanced", "suspicious organisation", "member", false)]
#[case::reviewer_of_the_organisation("balanced", "suspicious organisation", "reviewer", true)]
#[case::reviewer_and_everybody_sees_it("balanced", "suspicious", "reviewer", false)]
#[case::reviewer_and_harm("balanced", "malicious organisation", "reviewer", false)]
#[case::their_own("balanced", "suspicious organisation", "owner author", false)]
#[case::stranger("balanced", "suspicious organisation", "none", false)]
#[case::four_eyes("enterprise", "suspicious", "admin author", false)]
#[case::another_pair("enterprise", "suspicious", "admin", true)]
fn who_decides(#[case] name: &str, #[case] words: &str, #[case] who: &str, #[case] may: bool) {
    let mut actor = Actor { handle: "ada".to_owned(), ..Actor::default() };
    for word in who.split(' ') {
        match word {
            "admin" => actor.administrator = true,
            "author" => actor.author = true,
            role => role.clone_into(&mut actor.role),
        }
    }
    assert_eq!(load(name).may(Action::Approve, &actor, Some(&facts(words))).is_ok(), may);
}

#[test]
fn everybody_installs_and_runs_what_they_see() {
    for (name, text) in PRESETS {
        let policy = Policy::load(name, text).unwrap();
        for action in [Action::Install, Action::Run] {
            assert!(policy.may(action, &Actor::default(), Some(&facts("clean"))).is_ok(), "{name} {action:?}");
        }
        assert!(policy.may(Action::Administer, &Actor::default(), None).is_err(), "{name}");
    }
}

#[rstest]
#[case::same_for_all("permit (principal, action, resource);", Depends::Nothing)]
#[case::another_action(
    "permit (principal, action == Action::\"run\", resource) when { principal.hub };",
    Depends::Nothing
)]
#[case::kinds("permit (principal is Actor, action, resource is Version);", Depends::Nothing)]
#[case::words("permit (principal, action, resource) when { \"principal\" != \"resource\" };", Depends::Nothing)]
#[case::version("forbid (principal, action, resource is Version) when { resource.severity > 3 };", Depends::Version)]
#[case::one_version("forbid (principal, action, resource == Version::\"@a/b@1.0.0\");", Depends::Version)]
#[case::caller_within(
    "forbid (principal, action == Action::\"install\", resource) when { resource.severity > 3 && (if principal.hub then false else true) };",
    Depends::Caller
)]
#[case::unless_caller(
    "forbid (principal, action in [Action::\"install\"], resource) unless { [\"a\"].contains(principal.handle) };",
    Depends::Caller
)]
#[case::one_caller("forbid (principal == Actor::\"eve\", action, resource);", Depends::Caller)]
fn an_answer_depends_on_what_the_policies_look_at(#[case] text: &str, #[case] expected: Depends) {
    let sound = "@id(\"administer\") permit (principal, action == Action::\"administer\", resource);\n@id(\"a\") ";
    let policy = Policy::load("own", &format!("{sound}{text}")).unwrap();
    assert_eq!(policy.depends(Action::Install), expected);
    assert_eq!(policy.always(Action::Install).is_some(), expected == Depends::Nothing);
}

#[test]
fn open_catalogues_need_no_question_about_installing() {
    for name in ["open", "balanced"] {
        assert_eq!(load(name).always(Action::Install), Some(&Ok(())), "{name}");
        assert_eq!(load(name).always(Action::Run), Some(&Ok(())), "{name}");
    }
    let enterprise = load("enterprise");
    let ada = Actor { handle: "ada".to_owned(), ..Actor::default() };
    assert!(enterprise.may(Action::Install, &ada, Some(&facts("secrets"))).is_ok());
    let refused = enterprise.may(Action::Install, &Actor::default(), Some(&facts("secrets"))).unwrap_err();
    assert_eq!(refused[0].policy, "sign-in-for-what-can-harm");
}

#[rstest]
#[case::syntax("permit (principal, action", "line 3")]
#[case::unknown_fact(
    "@id(\"a\") permit (principal, action == Action::\"admit\", resource) when { resource.colour == \"red\" };",
    "colour"
)]
#[case::wrong_type(
    "@id(\"a\") permit (principal, action == Action::\"admit\", resource) when { resource.severity == \"high\" };",
    "line 3"
)]
#[case::unknown_action("@id(\"a\") permit (principal, action == Action::\"eat\", resource);", "eat")]
#[case::no_name("permit (principal, action == Action::\"admit\", resource);", "@id")]
#[case::twice("@id(\"administer\") permit (principal, action == Action::\"admit\", resource);", "two policies")]
#[case::no_outcome("@id(\"a\") @outcome(\"burn\") forbid (principal, action == Action::\"admit\", resource);", "burn")]
#[case::outcome_of_a_permit(
    "@id(\"a\") @outcome(\"review\") permit (principal, action == Action::\"admit\", resource);",
    "no @outcome"
)]
#[case::unknown_annotation(
    "@id(\"a\") @color(\"red\") permit (principal, action == Action::\"admit\", resource);",
    "@color"
)]
#[case::template("@id(\"a\") permit (principal == ?principal, action == Action::\"admit\", resource);", "templates")]
fn a_broken_policy_never_loads(#[case] text: &str, #[case] said: &str) {
    let sound = "@id(\"administer\")\npermit (principal, action == Action::\"administer\", resource);\n";
    assert!(Policy::load("own", sound).is_ok());
    let faults = Policy::load("own", &format!("{sound}{text}")).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|fault| fault.contains(said)), "{told:?}");
}

#[test]
fn a_policy_that_nobody_could_change_again_never_loads() {
    let text = preset("balanced").unwrap().replace("when { principal.administrator };", "when { principal.hub };");
    let faults = Policy::load("own", &text).unwrap_err();
    assert!(faults.iter().any(|fault| fault.message.contains("no administrator")), "{faults:?}");
}

#[test]
fn what_no_policy_permits_goes_to_a_person() {
    let text = "@id(\"administer\")\npermit (principal, action == Action::\"administer\", resource);\n";
    let decided = Policy::load("own", text).unwrap().admit(&Actor::default(), &facts("clean"));
    assert_eq!((decided.outcome, decided.reasons[0].policy.as_str()), (Outcome::Review, "no-permit"));
}

#[rstest]
#[case("open", "clean", 0, true, true)]
#[case("balanced", "suspicious", 1_000_000, true, true)]
#[case("enterprise", "clean", 1, true, false)]
#[case("enterprise", "low", 1, false, false)]
#[case("enterprise", "partly", 1, false, false)]
fn presets_say_when_an_errand_asks(
    #[case] name: &str,
    #[case] words: &str,
    #[case] total: i64,
    #[case] runs: bool,
    #[case] pays: bool,
) {
    let (policy, ada) = (load(name), Actor { handle: "ada".to_owned(), ..Actor::default() });
    let purchase = PurchaseFacts { merchant: "tea-house".to_owned(), total, ..PurchaseFacts::default() };
    assert_eq!(policy.may(Action::ActAlone, &ada, Some(&facts(words))).is_ok(), runs);
    let paid = policy.may_pay_alone(&ada, &purchase);
    assert_eq!(paid.is_ok(), pays);
    let reasons = paid.err().unwrap_or_default();
    assert!(pays || reasons.iter().any(|reason| reason.text == "a person confirms every purchase"), "{reasons:?}");
}

#[test]
fn a_rule_about_purchases_sees_what_is_bought_for_how_much() {
    let rule = "@id(\"dear\")\n@reason(\"dear\")\nforbid (principal, action == Action::\"act_alone\", resource is Purchase)\n\
        when { resource.currency == \"CNY\" && resource.total > 1900 && !resource.categories.contains(\"food\") };\n";
    let policy = Policy::load("own", &format!("{}\n{rule}", preset("balanced").unwrap())).unwrap();
    let asked = |total, currency: &str, category: &str| {
        let categories = [category.to_owned()].into();
        let purchase = PurchaseFacts { merchant: "shop".to_owned(), categories, total, currency: currency.to_owned() };
        policy.may_pay_alone(&Actor::default(), &purchase).is_err()
    };
    assert!(asked(1_901, "CNY", "drinks"));
    assert!(!asked(1_900, "CNY", "drinks") && !asked(1_901, "EUR", "drinks") && !asked(1_901, "CNY", "food"));
    // No rule about it lets nothing pass.
    let none = "@id(\"administer\")\npermit (principal, action == Action::\"administer\", resource);\n";
    let none = Policy::load("own", none).unwrap();
    assert!(none.may_pay_alone(&Actor::default(), &PurchaseFacts::default()).is_err());
    assert!(Policy::load("own", &rule.replace("total", "price")).is_err(), "there is no such fact");
}
