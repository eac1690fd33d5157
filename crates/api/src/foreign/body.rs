//! Sending stretches of blobs one behind the other.

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use kontor_blob::{Blobs, Error};

use super::Piece;

/// The parts of `pieces` that lie between `start` and `end`.
pub fn cut(pieces: Vec<Piece>, start: u64, end: u64) -> Vec<Piece> {
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

fn part(piece: Piece, from: u64, to: u64) -> Piece {
    match piece {
        Piece::Held(bytes) => {
            let index = |number: u64| usize::try_from(number).unwrap_or(bytes.len()).min(bytes.len());
            Piece::Held(bytes.slice(index(from)..index(to)))
        }
        Piece::Blob { digest, start, .. } => {
            Piece::Blob { digest, start: start.saturating_add(from), end: start.saturating_add(to) }
        }
    }
}

/// The bytes of the pieces; a blob is opened when its turn comes.
pub fn stream(blobs: Blobs, pieces: Vec<Piece>) -> BoxStream<'static, Result<Bytes, Error>> {
    stream::iter(pieces)
        .then(move |piece| {
            let blobs = blobs.clone();
            async move { open(&blobs, piece).await }
        })
        .try_flatten()
        .inspect_err(|error| tracing::error!(%error, "a blob could not be sent"))
        .boxed()
}

async fn open(blobs: &Blobs, piece: Piece) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
    match piece {
        Piece::Held(bytes) => Ok(stream::once(async move { Ok(bytes) }).boxed()),
        Piece::Blob { digest, start, end } => blobs.stream(&digest, start..end).await,
    }
}
