//! What a version resembles: whose text it repeats and what it can do besides, and which name its own is taken for.
//!
//! Signatures are kept once for each content, before anything is decided. Whose version is the original follows from
//! them at each decision, among what everybody may find: what is hidden from the publisher is never named to them.

use std::collections::{BTreeMap, HashMap, HashSet};

use kontor_db::assessments::Subject;
use kontor_db::likenesses::{self, Asked, Fresh, Met, NewLikeness, Original, Own};
use kontor_db::resemblances::{self, Resemblance};
use kontor_db::scan_reports::{self, ScanReport};
use kontor_db::{Conn, Tx, assessments};
use kontor_scan::{Capabilities, Gained, kept_likeness};
use kontor_types::{Digest, Viewer};

use super::facts;
use crate::look_alikes::{NewName, taken_for};
use crate::{Error, Found, Registry};

/// The share of text in common, in percent, from which a text is a copy of another. Over 1,468 skills of the development
/// corpora every pair above 64 is one skill twice, and skills made from one template have up to 63 in common; a signature
/// is right to about four.
const COPY: u32 = 75;
/// How many contents one bucket holds: the first that came, among which an original is.
const OF_BUCKET: usize = 16;
/// Versions of an original that a copy may be a copy of.
const VERSIONS: u32 = 8;
/// The most things that a copy can do besides that are told.
const TOLD: usize = 20;

/// Whether other versions have the same or a like text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kin {
    /// None has.
    None,
    /// That must be asked.
    Unknown,
}

impl Registry {
    /// The version whose text a version repeats: the earliest that the viewer may find, of another skill.
    pub async fn copy_of(&self, viewer: &Viewer, found: &Found) -> Result<Option<Original>, Error> {
        let asked = Asked {
            version: found.version.id,
            skill: found.skill.id,
            publisher: found.skill.publisher_id,
            digest: found.version.digest,
            since: found.version.created_at,
        };
        Ok(original(&mut self.read().await?, viewer, &asked, Own::Skill).await?)
    }
}

/// Keeps the signatures of contents that nothing was known of, and which contents they are like; says which of them are like
/// no other and belong to one version only.
pub(super) async fn keep<'a>(
    tx: &mut Tx,
    scanned: impl Iterator<Item = &'a NewLikeness>,
) -> Result<HashSet<Digest>, kontor_db::Error> {
    // In one order, so that units that keep the same contents do not wait for each other in a circle.
    let mut new: BTreeMap<Digest, &NewLikeness> = scanned.map(|one| (one.digest, one)).collect();
    if new.is_empty() {
        return Ok(HashSet::new());
    }
    let fresh = likenesses::fresh(tx, &new.keys().copied().collect::<Vec<_>>()).await?;
    let mut alone: HashSet<Digest> = fresh.iter().filter(|one| !one.shared).map(|one| one.digest).collect();
    let fresh: HashSet<Digest> = fresh.into_iter().map(|Fresh { digest, .. }| digest).collect();
    new.retain(|digest, _| fresh.contains(digest));
    let bands: Vec<i64> = new.values().flat_map(|one| one.bands.iter().copied()).collect();
    let mut buckets = Buckets::of(likenesses::met(tx, &bands).await?);
    let new: Vec<NewLikeness> = new.into_values().cloned().collect();
    let (mut members, mut pairs) = (Vec::new(), Vec::new());
    for one in &new {
        pairs.extend(buckets.alike(one).into_iter().map(|(other, likeness)| (one.digest, other, likeness)));
        members.extend(buckets.put(one).into_iter().map(|band| (band, one.digest)));
    }
    likenesses::keep(tx, &new).await?;
    likenesses::fill(tx, &members).await?;
    likenesses::pair(tx, &pairs).await?;
    for (one, other, _) in &pairs {
        alone.remove(one);
        alone.remove(other);
    }
    Ok(alone)
}

/// The contents that new ones meet.
struct Buckets {
    members: HashMap<i64, Vec<Digest>>,
    places: HashMap<Digest, Vec<u8>>,
}

impl Buckets {
    fn of(met: Vec<Met>) -> Self {
        let (mut members, mut places) = (HashMap::<_, Vec<_>>::new(), HashMap::new());
        for Met { band, digest, places: kept } in met {
            members.entry(band).or_default().push(digest);
            places.insert(digest, kept);
        }
        Self { members, places }
    }

