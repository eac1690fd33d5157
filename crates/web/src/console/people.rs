//! The people of the hub: making them, letting them in and shutting them out.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::{Error, ExposeSecret as _, NewPerson, Person, PersonChange, SignInLink};
use kontor_front::extract::{Form, Query};
use kontor_front::{Asked, Failure, Hub, LOGIN_PAGE};
use kontor_types::{Code, Cursor, Handle, PageSize};
use maud::{Markup, html};
use serde::Deserialize;

use super::{no_permission, page, refused};
use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::words::{day, minute};
use crate::{Language, Reader};

/// Where people are listed.
pub const PATH: &str = "/console/people";

/// Where the list goes on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    cursor: String,
}

/// What is done about a person.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    person: String,
    deed: String,
    #[serde(default)]
    name: String,
}

/// `GET /console/people`
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
    shown(&hub, &asked, &reader, &listed, None).await
}

async fn shown(
    hub: &Hub,
    asked: &Asked,
    reader: &Reader,
    listed: &Listed,
    wrong: Option<&str>,
) -> Result<Response, Failure> {
    let language = reader.language;
    let after: Option<Cursor> = listed.cursor.parse().ok().filter(|_| !listed.cursor.is_empty());
    let found = hub.app.access.people(&asked.caller, after.as_ref(), PageSize::default()).await?;
    let form = form_token(asked).unwrap_or_default();
    let body = html! {
        p.lead { (language.pick("Who may sign in. Somebody new comes in by a one-time link and then chooses a password.", "可以登录的人员。新人员通过一次性链接登录，然后设置密码。")) }
        (refused(wrong))
        div.scroll tabindex="0" role="region" aria-label=(language.pick("People", "人员")) { table {
            thead { tr {
                th scope="col" { (language.pick("Person", "人员")) }
                th scope="col" { (language.pick("Name", "姓名")) }
                th scope="col" { (language.pick("Since", "加入于")) }
                th scope="col" { (language.pick("May", "权限")) }
                th scope="col" { span.hidden { (language.pick("Change", "更改")) } }
            } }
            tbody { @for person in &found.items { (line(language, person, reader.person.as_ref() == Some(&person.handle), &form)) } }
        } }
        @if let Some(next) = &found.next {
            p { a href={ (PATH) "?cursor=" (next.as_str()) } rel="next" { (language.pick("More", "更多")) } }
        }
        h2 { (language.pick("Somebody new", "新增人员")) }
        form method="post" action=(PATH) {
            input type="hidden" name="form" value=(form);
            label.field { span { (language.pick("Name on the hub: small letters, digits, hyphens", "账户名：小写字母、数字、连字符")) }
                input name="person" required maxlength="39" autocomplete="off" autocapitalize="none" spellcheck="false"; }
            label.field { span { (language.pick("Name shown to people", "显示姓名")) } input name="name" maxlength="100" autocomplete="off"; }
            button type="submit" name="deed" value="create" { (language.pick("Add", "添加")) }
        }
    };
    let page = page(reader, PATH, &body);
    Ok(if wrong.is_some() { (StatusCode::UNPROCESSABLE_ENTITY, page).into_response() } else { page })
}

fn line(language: Language, person: &Person, own: bool, form: &str) -> Markup {
    let deed = |deed: &str, name: &str| {
        html! { button.quiet type="submit" name="deed" value=(deed) aria-label={ (name) ": @" (person.handle) } { (name) } }
    };
    let disabled = person.disabled_at.is_some();
    html! {
        tr {
            td { a href={ "/@" (person.handle) } { "@" (person.handle) } @if own { " " span.badge { (language.pick("you", "您")) } } }
            td { bdi { (person.display_name) } }
            td.day { time datetime=(person.created_at) { (day(person.created_at)) } }
            td {
                @if let Some(at) = person.disabled_at { span.badge.bad { (language.pick("suspended ", "已停用 ")) (day(at)) } }
                @else if person.administrator { span.badge.good { (language.pick("administrator", "管理员")) } }
                @else { (language.pick("ordinary", "普通")) }
            }
            td { form.end.row method="post" action=(PATH) {
                input type="hidden" name="form" value=(form);
                input type="hidden" name="person" value=(person.handle);
                @if !disabled { (deed("link", language.pick("Sign-in link", "登录链接"))) }
                @if !own {
                    @if disabled { (deed("resume", language.pick("Let in again", "恢复"))) }
                    @else { (deed("suspend", language.pick("Suspend", "停用"))) }
                    @if person.administrator { (deed("demote", language.pick("No longer administrator", "取消管理员"))) }
                    @else if !disabled { (deed("promote", language.pick("Make administrator", "设为管理员"))) }
                }
            } }
        }
    }
}

/// `POST /console/people`
pub async fn act(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    asked.caller.require_administrator()?;
    let language = reader.language;
    let (access, caller) = (&hub.app.access, &asked.caller);
    let Ok(handle) = Handle::parse(submitted.person.trim().trim_start_matches('@')) else {
        let wrong = language
            .pick("A name has small letters, digits and single hyphens.", "账户名只能包含小写字母、数字和单个连字符。");
        return shown(&hub, &asked, &reader, &Listed::default(), Some(wrong)).await;
    };
    let change = |administrator, disabled| PersonChange { display_name: None, administrator, disabled };
    let done = match submitted.deed.as_str() {
        "link" => {
            let link = access.create_sign_in_link(caller, Some(&handle)).await?;
            return Ok(given(&hub, &reader, &link));
        }
        "create" => {
            let name =
                Some(submitted.name.trim()).filter(|name| !name.is_empty()).unwrap_or(handle.as_str()).to_owned();
            let new = NewPerson { handle: handle.clone(), display_name: name, administrator: false };
            access.create_person(caller, new).await
        }
        "suspend" => access.update_person(caller, &handle, change(None, Some(true))).await,
        "resume" => access.update_person(caller, &handle, change(None, Some(false))).await,
        "promote" => access.update_person(caller, &handle, change(Some(true), None)).await,
        "demote" => access.update_person(caller, &handle, change(Some(false), None)).await,
        _ => return Err(Failure::invalid("a person has no such deed done to them")),
    };
    let wrong = match done {
        Ok(_) => return Ok(Redirect::to(PATH).into_response()),
        Err(Error::NameTaken { .. }) => language.pick("This name is taken.", "此名称已被使用。").to_owned(),
        Err(Error::LastAdministrator) => {
            language.pick("The hub would be left without an administrator.", "技能中心至少要有一名管理员。").to_owned()
        }
        Err(error) if error.problem().code == Code::InvalidRequest => error.problem().detail,
        Err(error) => return Err(error.into()),
    };
    shown(&hub, &asked, &reader, &Listed::default(), Some(&wrong)).await
}

/// A one-time link, shown this once.
fn given(hub: &Hub, reader: &Reader, link: &SignInLink) -> Response {
    let language = reader.language;
    let address = hub.absolute(&format!("{LOGIN_PAGE}?code={}", link.code.expose_secret()));
    let body = html! {
        p.lead { (language.pick("Give this link to ", "请将此链接交给 ")) b { "@" (link.person) } (language.pick(" alone: whoever opens it first is signed in as them.", "本人：最先打开者即以其身份登录。")) }
        pre tabindex="0" { code { (address) } }
        p { (language.pick("It works once, until ", "仅可使用一次，有效至 ")) time datetime=(link.expires_at) { (minute(link.expires_at)) } "." }
        p { a href=(PATH) { (language.pick("Back to the people", "返回人员列表")) } }
    };
    let mut page = page(reader, PATH, &body);
    page.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    page
}
