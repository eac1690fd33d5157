//! Files on the way: what is written to a path comes back from it, and what was downloaded to it is run from it.

use tree_sitter::Node;

use super::Program;
use crate::code::Bench;
use crate::code::known;
use crate::code::values::Labels;

impl Program<'_> {
    /// Remembers that a name stands for an opened file, by the name of its path.
    pub(super) fn opens(&mut self, target: Node<'_>, opened: Node<'_>) {
        let target =
            if target.kind() == "as_pattern_target" { target.named_child(0).unwrap_or(target) } else { target };
        if target.kind() != "identifier" || !matches!(opened.kind(), "call" | "call_expression") {
            return;
        }
        let Some(function) = opened.child_by_field_name("function") else { return };
        if !matches!(self.text(function).rsplit('.').next(), Some("open" | "createWriteStream")) {
            return;
        }
        let path = opened.child_by_field_name("arguments").and_then(|arguments| arguments.named_child(0));
        if let Some(path) = path {
            let path = self.constant(path).unwrap_or_else(|| self.text(path).to_owned());
            self.handles.insert(self.text(target).to_owned(), path);
        }
    }

    /// The name of a field of the object that a method belongs to: `self.data`, `this.data`.
    pub(super) fn own_field(&self, node: Node<'_>) -> Option<String> {
        let object = node.child_by_field_name("object")?;
        let part = node.child_by_field_name("attribute").or_else(|| node.child_by_field_name("property"))?;
        matches!(self.text(object), "self" | "this").then(|| format!("self.{}", self.text(part)))
    }

    /// Notes what flows into the file that a node names: by a constant, a variable, or an opened file.
    pub(super) fn fill(&mut self, path: Node<'_>, labels: Labels) {
        if let Some(text) = self.constant(path) {
            *self.written.entry(text).or_default() |= labels;
            return;
        }
        let name = self.text(path).to_owned();
        let name = self.handles.get(&name).cloned().unwrap_or(name);
        if name.len() > 200 || name.contains('\n') {
            return;
        }
        let loaded = if labels.has(Labels::NETWORK) { Labels::LOADED } else { Labels::NONE };
        let place = self.scopes.iter().rposition(|scope| scope.contains_key(&name));
        let place = place.unwrap_or(self.scopes.len().saturating_sub(1));
        if let Some(scope) = self.scopes.get_mut(place) {
            *scope.entry(name.clone()).or_default() |= loaded;
        }
        *self.written.entry(name).or_default() |= labels;
    }

    /// What comes from the file that a node names.
    pub(super) fn content(&self, path: Node<'_>) -> Labels {
        let name = self.constant(path).unwrap_or_else(|| self.text(path).to_owned());
        self.written.get(&name).copied().unwrap_or_default()
    }

    /// Whether what is read is a file that the program does not name: one that it was given or that it found.
    pub(super) fn foreign_file(&self, node: Node<'_>, labels: Labels) -> Labels {
        let path = Self::argument(node, 0);
        let own = path.is_some_and(|path| self.constant(path).is_some()) && !labels.touches(Labels::SECRET_PATH);
        let writes =
            self.constants(node).iter().any(|text| matches!(text.as_str(), "w" | "wb" | "a" | "ab" | "w+" | "x"));
        if own || writes { Labels::NONE } else { Labels::FILE }
    }

    /// What is put into a list, a message or an archive is in it from then on.
    pub(super) fn takes_up(&mut self, function: Node<'_>, method: &str, given: Labels) {
        let puts = [
            "append",
            "extend",
            "add",
            "update",
            "push",
            "set",
            "insert",
            "attach",
            "add_attachment",
            "write",
            "writestr",
        ];
        let kept = Labels::SECRET | Labels::FILE | Labels::GATHERED | Labels::ENVIRONMENT | Labels::KEY | Labels::HOST;
        let Some(object) = function.child_by_field_name("object").filter(|object| object.kind() == "identifier") else {
            return;
        };
        if !puts.contains(&method) || self.handles.contains_key(self.text(object)) {
            return;
        }
        let archived = if matches!(method, "write" | "add") { self.archived } else { Labels::NONE };
        let mut taken = given & kept;
        if given.has(Labels::SECRET_PATH) {
            taken |= archived & Labels::SECRET;
        }
        if given.has(Labels::GATHERED) {
            taken |= archived & Labels::FILE;
        }
        if taken != Labels::NONE {
            self.bind(object, taken, true);
        }
    }

    /// The node of the argument at a place.
    pub(super) fn argument(node: Node<'_>, place: u32) -> Option<Node<'_>> {
        node.child_by_field_name("arguments")?.named_child(place)
    }

    /// The file of a call that writes: the object of a method, or the first argument.
    pub(super) fn target<'n>(&self, node: Node<'n>) -> Option<Node<'n>> {
        let function = node.child_by_field_name("function")?;
        let last = self.text(function).rsplit('.').next().unwrap_or("");
        if matches!(last, "write_text" | "write_bytes" | "write" | "writelines") {
            return function.child_by_field_name("object");
        }
        Self::argument(node, 0)
    }

    /// Labels of a path that is put together: `home / ".ssh" / "id_rsa"` and calls of `join`.
    pub(super) fn joined(&self, node: Node<'_>) -> Labels {
        let slashes = node.child_by_field_name("operator").is_some_and(|operator| self.text(operator) == "/");
        if !slashes || self.text(node).len() > 400 {
            return Labels::NONE;
        }
        self.path_labels(node)
    }

    /// Labels of the constants below a node, joined as a path.
    pub(super) fn path_labels(&self, node: Node<'_>) -> Labels {
        let mut parts = Vec::new();
        self.collect(node, 0, &mut parts);
        if parts.len() < 2 {
            return Labels::NONE;
        }
        known::labels_of_text(&format!("~/{}", parts.join("/")))
    }

    /// Whether a call's arguments name the beginning of some service's tokens.
    pub(super) fn names_token(&self, node: Node<'_>) -> bool {
        const SHAPES: &[&str] =
            &["npm_", "ghp_", "gho_", "github_pat_", "glpat-", "AKIA", "xox", "sk-", "pypi-", "_authToken"];
        let arguments = node.child_by_field_name("arguments").map_or("", |arguments| self.text(arguments));
        SHAPES.iter().any(|shape| arguments.contains(shape))
    }

    /// A call that runs the code in a file.
    pub(super) fn ran_file(&mut self, node: Node<'_>, labels: Labels, bench: &mut Bench<'_>) {
        let mut cursor = node.walk();
        let arguments = node.child_by_field_name("arguments");
        let arguments: Vec<_> = arguments.map(|list| list.named_children(&mut cursor).collect()).unwrap_or_default();
        let content = arguments.into_iter().fold(Labels::NONE, |all, argument| all | self.content(argument));
        if self.report && (labels.has(Labels::LOADED) || content.has(Labels::NETWORK)) {
            bench.find("code.download-to-exec", node.start_byte(), node.byte_range().len(), "");
        }
    }
}
