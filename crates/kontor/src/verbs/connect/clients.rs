//! The clients that are known, where each keeps its settings, and how an MCP server is written in them.

mod json;
mod toml;

use std::path::{Path, PathBuf};

use kontor_client::UserFolders;
use serde_json::{Value, json};

use super::by_hand;

/// An agent's client.
#[derive(Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name on the command line.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The agent that it is, by its name in `kontor install --agent`.
    pub agent: &'static str,
    place: Place,
    form: Form,
}

/// Where settings are: below the folder that a variable names, or else below the home or settings folder.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Home(&'static str),
    Settings(&'static str),
    Variable(&'static str, &'static str, &'static str),
}

/// How a server is written.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    /// In JSON below these keys.
    Json(&'static [&'static str], Shape),
    /// In TOML below `mcp_servers`.
    Toml,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A command and its arguments.
    Plain,
    /// The same, and that it speaks over standard input and output.
    Typed,
    /// One list of both, and that it is used.
    Listed,
}

/// A program that is an MCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The program.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

use Place::{Home, Settings, Variable};

const SERVERS: &[&str] = &["mcpServers"];

/// Known clients, by their name.
pub const CLIENTS: &[Client] = &[
    Client {
        id: "claude",
        name: "Claude Code",
        agent: "claude-code",
        place: Variable("CLAUDE_CONFIG_DIR", "", ".claude.json"),
        form: Form::Json(SERVERS, Shape::Typed),
    },
    Client {
        id: "codex",
        name: "Codex",
        agent: "codex",
        place: Variable("CODEX_HOME", ".codex", "config.toml"),
        form: Form::Toml,
    },
    Client {
        id: "cursor",
        name: "Cursor",
        agent: "cursor",
        place: Home(".cursor/mcp.json"),
        form: Form::Json(SERVERS, Shape::Plain),
    },
    Client {
        id: "gemini",
        name: "Gemini CLI",
        agent: "gemini-cli",
        place: Home(".gemini/settings.json"),
        form: Form::Json(SERVERS, Shape::Plain),
    },
    Client {
        id: "openclaw",
        name: "OpenClaw",
        agent: "openclaw",
        place: Variable("OPENCLAW_STATE_DIR", ".openclaw", "openclaw.json"),
        form: Form::Json(&["mcp", "servers"], Shape::Plain),
    },
    Client {
        id: "opencode",
        name: "OpenCode",
        agent: "opencode",
        place: Settings("opencode/opencode.json"),
        form: Form::Json(&["mcp"], Shape::Listed),
    },
    Client {
        id: "windsurf",
        name: "Windsurf",
        agent: "windsurf",
        place: Home(".codeium/windsurf/mcp_config.json"),
        form: Form::Json(SERVERS, Shape::Plain),
    },
];

impl Client {
    /// Where its settings are.
    pub fn file(&self, folders: &UserFolders) -> PathBuf {
        match self.place {
            Home(path) => folders.home().join(path),
            Settings(path) => folders.settings().join(path),
            Variable(name, otherwise, last) => {
                folders.variable(name).unwrap_or_else(|| folders.home().join(otherwise)).join(last)
            }
        }
    }

    /// The settings with this server in them; `ours` says that one of that name may be replaced.
    pub fn with(&self, text: &str, name: &str, entry: &Entry, ours: bool, file: &Path) -> anyhow::Result<String> {
        let written = match &self.form {
            Form::Json(keys, shape) => json::with(text, keys, name, &shape.value(entry), ours),
            Form::Toml => toml::with(text, name, entry, ours),
        };
        written.map_err(|why| by_hand(file, &why, &self.snippet(name, entry)))
    }

    /// The settings without the server of this name.
    pub fn without(&self, text: &str, name: &str, file: &Path) -> anyhow::Result<String> {
        let written = match &self.form {
            Form::Json(keys, _) => json::without(text, keys, name),
            Form::Toml => toml::without(text, name),
        };
        written.map_err(|why| {
            let message = format!("{} is left as it is: {why}", file.display());
            kontor_client::Error::refused(message, format!("take `{name}` out by hand")).into()
        })
    }

    /// What somebody would write by hand.
    fn snippet(&self, name: &str, entry: &Entry) -> String {
        match &self.form {
            Form::Json(keys, shape) => {
                let server = json!({ name: shape.value(entry) });
                let whole = keys.iter().rev().fold(server, |inner, key| json!({ *key: inner }));
                serde_json::to_string_pretty(&whole).unwrap_or_default()
            }
            Form::Toml => toml::table(name, entry),
        }
    }
}

impl Shape {
    fn value(self, entry: &Entry) -> Value {
        match self {
            Self::Plain => json!({ "command": entry.command, "args": entry.arguments }),
            Self::Typed => json!({ "type": "stdio", "command": entry.command, "args": entry.arguments }),
            Self::Listed => {
                let all: Vec<&String> = std::iter::once(&entry.command).chain(&entry.arguments).collect();
                json!({ "type": "local", "command": all, "enabled": true })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_an_agent_with_settings_of_its_own() {
        let folders = UserFolders::below(Path::new("/home/me"));
        let mut files: Vec<_> = CLIENTS.iter().map(|client| client.file(&folders)).collect();
        assert!(CLIENTS.iter().all(|client| kontor_client::Agent::find(client.agent).is_some()));
        assert_eq!(files.first(), Some(&PathBuf::from("/home/me/.claude.json")));
        files.sort();
        files.dedup();
        assert_eq!(files.len(), CLIENTS.len());
    }
}
