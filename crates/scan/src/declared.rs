//! Declared against done: what a skill says it needs, held against what its scripts and texts do.

use kontor_package::{Manifest, Permissions};

use crate::capability::Capabilities;
use crate::examine::{Examination, Origin};

/// The longest front matter that is read.
const FRONT: usize = 32 << 10;
/// How many skills of one unit are compared.
const SKILLS: usize = 200;
/// Tools by which an agent can do anything that the machine can.
const SHELLS: &[&str] =
    &["bash", "shell", "execute", "terminal", "run_command", "run_shell", "exec", "powershell", "computer", "*"];
/// Words by which a description says that nothing leaves the machine.
const OFFLINE: &[&str] = &[
    "no network",
    "without network",
    "offline",
    "no internet",
    "never connects",
    "local only",
    "locally only",
    "runs locally",
    "no external calls",
    "no external requests",
    "no data leaves",
    "nothing is sent",
    "nothing leaves",
    "does not send",
    "不联网",
    "离线",
];

/// What one `SKILL.md` of a unit declares.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The folder of the skill, empty for the unit's own, else with a slash at its end.
    folder: String,
    /// The tools that it asks for; nothing when it names none at all.
    tools: Option<Vec<String>>,
    /// Its description in lower case.
    description: String,
    /// The front matter, in lower case.
    front: String,
    /// The text behind the front matter, in lower case.
    body: String,
}

impl Declared {
    /// Reads what a skill's text declares.
    pub fn read(path: &str, text: &str) -> Self {
        let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let front = front_of(text);
        let description = value_of(front, &["description"]).unwrap_or_default().to_lowercase();
        let tools = value_of(front, &["allowed-tools", "allowed_tools", "tools"]).map(|value| tools_of(&value));
        let front = front.to_lowercase();
        Self { folder, tools, description, front, body: kontor_package::body_of(text).to_lowercase() }
    }

    /// Whether it asks for tools, and none of them is a shell.
    fn is_bound(&self) -> bool {
        self.tools.as_ref().is_some_and(|tools| !tools.is_empty() && !self.has_shell())
    }

    fn has_shell(&self) -> bool {
        self.tools.iter().flatten().any(|tool| SHELLS.contains(&tool.as_str()))
    }
}

fn front_of(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let Some(rest) = text.strip_prefix("---") else { return "" };
    let mut end = rest.find("\n---").unwrap_or(rest.len()).min(FRONT);
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    rest.get(..end).unwrap_or_default()
}

/// The value of the first of these keys at the start of a line, its indented lines and list items included.
fn value_of(front: &str, keys: &[&str]) -> Option<String> {
    let mut lines = front.lines();
    let first = lines.by_ref().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        keys.contains(&key).then(|| value.trim().trim_start_matches(['|', '>', '-', '+']).to_owned())
    })?;
    let more = lines.take_while(|line| line.starts_with([' ', '\t']) || line.starts_with("- "));
    Some(more.fold(first, |all, line| format!("{all}\n{}", line.trim())))
}

/// Names of tools in lower case: `Bash(git:*)` is `bash`.
fn tools_of(value: &str) -> Vec<String> {
    let mut tools = Vec::new();
    let mut depth = 0usize;
    let mut name = String::new();
    for char in value.chars().chain([',']) {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' | '\n' | ' ' | '[' | ']' | '"' | '\'' if depth == 0 => {
                let tool = std::mem::take(&mut name).trim_matches('-').to_lowercase();
                if !tool.is_empty() {
                    tools.push(tool);
                }
            }
            _ if depth == 0 => name.push(char),
            _ => {}
        }
    }
    tools
}

