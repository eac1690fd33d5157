//! Sending stretches of blobs one behind the other.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use hyper::body::{Frame, SizeHint};
use kontor_blob::{Blobs, Error};

use super::Piece;

/// The parts of `pieces` that lie between `start` and `end`.
pub fn cut(pieces: &[Piece], start: u64, end: u64) -> Vec<Piece> {
    let mut at = 0_u64;
    let mut kept = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let size = piece.size();
        let (from, to) = (start.saturating_sub(at).min(size), end.saturating_sub(at).min(size));
        at = at.saturating_add(size);
        if from < to {
            kept.push(part(piece, from, to));
        }
    }
    kept
}

fn part(piece: &Piece, from: u64, to: u64) -> Piece {
    match piece {
        Piece::Held(bytes) => {
            let index = |number: u64| usize::try_from(number).unwrap_or(bytes.len()).min(bytes.len());
            Piece::Held(bytes.slice(index(from)..index(to)))
        }
        Piece::Blob { digest, start, .. } => {
            Piece::Blob { digest: *digest, start: start.saturating_add(from), end: start.saturating_add(to) }
        }
    }
}

/// The pieces as a body. Those that everybody may see come from memory, where they stay for a while.
pub fn body(blobs: &Blobs, pieces: Vec<Piece>, public: bool) -> Body {
    let pieces: Vec<Piece> = pieces.into_iter().map(|piece| if public { held(blobs, piece) } else { piece }).collect();
    match in_hand(&pieces) {
        Some(bytes) => Body::new(InHand(bytes)),
        None => Body::from_stream(stream(blobs.clone(), pieces, public)),
    }
}

/// The piece in hand, if its blob lies in memory.
fn held(blobs: &Blobs, piece: Piece) -> Piece {
    let Piece::Blob { digest, start, end } = &piece else { return piece };
    blobs.held(digest).and_then(|whole| slice(&whole, *start, *end)).map_or(piece, Piece::Held)
}

fn slice(whole: &Bytes, start: u64, end: u64) -> Option<Bytes> {
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
    (start <= end && end <= whole.len()).then(|| whole.slice(start..end))
}

/// The bytes of all pieces that have any, when they are in hand.
fn in_hand(pieces: &[Piece]) -> Option<VecDeque<Bytes>> {
    let bytes = pieces.iter().filter(|piece| piece.size() > 0).map(|piece| match piece {
        Piece::Held(bytes) => Some(bytes.clone()),
        Piece::Blob { .. } => None,
    });
    bytes.collect()
}

/// Bytes in hand, sent one behind the other as they lie: nothing is copied together.
struct InHand(VecDeque<Bytes>);

impl HttpBody for InHand {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|bytes| bytes.len() as u64).fold(0, u64::saturating_add))
    }
}

/// The bytes of the pieces; a blob is opened when its turn comes.
fn stream(blobs: Blobs, pieces: Vec<Piece>, public: bool) -> BoxStream<'static, Result<Bytes, Error>> {
    stream::iter(pieces)
        .then(move |piece| {
            let blobs = blobs.clone();
            async move { open(&blobs, piece, public).await }
        })
        .try_flatten()
        .inspect_err(|error| tracing::error!(%error, "a blob could not be sent"))
        .boxed()
}

async fn open(blobs: &Blobs, piece: Piece, public: bool) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
    match piece {
        Piece::Held(bytes) => Ok(once(bytes)),
        Piece::Blob { digest, start, end } => {
            let whole = if public { blobs.get_shared(&digest).await? } else { None };
            match whole.and_then(|whole| slice(&whole, start, end)) {
                Some(bytes) => Ok(once(bytes)),
                None => blobs.stream(&digest, start..end).await,
            }
        }
    }
}

fn once(bytes: Bytes) -> BoxStream<'static, Result<Bytes, Error>> {
    stream::once(async move { Ok(bytes) }).boxed()
}
