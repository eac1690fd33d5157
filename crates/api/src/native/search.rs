//! Finding skills: lists in an order, and searches by words.

use axum::extract::State;
use kontor_registry::{Listing, Sort};
use kontor_search::{Filters, Query as Words, Sort as Order, Total};
use kontor_wire::{
    SearchHit, SearchPage, SearchQuery, SkillPage, SkillQuery, SkillSort, UnansweredList, UnansweredQuery,
    UnansweredSearch,
};
use utoipa_axum::routes;

use super::skill_shapes as shapes;
use crate::extract::{Json, Query, page_size};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// Days that are looked at for what was not found, unless told and at most.
const DAYS: (u32, u32) = (30, 90);
/// Words that are listed of it, unless told and at most.
const MOST: (u32, u32) = (20, 50);

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Read, routes!(search))
        .add(Class::Read, routes!(unanswered))
}

/// Skills in an order, a page at a time.
#[utoipa::path(get, path = "/skills", tag = "skills", params(SkillQuery),
    responses((status = 200, body = SkillPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<SkillQuery>,
) -> Result<Json<SkillPage>, Failure> {
    let listing =
        Listing { publisher: query.publisher, sort: sort(query.sort.unwrap_or_default()), ..Listing::default() };
    let size = page_size(query.limit);
    let page = hub.app.registry.list(caller.viewer(), &listing, size, query.cursor.as_ref()).await?;
    Ok(Json(SkillPage { items: page.items.iter().map(shapes::summary).collect(), next_cursor: page.next }))
}

const fn sort(sort: SkillSort) -> Sort {
    match sort {
        SkillSort::Relevance | SkillSort::Updated => Sort::Updated,
        SkillSort::Created => Sort::Created,
        SkillSort::Downloads => Sort::Downloads,
        SkillSort::Installs => Sort::Installs,
        SkillSort::Stars => Sort::Stars,
        SkillSort::Trending => Sort::Trending,
    }
}

/// Skills that answer words, a name or a whole sentence, best first.
#[utoipa::path(get, path = "/search", tag = "skills", params(SearchQuery),
    responses((status = 200, body = SearchPage)))]
async fn search(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchPage>, Failure> {
    let words = Words {
        filters: Filters {
            publisher: query.publisher,
            category: query.category,
            keyword: query.keyword,
            license: query.license,
            spec_valid: None,
        },
        sort: order(query.sort.unwrap_or_default()),
        page: page_size(query.limit),
        after: query.cursor,
        all: query.all,
        ..Words::new(&query.q, caller.viewer())
    };
    let hits = hub.app.registry.search_by(&caller, words).await?;
    let hit = |hit: &kontor_registry::Hit| SearchHit {
        score: f64::from(hit.score),
        copies: hit.copies,
        skill: shapes::summary(&hit.skill),
    };
    Ok(Json(SearchPage {
        items: hits.items.iter().map(hit).collect(),
        next_cursor: hits.next,
        total: known(&hits.total),
    }))
}

/// What people looked for and did not find, what was looked for most often first: requests that authors can take up. Only
/// words that three callers or more looked for, and that the caller would not find today either.
#[utoipa::path(get, path = "/search/unanswered", tag = "skills", params(UnansweredQuery),
    responses((status = 200, body = UnansweredList)))]
async fn unanswered(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<UnansweredQuery>,
) -> Result<Json<UnansweredList>, Failure> {
    let days = query.days.unwrap_or(DAYS.0).clamp(1, DAYS.1);
    let most = query.limit.unwrap_or(MOST.0).clamp(1, MOST.1);
    let found = hub.app.registry.unanswered(caller.viewer(), days, most as usize).await?;
    let item = |request: kontor_registry::UnansweredSearch| UnansweredSearch {
        words: request.words,
        searches: request.searches,
        last_day: request.last.to_string(),
    };
    Ok(Json(UnansweredList { items: found.into_iter().map(item).collect() }))
}

const fn order(sort: SkillSort) -> Order {
    match sort {
        SkillSort::Relevance => Order::Relevance,
        SkillSort::Updated => Order::Updated,
        SkillSort::Created => Order::Created,
        SkillSort::Downloads => Order::Downloads,
        SkillSort::Installs => Order::Installs,
        SkillSort::Stars => Order::Stars,
        SkillSort::Trending => Order::Trending,
    }
}

/// The number of answers, where it is exact.
fn known(total: &Total) -> Option<u64> {
    (!total.at_least).then_some(total.count)
}
