//! A person's access tokens: made with rights and an end, shown once, revoked.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::{ExposeSecret as _, IssuedToken, Lifetime, NewToken, OwnToken};
use kontor_front::extract::Form;
use kontor_front::{Asked, Failure, Hub};
use kontor_types::{Scope, Timestamp, TokenId};
use maud::{Markup, html};
use serde::Deserialize;

use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::words::minute;
use crate::{Language, Reader, account, layout};

/// Where a person's tokens are.
pub const PATH: &str = "/account/tokens";

/// The ends that are offered, in days.
const ENDS: [u32; 4] = [7, 30, 90, 365];
/// The one that is offered first.
const USUAL: u32 = 90;

/// A token that is wanted, or the one that shall end. Each right is a field of its own: a form says nothing of what is not
/// ticked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    form: String,
    deed: String,
    label: String,
    days: String,
    id: String,
    read: String,
    publish: String,
    run: String,
    models: String,
    review: String,
    admin: String,
}

impl Wanted {
    const fn ticked(&self, scope: Scope) -> bool {
        let field = match scope {
            Scope::Read => &self.read,
            Scope::Publish => &self.publish,
            Scope::Run => &self.run,
            Scope::Models => &self.models,
            Scope::Review => &self.review,
            Scope::Admin => &self.admin,
        };
        !field.is_empty()
    }
}

/// What stands on the page besides the list.
enum Shows<'a> {
    Nothing,
    /// What a new token's bearer shows, this once.
    Secret(&'a str),
    /// What was wanted, and why it was not made.
    Refused(&'a Wanted, &'a Failure),
}

/// `GET /account/tokens`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
) -> Result<Response, Failure> {
    page(&hub, &asked, &reader, &Shows::Nothing).await
}

/// `POST /account/tokens`: makes a token and shows its secret this once, or ends one.
pub async fn act(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Failure> {
    held(&asked, &wanted.form)?;
    if wanted.deed == "revoke" {
        let id: TokenId = wanted.id.parse().map_err(|_| Failure::not_found())?;
        hub.app.access.revoke_token(&asked.caller, id).await?;
        return Ok(Redirect::to(PATH).into_response());
    }
    match make(&hub, &asked, &wanted).await {
        Ok(issued) => page(&hub, &asked, &reader, &Shows::Secret(issued.secret.expose_secret())).await,
        Err(failure) if failure.status().is_client_error() => {
            let mut page = page(&hub, &asked, &reader, &Shows::Refused(&wanted, &failure)).await?;
            *page.status_mut() = failure.status();
            Ok(page)
        }
        Err(failure) => Err(failure),
    }
}

async fn make(hub: &Hub, asked: &Asked, wanted: &Wanted) -> Result<IssuedToken, Failure> {
    let days = wanted.days.parse().map_err(|_| Failure::invalid("say in how many days the token ends"))?;
    let scopes: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| wanted.ticked(*scope)).collect();
    if scopes.is_empty() {
        return Err(Failure::invalid("choose at least one right"));
    }
    let label = wanted.label.trim().to_owned();
    let new = NewToken { label, scopes, publishers: Vec::new(), lifetime: Lifetime::Days(days) };
    Ok(hub.app.access.create_token(&asked.caller, new).await?)
}

async fn page(hub: &Hub, asked: &Asked, reader: &Reader, shows: &Shows<'_>) -> Result<Response, Failure> {
    let language = reader.language;
    let title = language.pick("Your tokens", "您的令牌");
    let form = form_token(asked).unwrap_or_default();
    let (tokens, now) = (hub.app.access.tokens(&asked.caller).await?, hub.app.clock.now());
    let scopes = Scope::ALL.iter().copied().filter(|scope| asked.caller.require(*scope).is_ok()).collect::<Vec<_>>();
    let body = html! {
        p.trail { a href=(account::PATH) { (language.pick("Your account", "我的账户")) } }
        h1 { (title) }
        p.lead { (language.pick("A program that has a token acts as you, within the rights that you give it and until its end.", "持有令牌的程序以您的身份行事，仅限您授予的权限，至到期为止。")) }
        @if let Shows::Secret(secret) = shows {
            div.note.good role="status" {
                p { b { (language.pick("Copy it now: it is shown this once.", "请立即复制：只显示这一次。")) } }
                pre tabindex="0" { code { (secret) } }
                p { (language.pick("Whoever has it can act as you. Keep it where you keep passwords.", "持有者可以您的身份行事，请像密码一样保管。")) }
            }
        }
        @if tokens.is_empty() { div.empty { p { (language.pick("You have no token. Make one for a program that cannot sign in by itself.", "您还没有令牌。可为无法自行登录的程序创建令牌。")) } } }
        @else { div.scroll tabindex="0" role="region" aria-label=(title) { (rows(language, &tokens, &form, now)) } }
        h2 { (language.pick("Make a token", "创建令牌")) }
        (making(language, &form, &scopes, shows))
    };
    let mut response = layout::page(reader, title, "", &body);
    if matches!(shows, Shows::Secret(_)) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    Ok(response)
}

