use std::io::{self, BufRead, Read, Write};
use std::panic::AssertUnwindSafe;
use std::sync::mpsc;
use std::time::Duration;

use kontor_package::Content;
use kontor_scan::{Detonation, Finding};

use super::frames::{Answer, LONGEST_LINE, Request};
use super::threads::{STACK, by_embedded_rules};
use super::{Examination, Ran};

/// How much longer than the hub a process waits for its own scan: the hub should be the one to end it.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes that are made room for before they came.
const FIRST_ROOM: u64 = 1 << 20;

/// Scans what a hub sends on `input` and answers on `output`, until `input` ends: what a process for
/// [`Examiner::in_processes`](super::Examiner::in_processes) has to do.
///
/// # Errors
/// When the hub cannot be read or written, or when a scan does not end within its time; the process should end then.
pub fn scan_worker(input: impl BufRead, output: impl Write) -> io::Result<()> {
    let examine = by_embedded_rules();
    work(input, output, move |name, content| {
        Ok(Answer::Examined(Box::new(Examination::of(examine(name, content)?, content))))
    })
}

/// Runs what a hub sends, as [`scan_worker`] scans it: what a process for
/// [`Examiner::that_detonates`](super::Examiner::that_detonates) has to do.
///
/// # Errors
/// As [`scan_worker`].
pub fn detonation_worker(
    input: impl BufRead,
    output: impl Write,
    detonate: impl Fn(&Content) -> Result<(Detonation, Vec<Finding>), String> + Send + 'static,
) -> io::Result<()> {
    work(input, output, move |_, content| {
        let (detonation, findings) = detonate(content)?;
        Ok(Answer::Ran(Box::new(Ran { detonation, findings })))
    })
}

fn work(
    mut input: impl BufRead,
    mut output: impl Write,
    answer: impl Fn(&str, &Content) -> Result<Answer, String> + Send + 'static,
) -> io::Result<()> {
    let (archives, to_scan) = mpsc::channel();
    let (scanned, answers) = mpsc::channel();
    std::thread::Builder::new()
        .name("scan".to_owned())
        .stack_size(STACK)
        .spawn(move || answer_all(&to_scan, &scanned, &answer))?;
    while let Some((request, archive)) = read_request(&mut input)? {
        let patience = Duration::try_from_secs_f32(request.seconds).unwrap_or_default().saturating_add(GRACE);
        archives.send((request, archive)).map_err(io::Error::other)?;
        let answer: Answer = answers.recv_timeout(patience).map_err(io::Error::other)?;
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        output.write_all(&line)?;
        output.flush()?;
    }
    Ok(())
}

fn answer_all(
    to_scan: &mpsc::Receiver<(Request, Vec<u8>)>,
    scanned: &mpsc::Sender<Answer>,
    answer: &impl Fn(&str, &Content) -> Result<Answer, String>,
) {
    for (request, archive) in to_scan {
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let content = Content::from_archive(&archive, &request.limits()).map_err(|error| error.to_string())?;
            drop(archive);
            answer(&request.name, &content)
        }));
        let outcome = outcome.unwrap_or_else(|_| Err("the scanner crashed on it".to_owned()));
        if scanned.send(outcome.unwrap_or_else(Answer::Failed)).is_err() {
            return;
        }
    }
}

fn read_request(input: &mut impl BufRead) -> io::Result<Option<(Request, Vec<u8>)>> {
    let mut line = Vec::new();
    if input.take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let request: Request = serde_json::from_slice(&line)?;
    let mut archive = Vec::with_capacity(usize::try_from(request.size.min(FIRST_ROOM)).unwrap_or_default());
    if input.take(request.size).read_to_end(&mut archive)? as u64 == request.size {
        Ok(Some((request, archive)))
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
