//! The scripts of the pages: small modules that only improve what works without them.

use axum::http::HeaderMap;
use axum::response::Response;
use kontor_front::Failure;
use kontor_front::extract::Path;
use kontor_front::foreign::{Keeping, document};
use maud::{Markup, html};

/// Where a script is.
pub const PATH: &str = "/assets/scripts/{name}";

/// All of them by name.
const SCRIPTS: &[(&str, &str)] = &[
    ("check.js", include_str!("../assets/scripts/check.js")),
    ("copy.js", include_str!("../assets/scripts/copy.js")),
    ("publish.js", include_str!("../assets/scripts/publish.js")),
    ("run.js", include_str!("../assets/scripts/run.js")),
    ("suggest.js", include_str!("../assets/scripts/suggest.js")),
];

/// `GET /assets/scripts/{name}`
pub async fn show(Path(name): Path<String>, request: HeaderMap) -> Result<Response, Failure> {
    let (_, text) = SCRIPTS.iter().find(|(one, _)| *one == name).ok_or_else(Failure::not_found)?;
    Ok(document(&request, "text/javascript; charset=utf-8", text.as_bytes().to_vec(), Keeping::AMinute))
}

/// The element that loads one of them.
pub fn load(name: &str) -> Markup {
    debug_assert!(SCRIPTS.iter().any(|(one, _)| *one == name), "{name} is no script");
    html! { script type="module" src={ "/assets/scripts/" (name) } {} }
}
