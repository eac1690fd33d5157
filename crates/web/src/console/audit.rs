//! The audit trail: who did what, when, from where. Administrators see all, others their own deeds and those in publishers
//! that they administer.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use kontor_access::{AuditEvent, AuditFilter};
use kontor_front::extract::Query;
use kontor_front::{Asked, Failure, Hub};
use kontor_types::{Cursor, PageSize, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{no_permission, page, refused};
use crate::signed_in::SignedIn;
use crate::words::minute;
use crate::{Language, Reader};

/// Where the audit trail is.
pub const PATH: &str = "/console/audit";
/// Where programs read it; the pages' session is good there too.
const EXPORT: &str = "/api/kontor/v1/audit";

/// What is looked for; as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asking {
    person: String,
    publisher: String,
    action: String,
    subject: String,
    since: String,
    until: String,
    cursor: String,
}

impl Asking {
    /// As the service takes it, or which field cannot be understood.
    fn filter(&self, language: Language) -> Result<AuditFilter, &'static str> {
        let name = |text: &str| text.trim().trim_start_matches('@').to_owned();
        let handle = |text: &str| if text.trim().is_empty() { Ok(None) } else { name(text).parse().map(Some) };
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let wrong_name = language.pick("This is no name of a person or a publisher.", "这不是有效的人员或发布者名称。");
        Ok(AuditFilter {
            person: handle(&self.person).map_err(|_| wrong_name)?,
            publisher: handle(&self.publisher).map_err(|_| wrong_name)?,
            action: text(&self.action),
            subject: text(&self.subject),
            since: moment(language, &self.since)?,
            until: moment(language, &self.until)?,
        })
    }

    /// The same in an address, without where the page begins.
    fn query(&self, filter: &AuditFilter) -> String {
        let mut query = Serializer::new(String::new());
        let moment = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let handle =
            |handle: &Option<kontor_types::Handle>| handle.as_ref().map(ToString::to_string).unwrap_or_default();
        let fields = [
            ("person", handle(&filter.person)),
            ("publisher", handle(&filter.publisher)),
            ("action", self.action.trim().to_owned()),
            ("subject", self.subject.trim().to_owned()),
            ("since", moment(filter.since)),
            ("until", moment(filter.until)),
        ];
        query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }
}

/// A day's beginning, or the moment that a link names.
fn moment(language: Language, text: &str) -> Result<Option<Timestamp>, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole
        .parse()
        .map(Some)
        .map_err(|_| language.pick("This is no day; write 2026-11-23.", "日期无效，请按 2026-11-23 的格式填写。"))
}

/// `GET /console/audit`
pub async fn list(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(asking): Query<Asking>,
) -> Result<Response, Failure> {
    if reader.person.is_none() {
        return Ok(no_permission(&reader, PATH));
    }
    let language = reader.language;
    let after: Option<Cursor> = asking.cursor.parse().ok().filter(|_| !asking.cursor.is_empty());
    let (found, wrong, query) = match asking.filter(language) {
        Ok(filter) => {
            let query = asking.query(&filter);
            (Some(hub.app.access.audit(&asked.caller, filter, after.as_ref(), PageSize::default()).await?), None, query)
        }
        Err(wrong) => (None, Some(wrong), String::new()),
    };
    let body = html! {
        p.lead {
            @if reader.administrator { (language.pick("Who did what, when and from where. Nothing here can be changed.", "何人、何时、从何处、做了什么。此处内容无法更改。")) }
            @else { (language.pick("What you did, and what was done in publishers that you administer.", "您的操作，以及您所管理的发布者中的操作。")) }
        }
        (form(language, &asking))
        (refused(wrong))
        @if let Some(found) = &found {
            @if found.items.is_empty() {
                div.empty { p { (language.pick("Nothing fits.", "没有符合的记录。")) } p { a href=(PATH) { (language.pick("Show everything", "显示全部")) } } }
            } @else {
                (table(language, &found.items))
                p.row {
                    @if let Some(next) = &found.next {
                        a.button.quiet href={ (PATH) "?" (query) @if !query.is_empty() { "&" } "cursor=" (next.as_str()) } rel="next" { (language.pick("Older", "更早")) }
                    }
                    a href={ (EXPORT) "?" (query) @if !query.is_empty() { "&" } "limit=200" } { (language.pick("The same as JSON, for programs", "以 JSON 导出（供程序使用）")) }
                }
            }
        }
    };
    Ok(page(&reader, PATH, &body))
}

fn form(language: Language, asking: &Asking) -> Markup {
    let field = |name: &str, label: &str, value: &str, kind: &str, hint: &str| {
        html! { label.field { span { (label) } input type=(kind) name=(name) value=(value) placeholder=(hint) maxlength="200" autocapitalize="none" spellcheck="false"; } }
    };
    let day = |text: &str| text.get(..10).unwrap_or_default().to_owned();
    html! {
        form.filters action=(PATH) method="get" role="search" aria-label=(language.pick("Narrow the trail", "筛选记录")) {
            (field("person", language.pick("Who", "人员"), &asking.person, "text", "anna"))
            (field("publisher", language.pick("In which publisher", "发布者"), &asking.publisher, "text", "acme"))
            (field("action", language.pick("What was done", "操作"), &asking.action, "text", "version.publish"))
            (field("subject", language.pick("To what", "对象"), &asking.subject, "text", "@acme/pdf"))
            (field("since", language.pick("From this day", "起始日期"), &day(&asking.since), "date", ""))
            (field("until", language.pick("Before this day", "截止日期（不含）"), &day(&asking.until), "date", ""))
            div.row {
                button type="submit" { (language.pick("Show", "显示")) }
                a href=(PATH) { (language.pick("Everything", "全部")) }
            }
        }
    }
}

fn table(language: Language, events: &[AuditEvent]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(language.pick("Audit trail", "审计记录")) { table {
            thead { tr {
                th scope="col" { (language.pick("When", "时间")) }
                th scope="col" { (language.pick("Who", "人员")) }
                th scope="col" { (language.pick("What", "操作")) }
                th scope="col" { (language.pick("To what", "对象")) }
                th scope="col" { (language.pick("From", "来源")) }
                th scope="col" { (language.pick("More", "详情")) }
            } }
            tbody { @for event in events { tr {
                td.day { time datetime=(event.at) { (minute(event.at)) } }
                td { @match &event.person {
                    Some(person) => a href={ (PATH) "?person=" (person) } { "@" (person) },
                    None => (language.pick("nobody, or the hub", "未登录者或技能中心")),
                } }
                td { a href={ (PATH) "?action=" (event.action) } { code { (event.action) } } }
                td { bdi { (event.subject) } }
                td.day { @if let Some(address) = &event.address { (address) } }
                td { (detail(language, event)) }
            } } }
        } }
    }
}

fn detail(language: Language, event: &AuditEvent) -> Markup {
    let bare = event.detail.as_object().is_none_or(serde_json::Map::is_empty) && event.request_id.is_none();
    let text = serde_json::to_string_pretty(&event.detail).unwrap_or_default();
    html! {
        @if !bare {
            details {
                summary { (language.pick("Facts", "详情")) }
                pre { (text) @if let Some(request) = &event.request_id { "\nrequest " (request) } }
            }
        }
    }
}
