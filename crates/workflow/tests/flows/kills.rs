//! A process that is killed at a step leaves a workflow that the next process ends, with every effect once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use kontor_db::{Db, Options};
use kontor_types::{SystemClock, WorkflowId};
use kontor_workflow::{
    AnsweredBy, Journal, Parts, Question, Settings, StepError, Stop, WorkflowState, Workflows, define,
};
use rstest::rstest;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::stage::{On, Stage, effect};

const DATABASE: &str = "KONTOR_WORKFLOW_VICTIM";
const DEATH: &str = "KONTOR_WORKFLOW_DEATH";
const STEPS: [&str; 4] = ["find", "reserve", "pay", "tell"];

/// Says where it is; where it is to die it waits for that.
fn at(point: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "AT {point}").unwrap();
    out.flush().unwrap();
    drop(out);
    while std::env::var(DEATH).is_ok_and(|death| death == point) {
        std::thread::park();
    }
}

async fn spoken(journal: &Journal, name: &'static str) -> Result<String, Stop> {
    journal
        .step(name, &name, move |attempt| async move {
            at(&format!("before {name}"));
            at(&format!("key {name} {}", attempt.key));
            at(&format!("done {name}"));
            Ok::<_, StepError>(attempt.key)
        })
        .await
}

/// Does something only when a test below starts it in a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn victim() {
    let Ok(address) = std::env::var(DATABASE) else { return };
    let db = Db::open(&Options::url(address)).await.unwrap();
    let parts = Parts { db, clock: Arc::new(SystemClock), settings: Settings::default(), worker: "victim".to_owned() };
    let flows = Workflows::new(parts);
    flows.define(errand());
    flows.take_back().await.unwrap();
    flows.run(4, CancellationToken::new()).await;
}

fn errand() -> impl kontor_workflow::Definition {
    define("errand", 1, |journal: Journal, _: Value| async move {
        spoken(&journal, "find").await?;
        effect(&journal, "chosen").await?;
        at("chosen");
        journal.undo("reserve", &1, |_| async {
            at("undone");
            Ok(())
        });
        spoken(&journal, "reserve").await?;
        let question = Question {
            text: "Pay?".to_owned(),
            form: json!({ "type": "boolean" }),
            who: AnsweredBy::Owner,
            deadline: None,
            detail: Value::Null,
        };
        if journal.ask("pay", &question).await?.value != Some(json!(true)) {
            return Err(Stop::refuse("no", "not paid"));
        }
        at("answered");
        journal.seal("paying").await?;
        at("sealed");
        spoken(&journal, "pay").await?;
        effect(&journal, "posted").await?;
        at("posted");
        spoken(&journal, "tell").await
    })
}

struct Killed<'s> {
    stage: &'s Stage,
    id: WorkflowId,
    said: Vec<String>,
}

impl Killed<'_> {
    /// Lets a process work until it reaches `death`, where it is killed, or until the workflow is over. Answers what is asked.
    async fn live(&mut self, death: &str) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kills::victim", "--nocapture"])
            .env(DATABASE, &self.stage.address)
            .env(DEATH, death)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let before = self.said.len();
        loop {
            // Between "reserve" and the answer, and after the end, nothing is said: so it is looked at first.
            if self.is_over_or_answered(before).await {
                break;
            }
            let Some(Ok(line)) = lines.next() else { break };
            let Some((_, point)) = line.split_once("AT ") else { continue };
            self.said.push(point.to_owned());
            if point == death {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    async fn is_over_or_answered(&self, before: usize) -> bool {
        let last = self.said[before..].last().map(String::as_str).unwrap_or_default();
        if last == "done reserve" {
            let waits = self.until(|state| state == WorkflowState::Waiting || state.is_over()).await;
            if waits == WorkflowState::Waiting {
                self.stage.flows.answer(&self.stage.mia(), self.id, "pay", json!(true)).await.unwrap();
            }
        }
        if last == "done tell" {
            self.until(WorkflowState::is_over).await;
            return true;
        }
        false
    }

    async fn until(&self, is: impl Fn(WorkflowState) -> bool) -> WorkflowState {
        loop {
            let state = self.stage.show(self.id).await.state;
            if is(state) {
                return state;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_killed_process_is_followed_by_one_that_ends_the_workflow(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    stage.define(errand());
    let mut points = vec!["chosen".to_owned(), "answered".to_owned(), "sealed".to_owned(), "posted".to_owned()];
    points.extend(STEPS.iter().flat_map(|step| [format!("before {step}"), format!("done {step}")]));
    for point in points {
        let id = stage.flows.start(stage.asked("errand", &point)).await.unwrap().id;
        let mut killed = Killed { stage: &stage, id, said: Vec::new() };
        killed.live(&point).await;
        killed.live("nowhere").await;
        let shown = stage.show(id).await;
        assert_eq!(shown.state, WorkflowState::Finished, "killed at {point}: {:?}", killed.said);
        for step in STEPS {
            let begun = format!("key {step} ");
            let keys: Vec<&str> = killed.said.iter().filter_map(|said| said.strip_prefix(&begun)).collect();
            let most = if point == format!("done {step}") { 2 } else { 1 };
            assert_eq!(keys.len(), most, "killed at {point}: {step} in {:?}", killed.said);
            assert!(keys.iter().all(|key| *key == keys[0]));
        }
        assert!(!killed.said.contains(&"undone".to_owned()));
        stage.entries(id).await;
    }
    let effects = stage.effects().await;
    assert_eq!(effects.len(), 24);
    assert_eq!(effects.iter().filter(|name| *name == "chosen").count(), 12);
}
