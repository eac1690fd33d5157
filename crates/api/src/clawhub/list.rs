//! `explore` and `search --prefix`: lists of skills, page by page.

use axum::extract::State;
use kontor_registry::{Listing, Sort};
use kontor_types::{Cursor, PageSize};
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{lookup, shapes};
use crate::extract::{Json, Query};
use crate::{Asker, Hub};

/// What a list asks; what is not known is ignored.
#[derive(Debug, Deserialize)]
pub struct Asked {
    sort: Option<String>,
    prefix: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/v1/skills?limit[&sort][&prefix][&cursor]`
pub async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let given = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let prefix = given(asked.prefix);
    let sort = match (sort(asked.sort.as_deref())?, &prefix) {
        (None | Some(Sort::Name), Some(_)) => Sort::Name,
        (Some(_), Some(_)) => return Err(Refusal::invalid("a prefix is listed by name: leave sort out")),
        (sort, None) => sort.unwrap_or_default(),
    };
    let size = limit(asked.limit.as_deref(), PageSize::default())?;
    let cursor = cursor(asked.cursor);
    let listing = Listing { prefix, sort, ..Listing::default() };
    let page = lookup::list(&hub, caller.viewer(), &listing, size, cursor.as_ref()).await?;
    let items: Vec<_> = page.items.iter().map(shapes::item).collect();
    Ok(Json(json!({ "items": items, "nextCursor": page.next.as_ref().map(Cursor::as_str) })))
}

/// The words that clients of any age use for an order.
fn sort(word: Option<&str>) -> Result<Option<Sort>, Refusal> {
    let word = word.map(|word| word.trim().to_ascii_lowercase()).unwrap_or_default();
    Ok(Some(match word.as_str() {
        "" => return Ok(None),
        "updated" => Sort::Updated,
        "createdat" | "newest" => Sort::Created,
        "downloads" => Sort::Downloads,
        "stars" | "rating" => Sort::Stars,
        "installs" | "installscurrent" | "installsalltime" => Sort::Installs,
        "trending" | "recommended" | "default" => Sort::Trending,
        "name" => Sort::Name,
        _ => {
            let text = "Invalid sort: use updated, createdAt, downloads, stars, installs, trending or name";
            return Err(Refusal::invalid(text));
        }
    }))
}

/// Where a page begins; an empty text is the beginning.
pub fn cursor(text: Option<String>) -> Option<Cursor> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).and_then(|text| text.parse().ok())
}

/// How many items a page shall have; more than allowed is as many as allowed.
pub fn limit(text: Option<&str>, usual: PageSize) -> Result<PageSize, Refusal> {
    match text.map(str::trim) {
        None | Some("") => Ok(usual),
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(PageSize::clamped(text.parse().unwrap_or(u32::MAX)))
        }
        Some(_) => Err(Refusal::invalid("Invalid limit: use a number of 1 to 200")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none(None, Some(25))]
    #[case::some(Some(" 7 "), Some(7))]
    #[case::too_many(Some("5000"), Some(200))]
    #[case::far_too_many(Some("99999999999999999999"), Some(200))]
    #[case::zero(Some("0"), Some(1))]
    #[case::negative(Some("-1"), None)]
    #[case::word(Some("all"), None)]
    fn a_limit_is_read(#[case] text: Option<&str>, #[case] expected: Option<u32>) {
        assert_eq!(limit(text, PageSize::default()).ok().map(PageSize::get), expected);
    }
}
