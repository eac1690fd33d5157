//! `skills find`: what it prints is an address that `skills add` takes.

use axum::extract::State;
use kontor_search::{Filters, Query as Search};
use kontor_types::{Handle, PageSize};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::extract::{Json, Query};
use crate::{Asker, Failure, Hub};

/// What a search asks.
#[derive(Debug, Deserialize)]
pub struct Asked {
    q: Option<String>,
    limit: Option<String>,
    owner: Option<String>,
}

/// `GET /api/search?q&limit[&owner]`
pub async fn find(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Failure> {
    let text = asked.q.unwrap_or_default();
    let owner = asked.owner.map(|owner| owner.trim().trim_start_matches('@').to_lowercase());
    let publisher = owner.filter(|owner| !owner.is_empty()).map(|owner| Handle::fold(&owner));
    let size = asked.limit.as_deref().and_then(|text| text.trim().parse().ok()).unwrap_or(20);
    let query = Search {
        page: PageSize::clamped(size),
        filters: Filters { publisher, ..Filters::default() },
        ..Search::new(text.trim(), caller.viewer())
    };
    let found = hub.app.registry.search_by(&caller, query).await?;
    let skills: Vec<_> = found
        .items
        .iter()
        .map(|item| {
            let skill = &item.skill;
            json!({
                "id": format!("{}/{}", skill.publisher, skill.slug),
                "name": skill.slug,
                "source": hub.absolute(&format!("/@{}", skill.publisher)),
                "installs": skill.installs,
            })
        })
        .collect();
    Ok(Json(json!({ "skills": skills, "query": text.trim() })))
}
