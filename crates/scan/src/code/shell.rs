//! Shell scripts: labels flow through pipes, variables, substitutions and files.

use std::collections::HashMap;

use tree_sitter::{Node, Tree};

use crate::capability::Capabilities;
use crate::code::Bench;
use crate::code::known;
use crate::code::values::Labels;
use crate::dependencies::Ecosystem;

const DEPTH: usize = 120;
const SHELLS: &[&str] = &[
    "bash",
    "sh",
    "zsh",
    "dash",
    "ksh",
    "python",
    "python3",
    "node",
    "perl",
    "ruby",
    "php",
    "source",
    ".",
    "eval",
    "exec",
    "osascript",
    "deno",
    "bun",
];

/// Follows the labels through one script.
pub fn examine(tree: &Tree, code: &str, bench: &mut Bench<'_>) {
    let vendors_only = names_vendors_only(code);
    let mut script = Script { code, vendors_only, variables: HashMap::new(), files: HashMap::new() };
    script.eval(tree.root_node(), Labels::NONE, 0, bench);
}

/// Notes what the words of a command can do, without following anything.
pub fn note(command: &str, capabilities: &mut Capabilities) {
    for word in command.split_whitespace() {
        if let Some(host) = known::host_of(word) {
            Capabilities::note(&mut capabilities.network, &host);
        }
    }
    if let Some(program) = command.split_whitespace().next() {
        Capabilities::note(&mut capabilities.exec, program);
    }
}

struct Script<'c> {
    code: &'c str,
    /// Whether the script names addresses of vendors and no others.
    vendors_only: bool,
    variables: HashMap<String, Labels>,
    files: HashMap<String, Labels>,
}

