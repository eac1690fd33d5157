//! Two organisations, five viewers, and a skill of each visibility and state.

use axum::http::{Request, StatusCode};
use kontor_package::{Content, Limits, pack};
use serde_json::{Value, json};

use crate::lines::Line;
use crate::support::{ADMIN, TestHub, with_token};

const NATIVE: &str = "/api/kontor/v1";

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anonymous,
    Stranger,
    Member,
    Owner,
    Administrator,
}

impl Who {
    pub const ALL: [Self; 5] = [Self::Anonymous, Self::Stranger, Self::Member, Self::Owner, Self::Administrator];
}

/// What is asked about.
#[derive(Debug, Clone)]
pub struct Name {
    pub publisher: String,
    pub skill: String,
}

impl Name {
    /// A skill that exists, in a publisher that everybody knows.
    pub fn hidden(which: &str) -> Self {
        Self { publisher: "acme".to_owned(), skill: format!("hidden-{which}") }
    }

    /// A name of the same length that nobody has.
    pub fn absent(which: &str) -> Self {
        Self { publisher: "acme".to_owned(), skill: format!("absent-{which}") }
    }

    /// A publisher, asked for a skill that is not there either way.
    pub fn publisher(name: &str) -> Self {
        Self { publisher: name.to_owned(), skill: "hidden-private".to_owned() }
    }
}

/// What was answered, as far as the asker can see.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub status: StatusCode,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    /// The same answer, had it been about `other`.
    pub fn renamed(self, name: &Name, other: &Name) -> Self {
        let rename = |text: String| text.replace(&name.skill, &other.skill).replace(&name.publisher, &other.publisher);
        let headers = self.headers.into_iter().map(|(name, value)| (name, rename(value))).collect();
        Self { status: self.status, headers, body: rename(self.body) }
    }
}

pub struct World {
    hub: TestHub,
    stranger: String,
    member: String,
    owner: String,
}

impl World {
    pub async fn build() -> Self {
        let hub = TestHub::start().await;
        let stranger = person(&hub, "eve").await;
        let owner = person(&hub, "ada").await;
        let member = person(&hub, "bob").await;
        let world = Self { hub, stranger, member, owner };
        for organisation in ["acme", "secret-org"] {
            world.make(Who::Owner, "POST", "/publishers", json!({"handle": organisation})).await;
        }
        world.make(Who::Owner, "PUT", "/publishers/acme/members/bob", json!({"role": "member"})).await;
        for visibility in ["public", "unlisted", "organisation", "private"] {
            world.publish("acme", &Name::hidden(visibility).skill, visibility).await;
        }
        for state in ["withheld", "deleted"] {
            world.publish("acme", &Name::hidden(state).skill, "public").await;
        }
        world.publish("secret-org", "hidden-secret", "private").await;
        world.make(Who::Owner, "DELETE", "/skills/acme/hidden-deleted", Value::Null).await;
        let reference = "@acme/hidden-withheld".parse().unwrap();
        let app = &world.hub.hub.app;
        let owner = app.access.in_the_name_of(&"ada".parse().unwrap()).await.unwrap();
        app.registry.hide(&owner, &reference, "under examination").await.unwrap();
        world.publish("acme", "hidden-renamed", "private").await;
        world.make(Who::Owner, "POST", "/skills/acme/hidden-renamed/rename", json!({"slug": "elsewhere"})).await;
        world
    }

    fn token(&self, who: Who) -> Option<&str> {
        match who {
            Who::Anonymous => None,
            Who::Stranger => Some(&self.stranger),
            Who::Member => Some(&self.member),
            Who::Owner => Some(&self.owner),
            Who::Administrator => Some(ADMIN),
        }
    }

    async fn make(&self, who: Who, method: &str, path: &str, body: Value) {
        let request = Request::builder().method(method).uri(format!("{NATIVE}{path}"));
        let request = with_token(request, self.token(who)).header("content-type", "application/json");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.hub.send(request, body).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
    }

    async fn publish(&self, publisher: &str, slug: &str, visibility: &str) {
        let text = format!("---\nname: {slug}\ndescription: Watches {slug} for the matrix.\n---\nRead the meter.\n");
        let files = [("SKILL.md".to_owned(), text.into_bytes())];
        let package = pack(&Content::from_files(files, &Limits::default()).unwrap());
        let path = format!("{NATIVE}/publishers/{publisher}/skills?slug={slug}&visibility={visibility}&version=1.0.0");
        let request = with_token(Request::post(path), self.token(Who::Owner)).header("content-type", "application/zip");
        let answer = self.hub.send(request, package.bytes).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }

    /// Asks what `line` asks about `name`.
    pub async fn ask(&self, line: &Line, who: Who, name: &Name, extra: &[(&str, String)]) -> Seen {
        let fill = |text: &str| text.replace("{p}", &name.publisher).replace("{s}", &name.skill);
        let mut request = with_token(Request::builder().method(line.method).uri(fill(line.target)), self.token(who))
            .header("x-request-id", "matrix")
            .header("accept", line.accept);
        if let Some(kind) = line.body_type() {
            request = request.header("content-type", kind);
        }
        for (header, value) in extra {
            request = request.header(*header, value);
        }
        let answer = self.hub.send(request, fill(line.body)).await;
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        headers.sort();
        Seen { status: answer.status, headers, body: answer.body }
    }
}

async fn person(hub: &TestHub, name: &str) -> String {
    let send = |path: String, body: Value| {
        let request = with_token(Request::post(path), Some(ADMIN)).header("content-type", "application/json");
        hub.send(request, body.to_string())
    };
    send(format!("{NATIVE}/people"), json!({"handle": name})).await;
    let scopes = json!({"label": "matrix", "scopes": ["read", "publish", "run", "review", "admin"]});
    let answer = send(format!("{NATIVE}/people/{name}/tokens"), scopes).await;
    answer.json()["secret"].as_str().unwrap().to_owned()
}
