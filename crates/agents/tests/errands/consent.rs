//! What the policy wants asked, what becomes of a skill that is held or withdrawn after it was chosen, and cancelling at any point.

use std::time::Duration;

use kontor_agents::{Language, NewErrand};
use kontor_testkit::On;
use kontor_types::WorkflowId;
use kontor_workflow::WorkflowState;
use rstest::rstest;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::stage::{REQUEST, Stage, picks, told, understood, yuan};

const ASK_ABOUT_SKILLS: &str = "@id(\"own-word-for-skills\")\n@reason(\"people look at what runs for them\")\n\
    forbid (principal, action == Action::\"act_alone\", resource is Version);\n";
const ASK_ABOUT_MONEY: &str = "@id(\"own-word-for-money\")\n@reason(\"ten yuan and more are confirmed\")\n\
    forbid (principal, action == Action::\"act_alone\", resource is Purchase) when { resource.total >= 1000 };\n";
const HOLD_THE_FINDER: &str = "@id(\"hold-finder\")\n@reason(\"a person looks at it first\")\n\
    forbid (principal, action == Action::\"admit\", resource) when { resource.skill == \"offer-finder\" };\n";

fn within(mandate: kontor_types::MandateId) -> NewErrand {
    NewErrand { request: REQUEST.to_owned(), mandate: Some(mandate), ..NewErrand::default() }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_wants_a_persons_word_for_skills_and_for_money(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on, vec![understood(), picks("tea-house:classic-milk-tea")]).await else { return };
    stage.policy(&format!("{ASK_ABOUT_SKILLS}{ASK_ABOUT_MONEY}")).await;
    let mandate = stage.mandate(&[]).await;
    let id = stage.ask(within(mandate)).await;
    let errand = stage.work(id).await;
    let question = errand.question.as_ref().unwrap_or_else(|| panic!("{} {:?}", told(&errand), errand.error));
    assert_eq!(question.name, "skills");
    let part = "The hub's policy wants your word: people look at what runs for them.";
    assert!(question.text.contains(part) && question.text.contains("@kontor/offer-finder"), "{}", question.text);
    assert!(!told(&errand).contains("ran in the sandbox"), "nothing ran before the answer: {}", told(&errand));

    stage.answer(&errand, json!(true)).await;
    let errand = stage.work(id).await;
    let question = errand.question.as_ref().unwrap_or_else(|| panic!("{} {:?}", told(&errand), errand.error));
    assert_eq!((question.name.as_str(), &question.detail["needs_mandate"]), ("purchase", &json!(false)));
    assert!(question.text.contains("wants your word: ten yuan and more are confirmed."), "{}", question.text);
    assert_eq!((stage.orders(), stage.purse().await), (0, (10_000, 10_000)), "nothing is held before the answer");
    let zh = stage.agents.show(&stage.ada, id, Some(Language::Zh)).await.unwrap();
    assert!(told(&zh).contains("个报价中有") && !told(&zh).contains("per piece"), "{}", told(&zh));

    stage.answer(&errand, json!({"confirm": true})).await;
    let done = stage.work(id).await;
    assert_eq!(done.workflow.state, WorkflowState::Finished, "{} {:?}", told(&done), done.error);
    assert_eq!((stage.orders(), stage.purse().await), (1, (8_400, 8_400)));
    stage.clean().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_rule_for_it_no_errand_acts_alone(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on, vec![understood()]).await else { return };
    // As a policy of before: every act needs a word.
    stage.policy("@id(\"none\")\nforbid (principal, action == Action::\"act_alone\", resource);\n").await;
    let mandate = stage.mandate(&[]).await;
    let id = stage.ask(within(mandate)).await;
    let errand = stage.work(id).await;
    assert_eq!(errand.question.as_ref().unwrap().name, "skills", "{}", told(&errand));
    stage.answer(&errand, json!(false)).await;
    let done = stage.work(id).await;
    assert_eq!(done.workflow.error_code.as_deref(), Some("skills_refused"));
    assert_eq!(stage.orders(), 0);
}

