//! What a call does, and what flows through it.

use tree_sitter::Node;

use super::{Call, Program};
use crate::capability::Capabilities;
use crate::code::Bench;
use crate::code::known::{self, Does};
use crate::code::values::Labels;

impl Program<'_> {
    pub(super) fn call(&mut self, node: Node<'_>, depth: usize, bench: &mut Bench<'_>) -> Labels {
        let Some(function) = node.child_by_field_name("function").or_else(|| node.child_by_field_name("constructor"))
        else {
            return Labels::NONE;
        };
        let name = self.full_name(function, 0).unwrap_or_default();
        let object = function.child_by_field_name("object");
        let receiver = match object {
            Some(object) => self.eval(object, depth, bench),
            None if matches!(function.kind(), "identifier" | "import") => Labels::NONE,
            None => self.eval(function, depth, bench),
        };
        let does = self.what(&name, function, receiver);
        let serves = self.is_whole() && matches!(name.rsplit('.').next(), Some("createServer"));
        let source = if does == Does::Talks || serves { Labels::NETWORK } else { Labels::NONE };
        let arguments = self.arguments(node, receiver | source, depth, bench);
        let all = arguments.iter().fold(Labels::NONE, |all, labels| all | *labels);
        if self.report {
            self.disguised(function, bench);
        }
        self.effect(does, &name, node, receiver, all, bench);
        let last = name.rsplit('.').next().unwrap_or("");
        match does {
            _ if self.is_whole() && last == "read" && name.contains("rfile") => Labels::NETWORK,
            Does::Reads => {
                let mut labels = receiver | all;
                labels |= if known::lists(&name) { Labels::GATHERED } else { self.foreign_file(node, labels) };
                if labels.has(Labels::SECRET_PATH) {
                    labels |= Labels::SECRET;
                    if self.seen.secret.is_none() {
                        self.seen.secret = Some(node.start_byte());
                    }
                    Capabilities::note(
                        &mut bench.capabilities.secrets,
                        self.constant_in(node).as_deref().unwrap_or("a secret file"),
                    );
                }
                if let Some(path) = Self::argument(node, 0) {
                    labels |= self.content(path);
                }
                labels |= self.opened(node, &name, labels, bench);
                labels
            }
            Does::Talks | Does::Downloads => Labels::NETWORK | (receiver | all).parameters(),
            Does::Decodes => Labels::DECODED | receiver | all,
            Does::GivesEnvironment => Labels::ENVIRONMENT,
            Does::GivesHost => Labels::HOST,
            Does::GivesVariable => {
                if let Some(variable) = self.constant_in(node).filter(|variable| known::is_secret_name(variable)) {
                    Capabilities::note(&mut bench.capabilities.secrets, &variable);
                    return Labels::KEY;
                }
                Labels::NONE
            }
            Does::Packs => receiver | all,
            Does::Resolves | Does::RunsFile | Does::Copies | Does::Writes => Labels::NONE,
            Does::GivesInput => Labels::INPUT,
            Does::Starts | Does::RunsShell | Does::RunsCode => {
                (receiver | all).without(Labels::NETWORK | Labels::DECODED)
            }
            Does::Other
                if matches!(last, "join" | "expanduser" | "format" | "Path" | "home" | "resolve" | "joinpath") =>
            {
                receiver | all | self.path_labels(node)
            }
            Does::Other if known::lists(&name) => receiver | all | Labels::GATHERED,
            Does::Other => {
                self.takes_up(function, last, all);
                self.own(&name, node, &arguments, receiver, bench)
            }
        }
    }

    /// What a call does, also where only its method is known.
    pub(super) fn what(&self, name: &str, function: Node<'_>, receiver: Labels) -> Does {
        let does = known::does(name);
        let last = name.rsplit('.').next().filter(|last| !last.is_empty()).unwrap_or_else(|| {
            let part = function.child_by_field_name("attribute").or_else(|| function.child_by_field_name("property"));
            part.map_or("", |part| self.text(part))
        });
        match does {
            Does::Other if last == "from" && name.starts_with("Buffer") => Does::Decodes,
            Does::Other
                if matches!(last, "read" | "readlines" | "readline") && receiver.touches(Labels::SECRET_PATH) =>
            {
                Does::Reads
            }
            Does::Other
                if self.networked
                    && known::sends_by_method(last)
                    && !receiver.touches(Labels::AGENT_FILE | Labels::START_FILE)
                    && !matches!(last, "write") =>
            {
                Does::Talks
            }
            Does::Other if self.networked && last == "write" && receiver.has(Labels::NETWORK) => Does::Talks,
            _ => does,
        }
    }

    pub(super) fn arguments(
        &mut self,
        node: Node<'_>,
        given: Labels,
        depth: usize,
        bench: &mut Bench<'_>,
    ) -> Vec<Labels> {
        let Some(arguments) = node.child_by_field_name("arguments") else { return Vec::new() };
        let mut cursor = arguments.walk();
        let list: Vec<_> =
            arguments.named_children(&mut cursor).filter(|node| node.kind() != "comment").take(200).collect();
        let mut labels = Vec::with_capacity(list.len());
        for argument in list {
            let value = match argument.kind() {
                "lambda" | "arrow_function" | "function_expression" => self.function(argument, "", given, depth, bench),
                "keyword_argument" => {
                    argument.child_by_field_name("value").map_or(Labels::NONE, |value| self.eval(value, depth, bench))
                }
                _ => self.eval(argument, depth, bench),
            };
            labels.push(value);
        }
        labels
    }

    /// A call of a function of this program or of a file beside it.
    pub(super) fn own(
        &mut self,
        name: &str,
        node: Node<'_>,
        arguments: &[Labels],
        receiver: Labels,
        bench: &mut Bench<'_>,
    ) -> Labels {
        let all = arguments.iter().fold(receiver, |all, labels| all | *labels);
        let short = name.rsplit('.').next().unwrap_or(name);
        let method = name.starts_with("self.") || name.starts_with("this.");
        let known = self.functions.get(name).or_else(|| if method { self.functions.get(short) } else { None }).copied();
        if let Some(summary) = known {
            let through = |labels: Labels| {
                (0..arguments.len())
                    .filter(|place| labels.has(Labels::parameter(*place)))
                    .fold(Labels::NONE, |sum, place| sum | arguments[place])
            };
            self.sent(through(summary.sends), node, bench);
            self.run(through(summary.runs), node, "", bench);
            let own = summary.returns.without(summary.returns.parameters());
            return own | through(summary.returns);
        }
        if let Some((module, function)) = name.rsplit_once('.')
            && !module.is_empty()
        {
            let place = self.foreign.len();
            let module = module.rsplit(['.', '/']).next().unwrap_or(module).to_owned();
            self.foreign.push(Call {
                module,
                function: function.to_owned(),
                arguments: arguments.to_vec(),
                at: node.start_byte(),
                sent: false,
                run: false,
            });
            return all | Labels::foreign(place);
        }
        all
    }

    pub(super) fn sent(&mut self, labels: Labels, node: Node<'_>, bench: &mut Bench<'_>) {
        if let Some(current) = self.current.last_mut() {
            current.sends |= labels.parameters();
        }
        for (place, call) in self.foreign.iter_mut().enumerate() {
            call.sent |= labels.has(Labels::foreign(place));
        }
        if !self.report {
            return;
        }
        if labels.has(Labels::FILE) {
            *self.uploads.entry(node.start_byte()).or_default() |= labels.has(Labels::GATHERED);
        }
        if labels.has(Labels::SECRET) {
            bench.find("code.secret-to-network", node.start_byte(), node.byte_range().len(), "");
        } else if labels.has(Labels::ENVIRONMENT) {
            bench.find("code.environment-to-network", node.start_byte(), node.byte_range().len(), "");
        }
    }

    pub(super) fn run(&mut self, labels: Labels, node: Node<'_>, how: &str, bench: &mut Bench<'_>) {
        if let Some(current) = self.current.last_mut() {
            current.runs |= labels.parameters();
        }
        for (place, call) in self.foreign.iter_mut().enumerate() {
            call.run |= labels.has(Labels::foreign(place));
        }
        if !self.report {
            return;
        }
        let (at, length) = (node.start_byte(), node.byte_range().len());
        if labels.has(Labels::DECODED) && !labels.has(Labels::NETWORK) {
            bench.find("code.decoded-to-exec", at, length, "");
        } else if labels.has(Labels::NETWORK) {
            bench.find(if how == "shell" { "code.command-channel" } else { "code.download-to-exec" }, at, length, "");
        } else if labels.has(Labels::INPUT) && how == "shell" {
            bench.find("code.input-to-exec", at, length, "");
        }
    }

    /// What a call does beyond giving a value.
    pub(super) fn effect(
        &mut self,
        does: Does,
        name: &str,
        node: Node<'_>,
        receiver: Labels,
        all: Labels,
        bench: &mut Bench<'_>,
    ) {
        let last = name.rsplit('.').next().unwrap_or("");
        match last {
            "connect" if self.networked => self.seen.connected = self.seen.connected.or(Some(node.start_byte())),
            "dup2" => self.seen.duplicated = true,
            "Listener" | "on_press" | "on_release" if name.contains("keyboard") || name.contains("pynput") => {
                self.seen.spy = self.seen.spy.or(Some(node.start_byte()));
            }
            "ImageGrab" | "grab" | "screenshot"
                if name.contains("ImageGrab") || name.contains("pyautogui") || name.starts_with("mss") =>
            {
                self.seen.spy = self.seen.spy.or(Some(node.start_byte()));
            }
            "startsWith" | "startswith" | "match" | "findall" | "search" | "includes"
                if self.report && (receiver | all).has(Labels::SECRET) && self.names_token(node) =>
            {
                bench.find("code.token-harvest", node.start_byte(), node.byte_range().len(), "");
            }
            "paste" if name.contains("pyperclip") => self.seen.spy = self.seen.spy.or(Some(node.start_byte())),
            _ => {}
        }
        let labels = receiver | all;
        match does {
            Does::Talks => {
                self.seen.sent = self.seen.sent.or(Some(node.start_byte()));
                if all.has(Labels::HOST) {
                    self.seen.host_sent = self.seen.host_sent.or(Some(node.start_byte()));
                }
                self.sent(labels, node, bench);
            }
            Does::Packs if all.has(Labels::KEYS) && self.report => {
                bench.find("code.gathered-keys", node.start_byte(), node.byte_range().len(), "");
            }
            Does::Resolves if self.report && labels.touches(Labels::KEY | Labels::SECRET | Labels::ENVIRONMENT) => {
                bench.find("code.secret-in-name", node.start_byte(), node.byte_range().len(), "");
            }
            Does::RunsFile => self.ran_file(node, all, bench),
            Does::Copies => {
                let from = Self::argument(node, 0).map_or(Labels::NONE, |from| self.content(from));
                let secret = if all.has(Labels::SECRET_PATH) { Labels::SECRET } else { Labels::NONE };
                if let Some(target) = Self::argument(node, 1) {
                    self.fill(target, from | secret);
                }
                self.wrote(all.without(Labels::SECRET_PATH), node, bench);
            }
            Does::RunsCode => {
                self.run(all, node, "code", bench);
                Capabilities::note(&mut bench.capabilities.exec, name);
            }
            Does::RunsShell => self.started(node, all, name, true, bench),
            Does::Starts => {
                let text = self.text(node);
                let shell = text.contains("shell=True") || text.contains("shell: true");
                self.started(node, all, name, shell, bench);
            }
            Does::Downloads => {
                self.sent(all, node, bench);
                if let Some(target) = Self::argument(node, 1) {
                    self.fill(target, Labels::NETWORK);
                }
                if let Some(path) = self.constants(node).into_iter().rfind(|text| !text.contains("://")) {
                    self.written.insert(path, Labels::NETWORK);
                }
            }
            Does::Writes => {
                self.wrote(labels, node, bench);
                if let Some(target) = self.target(node).filter(|_| all.touches(Labels::NETWORK | Labels::SECRET)) {
                    self.fill(target, all & (Labels::NETWORK | Labels::SECRET));
                }
                for path in self.constants(node) {
                    if path.len() < 200 && !path.contains('\n') && all.touches(Labels::NETWORK | Labels::DECODED) {
                        self.written.insert(path, all);
                    }
                }
            }
            Does::Other if last == "pipe" && receiver.has(Labels::NETWORK) => {
                if let Some(target) = Self::argument(node, 0) {
                    self.fill(target, Labels::NETWORK);
                }
            }
            Does::Other if last == "write" || last == "dump" || last == "writelines" => {
                if let Some(target) = self.target(node).filter(|_| all.touches(Labels::NETWORK | Labels::SECRET)) {
                    let target = self.opened_path(target);
                    self.fill(target, all & (Labels::NETWORK | Labels::SECRET));
                }
                if labels.has(Labels::AGENT_FILE) && self.report {
                    bench.find("code.agent-settings", node.start_byte(), node.byte_range().len(), "");
                }
                if labels.has(Labels::START_FILE) && self.report {
                    bench.find("code.persist", node.start_byte(), node.byte_range().len(), "");
                }
                if all.has(Labels::NETWORK) {
                    for labels in self.written.values_mut() {
                        *labels |= Labels::NETWORK;
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn wrote(&mut self, labels: Labels, node: Node<'_>, bench: &mut Bench<'_>) {
        if !self.report {
            return;
        }
        if let Some(path) = self.written_path(node) {
            Capabilities::note(&mut bench.capabilities.writes, &path);
        }
        if labels.has(Labels::AGENT_PATH) {
            bench.find("code.agent-settings", node.start_byte(), node.byte_range().len(), "");
        }
        if labels.has(Labels::START_PATH) {
            bench.find("code.persist", node.start_byte(), node.byte_range().len(), "");
        }
    }

    /// A file that is opened: for writing, the labels say what it is.
    pub(super) fn opened(&mut self, node: Node<'_>, name: &str, labels: Labels, bench: &mut Bench<'_>) -> Labels {
        let constants = self.constants(node);
        let mode = constants.iter().skip(1).find(|text| text.len() <= 3 && text.starts_with(['w', 'a', 'x']));
        if !name.ends_with("open")
            || (mode.is_none()
                && !self.text(node).contains("mode=\"w")
                && !self.text(node).contains("'a'")
                && !self.text(node).contains("\"a\"")
                && !self.text(node).contains("'w'")
                && !self.text(node).contains("\"w\""))
        {
            return Labels::NONE;
        }
        if let Some(path) = self.written_path(node) {
            Capabilities::note(&mut bench.capabilities.writes, &path);
            self.written.entry(path).or_default();
        }
        let mut opened = Labels::NONE;
        if labels.has(Labels::AGENT_PATH) {
            opened |= Labels::AGENT_FILE;
        }
        if labels.has(Labels::START_PATH) {
            opened |= Labels::START_FILE;
        }
        opened
    }

    /// The path that a call writes to, as the program names it: a constant, or the expression in braces.
    fn written_path(&self, node: Node<'_>) -> Option<String> {
        let function = node.child_by_field_name("function")?;
        let last = self.text(function).rsplit('.').next().unwrap_or("");
        let path = if matches!(last, "write_text" | "write_bytes") || (last == "open" && self.on_a_path(function)) {
            function.child_by_field_name("object")?
        } else {
            node.child_by_field_name("arguments")?.named_child(0)?
        };
        let mut parts = Vec::new();
        self.collect(path, 0, &mut parts);
        Some(if parts.is_empty() {
            format!("{{{}}}", self.text(path).chars().take(60).collect::<String>())
        } else {
            parts.join("/")
        })
    }

    /// The path of `open(path, "w")` where that is the object of a write, else the node itself.
    fn opened_path<'n>(&self, node: Node<'n>) -> Node<'n> {
        if !matches!(node.kind(), "call" | "call_expression") {
            return node;
        }
        let function = node.child_by_field_name("function").map_or("", |function| self.text(function));
        if function.ends_with("open") { Self::argument(node, 0).unwrap_or(node) } else { node }
    }

    /// Whether a method is called on a path, as in `Path("a").open("w")`, and not on a module.
    fn on_a_path(&self, function: Node<'_>) -> bool {
        let name = self.full_name(function, 0).unwrap_or_default();
        !matches!(
            name.as_str(),
            "open" | "io.open" | "codecs.open" | "gzip.open" | "os.open" | "tarfile.open" | "Image.open"
        ) && function.child_by_field_name("object").is_some()
    }

    /// A program or a command that is started.
    pub(super) fn started(&mut self, node: Node<'_>, labels: Labels, name: &str, shell: bool, bench: &mut Bench<'_>) {
        Capabilities::note(&mut bench.capabilities.exec, name);
        self.seen.started = true;
        if labels.has(Labels::LOADED) && self.report {
            bench.find("code.download-to-exec", node.start_byte(), node.byte_range().len(), "");
        }
        let constants = self.constants(node);
        let command = constants.join(" ");
        let interpreter = constants.first().is_some_and(|first| {
            matches!(
                first.as_str(),
                "bash" | "sh" | "zsh" | "/bin/sh" | "/bin/bash" | "cmd" | "powershell" | "python" | "python3" | "node"
            )
        });
        let inline = constants.iter().any(|text| matches!(text.as_str(), "-c" | "-e" | "/c" | "-Command" | "--eval"));
        self.seen.shell |=
            constants.iter().any(|text| text.ends_with("/sh") || text.ends_with("/bash") || text == "cmd.exe");
        if shell || (interpreter && inline) {
            self.run(labels, node, "shell", bench);
        } else if let Some(current) = self.current.last_mut() {
            current.runs |= Labels::NONE;
        }
        if self.report && !command.is_empty() {
            bench.command(&command, node.start_byte(), node.byte_range().len());
            let written = self.written.iter().find(|(path, labels)| {
                labels.has(Labels::NETWORK)
                    && path.len() > 2
                    && constants
                        .iter()
                        .any(|text| text == *path || text.split_whitespace().any(|word| word == path.as_str()))
            });
            if written.is_some() {
                bench.find("code.download-to-exec", node.start_byte(), node.byte_range().len(), "");
            }
        }
    }

    /// A call whose name is put together from pieces.
    pub(super) fn disguised(&self, function: Node<'_>, bench: &mut Bench<'_>) {
        let pieced = |node: Node<'_>| {
            matches!(node.kind(), "binary_operator" | "binary_expression" | "subscript" | "call" | "call_expression")
        };
        let hidden = match function.kind() {
            "call" | "call_expression" => {
                let name = function.child_by_field_name("function").map_or("", |name| self.text(name));
                let arguments = function.child_by_field_name("arguments");
                let argument = |place| arguments.and_then(|arguments| arguments.named_child(place));
                match name {
                    "getattr" => {
                        argument(1).is_some_and(|part| pieced(part) && self.constant(part).is_some())
                            || argument(1).is_some_and(|part| {
                                self.text(part).contains("b64decode")
                                    || self.text(part).contains("fromhex")
                                    || self.text(part).contains("chr(")
                            })
                    }
                    _ => false,
                }
            }
            "subscript_expression" | "subscript" if self.computed_global(function) => {
                function.parent().is_some_and(|call| {
                    ["atob(", "fromCharCode", "Buffer.from(", "decodeURIComponent(", "unescape("]
                        .iter()
                        .any(|decoder| self.text(call).contains(decoder))
                })
            }
            "subscript_expression" | "subscript" => {
                let index = function.child_by_field_name("index").or_else(|| function.child_by_field_name("subscript"));
                index.is_some_and(|part| pieced(part) && self.constant(part).is_some())
            }
            "attribute" | "member_expression" => {
                let object = function.child_by_field_name("object");
                object.is_some_and(|object| {
                    let name = object.child_by_field_name("function").map_or("", |name| self.text(name));
                    let argument =
                        object.child_by_field_name("arguments").and_then(|arguments| arguments.named_child(0));
                    matches!(name, "__import__" | "importlib.import_module" | "require")
                        && argument.is_some_and(|part| pieced(part) && self.constant(part).is_some())
                })
            }
            _ => false,
        };
        if hidden {
            bench.find("code.disguised-call", function.start_byte(), function.byte_range().len(), "");
        }
    }
}
