//! The load generator: connections that stay open, each on a thread of its own, one request after the other.
//!
//! It reads no more of HTTP than it must, so that most of the machine's time is the server's, as with `wrk`.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest head of an answer.
const HEAD: usize = 16 * 1024;
/// How much is read at a time.
const ROOM: usize = 256 * 1024;

/// One request, ready to be sent.
#[derive(Debug, Clone)]
pub struct Call(Vec<u8>);

/// What came back.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What a server did in some time.
#[derive(Debug, Clone, Copy)]
pub struct Throughput {
    /// Answers in a second.
    pub answers: f64,
    /// Bytes of bodies in a second.
    pub bytes: f64,
}

impl Call {
    /// Asks for a path.
    pub fn get(target: &str) -> Self {
        Self(format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n").into_bytes())
    }

    /// Asks for a page as a browser does.
    pub fn browse(target: &str) -> Self {
        Self(format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n").into_bytes())
    }

    /// Sends a JSON document.
    pub fn post(target: &str, body: &serde_json::Value) -> Self {
        let body = body.to_string();
        let head = format!("POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n");
        let length = body.len();
        Self(format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes())
    }

    /// Sends a JSON document with any method and a bearer's token; nothing in place of null.
    pub fn send(method: &str, target: &str, token: Option<&str>, body: &serde_json::Value) -> Self {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n{token}");
        let length = body.len();
        Self(format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes())
    }

    /// Asks once and returns what came.
    pub fn once(&self, address: SocketAddr) -> Result<Answer> {
        let mut line = Line::open(address)?;
        let mut answer = Answer::default();
        line.ask(self, &mut |part| answer.body.extend_from_slice(part)).map(|status| answer.status = status)?;
        Ok(answer)
    }

    /// The status of the answer, if one comes.
    pub fn status(&self, address: SocketAddr) -> Option<u16> {
        self.once(address).ok().map(|answer| answer.status)
    }
}

/// Asks these requests in turn over some connections for a while. Any answer but 200 ends the measurement.
pub fn drive(address: SocketAddr, calls: &[Call], connections: usize, length: Duration) -> Result<Throughput> {
    let over = AtomicBool::new(false);
    let started = Instant::now();
    let counts = thread::scope(|scope| {
        let over = &over;
        let lines: Vec<_> =
            (0..connections).map(|place| scope.spawn(move || line(address, calls, place, over))).collect();
        thread::sleep(length);
        over.store(true, Ordering::Relaxed);
        let counts = lines.into_iter().map(|line| line.join().map_err(|_| anyhow::anyhow!("a connection broke"))?);
        counts.collect::<Result<Vec<(u64, u64)>>>()
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let (answers, bytes) = counts.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    let throughput = Throughput { answers: answers as f64 / seconds, bytes: bytes as f64 / seconds };
    Ok(throughput)
}

/// Asks one request after the other over one connection for a while; how long each took.
pub fn times(address: SocketAddr, call: &Call, length: Duration) -> Result<Vec<Duration>> {
    let mut line = Line::open(address)?;
    let (mut times, begun) = (Vec::new(), Instant::now());
    while begun.elapsed() < length {
        let started = Instant::now();
        let status = line.ask(call, &mut |_| {})?;
        times.push(started.elapsed());
        if status != 200 {
            bail!("the server answered {status}");
        }
    }
    Ok(times)
}

/// Asks each request once over one connection, one after the other; how long each took.
pub fn each(address: SocketAddr, calls: &[Call]) -> Result<Vec<Duration>> {
    let mut line = Line::open(address)?;
    let mut times = Vec::with_capacity(calls.len());
    for call in calls {
        let started = Instant::now();
        let status = line.ask(call, &mut |_| {})?;
        times.push(started.elapsed());
        if status != 200 {
            bail!("the server answered {status}");
        }
    }
    Ok(times)
}

/// As [`times`], of answers in events that end with `[DONE]`; a connection for each.
pub fn streams(address: SocketAddr, call: &Call, length: Duration) -> Result<Vec<Duration>> {
    let (mut times, begun, mut room) = (Vec::new(), Instant::now(), vec![0; ROOM]);
    while begun.elapsed() < length {
        let mut stream = connect(address)?;
        let started = Instant::now();
        stream.write_all(&call.0)?;
        let mut filled = 0;
        while !room[..filled].windows(6).any(|six| six == b"[DONE]") {
            match stream.read(&mut room[filled..])? {
                0 => bail!("a stream ended too soon"),
                read => filled += read,
            }
        }
        times.push(started.elapsed());
    }
    Ok(times)
}

/// One connection's work: how many answers and bytes came.
fn line(address: SocketAddr, calls: &[Call], first: usize, over: &AtomicBool) -> Result<(u64, u64)> {
    let mut line = Line::open(address)?;
    let (mut answers, mut bytes) = (0_u64, 0_u64);
    // Each connection begins at another request, so that they do not march in step.
    for call in calls.iter().cycle().skip(first * 37 % calls.len().max(1)) {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let status = line.ask(call, &mut |part| bytes += part.len() as u64)?;
        if status != 200 {
            bail!("the server answered {status}");
        }
        answers += 1;
    }
    Ok((answers, bytes))
}

/// A connection that stays open as long as the server wants.
struct Line {
    address: SocketAddr,
    stream: TcpStream,
    room: Vec<u8>,
    last: bool,
}

/// What the head of an answer says.
struct Head {
    status: u16,
    length: usize,
    last: bool,
    /// Where the body begins.
    end: usize,
}

impl Line {
    fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self { address, stream: connect(address)?, room: vec![0; ROOM], last: false })
    }

    /// Sends a request and hands over the body piece by piece.
    fn ask(&mut self, call: &Call, take: &mut dyn FnMut(&[u8])) -> Result<u16> {
        if self.last {
            self.stream = connect(self.address)?;
        }
        self.stream.write_all(&call.0).context("the server takes no request")?;
        let mut filled = 0;
        let head = loop {
            let read = self.read(filled)?;
            filled += read;
            if let Some(head) = head(&self.room[..filled])? {
                break head;
            }
            if filled > HEAD {
                bail!("the head of an answer is too long");
            }
        };
        self.last = head.last;
        let begun = (filled - head.end).min(head.length);
        take(&self.room[head.end..head.end + begun]);
        let mut missing = head.length - begun;
        while missing > 0 {
            let read = self.read(0)?.min(missing);
            take(&self.room[..read]);
            missing -= read;
        }
        Ok(head.status)
    }

    fn read(&mut self, at: usize) -> Result<usize> {
        loop {
            match self.stream.read(&mut self.room[at..]) {
                Ok(0) => bail!("the server hung up in the middle of an answer"),
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("an answer did not come"),
            }
        }
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Reads a head once all of it is there.
fn head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..end]).context("the head of an answer is no text")?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let mut head = Head { status: status.context("an answer has no status")?, length: 0, last: false, end: end + 4 };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            head.length = value.parse().context("an answer has no length")?;
        } else if name.eq_ignore_ascii_case("connection") {
            head.last = value.eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("the answer comes in chunks, which this generator does not read");
        }
    }
    Ok(Some(head))
}
