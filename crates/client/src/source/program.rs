use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::error::{Error, ErrorKind};
use crate::weigh::{Weight, weigh};

/// The most time a user's program may take to fetch something.
const LONGEST: Duration = Duration::from_mins(15);
/// The most that it may put into its folder.
const MOST: Weight = Weight { bytes: 4 << 30, entries: 500_000 };
/// The most bytes kept of what it says.
const MOST_SAID: usize = 64 << 10;

/// Runs one of the user's programs that fetches something into `folder`, bounded in time and bytes.
///
/// It gets the user's environment, without this program's own variables, and no terminal to ask on. What it printed to
/// standard output comes back.
pub async fn fetch_with(mut command: Command, folder: &Path, missing: &str) -> Result<String, Error> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KONTOR_")) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| Error::Program {
        program: program.clone(),
        kind: ErrorKind::Other,
        message: error.to_string(),
        hint: Some(missing.to_owned()),
    })?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let talk = async { tokio::join!(listen(out), listen(err)) };
    let failed =
        |message: String| Error::Program { program: program.clone(), kind: kind(&message), message, hint: None };
    let finished = async {
        let (status, said) = tokio::join!(child.wait(), talk);
        (status, said)
    };
    let watched = watch(folder);
    tokio::select! {
        (status, (out, err)) = finished => {
            let status = status.map_err(|error| failed(error.to_string()))?;
            if status.success() {
                return Ok(out);
            }
            Err(failed(last_lines(if err.trim().is_empty() { &out } else { &err })))
        }
        message = watched => Err(failed(message)),
    }
}

async fn listen(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut said = Vec::new();
    let Some(mut stream) = stream else { return String::new() };
    let mut part = vec![0; 8192];
    while let Ok(read @ 1..) = stream.read(&mut part).await {
        if said.len() < MOST_SAID {
            said.extend_from_slice(&part[..read]);
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Comes back only when the program has taken too long or too much.
async fn watch(folder: &Path) -> String {
    let started = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        if started.elapsed() > LONGEST {
            return format!("it took longer than {} minutes", LONGEST.as_secs() / 60);
        }
        let place = folder.to_owned();
        let weight = tokio::task::spawn_blocking(move || weigh(&place, MOST)).await.unwrap_or_default();
        if weight.bytes > MOST.bytes || weight.entries > MOST.entries {
            return format!("it brought more than {} GiB or {} files", MOST.bytes >> 30, MOST.entries);
        }
    }
}

/// What kind of failure a program's words tell of. They are read in English, which is asked for.
fn kind(said: &str) -> ErrorKind {
    const SILENT: [&str; 11] = [
        "Could not resolve host",
        "Failed to connect",
        "Couldn't connect",
        "Connection refused",
        "Connection timed out",
        "Name or service not known",
        "ENOTFOUND",
        "ECONNREFUSED",
        "ETIMEDOUT",
        "EAI_AGAIN",
        "NewConnectionError",
    ];
    const DENIED: [&str; 5] =
        ["Authentication failed", "could not read Username", "Permission denied (", "code E401", "code E403"];
    const MISSING: [&str; 9] = [
        "code E404",
        "code ETARGET",
        "404 Not Found",
        "' not found",
        "Repository not found",
        "not found in upstream",
        "does not appear to be a git repository",
        "No matching distribution found",
        "Could not find a version",
    ];
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&SILENT) {
        ErrorKind::Unreachable
    } else if says(&DENIED) {
        ErrorKind::Denied
    } else if says(&MISSING) {
        ErrorKind::NotFound
    } else {
        ErrorKind::Other
    }
}

/// The end of what a program said, without the words that npm puts before each line and its pointer to a log.
fn last_lines(said: &str) -> String {
    let own = |line: &&str| !line.is_empty() && !line.contains("complete log of this run");
    let line =
        |line: &str| line.trim().trim_start_matches("npm error").trim_start_matches("npm ERR!").trim().to_owned();
    let lines: Vec<String> = said.lines().map(line).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).filter(own).collect();
    let from = lines.len().saturating_sub(8);
    let text = lines.get(from..).unwrap_or_default().join("\n  ");
    if text.is_empty() { "it said nothing".to_owned() } else { text.chars().take(1200).collect() }
}

#[cfg(test)]
mod tests {
    use super::{kind, last_lines};
    use crate::error::ErrorKind;

    #[test]
    fn words_of_programs_have_a_kind() {
        for (said, expected) in [
            ("fatal: repository 'http://127.0.0.1:1/x/' not found", ErrorKind::NotFound),
            ("fatal: Remote branch x not found in upstream origin", ErrorKind::NotFound),
            ("code E404\n  404 Not Found", ErrorKind::NotFound),
            ("ERROR: No matching distribution found for x", ErrorKind::NotFound),
            ("fatal: unable to access 'x': Failed to connect to 127.0.0.1 port 1", ErrorKind::Unreachable),
            ("code ENOTFOUND\n  network request to x failed", ErrorKind::Unreachable),
            ("fatal: could not read Username for 'x': terminal prompts disabled", ErrorKind::Denied),
            ("something else", ErrorKind::Other),
        ] {
            assert_eq!(kind(said), expected, "{said}");
        }
    }

    #[test]
    fn what_a_program_said_last_is_kept_without_its_noise() {
        assert_eq!(last_lines(" \n"), "it said nothing");
        assert_eq!(last_lines("one\nfatal: no such repository\n"), "one\n  fatal: no such repository");
        let npm = "npm error code E404\nnpm error 404 Not Found\nnpm error\nnpm error A complete log of this run can be \
                   found in: /x\n";
        assert_eq!(last_lines(npm), "code E404\n  404 Not Found");
    }
}
