use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// Bytes of one message.
const MOST: usize = 4 << 20;

/// What was read up to a line end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// The line.
    Whole(Vec<u8>),
    /// One that is longer than a message may be; it was skipped.
    TooLong,
}

/// The next line; `None` at the end.
pub async fn next_line(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Line>> {
    let (mut line, mut too_long, mut any) = (Vec::new(), false, false);
    loop {
        let part = reader.fill_buf().await?;
        if part.is_empty() {
            break;
        }
        any = true;
        let end = part.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(part.len(), |end| end.saturating_add(1));
        let kept = end.unwrap_or(part.len());
        too_long = too_long || line.len().saturating_add(kept) > MOST;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(part.get(..kept).unwrap_or_default());
        }
        reader.consume(taken);
        if end.is_some() {
            break;
        }
    }
    Ok(any.then_some(if too_long { Line::TooLong } else { Line::Whole(line) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_line_is_skipped_and_the_next_is_read() -> io::Result<()> {
        let text = format!("one\n{}\ntwo", "x".repeat(MOST + 1));
        let mut reader = text.as_bytes();
        assert_eq!(next_line(&mut reader).await?, Some(Line::Whole(b"one".to_vec())));
        assert_eq!(next_line(&mut reader).await?, Some(Line::TooLong));
        assert_eq!(next_line(&mut reader).await?, Some(Line::Whole(b"two".to_vec())));
        assert_eq!(next_line(&mut reader).await?, None);
        Ok(())
    }
}
