//! Where agents keep skills, settings and tool servers on this machine.

use std::env;
use std::path::PathBuf;

/// Below the home folder and below the working folder: folders of skills, each skill one unit.
const SKILLS: &[&str] = &[
    ".claude/skills",
    ".claude/plugins",
    ".agents/skills",
    ".codex/skills",
    ".cursor/skills",
    ".gemini/skills",
    ".openclaw/skills",
    ".openclaw/workspace/skills",
    ".config/opencode/skills",
    ".windsurf/skills",
    ".github/skills",
    "skills",
];
/// Settings, memory and lists of tool servers, each one unit.
const SETTINGS: &[&str] = &[
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".claude/CLAUDE.md",
    ".claude.json",
    ".mcp.json",
    ".cursor/mcp.json",
    ".vscode/mcp.json",
    ".vscode/settings.json",
    ".vscode/tasks.json",
    ".codex/config.toml",
    ".gemini/settings.json",
    ".openclaw/openclaw.json",
    ".windsurf/mcp_config.json",
    ".codeium/windsurf/mcp_config.json",
    ".config/Claude/claude_desktop_config.json",
    "Library/Application Support/Claude/claude_desktop_config.json",
    "AppData/Roaming/Claude/claude_desktop_config.json",
    "CLAUDE.md",
    "AGENTS.md",
];

/// Everything of these that exists.
pub fn places() -> Vec<PathBuf> {
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE")).map(PathBuf::from);
    let here = env::current_dir().ok();
    let mut found = Vec::new();
    for root in home.into_iter().chain(here) {
        for folder in SKILLS.iter().map(|folder| root.join(folder)).filter(|folder| folder.is_dir()) {
            if let Ok(discovery) = kontor_package::discover(&folder, &kontor_package::DiscoveryLimits::default()) {
                found.extend(discovery.skills.iter().map(|skill| folder.join(&skill.path)));
            }
        }
        found.extend(SETTINGS.iter().map(|file| root.join(file)).filter(|file| file.is_file()));
    }
    found.sort();
    found.dedup();
    found
}
