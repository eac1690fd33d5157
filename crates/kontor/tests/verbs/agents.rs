//! Agents' clients: their settings, skills in all of them, and the hub's tools over standard input and output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::hub::{Hub, kontor, write_skill};

/// A hub with one skill, and somebody's home.
struct Home {
    hub: Hub,
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { hub: Hub::start(), folder: tempfile::tempdir().unwrap() };
        write_skill(home.path("source").as_path(), "pdf", "pdf", "Read the tables first.");
        let source = home.path("source");
        let report = home.hub.json(&["import", source.to_str().unwrap(), "--publisher", "acme"], 0);
        assert_eq!(report["refused"], 0, "{report}");
        home
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// The command in this home.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.hub.command(arguments);
        command.env("HOME", self.folder.path()).env("KONTOR_CONFIG_HOME", self.path(".config/kontor"));
        for name in ["XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "OPENCLAW_STATE_DIR"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.command(arguments).arg("--json").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::String(said))
    }
}

const CLAUDE: &str =
    "{\n  \"numStartups\": 3,\n  \"mcpServers\": {\n    \"other\": {\n      \"command\": \"other\"\n    }\n  }\n}";
const CODEX: &str = "# mine\nmodel = \"o5\"\n";

#[test]
fn a_tool_that_no_hub_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let connect = |tools: &str, more: &[&str]| {
        let mut command = kontor();
        command.args(["connect", "claude", "--tools", tools]).args(more).env("HOME", folder.path());
        let output = command.env("KONTOR_CONFIG_HOME", folder.path()).env_remove("CLAUDE_CONFIG_DIR").output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        (output.status.code(), out, err)
    };
    let (code, _, text) = connect("search_skillz,run_skill", &[]);
    assert!(code == Some(2) && text.contains("did you mean `search_skills`?"), "{code:?} {text}");
    assert!(!folder.path().join(".claude.json").exists());
    assert_eq!(connect("search_skills,acme__pdf__read", &[]).0, Some(0));
    let (code, same, _) = connect("search_skills,acme__pdf__read", &["--dry-run"]);
    assert!(code == Some(0) && same.contains("unchanged"), "{code:?} {same}");
}

