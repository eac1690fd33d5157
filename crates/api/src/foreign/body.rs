//! Sending stretches of blobs one behind the other.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
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

/// Pieces in hand that are together no longer are sent as one.
const JOINED: u64 = 64 * 1024;

/// The pieces as a body. Those that everybody may see come from memory, where they stay for a while.
pub fn body(blobs: &Blobs, pieces: Vec<Piece>, public: bool) -> Body {
    let pieces: Vec<Piece> = pieces.into_iter().map(|piece| if public { held(blobs, piece) } else { piece }).collect();
    match joined(&pieces) {
        Some(bytes) => Body::from(bytes),
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

/// All pieces as one, when they are in hand and either one or small.
fn joined(pieces: &[Piece]) -> Option<Bytes> {
    if let [Piece::Held(only)] = pieces {
        return Some(only.clone());
    }
    if pieces.iter().map(Piece::size).fold(0, u64::saturating_add) > JOINED {
        return None;
    }
    let mut all = BytesMut::new();
    for piece in pieces {
        let Piece::Held(bytes) = piece else { return None };
        all.extend_from_slice(bytes);
    }
    Some(all.freeze())
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
