//! Runs of skills on the hub: accepted with 202, followed as events, kept with their files and receipts.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::sse::Event;
use axum::response::{IntoResponse as _, Response};
use futures::TryStreamExt as _;
use kontor_access::Caller;
use kontor_dispatch::{Answer, FileWay, Kept, RunEvent};
use kontor_types::{Code, RunId};
use kontor_wire::{NewRun, Run, RunDetail, RunPage, RunQuery};
use serde_json::{Value, json};
use utoipa_axum::routes;

use super::document::Raw;
use super::run_shapes as shapes;
use super::stream;
use crate::extract::{Json, Path, Query, page_size};
use crate::foreign::{self, Foreign, Keeping, Media};
use crate::{Asker, Class, Failure, Hub, Keyed, NativeRoutes};

/// The longest that an answer waits for the end of a run.
const LONGEST_WAIT: Duration = Duration::from_secs(25);

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Upload, routes!(start))
        .add(Class::Read, routes!(list))
        .add(Class::Read, routes!(show))
        .add(Class::Read, routes!(events))
        .add(Class::Write, routes!(cancel))
        .add(Class::Write, routes!(retry))
        .add(Class::Read, routes!(receipt))
        .add(Class::Read, routes!(proof))
        .add(Class::Read, routes!(output))
        .add(Class::Read, routes!(said))
}

/// Accepts a run: when this answers, the run is on disk and will be done.
#[utoipa::path(post, path = "/runs", tag = "runs", request_body = NewRun, responses(
    (status = 202, body = Run, description = "It was accepted; `Location` is its address"),
    (status = 200, body = Run, description = "It was waited for and is over")))]
async fn start(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    keyed: Keyed,
    Json(new): Json<NewRun>,
) -> Result<Response, Failure> {
    let (skill, order) = shapes::order(&new)?;
    let mut run = hub.app.runs.start_kept(&caller, &skill, &order, kept(&hub, keyed).as_ref()).await?;
    if let Some(seconds) = new.wait.filter(|seconds| *seconds > 0) {
        let patience = Duration::from_secs(u64::from(seconds)).min(LONGEST_WAIT);
        run = hub.app.runs.result(&caller, run.id, patience).await?;
    }
    accepted(&hub, run)
}

/// What is answered to whoever asks again with the same key, written down with the run itself.
fn kept(hub: &Hub, Keyed(key): Keyed) -> Option<Kept> {
    let (person, key) = key?;
    let hub = hub.clone();
    let shape = move |run: &kontor_dispatch::Run| {
        let body = serde_json::to_vec(&shapes::run(run.clone()).ok()?).ok()?;
        let headers = [(CONTENT_TYPE, "application/json".to_owned()), (LOCATION, place(&hub, run.id))];
        let headers = headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        Some(Answer { status: StatusCode::ACCEPTED.as_u16(), headers, body })
    };
    Some(Kept::new(person, key, shape))
}

fn place(hub: &Hub, id: RunId) -> String {
    hub.absolute(&format!("{}/runs/{id}", kontor_wire::BASE))
}

fn accepted(hub: &Hub, run: kontor_dispatch::Run) -> Result<Response, Failure> {
    let status = if run.state.is_over() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let place =
        HeaderValue::try_from(place(hub, run.id)).map_err(|_| Failure::new(Code::Internal, "the address is none"))?;
    Ok((status, [(LOCATION, place)], Json(shapes::run(run)?)).into_response())
}

/// Runs that the caller may see, the newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", params(RunQuery), responses((status = 200, body = RunPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<RunQuery>,
) -> Result<Json<RunPage>, Failure> {
    let (state, size) = (query.state.map(shapes::asked_state), page_size(query.limit));
    let page = hub.app.runs.list(&caller, query.publisher.as_ref(), state, size, query.cursor.as_ref()).await?;
    let items = page.items.into_iter().map(shapes::run).collect::<Result<_, _>>()?;
    Ok(Json(RunPage { items, next_cursor: page.next }))
}

/// One run, with its files.
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = RunDetail)))]
async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<RunDetail>, Failure> {
    Ok(Json(detail(&hub, &caller, identified(&id)?).await?))
}

async fn detail(hub: &Hub, caller: &Caller, id: RunId) -> Result<RunDetail, Failure> {
    let runs = &hub.app.runs;
    let run = runs.show(caller, id).await?;
    let inputs = runs.files(caller, id, FileWay::In).await?;
    let outputs = runs.files(caller, id, FileWay::Out).await?;
    let said = runs.files(caller, id, FileWay::Said).await?;
    Ok(RunDetail {
        salts: run.salts.clone(),
        run: shapes::run(run)?,
        inputs: shapes::files(inputs),
        outputs: shapes::files(outputs),
        said: shapes::files(said),
    })
}

