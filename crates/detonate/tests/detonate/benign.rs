//! What ordinary scripts do is no finding, nothing leaves the machine, and what was not seen is said.

use std::time::Duration;

use kontor_scan::Severity;
use rstest::rstest;

use crate::support::{PATIENCE, by_a_user_too, detonate, found, skill};

#[rstest]
#[case::help("s.py", "import argparse\np=argparse.ArgumentParser()\np.add_argument('file')\np.parse_args()\n")]
#[case::a_report(
    "s.py",
    "import csv,sys\nrows=list(csv.DictReader(open('data/hours.csv')))\nopen('report.md','w').write(str(sum(float(r['hours']) for r in rows)))\nprint(len(rows))\n"
)]
#[case::a_login_shell("s.sh", "bash -lic 'echo $EDITOR'\n")]
#[case::git("s.sh", "git config --get user.name; git status >/dev/null 2>&1; true\n")]
#[case::a_cache(
    "s.py",
    "import os,pathlib\np=pathlib.Path.home()/'.cache'/'hours'\np.mkdir(parents=True,exist_ok=True)\n(p/'x.json').write_text('{}')\n"
)]
#[case::node("s.js", "const fs=require('fs');console.log(fs.readdirSync('.').length)\n")]
#[case::a_look_at_the_home("s.sh", "ls -la ~ ~/.ssh; find ~ -name '*.md' | wc -l\n")]
#[case::a_program_that_is_there("s.sh", "command -v python3; tar czf /tmp/a.tgz . ; ls -l /tmp/a.tgz\n")]
#[case::an_own_service(
    "s.py",
    "# asks api.hours.example\nimport os,urllib.request as u\nu.urlopen('https://api.hours.example/v1/me')\n"
)]
fn what_ordinary_scripts_do_is_no_finding(#[case] file: &str, #[case] text: &str) {
    let found = found(&[(file, text)]);
    assert!(found.iter().all(|(_, severity, _)| *severity < Severity::Medium), "{found:?}");
    by_a_user_too();
}

#[test]
fn a_service_gets_its_own_key() {
    let text = "import os,urllib.request as u\nr=u.Request('https://api.openai.com/v1/models',headers={'Authorization':'Bearer '+os.environ['OPENAI_API_KEY']})\nprint(u.urlopen(r).status)\n";
    let found = found(&[("s.py", text)]);
    assert!(found.iter().all(|(_, severity, _)| *severity < Severity::Medium), "{found:?}");
    by_a_user_too();
}

#[test]
fn what_was_run_and_what_was_not_is_said() {
    let content = skill(&[
        ("a.py", "print(1)\n"),
        ("b.py", "import nobody_has_this_package\n"),
        ("c.pl6", "#!/usr/bin/env no-such-program\n"),
        ("d.sh", "while :; do :; done\n"),
    ]);
    let (detonation, _) = detonate(&content, Duration::from_secs(5));
    assert!(detonation.runs.iter().any(|run| run.file == "a.py" && run.ended == "code 0"), "{detonation:?}");
    let said =
        |file: &str| detonation.not_run.iter().find(|one| one.file == file).map_or("", |one| one.reason.as_str());
    assert!(said("b.py").contains("`nobody_has_this_package`"), "{detonation:?}");
    assert!(said("c.pl6").contains("no-such-program"), "{detonation:?}");
    assert!(said("d.sh").contains("was over"), "{detonation:?}");
    assert_eq!(said("a.py"), "");
}

/// A server on this machine, at an address that is not loopback where there is one, hears nothing.
#[test]
fn nothing_leaves_the_machine() {
    let outside = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    // Only asks for a route; nothing is sent.
    let own = outside.connect("198.51.100.1:9").and_then(|()| outside.local_addr()).map(|local| local.ip());
    let server = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    for address in own.into_iter().map(|ip| ip.to_string()).chain(["127.0.0.1".to_owned()]) {
        let text = format!("import socket\ns=socket.create_connection(('{address}',{port}),2)\ns.sendall(b'hello')\n");
        let reached = std::net::TcpStream::connect((address.as_str(), port));
        assert!(reached.is_ok(), "the probe works outside");
        assert!(server.accept().is_ok());
        let (detonation, _) = detonate(&skill(&[("s.py", &text)]), PATIENCE);
        assert!(detonation.runs.iter().all(|run| run.deeds > 0), "{detonation:?}");
        let heard = server.accept();
        assert!(heard.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "{address}");
    }
    by_a_user_too();
}

#[test]
fn a_machine_without_a_sandbox_is_an_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let nothing = kontor_sandbox::Sandbox::new("/bin/false".into(), Vec::new());
    let detonator = kontor_detonate::Detonator::new(nothing).unwrap();
    let content = skill(&[("a.py", "print(1)\n")]);
    let outcome = runtime.block_on(detonator.detonate(&content));
    assert!(matches!(outcome, Err(kontor_detonate::Error::Sandbox { .. })), "{outcome:?}");
}
