//! The way out: only what is granted, looked at and written down.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use kontor_sandbox::{Connection, Finished};

use crate::support::{As, everybody, probing, run, text};

/// A server that answers each connection with what it heard first.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                let mut bytes = vec![0; 4096];
                let count = stream.read(&mut bytes).unwrap_or(0);
                let heard = String::from_utf8_lossy(&bytes[..count]).lines().next().unwrap_or_default().to_owned();
                let body = format!("heard {heard}");
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            });
        }
    });
    address
}

fn with(who: As, grants: &[String], code: &str) -> Finished {
    let mut job = probing(code);
    job.permissions.network = grants.iter().map(|grant| grant.parse().unwrap()).collect();
    run(who, &job).unwrap()
}

fn one(finished: &Finished) -> &Connection {
    assert_eq!(finished.outcome.connections.len(), 1, "{:?}", finished.outcome.connections);
    &finished.outcome.connections[0]
}

#[test]
fn a_granted_host_is_reached_and_written_down() {
    let address = server();
    for who in everybody() {
        let grant = format!("intern.example:{}={}", address.port(), address.ip());
        let code = format!(
            "import urllib.request\nprint(urllib.request.urlopen('http://intern.example:{}/path?secret=1').read().decode())",
            address.port()
        );
        let finished = with(*who, std::slice::from_ref(&grant), &code);
        assert_eq!(
            text(&finished.stdout.bytes),
            "heard GET /path?secret=1 HTTP/1.1",
            "{}",
            text(&finished.stderr.bytes)
        );
        let connection = one(&finished);
        assert_eq!(connection.destination.as_ref().unwrap().to_string(), grant);
        assert_eq!(connection.address, Some(address.ip()));
        assert_eq!(connection.request.as_deref(), Some("GET /path"));
        assert_eq!(connection.refused, None);
        assert!(connection.sent > 0 && connection.received > 0);
    }
}

/// What the proxy answers to some bytes.
fn asking(who: As, grants: &[String], bytes: &str) -> (String, Finished) {
    let code = format!(
        "import socket\ns = socket.create_connection(('127.0.0.1', 3128))\ns.sendall({bytes})\ns.settimeout(20)\nprint(s.recv(1000).split(b'\\r\\n')[0].decode())"
    );
    let finished = with(who, grants, &code);
    (text(&finished.stdout.bytes), finished)
}

#[test]
fn what_is_not_granted_is_refused_and_never_looked_up() {
    let address = server();
    let port = address.port();
    let grants = [format!("127.0.0.1:{port}"), "allowed.example:443".to_owned()];
    for who in everybody() {
        for asked in [
            "CONNECT other.example:443".to_owned(),
            "CONNECT evilallowed.example:443".to_owned(),
            "CONNECT allowed.example.evil.example:443".to_owned(),
            "CONNECT allowed.example:444".to_owned(),
            "CONNECT localhost:443".to_owned(),
            "CONNECT 169.254.169.254:80".to_owned(),
            "CONNECT [fd00:ec2::254]:80".to_owned(),
            "CONNECT 100.100.100.200:80".to_owned(),
            "CONNECT 127.0.0.1:1".to_owned(),
        ] {
            let (said, finished) = asking(*who, &grants, &format!("b'{asked} HTTP/1.1\\r\\n\\r\\n'"));
            assert_eq!(said, "HTTP/1.1 403 Forbidden", "{asked}");
            assert_eq!(one(&finished).refused.as_deref(), Some("this destination is not granted"), "{asked}");
        }
        for asked in [
            format!("CONNECT 0177.0.0.1:{port}"),
            format!("CONNECT 2130706433:{port}"),
            format!("CONNECT [::ffff:127.0.0.1]:{port}"),
            "CONNECT allowed.example\\0.evil.example:443".to_owned(),
            "CONNECT allowed.example.:443".to_owned(),
            "CONNECT evil.example@allowed.example:443".to_owned(),
        ] {
            let (said, finished) = asking(*who, &grants, &format!("b'{asked} HTTP/1.1\\r\\n\\r\\n'"));
            assert_eq!(said, "HTTP/1.1 400 Bad Request", "{asked}");
            assert!(one(&finished).refused.is_some(), "{asked}");
        }
    }
}