impl Script<'_> {
    fn text(&self, node: Node<'_>) -> &str {
        self.code.get(node.byte_range()).unwrap_or_default()
    }

    /// What a node gives on its standard output, with `input` on its standard input.
    fn eval(&mut self, node: Node<'_>, input: Labels, depth: usize, bench: &mut Bench<'_>) -> Labels {
        if depth > DEPTH {
            return Labels::NONE;
        }
        let next = depth + 1;
        match node.kind() {
            "comment" => Labels::NONE,
            "pipeline" => {
                let mut labels = input;
                let mut cursor = node.walk();
                let parts: Vec<_> = node.named_children(&mut cursor).collect();
                for part in parts {
                    labels = self.eval(part, labels, next, bench);
                }
                labels
            }
            "command" => self.command(node, input, next, bench),
            "redirected_statement" => self.redirected(node, input, next, bench),
            "variable_assignment" => {
                let value = node
                    .child_by_field_name("value")
                    .map_or(Labels::NONE, |value| self.eval(value, Labels::NONE, next, bench));
                if let Some(name) = node.child_by_field_name("name") {
                    self.variables.insert(self.text(name).to_owned(), value);
                }
                Labels::NONE
            }
            "for_statement" => {
                let mut cursor = node.walk();
                let values: Vec<_> = node.children_by_field_name("value", &mut cursor).collect();
                let given = values
                    .into_iter()
                    .fold(Labels::NONE, |all, value| all | self.eval(value, Labels::NONE, next, bench));
                if let Some(name) = node.child_by_field_name("variable") {
                    self.variables.insert(self.text(name).to_owned(), given);
                }
                node.child_by_field_name("body").map_or(Labels::NONE, |body| self.eval(body, input, next, bench))
            }
            "simple_expansion" | "expansion" => {
                let name = self
                    .text(node)
                    .trim_start_matches(['$', '{', '!', '#'])
                    .split(|char: char| !(char.is_alphanumeric() || char == '_'))
                    .next()
                    .unwrap_or("")
                    .to_owned();
                if known::is_secret_name(&name) {
                    Capabilities::note(&mut bench.capabilities.secrets, &name);
                }
                self.variables.get(&name).copied().unwrap_or_default() | self.children(node, Labels::NONE, next, bench)
            }
            "word" | "raw_string" | "string_content" | "concatenation" | "string" => {
                let own = known::labels_of_text(self.text(node).trim_matches(['"', '\'']));
                own | self.children(node, Labels::NONE, next, bench)
            }
            _ => self.children(node, input, next, bench),
        }
    }

    fn children(&mut self, node: Node<'_>, input: Labels, depth: usize, bench: &mut Bench<'_>) -> Labels {
        let mut cursor = node.walk();
        let parts: Vec<_> = node.named_children(&mut cursor).collect();
        let mut labels = Labels::NONE;
        for part in parts {
            labels |= self.eval(part, input, depth, bench);
        }
        labels
    }

    fn redirected(&mut self, node: Node<'_>, input: Labels, depth: usize, bench: &mut Bench<'_>) -> Labels {
        let mut given = input;
        let mut targets = Vec::new();
        let mut cursor = node.walk();
        let parts: Vec<_> = node.named_children(&mut cursor).collect();
        for part in &parts {
            match part.kind() {
                "file_redirect" => {
                    let operator = self.text(*part);
                    let target = part
                        .child_by_field_name("destination")
                        .map(|target| self.text(target).trim_matches(['"', '\'']).to_owned())
                        .unwrap_or_default();
                    if operator.starts_with('<') {
                        if known::labels_of_text(&target).has(Labels::SECRET_PATH) {
                            given |= Labels::SECRET;
                        }
                        given |= self.files.get(&target).copied().unwrap_or_default();
                    } else if !target.starts_with('&') && !target.starts_with("/dev/") {
                        targets.push(target);
                    }
                }
                "heredoc_redirect" | "herestring_redirect" => given |= self.children(*part, Labels::NONE, depth, bench),
                _ => {}
            }
        }
        let body = node.child_by_field_name("body");
        let output = body.map_or(Labels::NONE, |body| self.eval(body, given, depth, bench));
        for target in targets {
            let labels = known::labels_of_text(&target);
            Capabilities::note(&mut bench.capabilities.writes, &target);
            let at_home = target.starts_with('~')
                || target.contains("$HOME")
                || target.contains("${HOME}")
                || target.starts_with("../");
            if labels.has(Labels::AGENT_PATH) && at_home {
                bench.find("code.agent-settings", node.start_byte(), node.byte_range().len(), "");
                Capabilities::note(&mut bench.capabilities.agent_configuration, &target);
            }
            if starts_by_itself(&target) && hides(self.text(node)) {
                bench.find("code.persist", node.start_byte(), node.byte_range().len(), "");
            }
            self.files.insert(target, output);
        }
        output
    }

    fn command(&mut self, node: Node<'_>, input: Labels, depth: usize, bench: &mut Bench<'_>) -> Labels {
        let Some(name) = node.child_by_field_name("name") else { return self.children(node, input, depth, bench) };
        let mut program = self.text(name).rsplit('/').next().unwrap_or("").trim_matches(['"', '\'']).to_owned();
        let full = self.text(name).trim_matches(['"', '\'']).to_owned();
        let own = self.eval(name, Labels::NONE, depth, bench);
        let mut cursor = node.walk();
        let arguments: Vec<_> = node.children_by_field_name("argument", &mut cursor).collect();
        let mut words: Vec<String> =
            arguments.iter().map(|argument| self.text(*argument).trim_matches(['"', '\'']).to_owned()).collect();
        let mut labels: Vec<Labels> = Vec::new();
        for argument in &arguments {
            labels.push(self.eval(*argument, Labels::NONE, depth, bench));
        }
        let mut cursor = node.walk();
        let redirects: Vec<_> = node
            .named_children(&mut cursor)
            .filter(|part| matches!(part.kind(), "herestring_redirect" | "heredoc_redirect" | "file_redirect"))
            .collect();
        let mut input = input;
        for redirect in redirects {
            input |= self.children(redirect, Labels::NONE, depth, bench);
        }
        while matches!(program.as_str(), "sudo" | "nohup" | "env" | "time" | "exec" | "command" | "xargs" | "timeout")
            && words.iter().any(|word| !word.starts_with('-') && !word.contains('='))
        {
            let place = words
                .iter()
                .position(|word| {
                    !word.starts_with('-')
                        && !word.contains('=')
                        && !word.starts_with(|char: char| char.is_ascii_digit())
                })
                .unwrap_or(0);
            program = words.get(place).map(|word| word.rsplit('/').next().unwrap_or("").to_owned()).unwrap_or_default();
            words = words.split_off((place + 1).min(words.len()));
            labels = labels.split_off((place + 1).min(labels.len()));
        }
        let all = labels.iter().fold(Labels::NONE, |all, labels| all | *labels);
        let (at, length) = (node.start_byte(), node.byte_range().len());
        if program.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.')) {
            Capabilities::note(&mut bench.capabilities.exec, &program);
        }
        if self.files.get(&full).is_some_and(|labels| labels.has(Labels::NETWORK))
            || self.files.get(full.trim_start_matches("./")).is_some_and(|labels| labels.has(Labels::NETWORK))
        {
            bench.find("code.download-to-exec", at, length, "");
        }
        if matches!(program.as_str(), "git" | "pip" | "pip3" | "uv" | "npm" | "npx" | "docker" | "go" | "cargo") {
            for host in words.iter().filter_map(|word| known::host_of(word)) {
                Capabilities::note(&mut bench.capabilities.network, &host);
            }
        }
        match program.as_str() {
            "curl" | "wget" | "http" | "xh" | "aria2c" => self.fetch(&words, all | input, (at, length), bench),
            "pip" | "pip3" | "uv" | "pipx" | "npm" | "pnpm" | "yarn" | "bun" => {
                let verb = words.iter().position(|word| matches!(word.as_str(), "install" | "add" | "i"));
                if let Some(verb) = verb {
                    let python = matches!(program.as_str(), "pip" | "pip3" | "uv" | "pipx");
                    let ecosystem = if python { Ecosystem::Python } else { Ecosystem::JavaScript };
                    bench.installs(ecosystem, words.get(verb + 1..).unwrap_or_default(), at, length);
                }
                input | all
            }
            "dig" | "nslookup" | "host" | "ping" | "resolvectl" => {
                if all.touches(Labels::SECRET | Labels::ENVIRONMENT) {
                    bench.find("code.secret-in-name", at, length, "");
                }
                Labels::NETWORK
            }
            "nc" | "ncat" | "netcat" | "telnet" | "scp" | "sftp" | "ftp" | "rsync" | "mail" | "sendmail" | "socat" => {
                let secret = (all | input).has(Labels::SECRET)
                    || (all.has(Labels::SECRET_PATH)
                        && words.iter().any(|word| word.contains('@') && word.contains(':'))
                        && !words.iter().any(|word| word == "-i"));
                if secret {
                    bench.find("code.secret-to-network", at, length, "");
                }
                Labels::NETWORK
            }
            "cat" | "head" | "tail" | "less" | "tar" | "zip" | "gzip" | "cp" | "xxd" | "od" | "strings" | "grep"
            | "sed" | "awk" | "find" | "jq" | "base64" | "openssl" | "tr" | "rev" | "cut" | "tee" | "gunzip"
            | "zcat" | "gpg" | "dd" => {
                let mut output = input | all.without(Labels::SECRET_PATH);
                let encrypts = program == "gpg" || (program == "openssl" && !words.iter().any(|word| word == "-d"));
                if all.has(Labels::SECRET_PATH) && !matches!(program.as_str(), "openssl") {
                    output |= Labels::SECRET;
                    if let Some(word) = words.iter().find(|word| known::labels_of_text(word).has(Labels::SECRET_PATH)) {
                        Capabilities::note(&mut bench.capabilities.secrets, word);
                    }
                }
                for word in &words {
                    output |= self.files.get(word).copied().unwrap_or_default();
                }
                let decodes = words.iter().any(|word| matches!(word.as_str(), "-d" | "-D" | "--decode" | "-r" | "-di"));
                if decodes && matches!(program.as_str(), "base64" | "xxd" | "openssl" | "gpg")
                    || matches!(program.as_str(), "rev" | "gunzip" | "zcat")
                {
                    output |= Labels::DECODED;
                }
                self.kept(&program, &words, output, encrypts);
                output
            }
            "env" | "printenv" | "export" | "set" if words.is_empty() || words.iter().all(|word| word == "-p") => {
                Labels::ENVIRONMENT
            }
            _ if SHELLS.contains(&program.as_str()) => {
                // Only the script and inline code are run; what follows is data for it.
                let every = matches!(program.as_str(), "eval" | "source" | "." | "exec");
                let code = words.iter().position(|word| !word.starts_with('-')).unwrap_or(words.len());
                let mut run = own
                    | labels
                        .iter()
                        .take(if every { usize::MAX } else { code + 1 })
                        .fold(Labels::NONE, |all, labels| all | *labels);
                let reads_input = words.is_empty() || words.iter().all(|word| word.starts_with('-'));
                if reads_input {
                    run |= input;
                }
                for word in words.iter().take(if every { usize::MAX } else { code + 1 }) {
                    run |= self.files.get(word).copied().unwrap_or_default();
                }
                // Vendors' installers in a pipe are judged by the rules of commands, which know them.
                let named = node.parent().is_some_and(|pipe| self.text(pipe).contains("://")) || self.vendors_only;
                let piped = reads_input && input.has(Labels::NETWORK) && named;
                if run.has(Labels::NETWORK) && !piped && !self.vendor(node) {
                    bench.find("code.download-to-exec", at, length, "");
                } else if run.has(Labels::DECODED) && !run.has(Labels::NETWORK) {
                    bench.find("code.decoded-to-exec", at, length, "");
                }
                Labels::NONE
            }
            "chmod" | "cd" | "mkdir" | "rm" | "ls" | "test" | "[" => Labels::NONE,
            _ => input | all,
        }
    }

    /// Files that a command writes under a name of their own.
    fn kept(&mut self, program: &str, words: &[String], output: Labels, _encrypts: bool) {
        let target = match program {
            "tar" | "zip" => words
                .iter()
                .find(|word| word.contains(".tar") || word.contains(".tgz") || word.contains(".zip"))
                .cloned(),
            "cp" | "tee" => words.last().cloned(),
            "openssl" | "gpg" => words
                .iter()
                .position(|word| word == "-out" || word == "-o" || word == "--output")
                .and_then(|place| words.get(place + 1))
                .cloned(),
            "dd" => words.iter().find_map(|word| word.strip_prefix("of=")).map(str::to_owned),
            _ => None,
        };
        if let Some(target) = target {
            self.files.insert(target, output);
        }
    }

    /// Whether a statement names an address that vendors publish installers at; the rules of commands list them.
    fn vendor(&self, node: Node<'_>) -> bool {
        let text = self.text(node);
        text.contains("://")
            && !text.contains("http://")
            && known::host_of(text).is_some_and(|host| {
                VENDORS.iter().any(|vendor| host == *vendor || host.ends_with(&format!(".{vendor}")))
            })
    }

    fn fetch(
        &mut self,
        words: &[String],
        given: Labels,
        (at, length): (usize, usize),
        bench: &mut Bench<'_>,
    ) -> Labels {
        let mut sent = given.without(Labels::SECRET_PATH);
        for word in words {
            if let Some(host) = known::host_of(word) {
                Capabilities::note(&mut bench.capabilities.network, &host);
                Capabilities::note(&mut bench.capabilities.downloads, word);
            }
            let file = word.rsplit('@').next().filter(|_| word.contains('@')).unwrap_or(word);
            sent |= self.files.get(file).copied().unwrap_or_default();
            if word.contains('@') && known::labels_of_text(file).has(Labels::SECRET_PATH) && !word.contains("://") {
                sent |= Labels::SECRET;
            }
        }
        let upload = words.windows(2).any(|pair| {
            matches!(pair[0].as_str(), "-T" | "--upload-file" | "--post-file")
                && known::labels_of_text(&pair[1]).has(Labels::SECRET_PATH)
        });
        let local = words.iter().any(|word| word.contains("://localhost") || word.contains("://127."));
        if (sent.has(Labels::SECRET) || upload) && !local {
            bench.find("code.secret-to-network", at, length, "");
        } else if sent.has(Labels::ENVIRONMENT) && !local {
            bench.find("code.environment-to-network", at, length, "");
        }
        let named = words.iter().position(|word| {
            matches!(word.as_str(), "-o" | "--output" | "-O")
                || (word.starts_with('-') && !word.starts_with("--") && word.ends_with(['o', 'O']))
        });
        let url = words.iter().find(|word| word.contains("://"));
        let known_vendor = url
            .and_then(|url| known::host_of(url))
            .is_some_and(|host| VENDORS.iter().any(|vendor| host == *vendor || host.ends_with(&format!(".{vendor}"))));
        let label = if known_vendor { Labels::NONE } else { Labels::NETWORK };
        let target = named.and_then(|place| words.get(place + 1));
        if let Some(target) = target.filter(|target| !target.starts_with('-') && !target.contains("://")) {
            self.files.insert(target.clone(), label);
        } else if let Some(file) = url.and_then(|url| url.rsplit('/').next()).filter(|file| file.contains('.')) {
            self.files.insert(file.to_owned(), label);
        }
        label
    }
}

