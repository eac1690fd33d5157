//! The published transparency log: static files as C2SP tlog-tiles describes them, and the keys that sign.
//!
//! `/log/checkpoint` and `/log/tile/…` are the first history; a later one, begun after a restore, is under its number:
//! `/log/2/checkpoint`. So an address always means the same bytes, but for the checkpoint. `/log/keys` names the histories
//! and all keys there ever were.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kontor_types::Code;
use serde_json::json;

use crate::extract::Path;
use crate::foreign::{Keeping, document};
use crate::{Failure, Hub, Routes};

const FIRST: i64 = 1;

pub(crate) fn routes() -> Routes {
    Routes::new().get("/log/keys", keys).get("/log/{*path}", file)
}

/// `GET /log/keys`
async fn keys(State(hub): State<Hub>, request: HeaderMap) -> Result<Response, Failure> {
    let notary = &hub.app.notary;
    let histories = notary.log().histories().await.map_err(|error| broken(&error))?;
    let named: Vec<_> = histories
        .iter()
        .map(|history| {
            let path = if history.number == FIRST { "/log".to_owned() } else { format!("/log/{}", history.number) };
            let verifiers = notary.log_keys(std::slice::from_ref(history));
            let verifiers: Vec<_> = verifiers.iter().map(ToString::to_string).collect();
            json!({ "origin": history.origin, "path": path, "started_at": history.started_at, "keys": verifiers })
        })
        .collect();
    let text = serde_json::to_vec_pretty(&json!({ "histories": named, "keys": notary.keys().keys }));
    let text = text.map_err(|error| Failure::new(Code::Internal, "the keys cannot be shown").cause(&error))?;
    Ok(document(&request, "application/json", text, Keeping::AMinute))
}

/// `GET /log/{path}`
async fn file(State(hub): State<Hub>, Path(path): Path<String>, request: HeaderMap) -> Result<Response, Failure> {
    let (number, name) = split(&path);
    let (tiles, name) = (hub.app.notary.log().tiles(number), name.to_owned());
    let read = tokio::task::spawn_blocking(move || tiles.resource(&name)).await;
    let read = read.map_err(|_| Failure::new(Code::Unavailable, "the log was not read: ask again"))?;
    let resource = read.map_err(|error| broken(&error))?.ok_or_else(Failure::not_found)?;
    let keeping = if resource.immutable { Keeping::Forever } else { Keeping::Check };
    Ok(document(&request, resource.content_type, resource.bytes, keeping))
}

/// Which history a path is of, and the path inside it.
fn split(path: &str) -> (i64, &str) {
    let numbered = path.split_once('/').and_then(|(number, rest)| {
        let parsed: i64 = number.parse().ok()?;
        (parsed > FIRST && parsed.to_string() == number).then_some((parsed, rest))
    });
    numbered.unwrap_or((FIRST, path))
}

fn broken(error: &kontor_translog::Error) -> Failure {
    Failure::new(Code::Internal, "the log cannot be read").cause(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_history_in_one_way() {
        assert_eq!(split("checkpoint"), (1, "checkpoint"));
        assert_eq!(split("tile/0/000"), (1, "tile/0/000"));
        assert_eq!(split("2/tile/0/000"), (2, "tile/0/000"));
        for other in ["1/checkpoint", "02/checkpoint", "-2/checkpoint", "+2/checkpoint"] {
            assert_eq!(split(other), (1, other));
        }
    }
}
