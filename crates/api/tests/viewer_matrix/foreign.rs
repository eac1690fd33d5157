//! Lines of the surfaces that foreign clients speak, and of the pages.

use super::lines::{About, Line, line, with};

/// Lines of discovery, of ClawHub's dialect and of the pages.
pub fn foreign() -> Vec<Line> {
    [clawhub(), clawhub_changes(), discovery(), pages(), native()].concat()
}

fn clawhub() -> Vec<Line> {
    let own = |method, path| line(method, path, path, About::Own);
    let list = |path, target| line("GET", path, target, About::List(false));
    let skill = |path, target| line("GET", path, target, About::Skill);
    vec![
        own("GET", "/.well-known/clawhub.json"),
        own("GET", "/.well-known/clawdhub.json"),
        own("GET", "/api/v1/whoami"),
        list("/api/v1/search", "/api/v1/search?q=skill&limit=100"),
        list("/api/v1/trending", "/api/v1/trending?kind=skills&limit=100"),
        list("/api/v1/skills", "/api/v1/skills?limit=200"),
        list("/api/v1/skills/export", "/api/v1/skills/export?startDate=2020-01-01&endDate=2099-01-01&limit=250"),
        list("/api/v1/transfers/{direction}", "/api/v1/transfers/incoming"),
        skill(
            "/api/v1/resolve",
            "/api/v1/resolve?slug={s}&ownerHandle={p}&hash=0000000000000000000000000000000000000000000000000000000000000000",
        ),
        skill("/api/v1/download", "/api/v1/download?slug={s}&ownerHandle={p}&version=1.0.0"),
        skill("/api/v1/skills/{slug}", "/api/v1/skills/{s}?ownerHandle={p}"),
        skill("/api/v1/skills/{slug}/versions", "/api/v1/skills/{s}/versions?ownerHandle={p}"),
        skill("/api/v1/skills/{slug}/versions/{version}", "/api/v1/skills/{s}/versions/1.0.0?ownerHandle={p}"),
        skill("/api/v1/skills/{slug}/file", "/api/v1/skills/{s}/file?path=SKILL.md&ownerHandle={p}"),
        skill("/api/v1/skills/{slug}/verify", "/api/v1/skills/{s}/verify?ownerHandle={p}"),
        own("GET", "/api/v1/skills/{slug}/scan"),
        own("GET", "/api/v1/skills/{slug}/moderation"),
        own("GET", "/api/v1/skills/{slug}/install"),
        own("GET", "/api/v1/skills-sh/{owner}/{repository}/{slug}/install"),
        own("GET", "/api/v1/skills/-/scan/{id}"),
        own("GET", "/api/v1/skills/-/scan/{id}/download"),
        own("GET", "/api/v1/skills/-/scan/download/{name}"),
    ]
}

fn clawhub_changes() -> Vec<Line> {
    let own = |method, path| line(method, path, path, About::Own);
    let skill = |method, path, target, body| with(body, line(method, path, target, About::Skill));
    vec![
        skill("POST", "/api/v1/stars/{slug}", "/api/v1/stars/{s}?ownerHandle={p}", ""),
        skill("DELETE", "/api/v1/stars/{slug}", "/api/v1/stars/{s}?ownerHandle={p}", ""),
        skill("DELETE", "/api/v1/skills/{slug}", "/api/v1/skills/{s}?ownerHandle={p}", ""),
        skill("POST", "/api/v1/skills/{slug}/undelete", "/api/v1/skills/{s}/undelete?ownerHandle={p}", ""),
        own("DELETE", "/api/v1/skills/{slug}/versions/{version}"),
        own("POST", "/api/v1/skills/{slug}/versions/{version}/restore"),
        own("POST", "/api/v1/skills/{slug}/tags/{tag}"),
        own("POST", "/api/v1/skills/{slug}/rename"),
        own("POST", "/api/v1/skills/{slug}/merge"),
        own("POST", "/api/v1/skills/{slug}/transfer"),
        own("POST", "/api/v1/skills/{slug}/transfer/{decision}"),
        own("POST", "/api/v1/publishers"),
        own("POST", "/api/cli/telemetry/install"),
        own("POST", "/api/v1/skills"),
        own("POST", "/api/v1/skills/-/upload-url"),
        own("POST", "/api/v1/skills/-/upload/{ticket}"),
        own("POST", "/api/v1/skills/-/security-verdicts"),
        own("POST", "/api/v1/skills/-/scan"),
    ]
}

fn discovery() -> Vec<Line> {
    let list = |path, target| line("GET", path, target, About::List(false));
    let own = |path| line("GET", path, path, About::Own);
    vec![
        list("/api/search", "/api/search?q=skill&limit=100"),
        list("/.well-known/agent-skills/index.json", "/.well-known/agent-skills/index.json"),
        list("/@{publisher}/.well-known/agent-skills/index.json", "/@{p}/.well-known/agent-skills/index.json"),
        list("/.well-known/skills/index.json", "/.well-known/skills/index.json"),
        list("/@{publisher}/.well-known/skills/index.json", "/@{p}/.well-known/skills/index.json"),
        own("/assets/pages.css"),
        own("/@{publisher}/{skill}/.well-known/agent-skills/index.json"),
        own("/@{publisher}/.well-known/agent-skills/{artifact}"),
        own("/@{publisher}/{skill}/.well-known/agent-skills/{artifact}"),
        own("/@{publisher}/{skill}/.well-known/skills/index.json"),
        own("/.well-known/skills/{name}/{*path}"),
        own("/@{publisher}/.well-known/skills/{name}/{*path}"),
        own("/@{publisher}/{skill}/.well-known/skills/{name}/{*path}"),
    ]
}

fn pages() -> Vec<Line> {
    vec![
        line("GET", "/", "/?q=skill", About::List(false)),
        line("GET", "/@{publisher}", "/@{p}", About::List(false)),
        line("GET", "/@{publisher}/{skill}", "/@{p}/{s}", About::Own),
    ]
}

fn native() -> Vec<Line> {
    let skill = |method, path| line(method, path, path, About::Skill);
    let list = |path, target| line("GET", path, target, About::List(false));
    let own = |method, path| line(method, path, path, About::Own);
    vec![
        list("/api/kontor/v1/skills", "/api/kontor/v1/skills?limit=200"),
        list("/api/kontor/v1/search", "/api/kontor/v1/search?q=skill&limit=200"),
        list("/api/kontor/v1/reports", "/api/kontor/v1/reports?limit=200"),
        skill("GET", "/api/kontor/v1/skills/{p}/{s}/usage"),
        with(r#"{"reason": "test"}"#, skill("POST", "/api/kontor/v1/skills/{p}/{s}/reports")),
        with(r#"{"requires": ["@{p}/{s}"]}"#, skill("POST", "/api/kontor/v1/resolve")),
        with(r#"{"installed": [{"ref": "@{p}/{s}", "version": "1.0.0"}]}"#, skill("POST", "/api/kontor/v1/outdated")),
        with(r#"{"items": [{"ref": "@{p}/{s}", "version": "1.0.0"}]}"#, skill("POST", "/api/kontor/v1/installs")),
        own("POST", "/api/kontor/v1/reports/{id}/decision"),
    ]
}
