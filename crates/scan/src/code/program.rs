//! Python and JavaScript: labels flow through assignments and calls, inside functions and between them.

mod calls;
mod files;
mod names;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tree_sitter::{Node, Tree};

use crate::capability::Capabilities;
use crate::code::keys;
use crate::code::known::{self, Does};
use crate::code::values::Labels;
use crate::code::{Bench, Facts, Pending, Sent, Summary};
use crate::kind::Language;

/// The longest constant text that a name is followed to.
const LONGEST_TEXT: usize = 2_000;
/// How deep expressions may lie in one another.
const DEPTH: usize = 220;

/// Follows the labels through one program.
pub fn examine(tree: &Tree, code: &str, language: Language, whole: bool, facts: &mut Facts, bench: &mut Bench<'_>) {
    let mut program = Program {
        code,
        python: language == Language::Python,
        networked: known::names_network(code),
        names: HashMap::new(),
        scopes: vec![HashMap::new()],
        functions: HashMap::new(),
        written: HashMap::new(),
        handles: HashMap::new(),
        current: vec![Summary::default()],
        foreign: Vec::new(),
        texts: HashMap::new(),
        hosts: BTreeSet::new(),
        uploads: BTreeMap::new(),
        requests: if whole { known::request_names(code) } else { &[] },
        archived: known::archived(code),
        extent: if whole { Extent::Whole } else { Extent::Part },
        seen: Seen::default(),
        report: false,
    };
    for round in 0..2 {
        program.report = round == 1;
        program.scopes = vec![HashMap::new()];
        program.foreign.clear();
        program.eval(tree.root_node(), 0, bench);
    }
    program.together(bench);
    if whole {
        program.hand_over(facts, bench.file);
    }
}

#[derive(Default)]
struct Seen {
    secret: Option<usize>,
    host_sent: Option<usize>,
    started: bool,
    sent: Option<usize>,
    connected: Option<usize>,
    duplicated: bool,
    shell: bool,
    spy: Option<usize>,
}

struct Call {
    module: String,
    function: String,
    arguments: Vec<Labels>,
    at: usize,
    sent: bool,
    run: bool,
}

/// Whether a program is a file of its own, or a part of a text and perhaps an example.
#[derive(PartialEq)]
enum Extent {
    Whole,
    Part,
}

struct Program<'c> {
    code: &'c str,
    python: bool,
    networked: bool,
    /// What names stand for: imports and plain renamings.
    names: HashMap<String, String>,
    scopes: Vec<HashMap<String, Labels>>,
    functions: HashMap<String, Summary>,
    /// Files that were written, by their constant paths.
    written: HashMap<String, Labels>,
    /// Names of opened files, with the names of their paths.
    handles: HashMap<String, String>,
    current: Vec<Summary>,
    foreign: Vec<Call>,
    /// Names that stand for one constant text.
    texts: HashMap<String, String>,
    /// The hosts that are named.
    hosts: BTreeSet<String>,
    /// Where content of files is sent away, and whether the files were looked for.
    uploads: BTreeMap<usize, bool>,
    extent: Extent,
    /// Names that stand for what a web server was asked.
    requests: &'static [&'static str],
    /// What the path of a file stands for once it is put into an archive.
    archived: Labels,
    seen: Seen,
    report: bool,
}

