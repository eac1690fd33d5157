//! Everything that a choice of versions may touch, read from the database before the choice is made.

use std::collections::{BTreeMap, HashMap};

use kontor_db::requirements::{self, OfVersion};
use kontor_db::versions::{self, Candidate};
use kontor_db::{Conn, skill_names, skills};
use kontor_types::{SkillId, SkillRef, Version as Number, VersionId, VersionSelector, Viewer};

use super::Want;
use crate::registry::name_of;
use crate::{Error, Registry};

/// Most skills that one question may touch.
const SKILLS: usize = 2_000;
/// Most versions of one skill that are weighed.
const VERSIONS: usize = 500;

/// A version that may be chosen.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub id: VersionId,
    pub number: Number,
    /// Withdrawn or not shown: only who names it exactly gets it.
    pub withdrawn: bool,
    /// Named by a lock file.
    pub preferred: bool,
    pub needs: Vec<Need>,
}

/// What a version needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// As the manifest names it.
    pub name: SkillRef,
    /// The skill, if there is one that the viewer may see.
    pub skill: Option<SkillId>,
    pub want: Want,
}

#[derive(Debug, Clone)]
struct Node {
    name: SkillRef,
    /// The best first.
    versions: Vec<Version>,
    explored: bool,
}

/// Skills, their versions and what those need.
#[derive(Debug, Default)]
pub(super) struct Universe {
    wanted: Vec<(SkillId, Want)>,
    preferred: HashMap<SkillId, Number>,
    nodes: BTreeMap<SkillId, Node>,
    names: HashMap<SkillRef, Option<SkillId>>,
}

impl Universe {
    /// Takes in something that is asked for by name.
    pub async fn want(
        &mut self,
        registry: &Registry,
        conn: &mut Conn,
        viewer: &Viewer,
        reference: &SkillRef,
    ) -> Result<(), Error> {
        let skill = registry.skill_on(conn, viewer, reference).await?;
        let (id, name) = (skill.id, name_of(&skill));
        let found = registry.version_on(conn, viewer, skill, reference.version.as_ref()).await?;
        let want = match &reference.version {
            None => Want::Any,
            Some(VersionSelector::Exact(number)) => Want::Exactly(number.clone()),
            Some(VersionSelector::Range(range)) => Want::Within(range.clone()),
            Some(VersionSelector::Tag(tag)) => Want::Tagged(tag.clone(), found.version.number.clone()),
        };
        self.wanted.push((id, want));
        self.add(id, name)
    }

