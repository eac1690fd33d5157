//! What a run that was granted nothing says of what it would need.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How much of an output is looked at.
const LOOKED_AT: usize = 256 << 10;

/// Something that a run was seen to need.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "need", content = "what")]
pub enum Need {
    /// A Python or Node module.
    Module(String),
    /// A connection; the host where it is said.
    Network(Option<String>),
    /// A variable of the environment that holds a secret or a setting.
    Variable(String),
    /// A program of the machine.
    Program(String),
}

/// What was seen in a run's ending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// What it needs.
    pub needs: BTreeSet<Need>,
    /// Whether it told how it is used.
    pub usage: bool,
}

impl Observation {
    /// Reads what a run has said.
    pub fn of(stdout: &[u8], stderr: &[u8]) -> Self {
        let mut seen = Self::default();
        for stream in [stderr, stdout] {
            let text = String::from_utf8_lossy(stream.get(..stream.len().min(LOOKED_AT)).unwrap_or_default());
            for line in text.lines() {
                seen.line(line.trim());
            }
        }
        seen
    }

    fn line(&mut self, line: &str) {
        let lower = line.to_ascii_lowercase();
        let usage = ["usage:", "usage ", "options:", "commands:", "arguments:"];
        if usage.iter().any(|word| lower.starts_with(word)) || lower.contains("usage:") {
            self.usage = true;
        }
        self.modules(line);
        self.network(&lower, line);
        self.variables(line);
        self.programs(line, &lower);
    }

    fn modules(&mut self, line: &str) {
        for lead in ["No module named ", "Cannot find module ", "Cannot find package "] {
            if let Some(name) = quoted_after(line, lead) {
                let is_path = name.starts_with(['.', '/']);
                let first = name.split(['.', '/']).next().unwrap_or(&name).to_owned();
                let whole = if name.starts_with('@') { name.clone() } else { first };
                if !is_path {
                    self.needs.insert(Need::Module(whole));
                }
            }
        }
    }

    fn network(&mut self, lower: &str, line: &str) {
        const SIGNS: &[&str] = &[
            "name or service not known",
            "temporary failure in name resolution",
            "network is unreachable",
            "could not resolve host",
            "getaddrinfo",
            "nameresolutionerror",
            "max retries exceeded",
            "connection refused",
            // Not the end of "ModuleNotFoundError".
            "enotfound ",
            "enotfound'",
            "eai_again",
            "enetunreach",
            "econnrefused",
            "fetch failed",
            "urlopen error",
            "connecterror",
            "no address associated with hostname",
            "unable to resolve",
            "failed to establish a new connection",
        ];
        if SIGNS.iter().any(|sign| lower.contains(sign)) {
            self.needs.insert(Need::Network(host_in(line)));
        }
    }

    fn variables(&mut self, line: &str) {
        let is_variable = |word: &str| {
            word.len() > 3
                && word.contains('_')
                && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
                && word.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase())
        };
        if let Some(name) = quoted_after(line, "KeyError: ").filter(|name| is_variable(name)) {
            self.needs.insert(Need::Variable(name));
            return;
        }
        let lower = line.to_ascii_lowercase();
        if !UNSET.iter().any(|sign| lower.contains(sign)) {
            return;
        }
        let words = line.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
        let secret = |word: &&str| {
            is_variable(word)
                && ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "_ID", "ACCOUNT"]
                    .iter()
                    .any(|part| word.contains(part))
        };
        self.needs.extend(words.filter(secret).map(|word| Need::Variable(word.to_owned())));
    }

    fn programs(&mut self, line: &str, lower: &str) {
        if let Some(before) = line.strip_suffix(": command not found").or_else(|| line.strip_suffix(": not found")) {
            let name = before.rsplit([' ', ':']).next().unwrap_or_default();
            self.program(name);
        }
        if let Some(name) = quoted_after(line, "No such file or directory: ").filter(|name| !name.contains(['/', '.']))
        {
            self.program(&name);
        }
        if let Some(rest) = line.split("spawn ").nth(1).filter(|_| line.contains("ENOENT")) {
            self.program(rest.split_whitespace().next().unwrap_or_default());
        }
        for sign in [
            " is not installed",
            " not installed",
            " is required but",
            " not found in path",
            " could not be found",
            " not found. please install",
            " not found. install",
            " not found",
        ] {
            if let Some(at) = lower.find(sign) {
                let before = line.get(..at).unwrap_or_default();
                let name = before.rsplit([' ', ':', '\'', '"', '`']).find(|word| !word.is_empty()).unwrap_or_default();
                if KNOWN_PROGRAMS.contains(&name.to_ascii_lowercase().as_str()) {
                    self.program(&name.to_ascii_lowercase());
                }
            }
        }
    }

    fn program(&mut self, name: &str) {
        let name = name.trim_matches(['\'', '"', '`', '(', ')']);
        let is_word = !name.is_empty()
            && name.len() < 64
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+.".contains(&byte));
        if is_word {
            self.needs.insert(Need::Program(name.to_owned()));
        }
    }
}

/// How scripts say that a variable is not there.
const UNSET: &[&str] = &[
    "not set",
    "is required",
    "missing",
    "please set",
    "must be set",
    "unbound variable",
    "environment variable",
    "not found",
    "export ",
];

/// Programs that scripts name in sentences of their own.
const KNOWN_PROGRAMS: &[&str] = &[
    "ffmpeg",
    "ffprobe",
    "soffice",
    "libreoffice",
    "pandoc",
    "pdftoppm",
    "pdftotext",
    "qpdf",
    "tesseract",
    "docker",
    "git",
    "gh",
    "jq",
    "curl",
    "wget",
    "tmux",
    "node",
    "npm",
    "npx",
    "go",
    "cargo",
    "rustc",
    "java",
    "mvn",
    "gradle",
    "terraform",
    "kubectl",
    "helm",
    "aws",
    "gcloud",
    "az",
    "psql",
    "mysql",
    "sqlite3",
    "redis-cli",
    "convert",
    "magick",
    "graphviz",
    "dot",
    "uv",
    "uvx",
    "pipx",
    "poetry",
    "bun",
    "deno",
    "pnpm",
    "yarn",
    "tsc",
    "vite",
    "codexbar",
    "whisper",
    "yt-dlp",
    "chromium",
    "google-chrome",
    "claude",
    "codex",
    "tree",
    "rg",
    "fd",
    "make",
    "gcc",
];

/// What stands behind a lead, with or without quotes.
fn quoted_after(line: &str, lead: &str) -> Option<String> {
    let rest = line.get(line.find(lead)? + lead.len()..)?;
    let quote = rest.chars().next()?;
    let name = if ['\'', '"', '`'].contains(&quote) {
        rest.get(1..)?.split(quote).next()?
    } else {
        rest.split_whitespace().next()?
    };
    (!name.is_empty() && name.len() < 200).then(|| name.to_owned())
}

/// The host that a line about a failed connection names.
fn host_in(line: &str) -> Option<String> {
    let after = |lead: &str| line.find(lead).and_then(|at| line.get(at + lead.len()..));
    let rest = after("://")
        .or_else(|| after("host='"))
        .or_else(|| after("resolve host: "))
        .or_else(|| after("ENOTFOUND "))
        .or_else(|| after("EAI_AGAIN "))?;
    let end = rest.find(|char: char| !(char.is_ascii_alphanumeric() || char == '.' || char == '-'));
    let host = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches('.');
    (host.contains('.') && host.len() < 254).then(|| host.to_ascii_lowercase())
}
