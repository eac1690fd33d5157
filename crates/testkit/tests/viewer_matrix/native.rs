//! Lines of the native API.

use super::lines::{About, Body, Line, Told, line, list, own, skill, thing};

/// Lines of the native API.
pub fn native() -> Vec<Line> {
    [
        sign_in(),
        people(),
        skills(),
        versions(),
        trust(),
        runs(),
        workflows(),
        models(),
        errands(),
        publishing(),
        transfers(),
        money(),
    ]
    .concat()
}

fn sign_in() -> Vec<Line> {
    const LOGINS: &str = "/api/kontor/v1/device-logins";
    vec![
        own("GET", "/api/kontor/v1/openapi.json"),
        own("GET", "/api/kontor/v1/whoami"),
        own("GET", "/api/kontor/v1/overview"),
        own("GET", "/api/kontor/v1/jobs"),
        own("POST", LOGINS).json("{}"),
        own("POST", "/api/kontor/v1/device-logins/token").json(r#"{"device_code": "x"}"#),
        // A code that waits is there for everybody who types it: that is what it is for.
        line("GET", "/api/kontor/v1/device-logins/{user_code}", "/api/kontor/v1/device-logins/BBBB-BBBB", About::Own),
        line(
            "POST",
            "/api/kontor/v1/device-logins/{user_code}/approve",
            "/api/kontor/v1/device-logins/BBBB-BBBB/approve",
            About::Own,
        ),
        line(
            "POST",
            "/api/kontor/v1/device-logins/{user_code}/deny",
            "/api/kontor/v1/device-logins/BBBB-BBBB/deny",
            About::Own,
        ),
        thing("POST", "/api/kontor/v1/login-links", "/api/kontor/v1/login-links").json(r#"{"person": "{person}"}"#),
    ]
}

fn people() -> Vec<Line> {
    const P: &str = "/api/kontor/v1/publishers/{p}";
    const MEMBERS: &str = "/api/kontor/v1/publishers/{p}/members";
    const KEYS: &str = "/api/kontor/v1/publishers/{p}/keys";
    const REVOKE: &str = "/api/kontor/v1/publishers/{p}/keys/{id}/revoke";
    const NEW_KEY: &str = r#"{"public_key": "publisher:", "created_at": "2025-11-22T08:26:40Z", "claim": "none"}"#;
    const SHARED: &str = "/api/kontor/v1/publishers/{p}/shared-behaviour";
    const SECRETS: &str = "/api/kontor/v1/publishers/{p}/secrets";
    const SECRET: &str = "/api/kontor/v1/publishers/{p}/secrets/{name}";
    const TOKEN: &str = "/api/kontor/v1/publishers/{p}/secrets/TOKEN";
    const RELEASES: &str = "/api/kontor/v1/publishers/{p}/secrets/{name}/releases";
    const RELEASE: &str = "/api/kontor/v1/publishers/{p}/secrets/{name}/releases/{digest}";
    const BYTES: &str = "/api/kontor/v1/publishers/{p}/secrets/TOKEN/releases/\
        sha256:0000000000000000000000000000000000000000000000000000000000000000";
    const MEMBER: &str = "/api/kontor/v1/publishers/{p}/members/{person}";
    let publisher = |method, path, target| line(method, path, target, About::Publisher);
    vec![
        own("GET", "/api/kontor/v1/tokens"),
        own("POST", "/api/kontor/v1/tokens").json(r#"{"label": "ci"}"#),
        thing("DELETE", "/api/kontor/v1/tokens/{id}", "/api/kontor/v1/tokens/{token}"),
        own("GET", "/api/kontor/v1/me/sessions"),
        own("DELETE", "/api/kontor/v1/me/sessions"),
        own("GET", "/api/kontor/v1/me/password"),
        own("PUT", "/api/kontor/v1/me/password").json(r#"{"new": "correct horse battery"}"#),
        thing("DELETE", "/api/kontor/v1/me/sessions/{id}", "/api/kontor/v1/me/sessions/{session}"),
        own("GET", "/api/kontor/v1/people"),
        // That a name is taken is told whoever wants it: it cannot be given twice.
        own("POST", "/api/kontor/v1/people").json(r#"{"handle": "zoe"}"#),
        thing("PATCH", "/api/kontor/v1/people/{handle}", "/api/kontor/v1/people/{person}").json(r#"{"name": "Other"}"#),
        thing("POST", "/api/kontor/v1/people/{handle}/tokens", "/api/kontor/v1/people/{person}/tokens")
            .json(r#"{"label": "ci"}"#),
        line("GET", "/api/kontor/v1/audit", "/api/kontor/v1/audit?limit=200", About::List(false)),
        publisher("GET", "/api/kontor/v1/audit", "/api/kontor/v1/audit?publisher={p}"),
        line("GET", "/api/kontor/v1/publishers", "/api/kontor/v1/publishers?limit=200", About::List(false)),
        own("POST", "/api/kontor/v1/publishers").json(r#"{"handle": "fresh"}"#),
        publisher("GET", P, P),
        publisher("PATCH", P, P).json(r#"{"name": "Other"}"#),
        publisher("GET", KEYS, KEYS),
        publisher("POST", KEYS, KEYS).json(NEW_KEY),
        publisher("POST", REVOKE, "/api/kontor/v1/publishers/{p}/keys/00000000000000000000000000000000/revoke")
            .json(r#"{"reason": "lost"}"#),
        publisher("PUT", SHARED, SHARED),
        publisher("DELETE", SHARED, SHARED),
        publisher("GET", SECRETS, SECRETS),
        publisher("PUT", SECRET, TOKEN).json(r#"{"value": "a secret value"}"#),
        publisher("POST", RELEASES, "/api/kontor/v1/publishers/{p}/secrets/TOKEN/releases")
            .json(r#"{"ref": "@eve/own@1.0.0"}"#),
        // A release of a secret of one's own must be to what one may see.
        skill("POST", RELEASES, "/api/kontor/v1/publishers/eve/secrets/OWN/releases")
            .json(r#"{"ref": "@{p}/{s}@1.0.0"}"#),
        publisher("DELETE", RELEASE, BYTES),
        publisher("DELETE", SECRET, TOKEN),
        publisher("GET", MEMBERS, MEMBERS),
        publisher("PUT", MEMBER, "/api/kontor/v1/publishers/{p}/members/eve").json(r#"{"role": "owner"}"#),
        publisher("DELETE", MEMBER, "/api/kontor/v1/publishers/{p}/members/ada"),
    ]
}

fn models() -> Vec<Line> {
    const BUDGET: &str = "/api/kontor/v1/budgets/{owner}";
    const LIMIT: &str = r#"{"limit": "1.00", "currency": "USD"}"#;
    let publisher = |method| line(method, BUDGET, "/api/kontor/v1/budgets/publisher:{p}", About::Publisher);
    let person = |method| thing(method, BUDGET, "/api/kontor/v1/budgets/person:{person}");
    vec![
        line("GET", "/api/kontor/v1/usage", "/api/kontor/v1/usage", About::List(false)),
        line("GET", "/api/kontor/v1/budgets", "/api/kontor/v1/budgets", About::List(false)),
        publisher("GET"),
        publisher("PUT").json(LIMIT),
        publisher("DELETE"),
        person("GET"),
        person("PUT").json(LIMIT),
        person("DELETE"),
    ]
}

fn skills() -> Vec<Line> {
    const S: &str = "/api/kontor/v1/skills/{p}/{s}";
    const STAR: &str = "/api/kontor/v1/skills/{p}/{s}/star";
    const RENAME: &str = "/api/kontor/v1/skills/{p}/{s}/rename";
    const REPORTS: &str = "/api/kontor/v1/skills/{p}/{s}/reports";
    let one = |method, path| skill(method, path, path);
    let publisher = |path, target| line("GET", path, target, About::Publisher);
    vec![
        list("/api/kontor/v1/skills", "/api/kontor/v1/skills?limit=200"),
        publisher("/api/kontor/v1/skills", "/api/kontor/v1/skills?publisher={p}"),
        list("/api/kontor/v1/search", "/api/kontor/v1/search?q=watches&limit=200"),
        line(
            "GET",
            "/api/kontor/v1/search/unanswered",
            "/api/kontor/v1/search/unanswered?limit=50",
            About::List(false),
        ),
        publisher("/api/kontor/v1/search", "/api/kontor/v1/search?q=watches&publisher={p}"),
        skill("GET", "/api/kontor/v1/skills/{slug}", "/api/kontor/v1/skills/{s}"),
        one("GET", S),
        one("PATCH", S).json(r#"{"visibility": "public"}"#),
        // What a skill of one's own names as its successor must be there as far as one may see.
        skill("PATCH", S, "/api/kontor/v1/skills/eve/own")
            .json(r#"{"deprecation": {"message": "old", "successor": "@{p}/{s}"}}"#),
        one("DELETE", S),
        one("POST", "/api/kontor/v1/skills/{p}/{s}/restore"),
        one("POST", RENAME).json(r#"{"slug": "renamed"}"#),
        one("PUT", "/api/kontor/v1/skills/{p}/{s}/activation").json("{}"),
        one("DELETE", "/api/kontor/v1/skills/{p}/{s}/activation"),
        own("GET", "/api/kontor/v1/activations"),
        own("GET", "/api/kontor/v1/consents"),
        thing("DELETE", "/api/kontor/v1/consents/{id}", "/api/kontor/v1/consents/{consent}"),
        one("PUT", STAR),
        one("DELETE", STAR),
        one("GET", "/api/kontor/v1/skills/{p}/{s}/usage"),
        one("POST", REPORTS).json(r#"{"reason": "test"}"#),
        line("GET", "/api/kontor/v1/reports", "/api/kontor/v1/reports?limit=200", About::List(false)),
        thing("POST", "/api/kontor/v1/reports/{id}/decision", "/api/kontor/v1/reports/{report}/decision")
            .json(r#"{"state": "dismissed", "answer": "no"}"#),
        one("POST", "/api/kontor/v1/resolve").json(r#"{"requires": ["@{p}/{s}"]}"#).reading(),
        one("POST", "/api/kontor/v1/outdated")
            .json(r#"{"installed": [{"ref": "@{p}/{s}", "version": "1.0.0"}]}"#)
            .reading(),
        one("POST", "/api/kontor/v1/installs/check")
            .json(
                r#"{"copies": [{"ref": "@{p}/{s}", "version": "1.0.0",
                    "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000"}]}"#,
            )
            .reading(),
        line("POST", "/api/kontor/v1/installs", "/api/kontor/v1/installs", About::Skill(Told::Nobody))
            .json(r#"{"items": [{"ref": "@{p}/{s}", "version": "1.0.0"}]}"#)
            .reading(),
    ]
}

fn versions() -> Vec<Line> {
    const TAG: &str = "/api/kontor/v1/skills/{p}/{s}/tags/{tag}";
    const STABLE: &str = "/api/kontor/v1/skills/{p}/{s}/tags/stable";
    const VERSION: &str = "/api/kontor/v1/skills/{p}/{s}/versions/{v}";
    const FIRST: &str = "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0";
    let one = |method, path| skill(method, path, path);
    vec![
        one("GET", "/api/kontor/v1/skills/{p}/{s}/tags"),
        skill("PUT", TAG, STABLE).json(r#"{"version": "1.0.0"}"#),
        skill("DELETE", TAG, STABLE),
        one("GET", "/api/kontor/v1/skills/{p}/{s}/versions"),
        skill("GET", VERSION, FIRST),
        skill("GET", VERSION, "/api/kontor/v1/skills/{p}/{s}/versions/^1"),
        skill(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/archive",
            "/api/kontor/v1/skills/{p}/{s}/versions/latest/archive",
        ),
        skill(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/archive",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/archive?held=true",
        ),
        skill(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/files/{*path}",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/files/SKILL.md?held=true",
        ),
        skill(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/proof",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/proof",
        ),
        skill(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/observed",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/observed",
        ),
        skill(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/sbom",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/sbom",
        ),
        skill(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/evidence",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/evidence",
        ),
        skill(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/files",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/files",
        ),
        skill(
            "GET",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/files/{*path}",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/files/SKILL.md",
        ),
        skill(
            "POST",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/yank",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/yank",
        )
        .json(r#"{"reason": "test"}"#),
        skill(
            "POST",
            "/api/kontor/v1/skills/{p}/{s}/versions/{v}/restore",
            "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/restore",
        ),
    ]
}

fn runs() -> Vec<Line> {
    const RUN: &str = "/api/kontor/v1/runs/{id}";
    vec![
        line("POST", "/api/kontor/v1/runs", "/api/kontor/v1/runs", About::Skill(Told::Nobody))
            .json(r#"{"skill": "@{p}/{s}@1.0.0"}"#),
        line("GET", "/api/kontor/v1/runs", "/api/kontor/v1/runs?limit=200", About::List(false)),
        thing("GET", RUN, "/api/kontor/v1/runs/{run}"),
        thing("GET", "/api/kontor/v1/runs/{id}/events", "/api/kontor/v1/runs/{run}/events"),
        thing("POST", "/api/kontor/v1/runs/{id}/cancel", "/api/kontor/v1/runs/{run}/cancel"),
        thing("POST", "/api/kontor/v1/runs/{id}/retry", "/api/kontor/v1/runs/{run}/retry"),
        thing("GET", "/api/kontor/v1/runs/{id}/receipt", "/api/kontor/v1/runs/{run}/receipt"),
        thing("GET", "/api/kontor/v1/runs/{id}/proof", "/api/kontor/v1/runs/{run}/proof"),
        thing("GET", "/api/kontor/v1/runs/{id}/outputs/{*path}", "/api/kontor/v1/runs/{run}/outputs/out.txt"),
        thing("GET", "/api/kontor/v1/runs/{id}/said/{stream}", "/api/kontor/v1/runs/{run}/said/stdout"),
    ]
}

fn errands() -> Vec<Line> {
    const ERRAND: &str = "/api/kontor/v1/errands/{id}";
    vec![
        line("POST", "/api/kontor/v1/errands", "/api/kontor/v1/errands", About::Own)
            .json(r#"{"request": "a milk tea"}"#),
        line("GET", "/api/kontor/v1/errands", "/api/kontor/v1/errands?limit=200", About::List(false)),
        thing("GET", ERRAND, "/api/kontor/v1/errands/{errand}"),
        thing("GET", "/api/kontor/v1/errands/{id}/events", "/api/kontor/v1/errands/{errand}/events"),
        thing("POST", "/api/kontor/v1/errands/{id}/answers", "/api/kontor/v1/errands/{errand}/answers")
            .json(r#"{"question": "address", "value": "Dock 9"}"#),
        thing("POST", "/api/kontor/v1/errands/{id}/cancel", "/api/kontor/v1/errands/{errand}/cancel"),
    ]
}

fn workflows() -> Vec<Line> {
    const WORKFLOW: &str = "/api/kontor/v1/workflows/{id}";
    vec![
        line("GET", "/api/kontor/v1/workflows", "/api/kontor/v1/workflows?limit=200", About::List(false)),
        thing("GET", WORKFLOW, "/api/kontor/v1/workflows/{workflow}"),
        thing("GET", "/api/kontor/v1/workflows/{id}/events", "/api/kontor/v1/workflows/{workflow}/events"),
        thing("POST", "/api/kontor/v1/workflows/{id}/cancel", "/api/kontor/v1/workflows/{workflow}/cancel"),
        thing("POST", "/api/kontor/v1/workflows/{id}/retry", "/api/kontor/v1/workflows/{workflow}/retry")
            .json(r#"{"from": "step"}"#),
        thing("POST", "/api/kontor/v1/workflows/{id}/answers", "/api/kontor/v1/workflows/{workflow}/answers")
            .json(r#"{"question": "confirm", "answer": true}"#),
    ]
}

fn trust() -> Vec<Line> {
    const ASSESSMENT: &str = "/api/kontor/v1/skills/{p}/{s}/versions/{v}/assessment";
    const APPEAL: &str = "/api/kontor/v1/skills/{p}/{s}/versions/{v}/appeal";
    const EXPLANATION: &str = "/api/kontor/v1/skills/{p}/{s}/versions/{v}/explanation";
    const REVIEW: &str = "/api/kontor/v1/reviews/{id}";
    vec![
        skill("GET", ASSESSMENT, "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/assessment"),
        skill("POST", APPEAL, "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/appeal")
            .json(r#"{"comment": "look again"}"#),
        skill("GET", EXPLANATION, "/api/kontor/v1/skills/{p}/{s}/versions/1.0.0/explanation"),
        skill("POST", "/api/kontor/v1/assessments", "/api/kontor/v1/assessments")
            .json(r#"{"versions": ["@{p}/{s}@1.0.0"]}"#)
            .reading(),
        own("GET", "/api/kontor/v1/assessments/waiting"),
        own("GET", "/api/kontor/v1/notices"),
        line("GET", "/api/kontor/v1/reviews", "/api/kontor/v1/reviews?limit=200", About::List(false)),
        line(
            "GET",
            "/api/kontor/v1/reviews",
            "/api/kontor/v1/reviews?ref=%40{p}%2F{s}%401.0.0",
            About::Skill(Told::Nobody),
        ),
        thing("GET", REVIEW, "/api/kontor/v1/reviews/{review}"),
        thing("GET", "/api/kontor/v1/reviews/{id}/archive", "/api/kontor/v1/reviews/{review}/archive"),
        thing("GET", "/api/kontor/v1/reviews/{id}/files", "/api/kontor/v1/reviews/{review}/files"),
        thing("GET", "/api/kontor/v1/reviews/{id}/files/{*path}", "/api/kontor/v1/reviews/{review}/files/SKILL.md"),
        thing("GET", "/api/kontor/v1/reviews/{id}/difference", "/api/kontor/v1/reviews/{review}/difference"),
        thing("POST", "/api/kontor/v1/reviews/{id}/notes", "/api/kontor/v1/reviews/{review}/notes")
            .json(r#"{"kind": "approve"}"#),
        own("GET", "/api/kontor/v1/policy"),
        own("PUT", "/api/kontor/v1/policy").json(r#"{"text": ""}"#),
        own("POST", "/api/kontor/v1/policy/preview").json(r#"{"text": ""}"#),
    ]
}

fn publishing() -> Vec<Line> {
    const HOOKS: &str = "/api/kontor/v1/publishers/{p}/webhooks";
    const HOOK: &str = "/api/kontor/v1/publishers/{p}/webhooks/{id}";
    const PUBLISH: &str = "/api/kontor/v1/publishers/{p}/skills";
    const IMPORT: &str = "/api/kontor/v1/publishers/{p}/imports";
    let publisher = |method, path, target| line(method, path, target, About::Publisher);
    vec![
        skill("POST", PUBLISH, "/api/kontor/v1/publishers/{p}/skills?slug={s}&version=1.0.0").carrying(Body::Archive),
        publisher("POST", PUBLISH, "/api/kontor/v1/publishers/{p}/skills?slug=any&version=1.0.0")
            .carrying(Body::Archive),
        skill("POST", IMPORT, "/api/kontor/v1/publishers/{p}/imports?source=test&path={s}&slug={s}")
            .carrying(Body::Archive),
        publisher("POST", IMPORT, "/api/kontor/v1/publishers/{p}/imports?source=test&path=any").carrying(Body::Archive),
        publisher("GET", HOOKS, HOOKS),
        publisher("POST", HOOKS, HOOKS).json(r#"{"url": "https://listener.example/", "events": ["publish"]}"#),
        publisher("DELETE", HOOK, "/api/kontor/v1/publishers/{p}/webhooks/{webhook}"),
        thing("DELETE", HOOK, "/api/kontor/v1/publishers/acme/webhooks/{webhook}"),
    ]
}

fn transfers() -> Vec<Line> {
    const OFFER: &str = "/api/kontor/v1/skills/{p}/{s}/transfers";
    let decide = |path, target| thing("POST", path, target);
    vec![
        skill("POST", OFFER, OFFER).json(r#"{"to": "eve"}"#),
        line("GET", "/api/kontor/v1/transfers", "/api/kontor/v1/transfers?direction=incoming", About::List(false)),
        line("GET", "/api/kontor/v1/transfers", "/api/kontor/v1/transfers?direction=outgoing", About::List(false)),
        decide("/api/kontor/v1/transfers/{id}/accept", "/api/kontor/v1/transfers/{transfer}/accept"),
        decide("/api/kontor/v1/transfers/{id}/reject", "/api/kontor/v1/transfers/{transfer}/reject"),
        decide("/api/kontor/v1/transfers/{id}/cancel", "/api/kontor/v1/transfers/{transfer}/cancel"),
    ]
}

fn money() -> Vec<Line> {
    const MANDATE: &str = "/api/kontor/v1/mandates/{id}";
    const CHECKOUT: &str = "/api/kontor/v1/checkouts/{id}";
    const MERCHANT: &str = "/api/kontor/v1/merchants/{m}";
    const SHOP: &str = "/api/kontor/v1/merchants/other-shop";
    const KEYS: &str = "/api/kontor/v1/people/{handle}/mandate-keys";
    const NO_MANDATE: &str = r#"{"mandate": "0190a0a0-0000-7000-8000-000000000000"}"#;
    vec![
        own("GET", "/api/kontor/v1/purse"),
        own("POST", "/api/kontor/v1/purse/top-ups").json(r#"{"amount": {"currency": "CNY", "minor": 1}}"#),
        own("GET", "/api/kontor/v1/mandate-keys"),
        own("POST", "/api/kontor/v1/mandate-keys")
            .json(r#"{"public_key": "mandate:", "created_at": "2025-11-22T08:26:40Z", "claim": "none"}"#),
        thing("DELETE", KEYS, "/api/kontor/v1/people/{person}/mandate-keys"),
        own("GET", "/api/kontor/v1/mandates"),
        own("POST", "/api/kontor/v1/mandates").json(r#"{"signed": "{}"}"#),
        thing("GET", MANDATE, "/api/kontor/v1/mandates/{mandate}"),
        thing("DELETE", MANDATE, "/api/kontor/v1/mandates/{mandate}"),
        own("GET", "/api/kontor/v1/merchants"),
        line("PUT", MERCHANT, SHOP, About::Own).json(r#"{"url": "https://shop.example"}"#),
        line("DELETE", MERCHANT, SHOP, About::Own),
        line("GET", "/api/kontor/v1/offers", "/api/kontor/v1/offers?q=tea", About::Own),
        own("GET", "/api/kontor/v1/checkouts"),
        own("POST", "/api/kontor/v1/checkouts")
            .json(r#"{"merchant": "other-shop", "lines": [{"item": "tea", "quantity": 1}]}"#),
        own("GET", "/api/kontor/v1/checkouts/undecided"),
        thing("GET", CHECKOUT, "/api/kontor/v1/checkouts/{checkout}"),
        thing("POST", "/api/kontor/v1/checkouts/{id}/decide", "/api/kontor/v1/checkouts/{checkout}/decide")
            .json(r#"{"decision": "not_taken", "reason": "they said so"}"#),
        thing("POST", "/api/kontor/v1/checkouts/{id}/complete", "/api/kontor/v1/checkouts/{checkout}/complete")
            .json(NO_MANDATE),
        thing("POST", "/api/kontor/v1/checkouts/{id}/cancel", "/api/kontor/v1/checkouts/{checkout}/cancel"),
        thing("POST", "/api/kontor/v1/checkouts/{id}/requote", "/api/kontor/v1/checkouts/{checkout}/requote"),
        thing("POST", "/api/kontor/v1/checkouts/{id}/refunds", "/api/kontor/v1/checkouts/{checkout}/refunds")
            .json("{}"),
        thing("GET", "/api/kontor/v1/checkouts/{id}/receipt", "/api/kontor/v1/checkouts/{checkout}/receipt"),
        thing("GET", "/api/kontor/v1/checkouts/{id}/proof", "/api/kontor/v1/checkouts/{checkout}/proof"),
        own("GET", "/api/kontor/v1/ledger/accounts"),
        thing(
            "GET",
            "/api/kontor/v1/ledger/accounts/{n}/statement",
            "/api/kontor/v1/ledger/accounts/{account}/statement",
        ),
    ]
}