/// What happens in a run, as server-sent events: `state`, `stdout`, `stderr`, `note`, each with a number as its id, and at
/// the end `result` with the run. A stream goes on after the event that `Last-Event-ID` names.
#[utoipa::path(get, path = "/runs/{id}/events", tag = "runs", params(("id" = String, Path),
    ("Last-Event-ID" = Option<u64>, Header, description = "The last event that was received")),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
async fn events(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let id = identified(&id)?;
    let after = stream::last(&request)?;
    let told = hub.app.runs.watch(&caller, id, after).await?.map_ok(|event| sent(&event));
    let (app, asker) = (hub.clone(), caller.clone());
    let result = async move { Ok(stream::data(&shapes::run(app.app.runs.show(&asker, id).await?)?)) };
    Ok(stream::answer(&hub, told, result))
}

fn sent(event: &RunEvent) -> Event {
    let mut data = event.data.clone();
    if let Value::Object(data) = &mut data {
        data.insert("at".to_owned(), json!(event.at));
    }
    stream::event(event.number, event.kind.as_str(), data)
}

/// Ends a run: at once when no worker has it, else as soon as its worker sees it.
#[utoipa::path(post, path = "/runs/{id}/cancel", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = Run)))]
async fn cancel(State(hub): State<Hub>, Asker(caller): Asker, Path(id): Path<String>) -> Result<Json<Run>, Failure> {
    Ok(Json(shapes::run(hub.app.runs.cancel(&caller, identified(&id)?).await?)?))
}

/// Does a run that is over again, as another run.
#[utoipa::path(post, path = "/runs/{id}/retry", tag = "runs", params(("id" = String, Path)),
    responses((status = 202, body = Run, description = "It was accepted; `Location` is its address")))]
async fn retry(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    keyed: Keyed,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let run = hub.app.runs.retry_kept(&caller, identified(&id)?, kept(&hub, keyed).as_ref()).await?;
    accepted(&hub, run)
}

/// The signed receipt of a run: a DSSE envelope.
#[utoipa::path(get, path = "/runs/{id}/receipt", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/json", body = serde_json::Value)))]
async fn receipt(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let receipt = hub.app.runs.receipt(&caller, identified(&id)?).await?;
    Ok(foreign::document(&request, "application/json", receipt, Keeping::Nobody))
}

/// The proof that the receipt of a run is in the hub's log: the receipt, its salt, the path to a signed checkpoint.
#[utoipa::path(get, path = "/runs/{id}/proof", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/json", body = serde_json::Value)))]
async fn proof(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let proof = hub.app.runs.proof(&caller, identified(&id)?).await?;
    let text = proof.to_json().map_err(|_| Failure::new(Code::Internal, "the proof cannot be written"))?;
    Ok(foreign::document(&request, "application/json", text.into_bytes(), Keeping::Nobody))
}

/// A file that a run left.
#[utoipa::path(get, path = "/runs/{id}/outputs/{*path}", tag = "runs", params(("id" = String, Path),
    ("path" = String, Path)), responses(
    (status = 200, content((Raw = "text/plain"), (Raw = "text/markdown"), (Raw = "application/octet-stream")))))]
async fn output(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((id, path)): Path<(String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let file = hub.app.runs.file(&caller, identified(&id)?, FileWay::Out, &path).await?;
    let (media, tag) = (Media::of(&file.path), file.digest.hex());
    let bytes = Foreign::of_blob(file.digest, 0, file.size, &media, &tag, Keeping::Nobody);
    Ok(bytes.answer(&hub.app.blobs, &request))
}

/// All that was kept of what a program said on `stdout` or `stderr`, as bytes to save.
#[utoipa::path(get, path = "/runs/{id}/said/{stream}", tag = "runs", params(("id" = String, Path),
    ("stream" = String, Path)), responses((status = 200, content_type = "application/octet-stream", body = Raw)))]
async fn said(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((id, stream)): Path<(String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let file = hub.app.runs.file(&caller, identified(&id)?, FileWay::Said, &stream).await?;
    let (media, tag) = (Media::File(format!("{}.log", file.path)), file.digest.hex());
    let bytes = Foreign::of_blob(file.digest, 0, file.size, &media, &tag, Keeping::Nobody);
    Ok(bytes.answer(&hub.app.blobs, &request))
}

fn identified(id: &str) -> Result<RunId, Failure> {
    id.parse().map_err(|_| Failure::from(kontor_dispatch::Error::NotFound))
}
