//! Inclusion and consistency: how they are proven (RFC 6962, section 2.1) and checked (RFC 9162, section 2.1).

use kontor_types::Digest;

use crate::tree::{Nodes, node_hash, split};
use crate::{Error, empty_root};

/// The hashes that lead from a leaf to the root of the tree of `size` leaves, the leaf's sibling first.
pub fn inclusion(nodes: &mut impl Nodes, index: u64, size: u64) -> Result<Vec<Digest>, Error> {
    if index >= size {
        return Err(Error::refuted(format!("there is no entry {index} among {size}")));
    }
    let (mut start, mut end, mut path) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start)?;
        if index < middle {
            path.push(nodes.range(middle, end)?);
            end = middle;
        } else {
            path.push(nodes.range(start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The hashes that show the tree of `new` leaves to begin with the tree of `old` leaves.
pub fn consistency(nodes: &mut impl Nodes, old: u64, new: u64) -> Result<Vec<Digest>, Error> {
    if old > new {
        return Err(Error::refuted(format!("a tree of {new} leaves does not begin with one of {old}")));
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(path);
    }
    let (mut start, mut end, mut known) = (0, new, true);
    while old < end {
        let middle = start + split(end - start)?;
        if old <= middle {
            path.push(nodes.range(middle, end)?);
            end = middle;
        } else {
            path.push(nodes.range(start, middle)?);
            (start, known) = (middle, false);
        }
    }
    if !known {
        path.push(nodes.range(start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks that the tree with this size and root has a leaf of this hash at `index`.
pub fn verify_inclusion(leaf: Digest, index: u64, size: u64, path: &[Digest], root: &Digest) -> Result<(), Error> {
    let refuted = || Error::refuted(format!("entry {index} is not shown to be in the tree of {size} entries"));
    if index >= size {
        return Err(refuted());
    }
    let (mut first, mut last, mut hash) = (index, size - 1, leaf);
    for step in path {
        if last == 0 {
            return Err(refuted());
        }
        if first & 1 == 1 || first == last {
            hash = node_hash(step, &hash);
            skip_left_edge(&mut first, &mut last);
        } else {
            hash = node_hash(&hash, step);
        }
        (first, last) = (first >> 1, last >> 1);
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(refuted()) }
}

/// Checks that the newer tree begins with the older one.
pub fn verify_consistency(
    (old, old_root): (u64, &Digest),
    (new, new_root): (u64, &Digest),
    path: &[Digest],
) -> Result<(), Error> {
    let refuted = || Error::refuted(format!("the tree of {new} entries is not shown to begin with that of {old}"));
    let holds = |holds: bool| if holds { Ok(()) } else { Err(refuted()) };
    if old == 0 || old == new {
        let same = if old == new { old_root == new_root } else { *old_root == empty_root() };
        return holds(path.is_empty() && same);
    }
    let whole = old.is_power_of_two().then_some(old_root);
    let mut steps = whole.into_iter().chain(path);
    let (Some(start), false) = (steps.next(), old > new) else { return Err(refuted()) };
    let (mut first, mut last) = (old - 1, new - 1);
    let shift = first.trailing_ones();
    (first, last) = (first >> shift, last >> shift);
    let (mut old_hash, mut new_hash) = (*start, *start);
    for step in steps {
        if last == 0 {
            return Err(refuted());
        }
        if first & 1 == 1 || first == last {
            old_hash = node_hash(step, &old_hash);
            new_hash = node_hash(step, &new_hash);
            skip_left_edge(&mut first, &mut last);
        } else {
            new_hash = node_hash(&new_hash, step);
        }
        (first, last) = (first >> 1, last >> 1);
    }
    holds(last == 0 && old_hash == *old_root && new_hash == *new_root)
}

/// Levels on which the node has no sibling on the right are not in the path.
fn skip_left_edge(first: &mut u64, last: &mut u64) {
    while *first & 1 == 0 && *first != 0 {
        (*first, *last) = (*first >> 1, *last >> 1);
    }
}
