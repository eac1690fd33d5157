//! The publishers of the hub.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use kontor_front::extract::Query;
use kontor_front::{Asked, Failure, Hub};
use kontor_types::{Cursor, PageSize, PublisherKind};
use maud::html;
use serde::Deserialize;

use super::{no_permission, page};
use crate::Reader;
use crate::signed_in::SignedIn;
use crate::words::day;

/// Where publishers are listed.
pub const PATH: &str = "/console/publishers";

/// Where the list goes on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    cursor: String,
}

/// `GET /console/publishers`
pub async fn list(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(listed): Query<Listed>,
) -> Result<Response, Failure> {
    if !reader.administrator {
        return Ok(no_permission(&reader, PATH));
    }
    let language = reader.language;
    let after: Option<Cursor> = listed.cursor.parse().ok().filter(|_| !listed.cursor.is_empty());
    let found = hub.app.access.publishers(asked.caller.viewer(), after.as_ref(), PageSize::default()).await?;
    let body = html! {
        p.lead { (language.pick("People and organisations that own skills.", "拥有技能的个人和组织。")) }
        div.scroll tabindex="0" role="region" aria-label=(language.pick("Publishers", "发布者")) { table {
            thead { tr {
                th scope="col" { (language.pick("Publisher", "发布者")) }
                th scope="col" { (language.pick("Name", "名称")) }
                th scope="col" { (language.pick("Kind", "类型")) }
                th scope="col" { (language.pick("Versions must be signed", "版本须签名")) }
                th scope="col" { (language.pick("Since", "创建于")) }
            } }
            tbody { @for one in &found.items { @let publisher = &one.publisher; tr {
                td { a href={ "/@" (publisher.handle) } { "@" (publisher.handle) } }
                td { bdi { (publisher.display_name) } }
                td { @if publisher.kind == PublisherKind::Person { (language.pick("person", "个人")) } @else { (language.pick("organisation", "组织")) } }
                td { @if publisher.require_signature { (language.pick("yes", "是")) } @else { (language.pick("no", "否")) } }
                td.day { time datetime=(publisher.created_at) { (day(publisher.created_at)) } }
            } } }
        } }
        @if let Some(next) = &found.next {
            p { a href={ (PATH) "?cursor=" (next.as_str()) } rel="next" { (language.pick("More", "更多")) } }
        }
    };
    Ok(page(&reader, PATH, &body))
}
