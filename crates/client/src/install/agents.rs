use std::path::{Path, PathBuf};

/// An agent that reads skills from folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// Its name on the command line.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Where in a project it looks.
    pub project: &'static str,
    /// Where it looks for all projects of a user.
    user: UserFolder,
}

/// Where an agent looks for all projects of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UserFolder {
    /// Below the home folder.
    Home(&'static str),
    /// Below the user's folder for settings.
    Settings(&'static str),
    /// Below the folder that a variable names, or else below the home folder.
    Variable(&'static str, &'static str, &'static str),
    /// The first of these below the home folder that is there, then the last part.
    First(&'static [&'static str], &'static str),
}

use UserFolder::{First, Home, Settings, Variable};

const fn agent(id: &'static str, name: &'static str, project: &'static str, user: UserFolder) -> Agent {
    Agent { id, name, project, user }
}

/// Where several agents agree to look.
const SHARED: &str = ".agents/skills";

/// Known agents, the shared folder first, then by name.
pub const AGENTS: &[Agent] = &[
    agent("universal", "any agent that reads .agents/skills", SHARED, Home(SHARED)),
    agent("amp", "Amp", SHARED, Settings("agents/skills")),
    agent("antigravity", "Antigravity", SHARED, Home(".gemini/antigravity/skills")),
    agent("augment", "Augment", ".augment/skills", Home(".augment/skills")),
    agent("claude-code", "Claude Code", ".claude/skills", Variable("CLAUDE_CONFIG_DIR", ".claude", "skills")),
    agent("cline", "Cline", SHARED, Home(SHARED)),
    agent("codebuddy", "CodeBuddy", ".codebuddy/skills", Home(".codebuddy/skills")),
    agent("codex", "Codex", SHARED, Home(SHARED)),
    agent("continue", "Continue", ".continue/skills", Home(".continue/skills")),
    agent("crush", "Crush", ".crush/skills", Home(".config/crush/skills")),
    agent("cursor", "Cursor", SHARED, Home(".cursor/skills")),
    agent("droid", "Droid", SHARED, Home(".factory/skills")),
    agent("gemini-cli", "Gemini CLI", SHARED, Home(".gemini/skills")),
    agent("github-copilot", "GitHub Copilot", SHARED, Home(".copilot/skills")),
    agent("goose", "Goose", ".goose/skills", Settings("goose/skills")),
    agent("grok", "Grok Build", ".grok/skills", Variable("GROK_HOME", ".grok", "skills")),
    agent("hermes-agent", "Hermes Agent", ".hermes/skills", Variable("HERMES_HOME", ".hermes", "skills")),
    agent("iflow-cli", "iFlow CLI", ".iflow/skills", Home(".iflow/skills")),
    agent("junie", "Junie", ".junie/skills", Home(".junie/skills")),
    agent("kilo", "Kilo Code", SHARED, Home(".kilo/skills")),
    agent("kimi-code-cli", "Kimi Code CLI", SHARED, Home(SHARED)),
    agent("kiro-cli", "Kiro CLI", ".kiro/skills", Home(".kiro/skills")),
    agent("lingma", "Lingma", ".lingma/skills", Home(".lingma/skills")),
    agent("mistral-vibe", "Mistral Vibe", ".vibe/skills", Variable("VIBE_HOME", ".vibe", "skills")),
    agent("opencode", "OpenCode", SHARED, Settings("opencode/skills")),
    agent("openclaw", "OpenClaw", "skills", First(&[".openclaw", ".clawdbot", ".moltbot"], "skills")),
    agent("openhands", "OpenHands", ".openhands/skills", Home(".openhands/skills")),
    agent("qoder", "Qoder", ".qoder/skills", Home(".qoder/skills")),
    agent("qwen-code", "Qwen Code", ".qwen/skills", Home(".qwen/skills")),
    agent("roo", "Roo Code", ".roo/skills", Home(".roo/skills")),
    agent("tabnine-cli", "Tabnine CLI", ".tabnine/agent/skills", Home(".tabnine/agent/skills")),
    agent("trae", "Trae", ".trae/skills", Home(".trae/skills")),
    agent("warp", "Warp", SHARED, Home(SHARED)),
    agent("windsurf", "Windsurf", ".windsurf/skills", Home(".codeium/windsurf/skills")),
    agent("zed", "Zed", SHARED, Home(SHARED)),
];

impl Agent {
    /// The name of the folder that many agents share, where skills go unless told otherwise.
    pub const SHARED: &'static str = "universal";

    /// The agent of that name.
    pub fn find(id: &str) -> Option<&'static Self> {
        AGENTS.iter().find(|agent| agent.id == id)
    }

    /// Where it looks for all projects of the user whose folders these are.
    pub fn user_folder(&self, folders: &UserFolders) -> PathBuf {
        match self.user {
            Home(path) => folders.home.join(path),
            Settings(path) => folders.settings.join(path),
            Variable(name, otherwise, last) => {
                folders.variable(name).unwrap_or_else(|| folders.home.join(otherwise)).join(last)
            }
            First(names, last) => {
                let found = names.iter().map(|name| folders.home.join(name)).find(|path| path.is_dir());
                let first = || folders.home.join(names.first().copied().unwrap_or_default());
                found.unwrap_or_else(first).join(last)
            }
        }
    }
}

/// A user's folders, from which those of agents follow.
#[derive(Debug, Clone)]
pub struct UserFolders {
    home: PathBuf,
    settings: PathBuf,
    variables: fn(&str) -> Option<PathBuf>,
}

impl UserFolders {
    /// Of whoever runs this program.
    pub fn own() -> Option<Self> {
        let home = from_environment("HOME").or_else(|| from_environment("USERPROFILE"))?;
        let settings = from_environment("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        Some(Self { home, settings, variables: from_environment })
    }

    /// Below `home`, whatever the environment says.
    pub fn below(home: &Path) -> Self {
        Self { home: home.to_owned(), settings: home.join(".config"), variables: |_| None }
    }

    /// Their home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Where programs keep settings.
    pub fn settings(&self) -> &Path {
        &self.settings
    }

    /// The folder that a variable of the environment names.
    pub fn variable(&self, name: &str) -> Option<PathBuf> {
        (self.variables)(name)
    }
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{AGENTS, Agent, UserFolders};

    #[test]
    fn each_agent_is_there_once_with_folders_of_its_own_kind() {
        let ids: BTreeSet<&str> = AGENTS.iter().map(|agent| agent.id).collect();
        assert_eq!(ids.len(), AGENTS.len());
        assert!(AGENTS.iter().all(|agent| agent.project.ends_with("skills") && !agent.project.starts_with('/')));
    }

    #[test]
    fn folders_follow_the_users_home() {
        let folders = UserFolders::below(Path::new("/home/me"));
        let folder = |id: &str| Agent::find(id).map(|agent| agent.user_folder(&folders).display().to_string());
        assert_eq!(folder("claude-code").as_deref(), Some("/home/me/.claude/skills"));
        assert_eq!(folder("codex").as_deref(), Some("/home/me/.agents/skills"));
        assert_eq!(folder("openclaw").as_deref(), Some("/home/me/.openclaw/skills"));
        assert_eq!(folder("goose").as_deref(), Some("/home/me/.config/goose/skills"));
        assert_eq!(folder("nobody"), None);
    }
}
