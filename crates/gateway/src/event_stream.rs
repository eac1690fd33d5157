//! Server-sent events on their way from an upstream to a caller, almost as they come.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use crate::class::Class;
use crate::dispatch::{Failed, said};
use crate::gateway::Ticket;
use crate::request::Asked;
use crate::table::Upstream;
use crate::{Usage, price};

/// The largest event.
const LARGEST: usize = 4 * 1024 * 1024;
/// How a stream ends.
const DONE: &str = "data: [DONE]\n\n";

/// An answer in events. What it took is metered when it ends, or when it is dropped.
pub struct EventStream {
    upstream: Arc<Upstream>,
    body: Incoming,
    /// What came and is not a whole event yet.
    buffer: BytesMut,
    /// What goes to the caller next.
    ready: BytesMut,
    tally: Tally,
    ticket: Option<Ticket>,
    about_prompt: u64,
    deadline: Instant,
    over: bool,
    _slot: OwnedSemaphorePermit,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventStream").field("upstream", &self.upstream.name).finish_non_exhaustive()
    }
}

/// What was seen of a stream.
#[derive(Debug, Default)]
struct Tally {
    wants_usage: bool,
    /// The first chunk's id and time, for a chunk that we add.
    id: Option<String>,
    created: Option<String>,
    model: Option<String>,
    chunks: u64,
    about: u64,
    usage: Option<Usage>,
    finished: bool,
    done: bool,
    error: Option<Bytes>,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    created: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
}

impl EventStream {
    pub(crate) fn new(
        upstream: &Arc<Upstream>,
        asked: &Asked,
        body: Incoming,
        (slot, deadline): (OwnedSemaphorePermit, Instant),
    ) -> Self {
        Self {
            upstream: Arc::clone(upstream),
            body,
            buffer: BytesMut::new(),
            ready: BytesMut::new(),
            tally: Tally { wants_usage: asked.wants_usage, ..Tally::default() },
            ticket: None,
            about_prompt: asked.about_prompt(),
            deadline,
            over: false,
            _slot: slot,
        }
    }

    /// Who answers.
    pub fn upstream(&self) -> &Arc<str> {
        &self.upstream.name
    }

    /// Waits for the first event; until then another upstream can be asked.
    pub(crate) async fn begin(&mut self) -> Result<(), Failed> {
        while self.tally.chunks == 0 && !self.tally.done {
            if let Some(error) = self.tally.error.take() {
                return Err(said(&self.upstream, 200, &error, None));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.take_in(&frame.into_data().unwrap_or_default())?,
                Some(Err(_)) => return Err(Failed::over(Class::RetrySame, "the connection broke before an event")),
                None => return Err(Failed::over(Class::RetrySame, "the stream ended before an event")),
            }
        }
        Ok(())
    }

    /// Takes over what the call has taken from budgets.
    pub(crate) fn hold(&mut self, ticket: Option<Ticket>) {
        self.ticket = ticket;
    }

    /// The next bytes for the caller; none when the stream is over.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.ready.is_empty() {
                return Some(self.ready.split().freeze());
            }
            if self.over {
                return None;
            }
            if self.tally.done || self.tally.error.is_some() {
                self.end(None);
                continue;
            }
            let patience = self.upstream.provider.between.min(self.deadline.saturating_duration_since(Instant::now()));
            match timeout(patience, self.body.frame()).await {
                Err(_) => self.end(Some("the provider stopped in the middle of its answer")),
                Ok(None) if self.tally.finished => self.end(None),
                Ok(None | Some(Err(_))) => self.end(Some("the connection to the provider broke within its answer")),
                Ok(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    if self.take_in(&data).is_err() {
                        self.end(Some("the provider sent an event that is larger than any should be"));
                    }
                }
            }
        }
    }

    /// Reads the events of what came, and makes those ready that the caller gets.
    fn take_in(&mut self, data: &[u8]) -> Result<(), Failed> {
        if self.buffer.is_empty() {
            let rest = sort(data, &mut self.tally, &mut self.ready);
            self.buffer.extend_from_slice(data.get(rest..).unwrap_or_default());
        } else {
            self.buffer.extend_from_slice(data);
            let whole = self.buffer.split();
            let rest = sort(&whole, &mut self.tally, &mut self.ready);
            self.buffer.extend_from_slice(whole.get(rest..).unwrap_or_default());
        }
        if self.buffer.len() > LARGEST {
            return Err(Failed::over(Class::FailOver, "an event is larger than any should be"));
        }
        Ok(())
    }

    /// Ends the stream for the caller, with an error when it broke.
    fn end(&mut self, broke: Option<&str>) {
        self.over = true;
        let failed = broke.is_some() || self.tally.error.is_some();
        if let Some(reason) = broke {
            tracing::warn!(upstream = %self.upstream.name, reason, "a stream broke");
            self.upstream.circuit.failed();
            let error = serde_json::json!({ "message": reason, "type": "server_error", "param": null, "code": "upstream_failed" });
            let _ = write!(self.ready, "data: {}\n\n", serde_json::json!({ "error": error }));
        }
        let usage = self.usage();
        if !failed {
            if self.tally.wants_usage && usage.estimated {
                self.tell_usage(&usage);
            }
            self.ready.extend_from_slice(DONE.as_bytes());
        }
        if let Some(ticket) = self.ticket.take() {
            ticket.finish(&usage);
        }
    }

    /// What it took so far: as the upstream said, or counted.
    fn usage(&self) -> Usage {
        self.tally.usage.unwrap_or_else(|| Usage {
            prompt: self.about_prompt,
            cached: 0,
            completion: self.tally.about.max(self.tally.chunks),
            estimated: true,
        })
    }

    /// A chunk with the use that we counted ourselves, for a caller that asked for it.
    fn tell_usage(&mut self, usage: &Usage) {
        let raw = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".to_owned());
        let (id, created, model) = (raw(&self.tally.id), raw(&self.tally.created), raw(&self.tally.model));
        let total = usage.prompt.saturating_add(usage.completion);
        let _ = write!(
            self.ready,
            "data: {{\"id\":{id},\"object\":\"chat.completion.chunk\",\"created\":{created},\"model\":{model},\"choices\":[],\
             \"usage\":{{\"prompt_tokens\":{},\"completion_tokens\":{},\"total_tokens\":{total},\"estimated\":true}}}}\n\n",
            usage.prompt, usage.completion
        );
    }
}