#[test]
fn a_tunnel_leads_only_to_the_host_that_its_greeting_names() {
    let address = server();
    let port = address.port();
    let grants = [format!("intern.example:{port}={}", address.ip())];
    let greet = |name: &str| {
        format!(
            "import socket, ssl\ns = socket.create_connection(('127.0.0.1', 3128))\ns.sendall(b'CONNECT intern.example:{port} HTTP/1.1\\r\\n\\r\\n')\ns.recv(1000)\nc = ssl.create_default_context()\nc.check_hostname = False\nc.verify_mode = 0\ntry: c.wrap_socket(s, server_hostname={name})\nexcept Exception as e: print(type(e).__name__)"
        )
    };
    for who in everybody() {
        let right = with(*who, &grants, &greet("'intern.example'"));
        assert_eq!((one(&right).sni.as_deref(), one(&right).refused.as_deref()), (Some("intern.example"), None));
        assert!(one(&right).received > 0, "the host's answer came back");
        for (name, sni) in [("'evil.example'", Some("evil.example")), ("None", None)] {
            let wrong = with(*who, &grants, &greet(name));
            assert_eq!(one(&wrong).sni.as_deref(), sni);
            assert_eq!(one(&wrong).refused.as_deref(), Some("the TLS greeting names another host"));
            assert_eq!((one(&wrong).sent, one(&wrong).received), (0, 0));
        }
        let code = format!(
            "import socket\ns = socket.create_connection(('127.0.0.1', 3128))\ns.sendall(b'CONNECT intern.example:{port} HTTP/1.1\\r\\n\\r\\n')\ns.recv(1000)\ns.sendall(b'SSH-2.0-x\\r\\n')\nprint(s.recv(10))"
        );
        let other = with(*who, &grants, &code);
        assert_eq!(one(&other).refused.as_deref(), Some("only TLS goes through a tunnel"));
    }
}

#[test]
fn a_second_request_on_one_connection_goes_nowhere() {
    let address = server();
    let port = address.port();
    let grants = [format!("127.0.0.1:{port}")];
    let request = format!("GET http://127.0.0.1:{port}/one HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n");
    for who in everybody() {
        let (said, finished) =
            asking(*who, &grants, &format!("b'{request}' + b'GET /two HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n'"));
        assert_eq!(said, "HTTP/1.1 200 OK");
        assert_eq!(one(&finished).request.as_deref(), Some("GET /one"));
        let longest = u64::try_from(request.len()).unwrap() + 40;
        assert!(one(&finished).sent < longest, "the second request was sent too");
    }
}

#[test]
fn what_could_be_read_in_two_ways_reaches_nobody() {
    let address = server();
    let port = address.port();
    let grants = [format!("127.0.0.1:{port}")];
    let url = format!("http://127.0.0.1:{port}/");
    let host = format!("Host: 127.0.0.1:{port}");
    for asked in [
        "b'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'".to_owned(),
        format!("b'GET {url} HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n'"),
        format!("b'GET {url} HTTP/1.1\\r\\n{host}\\r\\nHost: evil.example\\r\\n\\r\\n'"),
        format!(
            "b'POST {url} HTTP/1.1\\r\\n{host}\\r\\nTransfer-Encoding: chunked\\r\\nContent-Length: 4\\r\\n\\r\\n'"
        ),
        format!("b'POST {url} HTTP/1.1\\r\\n{host}\\r\\nContent-Length: +4\\r\\n\\r\\n'"),
        format!("b'POST {url} HTTP/1.1\\r\\n{host}\\r\\nContent-Length : 4\\r\\n\\r\\n'"),
        format!("b'GET {url}\\tHTTP/1.1\\r\\n{host}\\r\\n\\r\\n'"),
        format!("b'GET {url} HTTP/1.1\\r\\n{host}\\r\\nX: ' + b'y' * 40000 + b'\\r\\n\\r\\n'"),
    ] {
        let (said, finished) = asking(everybody()[0], &grants, &asked);
        assert_eq!(said, "HTTP/1.1 400 Bad Request", "{asked}");
        assert_eq!((one(&finished).sent, one(&finished).address), (0, None), "{asked}");
    }
    let code = format!(
        "import socket\ns = socket.create_connection(('127.0.0.1', 3128))\ns.sendall(b'CONNECT 127.0.0.1:{port} HTTP/1.1\\r\\n\\r\\nCONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n')\nwhile s.recv(1000): pass"
    );
    let twice = with(everybody()[0], &grants, &code);
    assert_eq!(one(&twice).refused.as_deref(), Some("only TLS goes through a tunnel"));
}

#[test]
fn without_a_grant_there_is_no_proxy() {
    for who in everybody() {
        let finished = with(
            *who,
            &[],
            "import os, socket\nprint('HTTPS_PROXY' in os.environ)\nsocket.create_connection(('127.0.0.1', 3128))",
        );
        assert_eq!(text(&finished.stdout.bytes), "False");
        assert!(text(&finished.stderr.bytes).contains("ConnectionRefusedError"));
        assert_eq!(finished.outcome.connections, []);
    }
}
