use std::sync::Arc;

use kontor_registry::{Found, Permit, Skill, Version};
use kontor_types::VersionId;
use moka::sync::Cache;

use super::{Foreign, Keeping};

/// Most bytes of what is kept, by a rough count.
const BYTES: u64 = 4 << 20;

/// In which form a version's archive is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// As it lies, under an address that means it for ever or only for now.
    Canonical {
        /// For ever.
        is_fixed: bool,
    },
    /// With ClawHub's note.
    WithNote,
}

/// Answers about archives that everybody may see, made once and sent to many.
///
/// Nothing has to be told when facts change: an answer holds for the very facts it was made of, and the registry hands out
/// others once they are no longer true.
#[derive(Debug)]
pub struct Prepared(Cache<(VersionId, Form), Arc<Entry>>);

#[derive(Debug)]
struct Entry {
    skill: Arc<Skill>,
    version: Arc<Version>,
    foreign: Arc<Foreign>,
}

impl Default for Prepared {
    fn default() -> Self {
        let weight = |_: &(VersionId, Form), entry: &Arc<Entry>| {
            let texts = [&entry.skill.description, &entry.version.description, &entry.version.changelog];
            let bytes = texts.iter().map(|text| text.len() as u64).fold(entry.foreign.held(), u64::saturating_add);
            u32::try_from(bytes.saturating_add(4_096)).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(BYTES).weigher(weight).build())
    }
}

impl Prepared {
    /// The answer that was made of these facts, for whoever gets what everybody may have.
    pub fn get(&self, found: &Found, form: Form, permit: Permit) -> Option<Arc<Foreign>> {
        if !permit.open {
            return None;
        }
        let entry = self.0.get(&(found.version.id, form))?;
        let same = Arc::ptr_eq(&entry.skill, &found.skill) && Arc::ptr_eq(&entry.version, &found.version);
        same.then(|| Arc::clone(&entry.foreign))
    }

    /// Keeps an answer for whoever asks next, unless only some may see it.
    pub fn keep(&self, found: &Found, form: Form, foreign: Foreign) -> Arc<Foreign> {
        let foreign = Arc::new(foreign);
        if foreign.keeping != Keeping::Nobody {
            let entry = Entry {
                skill: Arc::clone(&found.skill),
                version: Arc::clone(&found.version),
                foreign: Arc::clone(&foreign),
            };
            self.0.insert((found.version.id, form), Arc::new(entry));
        }
        foreign
    }
}
