//! `kontor run --on hub`: the run is done by the hub's workers, and followed from here.

use std::io::Write as _;
use std::path::{Component, Path};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kontor_client::{Client, Error, RunEvent};
use kontor_runs::{Stream, Watch as _};
use kontor_types::{Code, RunId, SkillRef};
use kontor_wire::{NewRun, NewRunFile, Remember, Run, RunConsent, RunDetail, RunState};

use super::show::Live;
use super::{Args, HowLong, Places, read_input};
use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::terminal::plain;
use crate::verbs::sandbox::Held;

/// How long to wait before a stream that broke off is asked for again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a stream may break off without news.
const BREAKS: u32 = 30;

/// Starts a run on the hub, and follows it to its end.
pub async fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    for (given, flag) in [
        (args.accept_findings, "--accept-findings"),
        (args.accept_weaker, "--accept-weaker"),
        (args.tier != Held::Full, "--tier"),
        (args.install_scripts, "--install-scripts"),
        (args.forget, "--forget"),
        (args.no_verify, "--no-verify"),
    ] {
        if given {
            return Err(UsageError(format!("{flag} is for runs on this machine: leave it out with --on hub")).into());
        }
    }
    args.target.parse::<SkillRef>().map_err(|error| {
        UsageError(format!("the hub runs skills that it has, by name: {error}; publish a folder first"))
    })?;
    let client = session.client()?;
    let mut order = order(args)?;
    let run = match client.start_run(&order).await {
        Err(Error::Problem(problem)) if problem.code == Code::ConsentRequired => {
            session.terminal.tell(&plain(&problem.detail));
            let remember = consent(args, session)?;
            order.consent = RunConsent {
                network: order.network.clone(),
                secrets: order.secrets.clone(),
                packages: Vec::new(),
                remember,
            };
            client.start_run(&order).await?
        }
        answered => answered?,
    };
    if args.detach {
        if session.terminal.json {
            session.terminal.json(&run);
        } else {
            session.terminal.data(&run.id.to_string());
            session.terminal.note(&format!("`kontor runs log {}` follows it", run.id));
        }
        return Ok(Exit::Done);
    }
    let ended = follow(&client, run.id, session, true).await?;
    finish(&client, &ended, args.out.as_deref(), args.receipt.as_deref(), session).await
}

fn order(args: &Args) -> anyhow::Result<NewRun> {
    let words = args.arguments.iter().map(|word| {
        word.to_str().map(str::to_owned).ok_or_else(|| UsageError("an argument is no UTF-8 text".to_owned()))
    });
    let mut files = Vec::new();
    for path in &args.file {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| UsageError(format!("{} has no plain name", path.display())))?;
        let bytes = std::fs::read(path).map_err(|error| Error::io("read", path, error))?;
        files.push(NewRunFile { name: name.to_owned(), bytes: STANDARD.encode(bytes) });
    }
    let given = args.input.as_deref().map(read_input).transpose()?;
    Ok(NewRun {
        skill: args.target.clone(),
        publisher: args.publisher.clone(),
        tool: args.tool.clone(),
        script: args.script.clone(),
        arguments: words.collect::<Result<_, _>>()?,
        input_bytes: given.map(|bytes| STANDARD.encode(bytes)),
        files,
        as_declared: !args.no_network,
        network: args.allow_net.iter().map(ToString::to_string).collect(),
        secrets: args.secret.clone(),
        wall: args.wall.map(|wall| wall.to_string()),
        memory: args.memory.map(|memory| memory.to_string()),
        ..NewRun::default()
    })
}

/// Whether what is missing is granted all the same, and for how long the hub remembers that.
fn consent(args: &Args, session: &Session) -> anyhow::Result<Option<Remember>> {
    if args.yes {
        return Ok(match args.holds {
            None | Some(HowLong::Once) => None,
            Some(HowLong::Session) => Some(Remember::Session),
            Some(HowLong::Always) => Some(Remember::Always),
        });
    }
    let question = "Grant what you named on the command line all the same: [o]nce, for this [s]ession of eight hours, [a]lways \
                    for this version, or [N]ot?";
    let Some(answer) = session.terminal.answer(question) else {
        let hint = "read what it says above and add --yes, or run it on a terminal";
        return Err(Error::refused("it was not confirmed yet, and nobody is here to ask", hint).into());
    };
    match answer.to_lowercase().as_str() {
        "o" | "once" | "y" | "yes" | "j" | "ja" | "是" | "一次" => Ok(None),
        "s" | "session" | "会话" => Ok(Some(Remember::Session)),
        "a" | "always" | "总是" => Ok(Some(Remember::Always)),
        _ => Err(Error::refused("you did not confirm it, so nothing was run", "nothing was changed").into()),
    }
}

