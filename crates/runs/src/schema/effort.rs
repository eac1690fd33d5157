//! How much work a schema can make: references can double it at each step, and the schema is a stranger's.

use serde_json::{Map, Value};

/// The most parts that a schema has when each reference is replaced by what it leads to.
const MOST_PARTS: u64 = 5_000;
/// The most parts times the most that a value is made of.
const MOST: u64 = 400_000_000;
/// How deep parts may lie within each other.
const DEEPEST: usize = 200;

/// A step from a value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The property of this name.
    Property(String),
    /// Any property.
    Properties,
    /// An element of a list.
    Elements,
}

impl Step {
    /// Whether both can lead to the same part.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Property(one), Self::Property(two)) => one == two,
            (Self::Elements, Self::Elements) => true,
            (Self::Elements, _) | (_, Self::Elements) => false,
            _ => true,
        }
    }
}

/// What a schema costs for each part of a value.
///
/// # Errors
/// Why it may cost more than is done for it.
pub fn of(schema: &Value) -> Result<u64, String> {
    let mut walk =
        Walk { root: schema, parts: 0, entered: Vec::new(), steps: Vec::new(), recursive: None, returns: Vec::new() };
    walk.part(schema, 0)?;
    Ok(walk.parts)
}

/// Whether a value can be held against a schema of this cost.
pub fn allows(parts: u64, value: &Value) -> bool {
    parts.saturating_mul(size(value)) <= MOST
}

fn size(value: &Value) -> u64 {
    match value {
        Value::String(text) => 1 + text.len() as u64 / 32,
        Value::Array(items) => items.iter().fold(1, |sum, item| size(item).saturating_add(sum)),
        Value::Object(members) => {
            members.iter().fold(1, |sum, (name, item)| (size(item) + name.len() as u64 / 32).saturating_add(sum))
        }
        _ => 1,
    }
}

struct Walk<'s> {
    root: &'s Value,
    parts: u64,
    /// References that are being followed, each with how many steps lead to where it was met.
    entered: Vec<(&'s str, usize)>,
    /// From the whole value to the part that is looked at.
    steps: Vec<Step>,
    /// The reference that leads back into itself.
    recursive: Option<&'s str>,
    /// The steps by which it does.
    returns: Vec<Vec<Step>>,
}

impl<'s> Walk<'s> {
    fn part(&mut self, schema: &'s Value, depth: usize) -> Result<(), String> {
        self.parts += 1;
        if self.parts > MOST_PARTS || depth > DEEPEST {
            return Err("its references multiply to more than 5,000 parts, or 200 within each other".to_owned());
        }
        let Value::Object(members) = schema else { return Ok(()) };
        for (key, below) in members {
            match key.as_str() {
                "$ref" => self.reference(below, depth)?,
                "$dynamicRef" | "$recursiveRef" => return Err(format!("`{key}` is not taken; use `$ref`")),
                "$id" | "id" | "$anchor" | "$dynamicAnchor" | "$recursiveAnchor" if depth > 0 && !below.is_object() => {
                    return Err(format!("`{key}` is taken at the top only; references lead by path"));
                }
                "enum" | "const" | "default" | "examples" | "$defs" | "definitions" | "required" => {}
                "properties" | "dependentSchemas" | "dependencies" => self.named(key == "properties", below, depth)?,
                "patternProperties" => {
                    for one in below.as_object().into_iter().flat_map(Map::values) {
                        self.below(Some(Step::Properties), one, depth)?;
                    }
                }
                "additionalProperties" | "unevaluatedProperties" | "propertyNames" => {
                    self.below(Some(Step::Properties), below, depth)?;
                }
                "items" | "prefixItems" | "additionalItems" | "unevaluatedItems" | "contains" => {
                    self.each(Some(&Step::Elements), below, depth)?;
                }
                // All others, known or not, speak of the same value.
                _ => self.each(None, below, depth)?,
            }
        }
        Ok(())
    }

    fn named(&mut self, leads_down: bool, below: &'s Value, depth: usize) -> Result<(), String> {
        for (name, one) in below.as_object().into_iter().flatten() {
            self.below(leads_down.then(|| Step::Property(name.clone())), one, depth)?;
        }
        Ok(())
    }

    fn each(&mut self, step: Option<&Step>, below: &'s Value, depth: usize) -> Result<(), String> {
        match below {
            Value::Array(list) => list.iter().try_for_each(|one| self.below(step.cloned(), one, depth)),
            one => self.below(step.cloned(), one, depth),
        }
    }

    fn below(&mut self, step: Option<Step>, schema: &'s Value, depth: usize) -> Result<(), String> {
        let before = self.steps.len();
        self.steps.extend(step);
        let done = self.part(schema, depth + 1);
        self.steps.truncate(before);
        done
    }

    fn reference(&mut self, target: &'s Value, depth: usize) -> Result<(), String> {
        let Some(target) = target.as_str() else { return Err("a `$ref` is no text".to_owned()) };
        let from = match self.entered.iter().find(|(known, _)| *known == target) {
            Some((_, from)) => Some(*from),
            // The whole is entered before any reference.
            None => (target == "#").then_some(0),
        };
        if let Some(from) = from {
            return self.leads_back(target, from);
        }
        let found = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let found = found.ok_or_else(|| format!("`{target}` leads to nothing in this file; write it as `#/…`"))?;
        self.entered.push((target, self.steps.len()));
        let done = self.part(found, depth + 1);
        self.entered.pop();
        if self.recursive == Some(target) {
            // Each time that it is entered it has its own ways back.
            self.returns.clear();
        }
        done
    }

    /// A reference into itself is followed once for each part of a value, as long as it has one way to come to that part.
    fn leads_back(&mut self, target: &'s str, from: usize) -> Result<(), String> {
        let steps = self.steps.get(from..).unwrap_or_default().to_vec();
        if steps.is_empty() {
            return Err(format!("`{target}` leads to itself"));
        }
        if *self.recursive.get_or_insert(target) != target {
            return Err("more than one of its references leads into itself".to_owned());
        }
        let meet = |known: &Vec<Step>| known.iter().zip(&steps).all(|(one, two)| one.meets(two));
        if self.returns.iter().any(meet) {
            return Err(format!("`{target}` leads into itself in several ways that can meet"));
        }
        self.returns.push(steps);
        Ok(())
    }
}
