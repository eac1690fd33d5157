//! The native API under [`kontor_wire::BASE`].

mod activations;
mod audit;
mod checkouts;
mod consents;
mod device_logins;
mod document;
pub(crate) mod errands;
mod installs;
mod keys;
mod ledger;
mod mandates;
mod me;
mod members;
mod merchants;
mod models;
mod money_shapes;
mod names;
mod observed;
mod overview;
mod password;
mod people;
mod policy;
mod proofs;
mod publishers;
mod publishing;
mod purse;
mod reports;
mod reviews;
mod run_shapes;
mod runs;
mod search;
mod secrets;
mod sessions;
mod shapes;
mod skill_shapes;
pub(crate) mod skills;
mod stars;
mod stream;
mod tags;
mod tokens;
mod transfers;
mod trust;
pub(crate) mod trust_shapes;
mod usage;
mod versions;
mod webhooks;
mod workflows;

use std::pin::Pin;

use axum::response::{IntoResponse as _, Response};
use kontor_access::Caller;
use kontor_front::Route;
use kontor_registry::Skill;
use kontor_types::SkillRef;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::extract::Json;
use crate::{Failure, Hub, NativeRoutes, Routes};

/// The full name of a skill.
pub(crate) fn skill_reference(skill: &Skill) -> SkillRef {
    skill_shapes::reference(skill)
}

/// The word for what a scan came to.
pub(crate) fn verdict_word(verdict: kontor_registry::Verdict) -> kontor_wire::Verdict {
    trust_shapes::verdict(verdict)
}

/// All routes of the native API.
pub(crate) fn routes() -> Native {
    let themes = NativeRoutes::new()
        .and(me::routes())
        .and(tokens::routes())
        .and(sessions::routes())
        .and(password::routes())
        .and(device_logins::routes())
        .and(people::routes())
        .and(publishers::routes())
        .and(members::routes())
        .and(keys::routes())
        .and(secrets::routes())
        .and(audit::routes())
        .and(search::routes())
        .and(skills::routes())
        .and(versions::routes())
        .and(proofs::routes())
        .and(observed::routes())
        .and(tags::routes())
        .and(stars::routes())
        .and(activations::routes())
        .and(consents::routes())
        .and(transfers::routes())
        .and(webhooks::routes())
        .and(publishing::routes())
        .and(installs::routes())
        .and(runs::routes())
        .and(errands::routes())
        .and(purse::routes())
        .and(mandates::routes())
        .and(merchants::routes())
        .and(checkouts::routes())
        .and(ledger::routes())
        .and(workflows::routes())
        .and(usage::routes())
        .and(models::routes())
        .and(reports::routes())
        .and(trust::routes())
        .and(reviews::routes())
        .and(policy::routes())
        .and(overview::routes())
        .and(document::routes());
    Native(OpenApiRouter::with_openapi(document::begin()).nest(kontor_wire::BASE, themes.0))
}

/// The OpenAPI document of the native API.
pub fn openapi() -> OpenApi {
    document::finish(routes().described())
}

/// The native API before its router and its document part.
pub(crate) struct Native(OpenApiRouter<Hub>);

impl Native {
    /// The router, with a line for each route that the document describes.
    pub(crate) fn routes(self) -> Routes {
        let (router, document) = self.0.split_for_parts();
        let lines = document.paths.paths.iter().flat_map(|(path, item)| {
            let methods = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            let present = methods.into_iter().filter(|(_, operation)| operation.is_some());
            present.map(|(method, _)| Route { path: path.clone(), method: method.to_owned() })
        });
        Routes::of(router, lines.collect())
    }

    /// What the handlers say of themselves, each path as the router knows it.
    pub(crate) fn described(self) -> OpenApi {
        self.0.into_openapi()
    }
}

/// What the native API says of a skill, as JSON: for its page, when the reader would rather have that.
pub fn skill_document(
    hub: Hub,
    caller: Caller,
    name: SkillRef,
) -> Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>> {
    Box::pin(async move {
        let skill = hub.app.registry.skill(caller.viewer(), &name).await?;
        Ok(Json(skills::whole(&hub, &caller, &skill).await?).into_response())
    })
}