/// Shows what a run says until it is over. With `owned`, an interrupt ends the run, and a second one this command.
pub async fn follow(client: &Client, id: RunId, session: &Session, owned: bool) -> anyhow::Result<Run> {
    let live = Live::new(session, false);
    let (mut last, mut breaks, mut cancelled) = (0, 0, false);
    loop {
        let (before, mut ended) = (last, None);
        let told = |event: RunEvent| {
            last = event.number.unwrap_or(last);
            show(&event, &live, session);
            if event.kind == "result" {
                ended = serde_json::from_value::<Run>(event.data).ok();
            }
        };
        let outcome = tokio::select! {
            outcome = client.follow_run(id, before, told) => Some(outcome),
            _ = tokio::signal::ctrl_c(), if owned && !cancelled => None,
        };
        match outcome {
            None => {
                cancelled = true;
                session.terminal.note("cancelling; press Ctrl-C again to leave it to the hub");
                client.cancel_run(id).await?;
                continue;
            }
            Some(Err(error @ Error::Problem(_))) => return Err(error.into()),
            Some(_) => {}
        }
        if let Some(run) = ended {
            return Ok(run);
        }
        breaks = if last > before { 0 } else { breaks + 1 };
        if breaks > BREAKS {
            let hint = "the run goes on; `kontor runs log` follows it again";
            return Err(Error::refused(format!("the hub tells nothing more of the run {id}"), hint).into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn show(event: &RunEvent, live: &Live, session: &Session) {
    let text = event.data.get("text").and_then(|text| text.as_str());
    match (event.kind.as_str(), text) {
        ("stdout", Some(text)) => live.said(Stream::Stdout, text.as_bytes()),
        ("stderr", Some(text)) => live.said(Stream::Stderr, text.as_bytes()),
        ("note", Some(text)) => session.terminal.note(&plain(text)),
        _ => {}
    }
}

/// Fetches what a run has left, keeps its receipt, and says how it ended.
pub async fn finish(
    client: &Client,
    run: &Run,
    out: Option<&Path>,
    copy: Option<&Path>,
    session: &Session,
) -> anyhow::Result<Exit> {
    let detail = client.run(run.id).await?;
    if let Some(out) = out {
        fetch(client, &detail, out).await?;
    }
    if detail.run.receipt {
        keep(client, &detail, copy, session).await?;
    }
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&detail);
    } else {
        if let Some(error) = &detail.run.error {
            terminal.warn(&plain(error));
        }
        match (out, detail.outputs.len()) {
            (None, _) => {}
            (Some(_), 0) => terminal.note("it left no files"),
            (Some(out), files) => {
                let counted = crate::amounts::count(files as u64, "file");
                terminal.note(&format!("{counted} in {}", plain(&out.display().to_string())));
            }
        }
        if detail.run.receipt {
            terminal.note(&format!("receipt {}; `kontor explain {}` tells what happened", run.id, run.id));
        }
    }
    Ok(if detail.run.state == RunState::Finished { Exit::Done } else { Exit::ProgramFailed })
}

/// Writes the files of a run below a folder. Their names come from a foreign program: none leads out of it.
pub async fn fetch(client: &Client, detail: &RunDetail, out: &Path) -> anyhow::Result<()> {
    for file in &detail.outputs {
        let path = Path::new(&file.path);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            let message = format!("the run has a file `{}`, which leads out of the folder", plain(&file.path));
            return Err(Error::refused(message, "nothing more was written").into());
        }
        let bytes = client.run_output(detail.run.id, file).await?;
        if kontor_types::Digest::of(&bytes) != file.digest {
            let message = format!("the bytes of `{}` are not those that the hub promised", plain(&file.path));
            return Err(Error::refused(message, "ask again; if it stays so, ask the hub's operator").into());
        }
        let target = out.join(path);
        let parent = target.parent().unwrap_or(out);
        std::fs::create_dir_all(parent).map_err(|error| Error::io("make", parent, error))?;
        // A name that is taken is never written through: it may be a link.
        let mut draft = tempfile::NamedTempFile::new_in(parent).map_err(|error| Error::io("write", &target, error))?;
        draft.write_all(&bytes).map_err(|error| Error::io("write", &target, error))?;
        draft.persist(&target).map_err(|error| Error::io("write", &target, error.error))?;
    }
    Ok(())
}

/// Keeps the receipt with what opens its digests, beside those of runs on this machine.
async fn keep(client: &Client, detail: &RunDetail, copy: Option<&Path>, session: &Session) -> anyhow::Result<()> {
    let bytes = client.run_receipt(detail.run.id).await?;
    // The hub's keys are known from now on, so that the receipt can be checked without it.
    crate::watch::meet(client, session).await?;
    let runs = Places::own()?.runs()?;
    runs.write(&format!("{}.receipt.json", detail.run.id), &bytes)?;
    if let Some(salts) = &detail.salts {
        runs.write(&format!("{}.salts.json", detail.run.id), &serde_json::to_vec(salts)?)?;
    }
    if let Some(copy) = copy {
        std::fs::write(copy, &bytes).map_err(|error| Error::io("write", copy, error))?;
    }
    Ok(())
}
