//! The pages of errands: asking for one, and one as it goes on, with its question. Plain forms; a page that is not over loads
//! itself again.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::secret;
use kontor_agents::{Errand, NewErrand};
use kontor_commerce::{Mandate, MandateState};
use kontor_front::extract::{Form, Path};
use kontor_front::{Asked, Failure, Hub};
use kontor_types::{MandateId, PageSize, WorkflowId};
use kontor_workflow::{OpenQuestion, WorkflowState};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::signed_in::SignedIn;
use crate::words::day;
use crate::{Language, Reader, layout};

/// Where errands are.
pub const PATH: &str = "/errands";
/// How often a page that is not over loads itself again.
const AGAIN: HeaderValue = HeaderValue::from_static("2");

/// What is typed into the form of a new errand.
#[derive(Debug, Deserialize)]
pub struct Typed {
    form: String,
    request: String,
    #[serde(default)]
    deliver_to: String,
}

/// What is answered.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    step: Step,
    #[serde(default)]
    question: String,
    #[serde(default)]
    mandate: String,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Yes,
    No,
    Cancel,
}

/// Sentences of these pages in one language.
#[derive(Clone, Copy)]
struct Say(Language);

impl Say {
    const fn pick(self, en: &'static str, zh: &'static str) -> &'static str {
        match self.0 {
            Language::English => en,
            Language::Chinese => zh,
        }
    }

    const fn state(self, state: WorkflowState) -> &'static str {
        match state {
            WorkflowState::Queued | WorkflowState::Running => self.pick("under way", "进行中"),
            WorkflowState::Waiting => self.pick("waits", "等待中"),
            WorkflowState::Finished => self.pick("bought", "已购买"),
            WorkflowState::Failed => self.pick("ended without a purchase", "未购买"),
            WorkflowState::Cancelled => self.pick("cancelled", "已取消"),
            WorkflowState::Stalled => self.pick("needs a decision", "需要处理"),
        }
    }
}

/// `GET /errands`: the form for a new one, and the newest.
pub async fn list(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
) -> Result<Response, Failure> {
    let say = Say(reader.language);
    let form = form_token(&asked).unwrap_or_default();
    let page = hub.app.agents.list(&asked.caller, None, PageSize::default(), None).await?;
    let body = html! {
        h1 { (say.pick("Errands", "代办")) }
        form action=(PATH) method="post" {
            input type="hidden" name="form" value=(form);
            p { label { (say.pick("What do you want?", "想买什么？")) br;
                input type="text" name="request" required maxlength="1000"
                    placeholder=(say.pick("order me a milk tea under ¥20 to the office", "帮我点一杯二十元以内的奶茶送到办公室")); } }
            p { label { (say.pick("Where to, if you have not said", "送到哪里（若上面没写）")) br;
                input type="text" name="deliver_to" maxlength="300"; } }
            p { button type="submit" { (say.pick("Ask", "提交")) } " "
                span.faint { (say.pick("You are asked again before anything is paid.", "付款前会再次询问。")) } }
        }
        @if !page.items.is_empty() {
            table {
                thead { tr { th scope="col" { (say.pick("Request", "请求")) } th scope="col" { (say.pick("State", "状态")) } th scope="col" { } } }
                tbody { @for one in &page.items { tr {
                    td { a href={ (PATH) "/" (one.id) } { bdi { (one.title) } } }
                    td { (say.state(one.state)) }
                    td.day { time datetime=(one.created_at) { (day(one.created_at)) } }
                } } }
            }
        }
    };
    Ok(layout::page(&reader, say.pick("Errands", "代办"), "", &body))
}

/// `POST /errands`: asks for one.
pub async fn ask(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Form(typed): Form<Typed>,
) -> Result<Response, Failure> {
    held(&asked, &typed.form)?;
    let new = NewErrand {
        request: typed.request,
        language: Some(match reader.language {
            Language::English => kontor_agents::Language::En,
            Language::Chinese => kontor_agents::Language::Zh,
        }),
        deliver_to: Some(typed.deliver_to).filter(|text| !text.trim().is_empty()),
        ..NewErrand::default()
    };
    let key = uuid::Uuid::new_v4().to_string();
    let id = hub.app.agents.ask(&asked.caller, &key, &new).await?;
    Ok(Redirect::to(&format!("{PATH}/{id}")).into_response())
}

/// `GET /errands/{id}`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let form = form_token(&asked).unwrap_or_default();
    let id: WorkflowId = id.parse().map_err(|_| Failure::not_found())?;
    let errand = hub.app.agents.show(&asked.caller, id, None).await?;
    let mandates = match asked.caller.person_id() {
        Some(person) if errand.question.is_some() => {
            let mandates = hub.app.commerce.mandates(person).await;
            mandates.map_err(|error| Failure::from(error.problem()).cause(&error))?
        }
        _ => Vec::new(),
    };
    let body = body(Say(reader.language), &errand, &mandates, &form);
    let mut response = layout::page(&reader, &errand.request, "", &body);
    if !errand.workflow.state.is_over() && errand.question.is_none() {
        response.headers_mut().insert("refresh", AGAIN);
    }
    Ok(response)
}

