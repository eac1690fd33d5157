//! What the validator refuses in a tree that could be read.

use std::collections::HashSet;

use super::{Node, StrictRule, Strictness, Style, Value};

pub(super) fn check_tree(node: &Node, strictness: &mut Vec<Strictness>) {
    match &node.value {
        Value::Scalar(..) => {}
        Value::Sequence(items) => items.iter().for_each(|item| check_tree(item, strictness)),
        Value::Mapping(pairs) => check_mapping(pairs, strictness),
    }
}

fn check_mapping(pairs: &[(Node, Node)], strictness: &mut Vec<Strictness>) {
    let mut refuse = |rule, node: &Node| strictness.push(Strictness { rule, place: node.place });
    let mut keys = HashSet::new();
    let mut column = None;
    for (key, value) in pairs {
        match &key.value {
            Value::Scalar(text, style) => {
                if !keys.insert(text.as_str()) {
                    refuse(StrictRule::DuplicateKey, key);
                }
                if text == "<<" && *style == Style::Plain {
                    refuse(StrictRule::Key, key);
                }
            }
            _ => refuse(StrictRule::Key, key),
        }
        if let Value::Mapping(_) = value.value
            && *column.get_or_insert(value.place.column) != value.place.column
        {
            refuse(StrictRule::Indentation, value);
        }
    }
    for (key, value) in pairs {
        check_tree(key, strictness);
        check_tree(value, strictness);
    }
}
