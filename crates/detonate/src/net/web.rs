//! A web server that has an answer for everything.

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::Record;

/// The longest head of a request.
const HEAD: usize = 64 << 10;
/// The longest body that is waited for.
const BODY: usize = 1 << 20;

/// Whether bytes begin like a request.
pub fn is_request(bytes: &[u8]) -> bool {
    const METHODS: &[&[u8]] =
        &[b"GET ", b"POST ", b"PUT ", b"HEAD ", b"PATCH ", b"DELETE ", b"OPTIONS ", b"PROPFIND ", b"MKCOL "];
    METHODS.iter().any(|method| bytes.starts_with(method))
}

/// Reads a request to its end and answers it; `probe` is a file that whoever runs the answer opens.
pub async fn answer<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, record: &mut Record<'_>, probe: &str) {
    let head = loop {
        if let Some(end) = end_of_head(&record.traffic.bytes) {
            break end;
        }
        if record.traffic.bytes.len() > HEAD || !record.read(stream).await {
            return;
        }
    };
    let text = String::from_utf8_lossy(record.traffic.bytes.get(..head).unwrap_or_default()).into_owned();
    let lower = text.to_ascii_lowercase();
    text.lines().next().unwrap_or_default().clone_into(&mut record.traffic.line);
    if let Some(host) = field(&text, "host") {
        let host = host.split(':').next().unwrap_or_default();
        // A name that was looked up elsewhere, or is another one than the address leads to.
        if !host.is_empty() && record.traffic.host.parse::<std::net::IpAddr>().is_ok() {
            host.clone_into(&mut record.traffic.host);
        }
    }
    if lower.contains("expect: 100-continue") && stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err() {
        return;
    }
    let chunked = lower.contains("transfer-encoding: chunked");
    let length = field(&text, "content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0).min(BODY);
    loop {
        let body = record.traffic.bytes.get(head..).unwrap_or_default();
        let done = if chunked { body.ends_with(b"0\r\n\r\n") || body.len() > BODY } else { body.len() >= length };
        if done || !record.read(stream).await {
            break;
        }
    }
    let (kind, body) = body(&text, &lower, probe);
    let body = if text.starts_with("HEAD ") { String::new() } else { body };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn field<'t>(head: &'t str, name: &str) -> Option<&'t str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// What is answered: data to whoever wants data, else a text that shells, Python and Node can run; each gives itself away.
fn body(head: &str, lower: &str, probe: &str) -> (&'static str, String) {
    let target = head.split_whitespace().nth(1).unwrap_or_default();
    let path = target.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let agent = field(head, "user-agent").unwrap_or_default().to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    if ends(&[".js", ".mjs", ".cjs"]) || (agent.contains("node") && !ends(&[".sh", ".py", ".json"])) {
        return (
            "application/javascript",
            format!(
                "process.getBuiltinModule ? process.getBuiltinModule('fs').readFileSync('{probe}') : require('fs').readFileSync('{probe}');\n"
            ),
        );
    }
    if lower.contains("accept: application/json") || ends(&[".json"]) {
        return ("application/json", "{\"ok\":true,\"status\":\"ok\",\"data\":[],\"result\":{}}\n".to_owned());
    }
    if path.contains("/simple/") {
        return ("text/html", "<!DOCTYPE html><html><body></body></html>\n".to_owned());
    }
    // A shell runs the lines in the middle, for Python they are a text.
    let text = format!("\"\"\":\"\ncat '{probe}' > /dev/null\nexit 0\n\":\"\"\"\nopen('{probe}').read()\n");
    ("text/plain; charset=utf-8", text)
}
