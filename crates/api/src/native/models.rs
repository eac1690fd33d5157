//! Use of models and the budgets it is paid from.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_gateway::{BudgetOwner, By, UsageLine, UsageQuery};
use kontor_types::{Currency, Handle, Money};
use kontor_wire::{Budget, BudgetLimit, BudgetList, ModelUse, ModelUseList, ModelUseQuery};
use utoipa_axum::routes;

use crate::extract::{Json, Path, Query};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// What is told apart unless somebody says otherwise.
const USUAL: &[By] = &[By::Day, By::Model, By::Person];
const WORDS: &[(&str, By)] = &[
    ("day", By::Day),
    ("person", By::Person),
    ("publisher", By::Publisher),
    ("run", By::Run),
    ("errand", By::Errand),
    ("model", By::Model),
    ("upstream", By::Upstream),
];

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(used))
        .add(Class::Read, routes!(list))
        .add(Class::Read, routes!(show))
        .add(Class::Write, routes!(set))
        .add(Class::Write, routes!(close))
}

/// Use of models: one's own, for admins of a publisher also what was used in its name, for administrators everybody's.
#[utoipa::path(get, path = "/usage", tag = "models", params(ModelUseQuery),
    responses((status = 200, body = ModelUseList)))]
async fn used(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<ModelUseQuery>,
) -> Result<Json<ModelUseList>, Failure> {
    let by = match &query.by {
        None => USUAL.to_vec(),
        Some(text) => text.split(',').filter(|word| !word.is_empty()).map(by).collect::<Result<_, _>>()?,
    };
    let (person, publisher) = (handle(query.person.as_deref())?, handle(query.publisher.as_deref())?);
    let (from, to, run, errand, model) = (query.from, query.to, query.run, query.errand, query.model);
    let query = UsageQuery { from, to, person, publisher, run, errand, model, by };
    let lines = hub.app.gateway.usage(&caller, &query).await?;
    Ok(Json(ModelUseList { items: lines.into_iter().map(shape).collect() }))
}

/// Budgets for models: one's own, those of one's organisations, for administrators all.
#[utoipa::path(get, path = "/budgets", tag = "models", responses((status = 200, body = BudgetList)))]
async fn list(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<BudgetList>, Failure> {
    let budgets = hub.app.gateway.budgets(&caller).await?;
    Ok(Json(BudgetList { items: budgets.iter().map(budget).collect() }))
}

/// The budgets of one owner, one for each currency.
#[utoipa::path(get, path = "/budgets/{owner}", tag = "models", params(("owner" = String, Path)),
    responses((status = 200, body = BudgetList)))]
async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(owner): Path<String>,
) -> Result<Json<BudgetList>, Failure> {
    let budgets = hub.app.gateway.budget(&caller, &owner.parse()?).await?;
    Ok(Json(BudgetList { items: budgets.iter().map(budget).collect() }))
}

/// Sets a limit, the whole amount with what is spent: for administrators a person's, for admins of a publisher its own, for
/// everybody an errand's of their own.
#[utoipa::path(put, path = "/budgets/{owner}", tag = "models", params(("owner" = String, Path)),
    request_body = BudgetLimit, responses((status = 200, body = Budget)))]
async fn set(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(owner): Path<String>,
    Json(new): Json<BudgetLimit>,
) -> Result<Json<Budget>, Failure> {
    caller.require_person()?;
    let refused = |error: kontor_types::MoneyError| Failure::invalid(error.to_string());
    let currency: Currency = new.currency.parse().map_err(refused)?;
    let limit: Money = currency.parse_amount(&new.limit).map_err(refused)?;
    let owner: BudgetOwner = owner.parse()?;
    Ok(Json(budget(&hub.app.gateway.set_budget(&caller, &owner, limit).await?)))
}

/// Lets nothing more be spent from an owner's budgets. Setting a limit opens one again.
#[utoipa::path(delete, path = "/budgets/{owner}", tag = "models", params(("owner" = String, Path)),
    responses((status = 204)))]
async fn close(State(hub): State<Hub>, Asker(caller): Asker, Path(owner): Path<String>) -> Result<StatusCode, Failure> {
    caller.require_person()?;
    hub.app.gateway.close_budget(&caller, &owner.parse()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn by(word: &str) -> Result<By, Failure> {
    let found = WORDS.iter().find(|(known, _)| *known == word.trim()).map(|(_, by)| *by);
    let known = || WORDS.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| Failure::invalid(format!("`by` is some of {}, separated by commas", known())))
}

fn handle(text: Option<&str>) -> Result<Option<Handle>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let read = text.strip_prefix('@').unwrap_or(text).parse();
    read.map(Some).map_err(|_| Failure::invalid("a person and a publisher are given by their names"))
}

fn shape(line: UsageLine) -> ModelUse {
    ModelUse {
        day: line.day,
        person: line.person,
        publisher: line.publisher,
        run: line.run,
        errand: line.errand,
        model: line.model,
        upstream: line.upstream,
        calls: line.calls,
        failed: line.failed,
        estimated: line.estimated,
        prompt_tokens: line.prompt,
        cached_tokens: line.cached,
        completion_tokens: line.completion,
        currency: line.currency.map(|currency| currency.to_string()),
        cost_micros: line.cost_micros,
    }
}

fn budget(budget: &kontor_gateway::Budget) -> Budget {
    Budget {
        owner: budget.owner.to_string(),
        currency: budget.limit.currency.to_string(),
        limit: budget.limit.amount(),
        spent: budget.spent.amount(),
        held: budget.held.amount(),
        free: budget.free.amount(),
        closed: budget.closed,
    }
}
