//! What each route is about, and how to ask it: `{p}` and `{s}` stand for the publisher and the skill asked for.

use kontor_types::Digest;

/// What a route may tell of, and so what it must keep to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// One skill that the request names.
    Skill,
    /// One publisher that the request names.
    Publisher,
    /// Many skills or publishers; `true` when every skill of this world that may be listed must be in it.
    List(bool),
    /// The caller's own things, or the hub itself; nothing that the request names can be hidden.
    Own,
}

/// One route and a request to it.
#[derive(Debug, Clone)]
pub struct Line {
    pub method: &'static str,
    pub path: &'static str,
    pub target: &'static str,
    pub body: &'static str,
    pub accept: &'static str,
    pub about: About,
}

impl Line {
    /// Whether asking changes something for those who may.
    pub fn changes(&self) -> bool {
        self.method != "GET"
    }

    pub fn body_type(&self) -> Option<&'static str> {
        match self.body {
            "" => None,
            json if json.starts_with('{') => Some("application/json"),
            _ => Some("application/zip"),
        }
    }

    /// Headers that could open a side door: a range, or a guess at what the answer would be.
    pub fn conditions(&self) -> Vec<Vec<(&'static str, String)>> {
        if self.changes() {
            return vec![Vec::new()];
        }
        let guess = Digest::of(b"a guess").hex();
        vec![
            Vec::new(),
            vec![("range", "bytes=0-0".to_owned())],
            vec![("if-none-match", "*".to_owned())],
            vec![("if-none-match", format!("\"{guess}\""))],
        ]
    }
}

const JSON: &str = "application/json";

pub fn line(method: &'static str, path: &'static str, target: &'static str, about: About) -> Line {
    Line { method, path, target, body: "", accept: JSON, about }
}

#[expect(clippy::needless_pass_by_value, reason = "a line is built in one expression")]
pub fn with(body: &'static str, line: Line) -> Line {
    Line { body, ..line }
}

/// The route table, with what each line is about.
pub fn lines() -> Vec<Line> {
    [operations(), sign_in(), people(), skills(), publishing(), super::foreign::foreign()].concat()
}

fn operations() -> Vec<Line> {
    ["/healthz", "/readyz", "/metrics"].map(|path| line("GET", path, path, About::Own)).to_vec()
}

fn sign_in() -> Vec<Line> {
    let own = |method, path| line(method, path, path, About::Own);
    vec![
        own("POST", "/api/cli/device/code"),
        own("POST", "/api/cli/device/token"),
        own("GET", "/device"),
        own("POST", "/device"),
        own("GET", "/login"),
        own("POST", "/login"),
        own("POST", "/logout"),
        own("POST", "/api/kontor/v1/device-logins"),
        own("POST", "/api/kontor/v1/device-logins/token"),
        own("GET", "/api/kontor/v1/device-logins/{user_code}"),
        own("POST", "/api/kontor/v1/device-logins/{user_code}/approve"),
        own("POST", "/api/kontor/v1/device-logins/{user_code}/deny"),
        own("POST", "/api/kontor/v1/login-links"),
    ]
}

