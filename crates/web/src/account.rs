//! A person's own account: the password, where they are signed in, what may act for them, and ending each.

mod password;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::{OwnSession, OwnToken, Person};
use kontor_front::extract::Form;
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::{Activation, Allowance, Consent};
use kontor_types::{Role, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

pub use password::{PASSWORD, set as set_password, show as show_password};

use crate::deeds::{form_token, held};
use crate::manage::TOKENS;
use crate::signed_in::SignedIn;
use crate::words::{day, minute};
use crate::{Language, Reader, layout};

/// Where the account is.
pub const PATH: &str = "/account";

/// Something that is ended.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    end: String,
    #[serde(default)]
    id: String,
}

/// What stands on the page.
struct Account<'a> {
    language: Language,
    form: &'a str,
    now: Timestamp,
    sessions: Vec<OwnSession>,
    tokens: Vec<OwnToken>,
    active: Vec<Activation>,
    consents: Vec<Consent>,
}

/// `GET /account`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
) -> Result<Response, Failure> {
    let language = reader.language;
    let title = language.pick("Your account", "我的账户");
    let form = form_token(&asked).unwrap_or_default();
    let (access, registry, caller) = (&hub.app.access, &hub.app.registry, &asked.caller);
    let person = access.me(caller).await?;
    let memberships = access.memberships(caller).await?;
    let set_at = access.password_set_at(caller).await?;
    let now = hub.app.clock.now();
    let works = |own: &OwnToken| own.token.revoked_at.is_none() && own.token.expires_at.is_none_or(|end| end > now);
    let account = Account {
        language,
        form: &form,
        now,
        sessions: access.sessions(caller).await?,
        tokens: access.tokens(caller).await?.into_iter().filter(works).collect(),
        active: registry.activations(caller).await?,
        consents: registry.consents(caller).await?,
    };
    let body = html! {
        h1 { (title) }
        (who(language, &person))
        @if !memberships.is_empty() {
            p { (language.pick("You belong to ", "您所属的发布者："))
                @for (place, one) in memberships.iter().enumerate() {
                    @if place > 0 { ", " }
                    a href={ "/@" (one.handle) } { "@" (one.handle) } " " span.faint { "(" (role(language, one.role)) ")" }
                }
            }
        }
        section id="password" {
            h2 { (language.pick("Password", "密码")) }
            @match set_at {
                Some(at) => p { (language.pick("Set on ", "设置于 ")) time datetime=(at) { (day(at)) } },
                None => p { (language.pick("You have none: you come in by one-time links.", "您还没有密码，目前通过一次性链接登录。")) },
            }
            p { a.button.quiet href=(PASSWORD) {
                @if set_at.is_some() { (language.pick("Change the password", "修改密码")) } @else { (language.pick("Choose a password", "设置密码")) }
            } }
        }
        section id="sessions" { h2 { (language.pick("Where you are signed in", "已登录的浏览器")) } (account.signed_in()) }
        section id="devices" { h2 { (language.pick("Connected agents and devices", "已连接的智能体与设备")) } (account.connected()) }
        section id="active" { h2 { (language.pick("Skills that your agents have", "智能体可用的技能")) } (account.skills()) }
        section id="consents" { h2 { (language.pick("What you let skills have", "您允许技能使用的内容")) } (account.allowed()) }
    };
    Ok(layout::page(&reader, title, "", &body))
}

fn who(language: Language, person: &Person) -> Markup {
    html! {
        p.lead {
            bdi { (person.display_name) } " · @" (person.handle)
            @if person.administrator { " " span.badge { (language.pick("administrator", "管理员")) } }
        }
    }
}

const fn role(language: Language, role: Role) -> &'static str {
    match role {
        Role::Owner => language.pick("owner", "所有者"),
        Role::Admin => language.pick("admin", "管理员"),
        Role::Maintainer => language.pick("maintainer", "维护者"),
        Role::Reviewer => language.pick("reviewer", "审核人"),
        Role::Member => language.pick("member", "成员"),
    }
}

