//! The server of fixtures stands behind the hub's front, and ends with whoever started it.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A server with the host that it answers under.
fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-fixtures"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let host = line.trim().strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap().to_owned();
    (child, host)
}

/// The answer to a message that names this host.
fn ask(server: &str, host: &str, message: &str) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        message.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(message.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn fixtures_stand_behind_the_front_of_the_hub() {
    for (arguments, message) in [
        (&[][..], r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
        (
            &["--sessions"],
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
        ),
    ] {
        let (mut child, host) = start(arguments);
        let answer = ask(&host, &host, message);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("x-request-id: "), "the front names each request: {answer}");
        assert!(ask(&host, "evil.example", message).starts_with("HTTP/1.1 403"), "a host that is not its own");
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}
