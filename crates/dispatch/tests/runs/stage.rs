use std::time::Duration;

use futures::StreamExt as _;
use kontor_access::Caller;
use kontor_dispatch::{Error, EventKind, Named, Run, RunEvent, Runs, Settings, StartRun};
use kontor_jobs::Workers;
use kontor_testkit::{On, Settings as HubSettings, TestHub};
use kontor_types::{RunId, SkillRef};
use tokio_util::sync::CancellationToken;

/// A hub with a skill of some scripts, and people who run them.
pub struct Stage {
    pub hub: TestHub,
    pub mia: Caller,
    pub sam: Caller,
    pub admin: Caller,
}

const SKILL: &str = "---\nname: tools\ndescription: Scripts for tests.\n---\nRun them.\n";
const MANIFEST: &str = "version = \"1.0.0\"\n[permissions]\nnetwork = [\"api.example.com:443\"]\n\
    [[tool]]\nname = \"double\"\ncommand = [\"sh\", \"scripts/double.sh\"]\ninput = \"in.json\"\noutput = \"out.json\"\n\
    [limits]\nwall = \"30s\"\n";
const FILES: &[(&str, &str)] = &[
    ("SKILL.md", SKILL),
    ("kontor.toml", MANIFEST),
    ("in.json", "{\"type\": \"object\", \"required\": [\"n\"]}"),
    ("out.json", "{\"type\": \"object\", \"required\": [\"twice\"]}"),
    ("scripts/double.sh", "read line; echo '{\"twice\": 4}'"),
    ("scripts/hello.sh", "echo \"hello $1\"; echo aside >&2; cat given.txt > left.txt 2>/dev/null; exit 0"),
    (
        "scripts/secret.sh",
        // Its name is put together, or the scan would see that the manifest does not declare it.
        "part=TOKEN; value=$(printenv \"TEST_$part\"); echo \"it is $value\"; echo \"$value\" > kept.txt; echo fine > fine.txt",
    ),
    (
        "scripts/want.sh",
        "echo 'PROJECT_API_KEY is not set' >&2; part=SECRET; echo \"${part}_CUSTOMER_KEY is not set\" >&2; echo 1 > report.txt; echo 1 > $1.txt",
    ),
    ("scripts/fail.sh", "echo no >&2; exit 3"),
    ("scripts/sleep.sh", "echo begun; sleep 600"),
    (
        "scripts/foreign.sh",
        "printf '\\033]0;title\\007\\033[2Jtext'; ln -s /usr/bin/env link.txt; mkfifo pipe; printf '\\033[31mred' > red.txt",
    ),
];

impl Stage {
    pub async fn set(on: On) -> Option<Self> {
        Self::with(on, |_| {}).await
    }

    pub async fn with(on: On, change: impl FnOnce(&mut Settings)) -> Option<Self> {
        let launcher = (env!("CARGO_BIN_EXE_kontor-dispatch-launcher").into(), Vec::new());
        let set = |settings: &mut HubSettings| {
            settings.runs.launcher = Some(launcher);
            change(&mut settings.runs);
        };
        let hub = TestHub::set(on, set, |_| {}).await?;
        hub.publish_files("@acme/tools", FILES).await;
        let mut callers = Vec::new();
        for handle in ["mia", "sam"] {
            let token = hub.person(handle, &["read", "run"]).await;
            callers.push(hub.hub.app.access.authenticate(&token.into()).await.unwrap());
        }
        let admin = hub.hub.app.access.authenticate(&kontor_testkit::ADMIN.into()).await.unwrap();
        let sam = callers.pop().unwrap();
        let mia = callers.pop().unwrap();
        Some(Self { hub, mia, sam, admin })
    }

    pub fn runs(&self) -> &Runs {
        &self.hub.hub.app.runs
    }

    /// Workers of a process of their own.
    pub fn workers(&self) -> Workers {
        self.runs().workers(&CancellationToken::new())
    }

    /// Does every run that waits.
    pub async fn work(&self) {
        self.workers().run_due().await.unwrap();
    }

    /// Lets so much time pass that leases end and what failed is tried again.
    pub fn pass(&self) {
        self.hub.clock.advance(Duration::from_mins(10));
    }

    pub async fn start(&self, caller: &Caller, start: &StartRun) -> Result<Run, Error> {
        self.runs().start(caller, &skill(), start).await
    }

    pub async fn script(&self, name: &str) -> RunId {
        self.start(&self.mia, &script(name)).await.unwrap().id
    }

    pub async fn show(&self, id: RunId) -> Run {
        self.runs().show(&self.mia, id).await.unwrap()
    }

    /// Everything that was told of a run that is over.
    pub async fn told(&self, id: RunId, after: i64) -> Vec<RunEvent> {
        let watched = self.runs().watch(&self.mia, id, after).await.unwrap();
        watched.map(Result::unwrap).collect().await
    }

    /// The states through which a run went.
    pub async fn states(&self, id: RunId) -> Vec<String> {
        let told = self.told(id, 0).await;
        let states = told.iter().filter(|event| event.kind == EventKind::State);
        states.map(|event| event.data["state"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until a program has said something.
    pub async fn until_it_speaks(&self, id: RunId) {
        let mut watched = self.runs().watch(&self.mia, id, 0).await.unwrap();
        while watched.next().await.unwrap().unwrap().kind != EventKind::Stdout {}
    }
}

pub fn skill() -> SkillRef {
    "@acme/tools".parse().unwrap()
}

pub fn script(name: &str) -> StartRun {
    StartRun { entry: Named::Script(format!("scripts/{name}.sh")), ..StartRun::default() }
}