    /// Takes in a version that should be kept where it still fits; what is not there is passed over.
    pub async fn prefer(
        &mut self,
        registry: &Registry,
        conn: &mut Conn,
        viewer: &Viewer,
        reference: &SkillRef,
    ) -> Result<(), Error> {
        let Some(VersionSelector::Exact(number)) = &reference.version else {
            return Err(Error::invalid(format!("`{reference}` names no exact version to keep")));
        };
        match registry.skill_on(conn, viewer, reference).await {
            Ok(skill) => {
                self.preferred.insert(skill.id, number.clone());
                Ok(())
            }
            Err(Error::SkillNotFound { .. } | Error::AmbiguousSlug { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads everything that may be needed.
    pub async fn explore(&mut self, conn: &mut Conn, viewer: &Viewer) -> Result<(), Error> {
        while let Some(id) = self.nodes.iter().find(|(_, node)| !node.explored).map(|(id, _)| *id) {
            let mut candidates = versions::candidates(conn, viewer, id).await?;
            // Those who maintain a skill see more, but nobody installs what was not admitted.
            candidates.retain(|candidate| candidate.state == versions::VersionState::Visible);
            let mut needs: HashMap<VersionId, Vec<OfVersion>> = HashMap::new();
            for row in requirements::of_skill(conn, viewer, id).await? {
                needs.entry(row.version_id).or_default().push(row);
            }
            let preferred = self.preferred.get(&id).cloned();
            let mut versions = Vec::with_capacity(candidates.len());
            for candidate in candidates {
                let mut version = weighed(&candidate, preferred.as_ref());
                for row in needs.remove(&candidate.id).unwrap_or_default() {
                    version.needs.push(self.need(conn, viewer, row).await?);
                }
                versions.push(version);
            }
            versions.sort_by(|left, right| rank(right).cmp(&rank(left)));
            versions.truncate(VERSIONS);
            if let Some(node) = self.nodes.get_mut(&id) {
                node.versions = versions;
                node.explored = true;
            }
        }
        Ok(())
    }

    async fn need(&mut self, conn: &mut Conn, viewer: &Viewer, row: OfVersion) -> Result<Need, Error> {
        let name = SkillRef::new(row.publisher, row.slug);
        let known = self.names.get(&name).copied();
        let skill = match (known, &name.publisher) {
            (Some(known), _) => known,
            (None, Some(publisher)) => {
                let id = skill_names::resolve(conn, viewer, publisher, &name.slug).await?;
                let skill = match id {
                    Some(id) => skills::find(conn, viewer, id).await?,
                    None => None,
                };
                if let Some(skill) = &skill {
                    self.add(skill.id, name_of(skill))?;
                }
                let id = skill.map(|skill| skill.id);
                self.names.insert(name.clone(), id);
                id
            }
            (None, None) => None,
        };
        Ok(Need { name, skill, want: Want::Within(row.range) })
    }

    fn add(&mut self, id: SkillId, name: SkillRef) -> Result<(), Error> {
        if self.nodes.len() >= SKILLS && !self.nodes.contains_key(&id) {
            let explanation = format!("the skills that may be needed are more than {SKILLS}");
            return Err(Error::RequiresConflict { explanation });
        }
        self.nodes.entry(id).or_insert(Node { name, versions: Vec::new(), explored: false });
        Ok(())
    }

    /// What is asked for by name.
    pub fn wanted(&self) -> impl Iterator<Item = (SkillId, &Want)> {
        self.wanted.iter().map(|(id, want)| (*id, want))
    }

    /// Whether a skill is asked for by name.
    pub fn is_wanted(&self, id: SkillId) -> bool {
        self.wanted.iter().any(|(wanted, _)| *wanted == id)
    }

    /// The versions of a skill, the best first.
    pub fn versions(&self, id: SkillId) -> &[Version] {
        self.nodes.get(&id).map_or(&[], |node| &node.versions)
    }

    /// One of these versions.
    pub fn version(&self, id: SkillId, place: usize) -> Option<&Version> {
        self.versions(id).get(place)
    }

    /// The skills that a version needs.
    pub fn needs_of(&self, id: SkillId, place: usize) -> impl Iterator<Item = SkillId> {
        self.version(id, place).into_iter().flat_map(|version| version.needs.iter().filter_map(|need| need.skill))
    }

    /// The skill's name of today.
    pub fn name(&self, id: SkillId) -> String {
        self.nodes.get(&id).map_or_else(|| id.to_string(), |node| node.name.to_string())
    }
}

fn weighed(candidate: &Candidate, preferred: Option<&Number>) -> Version {
    Version {
        id: candidate.id,
        number: candidate.number.clone(),
        withdrawn: !candidate.is_eligible(),
        preferred: preferred == Some(&candidate.number),
        needs: Vec::new(),
    }
}

/// The better version has the greater rank: what a lock file names, then releases, then the higher number.
fn rank(version: &Version) -> (bool, bool, &Number) {
    (version.preferred, !version.number.is_prerelease(), &version.number)
}

/// Names and their versions with needs.
#[cfg(test)]
pub(super) type World<'a> = &'a [(&'a str, &'a [(&'a str, &'a [&'a str])])];

#[cfg(test)]
impl Universe {
    /// A world for tests: names and their versions with needs, as `("a", &[("1.0.0", &["b ^1"])])`; a `!` behind a number
    /// withdraws it.
    pub fn of(world: World<'_>) -> Self {
        let reference = |name: &str| format!("@x/{name}").parse::<SkillRef>().unwrap();
        let ids: BTreeMap<&str, SkillId> = world
            .iter()
            .zip(1..)
            .map(|((name, _), place)| (*name, SkillId::from(uuid::Uuid::from_u128(place))))
            .collect();
        let need = |text: &&str| {
            let (name, range) = text.split_once(' ').unwrap();
            let want = Want::Within(range.parse().unwrap());
            Need { name: reference(name), skill: ids.get(name).copied(), want }
        };
        let version = |(number, needs): &(&str, &[&str])| Version {
            id: VersionId::from(uuid::Uuid::nil()),
            number: number.trim_end_matches('!').parse().unwrap(),
            withdrawn: number.ends_with('!'),
            preferred: false,
            needs: needs.iter().map(need).collect(),
        };
        let node = |(name, versions): &(&str, &[(&str, &[&str])])| {
            let mut versions: Vec<Version> = versions.iter().map(version).collect();
            versions.sort_by(|left, right| rank(right).cmp(&rank(left)));
            (ids[name], Node { name: reference(name), versions, explored: true })
        };
        Self { nodes: world.iter().map(node).collect(), ..Self::default() }
    }

    /// Wants `name range`, `name =1.0.0` for exactly that, or `name` for any.
    pub fn wanting(mut self, text: &str) -> Self {
        let (name, range) = text.split_once(' ').unwrap_or((text, ""));
        let want = match range.strip_prefix('=') {
            Some(number) => Want::Exactly(number.parse().unwrap()),
            None if range.is_empty() => Want::Any,
            None => Want::Within(range.parse().unwrap()),
        };
        let id = self.nodes.iter().find(|(_, node)| node.name.slug.as_str() == name).map(|(id, _)| *id).unwrap();
        self.wanted.push((id, want));
        self
    }
}
