//! Reading a yardstick: documents, requests, and which documents each request is about.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use kontor_search::Document;
use kontor_types::{Digest, Handle, PublisherId, SkillId, Slug, Timestamp, Visibility};
use serde::Deserialize;

/// The most bytes of an unpacked corpus.
const LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// A folder in the layout of the retrieval yardstick.
pub struct Yardstick {
    documents: Vec<(SkillId, Row)>,
    places: HashMap<SkillId, usize>,
    /// What is asked.
    pub requests: Vec<Request>,
}

/// One document; fields may be missing.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    text: String,
}

/// One request with the ids of the documents that answer it.
#[derive(Debug, Deserialize)]
pub struct Request {
    pub id: String,
    pub text: String,
    #[serde(default)]
    pub set: String,
    #[serde(default)]
    pub origin: Option<String>,
    #[serde(default)]
    pub names_skill: bool,
    #[serde(skip)]
    pub relevant: HashSet<String>,
}

impl Yardstick {
    /// Reads a folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let rows: Vec<Row> = lines(&corpus(folder)?).context("cannot read the corpus")?;
        let mut requests: Vec<Request> = lines(&text(&folder.join("queries.jsonl"))?).context("cannot read queries")?;
        let mut relevant = judgements(&text(&folder.join("qrels.tsv"))?);
        for request in &mut requests {
            request.relevant = relevant.remove(&request.id).unwrap_or_default();
        }
        requests.retain(|request| !request.relevant.is_empty());
        if rows.is_empty() || requests.is_empty() {
            bail!("{} holds no documents or no judged queries", folder.display());
        }
        let moment = |place: usize| Timestamp::from_millis(i64::try_from(place).unwrap_or(i64::MAX));
        let documents: Vec<(SkillId, Row)> =
            rows.into_iter().enumerate().map(|(place, row)| (SkillId::new(moment(place)), row)).collect();
        let places = documents.iter().enumerate().map(|(place, (skill, _))| (*skill, place)).collect();
        Ok(Self { documents, places, requests })
    }

    /// The yardstick's id of a skill.
    pub fn id(&self, skill: SkillId) -> &str {
        self.places.get(&skill).map_or("", |place| &self.documents[*place].1.id)
    }

    /// The documents as the index takes them.
    pub fn documents(&self) -> Vec<Document> {
        let publisher = PublisherId::new(Timestamp::from_millis(0));
        self.documents.iter().map(|(skill, row)| row.document(*skill, publisher)).collect()
    }
}

impl Row {
    /// The title as name, the description as such, the rest of the text as body.
    fn document(&self, skill: SkillId, publisher: PublisherId) -> Document {
        let title = if self.title.is_empty() { &self.id } else { &self.title };
        let body =
            if self.description.is_empty() { self.text.clone() } else { self.text.replacen(&self.description, "", 1) };
        let moment = Timestamp::from_millis(0);
        Document {
            skill,
            publisher,
            handle: Handle::fold("yardstick"),
            slug: Slug::fold(title, &Digest::of(self.id.as_bytes())),
            display_name: title.clone(),
            description: self.description.clone(),
            description_derived: false,
            body,
            keywords: Vec::new(),
            categories: Vec::new(),
            license: None,
            copy_of: None,
            visibility: Visibility::Public,
            spec_valid: true,
            downloads: 0,
            installs: 0,
            stars: 0,
            trending: 0.0,
            updated: moment,
            created: moment,
        }
    }
}

fn corpus(folder: &Path) -> Result<String> {
    let packed = folder.join("corpus.jsonl.zst");
    if !packed.exists() {
        return text(&folder.join("corpus.jsonl"));
    }
    let file = fs::File::open(&packed).with_context(|| format!("cannot open {}", packed.display()))?;
    let mut bytes = Vec::new();
    let reader = zstd::Decoder::new(file)?;
    std::io::Read::read_to_end(&mut std::io::Read::take(reader, LIMIT), &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn lines<T: for<'a> Deserialize<'a>>(text: &str) -> Result<Vec<T>> {
    let filled = text.split('\n').filter(|line| !line.trim().is_empty());
    filled.map(|line| serde_json::from_str(line).context("a line is not the expected JSON")).collect()
}

/// `query-id, corpus-id, score` lines; the head and scores of 0 are passed over.
fn judgements(text: &str) -> HashMap<String, HashSet<String>> {
    let mut relevant: HashMap<String, HashSet<String>> = HashMap::new();
    for line in text.lines() {
        let mut cells = line.split('\t');
        let (Some(query), Some(document), Some(score)) = (cells.next(), cells.next(), cells.next()) else { continue };
        if score.trim().parse::<i64>().is_ok_and(|score| score > 0) {
            relevant.entry(query.to_owned()).or_default().insert(document.to_owned());
        }
    }
    relevant
}
