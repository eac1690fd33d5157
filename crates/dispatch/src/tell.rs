//! Writing down what a program says while it runs.

use std::sync::{Mutex, PoisonError};

use kontor_db::runs::{self, EventKind};
use kontor_runs::{Stream, Watch};
use kontor_types::RunId;
use serde_json::{Value, json};

use crate::{Error, Runs};

/// The most bytes of a stream that are told while a program runs; all that is kept of it is a file of the run later.
const MOST: usize = 1 << 20;
/// The most bytes of one event.
const EVENT: usize = 16 << 10;

/// What was said and is not written down yet. Secrets were taken out before.
#[derive(Default)]
pub(crate) struct Telling {
    out: Mutex<Held>,
    err: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    taken: usize,
    cut: bool,
}

impl Watch for Telling {
    fn said(&self, stream: Stream, bytes: &[u8]) {
        let held = match stream {
            Stream::Stdout => &self.out,
            Stream::Stderr => &self.err,
        };
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST.saturating_sub(held.taken).min(bytes.len());
        held.cut |= room < bytes.len();
        held.taken = held.taken.saturating_add(room);
        held.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
}

impl Telling {
    /// What is to be written down now; at the end also what would be the beginning of a character.
    fn take(&self, last: bool) -> Vec<(EventKind, Value)> {
        let mut told = Vec::new();
        for (held, kind) in [(&self.out, EventKind::Stdout), (&self.err, EventKind::Stderr)] {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            let whole = if last { held.bytes.len() } else { whole(&held.bytes) };
            let rest = held.bytes.split_off(whole);
            let said = std::mem::replace(&mut held.bytes, rest);
            told.extend(pieces(&said).map(|text| (kind, json!({ "text": text }))));
            if last && held.cut {
                let text = format!("more was said on {kind} than is told here; what was kept is in the run's files");
                told.push((EventKind::Note, json!({ "text": text })));
            }
        }
        told
    }
}

/// How many bytes end with a whole character.
fn whole(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// Text in parts of bounded size; a character is never torn.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut begin: usize = 0;
    std::iter::from_fn(move || {
        let mut end = begin.saturating_add(EVENT).min(text.len());
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let piece = text.get(begin..end).filter(|piece| !piece.is_empty())?.to_owned();
        begin = end;
        Some(piece)
    })
}

impl Runs {
    /// Writes down what was said, unless the run is another attempt's by now.
    pub(crate) async fn tell(&self, id: RunId, attempt: i64, telling: &Telling, last: bool) -> Result<(), Error> {
        let told = telling.take(last);
        if told.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.write(move |tx| {
            let told = told.clone();
            Box::pin(async move {
                if runs::is_held(tx, id, attempt).await?.is_some() {
                    for (kind, data) in &told {
                        runs::record(tx, id, *kind, data, now).await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }
}