    /// The contents that are like this one, with the share of text in common in percent.
    fn alike(&self, new: &NewLikeness) -> Vec<(Digest, u32)> {
        let met: HashSet<&Digest> = new.bands.iter().filter_map(|band| self.members.get(band)).flatten().collect();
        let shares = met.into_iter().filter_map(|other| Some((*other, self.places.get(other)?)));
        shares
            .map(|(other, places)| (other, kept_likeness(&new.places, places)))
            .filter(|(_, likeness)| *likeness >= COPY)
            .collect()
    }

    /// Puts a content into its buckets that are not full, and says which they are.
    fn put(&mut self, new: &NewLikeness) -> Vec<i64> {
        self.places.insert(new.digest, new.places.clone());
        let mut taken = Vec::new();
        for band in &new.bands {
            let members = self.members.entry(*band).or_default();
            if members.len() < OF_BUCKET {
                members.push(new.digest);
                taken.push(*band);
            }
        }
        taken
    }
}

/// Finds out what a version resembles, keeps it, and puts it into what the decision knows.
pub(super) async fn look(tx: &mut Tx, subject: &mut Subject, scan: &ScanReport, kin: Kin) -> Result<(), Error> {
    let mut found = Resemblance::default();
    let asked = Asked {
        version: subject.id,
        skill: subject.skill_id,
        publisher: subject.publisher_id,
        digest: subject.digest,
        since: subject.created_at,
    };
    if kin == Kin::Unknown
        && let Some(original) = original(tx, &Viewer::anonymous(), &asked, Own::Publisher).await?
    {
        found.copy_of = Some(original.version_id);
        found.likeness = u32::try_from(original.likeness).ok();
        found.gained = gained(tx, scan, &original).await?;
    }
    // A name under which something was admitted already is not questioned again.
    if !subject.established {
        let name = NewName {
            slug: &subject.slug,
            shown: &subject.display_name,
            publisher: subject.publisher_id,
            since: subject.skill_since,
        };
        found.looks_like = taken_for(tx, &name).await?.first().map(|skill| skill.id);
    }
    // A row that is there has this list, empty or not.
    let known = subject.gained.is_some();
    if known || found != Resemblance::default() {
        resemblances::put(tx, subject.id, &found).await?;
        if let Some(standing) = assessments::standing(tx, subject.id).await? {
            *subject = standing;
        }
    }
    Ok(())
}

/// The version whose text another one repeats: of the skill that had it first, the version most like it.
async fn original(
    conn: &mut Conn,
    viewer: &Viewer,
    asked: &Asked,
    own: Own,
) -> Result<Option<Original>, kontor_db::Error> {
    let Some(first) = likenesses::original(conn, viewer, asked, own).await? else { return Ok(None) };
    let versions = likenesses::of_skill(conn, viewer, &asked.digest, first.skill_id, 1).await?;
    Ok(versions.into_iter().next().or(Some(first)))
}

/// What a version can do that no version of the original with a like text can; nothing for the very same content.
async fn gained(tx: &mut Tx, scan: &ScanReport, original: &Original) -> Result<Vec<String>, Error> {
    if scan.digest == original.digest {
        return Ok(Vec::new());
    }
    let Some(report) = facts::report(scan) else { return Ok(Vec::new()) };
    let everybody = Viewer::anonymous();
    let versions = likenesses::of_skill(tx, &everybody, &scan.digest, original.skill_id, VERSIONS).await?;
    let digests: Vec<Digest> = versions.iter().map(|version| version.digest).collect();
    let known: Vec<Capabilities> = scan_reports::newest(tx, &digests)
        .await?
        .iter()
        .filter_map(facts::report)
        .map(|report| report.capabilities)
        .collect();
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let mut gained = report.capabilities.gained_since(&Capabilities::default());
    gained.retain(|one| known.iter().all(|known| !has(known, one)));
    Ok(gained.iter().take(TOLD).map(words).collect())
}

fn has(known: &Capabilities, one: &Gained) -> bool {
    let part = match one.part.as_str() {
        "network" => &known.network,
        "exec" => &known.exec,
        "writes" => &known.writes,
        "secrets" => &known.secrets,
        "agent_configuration" => &known.agent_configuration,
        _ => &known.downloads,
    };
    part.contains(&one.what)
}

fn words(one: &Gained) -> String {
    let verb = match one.part.as_str() {
        "network" => "talks to",
        "exec" => "starts",
        "writes" => "writes",
        "secrets" => "reads the secret",
        "agent_configuration" => "touches agents' settings in",
        _ => "downloads from",
    };
    format!("{verb} {}", one.what)
}
