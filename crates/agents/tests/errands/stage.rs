use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kontor_access::Caller;
use kontor_access::policy::{DEFAULT, preset};
use kontor_agents::{Agents, Errand, NewErrand, Parts, Settings};
use kontor_commerce::{Mode, Terms};
use kontor_crypto::{KeyRecord, Purpose, SigningKey};
use kontor_db::audit_events::{self, AuditEvent, Filter};
use kontor_gateway::{Gateway, Model, Provider};
use kontor_merchants::{Catalogue, Merchant, Product, Running};
use kontor_outbound::Policy;
use kontor_package::{Content, Limits};
use kontor_registry::Publish;
use kontor_testkit::upstream::{Say, Upstream};
use kontor_testkit::{ADMIN, On, Settings as HubSettings, TestHub};
use kontor_types::{Clock as _, Currency, Handle, MandateId, Money, PageSize, PersonId, Viewer, WorkflowId};
use kontor_workflow::Workflows;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A hub with its starter skills and two merchants, a model that follows a script, and Ada, who has ¥100.
pub struct Stage {
    pub hub: TestHub,
    pub agents: Agents,
    pub workflows: Workflows,
    pub model: Upstream,
    pub tea: Running,
    pub corner: Running,
    pub ada: Caller,
    key: SigningKey,
    stop: CancellationToken,
}

pub const REQUEST: &str = "order me a milk tea under ¥20 to the office, less sugar";

/// What a model writes that reads [`REQUEST`].
pub fn understood() -> Say {
    Say::tool_call(
        "write_wish",
        &json!({
            "kind": "buy", "words": ["milk tea", "奶茶"], "quantity": 1, "limit": {"amount": "20", "currency": "CNY"},
            "deliver_to": "the office", "note": "less sugar", "deliver_by": null
        }),
    )
}

/// What a model writes that picks.
pub fn picks(offer: &str) -> Say {
    Say::tool_call("pick_offer", &json!({"offer": offer, "reason": "it answers the request"}))
}

pub fn yuan(minor: i64) -> Money {
    Money { currency: "CNY".parse().unwrap(), minor }
}

