//! nDCG@10, Recall@10 and Hit@1, with a bootstrap interval.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::corpus::Request;

/// How often the queries are drawn again for the interval.
const DRAWS: usize = 2_000;

/// How one request was answered.
pub struct Outcome {
    origin: String,
    of_evals: bool,
    names_skill: bool,
    pub ndcg10: f64,
    recall10: f64,
    hit1: f64,
}

impl Outcome {
    /// `found` tells of each of the first ten answers whether it is relevant.
    #[expect(clippy::cast_precision_loss, reason = "ten answers and some dozen judgements")]
    pub fn new(request: &Request, found: &[bool]) -> Self {
        let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let relevant = request.relevant.len();
        let ideal: f64 = (0..relevant.min(10)).map(gain).sum();
        let gained: f64 = found.iter().enumerate().filter(|(_, hit)| **hit).map(|(place, _)| gain(place)).sum();
        Self {
            origin: request.origin.clone().unwrap_or_else(|| "unknown".to_owned()),
            of_evals: request.set == "evals",
            names_skill: request.names_skill,
            ndcg10: gained / ideal,
            recall10: found.iter().filter(|hit| **hit).count() as f64 / relevant as f64,
            hit1: if found.first() == Some(&true) { 1.0 } else { 0.0 },
        }
    }
}

/// The origin that has half of the requests.
const LARGEST: &str = "NVIDIA/skills";

impl Outcome {
    /// Who wrote the request.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether the request is of an eval suite of another origin than the largest.
    pub fn is_of_others(&self) -> bool {
        self.of_evals && self.origin != LARGEST
    }
}

/// The mean nDCG@10 of those that are asked for.
#[expect(clippy::cast_precision_loss, reason = "some thousand requests")]
pub fn mean(outcomes: &[Outcome], wanted: impl Fn(&Outcome) -> bool) -> f64 {
    let values: Vec<f64> = outcomes.iter().filter(|one| wanted(one)).map(|one| one.ndcg10).collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// The figures of a yardstick.
#[derive(Serialize)]
pub struct Report {
    all: Figures,
    by_origin: BTreeMap<String, Figures>,
    /// Without the requests that name the skill.
    without_named: Figures,
}

/// The means over some requests.
#[derive(Serialize, Default)]
struct Figures {
    n: usize,
    ndcg10: f64,
    recall10: f64,
    hit1: f64,
    /// The 95 % bootstrap interval of `ndcg10`.
    ci: [f64; 2],
}

impl Report {
    /// The means over all, each origin, and those that do not name the skill.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut origins: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
        for outcome in outcomes {
            origins.entry(outcome.origin.clone()).or_default().push(outcome);
        }
        let unnamed: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.names_skill).collect();
        Self {
            all: Figures::of(&outcomes.iter().collect::<Vec<_>>()),
            by_origin: origins.into_iter().map(|(origin, of)| (origin, Figures::of(&of))).collect(),
            without_named: Figures::of(&unnamed),
        }
    }

    /// The figures for a person.
    pub fn table(&self) -> String {
        let mut table = String::from("queries  nDCG@10  95 % interval   Recall@10  Hit@1  of\n");
        let origins = self.by_origin.iter().map(|(origin, figures)| (origin.as_str(), figures));
        let rows = [("all", &self.all), ("skill not named", &self.without_named)].into_iter().chain(origins);
        for (name, figures) in rows {
            let Figures { n, ndcg10, recall10, hit1, ci: [low, high] } = figures;
            let _ = writeln!(table, "{n:>7}  {ndcg10:.4}   {low:.4}–{high:.4}   {recall10:.4}     {hit1:.4} {name}");
        }
        table
    }
}

impl Figures {
    #[expect(clippy::cast_precision_loss, reason = "some thousand requests")]
    fn of(outcomes: &[&Outcome]) -> Self {
        if outcomes.is_empty() {
            return Self::default();
        }
        let n = outcomes.len();
        let mean = |figure: fn(&Outcome) -> f64| outcomes.iter().map(|outcome| figure(outcome)).sum::<f64>() / n as f64;
        let ndcgs: Vec<f64> = outcomes.iter().map(|outcome| outcome.ndcg10).collect();
        Self {
            n,
            ndcg10: mean(|outcome| outcome.ndcg10),
            recall10: mean(|outcome| outcome.recall10),
            hit1: mean(|outcome| outcome.hit1),
            ci: interval(&ndcgs),
        }
    }
}

/// The 95 % interval of the mean when the values are drawn again with a fixed seed.
#[expect(clippy::cast_precision_loss, reason = "some thousand requests")]
fn interval(values: &[f64]) -> [f64; 2] {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| (0..values.len()).map(|_| values[draw.below(values.len())]).sum::<f64>() / values.len() as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    [means[DRAWS * 25 / 1_000], means[DRAWS * 975 / 1_000 - 1]]
}

/// SplitMix64: the same numbers on every machine.
pub struct Draw(pub u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from 0 to `limit`, exclusive; 0 when the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % limit).unwrap_or(0)
    }
}