impl Program<'_> {
    fn is_whole(&self) -> bool {
        self.extent == Extent::Whole
    }

    fn text(&self, node: Node<'_>) -> &str {
        self.code.get(node.byte_range()).unwrap_or_default()
    }

    /// The labels of an expression; statements have none and leave their traces.
    fn eval(&mut self, node: Node<'_>, depth: usize, bench: &mut Bench<'_>) -> Labels {
        if depth > DEPTH {
            return Labels::NONE;
        }
        let next = depth + 1;
        match node.kind() {
            "comment" => Labels::NONE,
            "string" | "template_string" | "concatenated_string" => {
                let text = self.constant(node).unwrap_or_else(|| self.text(node).to_owned());
                if let Some(host) = known::host_of(&text).or_else(|| known::bare_host(&text)) {
                    self.hosts.insert(host.clone());
                    Capabilities::note(&mut bench.capabilities.network, &host);
                }
                known::labels_of_text(&text) | self.children(node, next, bench)
            }
            "identifier" | "shorthand_property_identifier" => self.named(self.text(node)),
            "attribute" | "member_expression" => self.member(node, next, bench),
            "subscript" | "subscript_expression" => self.subscript(node, next, bench),
            "import_statement" | "import_from_statement" | "future_import_statement" => {
                self.import(node);
                Labels::NONE
            }
            "assignment"
            | "augmented_assignment"
            | "assignment_expression"
            | "augmented_assignment_expression"
            | "variable_declarator"
            | "named_expression" => self.assign(node, next, bench),
            "as_pattern" => {
                let value = node.named_child(0).map_or(Labels::NONE, |value| self.eval(value, next, bench));
                if let Some(target) = node.child_by_field_name("alias") {
                    if let Some(opened) = node.named_child(0) {
                        self.opens(target, opened);
                    }
                    self.bind(target, value, false);
                }
                value
            }
            "for_statement" | "for_in_statement" | "for_in_clause" => {
                let value =
                    node.child_by_field_name("right").map_or(Labels::NONE, |right| self.eval(right, next, bench));
                if let Some(left) = node.child_by_field_name("left") {
                    self.bind(left, value, false);
                }
                self.children(node, next, bench)
            }
            "function_definition" | "function_declaration" | "method_definition" | "generator_function_declaration" => {
                let name = node.child_by_field_name("name").map(|name| self.text(name).to_owned()).unwrap_or_default();
                self.function(node, &name, Labels::NONE, next, bench);
                Labels::NONE
            }
            "lambda" | "arrow_function" | "function_expression" => self.function(node, "", Labels::NONE, next, bench),
            "return_statement" | "yield" => {
                let value = self.children(node, next, bench);
                if let Some(current) = self.current.last_mut() {
                    current.returns |= value;
                }
                value
            }
            "call" | "call_expression" | "new_expression" => self.call(node, next, bench),
            "dictionary" | "object" | "list" | "array" => {
                let several = keys::services_in(self.text(node)) >= 2;
                let keys = if several { Labels::KEYS } else { Labels::NONE };
                keys | self.children(node, next, bench)
            }
            "binary_operator" | "binary_expression" => self.joined(node) | self.children(node, next, bench),
            _ => self.children(node, next, bench),
        }
    }

    fn children(&mut self, node: Node<'_>, depth: usize, bench: &mut Bench<'_>) -> Labels {
        let mut cursor = node.walk();
        let mut labels = Labels::NONE;
        for child in node.named_children(&mut cursor) {
            labels |= self.eval(child, depth, bench);
        }
        labels
    }

    fn named(&self, name: &str) -> Labels {
        self.scopes.iter().rev().find_map(|scope| scope.get(name)).copied().unwrap_or_default()
    }

    /// Gives a value to every name on the left side.
    fn bind(&mut self, target: Node<'_>, value: Labels, add: bool) {
        match target.kind() {
            "identifier" | "shorthand_property_identifier_pattern" => {
                let name = self.text(target).to_owned();
                let before = if add { self.named(&name) } else { Labels::NONE };
                let known = if add { self.scopes.iter().rposition(|scope| scope.contains_key(&name)) } else { None };
                let place = known.unwrap_or(self.scopes.len().saturating_sub(1));
                if let Some(scope) = self.scopes.get_mut(place) {
                    scope.insert(name, value | before);
                }
            }
            "attribute" | "member_expression" if self.own_field(target).is_some() => {
                let field = self.own_field(target).unwrap_or_default();
                if let Some(scope) = self.scopes.first_mut() {
                    *scope.entry(field).or_default() |= value;
                }
            }
            "attribute" | "member_expression" | "subscript" | "subscript_expression" => {
                let object = target.child_by_field_name("object").or_else(|| target.child_by_field_name("value"));
                if let Some(object) = object {
                    self.bind(object, value, true);
                }
            }
            _ => {
                let mut cursor = target.walk();
                let parts: Vec<_> = target.named_children(&mut cursor).take(64).collect();
                for part in parts {
                    self.bind(part, value, add);
                }
            }
        }
    }

    fn assign(&mut self, node: Node<'_>, depth: usize, bench: &mut Bench<'_>) -> Labels {
        let field = |names: [&str; 2]| names.into_iter().find_map(|name| node.child_by_field_name(name));
        let (left, right) = (field(["left", "name"]), field(["right", "value"]));
        let Some(right) = right else { return Labels::NONE };
        if let Some(left) = left.filter(|left| left.kind() == "identifier") {
            let name = self.text(left).to_owned();
            if matches!(right.kind(), "arrow_function" | "function_expression" | "lambda") {
                self.function(right, &name, Labels::NONE, depth, bench);
                return Labels::NONE;
            }
            // `run = subprocess.run` and `const cp = require("child_process")` are renamings.
            let module = self.required(right);
            let renames = matches!(right.kind(), "attribute" | "member_expression" | "identifier");
            let full = module.clone().or_else(|| if renames { self.full_name(right, 0) } else { None });
            if let Some(full) = full.filter(|full| module.is_some() || known::does(full) != Does::Other) {
                self.names.insert(name, full);
            }
        } else if let (Some(left), Some(module)) = (left, self.required(right)) {
            self.destructured(left, &module);
        }
        if let Some(name) = left.filter(|left| left.kind() == "identifier") {
            let name = self.text(name).to_owned();
            match self.constant(right).filter(|text| text.len() <= LONGEST_TEXT) {
                Some(text) => self.texts.insert(name, text),
                None => self.texts.remove(&name),
            };
        }
        let value = self.eval(right, depth, bench);
        if let Some(left) = left {
            self.opens(left, right);
            self.bind(left, value, node.kind().starts_with("augmented"));
        }
        value
    }

    fn member(&mut self, node: Node<'_>, depth: usize, bench: &mut Bench<'_>) -> Labels {
        if let Some(field) = self.own_field(node) {
            return self.scopes.first().and_then(|scope| scope.get(&field)).copied().unwrap_or_default();
        }
        let full = self.full_name(node, 0).unwrap_or_default();
        match full.as_str() {
            "os.environ" | "process.env" => return Labels::ENVIRONMENT,
            "sys.argv" | "process.argv" | "sys.stdin" => return Labels::INPUT,
            _ if known::is_request(&full, self.requests) => return Labels::NETWORK,
            _ => {}
        }
        if let Some(name) = full.strip_prefix("process.env.").or_else(|| full.strip_prefix("import.meta.env.")) {
            if known::is_secret_name(name) {
                Capabilities::note(&mut bench.capabilities.secrets, name);
                return Labels::KEY;
            }
            return Labels::NONE;
        }
        if full.starts_with("os.environ.") {
            return Labels::ENVIRONMENT;
        }
        let object = node.child_by_field_name("object");
        object.map_or(Labels::NONE, |object| self.eval(object, depth, bench))
    }

    fn subscript(&mut self, node: Node<'_>, depth: usize, bench: &mut Bench<'_>) -> Labels {
        let object = node.child_by_field_name("object").or_else(|| node.child_by_field_name("value"));
        let name = object.and_then(|object| self.full_name(object, 0)).unwrap_or_default();
        if matches!(name.as_str(), "os.environ" | "process.env") {
            let index = node.child_by_field_name("index").or_else(|| node.child_by_field_name("subscript"));
            if let Some(name) = index.and_then(|index| self.constant(index)).filter(|name| known::is_secret_name(name))
            {
                Capabilities::note(&mut bench.capabilities.secrets, &name);
                return Labels::KEY;
            }
            return Labels::NONE;
        }
        self.children(node, depth, bench)
    }

    /// Reads a function with its parameters as labels; `given` is what an anonymous one is called with.
    fn function(&mut self, node: Node<'_>, name: &str, given: Labels, depth: usize, bench: &mut Bench<'_>) -> Labels {
        let mut scope = HashMap::new();
        let parameters = node.child_by_field_name("parameters").or_else(|| node.child_by_field_name("parameter"));
        if let Some(parameters) = parameters {
            let mut names = Vec::new();
            parameter_names(parameters, self.code, &mut names);
            let names: Vec<_> = names.into_iter().filter(|name| name != "self" && name != "cls").collect();
            for (place, parameter) in names.into_iter().enumerate() {
                let label = if name.is_empty() { given } else { Labels::parameter(place) };
                scope.insert(parameter, label);
            }
        }
        self.scopes.push(scope);
        self.current.push(Summary::default());
        let body = node.child_by_field_name("body").map_or(Labels::NONE, |body| self.eval(body, depth, bench));
        self.scopes.pop();
        let mut summary = self.current.pop().unwrap_or_default();
        let is_block =
            node.child_by_field_name("body").is_some_and(|body| matches!(body.kind(), "block" | "statement_block"));
        if !is_block {
            summary.returns |= body;
        }
        if name.is_empty() {
            // What a nested function without a name does, its surroundings do.
            if let Some(current) = self.current.last_mut() {
                current.sends |= summary.sends;
                current.runs |= summary.runs;
            }
            return summary.returns;
        }
        self.functions.insert(name.to_owned(), summary);
        Labels::NONE
    }

    /// What only the program as a whole shows.
    fn together(&self, bench: &mut Bench<'_>) {
        let has = |rule: &str, bench: &Bench<'_>| {
            bench.rules.places.get(rule).is_some_and(|place| bench.found.iter().any(|found| found.rule == *place))
        };
        if let Some(at) = self.seen.connected
            && (self.seen.duplicated
                || (self.seen.shell
                    && (self.code.contains("stdin=")
                        || (self.code.contains(".stdin") && self.code.contains(".pipe(")))))
        {
            bench.find("code.reverse-shell", at, 1, "");
        }
        if let Some(at) = self.seen.host_sent {
            bench.find(if self.seen.started { "code.beacon" } else { "code.host-to-network" }, at, 1, "");
        }
        if let (Some(at), Some(_)) = (self.seen.spy, self.seen.sent.or(self.seen.connected)) {
            bench.find("code.spy", at, 1, "");
        }
        if let (Some(at), Some(_)) = (self.seen.secret, self.seen.sent)
            && !has("code.secret-to-network", bench)
        {
            bench.find("code.secrets-and-network", at, 1, "");
        }
    }

    /// Leaves for other files what they may ask, and what this one asks of them.
    fn hand_over(self, facts: &mut Facts, file: &str) {
        let line_of = |code: &str, at: usize| {
            let before = code.get(..at).map_or(0, |before| before.matches('\n').count());
            u32::try_from(before + 1).unwrap_or(u32::MAX)
        };
        let worst = self.uploads.iter().max_by_key(|(_, gathered)| **gathered);
        if let Some((at, gathered)) = worst
            && !self.hosts.is_empty()
        {
            facts.sent.push(Sent {
                file: file.to_owned(),
                line: line_of(self.code, *at),
                hosts: self.hosts.into_iter().take(20).collect(),
                gathered: *gathered,
            });
        }
        let stem = file.rsplit(['/', '!']).next().unwrap_or(file).split('.').next().unwrap_or("").to_owned();
        let code = self.code;
        let functions = facts.modules.entry(stem).or_default();
        functions.extend(self.functions);
        for call in self.foreign.into_iter().take(32) {
            facts.pending.push(Pending {
                file: file.to_owned(),
                line: line_of(code, call.at),
                module: call.module,
                function: call.function,
                arguments: call.arguments,
                sent: call.sent,
                run: call.run,
            });
        }
    }
}

