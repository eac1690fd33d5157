//! Errands: accepted with 202, followed as events, answered and cancelled.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::Event;
use axum::response::{IntoResponse as _, Response};
use futures::TryStreamExt as _;
use kontor_agents::{Language, Told};
use kontor_types::{Code, WorkflowId};
use kontor_wire::{Errand, ErrandAnswer, ErrandPage, ErrandQuery, NewErrand};
use kontor_workflow::WorkflowState;
use utoipa_axum::routes;
use uuid::Uuid;

use super::stream;
use crate::extract::{Json, Path, Query, page_size};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// The longest that an answer waits.
const LONGEST_WAIT: Duration = Duration::from_secs(25);

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Write, routes!(start))
        .add(Class::Read, routes!(list))
        .add(Class::Read, routes!(show))
        .add(Class::Read, routes!(events))
        .add(Class::Write, routes!(answer))
        .add(Class::Write, routes!(cancel))
}

/// Accepts an errand: when this answers, it is on disk and will be done. The same `Idempotency-Key` asks for it once.
#[utoipa::path(post, path = "/errands", tag = "errands", request_body = NewErrand, responses(
    (status = 202, body = Errand, description = "It was accepted; `Location` is its address"),
    (status = 200, body = Errand, description = "It was waited for, and is over or asks something")))]
async fn start(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    request: HeaderMap,
    Json(new): Json<NewErrand>,
) -> Result<Response, Failure> {
    let key = request.get(KEY).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let key = key.unwrap_or_else(|| Uuid::new_v4().to_string());
    let order = shapes::order(&new);
    let id = hub.app.agents.ask(&caller, &key, &order).await?;
    let errand = match new.wait.filter(|seconds| *seconds > 0) {
        Some(seconds) => {
            let patience = Duration::from_secs(u64::from(seconds)).min(LONGEST_WAIT);
            hub.app.agents.result(&caller, id, patience).await?
        }
        None => hub.app.agents.show(&caller, id, None).await?,
    };
    let settled = errand.workflow.state.is_over() || errand.question.is_some();
    let status = if settled { StatusCode::OK } else { StatusCode::ACCEPTED };
    let place = hub.absolute(&format!("{}/errands/{id}", kontor_wire::BASE));
    let place = HeaderValue::try_from(place).map_err(|_| Failure::new(Code::Internal, "the address is none"))?;
    Ok((status, [(LOCATION, place)], Json(shapes::errand(errand))).into_response())
}

/// Errands that the caller may see, the newest first.
#[utoipa::path(get, path = "/errands", tag = "errands", params(ErrandQuery), responses((status = 200, body = ErrandPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<ErrandQuery>,
) -> Result<Json<ErrandPage>, Failure> {
    let (state, size) = (query.state.map(shapes::asked_state), page_size(query.limit));
    let page = hub.app.agents.list(&caller, state, size, query.cursor.as_ref()).await?;
    let items = page.items.into_iter().map(shapes::summary).collect();
    Ok(Json(ErrandPage { items, next_cursor: page.next }))
}

/// One errand, with what happened and what it asks.
#[utoipa::path(get, path = "/errands/{id}", tag = "errands", params(("id" = String, Path)),
    responses((status = 200, body = Errand)))]
async fn show(State(hub): State<Hub>, Asker(caller): Asker, Path(id): Path<String>) -> Result<Json<Errand>, Failure> {
    Ok(Json(shapes::errand(hub.app.agents.show(&caller, identified(&id)?, None).await?)))
}

/// What happens in an errand, as server-sent events `step` with the entry's number as id, and at the end `result` with the
/// errand. A stream goes on after the event that `Last-Event-ID` names.
#[utoipa::path(get, path = "/errands/{id}/events", tag = "errands", params(("id" = String, Path),
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
    let told = hub.app.agents.watch(&caller, id, after, None).await?.map_ok(sent);
    let (app, asker) = (hub.clone(), caller.clone());
    let result = async move { Ok(stream::data(&shapes::errand(app.app.agents.show(&asker, id, None).await?))) };
    Ok(stream::answer(&hub, told, result))
}

fn sent(told: Told) -> Event {
    stream::event(told.number, "step", stream::data(&shapes::step(told)))
}

/// Answers what an errand asks, once. Only the person for whom it is done may.
#[utoipa::path(post, path = "/errands/{id}/answers", tag = "errands", params(("id" = String, Path)),
    request_body = ErrandAnswer, responses((status = 200, body = Errand)))]
