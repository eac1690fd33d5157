//! A hub of the real binary on a free port, and the command against it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// A command without anything of the environment that could steer it.
pub fn kontor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kontor"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("KONTOR_") || text.to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command.env("KONTOR_CONFIG_HOME", "/nonexistent/kontor-settings").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// A running hub with a folder of its own; it ends with the value.
pub struct Hub {
    pub url: String,
    pub token: String,
    pub data: PathBuf,
    pub process: Child,
    pub folder: TempDir,
}

impl Hub {
    /// Starts a hub without starter skills.
    pub fn start() -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), &["--no-starter"], &[])
    }

    pub fn start_with(folder: TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let data = folder.path().join("data");
        let mut command = kontor();
        command.args(["up", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(&data).args(arguments);
        command.envs(variables.iter().copied()).stdout(Stdio::piped());
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut process = command.stderr(log).spawn().unwrap();
        let mut text = String::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            text.push_str(&line.unwrap());
            if text.ends_with('}') {
                break;
            }
        }
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        let ready: Option<Value> = serde_json::from_str(&text).ok();
        assert!(ready.is_some(), "the hub did not start: {log}");
        let ready = ready.unwrap();
        let token = std::fs::read_to_string(ready["token_file"].as_str().unwrap()).unwrap().trim().to_owned();
        Self { url: ready["url"].as_str().unwrap().to_owned(), token, data, process, folder }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Tells the hub to stop and waits for it; gives its folder back.
    pub fn stop(mut self) -> TempDir {
        kill(self.pid(), Signal::SIGTERM).unwrap();
        assert!(self.process.wait().unwrap().success(), "{}", self.log());
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).unwrap())
    }

    /// The command against this hub, as its administrator.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = kontor();
        command.args(arguments).env("KONTOR_REGISTRY", &self.url).env("KONTOR_TOKEN", &self.token);
        command.env("KONTOR_CONFIG_HOME", self.folder.path().join("settings"));
        command
    }

    /// Runs it and reads what it prints as JSON; the exit code must be `code`.
    pub fn json(&self, arguments: &[&str], code: i32) -> Value {
        self.json_in(Path::new("."), arguments, code)
    }

    pub fn json_in(&self, folder: &Path, arguments: &[&str], code: i32) -> Value {
        let output = self.command(arguments).arg("--json").current_dir(folder).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// Runs it; what it says on standard error, and the exit code.
    pub fn complaint(&self, folder: &Path, arguments: &[&str]) -> (i32, String) {
        let output = self.command(arguments).current_dir(folder).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn said(output: &Output) -> String {
    said_of(&output.stderr)
}

pub fn said_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Writes a skill's folder below `root`.
pub fn write_skill(root: &Path, path: &str, name: &str, body: &str) {
    let folder = root.join(path);
    std::fs::create_dir_all(&folder).unwrap();
    let text =
        format!("---\nname: {name}\ndescription: Helps with {name}. Use when somebody asks for {name}.\n---\n{body}\n");
    std::fs::write(folder.join("SKILL.md"), text).unwrap();
}
