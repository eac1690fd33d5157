//! Runs on the hub: starting, following, collecting.

use futures::StreamExt as _;
use kontor_types::RunId;
use kontor_wire as wire;
use reqwest::Method;
use serde_json::Value;

use crate::api::{API, Client};
use crate::error::Error;
use crate::transport::Request;

/// The largest event that is read.
const MOST_EVENT: usize = 4 << 20;
/// The largest receipt.
const MOST_RECEIPT: u64 = 8 << 20;

/// Something that happened in a run, or an entry of a workflow's journal.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEvent {
    /// Its number; nothing for the last one, which is the run itself.
    pub number: Option<u64>,
    /// `state`, `stdout`, `stderr`, `note`, or `result`; for a workflow the kind of the entry.
    pub kind: String,
    /// What it tells.
    pub data: Value,
}

impl Client {
    /// Starts a run.
    pub async fn start_run(&self, run: &wire::NewRun) -> Result<wire::Run, Error> {
        self.transport.json(Request::new(Method::POST, &[API, "runs"]).json(run)?).await
    }

    /// Runs that the caller may see, the newest first.
    pub async fn runs(&self, query: &wire::RunQuery) -> Result<wire::RunPage, Error> {
        self.transport.json(Request::new(Method::GET, &[API, "runs"]).query(query)?).await
    }

    /// One run with its files.
    pub async fn run(&self, id: RunId) -> Result<wire::RunDetail, Error> {
        self.transport.json(Request::new(Method::GET, &[API, "runs", &id.to_string()])).await
    }

    /// Ends a run.
    pub async fn cancel_run(&self, id: RunId) -> Result<wire::Run, Error> {
        self.transport.json(Request::new(Method::POST, &[API, "runs", &id.to_string(), "cancel"])).await
    }

    /// Does a run again.
    pub async fn retry_run(&self, id: RunId) -> Result<wire::Run, Error> {
        self.transport.json(Request::new(Method::POST, &[API, "runs", &id.to_string(), "retry"])).await
    }

    /// The signed receipt of a run.
    pub async fn run_receipt(&self, id: RunId) -> Result<Vec<u8>, Error> {
        let id = id.to_string();
        self.transport
            .bytes(Request::new(Method::GET, &[API, "runs", &id, "receipt"]), MOST_RECEIPT, "the receipt")
            .await
    }

    /// The proof that the receipt of a run is in the hub's log.
    pub async fn run_proof(&self, id: RunId) -> Result<Vec<u8>, Error> {
        let id = id.to_string();
        // In a proof file the receipt's envelope stands as text, with its signs escaped.
        let most = MOST_RECEIPT.saturating_mul(2);
        self.transport.bytes(Request::new(Method::GET, &[API, "runs", &id, "proof"]), most, "the proof").await
    }

    /// A file that a run left, as large as was announced.
    pub async fn run_output(&self, id: RunId, file: &wire::RunFile) -> Result<Vec<u8>, Error> {
        let id = id.to_string();
        let path = [API, "runs", &id, "outputs", &file.path];
        self.transport.bytes(Request::new(Method::GET, &path), file.size, &file.path).await
    }

    /// What a run said on `stdout` or `stderr`, as far as it was kept.
    pub async fn run_said(&self, id: RunId, file: &wire::RunFile) -> Result<Vec<u8>, Error> {
        let id = id.to_string();
        let path = [API, "runs", &id, "said", &file.path];
        self.transport.bytes(Request::new(Method::GET, &path), file.size, &file.path).await
    }

    /// What happens in a run after event number `after`, handed to `told` as it comes, until the stream ends; tells whether
    /// it ended with the result.
    ///
    /// # Errors
    /// A connection that broke off: what was told until then counts, and the rest can be asked for.
    pub async fn follow_run(&self, id: RunId, after: u64, mut told: impl FnMut(RunEvent)) -> Result<bool, Error> {
        let all = |event| {
            told(event);
            true
        };
        self.follow(&[API, "runs", &id.to_string(), "events"], after, all).await
    }

    /// Follows a stream of events as long as `told` wants more; tells whether it ended with the result.
    pub(crate) async fn follow(
        &self,
        path: &[&str],
        after: u64,
        mut told: impl FnMut(RunEvent) -> bool,
    ) -> Result<bool, Error> {
        let response = self.transport.events(path, after).await?;
        let mut stream = response.bytes_stream();
        let mut held: Vec<u8> = Vec::new();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|source| Error::Transfer { registry: self.registry().to_owned(), source })?;
            held.extend_from_slice(&part);
            while let Some(end) = held.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = held.drain(..end.saturating_add(2)).collect();
                let Some(event) = event(&String::from_utf8_lossy(&block)) else { continue };
                let last = event.kind == "result";
                if !told(event) || last {
                    return Ok(last);
                }
            }
            if held.len() > MOST_EVENT {
                return Err(Error::TooLarge { what: "an event".to_owned(), limit: MOST_EVENT as u64 });
            }
        }
        Ok(false)
    }
}

/// One block of a stream of events; comments are none.
fn event(block: &str) -> Option<RunEvent> {
    let (mut number, mut kind, mut data) = (None, "message".to_owned(), String::new());
    for line in block.lines() {
        let Some((field, value)) = line.split_once(':') else { continue };
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => number = value.parse().ok(),
            "event" => value.clone_into(&mut kind),
            "data" => {
                if !data.is_empty() {
                    data.push('\n');
                }
                data.push_str(value);
            }
            _ => {}
        }
    }
    let data = serde_json::from_str(&data).ok()?;
    Some(RunEvent { number, kind, data })
}

#[cfg(test)]
mod tests {
    use super::event;

    #[test]
    fn blocks_are_events_and_comments_are_none() {
        let read = event("id: 7\nevent: stdout\ndata: {\"text\":\"a:b\\n\"}\n\n").unwrap();
        assert_eq!((read.number, read.kind.as_str(), read.data["text"].as_str()), (Some(7), "stdout", Some("a:b\n")));
        assert_eq!(event(": heartbeat\n\n"), None);
        assert_eq!(event("event: result\ndata: no json\n\n"), None);
    }
}
