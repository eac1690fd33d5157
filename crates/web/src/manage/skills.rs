//! All skills of a publisher with how they stand.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use kontor_front::extract::{Path, Query};
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::{Listing, Skill, Sort};
use kontor_types::{Cursor, PageSize};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Desk, address};
use crate::signed_in::SignedIn;
use crate::words::day;
use crate::{Language, Reader, publish};

/// Where a list begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    cursor: String,
}

/// `GET /manage/{publisher}`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path(publisher): Path<String>,
    Query(listed): Query<Listed>,
) -> Result<Response, Failure> {
    let desk = Desk::open(&hub, &asked, &publisher).await?;
    let (language, viewer) = (reader.language, asked.caller.viewer());
    let listing = Listing { publisher: Some(desk.handle.clone()), sort: Sort::Name, ..Listing::default() };
    let after: Option<Cursor> = listed.cursor.parse().ok().filter(|_| !listed.cursor.is_empty());
    let page = hub.app.registry.list(viewer, &listing, PageSize::clamped(50), after.as_ref()).await?;
    let body = html! {
        p { a.button href=(publish::PATH) { (language.pick("Publish a skill", "发布技能")) } }
        @if page.items.is_empty() {
            div.empty { p { (language.pick("Nothing is published here yet. What you publish appears here with its versions and how often it is used.", "尚未发布任何技能。发布后会在此显示版本和使用情况。")) } }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(language.pick("Skills", "技能")) { (rows(language, &desk, &page.items)) }
        }
        @if let Some(next) = &page.next {
            p { a href={ (address(&desk.handle)) "?cursor=" (next.as_str()) } rel="next" { (language.words().more) } }
        }
    };
    Ok(desk.page(&reader, "", &body))
}

fn rows(language: Language, desk: &Desk, skills: &[Skill]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { (language.pick("Skill", "技能")) }
                th scope="col" { (language.pick("Newest admitted version", "最新放行版本")) }
                th.number scope="col" { (language.pick("Installs", "安装")) }
                th.number scope="col" { (language.pick("Downloads", "下载")) }
                th scope="col" { (language.pick("Who may see it", "谁可以看到")) }
            } }
            tbody { @for skill in skills { tr {
                th scope="row" { a href={ (address(&desk.handle)) "/skills/" (skill.slug) } { (skill.slug) } }
                td {
                    @match &skill.latest_number {
                        Some(number) => { (number) @if let Some(at) = skill.latest_created_at { " " span.faint.day { (day(at)) } } },
                        None => span.badge.warn { (language.pick("none yet", "尚无")) },
                    }
                    @if skill.deprecated_at.is_some() { " " span.badge { (language.words().is_deprecated) } }
                }
                td.number { (skill.installs) }
                td.number { (skill.downloads) }
                td { (publish::sight(language, skill.visibility)) }
            } } }
        }
    }
}
