//! The pages that people see: a home with search, a publisher, a skill with its files and versions, trying it, runs, errands,
//! reviews, signing in. In English and Chinese, light and dark.
//!
//! A handler extracts, calls a service and shows what it says; nothing here asks the HTTP API.

mod account;
mod browse;
mod chart;
mod check;
mod choice;
mod compare;
mod console;
mod deeds;
mod errand;
mod files;
mod highlight;
mod inbox;
mod language;
pub mod layout;
pub mod list;
mod manage;
pub mod markdown;
mod open;
mod publish;
mod reader;
mod runs;
mod script;
mod sign_in;
mod signed_in;
pub mod skill;
mod suggestions;
mod theme;
mod trial;
mod words;

pub use language::Language;
pub use open::Document;
pub use reader::Reader;
pub use theme::Theme;
pub use words::Words;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use kontor_access::Caller;
use kontor_front::extract::Path;
use kontor_front::{Asked, Class, Failure, Hub, Routes};
use kontor_types::Code;

/// The routes of the pages. `document` answers whoever asks for a skill's page but would rather have JSON.
pub fn routes(document: Document) -> Routes {
    Routes::new()
        .get("/", browse::home)
        .get("/@{publisher}", browse::publisher)
        .get(
            "/@{publisher}/{skill}",
            move |hub: State<Hub>, asked: Extension<Arc<Asked>>, reader: Reader, path: Path<_>, request: HeaderMap| {
                open::skill(document, hub, asked, reader, path, request)
            },
        )
        .get("/@{publisher}/{skill}/files/{*path}", files::show)
        .get("/@{publisher}/{skill}/compare", compare::show)
        .post("/@{publisher}/{skill}/activate", deeds::activate)
        .get("/@{publisher}/{skill}/report", deeds::ask_report)
        .post("/@{publisher}/{skill}/report", deeds::report)
        .get(inbox::PATH, inbox::show)
        .post(inbox::PATH, inbox::read)
        .get("/@{publisher}/{skill}/try", trial::show)
        .on(&Method::POST, "/@{publisher}/{skill}/try", Class::Upload, trial::start)
        .get(runs::PATH, runs::list)
        .get("/runs/{id}", runs::show)
        .post("/runs/{id}", runs::submit)
        .get(publish::PATH, publish::show)
        .on(&Method::POST, publish::PATH, Class::Upload, publish::submit)
        .get("/@{publisher}/{skill}/check", check::show)
        .post("/@{publisher}/{skill}/appeal", check::appeal)
        .get(errand::PATH, errand::list)
        .post(errand::PATH, errand::ask)
        .get("/errands/{id}", errand::show)
        .post("/errands/{id}", errand::submit)
        .get(suggestions::PATH, suggestions::show)
        .get("/language/{word}", language::choose)
        .get("/theme/{word}", theme::choose)
        .get(layout::STYLE_PATH, layout::style)
        .get(layout::MARK_PATH, layout::mark)
        .get(script::PATH, script::show)
        .get(account::PATH, account::show)
        .post(account::PATH, account::end)
        .get(account::PASSWORD, account::show_password)
        .on(&Method::POST, account::PASSWORD, Class::SignIn, account::set_password)
        .and(console::routes())
        .and(manage::routes())
        .and(sign_in::routes())
}

/// The page that tells a reader of a failure.
pub fn failed(headers: &HeaderMap, caller: &Caller, failure: &Failure, text: &str) -> Response {
    let reader = Reader::new(headers, caller);
    match failure.code() {
        Code::NotFound => layout::not_found(&reader),
        code => layout::failed(&reader, failure.status(), code, text),
    }
}
