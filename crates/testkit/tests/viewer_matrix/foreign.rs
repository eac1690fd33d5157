//! Lines of operations, signing in by browser, ClawHub's dialect, discovery and the pages.

use super::lines::{About, Body, Line, Told, line, list, own, skill, thing};

/// Lines outside the native API.
pub fn foreign() -> Vec<Line> {
    [
        operations(),
        agents(),
        openai(),
        clawhub(),
        clawhub_skill(),
        clawhub_changes(),
        clawhub_publishing(),
        discovery(),
        pages(),
    ]
    .concat()
}

fn operations() -> Vec<Line> {
    let gets = [
        "/healthz",
        "/readyz",
        "/metrics",
        "/device",
        "/login",
        "/errands",
        "/errands/{id}",
        "/assets/pages.css",
        "/assets/mark.svg",
    ];
    let posts =
        ["/api/cli/device/code", "/api/cli/device/token", "/device", "/login", "/logout", "/errands", "/errands/{id}"];
    let script = line("GET", "/assets/scripts/{name}", "/assets/scripts/copy.js", About::Own);
    let gets = gets.map(|path| own("GET", path)).into_iter().chain([script]);
    gets.chain(posts.map(|path| own("POST", path))).collect()
}

/// Models are the hub's: who may call them sees all of them.
fn openai() -> Vec<Line> {
    vec![
        own("GET", "/openai/v1/models"),
        line("GET", "/openai/v1/models/{*id}", "/openai/v1/models/small", About::Own),
        own("POST", "/openai/v1/chat/completions").json(r#"{"model": "small", "messages": []}"#),
    ]
}

fn agents() -> Vec<Line> {
    let about = |message| skill("POST", "/mcp", "/mcp").json(message).reading();
    let errand = |message| thing("POST", "/mcp", "/mcp").json(message).reading();
    let many = |message| line("POST", "/mcp", "/mcp", About::List(true)).json(message).reading();
    vec![
        about(
            r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_skill", "arguments": {"skill": "@{p}/{s}"}}}"#,
        ),
        about(
            r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_skill", "arguments": {"skill": "{s}@1.0.0"}}}"#,
        ),
        about(
            r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_skill_files", "arguments": {"skill": "@{p}/{s}"}}}"#,
        ),
        about(
            r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "read_skill_file", "arguments": {"skill": "@{p}/{s}@1.0.0", "path": "SKILL.md"}}}"#,
        ),
        about(r#"{"jsonrpc": "2.0", "id": 1, "method": "skills/get", "params": {"uri": "skill://{p}/{s}/SKILL.md"}}"#),
        about(
            r#"{"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "skill://{p}/{s}/SKILL.md"}}"#,
        ),
        about(
            r#"{"jsonrpc": "2.0", "id": 1, "method": "resources/directory/read", "params": {"uri": "skill://{p}/{s}"}}"#,
        ),
        errand(
            r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": {"errand": "{errand}"}}}"#,
        ),
        many(
            r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search_skills", "arguments": {"query": "watches", "limit": 10}}}"#,
        ),
        many(r#"{"jsonrpc": "2.0", "id": 1, "method": "skills/list"}"#),
        many(r#"{"jsonrpc": "2.0", "id": 1, "method": "resources/list"}"#),
    ]
}

fn clawhub() -> Vec<Line> {
    const EXPORT: &str = "/api/v1/skills/export?startDate=1000000000000&endDate=4000000000000&limit=250";
    const TRANSFERS: &str = "/api/v1/transfers/{direction}";
    let never = |method, path, target| line(method, path, target, About::Skill(Told::Nobody));
    vec![
        own("GET", "/log/keys"),
        line("GET", "/log/{*path}", "/log/checkpoint", About::Own),
        own("GET", "/.well-known/clawhub.json"),
        own("GET", "/.well-known/clawdhub.json"),
        own("GET", "/api/v1/whoami"),
        list("/api/v1/search", "/api/v1/search?q=watches&limit=100"),
        line("GET", "/api/v1/search", "/api/v1/search?q=hidden-private&mode=exact", About::List(false)),
        list("/api/v1/trending", "/api/v1/trending?kind=skills&limit=100"),
        list("/api/v1/skills", "/api/v1/skills?limit=200"),
        // It carries what everybody may see, whoever asks.
        line("GET", "/api/v1/skills/export", EXPORT, About::List(false)),
        line("GET", TRANSFERS, "/api/v1/transfers/incoming", About::List(false)),
        line("GET", TRANSFERS, "/api/v1/transfers/outgoing", About::List(false)),
        // There is no such catalogue: the answer never depends on the skill.
        never(
            "GET",
            "/api/v1/skills-sh/{owner}/{repository}/{slug}/install",
            "/api/v1/skills-sh/{p}/repository/{s}/install",
        ),
        skill("GET", "/api/v1/skills/-/scan/{id}/download", "/api/v1/skills/-/scan/%40{p}%2F{s}%401.0.0/download"),
        skill(
            "GET",
            "/api/v1/skills/-/scan/download/{name}",
            "/api/v1/skills/-/scan/download/{s}?ownerHandle={p}&version=1.0.0",
        ),
    ]
}

fn clawhub_skill() -> Vec<Line> {
    const RESOLVE: &str = "/api/v1/resolve?slug={s}&ownerHandle={p}\
        &hash=0000000000000000000000000000000000000000000000000000000000000000";
    let get = |path, target| skill("GET", path, target);
    vec![
        get("/api/v1/resolve", RESOLVE),
        get("/api/v1/download", "/api/v1/download?slug={s}&ownerHandle={p}&version=1.0.0"),
        get("/api/v1/download", "/api/v1/download?slug={s}"),
        get("/api/v1/skills/{slug}", "/api/v1/skills/{s}?ownerHandle={p}"),
        get("/api/v1/skills/{slug}", "/api/v1/skills/{s}"),
        get("/api/v1/skills/{slug}/versions", "/api/v1/skills/{s}/versions?ownerHandle={p}"),
        get("/api/v1/skills/{slug}/versions/{version}", "/api/v1/skills/{s}/versions/1.0.0?ownerHandle={p}"),
        get("/api/v1/skills/{slug}/file", "/api/v1/skills/{s}/file?path=SKILL.md&ownerHandle={p}"),
        get("/api/v1/skills/{slug}/verify", "/api/v1/skills/{s}/verify?ownerHandle={p}"),
        get("/api/v1/skills/{slug}/scan", "/api/v1/skills/{s}/scan?ownerHandle={p}"),
        get("/api/v1/skills/{slug}/moderation", "/api/v1/skills/{s}/moderation?ownerHandle={p}"),
        get("/api/v1/skills/{slug}/install", "/api/v1/skills/{s}/install?ownerHandle={p}"),
        get("/api/v1/skills/-/scan/{id}", "/api/v1/skills/-/scan/%40{p}%2F{s}%401.0.0").signed_in(),
        skill("POST", "/api/v1/skills/-/scan", "/api/v1/skills/-/scan")
            .json(r#"{"source": {"kind": "published", "slug": "{s}", "ownerHandle": "{p}"}}"#)
            .reading()
            .signed_in(),
        skill("POST", "/api/v1/skills/-/security-verdicts", "/api/v1/skills/-/security-verdicts")
            .json(r#"{"items": [{"slug": "{s}", "ownerHandle": "{p}", "version": "1.0.0"}]}"#)
            .reading(),
        skill("POST", "/api/cli/telemetry/install", "/api/cli/telemetry/install")
            .json(r#"{"event": "install", "slug": "{s}", "ownerHandle": "{p}", "version": "1.0.0"}"#)
            .reading()
            .told(Told::Nobody),
    ]
}

fn clawhub_changes() -> Vec<Line> {
    const STAR: &str = "/api/v1/stars/{slug}";
    const VERSION: &str = "/api/v1/skills/{slug}/versions/{version}";
    const MERGE: &str = "/api/v1/skills/{slug}/merge";
    const DECIDE: &str = "/api/v1/skills/{slug}/transfer/{decision}";
    vec![
        skill("POST", STAR, "/api/v1/stars/{s}?ownerHandle={p}"),
        skill("DELETE", STAR, "/api/v1/stars/{s}?ownerHandle={p}"),
        skill("DELETE", "/api/v1/skills/{slug}", "/api/v1/skills/{s}?ownerHandle={p}"),
        skill("POST", "/api/v1/skills/{slug}/undelete", "/api/v1/skills/{s}/undelete?ownerHandle={p}"),
        skill("POST", "/api/v1/skills/{slug}/undelete", "/api/v1/skills/{s}/undelete"),
        skill("DELETE", VERSION, "/api/v1/skills/{s}/versions/1.0.0?ownerHandle={p}"),
        skill(
            "POST",
            "/api/v1/skills/{slug}/versions/{version}/restore",
            "/api/v1/skills/{s}/versions/1.0.0/restore?ownerHandle={p}",
        ),
        skill("POST", "/api/v1/skills/{slug}/tags/{tag}", "/api/v1/skills/{s}/tags/stable?ownerHandle={p}")
            .json(r#"{"version": "1.0.0"}"#),
        skill("POST", "/api/v1/skills/{slug}/rename", "/api/v1/skills/{s}/rename?ownerHandle={p}")
            .json(r#"{"newSlug": "renamed"}"#),
        skill("POST", MERGE, "/api/v1/skills/{s}/merge?ownerHandle={p}").json(r#"{"targetSlug": "own"}"#),
        // Into a skill of somebody else.
        skill("POST", MERGE, "/api/v1/skills/own/merge?ownerHandle=eve")
            .json(r#"{"targetSlug": "{s}", "targetOwnerHandle": "{p}"}"#),
        skill("POST", "/api/v1/skills/{slug}/transfer", "/api/v1/skills/{s}/transfer?ownerHandle={p}")
            .json(r#"{"toUserHandle": "eve"}"#),
        skill("POST", DECIDE, "/api/v1/skills/{s}/transfer/accept?ownerHandle={p}"),
        skill("POST", DECIDE, "/api/v1/skills/{s}/transfer/cancel"),
        // That a name is taken is told whoever wants it: it cannot be given twice.
        own("POST", "/api/v1/publishers").json(r#"{"handle": "fresh"}"#),
    ]
}

fn clawhub_publishing() -> Vec<Line> {
    const PUBLISH: &str = "/api/v1/skills";
    const INTO: &str = "--matrix\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\n\
        {\"slug\": \"{s}\", \"ownerHandle\": \"{p}\", \"version\": \"1.0.0\"}\r\n\
        --matrix\r\nContent-Disposition: form-data; name=\"files\"; filename=\"SKILL.md\"\r\n\r\n\
        ---\nname: {s}\ndescription: Something else.\n---\nSomething else.\n\r\n--matrix--\r\n";
    const AWAY: &str = "--matrix\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\n\
        {\"slug\": \"{s}\", \"ownerHandle\": \"eve\", \"sourceOwnerHandle\": \"{p}\", \"migrateOwner\": true}\r\n\
        --matrix\r\nContent-Disposition: form-data; name=\"files\"; filename=\"SKILL.md\"\r\n\r\n\
        ---\nname: {s}\ndescription: Something else.\n---\nSomething else.\n\r\n--matrix--\r\n";
    vec![
        skill("POST", PUBLISH, PUBLISH).carrying(Body::Parts(INTO)),
        skill("POST", PUBLISH, PUBLISH).carrying(Body::Parts(AWAY)),
        // What tickets tell of bytes that are there is in `side_doors`.
        own("POST", "/api/v1/skills/-/upload-url"),
        thing("POST", "/api/v1/skills/-/upload/{ticket}", "/api/v1/skills/-/upload/{ticket}").carrying(Body::Archive),
    ]
}

fn discovery() -> Vec<Line> {
    const SCOPED: &str = "/@{publisher}/{skill}/.well-known/agent-skills/{artifact}";
    const ALIAS: &str = "/@{publisher}/.well-known/agent-skills/{artifact}";
    const V2: &str = "/@{publisher}/.well-known/agent-skills/index.json";
    const V1: &str = "/@{publisher}/.well-known/skills/index.json";
    let publisher = |path, target| line("GET", path, target, About::Publisher);
    let get = |path, target| skill("GET", path, target);
    vec![
        list("/api/search", "/api/search?q=watches&limit=100"),
        publisher("/api/search", "/api/search?q=watches&owner={p}"),
        list("/.well-known/agent-skills/index.json", "/.well-known/agent-skills/index.json"),
        list("/.well-known/skills/index.json", "/.well-known/skills/index.json"),
        list(V2, "/@acme/.well-known/agent-skills/index.json"),
        list(V1, "/@acme/.well-known/skills/index.json"),
        publisher(V2, "/@{p}/.well-known/agent-skills/index.json"),
        publisher(V1, "/@{p}/.well-known/skills/index.json"),
        get(
            "/@{publisher}/{skill}/.well-known/agent-skills/index.json",
            "/@{p}/{s}@1.0.0/.well-known/agent-skills/index.json",
        ),
        get(V2, "/@{p}@{s}/.well-known/agent-skills/index.json"),
        get(ALIAS, "/@{p}@{s}/.well-known/agent-skills/SKILL.md"),
        get(SCOPED, "/@{p}/{s}/.well-known/agent-skills/SKILL.md"),
        get(SCOPED, "/@{p}/{s}@1.0.0/.well-known/agent-skills/{s}.zip"),
        get("/@{publisher}/{skill}/.well-known/skills/index.json", "/@{p}/{s}/.well-known/skills/index.json"),
        get("/.well-known/skills/{name}/{*path}", "/.well-known/skills/{s}/SKILL.md").told(Told::Finder),
        get("/@{publisher}/.well-known/skills/{name}/{*path}", "/@{p}/.well-known/skills/{s}/SKILL.md"),
        get("/@{publisher}/{skill}/.well-known/skills/{name}/{*path}", "/@{p}/{s}/.well-known/skills/{s}/SKILL.md"),
    ]
}

fn pages() -> Vec<Line> {
    vec![
        line("GET", "/", "/", About::List(false)).as_page(),
        list("/", "/?q=watches").as_page(),
        list("/", "/?sort=updated").as_page(),
        line("GET", "/suggestions", "/suggestions?q=hidden", About::List(false)),
        list("/@{publisher}", "/@acme").as_page(),
        line("GET", "/@{publisher}", "/@{p}", About::Publisher).as_page(),
        own("GET", "/language/{word}").as_page(),
        own("GET", "/theme/{word}").as_page(),
        own("GET", "/publish").as_page(),
        own("POST", "/publish").as_page(),
        skill("GET", "/@{publisher}/{skill}/check", "/@{p}/{s}/check").as_page(),
        skill("POST", "/@{publisher}/{skill}/appeal", "/@{p}/{s}/appeal").as_page(),
        own("GET", "/console/reviews").as_page(),
        thing("GET", "/console/reviews/{id}", "/console/reviews/{review}").as_page(),
        thing("POST", "/console/reviews/{id}", "/console/reviews/{review}").as_page(),
        own("GET", "/console").as_page(),
        own("GET", "/console/reports").as_page(),
        own("POST", "/console/reports").as_page(),
        own("GET", "/console/people").as_page(),
        own("POST", "/console/people").as_page(),
        own("GET", "/console/publishers").as_page(),
        own("GET", "/console/policy").as_page(),
        own("POST", "/console/policy").as_page(),
        own("GET", "/console/audit").as_page(),
        own("GET", "/console/jobs").as_page(),
        own("POST", "/console/jobs").as_page(),
        own("GET", "/console/health").as_page(),
        own("GET", "/account").as_page(),
        own("POST", "/account").as_page(),
        own("GET", "/account/password").as_page(),
        own("POST", "/account/password").as_page(),
        own("GET", "/account/tokens").as_page(),
        own("POST", "/account/tokens").as_page(),
        line("GET", "/manage/{publisher}", "/manage/{p}", About::Publisher).as_page(),
        line("GET", "/manage/{publisher}/members", "/manage/{p}/members", About::Publisher).as_page(),
        line("POST", "/manage/{publisher}/members", "/manage/{p}/members", About::Publisher).as_page(),
        line("GET", "/manage/{publisher}/keys", "/manage/{p}/keys", About::Publisher).as_page(),
        line("POST", "/manage/{publisher}/keys", "/manage/{p}/keys", About::Publisher).as_page(),
        skill("GET", "/manage/{publisher}/skills/{skill}", "/manage/{p}/skills/{s}").as_page().told(Told::Maintainer),
        skill("POST", "/manage/{publisher}/skills/{skill}", "/manage/{p}/skills/{s}").as_page().told(Told::Maintainer),
        own("GET", "/inbox").as_page(),
        own("POST", "/inbox").as_page(),
        skill("GET", "/@{publisher}/{skill}/files/{*path}", "/@{p}/{s}/files/SKILL.md").as_page(),
        skill("GET", "/@{publisher}/{skill}/compare", "/@{p}/{s}/compare?from=1.0.0&to=1.0.0").as_page(),
        skill("POST", "/@{publisher}/{skill}/activate", "/@{p}/{s}/activate").as_page(),
        skill("GET", "/@{publisher}/{skill}/try", "/@{p}/{s}/try").as_page(),
        skill("POST", "/@{publisher}/{skill}/try", "/@{p}/{s}/try").as_page(),
        own("GET", "/runs").as_page(),
        thing("GET", "/runs/{id}", "/runs/{run}").as_page(),
        thing("POST", "/runs/{id}", "/runs/{run}").as_page(),
        skill("GET", "/@{publisher}/{skill}/report", "/@{p}/{s}/report").as_page(),
        skill("POST", "/@{publisher}/{skill}/report", "/@{p}/{s}/report").as_page(),
        skill("GET", "/@{publisher}/{skill}", "/@{p}/{s}").as_page(),
        skill("GET", "/@{publisher}/{skill}", "/@{p}/{s}@1.0.0").as_page(),
        skill("GET", "/@{publisher}/{skill}", "/@{p}/{s}"),
    ]
}
