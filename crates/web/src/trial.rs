//! Trying a skill on its page: a form made of a tool's schema, or a script with files, and what such a run may touch.

pub mod form;
mod sheet;
pub mod typed;

use std::sync::Arc;

use axum::Extension;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use bytes::Bytes;
use kontor_access::Caller;
use kontor_dispatch::{Consent, Error, GivenFile, Named, Offer, StartRun};
use kontor_front::extract::{Path, Query};
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::Keep;
use kontor_runs::Schema;
use kontor_types::{Digest, Handle, RunId, SkillRef};
use serde::Deserialize;
use serde_json::Value;

use self::form::{Form, Problem, Wrong};
use self::sheet::{Sheet, Thing};
use self::typed::Typed;
use crate::deeds::{form_token, held};
use crate::{Reader, layout, open, runs};

/// The largest schema or sample that is read for a page.
const LARGEST: usize = 64 << 10;
/// The most samples of a tool that are offered.
const MOST_SAMPLES: usize = 6;

/// What the page's address chooses.
#[derive(Debug, Default, Deserialize)]
pub struct Chosen {
    tool: Option<String>,
    script: Option<String>,
    /// The name of a sample; empty for none, absent for the first one in the reader's language.
    sample: Option<String>,
    publisher: Option<Handle>,
}

/// `GET /@{publisher}/{skill}/try`
pub async fn show(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
    Query(chosen): Query<Chosen>,
) -> Result<Response, Failure> {
    let found = open::found(&hub, &asked.caller, &publisher, &skill).await?;
    let mut sheet = sheet(&hub, &asked, &reader, &found.reference(), &chosen).await?;
    let sample = match &chosen.sample {
        Some(wanted) => sheet.samples.iter().find(|(name, _)| wanted == name),
        None => sheet.offered(),
    };
    if let (Thing::Tool { form, .. }, Some((name, input))) = (&sheet.thing, sample.cloned()) {
        sheet.typed = Typed::filled(form.filled(&input));
        sheet.sample = Some(name);
    }
    Ok(layout::page(&reader, &sheet.title(), "", &sheet.body()))
}