/// How many addresses of a script are looked at for their owners.
const ADDRESSES: usize = 200;

/// Whether a script names addresses of vendors and no others.
fn names_vendors_only(code: &str) -> bool {
    let mut hosts = code.match_indices("://").take(ADDRESSES).filter_map(|(at, _)| known::host_of(code.get(at..)?));
    hosts.all(|host| VENDORS.iter().any(|vendor| host == *vendor || host.ends_with(&format!(".{vendor}"))))
}

/// Whether what lies at a path is started by the system without anybody asking.
fn starts_by_itself(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ["launchagents/", "launchdaemons/", "/etc/cron", "systemd/", "/autostart/", "/etc/rc.local", ".git/hooks/"]
        .iter()
        .any(|place| lower.contains(place))
}

/// Whether a text starts something from where nobody looks, or from somewhere else.
fn hides(text: &str) -> bool {
    ["/tmp/", "/dev/shm/", "/var/tmp/", "/.", "curl ", "wget ", "base64", "/dev/tcp/"]
        .iter()
        .any(|sign| text.contains(sign))
}

/// Places that publish programs under their owners' names.
const VENDORS: &[&str] = &[
    "github.com",
    "raw.githubusercontent.com",
    "githubusercontent.com",
    "astral.sh",
    "rustup.rs",
    "docker.com",
    "nodesource.com",
    "bun.sh",
    "deno.land",
    "python.org",
    "nodejs.org",
    "pypa.io",
    "amazonaws.com",
    "google.com",
    "googleapis.com",
    "microsoft.com",
    "apple.com",
    "hashicorp.com",
    "anaconda.com",
    "nvidia.com",
    "ubuntu.com",
    "debian.org",
    "gitlab.com",
    "dot.net",
    "cloudflare.com",
    "golang.org",
    "go.dev",
    "k8s.io",
    "helm.sh",
    "huggingface.co",
    "sdkman.io",
    "pyenv.run",
    "gnu.org",
    "apache.org",
];
