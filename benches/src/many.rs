//! A hub with many skills, imported once and kept between benchmarks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use kontor_search::{Change, Document};
use kontor_types::Digest;

use crate::hub::Hub;
use crate::load::Call;
use crate::product;
use crate::search::corpus::Yardstick;
use crate::search_speed::crowd::Crowd;

/// Raised when the skills are made differently.
const MAKE: u32 = 1;
/// How long the search index may take to follow.
const PATIENCE: Duration = Duration::from_mins(5);
/// Characters of a skill's name before its number.
const NAME: usize = 40;
/// Who owns them.
pub const PUBLISHER: &str = "bench";

/// How many skills, and of which texts.
#[derive(Debug, Clone, clap::Args)]
pub struct Many {
    /// How many skills the hub holds
    #[arg(long, default_value_t = 10_000)]
    skills: usize,
    /// Folder in the layout of the retrieval yardstick whose texts are mixed to skills
    #[arg(long, default_value = "../shared/data/retrieval-dev")]
    data: PathBuf,
}

impl Default for Many {
    fn default() -> Self {
        Self { skills: 10_000, data: PathBuf::from("../shared/data/retrieval-dev") }
    }
}

/// The folder of such a hub and its skills.
pub struct Filled {
    /// For `kontor up --data`.
    pub folder: PathBuf,
    /// The skills, each of one version.
    pub skills: Vec<Skill>,
}

/// One of the skills.
pub struct Skill {
    /// Its name, without the publisher.
    pub name: String,
    /// Its only file.
    text: String,
}

impl Skill {
    fn new(document: &Document, place: usize) -> Self {
        let name = name(document, place);
        let description = serde_json::Value::from(document.description.as_str());
        let text = format!("---\nname: {name}\ndescription: {description}\n---\n{}", document.body);
        Self { name, text }
    }

    /// The fingerprint of its version, as ClawHub's clients compute it.
    pub fn fingerprint(&self) -> Digest {
        kontor_package::fingerprint([("SKILL.md", Digest::of(self.text.as_bytes()))])
    }
}

impl Many {
    /// The hub's folder, filled the first time; search has heard of everything.
    pub fn fill(&self, binary: &Path) -> Result<Filled> {
        let yardstick = Yardstick::read(&self.data).context("--data names the folder whose texts are mixed")?;
        let crowd = Crowd::of(&yardstick);
        let documents = (0..self.skills).filter_map(|place| Some((document(&crowd, place)?, place)));
        let skills: Vec<Skill> = documents.map(|(document, place)| Skill::new(&document, place)).collect();
        let last = &skills.last().context("--skills is 0")?.name;
        let folder = product::data()?.join(format!("hub-{}-{MAKE}", self.skills));
        let done = folder.join("filled");
        if !done.exists() {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            eprintln!("importing {} skills into {}, once", self.skills, folder.display());
            import(binary, &folder, &skills)?;
            fs::write(&done, "")?;
        }
        // Another binary may have to bring the schema or the search index up to date first.
        let hub = Hub::start(binary, &folder)?;
        wait_for(&hub, last)?;
        hub.stop()?;
        Ok(Filled { folder, skills })
    }

    /// One to three words of real descriptions, as people type them.
    pub fn queries(&self) -> Result<Vec<String>> {
        Ok(Crowd::of(&Yardstick::read(&self.data)?).short_queries())
    }

    /// A sentence about them.
    pub fn describe(&self) -> String {
        format!("hub: release binary, SQLite, {} skills mixed of real texts, imported before", self.skills)
    }
}

fn document(crowd: &Crowd, place: usize) -> Option<Document> {
    match crowd.skill(place) {
        Change::Upsert(document) => Some(*document),
        Change::Remove(_) => None,
    }
}

/// Unlike any other.
fn name(skill: &Document, place: usize) -> String {
    let start: String = skill.slug.as_str().chars().take(NAME).collect();
    format!("{}-{place}", start.trim_end_matches('-'))
}

fn import(binary: &Path, folder: &Path, skills: &[Skill]) -> Result<()> {
    let source = tempfile::tempdir_in(product::data()?)?;
    for skill in skills {
        let place = source.path().join(&skill.name);
        fs::create_dir(&place)?;
        fs::write(place.join("SKILL.md"), &skill.text)?;
    }
    let hub = Hub::start(binary, folder)?;
    let path = source.path().to_str().context("the folder has an odd path")?;
    let mut import = hub.client(binary, &["import", path, "--publisher", PUBLISHER, "--fail-on-refused", "--quiet"]);
    if !import.stdout(Stdio::null()).status()?.success() {
        bail!("the skills could not be imported");
    }
    hub.stop()
}

/// Waits until search finds the skill of this name.
pub fn wait_for(hub: &Hub, name: &str) -> Result<()> {
    let started = Instant::now();
    let call = Call::get(&format!("/api/kontor/v1/search?q={name}&limit=5"));
    loop {
        let answer = call.once(hub.address)?;
        if String::from_utf8_lossy(&answer.body).contains(name) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            bail!("search does not find `{name}` after {PATIENCE:?} (status {})", answer.status);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
