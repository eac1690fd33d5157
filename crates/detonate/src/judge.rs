//! From what was seen to findings.

use std::collections::{BTreeMap, BTreeSet};

use kontor_package::Content;
use kontor_scan::{Finding, Severity};

use crate::canary::Found;
use crate::home::{PROJECT, Room};
use crate::rules::finding;
use crate::trial::Trial;
use crate::witness::Event;

/// How much of a skill's texts is looked through for names.
const TEXTS: usize = 8 << 20;
/// Lines of evidence in one finding.
const LINES: usize = 4;
/// A shorter wait is none.
const LONG: u64 = 60;
/// Where a cloud tells its machines their keys.
const METADATA: &[&str] = &["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "metadata.google.internal"];
/// Files of a home that work on by themselves, by the end or a part of their path.
const STARTS: &[&str] = &[
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".profile",
    ".zshrc",
    ".zprofile",
    ".zshenv",
    ".config/autostart/",
    ".config/systemd/",
    ".config/fish/",
    ".config/environment.d/",
    "LaunchAgents/",
    ".ssh/authorized_keys",
    ".ssh/config",
    ".ssh/rc",
    ".gitconfig",
    ".config/git/",
    ".git/hooks/",
    ".git/config",
    ".npmrc",
    ".config/pip/",
    ".pip/",
    ".local/bin/",
    "usercustomize.py",
    "sitecustomize.py",
];
/// Files that tell agents what to do.
const AGENTS: &[&str] = &[
    ".claude/",
    ".claude.json",
    "CLAUDE.md",
    "AGENTS.md",
    "GEMINI.md",
    ".codex/",
    ".cursor/",
    ".mcp.json",
    ".gemini/",
    ".cursorrules",
    "copilot-instructions.md",
];
/// Programs by which something is made to start later.
const TIMERS: &[&str] = &["crontab", "at", "launchctl", "systemctl"];

/// What a skill says of itself.
#[derive(Debug)]
pub struct Texts {
    all: String,
    /// Those for people and agents.
    prose: String,
}

impl Texts {
    /// Gathers all of its texts, in small letters.
    pub fn of(content: &Content) -> Self {
        let (mut all, mut prose) = (String::new(), String::new());
        for (path, bytes) in content.files() {
            if let Ok(text) = std::str::from_utf8(bytes)
                && all.len() + text.len() <= TEXTS
            {
                let text = text.to_ascii_lowercase();
                all.push_str(&text);
                all.push('\n');
                if path.to_ascii_lowercase().ends_with(".md") {
                    prose.push_str(&text);
                    prose.push('\n');
                }
            }
        }
        Self { all, prose }
    }

    /// Whether a host, or the domain that it belongs to, is named.
    fn name_host(&self, host: &str) -> bool {
        Self::has_host(&self.all, host)
    }

    /// Whether the instructions name both a variable and the name of a host, so that whoever reads them expects the one there.
    fn explain(&self, variable: &str, host: &str) -> bool {
        host.parse::<std::net::IpAddr>().is_err()
            && self.prose.contains(&variable.to_ascii_lowercase())
            && Self::has_host(&self.prose, host)
    }

    fn has_host(texts: &str, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let host = host.trim_end_matches('.');
        if host.parse::<std::net::IpAddr>().is_ok() {
            return texts.contains(host);
        }
        let labels: Vec<&str> = host.split('.').collect();
        let domain = labels.get(labels.len().saturating_sub(2)..).unwrap_or_default().join(".");
        texts.contains(host) || (labels.len() > 1 && texts.contains(&domain))
    }

    fn name(&self, text: &str) -> bool {
        self.all.contains(&text.to_ascii_lowercase())
    }
}

/// Collects evidence by rule, and how grave the gravest of it is.
#[derive(Default)]
struct Evidence(BTreeMap<&'static str, Weighed>);

#[derive(Default)]
struct Weighed {
    lines: Vec<String>,
    severity: Option<Severity>,
    why: &'static str,
    full: bool,
}

impl Evidence {
    /// As grave as the rule says.
    fn full(&mut self, rule: &'static str, line: String) {
        self.add(rule, line).full = true;
    }

    /// Less grave, because something explains it.
    fn less(&mut self, rule: &'static str, severity: Severity, why: &'static str, line: String) {
        let weighed = self.add(rule, line);
        if weighed.severity.is_none_or(|before| severity > before) {
            weighed.severity = Some(severity);
            weighed.why = why;
        }
    }

    fn add(&mut self, rule: &'static str, line: String) -> &mut Weighed {
        let weighed = self.0.entry(rule).or_default();
        if weighed.lines.len() < LINES && !weighed.lines.contains(&line) {
            weighed.lines.push(line);
        }
        weighed
    }

    fn findings(self, file: &str) -> Vec<Finding> {
        let one = |(rule, weighed): (&'static str, Weighed)| {
            let softened = weighed.severity.filter(|_| !weighed.full).map(|severity| (severity, weighed.why));
            finding(rule, file, &weighed.lines.join(" | "), softened)
        };
        self.0.into_iter().filter_map(one).collect()
    }
}

/// Judges all starts of one script.
pub fn judge(texts: &Texts, room: &Room, file: &str, trials: &[Trial]) -> Vec<Finding> {
    let mut evidence = Evidence::default();
    for trial in trials {
        let judge = Judge { texts, room, trial };
        judge.sent(&mut evidence);
        judge.said(&mut evidence);
        judge.read(&mut evidence);
        judge.reached(&mut evidence);
        judge.obeyed(&mut evidence);
        judge.changed(&mut evidence);
        judge.asked(&mut evidence);
    }
    evidence.findings(file)
}

struct Judge<'j> {
    texts: &'j Texts,
    room: &'j Room,
    trial: &'j Trial,
}

impl Judge<'_> {
    fn line(&self, what: &str) -> String {
        format!("`{}` {what}", self.trial.shown)
    }

    /// Secrets in what was sent. Names that were asked for are looked at as one text, without their dots.
    fn sent(&self, evidence: &mut Evidence) {
        let mut names: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for traffic in &self.trial.traffic {
            let to = format!("{}:{} ({})", traffic.host, traffic.port, traffic.way);
            if traffic.way == "dns" {
                let labels: Vec<&str> = traffic.host.split('.').collect();
                let (front, domain) = labels.split_at(labels.len().saturating_sub(2));
                names.entry(domain.join(".")).or_default().extend(front.concat().as_bytes());
            }
            for found in self.room.canaries.find(&traffic.bytes) {
                self.leak(evidence, &found, &traffic.host, &to);
            }
        }
        for (domain, joined) in names {
            for found in self.room.canaries.find(&joined) {
                self.leak(evidence, &found, &domain, &format!("{domain} (in names that it asked for)"));
            }
        }
    }

    fn leak(&self, evidence: &mut Evidence, found: &Found, host: &str, to: &str) {
        let Some(canary) = self.room.canaries.all.get(found.canary) else { return };
        if canary.hosts.iter().any(|own| host == *own || host.ends_with(&format!(".{own}"))) {
            return;
        }
        let line = self.line(&format!("sends {} to {to}, {}", canary.shown(), found.form));
        let variable = canary.place.strip_prefix('$');
        if variable.is_some_and(|variable| self.texts.explain(variable, host)) {
            let why = "the instructions name the variable and the host";
            evidence.less("run.sends-secret", Severity::Low, why, line);
        } else {
            evidence.full("run.sends-secret", line);
        }
    }

    /// Secrets in what was printed, or put into files of its own.
    fn said(&self, evidence: &mut Evidence) {
        let found: BTreeSet<usize> =
            self.room.canaries.find(&self.trial.said).iter().map(|found| found.canary).collect();
        for number in found {
            let Some(canary) = self.room.canaries.all.get(number) else { continue };
            let line = self.line(&format!("prints {}", canary.shown()));
            if canary.grave {
                evidence.full("run.shows-secret", line);
            } else {
                let why = "a variable or a setting that programs read for their work";
                evidence.less("run.shows-secret", Severity::Medium, why, line);
            }
        }
        for path in self.trial.changes.added.iter().chain(&self.trial.changes.changed) {
            for found in self.room.canaries.find(&self.room.text(path)) {
                let Some(canary) = self.room.canaries.all.get(found.canary) else { continue };
                if canary.place != *path && canary.grave {
                    evidence.full("run.reads-secret", self.line(&format!("copies {} into ~/{path}", canary.shown())));
                }
            }
        }
    }

    /// Files with secrets that were opened by a program that has no use for them.
    fn read(&self, evidence: &mut Evidence) {
        let mut seen = BTreeSet::new();
        for event in &self.trial.log.events {
            let Event::Read { canary: number, program } = event else { continue };
            seen.insert(*number);
            let Some(canary) = self.room.canaries.all.get(*number).filter(|canary| canary.grave) else { continue };
            if !canary.readers.contains(&program.as_str()) {
                self.opened(evidence, &canary.place, &format!("reads {} by `{program}`", canary.shown()));
            }
        }
        // Whatever the way was: the file itself tells when it was read last.
        for number in self.trial.touched.iter().filter(|number| !seen.contains(*number)) {
            if let Some(canary) = self.room.canaries.all.get(*number).filter(|canary| canary.grave) {
                self.opened(evidence, &canary.place, &format!("reads {} by a way around its name", canary.shown()));
            }
        }
    }

    fn opened(&self, evidence: &mut Evidence, place: &str, what: &str) {
        if self.texts.name(&format!("~/{place}")) {
            let why = "the skill's texts name the file";
            evidence.less("run.reads-secret", Severity::Medium, why, self.line(what));
        } else {
            evidence.full("run.reads-secret", self.line(what));
        }
    }

    fn reached(&self, evidence: &mut Evidence) {
        for (host, port) in &self.trial.reached {
            let line = self.line(&format!("reaches for {host}:{port}"));
            if self.texts.name_host(host) {
                evidence.less("run.calls-out", Severity::Info, "the skill's texts name the host", line);
            } else if METADATA.contains(&host.as_str()) {
                evidence.less(
                    "run.calls-out",
                    Severity::High,
                    "",
                    self.line(&format!("asks {host} for the keys of this machine")),
                );
            } else {
                evidence.full("run.calls-out", line);
            }
        }
    }

    /// Whether what the network sent was run.
    fn obeyed(&self, evidence: &mut Evidence) {
        let Some(program) = self.trial.log.events.iter().find_map(|event| match event {
            Event::Probe { program } => Some(program),
            _ => None,
        }) else {
            return;
        };
        let web = self.trial.traffic.iter().filter(|traffic| matches!(traffic.way, "http" | "https"));
        let hosts: BTreeSet<&str> = web.map(|traffic| traffic.host.as_str()).collect();
        if hosts.is_empty() {
            return evidence.full("run.remote-control", self.line(&format!("runs what it is told, by `{program}`")));
        }
        let line = self
            .line(&format!("runs what {} sent, by `{program}`", hosts.iter().copied().collect::<Vec<_>>().join(", ")));
        if hosts.iter().all(|host| self.texts.name_host(host)) {
            evidence.less("run.runs-download", Severity::Medium, "the skill's texts name the host", line);
        } else {
            evidence.full("run.runs-download", line);
        }
    }

    fn changed(&self, evidence: &mut Evidence) {
        let changes = &self.trial.changes;
        let own = format!("{}/", self.room.skill);
        let mut lost = Vec::new();
        for (path, verb) in changes
            .removed
            .iter()
            .map(|path| (path, "removes"))
            .chain(changes.changed.iter().map(|path| (path, "changes")))
            .chain(changes.added.iter().map(|path| (path, "makes")))
        {
            if let Some(inner) = path.strip_prefix(&own) {
                if verb != "makes" && !is_data(inner) {
                    evidence.full("run.rewrites-itself", self.line(&format!("{verb} its own {inner}")));
                }
            } else if is_at(path, STARTS) || is_at(path, AGENTS) {
                self.tampered(evidence, path, verb);
            } else if verb != "makes" && !path.starts_with(".cache/") {
                lost.push((path, verb));
            }
        }
        let removed = lost.iter().filter(|(_, verb)| *verb == "removes").count();
        let Some((first, verb)) = lost.first() else { return };
        let line = self.line(&format!("{verb} ~/{first} and {} more files that it did not make", lost.len() - 1));
        if lost.len() >= 3 {
            evidence.full("run.destroys", line);
        } else if removed > 0 {
            evidence.less("run.destroys", Severity::Medium, "few files", line);
        } else if !first.starts_with(PROJECT) {
            evidence.less("run.destroys", Severity::Low, "few files", line);
        }
    }

    fn tampered(&self, evidence: &mut Evidence, path: &str, verb: &str) {
        let line = self.line(&format!("{verb} ~/{path}"));
        let name = path.rsplit('/').next().unwrap_or(path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        // Data that a skill keeps beside an agent's settings works nothing by itself.
        let inert = verb == "makes" && is_at(path, AGENTS) && is_data(path) && !name.contains("settings");
        if inert {
            return;
        }
        if self.texts.name(name) || (!folder.is_empty() && self.texts.name(&format!("{folder}/"))) {
            evidence.less("run.tampers", Severity::Medium, "the skill's texts name the file", line);
        } else {
            evidence.full("run.tampers", line);
        }
    }

    /// What it asked of the system, and of programs that make things start later.
    fn asked(&self, evidence: &mut Evidence) {
        for event in &self.trial.log.events {
            match event {
                Event::Refused { call, program } => {
                    let line = self.line(&format!("asks for `{call}`, by `{program}`"));
                    if matches!(*call, "keyctl" | "add_key" | "request_key") {
                        evidence.less("run.reaches-for-kernel", Severity::Low, "libraries ask for keys too", line);
                    } else {
                        evidence.full("run.reaches-for-kernel", line);
                    }
                }
                Event::Started { program, words } => {
                    let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    let arguments = words.get(1..).unwrap_or_default().join(" ");
                    let later = match name.as_str() {
                        "crontab" => !arguments.starts_with("-l"),
                        "systemctl" => arguments.contains("enable"),
                        "launchctl" => arguments.contains("load") || arguments.contains("bootstrap"),
                        other => TIMERS.contains(&other),
                    };
                    if later {
                        evidence.full("run.tampers", self.line(&format!("starts `{name} {arguments}`")));
                    }
                }
                _ => {}
            }
        }
        let seconds = self.trial.log.slept.as_secs();
        if seconds >= LONG {
            let line = self.line(&format!("waits for {seconds} seconds, which were cut short"));
            evidence.full("run.sleeps", line);
        }
    }
}

fn is_at(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| {
        if place.ends_with('/') {
            path.starts_with(place) || path.contains(&format!("/{place}"))
        } else {
            path == *place || path.ends_with(&format!("/{place}"))
        }
    })
}

/// Whether a file is data by its name: no instructions, no script, no settings.
fn is_data(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ends = [
        ".json", ".jsonl", ".log", ".csv", ".txt", ".db", ".sqlite", ".tmp", ".lock", ".pid", ".pyc", ".tsv", ".state",
    ];
    ends.iter().any(|end| name.ends_with(end))
        && !["package.json", "settings.json", "mcp.json", "hooks.json"].contains(&name.as_str())
}