fn starter(name: &str) -> Content {
    fn walk(folder: &Path, inner: &Path, files: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(folder.join(inner)).unwrap().map(Result::unwrap) {
            let path = inner.join(entry.file_name());
            if entry.path().is_dir() {
                walk(folder, &path, files);
            } else {
                files.push((path.to_str().unwrap().to_owned(), fs::read(entry.path()).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../skills").join(name), &PathBuf::new(), &mut files);
    files.retain(|(path, _)| !path.contains("__pycache__"));
    Content::from_files(files, &Limits::default()).unwrap()
}

impl Stage {
    pub async fn set(on: On, script: Vec<Say>) -> Option<Self> {
        Self::with(on, script, Vec::new()).await
    }

    /// With these products in the tea house besides its own.
    pub async fn with(on: On, script: Vec<Say>, more: Vec<Product>) -> Option<Self> {
        Self::build(on, None, script, more).await
    }

    /// On the Postgres at this address.
    pub async fn at(address: String, script: Vec<Say>) -> Self {
        Self::build(On::Sqlite, Some(address), script, Vec::new()).await.unwrap()
    }

    async fn build(on: On, address: Option<String>, script: Vec<Say>, more: Vec<Product>) -> Option<Self> {
        let launcher = (env!("CARGO_BIN_EXE_kontor-agents-launcher").into(), Vec::new());
        let set = |settings: &mut HubSettings| {
            settings.database = address.unwrap_or_else(|| settings.database.clone());
            settings.runs.launcher = Some(launcher);
            settings.runs.person_open = 100;
            settings.outbound = Policy { user_agent: "test".to_owned(), ..Policy::unrestricted() };
        };
        let hub = TestHub::set(on, set, |_| {}).await?;
        let model = Upstream::start(script).await;
        let cny: Currency = "CNY".parse().unwrap();
        let mut tea = Catalogue::tea_house(cny);
        tea.products.extend(more);
        let (tea, corner) = (merchant(&hub, tea, 1).await, merchant(&hub, Catalogue::corner_shop(cny), 2).await);
        let token = hub.person("ada", &["read", "run"]).await;
        let ada = hub.hub.app.access.authenticate(&token.into()).await.unwrap();
        publish(&hub, &["offer-finder", "shopping-advisor", "order-writer"]).await;
        let app = &hub.hub.app;
        for (slug, shop) in [("tea-house", &tea), ("corner-shop", &corner)] {
            app.commerce.add_merchant(None, &slug.parse().unwrap(), &shop.url(), (1_500, 500)).await.unwrap();
        }
        app.commerce.top_up(ada.person_id().unwrap(), "first", yuan(10_000)).await.unwrap();
        let (agents, workflows) = service(&hub, &model, "one");
        let stop = CancellationToken::new();
        tokio::spawn(app.runs.workers(&stop).run(2, stop.clone()));
        let key = SigningKey::from_secret(Purpose::Mandate, &[3; 32]);
        let stage = Self { hub, agents, workflows, model, tea, corner, ada, key, stop };
        stage.register().await;
        Some(stage)
    }

    async fn register(&self) {
        let now = self.hub.clock.now();
        let record = KeyRecord {
            id: self.key.id(),
            purpose: Purpose::Mandate,
            public_key: Some(self.key.verifying_key()),
            created_at: now,
            retired_at: None,
            revoked: None,
            endorsement: None,
        };
        let claim = self.key.claim(&handle(), now);
        self.hub.hub.app.commerce.register_key(self.person(), &record, &claim).await.unwrap();
    }

    pub fn person(&self) -> PersonId {
        self.ada.person_id().unwrap()
    }

    /// Asks as Ada.
    pub async fn ask(&self, new: NewErrand) -> WorkflowId {
        self.agents.ask(&self.ada, "key", &new).await.unwrap()
    }

    /// Does what can be done now, and shows what became of it.
    pub async fn work(&self, id: WorkflowId) -> Errand {
        self.workflows.run_due().await.unwrap();
        self.agents.show(&self.ada, id, None).await.unwrap()
    }

    /// Signs a mandate for exactly the purchase that an errand asks about.
    pub async fn signed(&self, errand: &Errand) -> Value {
        let question = errand.question.as_ref().unwrap();
        let checkout = question.detail["checkout"]["id"].as_str().unwrap().parse().unwrap();
        let commerce = &self.hub.hub.app.commerce;
        let checkout = commerce.checkout(self.person(), checkout).await.unwrap();
        let terms = Terms::instant(commerce.hub(), handle(), &checkout, self.hub.clock.now()).unwrap();
        let envelope = terms.sign(&self.key).unwrap().to_json();
        json!({"confirm": true, "envelope": String::from_utf8(envelope).unwrap()})
    }

    pub async fn answer(&self, errand: &Errand, value: Value) {
        let question = errand.question.as_ref().unwrap();
        self.agents.answer(&self.ada, errand.workflow.id, &question.name, value).await.unwrap();
    }

    /// A mandate of ¥80 for ten purchases, from these merchants.
    pub async fn mandate(&self, merchants: &[&str]) -> MandateId {
        self.mandate_over(8_000, 10, merchants).await
    }

    /// A mandate over so much for so many purchases.
    pub async fn mandate_over(&self, total: i64, count: u32, merchants: &[&str]) -> MandateId {
        let (now, commerce) = (self.hub.clock.now(), &self.hub.hub.app.commerce);
        let terms = Terms {
            id: MandateId::new(now),
            hub: commerce.hub().to_owned(),
            person: handle(),
            mode: Mode::Delegated,
            total: yuan(total),
            each: None,
            merchants: merchants.iter().map(|name| (*name).to_owned()).collect(),
            categories: Vec::new(),
            not_before: now,
            until: now.after(Duration::from_hours(24)),
            count,
            quote: None,
            signed_at: now,
        };
        let envelope = terms.sign(&self.key).unwrap().to_json();
        commerce.accept_mandate(self.person(), &handle(), &envelope).await.unwrap().terms.id
    }

    /// What is in Ada's purse and what of it is free.
    pub async fn purse(&self) -> (i64, i64) {
        let purse = self.hub.hub.app.commerce.purse(self.person()).await.unwrap();
        purse.first().map_or((0, 0), |one| (one.balance.minor, one.free.minor))
    }

    /// How many orders the merchants have.
    pub fn orders(&self) -> usize {
        self.tea.orders().len() + self.corner.orders().len()
    }

    /// What the audit trail has.
    pub async fn audit(&self) -> Vec<AuditEvent> {
        let mut conn = self.hub.hub.app.db.read().await.unwrap();
        let (viewer, filter) = (Viewer::hub(), Filter::default());
        audit_events::list(&mut conn, &viewer, &filter, None, PageSize::clamped(200)).await.unwrap()
    }

    /// Puts the default policy with these rules more in force, and judges the catalogue by it.
    pub async fn policy(&self, more: &str) {
        let registry = &self.hub.hub.app.registry;
        let admin = self.hub.hub.app.access.authenticate(&ADMIN.into()).await.unwrap();
        let text = format!("{}\n{more}", preset(DEFAULT).unwrap());
        registry.set_policy(&admin, "own", &text).await.unwrap();
        registry.rejudge().await.unwrap();
        self.hub.catch_up().await;
    }

    /// The books are in order.
    pub async fn clean(&self) {
        let findings = self.hub.hub.app.ledger.check().await.unwrap();
        assert!(findings.are_clean(), "{findings:?}");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub fn handle() -> Handle {
    "ada".parse().unwrap()
}

/// Everything that an errand was told in, in one text.
pub fn told(errand: &Errand) -> String {
    errand.steps.iter().flat_map(|step| &step.lines).fold(String::new(), |text, line| text + line + "\n")
}

/// The service of one process of this hub.
pub fn service(hub: &TestHub, model: &Upstream, worker: &str) -> (Agents, Workflows) {
    let app = &hub.hub.app;
    let mut settings = kontor_gateway::Settings::default();
    settings.providers.push(Provider::new("scripted", &model.url()).model(Model::new("small").priced("CNY", "1", "2")));
    let gateway = Gateway::new(kontor_gateway::Parts {
        db: app.db.clone(),
        ledger: app.ledger.clone(),
        clock: app.clock.clone(),
        vault: None,
        settings,
    });
    let workflows = Workflows::new(kontor_workflow::Parts {
        db: app.db.clone(),
        clock: Arc::clone(&app.clock),
        settings: kontor_workflow::Settings::default(),
        worker: worker.to_owned(),
    });
    let agents = Agents::new(Parts {
        access: app.access.clone(),
        registry: app.registry.clone(),
        runs: app.runs.clone(),
        gateway: gateway.unwrap(),
        commerce: app.commerce.clone(),
        workflows: workflows.clone(),
        clock: app.clock.clone(),
        settings: Settings::default(),
    });
    (agents, workflows)
}

async fn merchant(hub: &TestHub, catalogue: Catalogue, secret: u8) -> Running {
    let key = SigningKey::from_secret(Purpose::Merchant, &[secret; 32]);
    Merchant::start(catalogue, key, "127.0.0.1:0".parse().unwrap(), hub.clock.clone()).await.unwrap()
}

async fn publish(hub: &TestHub, names: &[&str]) {
    let app = &hub.hub.app;
    let publisher: Handle = "kontor".parse().unwrap();
    app.access.ensure_publisher(&Caller::hub(), &publisher).await.unwrap();
    for name in names {
        let mut request = Publish::new(publisher.clone(), starter(name));
        request.folder = Some((*name).to_owned());
        app.registry.publish(&Caller::hub(), request).await.unwrap();
    }
    hub.catch_up().await;
}