fn people() -> Vec<Line> {
    const P: &str = "/api/kontor/v1/publishers/{p}";
    let own = |method, path| line(method, path, path, About::Own);
    let publisher = |method, path| line(method, path, path, About::Publisher);
    vec![
        own("GET", "/api/kontor/v1/whoami"),
        own("GET", "/api/kontor/v1/tokens"),
        own("POST", "/api/kontor/v1/tokens"),
        own("DELETE", "/api/kontor/v1/tokens/{id}"),
        own("GET", "/api/kontor/v1/people"),
        own("POST", "/api/kontor/v1/people"),
        own("PATCH", "/api/kontor/v1/people/{handle}"),
        own("POST", "/api/kontor/v1/people/{handle}/tokens"),
        line("GET", "/api/kontor/v1/audit", "/api/kontor/v1/audit?limit=200", About::List(false)),
        line("GET", "/api/kontor/v1/publishers", "/api/kontor/v1/publishers?limit=200", About::List(false)),
        own("POST", "/api/kontor/v1/publishers"),
        publisher("GET", P),
        with(r#"{"name": "Other"}"#, publisher("PATCH", P)),
        publisher("GET", "/api/kontor/v1/publishers/{p}/members"),
        with(
            r#"{"role": "owner"}"#,
            line(
                "PUT",
                "/api/kontor/v1/publishers/{p}/members/{person}",
                "/api/kontor/v1/publishers/{p}/members/eve",
                About::Publisher,
            ),
        ),
        line(
            "DELETE",
            "/api/kontor/v1/publishers/{p}/members/{person}",
            "/api/kontor/v1/publishers/{p}/members/ada",
            About::Publisher,
        ),
    ]
}

fn skills() -> Vec<Line> {
    const S: &str = "/api/kontor/v1/skills/{p}/{s}";
    let skill = |method, path| line(method, path, path, About::Skill);
    vec![
        line("GET", "/api/kontor/v1/skills/{slug}", "/api/kontor/v1/skills/{s}", About::Skill),
        skill("GET", S),
        with(r#"{"visibility": "public"}"#, skill("PATCH", S)),
        skill("DELETE", S),
        skill("POST", "/api/kontor/v1/skills/{p}/{s}/restore"),
        with(r#"{"slug": "renamed"}"#, skill("POST", "/api/kontor/v1/skills/{p}/{s}/rename")),
        skill("PUT", "/api/kontor/v1/skills/{p}/{s}/star"),
        skill("DELETE", "/api/kontor/v1/skills/{p}/{s}/star"),
        with(r#"{"publisher": "eve"}"#, skill("POST", "/api/kontor/v1/skills/{p}/{s}/transfers")),
        skill("GET", "/api/kontor/v1/skills/{p}/{s}/tags"),
        of_version("PUT", "/api/kontor/v1/skills/{p}/{s}/tags/{tag}", "/api/kontor/v1/skills/{p}/{s}/tags/stable"),
        of_version("DELETE", "/api/kontor/v1/skills/{p}/{s}/tags/{tag}", "/api/kontor/v1/skills/{p}/{s}/tags/stable"),
        skill("GET", "/api/kontor/v1/skills/{p}/{s}/versions"),
        of_version("GET", "/api/kontor/v1/skills/{p}/{s}/versions/{v}", "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0"),
        of_version(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/archive",
            "/api/kontor/v1/skills/{p}/{s}/versions/latest/archive",
        ),
        of_version(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/files",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/files",
        ),
        of_version(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/files/{*path}",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/files/SKILL.md",
        ),
        with(
            r#"{"reason": "test"}"#,
            of_version(
                "POST",
                "/api/kontor/v1/skills/{p}/{s}/versions/{v}/yank",
                "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/yank",
            ),
        ),
        of_version(
            "POST",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/restore",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/restore",
        ),
    ]
}

fn of_version(method: &'static str, path: &'static str, target: &'static str) -> Line {
    let body = if method == "PUT" { r#"{"version": "1.0.0"}"# } else { "" };
    with(body, line(method, path, target, About::Skill))
}

fn publishing() -> Vec<Line> {
    let own = |method, path| line(method, path, path, About::Own);
    let publisher = |method, path| line(method, path, path, About::Publisher);
    vec![
        with(
            "no archive",
            line(
                "POST",
                "/api/kontor/v1/publishers/{p}/skills",
                "/api/kontor/v1/publishers/{p}/skills?slug={s}&version=1.0.0&dry_run=true",
                About::Skill,
            ),
        ),
        with(
            "no archive",
            line(
                "POST",
                "/api/kontor/v1/publishers/{p}/imports",
                "/api/kontor/v1/publishers/{p}/imports?source=test&path={s}",
                About::Skill,
            ),
        ),
        publisher("GET", "/api/kontor/v1/publishers/{p}/webhooks"),
        with(
            r#"{"url": "https://listener.example/", "events": ["version.published"]}"#,
            publisher("POST", "/api/kontor/v1/publishers/{p}/webhooks"),
        ),
        line(
            "DELETE",
            "/api/kontor/v1/publishers/{p}/webhooks/{id}",
            "/api/kontor/v1/publishers/{p}/webhooks/0190a0a0-0000-7000-8000-000000000000",
            About::Publisher,
        ),
        line("GET", "/api/kontor/v1/transfers", "/api/kontor/v1/transfers?direction=incoming", About::List(false)),
        own("POST", "/api/kontor/v1/transfers/{id}/accept"),
        own("POST", "/api/kontor/v1/transfers/{id}/reject"),
        own("POST", "/api/kontor/v1/transfers/{id}/cancel"),
    ]
}