#[test]
fn settings_come_back_exactly_as_they_were() {
    let home = Home::new();
    home.write(".claude.json", CLAUDE);
    home.write(".codex/config.toml", CODEX);
    let done = home.run(&["connect", "claude", "codex", "openclaw"], 0);
    let states: Vec<_> = done["items"].as_array().unwrap().iter().map(|item| item["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["connected", "connected", "connected"]);
    let claude: Value = serde_json::from_str(&home.read(".claude.json")).unwrap();
    let server = &claude["mcpServers"]["kontor"];
    assert_eq!(server["args"], json!(["mcp", "--registry", home.hub.url]));
    assert!(Path::new(server["command"].as_str().unwrap()).is_absolute());
    assert_eq!((&claude["numStartups"], &claude["mcpServers"]["other"]["command"]), (&json!(3), &json!("other")));
    assert!(home.read(".codex/config.toml").starts_with(CODEX));
    let openclaw: Value = serde_json::from_str(&home.read(".openclaw/openclaw.json")).unwrap();
    assert_eq!(openclaw["mcp"]["servers"]["kontor"]["args"][0], "mcp");
    let secret = [".claude.json", ".codex/config.toml", ".openclaw/openclaw.json"].map(|path| home.read(path)).concat();
    assert!(!secret.contains(&home.hub.token), "no settings hold a token");

    let again = home.run(&["connect", "claude", "codex"], 0);
    assert!(again["items"].as_array().unwrap().iter().all(|item| item["state"] == "unchanged"), "{again}");
    home.run(&["connect", "claude", "codex", "openclaw", "--undo"], 0);
    assert_eq!((home.read(".claude.json").as_str(), home.read(".codex/config.toml").as_str()), (CLAUDE, CODEX));
    assert!(!home.path(".openclaw/openclaw.json").exists(), "what was not there before is gone");
    let twice = home.run(&["connect", "claude", "--undo"], 6);
    assert!(twice.to_string().contains("Claude Code is not connected"), "{twice}");
}

#[test]
fn what_changed_meanwhile_stays_when_the_hub_is_taken_out() {
    let home = Home::new();
    home.write(".claude.json", CLAUDE);
    home.run(&["connect", "claude"], 0);
    let changed = home.read(".claude.json").replace("\"numStartups\": 3", "\"numStartups\": 4");
    home.write(".claude.json", &changed);
    home.run(&["connect", "claude", "--undo"], 0);
    assert_eq!(home.read(".claude.json"), CLAUDE.replace(": 3", ": 4"));
}

#[test]
fn a_connection_that_was_cut_off_can_be_undone_and_made_again() {
    let home = Home::new();
    home.write(".claude.json", CLAUDE);
    home.run(&["connect", "claude", "cursor"], 0);
    // The record is written first: as if the machine had stopped before the settings were.
    home.write(".claude.json", CLAUDE);
    std::fs::remove_file(home.path(".cursor/mcp.json")).unwrap();
    home.run(&["connect", "claude"], 0);
    home.write(".claude.json", CLAUDE);
    home.run(&["connect", "claude", "cursor", "--undo"], 0);
    assert_eq!(home.read(".claude.json"), CLAUDE);
    assert!(!home.path(".cursor/mcp.json").exists());
    assert_eq!(home.run(&["connect", "claude"], 0)["items"][0]["state"], "connected");
}

#[test]
fn what_was_added_between_two_connections_stays_when_the_hub_is_taken_out() {
    let home = Home::new();
    home.write(".claude.json", CLAUDE);
    home.run(&["connect", "claude"], 0);
    let changed = home.read(".claude.json").replace("\"numStartups\": 3", "\"numStartups\": 4");
    home.write(".claude.json", &changed);
    home.run(&["connect", "claude", "--tools", "search_skills"], 0);
    home.run(&["connect", "claude", "--tools", "get_skill"], 0);
    home.run(&["connect", "claude", "--undo"], 0);
    assert_eq!(home.read(".claude.json"), CLAUDE.replace(": 3", ": 4"));
}

#[test]
fn nothing_is_written_that_somebody_else_wrote_or_that_cannot_be_read() {
    let home = Home::new();
    home.write(".cursor/mcp.json", "{\"mcpServers\": {\"kontor\": {\"command\": \"mine\"}}}");
    home.write(".openclaw/openclaw.json", "{\n  // my comment\n}");
    for (client, why) in [("cursor", "another server"), ("openclaw", "not plain JSON")] {
        let refused = home.run(&["connect", client], 6);
        assert!(refused.to_string().contains(why), "{refused}");
    }
    assert!(
        home.read(".cursor/mcp.json").contains("mine") && home.read(".openclaw/openclaw.json").contains("my comment")
    );
    home.run(&["connect", "cursor", "--name", "hub"], 0);
    assert!(home.read(".cursor/mcp.json").contains("\"mine\"") && home.read(".cursor/mcp.json").contains("\"hub\""));
    let output = home.command(&["connect", "codex", "--dry-run"]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && shown.contains("+[mcp_servers.kontor]"), "{shown}");
    assert!(!home.path(".codex").exists());
    let unknown = home.run(&["connect", "clade"], 2);
    assert!(unknown.to_string().contains("did you mean `claude`?"), "{unknown}");
}

#[test]
fn a_skill_is_live_in_every_connected_agent_and_gone_again() {
    let home = Home::new();
    let nobody = home.run(&["activate", "@acme/pdf"], 2);
    assert!(nobody.to_string().contains("no agent is connected"), "{nobody}");
    home.run(&["connect", "claude", "cursor", "openclaw"], 0);
    home.run(&["activate", "@acme/pdf"], 0);
    let folders = [".claude/skills/pdf", ".cursor/skills/pdf", ".openclaw/skills/pdf"];
    assert!(folders.iter().all(|folder| home.path(folder).join("SKILL.md").is_file()));
    home.run(&["deactivate", "@acme/pdf"], 0);
    assert!(folders.iter().all(|folder| !home.path(folder).exists()));
}

/// A client at the other end of `kontor mcp`.
struct Pipe {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Pipe {
    fn open(mut command: Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, input, output }
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let read = serde_json::from_str(&line);
        assert!(read.is_ok(), "not a message: {line}");
        read.unwrap()
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.tell(&json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string());
        self.hear()
    }

    /// Closes the input; the program must end by itself, and say nothing more.
    fn close(mut self) -> String {
        drop(self.input.take());
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut rest).unwrap();
        assert_eq!(rest, "");
        let output = self.process.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn the_hubs_tools_come_through_standard_input_and_output() {
    let home = Home::new();
    let mut pipe = Pipe::open(home.command(&["mcp"]));
    let client = json!({"name": "test", "version": "1"});
    let met =
        pipe.ask("initialize", &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}));
    assert_eq!((&met["id"], &met["result"]["serverInfo"]["name"]), (&json!(7), &json!("kontor")), "{met}");
    pipe.tell(r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#);
    pipe.tell("");
    let skill = pipe.ask("tools/call", &json!({"name": "get_skill", "arguments": {"skill": "@acme/pdf"}}));
    assert!(skill["result"]["content"][0]["text"].as_str().unwrap().contains("Read the tables first."), "{skill}");
    // Clients without a handshake say everything with each message; the headers that the hub wants follow from it.
    let modern = json!({
        "uri": "skill://acme/pdf/SKILL.md",
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": client,
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    });
    let read = pipe.ask("resources/read", &modern);
    assert!(read["result"]["contents"][0]["text"].as_str().unwrap().contains("Read the tables first."), "{read}");
    pipe.tell("this is no message");
    let refused = pipe.hear();
    assert_eq!((&refused["error"]["code"], refused.get("id")), (&json!(-32_700), None), "{refused}");
    assert_eq!(pipe.close(), "");
}

#[test]
fn a_tool_that_was_not_allowed_does_not_come_through() {
    let home = Home::new();
    let mut pipe = Pipe::open(home.command(&["mcp", "--tools", "search_skills"]));
    let tools = pipe.ask("tools/list", &json!({}));
    assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 1, "{tools}");
    let refused = pipe.ask("tools/call", &json!({"name": "get_skill", "arguments": {"skill": "@acme/pdf"}}));
    assert_eq!(refused["error"]["code"], -32_602, "{refused}");
    pipe.close();
}

#[test]
fn a_hub_that_does_not_answer_is_told_in_the_protocol_and_on_standard_error() {
    let mut command = kontor();
    command.args(["mcp", "--registry", "http://127.0.0.1:9"]);
    let mut pipe = Pipe::open(command);
    let refused = pipe.ask("tools/list", &json!({}));
    assert_eq!(
        (&refused["id"], &refused["error"]["data"]["kontor/problem"]["code"]),
        (&json!(7), &json!("unreachable")),
        "{refused}"
    );
    let said = pipe.close();
    assert!(said.contains("http://127.0.0.1:9"), "{said}");

    let home = Home::new();
    let mut wrong = home.command(&["mcp"]);
    wrong.env("KONTOR_TOKEN", "kontor_nobody");
    let mut pipe = Pipe::open(wrong);
    let refused = pipe.ask("tools/list", &json!({}));
    assert_eq!(
        (&refused["id"], &refused["error"]["data"]["code"]),
        (&json!(7), &json!("unauthenticated")),
        "{refused}"
    );
    pipe.close();
}