/// `POST /@{publisher}/{skill}/try`: starts the run, or shows the form again with what is wrong.
pub async fn start(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    let found = open::found(&hub, &asked.caller, &publisher, &skill).await?;
    if asked.session.is_none() {
        return Err(kontor_access::Error::Unauthenticated.into());
    }
    let typed = Typed::read(form).await?;
    held(&asked, typed.text("form"))?;
    let named = |field: &str| Some(typed.text(field).to_owned()).filter(|text| !text.is_empty());
    let publisher = named("publisher").map(|text| text.parse()).transpose();
    let publisher = publisher.map_err(|_| Failure::invalid("there is no publisher of this name"))?;
    let chosen = Chosen { tool: named("tool"), script: named("script"), sample: None, publisher };
    let reference = found.reference();
    let mut sheet = sheet(&hub, &asked, &reader, &reference, &chosen).await?;
    sheet.typed = typed;
    match ordered(&sheet) {
        Ok(order) => match hub.app.runs.start(&asked.caller, &reference, &order).await {
            Ok(run) => return Ok(Redirect::to(&runs::place(run.id)).into_response()),
            Err(error) => refuse(&mut sheet, error)?,
        },
        Err(problems) => sheet.problems = problems,
    }
    let mut response = layout::page(&reader, &sheet.title(), "", &sheet.body());
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Everything that the page shows of what is chosen.
async fn sheet(hub: &Hub, asked: &Asked, reader: &Reader, skill: &SkillRef, chosen: &Chosen) -> Result<Sheet, Failure> {
    let runs = &hub.app.runs;
    let offer = runs.offer(&asked.caller, skill, chosen.publisher.as_ref()).await.map_err(hidden)?;
    let thing = thing(&offer, chosen)?;
    let samples = match &thing {
        Thing::Tool { name, .. } => samples(&offer, name),
        _ => Vec::new(),
    };
    let names = match asked.caller.person_id() {
        Some(_) => own_names(hub, &asked.caller).await?,
        None => Vec::new(),
    };
    Ok(Sheet {
        language: reader.language,
        settings: (runs.settings().person_open, runs.settings().person_daily),
        token: form_token(asked),
        nonce: RunId::new(hub.app.clock.now()),
        publisher: chosen.publisher.clone(),
        offer,
        thing,
        samples,
        sample: None,
        names,
        typed: Typed::default(),
        problems: Vec::new(),
        refused: None,
        missing: Vec::new(),
    })
}

fn hidden(error: Error) -> Failure {
    match error {
        Error::Registry(error) => open::hidden(error),
        other => other.into(),
    }
}

/// The publishers in whose name the caller may run something, their own first.
async fn own_names(hub: &Hub, caller: &Caller) -> Result<Vec<Handle>, Failure> {
    let memberships = hub.app.access.memberships(caller).await?;
    let own = caller.person.as_ref().map(|(_, handle)| handle.clone());
    let mut names: Vec<Handle> = memberships.into_iter().map(|one| one.handle).collect();
    names.sort_by_key(|name| Some(name) != own.as_ref());
    Ok(names)
}

/// What is run: what is named, else the first tool, else the first script.
fn thing(offer: &Offer, chosen: &Chosen) -> Result<Thing, Failure> {
    let tools = &offer.manifest.tools;
    if let Some(path) = &chosen.script {
        let known = offer.scripts.iter().any(|script| script == path);
        return if known { Ok(Thing::Script(path.clone())) } else { Err(Failure::not_found()) };
    }
    let tool = match &chosen.tool {
        Some(name) => Some(tools.iter().find(|tool| tool.name == *name).ok_or_else(Failure::not_found)?),
        None => tools.first(),
    };
    let Some(tool) = tool else {
        return Ok(offer.scripts.first().map_or(Thing::Nothing, |script| Thing::Script(script.clone())));
    };
    let (name, description) = (tool.name.clone(), tool.description.clone());
    let Some(path) = &tool.input else { return Ok(Thing::Plain { name, description }) };
    let schema = offer.content.get(path).filter(|bytes| bytes.len() <= LARGEST);
    let schema = schema.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or(Value::Bool(true));
    Ok(Thing::Tool { form: Form::of(&schema), schema: path.clone(), name, description })
}

/// The inputs among the skill's own examples that are for a tool, by name.
fn samples(offer: &Offer, tool: &str) -> Vec<(String, Value)> {
    let only = offer.manifest.tools.len() == 1;
    let sample = |(path, bytes): (&str, &[u8])| {
        let name = path.strip_prefix("examples/")?.strip_suffix(".in.json")?;
        let of_tool = name.strip_prefix(tool).filter(|rest| rest.is_empty() || rest.starts_with('-'));
        let short = of_tool.map(|rest| rest.trim_start_matches('-')).or(only.then_some(name))?;
        let input = serde_json::from_slice(Some(bytes).filter(|bytes| bytes.len() <= LARGEST)?).ok()?;
        Some((if short.is_empty() { name } else { short }.to_owned(), input))
    };
    offer.content.files().filter_map(sample).take(MOST_SAMPLES).collect()
}

/// What is asked for, as it was typed in.
fn ordered(sheet: &Sheet) -> Result<StartRun, Vec<Problem>> {
    let typed = &sheet.typed;
    let mut problems = Vec::new();
    let (entry, input) = match &sheet.thing {
        Thing::Tool { name, form, schema, .. } => {
            let input = checked(sheet, form, schema).unwrap_or_else(|found| {
                problems = found;
                Value::Null
            });
            (Named::Tool(name.clone()), Some(Bytes::from(input.to_string())))
        }
        Thing::Plain { name, .. } => (Named::Tool(name.clone()), plain_input(typed)),
        Thing::Script(path) => (Named::Script(path.clone()), plain_input(typed)),
        Thing::Nothing => (Named::OnlyTool, None),
    };
    let as_declared = match (sheet.asks(), typed.text("grant")) {
        (false, _) | (true, "none") => false,
        (true, "all") => true,
        _ => {
            problems.push((Some(sheet::GRANT), Wrong::Needed));
            false
        }
    };
    let mut grants = |field: &str, at: usize| {
        let read = typed.lines(field).map(|line| line.parse().map_err(|error| format!("{line}: {error}")));
        read.collect::<Result<Vec<_>, _>>().unwrap_or_else(|text| {
            problems.push((Some(at), Wrong::Schema(text)));
            Vec::new()
        })
    };
    let (network, agreed) = (grants("network", sheet::NETWORK), grants("agreed_network", sheet::NETWORK));
    let words = |field: &str| typed.lines(field).map(str::to_owned).collect::<Vec<_>>();
    let says_yes = typed.text("consent") == "yes";
    let consent = Consent {
        network: if says_yes { agreed } else { Vec::new() },
        secrets: if says_yes { words("agreed_secrets") } else { Vec::new() },
        packages: words("packages"),
        remember: match typed.text("remember") {
            "session" => Some(Keep::Session),
            "always" => Some(Keep::Always),
            _ => None,
        },
    };
    let files = typed.files.iter().filter(|file| file.field == sheet::FILES);
    let mut order = StartRun {
        publisher: sheet.publisher.clone(),
        entry,
        arguments: typed.text("arguments").lines().map(str::to_owned).collect(),
        input,
        files: files.map(|file| GivenFile { name: file.name.clone(), bytes: file.bytes.clone() }).collect(),
        as_declared,
        network,
        secrets: words("secrets"),
        consent,
        ..StartRun::default()
    };
    order.id = once(sheet, &order);
    if problems.is_empty() { Ok(order) } else { Err(problems) }
}

/// The input of a tool, if it fits its schema.
fn checked(sheet: &Sheet, form: &Form, schema: &str) -> Result<Value, Vec<Problem>> {
    let input = form.read(&sheet.typed)?;
    // A schema that is none is told of when the run is asked for.
    let problems = Schema::of(&sheet.offer.content, schema).map(|schema| schema.problems(&input)).unwrap_or_default();
    if problems.is_empty() { Ok(input) } else { Err(form.placed(&problems)) }
}

fn plain_input(typed: &Typed) -> Option<Bytes> {
    Some(typed.text("input")).filter(|text| !text.is_empty()).map(|text| Bytes::from(text.to_owned()))
}

/// The id of the run that this page asks for: the same form, sent twice, asks for one run; another input is another run.
fn once(sheet: &Sheet, order: &StartRun) -> Option<RunId> {
    let nonce: RunId = sheet.typed.text("run").parse().ok()?;
    let (made, now) = (nonce.uuid().get_timestamp()?, sheet.nonce.uuid().get_timestamp()?);
    // An id tells when it was made: one of another day was not made by this page.
    if made.to_unix().0.abs_diff(now.to_unix().0) > 86_400 {
        return None;
    }
    let files: Vec<_> = order.files.iter().map(|file| (&file.name, Digest::of(&file.bytes))).collect();
    let input = order.input.as_deref().map(Digest::of);
    let skill = sheet.offer.found.reference().to_string();
    let rest = StartRun { files: Vec::new(), input: None, ..order.clone() };
    let all = Digest::of(format!("{nonce} {skill} {input:?} {files:?} {rest:?}").as_bytes());
    let mut bytes = *nonce.uuid().as_bytes();
    for (place, byte) in bytes.iter_mut().zip(all.as_bytes()).skip(8) {
        *place = *byte;
    }
    Some(RunId::from(uuid::Builder::from_bytes(bytes).with_variant(uuid::Variant::RFC4122).into_uuid()))
}

/// Puts what the hub says against a run where it belongs on the page.
///
/// # Errors
/// What has nothing to do with what was typed in.
fn refuse(sheet: &mut Sheet, error: Error) -> Result<(), Failure> {
    match error {
        Error::Consent { missing } => sheet.missing = missing,
        Error::Run(kontor_runs::Error::Input { problems, .. }) => {
            if let Thing::Tool { form, .. } = &sheet.thing {
                sheet.problems = form.placed(&problems);
            }
        }
        error => {
            let failure = hidden(error);
            if failure.status().is_server_error() || failure.status() == StatusCode::NOT_FOUND {
                return Err(failure);
            }
            let hint = failure.hinted().map(|hint| format!("; {hint}")).unwrap_or_default();
            sheet.refused = Some(format!("{}{hint}", failure.problem().detail));
        }
    }
    Ok(())
}