fn making(language: Language, form: &str, scopes: &[Scope], shows: &Shows<'_>) -> Markup {
    let before = if let Shows::Refused(wanted, failure) = shows { Some((*wanted, *failure)) } else { None };
    let ticked = |scope: Scope| before.map_or(scope == Scope::Read, |(wanted, _)| wanted.ticked(scope));
    let usual = |days: u32| before.map_or(days == USUAL, |(wanted, _)| wanted.days == days.to_string());
    let (invalid, about) = (before.map(|_| "true"), before.map(|_| "wrong"));
    html! {
        form method="post" action=(PATH) {
            input type="hidden" name="form" value=(form);
            @if let Some((_, failure)) = before {
                p.wrong id="wrong" role="alert" { (language.pick("Not made: ", "未能创建：")) span lang="en" { (failure.problem().detail) } }
            }
            label.field { span { (language.pick("What it is for", "用途")) }
                input type="text" name="label" value=(before.map_or("", |(wanted, _)| wanted.label.as_str())) required maxlength="100"
                    autocomplete="off" aria-invalid=[invalid] aria-describedby=[about];
            }
            fieldset { legend { (language.pick("It may", "权限")) }
                @for scope in scopes { label.tick { input type="checkbox" name=(scope) value="yes" checked[ticked(*scope)]; " " (language.meaning(*scope)) } }
            }
            label.field { span { (language.pick("It ends in", "有效期")) }
                select name="days" { @for days in ENDS { option value=(days) selected[usual(days)] { (days) " " (language.pick("days", "天")) } } }
            }
            button type="submit" name="deed" value="make" { (language.pick("Make it", "创建")) }
        }
    }
}

fn rows(language: Language, tokens: &[OwnToken], form: &str, now: Timestamp) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { (language.pick("Token", "令牌")) }
                th scope="col" { (language.pick("Rights", "权限")) }
                th scope="col" { (language.pick("Last used", "最近使用")) }
                th scope="col" { (language.pick("Ends", "到期")) }
                th scope="col" { (language.pick("Revoke", "吊销")) }
            } }
            tbody { @for own in tokens {
                @let token = &own.token;
                @let is_over = token.revoked_at.is_some() || token.expires_at.is_some_and(|end| end <= now);
                tr {
                    th scope="row" { bdi { (token.label) } }
                    td { (token.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")) }
                    td.day { @match token.last_used_at { Some(at) => time datetime=(at) { (minute(at)) }, None => (language.pick("never", "从未")) } }
                    td.day {
                        @if token.revoked_at.is_some() { span.badge.bad { (language.pick("revoked", "已吊销")) } }
                        @else if is_over { span.badge { (language.pick("ended", "已到期")) } }
                        @else { @match token.expires_at { Some(at) => time datetime=(at) { (minute(at)) }, None => (language.pick("never", "永不")) } }
                    }
                    td { @if !is_over { (revoking(language, own, form)) } }
                }
            } }
        }
    }
}

fn revoking(language: Language, own: &OwnToken, form: &str) -> Markup {
    let name = language.pick("Revoke", "吊销");
    html! {
        details {
            summary aria-label={ (name) " " (own.token.label) } { (name) }
            p.small { (language.pick("Whatever uses it is shut out at once. This cannot be taken back.", "使用它的程序会立即失去权限。此操作无法撤销。")) }
            form.end method="post" action=(PATH) {
                input type="hidden" name="form" value=(form);
                input type="hidden" name="id" value=(own.token.id);
                button.danger type="submit" name="deed" value="revoke" { (language.pick("Revoke this token", "吊销此令牌")) }
            }
        }
    }
}
