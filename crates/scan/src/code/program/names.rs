//! What names stand for, and texts that are made of constants.

use tree_sitter::Node;

use super::{Program, module_name};
use crate::code::values::Labels;

impl Program<'_> {
    /// The module of `require("…")` or of an awaited `import("…")`.
    pub(super) fn required(&self, node: Node<'_>) -> Option<String> {
        let node = if node.kind() == "await_expression" { node.named_child(0)? } else { node };
        if node.kind() != "call_expression" && node.kind() != "call" {
            return None;
        }
        let callee = self.text(node.child_by_field_name("function")?);
        let argument = node.child_by_field_name("arguments")?.named_child(0)?;
        matches!(callee, "require" | "import" | "__import__" | "importlib.import_module")
            .then(|| self.constant(argument))?
            .map(|name| module_name(&name))
    }

    /// `const { exec: run } = require("child_process")`.
    pub(super) fn destructured(&mut self, pattern: Node<'_>, module: &str) {
        let mut cursor = pattern.walk();
        for part in pattern.named_children(&mut cursor) {
            let (key, value) = match (part.child_by_field_name("key"), part.child_by_field_name("value")) {
                (Some(key), Some(value)) => (self.text(key).to_owned(), self.text(value).to_owned()),
                _ => (self.text(part).to_owned(), self.text(part).to_owned()),
            };
            self.names.insert(value, format!("{module}.{key}"));
        }
    }

    pub(super) fn import(&mut self, node: Node<'_>) {
        let text = self.text(node).to_owned();
        let clean = text.replace(['(', ')', ';', '\n'], " ");
        if self.python {
            if let Some(rest) = clean.strip_prefix("from ") {
                let Some((module, names)) = rest.split_once(" import ") else { return };
                let module = module.trim().trim_start_matches('.').to_owned();
                for name in names.split(',') {
                    self.renamed(name, |name| format!("{module}.{name}"));
                }
            } else if let Some(rest) = clean.strip_prefix("import ") {
                for name in rest.split(',') {
                    if name.contains(" as ") {
                        self.renamed(name, str::to_owned);
                    }
                }
            }
            return;
        }
        let module = node
            .child_by_field_name("source")
            .and_then(|source| self.constant(source))
            .map(|name| module_name(&name))
            .unwrap_or_default();
        let Some((head, _)) = clean.split_once(" from ") else { return };
        let head = head.trim_start_matches("import ").trim();
        let (plain, braced) = head.split_once('{').unwrap_or((head, ""));
        for name in braced.trim_end_matches(['}', ' ']).split(',') {
            self.renamed(name, |name| format!("{module}.{name}"));
        }
        let plain = plain.trim().trim_end_matches(',').trim_start_matches("* as ").trim();
        if !plain.is_empty() {
            self.names.insert(plain.to_owned(), module);
        }
    }

    pub(super) fn renamed(&mut self, text: &str, full: impl Fn(&str) -> String) {
        let (name, here) = text.split_once(" as ").unwrap_or((text, text));
        if !name.trim().is_empty() {
            self.names.insert(here.trim().to_owned(), full(name.trim()));
        }
    }

    /// The name of what an expression stands for, through imports, `getattr` and joined strings.
    pub(super) fn full_name(&self, node: Node<'_>, depth: usize) -> Option<String> {
        if depth > 12 {
            return None;
        }
        match node.kind() {
            "identifier" => {
                let name = self.text(node);
                Some(self.names.get(name).cloned().unwrap_or_else(|| name.to_owned()))
            }
            "attribute" | "member_expression" => {
                let object = self.full_name(node.child_by_field_name("object")?, depth + 1)?;
                let part = node.child_by_field_name("attribute").or_else(|| node.child_by_field_name("property"))?;
                Some(format!("{object}.{}", self.text(part)))
            }
            "subscript" | "subscript_expression" => {
                let object = node.child_by_field_name("object").or_else(|| node.child_by_field_name("value"))?;
                let index = node.child_by_field_name("index").or_else(|| node.child_by_field_name("subscript"))?;
                let part = self.constant(index)?;
                let object = self.full_name(object, depth + 1)?;
                Some(
                    if matches!(
                        object.as_str(),
                        "globals" | "window" | "globalThis" | "global" | "__builtins__" | "this"
                    ) {
                        part
                    } else {
                        format!("{object}.{part}")
                    },
                )
            }
            "call" | "call_expression" => {
                let function = node.child_by_field_name("function")?;
                let arguments = node.child_by_field_name("arguments")?;
                match self.text(function) {
                    "__import__" | "importlib.import_module" | "require" => {
                        self.constant(arguments.named_child(0)?).map(|name| module_name(&name))
                    }
                    "getattr" => {
                        let object = self.full_name(arguments.named_child(0)?, depth + 1)?;
                        Some(format!("{object}.{}", self.constant(arguments.named_child(1)?)?))
                    }
                    "globals" | "vars" | "locals" => Some("globals".to_owned()),
                    _ => self.full_name(function, depth + 1),
                }
            }
            "await_expression" | "parenthesized_expression" | "await" => {
                self.full_name(node.named_child(0)?, depth + 1)
            }
            "sequence_expression" => {
                self.full_name(node.named_child(node.named_child_count().checked_sub(1)?.try_into().ok()?)?, depth + 1)
            }
            _ => None,
        }
    }

    /// The text of an expression that is made of constants only.
    pub(super) fn constant(&self, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "string" | "template_string" => {
                let mut cursor = node.walk();
                let mut text = String::new();
                for part in node.named_children(&mut cursor) {
                    match part.kind() {
                        "string_content" | "string_fragment" | "escape_sequence" => text.push_str(self.text(part)),
                        "interpolation" | "template_substitution" => return None,
                        _ => {}
                    }
                }
                Some(text)
            }
            "identifier" => self.texts.get(self.text(node)).cloned(),
            "subscript" if self.text(node).ends_with("[::-1]") => {
                self.constant(node.child_by_field_name("value")?).map(|text| text.chars().rev().collect())
            }
            "call" | "call_expression" if self.text(node).len() < 2_000 => self.put_together(node),
            "concatenated_string" | "parenthesized_expression" => {
                let mut cursor = node.walk();
                node.named_children(&mut cursor)
                    .map(|part| self.constant(part))
                    .collect::<Option<Vec<_>>>()
                    .map(|parts| parts.concat())
            }
            "binary_operator" | "binary_expression" if self.text(node).len() < 2_000 => {
                let operator = node.child_by_field_name("operator").map_or("", |operator| self.text(operator));
                let left = self.constant(node.child_by_field_name("left")?)?;
                let right = self.constant(node.child_by_field_name("right")?)?;
                (operator == "+").then(|| left + &right)
            }
            _ => None,
        }
    }

    /// A text that a call puts together from constants: `"".join([…])`, `[…].join("")`, turned around, or from codes.
    fn put_together(&self, node: Node<'_>) -> Option<String> {
        let function = node.child_by_field_name("function")?;
        let object = function.child_by_field_name("object");
        let part = function.child_by_field_name("attribute").or_else(|| function.child_by_field_name("property"));
        let name = part.map_or_else(|| self.text(function), |part| self.text(part));
        let argument = node.child_by_field_name("arguments")?.named_child(0);
        let listed = |list: Node<'_>| {
            let mut cursor = list.walk();
            let parts: Option<Vec<_>> =
                list.named_children(&mut cursor).take(400).map(|part| self.constant(part)).collect();
            parts.filter(|_| matches!(list.kind(), "list" | "tuple" | "array"))
        };
        match name {
            "join" if self.python => Some(listed(argument?)?.join(&self.constant(object?)?)),
            "join" => {
                let between = argument.map_or(Some(String::new()), |between| self.constant(between))?;
                if let Some(parts) = listed(object?) {
                    return Some(parts.join(&between));
                }
                let turned = self.text(object?).strip_suffix(".reverse()")?;
                turned.contains("split(").then_some(())?;
                self.first_text(object?, 0).map(|text| text.chars().rev().collect())
            }
            "fromCharCode" | "chr" => {
                let mut cursor = node.walk();
                let codes = node.child_by_field_name("arguments")?;
                codes
                    .named_children(&mut cursor)
                    .take(400)
                    .map(|code| self.text(code).parse::<u32>().ok().and_then(char::from_u32))
                    .collect()
            }
            _ => None,
        }
    }

    /// The first constant text below a node.
    fn first_text(&self, node: Node<'_>, depth: usize) -> Option<String> {
        if matches!(node.kind(), "string" | "identifier") {
            return self.constant(node);
        }
        let mut cursor = node.walk();
        (depth < 8).then(|| node.named_children(&mut cursor).find_map(|child| self.first_text(child, depth + 1)))?
    }

    /// Whether a call is chosen from the global names by an expression.
    pub(super) fn computed_global(&self, function: Node<'_>) -> bool {
        let object = function.child_by_field_name("object").map_or("", |object| self.text(object));
        let index = function.child_by_field_name("index").or_else(|| function.child_by_field_name("subscript"));
        matches!(object, "globalThis" | "window" | "global" | "self" | "this")
            && index.is_some_and(|index| match index.kind() {
                "identifier" => self.named(self.text(index)).has(Labels::DECODED),
                kind => !matches!(kind, "string" | "number"),
            })
    }

    /// The constant texts in a call's arguments.
    pub(super) fn constants(&self, node: Node<'_>) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(arguments) = node.child_by_field_name("arguments") {
            self.collect(arguments, 0, &mut found);
        }
        found
    }

    pub(super) fn collect(&self, node: Node<'_>, depth: usize, found: &mut Vec<String>) {
        if depth > 12 || found.len() > 100 {
            return;
        }
        if let Some(text) = self.constant(node) {
            found.push(text);
            return;
        }
        if matches!(node.kind(), "string" | "template_string") {
            found.push(self.text(node).trim_matches(['"', '\'', '`', 'f']).to_owned());
            return;
        }
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            self.collect(child, depth + 1, found);
        }
    }

    pub(super) fn constant_in(&self, node: Node<'_>) -> Option<String> {
        self.constants(node).into_iter().next()
    }
}
