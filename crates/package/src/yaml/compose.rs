//! What the validator refuses in a tree that could be read.

use std::collections::HashSet;

use super::{Node, StrictRule, Strictness, Value};

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
    let mut merged = false;
    for (key, value) in pairs {
        if key.is_merge_key() {
            if std::mem::replace(&mut merged, true) {
                refuse(StrictRule::DuplicateKey, key);
            } else if !can_be_merged(value) {
                refuse(StrictRule::Key, key);
            }
            continue;
        }
        match key.text() {
            Some(text) if !keys.insert(text) => refuse(StrictRule::DuplicateKey, key),
            Some(_) => {}
            None => refuse(StrictRule::Key, key),
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

fn can_be_merged(value: &Node) -> bool {
    match &value.value {
        Value::Scalar(..) => false,
        Value::Mapping(_) => true,
        Value::Sequence(items) => !items.is_empty() && items.iter().all(|item| item.pairs().is_some()),
    }
}
