//! The surface that ClawHub clients speak: `/api/v1`, `/api/cli` and `/.well-known/clawhub.json`, errors in plain text.
//!
//! It is a dialect of the registry's verbs: names, numbers and refusals are those that the clients parse, nothing else is
//! decided here.

mod discovery;
mod download;
mod export;
mod files;
mod install;
mod judged;
mod lifecycle;
mod list;
mod lookup;
mod names;
mod publish;
mod publishers;
mod refusal;
mod rename;
mod resolve;
mod scan;
mod search;
mod shapes;
mod skill;
mod stars;
mod tags;
mod telemetry;
mod transfer;
mod verdicts;
mod verify;
mod versions;
mod whoami;

use axum::http::Method;

use crate::{Class, Routes};

/// The routes of the surface.
pub fn routes() -> Routes {
    let routes = Routes::new()
        .get("/.well-known/clawhub.json", discovery::discovery)
        .get("/.well-known/clawdhub.json", discovery::discovery)
        .get("/api/v1/whoami", whoami::whoami)
        .get("/api/v1/search", search::search)
        .get("/api/v1/trending", search::trending)
        .get("/api/v1/skills", list::list)
        .get("/api/v1/resolve", resolve::resolve)
        .get("/api/v1/download", download::download)
        .get("/api/v1/skills-sh/{owner}/{repository}/{slug}/install", install::skills_sh)
        .get("/api/v1/transfers/{direction}", transfer::offers)
        .post("/api/v1/publishers", publishers::create)
        .post("/api/v1/stars/{slug}", stars::star)
        .on(&Method::DELETE, "/api/v1/stars/{slug}", Class::Write, stars::unstar)
        .post("/api/cli/telemetry/install", telemetry::installed);
    publishing(one_skill(routes))
}

fn one_skill(routes: Routes) -> Routes {
    routes
        .get("/api/v1/skills/{slug}", skill::skill)
        .on(&Method::DELETE, "/api/v1/skills/{slug}", Class::Write, lifecycle::delete)
        .get("/api/v1/skills/{slug}/moderation", skill::moderation)
        .get("/api/v1/skills/{slug}/versions", versions::versions)
        .get("/api/v1/skills/{slug}/versions/{version}", versions::version)
        .on(&Method::DELETE, "/api/v1/skills/{slug}/versions/{version}", Class::Write, versions::hide)
        .post("/api/v1/skills/{slug}/versions/{version}/restore", versions::restore)
        .get("/api/v1/skills/{slug}/file", files::file)
        .get("/api/v1/skills/{slug}/install", install::install)
        .get("/api/v1/skills/{slug}/verify", verify::verify)
        .get("/api/v1/skills/{slug}/scan", scan::details)
        .post("/api/v1/skills/{slug}/undelete", lifecycle::restore)
        .post("/api/v1/skills/{slug}/tags/{tag}", tags::set)
        .post("/api/v1/skills/{slug}/rename", rename::rename)
        .post("/api/v1/skills/{slug}/merge", rename::merge)
        .post("/api/v1/skills/{slug}/transfer", transfer::offer)
        .post("/api/v1/skills/{slug}/transfer/{decision}", transfer::decide)
}

fn publishing(routes: Routes) -> Routes {
    routes
        .get("/api/v1/skills/export", export::export)
        .on(&Method::POST, "/api/v1/skills", Class::Upload, publish::publish)
        .on(&Method::POST, "/api/v1/skills/-/upload-url", Class::Upload, publish::open)
        .on(&Method::POST, "/api/v1/skills/-/upload/{ticket}", Class::Upload, publish::upload)
        .post("/api/v1/skills/-/security-verdicts", verdicts::verdicts)
        .post("/api/v1/skills/-/scan", scan::submit)
        .get("/api/v1/skills/-/scan/{id}", scan::status)
        .get("/api/v1/skills/-/scan/{id}/download", scan::report)
        .get("/api/v1/skills/-/scan/download/{name}", scan::report_of)
}
