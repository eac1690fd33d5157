//! Workflows: listed, followed through their journals, answered, ended and retried.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use futures::TryStreamExt as _;
use kontor_types::{Digest, WorkflowId};
use kontor_wire::{
    Workflow, WorkflowAnswer, WorkflowDetail, WorkflowEntry, WorkflowPage, WorkflowQuery, WorkflowQuestion,
    WorkflowRetry, WorkflowRetryFrom, WorkflowState,
};
use kontor_workflow as flows;
use utoipa_axum::routes;

use super::stream;
use crate::extract::{Json, Path, Query, page_size};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// The most entries of one answer.
const TIMELINE: u32 = 1_000;

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Read, routes!(show))
        .add(Class::Read, routes!(events))
        .add(Class::Write, routes!(cancel))
        .add(Class::Write, routes!(retry))
        .add(Class::Write, routes!(answer))
}

/// Workflows that the caller may see, the newest first: their own, those in the name of a publisher that they administer, and
/// those that asked them by name.
#[utoipa::path(get, path = "/workflows", tag = "workflows", params(WorkflowQuery),
    responses((status = 200, body = WorkflowPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<WorkflowQuery>,
) -> Result<Json<WorkflowPage>, Failure> {
    let (state, kind, size) = (query.state.map(asked), query.kind.as_deref(), page_size(query.limit));
    let page = hub.app.workflows.list(&caller, state, kind, size, query.cursor.as_ref()).await?;
    Ok(Json(WorkflowPage { items: page.items.into_iter().map(shape).collect(), next_cursor: page.next }))
}

/// One workflow with its journal and the questions that wait for an answer.
#[utoipa::path(get, path = "/workflows/{id}", tag = "workflows", params(("id" = String, Path)),
    responses((status = 200, body = WorkflowDetail)))]
async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<WorkflowDetail>, Failure> {
    let id = identified(&id)?;
    let workflow = hub.app.workflows.show(&caller, id).await?;
    let timeline = hub.app.workflows.entries(&caller, id, 0, TIMELINE).await?;
    let questions = hub.app.workflows.questions(&caller, id).await?;
    Ok(Json(WorkflowDetail {
        workflow: shape(workflow),
        timeline: timeline.iter().map(entry).collect(),
        questions: questions.into_iter().map(question).collect(),
    }))
}

/// The journal of a workflow as it grows, as server-sent events: each is an entry, with its kind as the event's name and its
/// number as the id; at the end `result` with the workflow. A stream goes on after the entry that `Last-Event-ID` names.
#[utoipa::path(get, path = "/workflows/{id}/events", tag = "workflows", params(("id" = String, Path),
    ("Last-Event-ID" = Option<u64>, Header, description = "The last entry that was received")),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
async fn events(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let id = identified(&id)?;
    let after = stream::last(&request)?;
    let told = hub.app.workflows.watch(&caller, id, after).await?.map_ok(|entry| sent(&entry));
    let (app, asker) = (hub.clone(), caller.clone());
    let result = async move { Ok(stream::data(&shape(app.app.workflows.show(&asker, id).await?))) };
    Ok(stream::answer(&hub, told, result))
}

fn sent(told: &flows::Entry) -> Event {
    stream::event(told.number, told.kind.as_str(), stream::data(&entry(told)))
}

/// Ends a workflow: what it did is taken back. 409 when it is too late for that.
#[utoipa::path(post, path = "/workflows/{id}/cancel", tag = "workflows", params(("id" = String, Path)),
    responses((status = 200, body = Workflow)))]
async fn cancel(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<Workflow>, Failure> {
    Ok(Json(shape(hub.app.workflows.cancel(&caller, identified(&id)?).await?)))
}

/// Lets a workflow that stalled or failed go on with the step that failed, or begins one that is over anew; answers with the
/// workflow that goes on.
#[utoipa::path(post, path = "/workflows/{id}/retry", tag = "workflows", params(("id" = String, Path)),
    request_body = WorkflowRetry, responses((status = 200, body = Workflow)))]
async fn retry(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(retry): Json<WorkflowRetry>,
) -> Result<Json<Workflow>, Failure> {
    let from = match retry.from {
        WorkflowRetryFrom::Step => flows::RetryFrom::Step,
        WorkflowRetryFrom::Start => flows::RetryFrom::Start,
    };
    Ok(Json(shape(hub.app.workflows.retry(&caller, identified(&id)?, from).await?)))
}

/// Answers a question of a workflow, once.
#[utoipa::path(post, path = "/workflows/{id}/answers", tag = "workflows", params(("id" = String, Path)),
    request_body = WorkflowAnswer, responses((status = 200, body = Workflow)))]
async fn answer(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(given): Json<WorkflowAnswer>,
) -> Result<Json<Workflow>, Failure> {
    let id = identified(&id)?;
    hub.app.workflows.answer(&caller, id, &given.question, given.answer).await?;
    Ok(Json(shape(hub.app.workflows.show(&caller, id).await?)))
}

fn identified(id: &str) -> Result<WorkflowId, Failure> {
    id.parse().map_err(|_| Failure::from(flows::Error::NotFound))
}

fn shape(row: flows::Workflow) -> Workflow {
    let output = row.result();
    Workflow {
        id: row.id,
        kind: row.kind,
        version: u32::try_from(row.version).unwrap_or(u32::MAX),
        title: row.title,
        state: state(row.state),
        person: row.person,
        publisher: row.publisher,
        parent: row.parent,
        retry_of: row.retry_of,
        attempts: u32::try_from(row.attempt).unwrap_or(u32::MAX),
        entries: count(row.entries),
        head: row.head,
        sealed: row.sealed,
        output,
        error_code: row.error_code,
        error: row.error,
        created_at: row.created_at,
        wake_at: row.wake_at,
        cancel_at: row.cancel_at,
        ended_at: row.ended_at,
    }
}

fn entry(row: &flows::Entry) -> WorkflowEntry {
    WorkflowEntry {
        number: count(row.number),
        at: row.at,
        kind: row.kind.as_str().to_owned(),
        branch: row.branch.clone(),
        place: row.place.map(count),
        name: row.name.clone(),
        input: row.input,
        data: row.value(),
        data_digest: Digest::of(row.data.as_bytes()),
        digest: row.digest,
    }
}

fn question(open: flows::OpenQuestion) -> WorkflowQuestion {
    let flows::OpenQuestion { name, text, form, detail, asked_at, deadline, may_answer } = open;
    WorkflowQuestion { name, text, form, detail, asked_at, deadline, may_answer }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

const fn state(state: flows::WorkflowState) -> WorkflowState {
    use flows::WorkflowState as Row;
    match state {
        Row::Queued => WorkflowState::Queued,
        Row::Running => WorkflowState::Running,
        Row::Waiting => WorkflowState::Waiting,
        Row::Finished => WorkflowState::Finished,
        Row::Failed => WorkflowState::Failed,
        Row::Cancelled => WorkflowState::Cancelled,
        Row::Stalled => WorkflowState::Stalled,
    }
}

const fn asked(state: WorkflowState) -> flows::WorkflowState {
    use flows::WorkflowState as Row;
    match state {
        WorkflowState::Queued => Row::Queued,
        WorkflowState::Running => Row::Running,
        WorkflowState::Waiting => Row::Waiting,
        WorkflowState::Finished => Row::Finished,
        WorkflowState::Failed => Row::Failed,
        WorkflowState::Cancelled => Row::Cancelled,
        WorkflowState::Stalled => Row::Stalled,
    }
}
