//! What a unit can do, as one profile that people and policy can read and compare.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What was seen of a unit's abilities. Sets are sorted, so equal content gives equal text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Hosts that are named in commands and scripts.
    pub network: BTreeSet<String>,
    /// Programs that are started, and ways of running code.
    pub exec: BTreeSet<String>,
    /// Places that are written, as the scripts name them.
    pub writes: BTreeSet<String>,
    /// Secrets that are read: files and names of environment variables.
    pub secrets: BTreeSet<String>,
    /// Files of agents' configuration or memory that are touched.
    pub agent_configuration: BTreeSet<String>,
    /// Addresses that something is downloaded from.
    pub downloads: BTreeSet<String>,
}

/// One ability that one profile has and another has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gained {
    /// Which part of the profile: `network`, `exec`, `writes`, `secrets`, `agent_configuration`, `downloads`.
    pub part: String,
    /// What is new.
    pub what: String,
}

impl Capabilities {
    /// The most entries of one part; what a unit has beyond is not useful to read.
    const MOST: usize = 200;

    fn parts(&self) -> [(&'static str, &BTreeSet<String>); 6] {
        [
            ("network", &self.network),
            ("exec", &self.exec),
            ("writes", &self.writes),
            ("secrets", &self.secrets),
            ("agent_configuration", &self.agent_configuration),
            ("downloads", &self.downloads),
        ]
    }

    /// Whether the unit can do nothing that is worth a line.
    pub fn is_empty(&self) -> bool {
        self.parts().iter().all(|(_, part)| part.is_empty())
    }

    /// Adds what another profile has.
    pub(crate) fn add(&mut self, other: &Self) {
        let mine = [
            &mut self.network,
            &mut self.exec,
            &mut self.writes,
            &mut self.secrets,
            &mut self.agent_configuration,
            &mut self.downloads,
        ];
        for (part, (_, more)) in mine.into_iter().zip(other.parts()) {
            for what in more.iter().take(Self::MOST.saturating_sub(part.len())) {
                part.insert(what.clone());
            }
        }
    }

    /// What this profile has and `earlier` has not.
    pub fn gained_since(&self, earlier: &Self) -> Vec<Gained> {
        let pairs = self.parts().into_iter().zip(earlier.parts());
        let gained = pairs.flat_map(|((part, now), (_, before))| {
            now.difference(before).map(move |what| Gained { part: part.to_owned(), what: what.clone() })
        });
        gained.collect()
    }

    /// One line for each part that has entries.
    pub fn lines(&self) -> Vec<String> {
        let parts = self.parts();
        let filled = parts.iter().filter(|(_, part)| !part.is_empty());
        filled
            .map(|(name, part)| format!("{name}: {}", part.iter().map(String::as_str).collect::<Vec<_>>().join(", ")))
            .collect()
    }

    pub(crate) fn note(part: &mut BTreeSet<String>, what: &str) {
        let what: String = what.chars().filter(|char| !char.is_control()).take(120).collect();
        if !what.is_empty() && part.len() < Self::MOST {
            part.insert(what);
        }
    }
}
