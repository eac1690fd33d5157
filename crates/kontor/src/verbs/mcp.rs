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
use tokio::sync::mpsc::channel;
use tokio::task::{AbortHandle, JoinSet};

use crate::exit::Exit;
use crate::session::Session;
use crate::terminal::{Terminal, plain};
use lines::{Line, next_line};
use message::{Incoming, failure};

/// Messages that are passed on at once.
const AT_ONCE: usize = 16;
/// Messages that are held at once; those above [`AT_ONCE`] wait, and can be taken back meanwhile.
const WAITING: usize = 256;
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
        bridge.begin(incoming, &mut work, &room, &out);
        while work.len() >= WAITING {
            work.join_next().await;
        }
    }
    let finished = tokio::time::timeout(LAST, async { while work.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        bridge.terminal.warn("the client went before the hub answered everything");
    }
    Ok(())
}

impl Bridge {
    /// Begins to pass a message on; it can be taken back as soon as this returns.
    fn begin<W>(
        self: &Arc<Self>,
        incoming: Incoming,
        work: &mut JoinSet<()>,
        room: &Arc<Semaphore>,
        out: &Arc<tokio::sync::Mutex<W>>,
    ) where
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (key, passing, turn, target) = (incoming.key(), Arc::clone(self), Arc::clone(room), Arc::clone(out));
        // Whoever ends looks for its handle in this list, and must find it there.
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = work.spawn(async move {
            // What cannot be written is read by nobody: the loop ends with its input.
            let _ = passing.answered(&incoming, &turn, &target).await;
            if let Some(key) = incoming.key() {
                passing.take(&key);
            }
        });
        if let Some(key) = key {
            under_way.insert(key, handle);
        }
    }

    fn take(&self, key: &str) -> Option<AbortHandle> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    /// Passes one message on when it is its turn, and writes down each answer as it comes.
    async fn answered<W: AsyncWrite + Unpin>(
        &self,
        incoming: &Incoming,
        turn: &Semaphore,
        out: &tokio::sync::Mutex<W>,
    ) -> std::io::Result<()> {
        let Ok(_turn) = turn.acquire().await else { return Ok(()) };
        let agreed = self.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let message = AgentMessage {
            body: incoming.body(),
            headers: incoming.headers(agreed.as_deref()),
            tools: self.tools.clone(),
        };
        let (sender, mut answers) = channel(1);
        let mut told = false;
        let passing = async {
            let passed = self.client.pass_on(message, &sender).await;
            drop(sender);
            passed
        };
        let writing = async {
            while let Some(answer) = answers.recv().await {
                if let Some(answer) = self.read(incoming, &answer) {
                    told = true;
                    put(out, &answer).await?;
                }
            }
            Ok::<(), std::io::Error>(())
        };
        let (passed, written) = tokio::join!(passing, writing);
        written?;
        match passed {
            Err(error) => match self.unanswered(incoming, &error) {
                Some(answer) => put(out, &answer).await,
                None => Ok(()),
            },
            Ok(status) if status >= 300 && !told && !incoming.id().is_null() => {
                let text = format!("{} answered with status {status} and no message", self.registry);
                put(out, &failure(Some(incoming.id()), message::INTERNAL_ERROR, &text, "unavailable")).await
            }
            Ok(_) => Ok(()),
        }
    }

    /// A message of the hub as the client gets it; `None` for what is none.
    fn read(&self, incoming: &Incoming, answer: &[u8]) -> Option<Value> {
        let mut answer = serde_json::from_slice::<Value>(answer).ok().filter(Value::is_object)?;
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
        (!answer["id"].is_null() || answer.get("method").is_some()).then_some(answer)
    }

    /// Why there is no answer; nothing for what waits for none.
    fn unanswered(&self, incoming: &Incoming, error: &Error) -> Option<Value> {
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        let text = format!("{error}{hint}");
        self.terminal.warn(&plain(&text));
        let asked = !incoming.id().is_null();
        asked.then(|| failure(Some(incoming.id()), message::INTERNAL_ERROR, &text, "unreachable"))
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