impl Drop for EventStream {
    /// The caller left: what came until now is what it took, as far as anybody knows.
    fn drop(&mut self) {
        let usage = self.usage();
        if let Some(ticket) = self.ticket.take() {
            ticket.finish(&usage);
        }
    }
}

/// Goes through whole events; where the rest begins.
fn sort(data: &[u8], tally: &mut Tally, ready: &mut BytesMut) -> usize {
    // Events in a row that are kept are copied at once.
    let (mut kept, mut at) = (0, 0);
    while let Some(length) = event_length(data.get(at..).unwrap_or_default()) {
        let event = data.get(at..at + length).unwrap_or_default();
        if !tally.keeps(event) {
            ready.extend_from_slice(data.get(kept..at).unwrap_or_default());
            kept = at + length;
        }
        at += length;
    }
    ready.extend_from_slice(data.get(kept..at).unwrap_or_default());
    at
}

/// The length of the first event with the blank line after it, if it is whole.
fn event_length(data: &[u8]) -> Option<usize> {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', data) {
        let line = data.get(start..end)?;
        if line.is_empty() || line == b"\r" {
            return Some(end + 1);
        }
        start = end + 1;
    }
    None
}

impl Tally {
    /// Reads an event; whether the caller gets it.
    fn keeps(&mut self, event: &[u8]) -> bool {
        let mut payload: Option<std::borrow::Cow<'_, [u8]>> = None;
        for line in event.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some(data) = line.strip_prefix(b"data:") else { continue };
            let data = data.strip_prefix(b" ").unwrap_or(data);
            match &mut payload {
                None => payload = Some(data.into()),
                Some(before) => {
                    before.to_mut().push(b'\n');
                    before.to_mut().extend_from_slice(data);
                }
            }
        }
        // Comments keep connections alive, the caller's too; stray blank lines do nothing.
        let Some(payload) = payload else { return event.starts_with(b":") };
        if payload.trim_ascii() == b"[DONE]" {
            self.done = true;
            return false;
        }
        if self.done || self.error.is_some() {
            return false;
        }
        self.chunk(&payload)
    }

    fn chunk(&mut self, payload: &[u8]) -> bool {
        let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(payload) else {
            self.chunks += 1;
            return true;
        };
        if chunk.error.is_some_and(|error| error.get() != "null") {
            self.error = Some(Bytes::copy_from_slice(payload));
            return self.chunks > 0;
        }
        if self.id.is_none() {
            let text = |raw: Option<&RawValue>| raw.map(|raw| raw.get().to_owned());
            (self.id, self.created, self.model) = (text(chunk.id), text(chunk.created), text(chunk.model));
        }
        self.usage = chunk.usage.and_then(Usage::read).or(self.usage);
        let choices = chunk.choices.unwrap_or_default();
        if choices.is_empty() && chunk.usage.is_some_and(|usage| usage.get() != "null") {
            return self.wants_usage;
        }
        self.chunks += 1;
        for choice in &choices {
            self.finished |= choice.finish_reason.is_some_and(|reason| reason.get() != "null");
            let Some(delta) = &choice.delta else { continue };
            for text in [delta.content, delta.reasoning_content, delta.tool_calls].into_iter().flatten() {
                if text.get() != "null" && text.get() != "\"\"" {
                    self.about += price::about(text.get().trim_matches('"'));
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{Tally, sort};

    const STREAM: &str = ": hello\n\n\n\ndata: {\"id\":\"a\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\r\n\r\ndata:{\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";

    proptest! {
        #[test]
        fn a_stream_is_the_same_however_it_is_cut(cuts in proptest::collection::vec(0..STREAM.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let (mut tally, mut ready, mut waiting, mut from) = (Tally::default(), BytesMut::new(), Vec::new(), 0);
            for to in cuts.into_iter().chain([STREAM.len()]) {
                waiting.extend_from_slice(&STREAM.as_bytes()[from..to]);
                let rest = sort(&waiting, &mut tally, &mut ready);
                waiting.drain(..rest);
                from = to;
            }
            let text = String::from_utf8_lossy(&ready).into_owned();
            prop_assert!(waiting.is_empty() && tally.done && tally.finished);
            prop_assert_eq!(tally.usage.map(|usage| (usage.prompt, usage.completion)), Some((3, 2)));
            prop_assert!(text.starts_with(": hello\n\n") && text.contains("\"hi\"") && !text.contains("usage"));
        }

        #[test]
        fn no_bytes_make_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = sort(&bytes, &mut Tally::default(), &mut BytesMut::new());
        }
    }
}
