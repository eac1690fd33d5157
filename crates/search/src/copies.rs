//! Skills with the same text: of each group the first that answers stands for the others.

use std::collections::{HashMap, HashSet};

use tantivy::DocAddress;

use crate::bits::Bits;
use crate::snapshot::Part;

/// The documents of an index that are copies of one another.
#[derive(Default)]
pub struct Groups(Vec<Vec<DocAddress>>);

/// A document with what orders it within its group.
type Member = ((bool, i64, u64), DocAddress);

impl Groups {
    /// Reads which documents name another as the one that had their text first. In each group that one comes first, if it
    /// is there, and then who is there longest.
    pub fn read(parts: &[Part]) -> Self {
        let mut groups: HashMap<u64, Vec<Member>> = HashMap::new();
        for (part, document, head) in living(parts) {
            if head != part.1.ids.low(document) {
                groups.entry(head).or_default().push(member(part, document, false));
            }
        }
        if groups.is_empty() {
            return Self::default();
        }
        for (part, document, head) in living(parts) {
            if head == part.1.ids.low(document)
                && let Some(group) = groups.get_mut(&head)
            {
                group.push(member(part, document, true));
            }
        }
        let ordered = groups.into_values().filter(|group| group.len() > 1).map(|mut group| {
            group.sort_unstable_by_key(|(order, _)| *order);
            group.into_iter().map(|(_, address)| address).collect()
        });
        Self(ordered.collect())
    }

    /// Takes the copies out of what answers, one set for each segment, except those that the query names; how many each of
    /// those stands for that are left.
    pub fn collapse(&self, answers: &mut [&mut Bits], named: &HashSet<DocAddress>) -> HashMap<DocAddress, u64> {
        let mut stands_for = HashMap::new();
        for group in &self.0 {
            let mut first = None;
            for address in group {
                let Some(answers) = answers.get_mut(address.segment_ord as usize) else { continue };
                if !answers.contains(address.doc_id) {
                    continue;
                }
                match first {
                    None => first = Some(*address),
                    Some(first) if !named.contains(address) => {
                        answers.remove(address.doc_id);
                        *stands_for.entry(first).or_default() += 1;
                    }
                    Some(_) => {}
                }
            }
        }
        stands_for
    }
}

/// Every living document with the segment and the id of its head.
fn living(parts: &[Part]) -> impl Iterator<Item = ((u32, &Part), u32, u64)> {
    (0..).zip(parts).flat_map(|(ordinal, part)| {
        let documents = (0..part.segment.max_doc()).filter(|document| !part.segment.is_deleted(*document));
        documents.map(move |document| ((ordinal, part), document, part.heads.get_val(document)))
    })
}

fn member((ordinal, part): (u32, &Part), document: u32, is_head: bool) -> Member {
    let order = (!is_head, part.created.get_val(document), part.ids.low(document));
    (order, DocAddress::new(ordinal, document))
}
