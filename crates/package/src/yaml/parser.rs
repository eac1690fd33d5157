use std::collections::HashMap;

use super::compose::check_tree;
use super::scanner::Scanner;
use super::token::{Kind, Mark, Token};
use super::{Broken, Document, Node, Place, StrictRule, Style, Value};

/// Most collections inside each other; readers of the JSON made from them stop at 128.
const MAX_DEPTH: usize = 100;
/// Most nodes of a tree, those that aliases repeat included.
const MAX_NODES: usize = 50_000;

/// Builds the tree from tokens.
pub(super) struct Parser {
    scanner: Scanner,
    anchors: HashMap<String, Node>,
    nodes_left: usize,
}

impl Parser {
    pub(super) fn new(text: &str) -> Result<Self, Broken> {
        Ok(Self { scanner: Scanner::new(text)?, anchors: HashMap::new(), nodes_left: MAX_NODES })
    }

    /// Reads the one document of the text.
    pub(super) fn document(mut self) -> Result<Document, Broken> {
        let start = self.scanner.next()?;
        self.move_comments(&start)?;
        if self.at(&[Kind::StreamEnd])? {
            return Ok(Document { root: None, strictness: self.scanner.strictness });
        }
        let root = self.node(true, false, 0)?;
        if self.at(&[Kind::DocumentEnd])? {
            self.scanner.next()?;
        }
        let rest = self.scanner.peek()?;
        if rest.kind != Kind::StreamEnd {
            let message = format!("{} stands behind the end of the front matter's content", rest.kind.name());
            return Err(Broken { message, place: rest.start.place() });
        }
        let mut strictness = self.scanner.strictness;
        check_tree(&root, &mut strictness);
        Ok(Document { root: Some(root), strictness })
    }

    fn at(&mut self, kinds: &[Kind]) -> Result<bool, Broken> {
        let token = self.scanner.peek()?;
        Ok(kinds.contains(&token.kind))
    }

    fn expected(&mut self, wanted: &str) -> Broken {
        match self.scanner.peek() {
            Ok(token) => Broken {
                message: format!("{} stands where {wanted} should", token.kind.name()),
                place: token.start.place(),
            },
            Err(broken) => broken,
        }
    }

    fn spend(&mut self, nodes: usize, place: Place) -> Result<(), Broken> {
        let left = self.nodes_left.checked_sub(nodes);
        self.nodes_left = left.ok_or_else(|| Broken { message: "there are too many values".to_owned(), place })?;
        Ok(())
    }

    fn new_node(&mut self, value: Value, mark: Mark) -> Result<Node, Broken> {
        let place = mark.place();
        self.spend(1, place)?;
        Ok(Node { value, place })
    }

    fn empty(&mut self, mark: Mark) -> Result<Node, Broken> {
        self.new_node(Value::Scalar(String::new(), Style::Plain), mark)
    }

    /// Moves the comments of a taken token to the next one, as the validator's reader does; it gives up when both have
    /// some of one kind.
    fn move_comments(&mut self, from: &Token) -> Result<(), Broken> {
        let Some(comments) = from.comments else {
            self.scanner.peek()?;
            return Ok(());
        };
        let target = self.scanner.peek()?;
        if matches!(target.kind, Kind::StreamEnd | Kind::DocumentStart) {
            return Ok(());
        }
        let Some(present) = target.comments else {
            target.comments = Some(comments);
            return Ok(());
        };
        let overlap = (comments.behind && present.behind) || (comments.before && present.before);
        let mark = target.start;
        target.comments = Some(super::token::Comments {
            behind: comments.behind || present.behind,
            before: comments.before || present.before,
        });
        if overlap {
            self.scanner.refuse(StrictRule::Comment, mark);
        }
        Ok(())
    }