async fn answer(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(answer): Json<ErrandAnswer>,
) -> Result<Json<Errand>, Failure> {
    let id = identified(&id)?;
    hub.app.agents.answer(&caller, id, &answer.question, answer.value).await?;
    Ok(Json(shapes::errand(hub.app.agents.show(&caller, id, None).await?)))
}

/// Ends an errand; what was begun is taken back. One that is over stays as it is.
#[utoipa::path(post, path = "/errands/{id}/cancel", tag = "errands", params(("id" = String, Path)),
    responses((status = 200, body = Errand)))]
async fn cancel(State(hub): State<Hub>, Asker(caller): Asker, Path(id): Path<String>) -> Result<Json<Errand>, Failure> {
    let id = identified(&id)?;
    hub.app.agents.cancel(&caller, id).await?;
    Ok(Json(shapes::errand(hub.app.agents.show(&caller, id, None).await?)))
}

pub(crate) fn identified(id: &str) -> Result<WorkflowId, Failure> {
    id.parse().map_err(|_| Failure::from(kontor_agents::Error::NotFound))
}

/// Errands as JSON, and JSON as what is asked for.
pub(crate) mod shapes {
    use kontor_agents as agents;
    use kontor_wire as wire;
    use kontor_workflow::Workflow;

    use super::{Language, WorkflowState};

    pub fn order(new: &wire::NewErrand) -> agents::NewErrand {
        agents::NewErrand {
            request: new.request.clone(),
            language: new.language.map(|language| match language {
                wire::ErrandLanguage::En => Language::En,
                wire::ErrandLanguage::Zh => Language::Zh,
            }),
            mandate: new.mandate,
            deliver_to: new.deliver_to.clone(),
            model: new.model.clone(),
        }
    }

    pub const fn asked_state(state: wire::ErrandState) -> WorkflowState {
        match state {
            wire::ErrandState::Queued => WorkflowState::Queued,
            wire::ErrandState::Running => WorkflowState::Running,
            wire::ErrandState::Waiting => WorkflowState::Waiting,
            wire::ErrandState::Finished => WorkflowState::Finished,
            wire::ErrandState::Failed => WorkflowState::Failed,
            wire::ErrandState::Cancelled => WorkflowState::Cancelled,
            wire::ErrandState::Stalled => WorkflowState::Stalled,
        }
    }

    const fn state(state: WorkflowState) -> wire::ErrandState {
        match state {
            WorkflowState::Queued => wire::ErrandState::Queued,
            WorkflowState::Running => wire::ErrandState::Running,
            WorkflowState::Waiting => wire::ErrandState::Waiting,
            WorkflowState::Finished => wire::ErrandState::Finished,
            WorkflowState::Failed => wire::ErrandState::Failed,
            WorkflowState::Cancelled => wire::ErrandState::Cancelled,
            WorkflowState::Stalled => wire::ErrandState::Stalled,
        }
    }

    pub fn summary(workflow: Workflow) -> wire::ErrandSummary {
        wire::ErrandSummary {
            id: workflow.id,
            person: workflow.person,
            request: workflow.title,
            state: state(workflow.state),
            created_at: workflow.created_at,
        }
    }

    pub fn step(told: agents::Told) -> wire::ErrandStep {
        wire::ErrandStep { number: told.number, at: told.at, kind: told.kind, name: told.name, lines: told.lines }
    }

    pub fn errand(errand: agents::Errand) -> wire::Errand {
        let workflow = errand.workflow;
        wire::Errand {
            id: workflow.id,
            person: workflow.person,
            request: errand.request,
            language: match errand.language {
                Language::En => wire::ErrandLanguage::En,
                Language::Zh => wire::ErrandLanguage::Zh,
            },
            state: state(workflow.state),
            steps: errand.steps.into_iter().map(step).collect(),
            question: errand.question.map(|question| wire::ErrandQuestion {
                name: question.name,
                text: question.text,
                form: question.form,
                detail: question.detail,
                deadline: question.deadline,
                may_answer: question.may_answer,
            }),
            bought: errand.bought.map(|bought| wire::BoughtItem {
                checkout: bought.checkout,
                order: bought.order,
                merchant: bought.merchant,
                merchant_name: bought.merchant_name,
                title: bought.title,
                quantity: bought.quantity,
                total: bought.total,
                deliver_to: bought.deliver_to,
                receipt: bought.receipt,
            }),
            error_code: workflow.error_code,
            error: errand.error,
            created_at: workflow.created_at,
            ended_at: workflow.ended_at,
        }
    }
}
