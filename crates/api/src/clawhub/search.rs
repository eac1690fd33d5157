//! `search` and `trending`.

use axum::extract::State;
use kontor_search::{Mode, Query as Search, Sort};
use kontor_types::PageSize;
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{list, lookup, shapes};
use crate::extract::{Json, Query};
use crate::{Asker, Hub};

/// What a search asks; what is not known is ignored.
#[derive(Debug, Deserialize)]
pub struct Asked {
    q: Option<String>,
    limit: Option<String>,
    mode: Option<String>,
}

/// `GET /api/v1/search?q&limit[&mode=exact]`
pub async fn search(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let text = asked.q.as_deref().map(str::trim).unwrap_or_default();
    let mode = match asked.mode.as_deref().map(str::trim) {
        None | Some("") => Mode::Words,
        Some("exact") => Mode::Exact,
        Some(_) => return Err(Refusal::invalid("Invalid search mode: use `exact` or none")),
    };
    if text.is_empty() {
        return Err(Refusal::invalid("q is missing: say what to search for"));
    }
    let page = list::limit(asked.limit.as_deref(), PageSize::default())?;
    let query = Search { mode, page, ..Search::new(text, caller.viewer()) };
    let found = lookup::search(&hub, &caller, query).await?;
    let results: Vec<_> = found.iter().map(|hit| shapes::found(&hit.skill, hit.score.into(), &hub)).collect();
    Ok(Json(json!({ "results": results })))
}

/// What is popular now.
#[derive(Debug, Deserialize)]
pub struct Popular {
    kind: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/trending?kind=skills&limit`
pub async fn trending(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(asked): Query<Popular>,
) -> Result<Json<Value>, Refusal> {
    if !matches!(asked.kind.as_deref(), None | Some("" | "skills" | "all")) {
        return Ok(Json(json!({ "items": [], "nextCursor": null })));
    }
    let page = list::limit(asked.limit.as_deref(), PageSize::clamped(20))?;
    let query = Search { page, sort: Sort::Trending, ..Search::new("", caller.viewer()) };
    let found = lookup::search(&hub, &caller, query).await?;
    let items: Vec<_> = found.iter().map(|hit| shapes::trending(&hit.skill, &hub)).collect();
    Ok(Json(json!({ "items": items, "nextCursor": null })))
}