fn parameter_names(node: Node<'_>, code: &str, names: &mut Vec<String>) {
    if node.kind() == "identifier" {
        names.push(code.get(node.byte_range()).unwrap_or_default().to_owned());
        return;
    }
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        match child.kind() {
            "identifier" | "shorthand_property_identifier_pattern" => {
                names.push(code.get(child.byte_range()).unwrap_or_default().to_owned());
            }
            "default_parameter"
            | "typed_parameter"
            | "typed_default_parameter"
            | "assignment_pattern"
            | "required_parameter"
            | "optional_parameter" => {
                let name = child
                    .child_by_field_name("name")
                    .or_else(|| child.child_by_field_name("pattern"))
                    .or_else(|| child.child_by_field_name("left"))
                    .or_else(|| child.named_child(0));
                if let Some(name) = name {
                    parameter_names(name, code, names);
                }
            }
            "object_pattern"
            | "array_pattern"
            | "tuple_pattern"
            | "rest_pattern"
            | "list_splat_pattern"
            | "dictionary_splat_pattern" => parameter_names(child, code, names),
            _ => {}
        }
    }
}

fn module_name(name: &str) -> String {
    let name = name.strip_prefix("node:").unwrap_or(name);
    if name.starts_with('.') {
        name.rsplit('/').next().unwrap_or(name).split('.').next().unwrap_or(name).to_owned()
    } else {
        name.to_owned()
    }
}