impl Examination<'_> {
    /// Takes notice of a file in which a skill declares what it needs.
    pub(crate) fn declares(&mut self, path: &str, bytes: &[u8]) {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.eq_ignore_ascii_case("skill.md") && self.facts.declared.len() < SKILLS {
            let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(1 << 20)).unwrap_or_default());
            self.facts.declared.push(Declared::read(path, &text));
        } else if path == "kontor.toml" {
            let (manifest, _) = Manifest::read(&String::from_utf8_lossy(bytes));
            let granted = manifest.map(|manifest| manifest.permissions);
            self.facts.permissions = granted.filter(|granted| *granted != Permissions::default());
        }
    }

    /// What the unit's skills say of themselves, in lower case.
    pub(crate) fn said(&self) -> String {
        let mut said = String::new();
        for skill in &self.facts.declared {
            said.push_str(&skill.front);
            said.push_str(&skill.body);
        }
        said
    }

    /// Compares what is declared with what was seen, once everything was read.
    pub(crate) fn declared_against_done(&mut self) {
        let declared = std::mem::take(&mut self.facts.declared);
        let permissions = self.facts.permissions.take();
        let scripted = std::mem::take(&mut self.facts.scripted);
        self.widened(&declared);
        if let Some(permissions) = &permissions {
            self.beyond_permissions(permissions, &scripted);
            return;
        }
        let Some(own) = declared.iter().find(|skill| skill.folder.is_empty()) else { return };
        let place = skill_file();
        if let Some(words) = OFFLINE.iter().find(|words| own.description.contains(*words))
            && !scripted.network.is_empty()
        {
            let hosts = few(&scripted.network);
            self.find_at(
                "declared.not-offline",
                &place,
                format!("the description says \"{words}\", and its scripts talk to {hosts}"),
                "",
            );
        }
        if own.is_bound() && !(scripted.exec.is_empty() && scripted.network.is_empty()) {
            let what = done(&scripted);
            let message = format!("the skill asks for tools without a shell, and its scripts need one: they {what}");
            self.find_at("declared.no-shell", &place, message, "");
        } else if own.tools.is_none() && !scripted.is_empty() {
            self.find_at(
                "declared.nothing",
                &place,
                format!("nothing is declared, and the scripts {}", done(&scripted)),
                "",
            );
        }
    }

    /// A skill in the unit that may do more than the one that sends agents to it.
    fn widened(&mut self, declared: &[Declared]) {
        for outer in declared.iter().filter(|skill| skill.is_bound()) {
            for inner in declared {
                let below = inner.folder.len() > outer.folder.len() && inner.folder.starts_with(&outer.folder);
                let name = inner.folder.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_lowercase();
                if below && inner.has_shell() && !name.is_empty() && outer.body.contains(&name) {
                    let file = format!("{}SKILL.md", outer.folder);
                    let message = format!(
                        "the skill asks for tools without a shell, and sends agents to `{name}` in it, which has one"
                    );
                    self.find_at(
                        "declared.widened",
                        &Origin { file, place: Some((1, 0)), ..Origin::default() },
                        message,
                        "",
                    );
                }
            }
        }
    }

    fn beyond_permissions(&mut self, permissions: &Permissions, scripted: &Capabilities) {
        let granted = |host: &str| {
            permissions.network.iter().any(|grant| {
                let below = grant.host().strip_prefix("*.").is_some_and(|name| host.ends_with(&format!(".{name}")));
                below || grant.host() == host
            })
        };
        let place = Origin { file: "kontor.toml".to_owned(), place: Some((1, 0)), ..Origin::default() };
        let hosts: std::collections::BTreeSet<String> =
            scripted.network.iter().filter(|host| !granted(host)).cloned().collect();
        if !hosts.is_empty() {
            let message = format!("the scripts talk to {}, which [permissions] does not grant", few(&hosts));
            self.find_at("declared.beyond", &place, message, "");
        }
        let secrets: std::collections::BTreeSet<String> = scripted
            .secrets
            .iter()
            .filter(|secret| !permissions.secrets.iter().any(|known| known.eq_ignore_ascii_case(secret)))
            .cloned()
            .collect();
        if !secrets.is_empty() {
            let message = format!("the scripts read {}, which [permissions] does not grant", few(&secrets));
            self.find_at("declared.beyond", &Origin { place: Some((1, 1)), ..place }, message, "");
        }
    }
}

fn skill_file() -> Origin {
    Origin { file: "SKILL.md".to_owned(), place: Some((1, 0)), ..Origin::default() }
}

/// The first entries of a set, and how many more there are.
fn few(set: &std::collections::BTreeSet<String>) -> String {
    let shown: Vec<&str> = set.iter().take(4).map(String::as_str).collect();
    let more = set.len().saturating_sub(shown.len());
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// What the scripts do, as a sentence that goes on.
fn done(scripted: &Capabilities) -> String {
    let parts = [
        ("talk to", &scripted.network),
        ("start", &scripted.exec),
        ("write", &scripted.writes),
        ("read", &scripted.secrets),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(_, set)| !set.is_empty())
        .map(|(verb, set)| format!("{verb} {}", few(set)))
        .collect();
    told.join("; ")
}
