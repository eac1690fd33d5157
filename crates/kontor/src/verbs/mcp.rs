//! `kontor mcp`: an agent's client speaks to a hub through standard input and output.
//!
//! Each line is a message; it is passed on to the hub as it is, with the token of the login file, and what the hub answers
//! is a line again. So the tools are the hub's, and no client's settings hold a token. Nothing but messages goes to standard
//! output.

mod lines;
mod message;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kontor_client::{AgentMessage, Client, Error};
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

use crate::exit::Exit;
use crate::session::Session;
use crate::terminal::{Terminal, plain};
use lines::{Line, next_line};
use message::{Incoming, failure};

/// Messages that are passed on at once.
const AT_ONCE: usize = 16;
/// After the client has gone, for what is still under way.
const LAST: Duration = Duration::from_secs(10);

/// Serve the hub to an agent's client on standard input and output
///
/// It is what `kontor connect` writes into a client's settings: an MCP server whose tools are those of the hub, asked with
/// the token of `kontor login`. Everything but messages goes to standard error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The only tools that the client may use, separated by commas; all of the hub's unless told
    #[arg(long, value_name = "NAMES")]
    tools: Option<String>,
}

/// Passes messages on until the client goes.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let bridge = Bridge {
        client: session.client()?,
        registry: session.registry()?,
        tools: args.tools,
        version: Mutex::default(),
        under_way: Mutex::default(),
        terminal: session.terminal.clone(),
    };
    serve(Arc::new(bridge), BufReader::new(tokio::io::stdin()), tokio::io::stdout()).await?;
    Ok(Exit::Done)
}

/// What stands between a client and a hub.
struct Bridge {
    client: Client,
    registry: String,
    tools: Option<String>,
    /// The revision that client and hub agreed on when they met.
    version: Mutex<Option<String>>,
    /// Requests without an answer yet, by their id.
    under_way: Mutex<HashMap<String, AbortHandle>>,
    terminal: Terminal,
}

async fn serve<R, W>(bridge: Arc<Bridge>, mut reader: R, writer: W) -> std::io::Result<()>
where
    R: AsyncBufRead + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let out = Arc::new(tokio::sync::Mutex::new(writer));
    let (room, mut work) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    while let Some(line) = next_line(&mut reader).await? {
        while work.try_join_next().is_some() {}
        let line = match line {
            Line::Whole(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Line::Whole(line) => line,
            Line::TooLong => {
                put(&out, &failure(None, message::INVALID_REQUEST, "the message is too long", "too_large")).await?;
                continue;
            }
        };
        let Some(incoming) = Incoming::read(&line) else {
            put(
                &out,
                &failure(None, message::PARSE_ERROR, "the line is not one message of JSON-RPC", "invalid_request"),
            )
            .await?;
            continue;
        };
        if let Some(cancelled) = incoming.cancels() {
            // The hub keeps nothing between messages: a request ends when nobody waits for its answer.
            bridge.take(&cancelled).inspect(AbortHandle::abort);
            continue;
        }
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let (key, passing, target) = (incoming.key(), Arc::clone(&bridge), Arc::clone(&out));
        let handle = work.spawn(async move {
            let answers = passing.pass_on(&incoming).await;
            if let Some(key) = incoming.key() {
                passing.take(&key);
            }
            for answer in answers {
                if put(&target, &answer).await.is_err() {
                    break;
                }
            }
            drop(permit);
        });
        if let Some(key) = key.filter(|_| !handle.is_finished()) {
            bridge.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(key, handle);
        }
    }
    let finished = tokio::time::timeout(LAST, async { while work.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        bridge.terminal.warn("the client went before the hub answered everything");
    }
    Ok(())
}

impl Bridge {
    fn take(&self, key: &str) -> Option<AbortHandle> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    /// Sends one message to the hub; what it answers, or why it did not.
    async fn pass_on(&self, incoming: &Incoming) -> Vec<Value> {
        let agreed = self.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let message = AgentMessage {
            body: incoming.body(),
            headers: incoming.headers(agreed.as_deref()),
            tools: self.tools.clone(),
        };
        let answer = match self.client.pass_on(message).await {
            Ok(answer) => answer,
            Err(error) => return self.unanswered(incoming, &error),
        };
        let read = |message: &Vec<u8>| serde_json::from_slice::<Value>(message).ok().filter(Value::is_object);
        let mut answers: Vec<Value> = answer.messages.iter().filter_map(read).collect();
        if answers.is_empty() && answer.status >= 300 {
            let text = format!("{} answered with status {} and no message", self.registry, answer.status);
            answers.push(failure(None, message::INTERNAL_ERROR, &text, "unavailable"));
        }
        for answer in &mut answers {
            // What the hub refused before it read the message names no request.
            if answer.get("error").is_some() && answer.get("id").is_none() {
                self.terminal.warn(&plain(answer["error"]["message"].as_str().unwrap_or_default()));
                answer["id"] = incoming.id().clone();
            }
            if incoming.is("initialize")
                && let Some(version) = answer["result"]["protocolVersion"].as_str()
            {
                *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(version.to_owned());
            }
        }
        answers.retain(|answer| !answer["id"].is_null() || answer.get("method").is_some());
        answers
    }

    fn unanswered(&self, incoming: &Incoming, error: &Error) -> Vec<Value> {
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        let text = format!("{error}{hint}");
        self.terminal.warn(&plain(&text));
        if incoming.id().is_null() {
            return Vec::new();
        }
        vec![failure(Some(incoming.id()), message::INTERNAL_ERROR, &text, "unreachable")]
    }
}

/// Writes one message and a line end.
async fn put<W: AsyncWrite + Unpin>(out: &tokio::sync::Mutex<W>, message: &Value) -> std::io::Result<()> {
    let mut line = json!(message).to_string();
    line.push('\n');
    let mut out = out.lock().await;
    out.write_all(line.as_bytes()).await?;
    out.flush().await
}
