//! The second step of `install`: where the archive is.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_db::skills::Skill;
use kontor_types::{SkillRef, Version, VersionSelector};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::judged::Judged;
use super::lookup;
use super::names::Named;
use super::refusal::Refusal;
use crate::extract::Json;
use crate::{Asker, Hub};

/// `GET /api/v1/skills/{slug}/install`
pub async fn install(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Named(named): Named,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let skill = lookup::skill(&hub, caller.viewer(), &named).await?;
    let Some(number) = &skill.latest_number else {
        let why = super::skill::judged(&hub, &caller, &skill).await?.as_ref().map(Judged::overview);
        let body = json!({
            "ok": false,
            "slug": named.slug,
            "reason": "archive_version_missing",
            "message": why.unwrap_or_else(|| "No version of this skill can be had at the moment.".to_owned()),
            "status": 409,
        });
        return Ok((StatusCode::CONFLICT, Json(body)));
    };
    let which = Some(VersionSelector::Exact(number.clone()));
    let found = lookup::found(&hub, caller.viewer(), SkillRef::new(skill.publisher.clone(), skill.slug.clone()), which);
    let judged = Judged::read_for(&hub, &caller, &found.await?).await?;
    if judged.is_forbidden() {
        let body = json!({
            "ok": false,
            "slug": named.slug,
            "reason": "policy_forbids",
            "message": judged.overview(),
            "status": 403,
        });
        return Ok((StatusCode::FORBIDDEN, Json(body)));
    }
    let archive = json!({ "version": number, "downloadUrl": download_url(&hub, &skill, number) });
    Ok((StatusCode::OK, Json(json!({ "ok": true, "slug": named.slug, "installKind": "archive", "archive": archive }))))
}

fn download_url(hub: &Hub, skill: &Skill, number: &Version) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("slug", skill.slug.as_str());
    query.append_pair("ownerHandle", skill.publisher.as_str());
    query.append_pair("version", &number.to_string());
    hub.absolute(&format!("/api/v1/download?{}", query.finish()))
}

/// `GET /api/v1/skills-sh/{owner}/{repository}/{slug}/install`: this hub has no such catalogue.
pub async fn skills_sh() -> Refusal {
    Refusal::not_found("Skill not found: this hub has no skills.sh catalogue, only its own skills")
}
