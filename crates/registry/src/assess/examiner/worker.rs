use std::io::{self, BufRead, Read, Write};
use std::panic::AssertUnwindSafe;
use std::sync::mpsc;
use std::time::Duration;

use kontor_package::Content;
use kontor_scan::Report;

use super::Examination;
use super::frames::{Answer, LONGEST_LINE, Request};
use super::threads::{STACK, by_embedded_rules};

/// How much longer than the hub a process waits for its own scan: the hub should be the one to end it.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes that are made room for before they came.
const FIRST_ROOM: u64 = 1 << 20;

/// Scans what a hub sends on `input` and answers on `output`, until `input` ends: what a process for
/// [`Examiner::in_processes`](super::Examiner::in_processes) has to do.
///
/// # Errors
/// When the hub cannot be read or written, or when a scan does not end within its time; the process should end then.
pub fn scan_worker(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let (archives, to_scan) = mpsc::channel();
    let (scanned, answers) = mpsc::channel();
    std::thread::Builder::new()
        .name("scan".to_owned())
        .stack_size(STACK)
        .spawn(move || scan_all(&to_scan, &scanned))?;
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

fn scan_all(to_scan: &mpsc::Receiver<(Request, Vec<u8>)>, scanned: &mpsc::Sender<Answer>) {
    let examine = by_embedded_rules();
    for (request, archive) in to_scan {
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| scan(&request, archive, &examine)));
        let outcome = outcome.unwrap_or_else(|_| Err("the scanner crashed on it".to_owned()));
        let answer = outcome.map_or_else(Answer::Failed, |examined| Answer::Examined(Box::new(examined)));
        if scanned.send(answer).is_err() {
            return;
        }
    }
}

fn scan(
    request: &Request,
    archive: Vec<u8>,
    examine: &impl Fn(&str, &Content) -> Result<Report, String>,
) -> Result<Examination, String> {
    let content = Content::from_archive(&archive, &request.limits()).map_err(|error| error.to_string())?;
    drop(archive);
    Ok(Examination::of(examine(&request.name, &content)?, &content))
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
