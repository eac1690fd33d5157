//! A person who runs skills, with settings and packages of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::hub::{kontor, said, write_skill};

/// A user with settings of their own.
pub struct User(TempDir);

impl User {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = kontor();
        command.args(arguments).env("KONTOR_CONFIG_HOME", self.path("settings"));
        command.env("KONTOR_CACHE_HOME", self.path("cache")).current_dir(self.0.path());
        command
    }

    pub fn run(&self, arguments: &[&str], code: i32) -> Output {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        output
    }

    pub fn json(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.run(arguments, code);
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// A skill with one script.
    pub fn skill(&self, script: &str, text: &str) {
        write_skill(self.0.path(), "skill", "skill", "Text.");
        fs::create_dir_all(self.path("skill/scripts")).unwrap();
        fs::write(self.path("skill/scripts").join(script), text).unwrap();
    }

    /// What is said when a tool does not take its input.
    pub fn refused(&self, skill: &Path, tool: &str, input: &str) -> String {
        fs::write(self.path("wrong.json"), input).unwrap();
        said(&self.run(&["run", skill.to_str().unwrap(), tool, "--input", "wrong.json", "--yes"], 6))
    }

    pub fn receipt(answer: &Value) -> PathBuf {
        PathBuf::from(answer["receipt"].as_str().unwrap())
    }
}

/// The folder of a starter skill.
pub fn starter(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../skills").join(name)
}