#[rstest]
#[case::held("skill_gone", "was held or taken away after it was chosen", "在选定之后被暂停或撤下")]
#[case::yanked("skill_withdrawn", "withdrew it after it was chosen", "在选定之后被发布者撤回")]
#[tokio::test(flavor = "multi_thread")]
async fn a_skill_that_is_held_or_withdrawn_after_it_was_chosen_is_not_run(
    #[case] code: &str,
    #[case] en: &str,
    #[case] zh: &str,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(stage) = Stage::set(on, vec![understood()]).await else { return };
    stage.policy(ASK_ABOUT_SKILLS).await;
    let id = stage.ask(NewErrand { request: REQUEST.to_owned(), ..NewErrand::default() }).await;
    let errand = stage.work(id).await;
    assert_eq!(errand.question.as_ref().unwrap().name, "skills", "{}", told(&errand));
    if code == "skill_gone" {
        stage.policy(&format!("{ASK_ABOUT_SKILLS}{HOLD_THE_FINDER}")).await;
    } else {
        let chosen = "@kontor/offer-finder".parse().unwrap();
        let hub = kontor_access::Caller::hub();
        let registry = &stage.hub.hub.app.registry;
        let found = registry.version(hub.viewer(), &chosen).await.unwrap();
        registry.yank(&hub, &found.reference(), "it has a fault").await.unwrap();
    }
    stage.answer(&errand, json!(true)).await;
    let done = stage.work(id).await;
    assert_eq!(done.workflow.error_code.as_deref(), Some(code), "{}", told(&done));
    let said = done.error.unwrap();
    assert!(said.contains(en) && said.contains("@kontor/offer-finder"), "{said}");
    let done = stage.agents.show(&stage.ada, id, Some(Language::Zh)).await.unwrap();
    assert!(done.error.as_ref().unwrap().contains(zh), "{:?}", done.error);
    assert!(!told(&done).contains("已在沙箱中运行"), "{}", told(&done));
    assert_eq!((stage.orders(), stage.purse().await), (0, (10_000, 10_000)));
}

/// Entries that an errand within a mandate has, and some more.
const MOST: i64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_entry_it_is_cancelled_at_nothing_stays_half_done() {
    // Its only line is repeated: it is no pick, so that the comparison's advice stands.
    let Some(stage) = Stage::set(On::Sqlite, vec![understood()]).await else { return };
    stage.hub.hub.app.commerce.top_up(stage.person(), "more", yuan(100_000)).await.unwrap();
    let mandate = stage.mandate_over(100_000, 100, &[]).await;
    let stop = CancellationToken::new();
    let (workflows, end) = (stage.workflows.clone(), stop.clone());
    tokio::spawn(async move { workflows.run(1, end).await });
    let (mut bought, mut cancelled) = (0, 0);
    for entry in (1..MOST).step_by(4) {
        let before = stage.purse().await.0;
        let id = stage.agents.ask(&stage.ada, &format!("cancelled at {entry}"), &within(mandate)).await.unwrap();
        let over = reaches(&stage, id, entry).await;
        let wanted = stage.agents.cancel(&stage.ada, id).await;
        let done = stage.agents.result(&stage.ada, id, Duration::from_mins(1)).await.unwrap();
        let (balance, free) = stage.purse().await;
        assert_eq!(balance, free, "at {entry}: nothing stays held: {}", told(&done));
        match done.workflow.state {
            WorkflowState::Cancelled => {
                cancelled += 1;
                assert_eq!(before, balance, "at {entry}: {}", told(&done));
            }
            WorkflowState::Finished => {
                bought += 1;
                assert!(over || wanted.is_err(), "at {entry}: only what is sealed goes on");
                assert!(before > balance, "at {entry}");
            }
            other => panic!("at {entry}: {other} {} {:?}", told(&done), done.error),
        }
        assert_eq!(stage.orders(), bought, "at {entry}");
    }
    assert!(cancelled > 2 && bought > 0, "{cancelled} {bought}");
    stop.cancel();
    stage.clean().await;
}

/// Waits until the journal has so many entries, or it is over.
async fn reaches(stage: &Stage, id: WorkflowId, entries: i64) -> bool {
    loop {
        let workflow = stage.workflows.show(&stage.ada, id).await.unwrap();
        if workflow.state.is_over() || workflow.entries >= entries {
            return workflow.state.is_over();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