impl Account<'_> {
    fn signed_in(&self) -> Markup {
        let language = self.language;
        html! {
            div.scroll tabindex="0" role="region" aria-label=(language.pick("Where you are signed in", "已登录的浏览器")) { table {
                thead { tr {
                    th scope="col" { (language.pick("Browser", "浏览器")) }
                    th scope="col" { (language.pick("Since", "登录时间")) }
                    th scope="col" { (language.pick("Last used", "最近使用")) }
                    th scope="col" { (language.pick("Ends by itself", "自动失效")) }
                    th scope="col" { span.hidden { (language.pick("End", "结束")) } }
                } }
                tbody { @for one in &self.sessions { tr {
                    td { bdi { (one.client) } @if one.current { " " span.badge.good { (language.pick("this one", "当前")) } } }
                    td.day { time datetime=(one.created_at) { (minute(one.created_at)) } }
                    td.day { time datetime=(one.last_used_at) { (minute(one.last_used_at)) } }
                    td.day { time datetime=(one.expires_at) { (day(one.expires_at)) } }
                    td { @if !one.current { (self.ending("session", &one.id.to_string(), (language.pick("Sign out", "退出"), &one.client))) } }
                } } }
            } }
            @if self.sessions.len() > 1 {
                (self.ending("sessions", "", (language.pick("Sign out everywhere else", "退出其他所有登录"), "")))
            }
        }
    }

    fn connected(&self) -> Markup {
        let language = self.language;
        html! {
            @if self.tokens.is_empty() {
                p { (language.pick("Nothing is connected. An agent or a device that you approve appears here.", "尚无连接。您批准的智能体或设备会出现在这里。")) }
            } @else {
                div.scroll tabindex="0" role="region" aria-label=(language.pick("Connected agents and devices", "已连接的智能体与设备")) { table {
                    thead { tr {
                        th scope="col" { (language.pick("Name", "名称")) }
                        th scope="col" { (language.pick("May", "权限")) }
                        th scope="col" { (language.pick("Last used", "最近使用")) }
                        th scope="col" { (language.pick("Ends by itself", "自动失效")) }
                        th scope="col" { span.hidden { (language.pick("End", "结束")) } }
                    } }
                    tbody { @for own in &self.tokens { tr {
                        td { bdi { (own.token.label) } }
                        td { ul.plain { @for scope in &own.token.scopes { li { (language.meaning(*scope)) } } }
                            @if !own.publishers.is_empty() { span.small.faint { (language.pick("only for", "仅限")) @for one in &own.publishers { " @" (one) } } }
                        }
                        td.day { @match own.token.last_used_at {
                            Some(at) => time datetime=(at) { (minute(at)) },
                            None => (language.pick("never", "从未")),
                        } }
                        td.day { @match own.token.expires_at {
                            Some(at) => time datetime=(at) { (day(at)) },
                            None => (language.pick("never", "不会")),
                        } }
                        td { (self.ending("token", &own.token.id.to_string(), (language.pick("Disconnect", "断开"), &own.token.label))) }
                    } } }
                } }
            }
            p { a href=(TOKENS) { (language.pick("Make a token for a program, or revoke one", "为程序创建或吊销令牌")) } }
            p { a href=(kontor_front::DEVICE_PAGE) { (language.pick("Connect another one with its code", "输入代码，连接新设备")) } }
        }
    }

    fn skills(&self) -> Markup {
        let language = self.language;
        html! {
            @if self.active.is_empty() {
                p { (language.pick("None is active. Choose a skill and activate it on its page.", "尚未启用技能。请在技能页面上启用。")) " " a href="/" { (language.pick("Look for skills", "查找技能")) } }
            } @else {
                ul.ended { @for one in &self.active {
                    @let name = one.found.reference().to_string();
                    li {
                        div {
                            a href={ "/" (name) } { (name) }
                            p.small.faint {
                                (language.pick("since ", "启用于 ")) time datetime=(one.since) { (day(one.since)) }
                                @if !one.may_run { " · " b { (language.pick("it may not run now", "目前不能运行")) } }
                            }
                        }
                        (self.ending("skill", &name, (language.pick("Deactivate", "停用"), &name)))
                    }
                } }
            }
        }
    }

    fn allowed(&self) -> Markup {
        let language = self.language;
        let in_force = |one: &&Consent| one.expires_at.is_none_or(|end| end > self.now);
        let consents: Vec<&Consent> = self.consents.iter().filter(in_force).collect();
        html! {
            @if consents.is_empty() {
                p { (language.pick("Nothing beyond what each run asks you.", "除每次运行时的询问外，没有其他授权。")) }
            } @else {
                ul.ended { @for one in consents {
                    @let (allowed, _) = Allowance::of(one);
                    li {
                        div {
                            bdi { (one.skill) }
                            p.small { @for what in allowed.network.iter().chain(&allowed.secrets).chain(&allowed.packages) { code { (what) } " " } }
                            p.small.faint {
                                time datetime=(one.created_at) { (day(one.created_at)) }
                                @if let Some(until) = one.expires_at { " · " (language.pick("until ", "有效至 ")) time datetime=(until) { (minute(until)) } }
                            }
                        }
                        (self.ending("consent", &one.id.to_string(), (language.pick("Take back", "撤回"), &one.skill)))
                    }
                } }
            }
        }
    }

    /// A button that ends one thing; its name says which, for those who hear it alone.
    fn ending(&self, what: &str, id: &str, (name, of): (&str, &str)) -> Markup {
        let label = if of.is_empty() { name.to_owned() } else { format!("{name}: {of}") };
        html! {
            form.end method="post" action=(PATH) {
                input type="hidden" name="form" value=(self.form);
                input type="hidden" name="id" value=(id);
                button.quiet type="submit" name="end" value=(what) aria-label=(label) { (name) }
            }
        }
    }
}

/// `POST /account`: ends a session, a token, an activation or a consent.
pub async fn end(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let (access, registry, caller) = (&hub.app.access, &hub.app.registry, &asked.caller);
    let id = submitted.id.as_str();
    let unknown = |_| Failure::not_found();
    let back = match submitted.end.as_str() {
        "session" => {
            access.end_session(caller, id.parse().map_err(unknown)?).await?;
            "sessions"
        }
        "sessions" => {
            access.end_sessions(caller, true).await?;
            "sessions"
        }
        "token" => {
            access.revoke_token(caller, id.parse().map_err(unknown)?).await?;
            "devices"
        }
        "skill" => {
            let mut skill: kontor_types::SkillRef = id.parse().map_err(|_| Failure::not_found())?;
            skill.version = None;
            registry.deactivate(caller, &skill).await?;
            "active"
        }
        "consent" => {
            registry.revoke_consent(caller, id.parse().map_err(unknown)?).await?;
            "consents"
        }
        _ => return Err(Failure::invalid("an account has nothing of this kind to end")),
    };
    Ok(Redirect::to(&format!("{PATH}#{back}")).into_response())
}