    fn node(&mut self, block: bool, indentless: bool, depth: usize) -> Result<Node, Broken> {
        if depth > MAX_DEPTH {
            return Err(self.expected("nothing nested this deep"));
        }
        if let Kind::Alias(name) = &self.scanner.peek()?.kind {
            let name = name.clone();
            let token = self.scanner.next()?;
            return self.alias(&name, &token);
        }
        let (anchor, properties) = self.properties()?;
        let start = match properties {
            Some(mark) => mark,
            None => self.scanner.peek()?.start,
        };
        let node = self.content(block, indentless, properties.is_some(), start, depth)?;
        if let Some(name) = anchor {
            self.spend(node.size(), node.place)?;
            self.anchors.insert(name, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, name: &str, token: &Token) -> Result<Node, Broken> {
        self.scanner.refuse_property(&token.kind, token.start);
        let place = token.start.place();
        let Some(node) = self.anchors.get(name) else {
            return Err(Broken {
                message: format!("nothing is named `{}`; quote the value", name.escape_debug()),
                place,
            });
        };
        let size = node.size();
        self.spend(size, place)?;
        let node = self.anchors.get(name).map(|node| node.value.clone());
        Ok(Node { value: node.unwrap_or(Value::Sequence(Vec::new())), place })
    }

    /// Takes an anchor and a tag in either order.
    fn properties(&mut self) -> Result<(Option<String>, Option<Mark>), Broken> {
        let mut anchor = None;
        let mut mark = None;
        let mut tagged = false;
        loop {
            let token = self.scanner.peek()?;
            match &token.kind {
                Kind::Anchor(name) if anchor.is_none() => anchor = Some(name.clone()),
                Kind::Tag if !tagged => tagged = true,
                _ => return Ok((anchor, mark)),
            }
            let token = self.scanner.next()?;
            self.scanner.refuse_property(&token.kind, token.start);
            mark = mark.or(Some(token.start));
        }
    }

    fn content(
        &mut self,
        block: bool,
        indentless: bool,
        properties: bool,
        start: Mark,
        depth: usize,
    ) -> Result<Node, Broken> {
        let token = self.scanner.peek()?;
        let mark = token.start;
        match token.kind {
            Kind::BlockEntry if indentless => {
                if let Some(comments) = &mut token.comments {
                    comments.behind = false;
                }
                self.indentless_sequence(start, depth)
            }
            Kind::Scalar { .. } => self.scalar(start),
            Kind::FlowSequenceStart => {
                self.scanner.refuse(StrictRule::FlowStyle, mark);
                self.flow_sequence(start, depth)
            }
            Kind::FlowMappingStart => {
                self.scanner.refuse(StrictRule::FlowStyle, mark);
                self.flow_mapping(start, depth)
            }
            Kind::BlockSequenceStart if block => {
                if token.comments.is_some_and(|comments| comments.behind && !comments.before) {
                    token.comments = None;
                }
                self.block_sequence(start, depth)
            }
            Kind::BlockMappingStart if block => self.block_mapping(start, depth),
            _ if properties => self.empty(start),
            _ => Err(self.expected("a value")),
        }
    }

    fn scalar(&mut self, start: Mark) -> Result<Node, Broken> {
        match self.scanner.next()?.kind {
            Kind::Scalar { text, style } => self.new_node(Value::Scalar(text, style), start),
            _ => self.empty(start),
        }
    }

    fn block_sequence(&mut self, start: Mark, depth: usize) -> Result<Node, Broken> {
        self.scanner.next()?;
        let mut items = Vec::new();
        while self.at(&[Kind::BlockEntry])? {
            items.push(self.entry(&[Kind::BlockEntry, Kind::BlockEnd], depth)?);
        }
        if !self.at(&[Kind::BlockEnd])? {
            return Err(self.expected("a list entry `-`"));
        }
        self.scanner.next()?;
        self.new_node(Value::Sequence(items), start)
    }

    fn indentless_sequence(&mut self, start: Mark, depth: usize) -> Result<Node, Broken> {
        let mut items = Vec::new();
        while self.at(&[Kind::BlockEntry])? {
            items.push(self.entry(&[Kind::BlockEntry, Kind::Key, Kind::Value, Kind::BlockEnd], depth)?);
        }
        self.new_node(Value::Sequence(items), start)
    }

    fn entry(&mut self, ends: &[Kind], depth: usize) -> Result<Node, Broken> {
        let token = self.scanner.next()?;
        let behind = token.end;
        self.move_comments(&token)?;
        if self.at(ends)? { self.empty(behind) } else { self.node(true, false, depth + 1) }
    }

    fn block_mapping(&mut self, start: Mark, depth: usize) -> Result<Node, Broken> {
        self.scanner.next()?;
        let mut pairs = Vec::new();
        loop {
            let key = if self.at(&[Kind::Key])? {
                let token = self.scanner.next()?;
                let behind = token.end;
                self.move_comments(&token)?;
                if self.at(&[Kind::Key, Kind::Value, Kind::BlockEnd])? {
                    self.empty(behind)?
                } else {
                    self.node(true, true, depth + 1)?
                }
            } else if self.at(&[Kind::Value])? {
                let mark = self.scanner.peek()?.start;
                self.empty(mark)?
            } else if self.at(&[Kind::BlockEnd])? {
                let token = self.scanner.next()?;
                self.move_comments(&token)?;
                return self.new_node(Value::Mapping(pairs), start);
            } else {
                return Err(self.expected("a key"));
            };
            let value = self.block_mapping_value(depth)?;
            pairs.push((key, value));
        }
    }

    fn block_mapping_value(&mut self, depth: usize) -> Result<Node, Broken> {
        if !self.at(&[Kind::Value])? {
            let mark = self.scanner.peek()?.start;
            return self.empty(mark);
        }
        let token = self.scanner.next()?;
        let behind = token.end;
        let before_key = self.at(&[Kind::Key])?;
        let keeps_comments = before_key && token.comments.is_some();
        if !before_key {
            self.move_comments(&token)?;
        }
        if !self.at(&[Kind::Key, Kind::Value, Kind::BlockEnd])? {
            return self.node(true, true, depth + 1);
        }
        if !keeps_comments && let Some(comments) = &mut self.scanner.peek()?.comments {
            comments.behind = false;
        }
        self.empty(behind)
    }

    fn flow_sequence(&mut self, start: Mark, depth: usize) -> Result<Node, Broken> {
        self.scanner.next()?;
        let mut items = Vec::new();
        while !self.at(&[Kind::FlowSequenceEnd])? {
            if !items.is_empty() {
                self.flow_separator("`]`")?;
                if self.at(&[Kind::FlowSequenceEnd])? {
                    break;
                }
            }
            if self.at(&[Kind::Key])? {
                let mark = self.scanner.next()?.start;
                let pair = self.flow_pair(Kind::FlowSequenceEnd, depth)?;
                items.push(self.new_node(Value::Mapping(vec![pair]), mark)?);
            } else {
                items.push(self.node(false, false, depth + 1)?);
            }
        }
        self.scanner.next()?;
        self.new_node(Value::Sequence(items), start)
    }

    fn flow_mapping(&mut self, start: Mark, depth: usize) -> Result<Node, Broken> {
        self.scanner.next()?;
        let mut pairs = Vec::new();
        while !self.at(&[Kind::FlowMappingEnd])? {
            if !pairs.is_empty() {
                self.flow_separator("`}`")?;
                if self.at(&[Kind::FlowMappingEnd])? {
                    break;
                }
            }
            if self.at(&[Kind::Key])? {
                self.scanner.next()?;
                pairs.push(self.flow_pair(Kind::FlowMappingEnd, depth)?);
            } else if self.at(&[Kind::Value])? {
                pairs.push(self.flow_pair(Kind::FlowMappingEnd, depth)?);
            } else {
                let key = self.node(false, false, depth + 1)?;
                let mark = self.scanner.peek()?.start;
                pairs.push((key, self.empty(mark)?));
            }
        }
        self.scanner.next()?;
        self.new_node(Value::Mapping(pairs), start)
    }

    fn flow_separator(&mut self, end: &str) -> Result<(), Broken> {
        if !self.at(&[Kind::FlowEntry])? {
            return Err(self.expected(&format!("`,` or {end}")));
        }
        self.scanner.next()?;
        Ok(())
    }

    /// A key and its value inside brackets, behind the key's mark.
    fn flow_pair(&mut self, end: Kind, depth: usize) -> Result<(Node, Node), Broken> {
        let key = self.flow_part(&[Kind::Value, Kind::FlowEntry, end.clone()], depth)?;
        if !self.at(&[Kind::Value])? {
            let mark = self.scanner.peek()?.start;
            return Ok((key, self.empty(mark)?));
        }
        self.scanner.next()?;
        Ok((key, self.flow_part(&[Kind::FlowEntry, end], depth)?))
    }

    fn flow_part(&mut self, ends: &[Kind], depth: usize) -> Result<Node, Broken> {
        if self.at(ends)? {
            let mark = self.scanner.peek()?.start;
            return self.empty(mark);
        }
        self.node(false, false, depth + 1)
    }
}