/// `POST /errands/{id}`: answers or cancels.
pub async fn submit(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    Path(id): Path<String>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let id: WorkflowId = id.parse().map_err(|_| Failure::not_found())?;
    let agents = &hub.app.agents;
    match submitted.step {
        Step::Cancel => drop(agents.cancel(&asked.caller, id).await?),
        step => {
            let errand = agents.show(&asked.caller, id, None).await?;
            let question = errand.question.filter(|question| question.name == submitted.question);
            let question = question.ok_or_else(|| Failure::invalid("this was answered before, or its time is over"))?;
            let value = said(&question, step == Step::Yes, &submitted);
            agents.answer(&asked.caller, id, &question.name, value).await?;
        }
    }
    Ok(Redirect::to(&format!("{PATH}/{id}")).into_response())
}

fn said(question: &OpenQuestion, yes: bool, submitted: &Submitted) -> Value {
    match question.detail.get("kind").and_then(Value::as_str) {
        Some("purchase") if yes && submitted.mandate.parse::<MandateId>().is_ok() => {
            json!({"confirm": true, "mandate": submitted.mandate})
        }
        Some("purchase") => json!({"confirm": yes}),
        Some("address") => json!(submitted.text.trim()),
        _ => json!(yes),
    }
}

fn form_token(asked: &Asked) -> Option<String> {
    asked.session.as_ref().map(|(_, cookie)| secret::form_token(cookie))
}

/// Passes for a form that was made for this session.
fn held(asked: &Asked, form: &str) -> Result<(), Failure> {
    let Some((_, cookie)) = &asked.session else { return Err(kontor_access::Error::Unauthenticated.into()) };
    if secret::is_form_token(cookie, form) { Ok(()) } else { Err(crate::sign_in::stale_form()) }
}

fn body(say: Say, errand: &Errand, mandates: &[Mandate], form: &str) -> Markup {
    let state = errand.workflow.state;
    html! {
        h1 { "“" bdi { (errand.request) } "”" }
        p.lead.faint { (say.state(state)) }
        @if let Some(bought) = &errand.bought {
            p.note.good {
                (bought.quantity) " × “" bdi { (bought.title) } "” · “" bdi { (bought.merchant_name) } "” · " b { (bought.total) } br;
                (say.pick("delivered to ", "送到")) bdi { (bought.deliver_to) } " · " (say.pick("order ", "订单 ")) (bought.order)
            }
        }
        @if let Some(error) = &errand.error { p.note { (error) } }
        @if let Some(question) = &errand.question { (asks(say, errand, question, mandates, form)) }
        ol.steps { @for step in errand.steps.iter().filter(|step| step.kind != "asked") {
            @for line in &step.lines { li { (line) } }
        } }
        @if !state.is_over() {
            form action={ (PATH) "/" (errand.workflow.id) } method="post" {
                input type="hidden" name="form" value=(form);
                button type="submit" name="step" value="cancel" { (say.pick("Cancel", "取消")) }
            }
        }
    }
}

fn asks(say: Say, errand: &Errand, question: &OpenQuestion, mandates: &[Mandate], form: &str) -> Markup {
    let kind = question.detail.get("kind").and_then(Value::as_str).unwrap_or_default();
    let needs = kind == "purchase" && question.detail.get("needs_mandate") != Some(&json!(false));
    let usable: Vec<&Mandate> = mandates.iter().filter(|one| one.state == MandateState::Active).collect();
    html! {
        div.note {
            p { b { (question.text) } }
            @if !question.may_answer { p { (say.pick("Only the person for whom it is done can answer.", "只有本人可以回答。")) } }
            @else {
                form action={ (PATH) "/" (errand.workflow.id) } method="post" {
                    input type="hidden" name="form" value=(form);
                    input type="hidden" name="question" value=(question.name);
                    @if kind == "address" { p { input type="text" name="text" required maxlength="300"; } }
                    @if needs && !usable.is_empty() {
                        p { label { (say.pick("Pay within the mandate ", "使用授权书 "))
                            select name="mandate" { @for one in &usable {
                                option value=(one.terms.id) { (one.left) " · " (day(one.terms.until)) }
                            } } } }
                    }
                    @if !needs || !usable.is_empty() {
                        button type="submit" name="step" value="yes" { (say.pick("Yes", "是")) } " "
                    }
                    @if kind != "address" { button type="submit" name="step" value="no" { (say.pick("No", "否")) } }
                }
                @if needs {
                    p.faint { (say.pick("A purchase needs a mandate that your own key signs. In a terminal this confirms just this one:",
                        "购买需要由您自己的密钥签署的授权书。在终端中可只确认这一笔：")) }
                    pre { code { "kontor errand resume " (errand.workflow.id) } }
                }
            }
        }
    }
}
