//! The floor under the ranking: the development half of the retrieval yardstick, where it is at hand.

use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use std::path::PathBuf;
use std::{env, fs};

use kontor_search::{Index, Query};
use kontor_types::{Digest, PageSize, SkillId, Slug, Viewer};
use serde_json::Value;

use crate::world::World;

/// Over all requests, and over those of neither the largest origin nor the benchmark's tasks.
const FLOOR: (f64, f64) = (0.81, 0.69);

#[test]
fn requests_find_their_skills() {
    let shared = env::var_os("KONTOR_SHARED").map_or_else(|| PathBuf::from("../../../shared"), PathBuf::from);
    let folder = shared.join("data/retrieval-dev");
    if !folder.join("corpus.jsonl.zst").exists() {
        eprintln!("SKIPPED requests_find_their_skills: {} is not here (set KONTOR_SHARED)", folder.display());
        return;
    }
    let mut world = World::new();
    let mut names: HashMap<SkillId, String> = HashMap::new();
    for row in lines(&unpacked(&folder.join("corpus.jsonl.zst"))) {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let document = world.add("yardstick", "any", &text("description"));
        document.slug = Slug::fold(&text("title"), &Digest::of(text("id").as_bytes()));
        document.display_name = text("title");
        document.body = text("text").replacen(&text("description"), "", 1);
        names.insert(document.skill, text("id"));
    }
    let index = world.index();
    let relevant = judgements(&fs::read_to_string(folder.join("qrels.tsv")).unwrap());
    let (mut all, mut other) = (Vec::new(), Vec::new());
    for request in lines(&fs::read_to_string(folder.join("queries.jsonl")).unwrap()) {
        let text = |key: &str| request[key].as_str().unwrap_or_default();
        let gain = gain(&index, text("text"), &relevant[text("id")], &names);
        all.push(gain);
        if text("set") == "evals" && text("origin") != "NVIDIA/skills" {
            other.push(gain);
        }
    }
    let mean = |gains: &[f64]| gains.iter().sum::<f64>() / gains.iter().map(|_| 1.0).sum::<f64>();
    let reached = (mean(&all), mean(&other));
    assert!(reached.0 >= FLOOR.0 && reached.1 >= FLOOR.1, "nDCG@10 {reached:?} is below {FLOOR:?}");
}

/// nDCG@10 of one request.
fn gain(index: &Index, text: &str, relevant: &HashSet<String>, names: &HashMap<SkillId, String>) -> f64 {
    let viewer = Viewer::anonymous();
    let hits = index.search(&Query { page: PageSize::clamped(10), ..Query::new(text, &viewer) }).unwrap();
    let worths = || (2_u32..).map(|place| 1.0 / f64::from(place).log2());
    let hits = hits.items.iter().zip(worths()).filter(|(hit, _)| relevant.contains(&names[&hit.skill]));
    let gained: f64 = hits.map(|(_, worth)| worth).sum();
    gained / worths().take(relevant.len().min(10)).sum::<f64>()
}

fn unpacked(path: &std::path::Path) -> String {
    let mut bytes = Vec::new();
    zstd::Decoder::new(fs::File::open(path).unwrap()).unwrap().read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn lines(text: &str) -> Vec<Value> {
    text.split('\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn judgements(text: &str) -> HashMap<String, HashSet<String>> {
    let mut relevant: HashMap<String, HashSet<String>> = HashMap::new();
    for cells in text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()) {
        relevant.entry(cells[0].to_owned()).or_default().insert(cells[1].to_owned());
    }
    relevant
}
