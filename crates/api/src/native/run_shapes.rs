//! Runs as JSON, and JSON as what is asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kontor_dispatch::{Came, Consent, GivenFile, Named, StartRun};
use kontor_registry::Keep;
use kontor_types::{Code, SkillRef};
use kontor_wire as wire;

use crate::Failure;

/// What a request asks for.
pub fn order(new: &wire::NewRun) -> Result<(SkillRef, StartRun), Failure> {
    let skill: SkillRef =
        new.skill.parse().map_err(|error| Failure::new(Code::InvalidName, format!("`skill` is no name: {error}")))?;
    let entry = match (&new.tool, &new.script) {
        (Some(_), Some(_)) => return Err(Failure::invalid("name a tool or a script, not both")),
        (Some(tool), None) => Named::Tool(tool.clone()),
        (None, Some(script)) => Named::Script(script.clone()),
        (None, None) => Named::OnlyTool,
    };
    let input = match (&new.input, &new.input_bytes) {
        (Some(_), Some(_)) => return Err(Failure::invalid("give `input` or `input_bytes`, not both")),
        (Some(json), None) => Some(Bytes::from(json.to_string())),
        (None, Some(text)) => Some(bytes("input_bytes", text)?),
        (None, None) => None,
    };
    let file = |file: &wire::NewRunFile| {
        Ok::<_, Failure>(GivenFile { name: file.name.clone(), bytes: bytes("the bytes of a file", &file.bytes)? })
    };
    let start = StartRun {
        id: None,
        publisher: new.publisher.clone(),
        entry,
        arguments: new.arguments.clone(),
        input,
        files: new.files.iter().map(file).collect::<Result<_, _>>()?,
        as_declared: new.as_declared,
        network: grants(&new.network)?,
        secrets: new.secrets.clone(),
        wall: new.wall.as_deref().map(|text| read("wall", text)).transpose()?,
        memory: new.memory.as_deref().map(|text| read("memory", text)).transpose()?,
        consent: Consent {
            network: grants(&new.consent.network)?,
            secrets: new.consent.secrets.clone(),
            packages: new.consent.packages.clone(),
            remember: new.consent.remember.map(|remember| match remember {
                wire::Remember::Session => Keep::Session,
                wire::Remember::Always => Keep::Always,
            }),
        },
    };
    Ok((skill, start))
}

fn bytes(what: &str, text: &str) -> Result<Bytes, Failure> {
    let read = STANDARD.decode(text).map_err(|_| Failure::invalid(format!("{what} must be Base64 with padding")))?;
    Ok(read.into())
}

fn grants<T: std::str::FromStr<Err: std::fmt::Display>>(texts: &[String]) -> Result<Vec<T>, Failure> {
    texts.iter().map(|text| read("network", text)).collect()
}

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(what: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error| Failure::invalid(format!("`{what}`: {error}")))
}

/// A run.
pub fn run(run: kontor_dispatch::Run) -> Result<wire::Run, Failure> {
    let broken = |what: &str| Failure::new(Code::Internal, format!("the row of the run has no {what}"));
    let reference = run.skill.parse().map_err(|_| broken("name of a skill"))?;
    let granted = run.asked.get("granted").cloned().unwrap_or_default();
    let granted: wire::RunGrants = serde_json::from_value(granted).map_err(|_| broken("grants"))?;
    let came = run.result.and_then(|result| serde_json::from_value::<Came>(result).ok());
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let (outcome, code, signal, answer, problems) = match came {
        Some(came) => (Some(came.outcome), came.code, came.signal, came.answer, came.problems),
        None => (None, None, None, None, Vec::new()),
    };
    Ok(wire::Run {
        id: run.id,
        reference,
        digest: run.digest,
        entry: run.entry,
        publisher: run.publisher,
        person: run.person,
        state: state(run.state),
        attempts: count(run.attempt),
        executions: count(run.executions),
        granted,
        created_at: run.created_at,
        started_at: run.started_at,
        cancel_at: run.cancel_at,
        ended_at: run.ended_at,
        outcome,
        code,
        signal,
        answer,
        problems,
        error_code: run.error_code,
        error: run.error,
        retry_of: run.retry_of,
        receipt: run.receipt.is_some(),
        keep_until: run.keep_until,
        forgotten_at: run.forgotten_at,
    })
}

/// Files of a run.
pub fn files(files: Vec<kontor_dispatch::RunFile>) -> Vec<wire::RunFile> {
    let file = |file: kontor_dispatch::RunFile| wire::RunFile { path: file.path, size: file.size, digest: file.digest };
    files.into_iter().map(file).collect()
}

const fn state(state: kontor_dispatch::RunState) -> wire::RunState {
    use kontor_dispatch::RunState as Row;
    match state {
        Row::Queued => wire::RunState::Queued,
        Row::Preparing => wire::RunState::Preparing,
        Row::Running => wire::RunState::Running,
        Row::Finished => wire::RunState::Finished,
        Row::Failed => wire::RunState::Failed,
        Row::Cancelled => wire::RunState::Cancelled,
        Row::Lost => wire::RunState::Lost,
    }
}

/// The state that a request names.
pub const fn asked_state(state: wire::RunState) -> kontor_dispatch::RunState {
    use kontor_dispatch::RunState as Row;
    match state {
        wire::RunState::Queued => Row::Queued,
        wire::RunState::Preparing => Row::Preparing,
        wire::RunState::Running => Row::Running,
        wire::RunState::Finished => Row::Finished,
        wire::RunState::Failed => Row::Failed,
        wire::RunState::Cancelled => Row::Cancelled,
        wire::RunState::Lost => Row::Lost,
    }
}
