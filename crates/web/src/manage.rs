//! What a publisher looks after: skills and their versions, members, signing keys, and a person's own tokens.

mod keys;
mod members;
mod skill;
mod skills;
mod tokens;

use axum::response::Response;
use kontor_front::{Asked, Failure, Hub, Routes};
use kontor_types::{Handle, PublisherId, PublisherKind, Role, Scope};
use maud::{Markup, html};
use serde::Deserialize;

use crate::deeds::form_token;
use crate::{Language, Reader, layout};

pub use tokens::PATH as TOKENS;

/// What a form of these pages carries, as far as it has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Submitted {
    form: String,
    deed: String,
    name: String,
    role: String,
    reason: String,
    version: String,
    successor: String,
    visibility: String,
}

/// The routes of these pages.
pub fn routes() -> Routes {
    Routes::new()
        .get("/manage/{publisher}", skills::show)
        .get("/manage/{publisher}/skills/{skill}", skill::show)
        .post("/manage/{publisher}/skills/{skill}", skill::act)
        .get("/manage/{publisher}/members", members::show)
        .post("/manage/{publisher}/members", members::act)
        .get("/manage/{publisher}/keys", keys::show)
        .post("/manage/{publisher}/keys", keys::act)
        .get(TOKENS, tokens::show)
        .post(TOKENS, tokens::act)
}

/// The address of what somebody looks after for a publisher.
pub fn address(publisher: &Handle) -> String {
    format!("/manage/{publisher}")
}

/// A publisher that the reader maintains.
struct Desk {
    handle: Handle,
    id: PublisherId,
    name: String,
    kind: PublisherKind,
    form: String,
    role: Role,
}

impl Desk {
    /// Opens the publisher's desk for its maintainers; for everybody else there is nothing here.
    async fn open(hub: &Hub, asked: &Asked, publisher: &str) -> Result<Self, Failure> {
        let handle = Handle::parse(publisher).map_err(|_| Failure::not_found())?;
        let known = hub.app.access.publisher(asked.caller.viewer(), &handle).await.map_err(|_| Failure::not_found())?;
        let id = known.publisher.id;
        asked.caller.require_role(id, Role::Maintainer, Scope::Read).map_err(|_| Failure::not_found())?;
        Ok(Self {
            handle,
            id,
            name: known.publisher.display_name,
            kind: known.publisher.kind,
            form: form_token(asked).unwrap_or_default(),
            // Whoever has no role and comes this far administers the hub.
            role: known.role.unwrap_or(Role::Owner),
        })
    }

    /// The page with its tabs; `tab` is the end of the address of the one that is shown.
    fn page(&self, reader: &Reader, tab: &str, body: &Markup) -> Response {
        let language = reader.language;
        let tabs = [
            ("", language.pick("Skills", "技能")),
            ("/members", language.pick("Members", "成员")),
            ("/keys", language.pick("Signing keys", "签名密钥")),
        ];
        let whole = html! {
            p.trail { a href={ "/@" (self.handle) } { "@" (self.handle) } }
            h1 { bdi { (self.name) } }
            nav aria-label=(language.pick("What you look after", "管理内容")) { ul.chips {
                @for (at, name) in tabs { li {
                    a href={ (address(&self.handle)) (at) } aria-current=[(at == tab).then_some("page")] { (name) }
                } }
                li { a href=(TOKENS) { (language.pick("Your tokens", "您的令牌")) } }
            } }
            (body)
        };
        layout::page(reader, &format!("@{}", self.handle), "", &whole)
    }

    /// What the forms of these pages carry.
    fn hidden(&self) -> Markup {
        html! { input type="hidden" name="form" value=(self.form); }
    }
}

/// A deed that was refused, with what was typed, so that the form says so at its place.
struct Refused {
    submitted: Submitted,
    failure: Failure,
}

impl Refused {
    /// The refusal of what a form asked for; what no form can mend goes on as the failure that it is.
    fn new(failure: Failure, submitted: Submitted) -> Result<Self, Failure> {
        if failure.status().is_client_error() { Ok(Self { submitted, failure }) } else { Err(failure) }
    }

    /// The page as the answer to what was refused.
    fn answer(&self, mut page: Response) -> Response {
        *page.status_mut() = self.failure.status();
        page
    }
}

/// What a form was asked for and how that ended; for a form that was not sent, empty.
#[derive(Clone, Copy)]
struct Before<'r>(Option<&'r Refused>);

impl<'r> Before<'r> {
    /// What is known of the form that does this deed about this thing.
    fn of(refused: Option<&'r Refused>, deed: &str, about: impl Fn(&Submitted) -> bool) -> Self {
        Self(refused.filter(|one| one.submitted.deed == deed && about(&one.submitted)))
    }

    /// What was typed into one of its fields.
    fn typed(self, field: impl Fn(&Submitted) -> &String) -> &'r str {
        self.0.map_or("", |one| field(&one.submitted).as_str())
    }

    const fn is_refused(self) -> bool {
        self.0.is_some()
    }

    fn invalid(self) -> Option<&'static str> {
        self.0.map(|_| "true")
    }

    fn about(self) -> Option<&'static str> {
        self.0.map(|_| "wrong")
    }

    /// What was wrong, at its form.
    fn said(self, language: Language) -> Markup {
        html! { @if let Some(one) = self.0 {
            p.wrong id="wrong" role="alert" {
                (language.pick("Not done: ", "未能完成：")) span lang="en" { (one.failure.problem().detail)
                @if let Some(hint) = &one.failure.problem().hint { "; " (hint) } }
            }
        } }
    }
}
