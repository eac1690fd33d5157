//! A server between the command and a hub, which changes what goes through it.

use std::collections::HashMap;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What is changed on the way.
#[derive(Default)]
pub struct Rules {
    /// In what is asked for: this becomes that.
    pub paths: Vec<(String, String)>,
    /// In the text of every answer: this becomes that.
    pub bodies: Vec<(String, String)>,
    /// Whose address contains this gets the answer that it got before.
    pub replayed: Vec<String>,
    /// Whose address contains this gets no answer.
    pub dropped: Vec<String>,
}

/// The server.
pub struct Between {
    pub url: String,
    pub rules: Arc<Mutex<Rules>>,
}

/// A head and a body.
type Message = (String, Vec<u8>);

#[derive(Clone)]
struct Way {
    hub: String,
    rules: Arc<Mutex<Rules>>,
    answers: Arc<Mutex<HashMap<String, Message>>>,
}

impl Between {
    pub fn start(hub: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let rules = Arc::new(Mutex::new(Rules::default()));
        let hub = hub.trim_start_matches("http://").to_owned();
        let way = Way { hub, rules: Arc::clone(&rules), answers: Arc::default() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let way = way.clone();
                std::thread::spawn(move || way.pass(stream));
            }
        });
        Self { url, rules }
    }

    pub fn change(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.rules.lock().unwrap());
    }
}

impl Way {
    fn pass(&self, mut stream: TcpStream) -> Option<()> {
        let asked = message(&mut BufReader::new(stream.try_clone().ok()?))?;
        let target = asked.0.split(' ').nth(1)?.to_owned();
        let (paths, bodies, replayed) = {
            let rules = self.rules.lock().unwrap();
            let named = |parts: &[String]| parts.iter().any(|part| target.contains(part.as_str()));
            if named(&rules.dropped) {
                return None;
            }
            (rules.paths.clone(), rules.bodies.clone(), named(&rules.replayed))
        };
        let known = self.answers.lock().unwrap().get(&target).cloned().filter(|_| replayed);
        let (head, mut body) = if let Some(known) = known {
            known
        } else {
            let answer = self.ask(&asked, &replaced(&target, &paths))?;
            self.answers.lock().unwrap().insert(target, answer.clone());
            answer
        };
        if let Ok(text) = std::str::from_utf8(&body) {
            body = replaced(text, &bodies).into_bytes();
        }
        let (status, headers) = head.split_once("\r\n")?;
        let headers = kept(headers, &["connection", "content-length", "transfer-encoding"]);
        let end = format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{status}\r\n{headers}{end}").as_bytes()).ok()?;
        stream.write_all(&body).ok()
    }

    /// Asks the hub for what is at another address.
    fn ask(&self, (head, body): &Message, target: &str) -> Option<Message> {
        let (first, headers) = head.split_once("\r\n")?;
        let method = first.split(' ').next()?;
        let own = ["host", "connection", "accept-encoding", "content-length", "transfer-encoding"];
        let (headers, host, length) = (kept(headers, &own), &self.hub, body.len());
        let end = format!("host: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        let mut up = TcpStream::connect(host).ok()?;
        up.write_all(format!("{method} {target} HTTP/1.1\r\n{headers}{end}").as_bytes()).ok()?;
        up.write_all(body).ok()?;
        message(&mut BufReader::new(up))
    }
}

fn replaced(text: &str, pairs: &[(String, String)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn kept(headers: &str, without: &[&str]) -> String {
    let name = |line: &str| line.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let lines = headers.split("\r\n").filter(|line| !line.is_empty() && !without.contains(&name(line).as_str()));
    lines.flat_map(|line| [line, "\r\n"]).collect()
}

/// One message: its head up to the empty line, and its body.
fn message(from: &mut impl std::io::BufRead) -> Option<Message> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let mut body = Vec::new();
    if header("transfer-encoding:").is_some_and(|value| value.contains("chunked")) {
        loop {
            let mut size = String::new();
            from.read_line(&mut size).ok()?;
            let size = u64::from_str_radix(size.trim(), 16).ok()?;
            from.take(size).read_to_end(&mut body).ok()?;
            let mut end = String::new();
            from.read_line(&mut end).ok()?;
            if size == 0 {
                return Some((head, body));
            }
        }
    }
    let length = header("content-length:").and_then(|value| value.parse().ok()).unwrap_or(0);
    from.take(length).read_to_end(&mut body).ok()?;
    Some((head, body))
}
